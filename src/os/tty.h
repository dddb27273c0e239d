/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_TTY_H
#define COF_OS_TTY_H

/*
 * Where secrets come in: the terminal, a descriptor, a file that only its owner can read.  Never
 * from the command line or the environment.
 */

#include "base/secret.h"

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>

/* The longest passphrase, in bytes. */
#define COF_PASSPHRASE_MAX 1023

/*
 * Ask on the terminal of this process (/dev/tty) and read one line without echo.  `prompt` is
 * written as it is ("Passphrase for ops.key: ").  A signal that arrives meanwhile first gets the
 * terminal back in order and then takes its usual effect; where the process survives it,
 * COF_CANCELLED.
 *
 * COF_USAGE: there is no terminal, or the line is empty.  COF_LIMIT: longer than
 * COF_PASSPHRASE_MAX.  COF_IO, COF_NOMEM.  *out is then NULL.
 */
cof_status cof_tty_read_secret(cof_secret **out, const char *prompt, cof_error *err) COF_MUST_USE;

/*
 * The first line of a descriptor, without its line end (\n or \r\n; the end of the file will do).
 * Nothing behind that line is read, so a second call gets the second line.  `name` stands for the
 * descriptor in messages.  COF_USAGE: the line is empty; otherwise as above.
 */
cof_status cof_fd_read_secret(cof_secret **out, int fd, const char *name,
                              cof_error *err) COF_MUST_USE;

/*
 * The first line of a file, as above.  COF_USAGE when group or others have any permission on it:
 * the message says which chmod helps.
 */
cof_status cof_file_read_secret(cof_secret **out, const char *path, cof_error *err) COF_MUST_USE;

/*
 * A whole file of secret bytes: a private key.  *out_exposed (may be NULL) tells whether group or
 * others have any permission on it; what follows from that is the caller's decision.  COF_LIMIT
 * when it is longer than `max` bytes; otherwise as cof_file_open_read(); *out is then NULL.
 */
cof_status cof_file_read_whole_secret(cof_secret **out, bool *out_exposed, const char *path,
                                      size_t max, cof_error *err) COF_MUST_USE;

/* Is somebody watching? */
bool cof_stderr_is_tty(void);

/* Columns of the terminal on standard error; 80 when unknown. */
int cof_stderr_width(void);

#endif
