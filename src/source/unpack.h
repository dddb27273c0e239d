/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_UNPACK_H
#define COF_SOURCE_UNPACK_H

/*
 * One entry of the pax archive, read at the place where the catalog says that it is, and compared
 * with what the catalog says of it (FORMAT.md sections 3.7 and 3.8, CA-2).  libarchive reads the
 * headers; nothing is written here.
 */

#include "base/treeentry.h"
#include "source/attributes.h"

#include <stdbool.h>

typedef struct cof_unpack cof_unpack;

/* What the archive says about a thing, beyond its catalog entry. */
typedef struct cof_member {
    uint16_t mode;        /* lower 12 bits */
    uint32_t user, group; /* ids on this machine */
    int64_t mtime;        /* seconds since 1970 */
    uint32_t mtime_ns;
    bool sparse;               /* there are holes in its content */
    cof_attributes attributes; /* owned; ACLs among them as the kernel has them */
} cof_member;

void cof_member_wipe(cof_member *member);

/*
 * read yields what the archive holds at an offset, as much as is at hand, at least a byte; what it
 * borrows lives until the next call.  Owners are found by their names on this machine, and by their
 * numbers where these have no name or numeric is set.  COF_NOMEM; *out is NULL then.
 */
cof_status cof_unpack_new(cof_unpack **out,
                          cof_status (*read)(void *ctx, cof_slice *out, uint64_t offset,
                                             cof_error *err),
                          void *ctx, bool numeric, cof_error *err) COF_MUST_USE;
void cof_unpack_free(cof_unpack *unpack);

/*
 * Read the headers of an entry that is in the archive (its length is not 0), and compare.  The
 * caller wipes *out, also after a failure.  COF_AUTH (CA-2), COF_NOMEM, or what read said.
 */
cof_status cof_unpack_begin(cof_unpack *unpack, cof_member *out, const cof_catalog_entry *entry,
                            cof_error *err) COF_MUST_USE;

/*
 * The next piece of the file's content and its place in the file; what lies between pieces is a
 * hole.  *end: there is none.  Borrowed until the next call.  Classes as above.
 */
cof_status cof_unpack_data(cof_unpack *unpack, cof_slice *out, uint64_t *offset, bool *end,
                           cof_error *err) COF_MUST_USE;

/* The content was read: does the entry end where the catalog says?  COF_AUTH (CA-2). */
cof_status cof_unpack_end(cof_unpack *unpack, cof_error *err) COF_MUST_USE;

#endif
