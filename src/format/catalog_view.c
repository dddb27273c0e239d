/* SPDX-License-Identifier: Apache-2.0 */

/* Reading a CATALOG record.  What it says is believed only as far as it was checked here. */

#include "format/catalog_page.h"

#include <string.h>

#include "wire/wire.h"

static cof_status broken(const cof_catalog_view *v, cof_error *err, const char *problem)
{
    return cof_fail_rule(
        err, COF_FORMAT, "CA-1", COF_NO_OFFSET,
        "the catalog is not as it must be: at byte %zu of a record of level %u, %s", v->at,
        (unsigned)v->level, problem);
}

cof_status cof_catalog_view_open(cof_catalog_view *out, cof_slice plain, cof_error *err)
{
    cof_catalog_view v;
    size_t least;
    cof_get g;

    memset(out, 0, sizeof(*out));
    memset(&v, 0, sizeof(v));
    cof_get_init_slice(&g, plain);
    if (cof_get_u8(&g, &v.level) != COF_OK || v.level > COF_CATALOG_LEVEL_MAX ||
        cof_get_skip_zeros(&g, 3) != COF_OK || cof_get_u32(&g, &v.count) != COF_OK ||
        cof_get_u64(&g, &v.position) != COF_OK)
        return broken(&v, err, "the header of the record is wrong");
    least = v.level == 0 ? COF_CATALOG_ENTRY_SIZE + 1 : COF_CATALOG_ITEM_SIZE + 1;
    v.at = COF_CATALOG_HEADER_SIZE;
    if (v.count == 0 || v.count > g.left / least)
        return broken(&v, err, "it has fewer bytes than it counts entries");
    v.rest = (cof_slice){g.p, g.left};
    *out = v;
    return COF_OK;
}

void cof_catalog_view_wipe(cof_catalog_view *v)
{
    cof_buf_free(&v->path);
    memset(v, 0, sizeof(*v));
}

/* Nothing more to read: then nothing more may be there. */
static cof_status at_end(const cof_catalog_view *v, bool *end, cof_error *err)
{
    *end = v->done == v->count;
    if (*end && v->rest.len != 0)
        return cof_fail_rule(err, COF_FORMAT, "GE-3", COF_NO_OFFSET,
                             "a record of the catalog has %zu bytes behind its last entry",
                             v->rest.len);
    return COF_OK;
}

static void advance(cof_catalog_view *v, const cof_get *g)
{
    v->at += g->at;
    v->rest = (cof_slice){g->p, g->left};
    v->done++;
}

/*
 * The path made of the first `shared` bytes of the one before and of rest becomes v->path.  It must
 * come later in the order, and share no more than that.
 */
static cof_status take_path(cof_catalog_view *v, size_t shared, cof_slice rest, bool prefixed,
                            cof_error *err)
{
    cof_buf path = COF_BUF_INIT;
    cof_slice last = cof_buf_slice(&v->path), next;
    cof_status st;

    if (rest.len == 0 || shared > last.len || (v->done == 0 && shared != 0))
        return broken(v, err,
                      rest.len == 0 ? "a path is the same as the one before it, or empty"
                                    : "a path shares more with the one before it than there is");
    if ((st = cof_buf_reserve(&path, shared + rest.len, err)) != COF_OK ||
        (st = cof_buf_append(&path, last.data, shared, err)) != COF_OK ||
        (st = cof_buf_append(&path, rest.data, rest.len, err)) != COF_OK)
        goto out;
    next = cof_buf_slice(&path);
    if (!cof_treepath_valid(next))
        st = broken(v, err, "a path is not well-formed");
    else if (v->done != 0 && cof_treepath_compare(last, next) >= 0)
        st = broken(v, err, "a path is not in its place in the order");
    else if (v->done != 0 && prefixed && cof_treepath_shared(last, next) != shared)
        st = broken(v, err, "a path shares more with the one before it than it says");
    else
        cof_buf_take(&v->path, &path);
out:
    cof_buf_free(&path);
    return st;
}

