/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_CATALOG_H
#define COF_FORMAT_CATALOG_H

/*
 * The catalog: what is in a tree, and where in the stream (FORMAT.md section 3.8).
 *
 * Here are the plaintexts of its records, one at a time: putting one together, and reading one
 * with every check that it allows alone (CA-1).  format/catalog_tree.h joins them to a tree.
 */

#include "base/buf.h"
#include "base/error.h"
#include "base/treeentry.h"
#include "base/treepath.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COF_CATALOG_HEADER_SIZE 16
#define COF_CATALOG_ENTRY_SIZE  48 /* without path and target */
#define COF_CATALOG_ITEM_SIZE   18 /* without path */
#define COF_CATALOG_PATH_MAX    COF_TREEPATH_MAX
#define COF_CATALOG_LEVEL_MAX   15
#define COF_CATALOG_BLOCK       512  /* an entry takes a multiple of this in the stream */
#define COF_CATALOG_END         1024 /* zero bytes behind the last entry in the stream */
#define COF_CATALOG_MODE_MAX    07777
#define COF_CATALOG_RECORD_MIN  UINT32_C(262144)  /* any two entries fit */
#define COF_CATALOG_RECORD_USED UINT32_C(1048576) /* what writers fill, where R allows */

/* One record of the level below. */
typedef struct cof_catalog_item {
    uint64_t record;
    uint64_t position; /* in stream 0: where its first entry begins */
    cof_slice path;    /* borrowed: of its first entry */
} cof_catalog_item;

/* ---- writing one record ---- */

/*
 * A record being put together.  Start from zero, set level; plain is the plaintext so far, with
 * its header right after each call.
 */
typedef struct cof_catalog_page {
    uint8_t level;
    uint32_t count;
    uint64_t position; /* level 0: the end of the last entry */
    cof_buf plain;     /* owned */
    cof_buf first;     /* owned: the path of the first entry */
    cof_buf last;      /* owned: the path of the last one */
} cof_catalog_page;

/*
 * Append an entry to a page of level 0; entry->position is the end of the one before it.  *full
 * says that plain would be longer than max bytes: then nothing was changed, and the page is to be
 * written and started again.  COF_INTERNAL if the entry breaks CA-1; COF_LIMIT if it does not even
 * fit into an empty page; COF_NOMEM.
 */
cof_status cof_catalog_page_entry(cof_catalog_page *page, bool *full, size_t max,
                                  const cof_catalog_entry *entry, cof_error *err) COF_MUST_USE;

/* The same for an item and a page of a higher level. */
cof_status cof_catalog_page_item(cof_catalog_page *page, bool *full, size_t max,
                                 const cof_catalog_item *item, cof_error *err) COF_MUST_USE;

/*
 * Empty the page for the next record of its level; the last path is kept, so that the order is
 * checked across records.
 */
void cof_catalog_page_restart(cof_catalog_page *page);

void cof_catalog_page_wipe(cof_catalog_page *page);

/* ---- reading one record ---- */

/* A cursor over the plaintext of one record; all of it is read-only but for the functions below. */
typedef struct cof_catalog_view {
    uint8_t level;
    uint32_t count;    /* entries or items in the record */
    uint64_t position; /* level 0: where the next entry begins; else that of the last item read */
    uint32_t done;     /* how many were read */
    cof_slice rest;    /* borrowed from the plaintext */
    size_t at;         /* offset in the plaintext, for messages */
    cof_buf path;      /* owned: the last path that was read */
} cof_catalog_view;

/*
 * Begin to read the plaintext of a CATALOG record, which must live as long as the view.
 * COF_FORMAT (CA-1).  The caller wipes *out, also after a failure.
 */
cof_status cof_catalog_view_open(cof_catalog_view *out, cof_slice plain,
                                 cof_error *err) COF_MUST_USE;

/*
 * The next entry of a record of level 0, or *end (out is then untouched).  Its path and target live
 * until the next call.  COF_FORMAT: CA-1, and GE-3 for bytes behind the last; COF_NOMEM;
 * COF_INTERNAL at another level.
 */
cof_status cof_catalog_view_entry(cof_catalog_view *view, cof_catalog_entry *out, bool *end,
                                  cof_error *err) COF_MUST_USE;

/* The same for the items of a record of a higher level. */
cof_status cof_catalog_view_item(cof_catalog_view *view, cof_catalog_item *out, bool *end,
                                 cof_error *err) COF_MUST_USE;

void cof_catalog_view_wipe(cof_catalog_view *view);

#endif
