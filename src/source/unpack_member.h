/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_UNPACK_MEMBER_H
#define COF_SOURCE_UNPACK_MEMBER_H

/* What the headers of an entry say, without libarchive's types.  Private to unpack. */

#include "source/unpack.h"

#include <archive.h>
#include <archive_entry.h>

/*
 * Fill *out.  names: a libarchive disk writer that looks up owners, NULL: by number.  COF_NOMEM.
 */
cof_status cof_member_read(cof_member *out, struct archive_entry *entry, struct archive *names,
                           cof_error *err) COF_MUST_USE;

#endif
