/* SPDX-License-Identifier: Apache-2.0 */

/* Listing: the catalog's own words, for whoever may open the backup. */

#include <coffer/tree.h>

#include "base/error.h"
#include "engine/catalog.h"
#include "engine/select.h"

typedef struct listing {
    cof_select select;
    cof_buf text; /* path and target of the present entry, each with a NUL */
    cof_status (*entry)(void *ctx, const cof_tree_entry *entry, cof_error *err);
    void *ctx;
} listing;

static cof_tree_type type_of(cof_entry_type type)
{
    return type == COF_ENTRY_NAMED_STREAM ? COF_TREE_STREAM : (cof_tree_type)type;
}

static cof_status copy_text(listing *l, const cof_catalog_entry *e, cof_error *err)
{
    cof_status st;

    l->text.len = 0;
    if ((st = cof_buf_append(&l->text, e->path.data, e->path.len, err)) != COF_OK ||
        (st = cof_buf_append(&l->text, "", 1, err)) != COF_OK ||
        (st = cof_buf_append(&l->text, e->target.data, e->target.len, err)) != COF_OK)
        return st;
    return cof_buf_append(&l->text, "", 1, err);
}

static cof_status list_entry(void *ctx, const cof_catalog_entry *e, cof_error *err)
{
    listing *l = ctx;
    bool device = e->type == COF_ENTRY_CHAR_DEVICE || e->type == COF_ENTRY_BLOCK_DEVICE;
    cof_tree_entry out = {
        .path_len = e->path.len,
        .target_len = e->target.len,
        .type = type_of(e->type),
        .state = (cof_tree_state)e->state,
        .stored = e->length != 0 || e->type == COF_ENTRY_NAMED_STREAM,
        .mode = e->mode,
        .user = e->user,
        .group = e->group,
        .size = device ? 0 : e->size,
        .major = device ? (uint32_t)(e->size >> 32) : 0,
        .minor = device ? (uint32_t)e->size : 0,
        .mtime = e->mtime,
        .mtime_ns = e->mtime_ns,
    };
    cof_status st;

    if (!cof_select_match(&l->select, e))
        return COF_OK;
    if ((st = copy_text(l, e, err)) != COF_OK)
        return st;
    out.path = (const char *)l->text.data;
    out.target = out.path + e->path.len + 1;
    return l->entry(l->ctx, &out, err);
}

static bool list_wants(void *ctx, cof_slice first, const cof_slice *next)
{
    return cof_select_range(&((listing *)ctx)->select, first, next);
}

cof_status cof_reader_list(cof_reader *reader, const cof_tree_selection *selection,
                           cof_status (*entry)(void *ctx, const cof_tree_entry *entry,
                                               cof_error *err),
                           void *ctx, cof_error *err)
{
    listing l = {.entry = entry, .ctx = ctx};
    const cof_catalog_visit visit = {.wants = list_wants, .entry = list_entry, .ctx = &l};
    cof_fetch fetch;
    cof_status st;

    if ((st = cof_select_init(&l.select, selection, err)) == COF_OK) {
        if ((st = cof_fetch_init(&fetch, reader, err)) == COF_OK)
            st = cof_catalog_walk(&fetch, &visit, err);
        cof_fetch_wipe(&fetch);
    }
    if (st == COF_OK)
        st = cof_select_check(&l.select, err);
    cof_select_wipe(&l.select);
    cof_buf_free(&l.text);
    return st;
}
