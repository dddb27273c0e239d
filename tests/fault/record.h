/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_FAULT_RECORD_H
#define COF_TESTS_FAULT_RECORD_H

/*
 * A table of system calls that does everything for real, and notes what changes the files in one
 * directory or their names.  For a single thread.
 */

#include "os/os.h"
#include "storage.h"

/* Make the directory hold exactly this; it exists, and has no directories in it. */
void record_lay(const char *dir, const image *i);

/* What the directory holds, its files numbered in the order of their names. */
void record_read(image *out, const char *dir);

/*
 * From now on note in log what is done to dir, which holds `from`; beneath are the calls of base
 * (NULL: the real ones).  All is borrowed until record_stop, which returns whether the log explains
 * what the directory holds then: false if it was changed in a way that is not noted here.
 */
void record_start(op_log *log, const char *dir, const image *from, const cof_os *base);
bool record_stop(void);

#endif
