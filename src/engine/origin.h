/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_ORIGIN_H
#define COF_ENGINE_ORIGIN_H

/*
 * The lineage of a rekeyed backup, proven: is the content still the one that the first maker
 * signed, although his ciphertext is gone (FORMAT.md, LI-1)?
 *
 * Encryption follows from data key, preamble, header and sealed content alone.  So his ciphertext
 * can be made again, record by record, and compared with what he signed.  Memory does not grow with
 * the backup but by 32 bytes for 4096 records: hashes are read from the LINEAGE records when they
 * are needed, each block compared with the root that was kept of it.
 */

#include "engine/open.h"
#include "engine/record.h"

struct cof_fetch;

typedef struct cof_origin cof_origin;

/*
 * Read the lineage through fetch (borrowed, and used whenever hashes are needed: a record that it
 * held is forgotten), and prove 1 to 5 of LI-1.  With `trusted`, the first maker must be trusted as
 * such; without, his signature must only be right.  COF_AUTH (LI-1), COF_FORMAT (LI-2, LI-3), ...
 */
cof_status cof_origin_new(cof_origin **out, struct cof_fetch *fetch, bool trusted,
                          cof_error *err) COF_MUST_USE;
void cof_origin_free(cof_origin *origin);

/* How many records the first epoch had: the number of the first LINEAGE record. */
uint64_t cof_origin_records(const cof_origin *origin);

/* Have the hash of record `number`, which is below that, at hand.  COF_AUTH, COF_IO, ... */
cof_status cof_origin_seek(cof_origin *origin, uint64_t number, cof_error *err) COF_MUST_USE;

/*
 * 6 of LI-1: is this the sealed content of the record that was sought last, as the first maker
 * sealed it?  COF_AUTH.
 */
cof_status cof_origin_check(cof_origin *origin, const cof_frame *frame, cof_slice content,
                            cof_error *err) COF_MUST_USE;

/* The manifests of the earlier epochs, oldest first.  Borrowed. */
const cof_buf *cof_origin_manifests(const cof_origin *origin, size_t *count);

#endif
