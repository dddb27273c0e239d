/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_READER_H
#define COF_ENGINE_READER_H

/* The inside of a cof_reader, shared by its verbs. */

#include <coffer/reader.h>

#include "engine/open.h"

struct cof_reader {
    const cof_open_options *options; /* borrowed */
    cof_file *file;                  /* the backup, or the spool that it was put into */
    cof_opened opened;
    cof_info info;
    cof_recipient_info *recipients; /* behind info */
    cof_custody_info *custody;      /* behind info */
    cof_volume_info *volumes;       /* behind info */
    cof_party **approvals;          /* behind custody: one list for each, owned */
    size_t approval_lists;
};

/* Fill reader->info from reader->opened.  COF_NOMEM, COF_INTERNAL. */
cof_status cof_reader_describe(cof_reader *reader, cof_error *err) COF_MUST_USE;

/* The lineage was proven: the first maker is who the preamble says. */
void cof_reader_proven(cof_reader *reader);

/*
 * COF_USAGE if what is written to this path would take the place of what is being read: the backup,
 * one of its volumes, or the file that its head is in.
 */
cof_status cof_reader_spares(const cof_reader *reader, const char *path,
                             cof_error *err) COF_MUST_USE;

/* Count and report a redundant copy that was found damaged. */
void cof_reader_damaged(cof_reader *reader, size_t count);

#endif