/* The fixed part. */
static cof_status get_entry(cof_get *g, cof_catalog_entry *e, uint16_t lengths[3])
{
    uint8_t type, state;
    uint64_t mtime;
    cof_status st;

    if ((st = cof_get_u8(g, &type)) != COF_OK || (st = cof_get_u8(g, &state)) != COF_OK ||
        (st = cof_get_u16(g, &e->stream)) != COF_OK || (st = cof_get_u16(g, &e->mode)) != COF_OK ||
        (st = cof_get_u32(g, &e->user)) != COF_OK || (st = cof_get_u32(g, &e->group)) != COF_OK ||
        (st = cof_get_u64(g, &e->size)) != COF_OK || (st = cof_get_u64(g, &mtime)) != COF_OK ||
        (st = cof_get_u32(g, &e->mtime_ns)) != COF_OK ||
        (st = cof_get_u64(g, &e->length)) != COF_OK ||
        (st = cof_get_u16(g, &lengths[0])) != COF_OK ||
        (st = cof_get_u16(g, &lengths[1])) != COF_OK ||
        (st = cof_get_u16(g, &lengths[2])) != COF_OK)
        return st;
    e->type = (cof_entry_type)type;
    e->state = (cof_entry_state)state;
    e->mtime = (int64_t)mtime;
    return COF_OK;
}

cof_status cof_catalog_view_entry(cof_catalog_view *v, cof_catalog_entry *out, bool *end,
                                  cof_error *err)
{
    cof_catalog_entry e;
    uint16_t lengths[3];
    cof_slice rest;
    const char *problem;
    cof_get g;
    cof_status st = at_end(v, end, err);

    if (st != COF_OK || *end)
        return st;
    if (v->level != 0)
        return cof_fail(err, COF_INTERNAL, "a record of level %u has no entries",
                        (unsigned)v->level);
    memset(&e, 0, sizeof(e));
    cof_get_init_slice(&g, v->rest);
    if (get_entry(&g, &e, lengths) != COF_OK || cof_get_slice(&g, &rest, lengths[1]) != COF_OK ||
        cof_get_slice(&g, &e.target, lengths[2]) != COF_OK)
        return broken(v, err, "an entry is longer than the record");
    if ((st = take_path(v, lengths[0], rest, true, err)) != COF_OK)
        return st;
    e.path = cof_buf_slice(&v->path);
    e.position = v->position;
    if ((problem = cof_catalog_entry_problem(&e)) != NULL)
        return broken(v, err, problem);
    v->position += e.stream == 0 ? e.length : 0;
    advance(v, &g);
    *out = e;
    return COF_OK;
}

cof_status cof_catalog_view_item(cof_catalog_view *v, cof_catalog_item *out, bool *end,
                                 cof_error *err)
{
    cof_catalog_item item;
    uint16_t len;
    cof_get g;
    cof_status st = at_end(v, end, err);

    if (st != COF_OK || *end)
        return st;
    if (v->level == 0)
        return cof_fail(err, COF_INTERNAL, "a record of level 0 has no items");
    cof_get_init_slice(&g, v->rest);
    if (cof_get_u64(&g, &item.record) != COF_OK || cof_get_u64(&g, &item.position) != COF_OK ||
        cof_get_u16(&g, &len) != COF_OK || cof_get_slice(&g, &item.path, len) != COF_OK)
        return broken(v, err, "an item is longer than the record");
    if (v->done == 0 && item.position != v->position)
        return broken(v, err, "its position is not that of its first item");
    if (v->done != 0 && item.position < v->position)
        return broken(v, err, "positions go backwards");
    if ((st = take_path(v, 0, item.path, false, err)) != COF_OK)
        return st;
    item.path = cof_buf_slice(&v->path);
    v->position = item.position;
    advance(v, &g);
    *out = item;
    return COF_OK;
}
