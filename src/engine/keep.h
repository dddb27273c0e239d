/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_KEEP_H
#define COF_ENGINE_KEEP_H

/* Keeping the head that an import replaces (FORMAT.md, IM-5). */

#include "base/buf.h"

/*
 * Keep a head alone, durably.  where: a file, which may be there already with these very bytes; or
 * a directory; or NULL, beside the backup in path.  In a directory it is called after the backup
 * and the generation of its locks, "x.cof.generation-3.head", and if that is another one, with a
 * number. *out (cap bytes) says where it is.  COF_USAGE: the file exists and is another; COF_IO;
 * COF_LIMIT.
 */
cof_status cof_keep_head(char *out, size_t cap, cof_slice head, const char *path, const char *where,
                         uint64_t generation, cof_error *err) COF_MUST_USE;

/* Make the file durable, with its name: a run that was killed may have left it otherwise. */
cof_status cof_keep_durably(const char *path, cof_error *err) COF_MUST_USE;

#endif
