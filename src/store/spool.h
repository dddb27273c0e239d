/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_STORE_SPOOL_H
#define COF_STORE_SPOOL_H

/* What comes from a pipe, put where it can be read twice: as it came, in a file without a name. */

#include <coffer/error.h>

#include "os/file.h"

/*
 * Copy the rest of a pipe into an unlinked file in dir (NULL: $TMPDIR, else /var/tmp) and give
 * that as *out, which the caller owns.  COF_IO, COF_NOMEM.
 */
cof_status cof_spool_pipe(cof_file **out, cof_file *pipe, const char *dir,
                          cof_error *err) COF_MUST_USE;

/* An empty unlinked file in dir, as above. */
cof_status cof_spool_new(cof_file **out, const char *dir, cof_error *err) COF_MUST_USE;

#endif
