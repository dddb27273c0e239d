/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_CATALOG_TREE_H
#define COF_FORMAT_CATALOG_TREE_H

/*
 * The catalog as a whole (FORMAT.md section 3.8): entries in, records out, and, for who reads all
 * of it in order, the check that the records are one tree (CA-1, CA-3).
 *
 * Memory is one record for each level, whatever the number of entries.
 */

#include "format/catalog.h"

/* ---- writing ---- */

typedef struct cof_catalog_writer cof_catalog_writer;

typedef struct cof_catalog_hooks {
    /* Write a CATALOG record with this plaintext; *number is its record number. */
    cof_status (*record)(void *ctx, uint64_t *number, cof_slice plain, cof_error *err);
    void *ctx;
} cof_catalog_hooks;

/*
 * record_size is that of the backup.  hooks are copied.  COF_USAGE where the record size is too
 * small for a catalog; COF_NOMEM.  *out is NULL then.
 */
cof_status cof_catalog_writer_new(cof_catalog_writer **out, uint32_t record_size,
                                  const cof_catalog_hooks *hooks, cof_error *err) COF_MUST_USE;

/*
 * Append an entry, writing a record whenever one is full; paths come in ascending order and
 * positions without a gap.  COF_INTERNAL if not; COF_LIMIT, COF_NOMEM, or what the hook returned.
 */
cof_status cof_catalog_writer_add(cof_catalog_writer *writer, const cof_catalog_entry *entry,
                                  cof_error *err) COF_MUST_USE;

/* Write what is left, the top last.  COF_INTERNAL if there was no entry. */
cof_status cof_catalog_writer_finish(cof_catalog_writer *writer, cof_error *err) COF_MUST_USE;

void cof_catalog_writer_free(cof_catalog_writer *writer);

/* ---- checking ---- */

typedef struct cof_catalog_checker cof_catalog_checker;

cof_status cof_catalog_checker_new(cof_catalog_checker **out, cof_error *err) COF_MUST_USE;

/*
 * The next CATALOG record in the order of the file.  COF_FORMAT (CA-1, CA-3), COF_NOMEM; only
 * freeing is then allowed.
 */
cof_status cof_catalog_checker_record(cof_catalog_checker *checker, uint64_t number,
                                      cof_slice plain, cof_error *err) COF_MUST_USE;

/*
 * No more records: is the last one the top, and is the stream of content (its length) exactly what
 * the entries cover and the end of archive?  COF_FORMAT (CA-1, CA-3).
 */
cof_status cof_catalog_checker_finish(const cof_catalog_checker *checker, uint64_t stream_len,
                                      cof_error *err) COF_MUST_USE;

void cof_catalog_checker_free(cof_catalog_checker *checker);

#endif
