/* SPDX-License-Identifier: Apache-2.0 */

/* Putting a CATALOG record together. */

#include "format/catalog_page.h"

#include <string.h>

#include "base/num.h"
#include "wire/wire.h"

static cof_status put_header(cof_catalog_page *p, uint64_t position, cof_error *err)
{
    cof_put w;
    cof_status st;

    p->plain.len = 0;
    p->first.len = 0;
    cof_put_init_buf(&w, &p->plain);
    if ((st = cof_put_u8(&w, p->level)) != COF_OK || (st = cof_put_zeros(&w, 3)) != COF_OK ||
        (st = cof_put_u32(&w, 0)) != COF_OK || (st = cof_put_u64(&w, position)) != COF_OK)
        return cof_fail(err, st, "out of memory");
    return COF_OK;
}

/*
 * Make everything ready for `need` more bytes for path, so that nothing fails once bytes are put.
 */
static cof_status prepare(cof_catalog_page *p, bool *full, size_t max, size_t need, cof_slice path,
                          uint64_t position, cof_error *err)
{
    size_t used = p->count != 0 ? p->plain.len : COF_CATALOG_HEADER_SIZE;
    cof_status st;

    *full = false;
    if (p->last.len != 0 && cof_treepath_compare(cof_buf_slice(&p->last), path) >= 0)
        return cof_fail(err, COF_INTERNAL, "the paths of the catalog are not in ascending order");
    if (need > max || used > max - need) {
        *full = p->count != 0;
        return *full ? COF_OK
                     : cof_fail(err, COF_LIMIT, "a path does not fit into a record of the catalog");
    }
    if (p->count == 0 && (st = put_header(p, position, err)) != COF_OK)
        return st;
    if ((st = cof_buf_reserve(&p->plain, need, err)) != COF_OK ||
        (st = cof_buf_reserve(&p->first, p->count == 0 ? path.len : 0, err)) != COF_OK)
        return st;
    return path.len > p->last.len ? cof_buf_reserve(&p->last, path.len - p->last.len, err) : COF_OK;
}

/* Count what was put; there is room for all of it. */
static cof_status count(cof_catalog_page *p, cof_slice path, cof_error *err)
{
    cof_status st = COF_OK;

    if (p->count == 0)
        st = cof_buf_append(&p->first, path.data, path.len, err);
    p->last.len = 0;
    if (st == COF_OK)
        st = cof_buf_append(&p->last, path.data, path.len, err);
    p->count++;
    cof_be32_store(p->plain.data + 4, p->count);
    return st;
}

static cof_status put_entry(cof_buf *out, const cof_catalog_entry *e, size_t shared, cof_error *err)
{
    cof_put w;
    cof_status st;

    cof_put_init_buf(&w, out);
    if ((st = cof_put_u8(&w, (uint8_t)e->type)) != COF_OK ||
        (st = cof_put_u8(&w, (uint8_t)e->state)) != COF_OK ||
        (st = cof_put_u16(&w, e->stream)) != COF_OK || (st = cof_put_u16(&w, e->mode)) != COF_OK ||
        (st = cof_put_u32(&w, e->user)) != COF_OK || (st = cof_put_u32(&w, e->group)) != COF_OK ||
        (st = cof_put_u64(&w, e->size)) != COF_OK ||
        (st = cof_put_u64(&w, (uint64_t)e->mtime)) != COF_OK ||
        (st = cof_put_u32(&w, e->mtime_ns)) != COF_OK ||
        (st = cof_put_u64(&w, e->length)) != COF_OK ||
        (st = cof_put_u16(&w, (uint16_t)shared)) != COF_OK ||
        (st = cof_put_u16(&w, (uint16_t)(e->path.len - shared))) != COF_OK ||
        (st = cof_put_u16(&w, (uint16_t)e->target.len)) != COF_OK ||
        (st = cof_put_bytes(&w, e->path.data + shared, e->path.len - shared)) != COF_OK ||
        (st = cof_put_slice(&w, e->target)) != COF_OK)
        return cof_fail(err, st, "out of memory");
    return COF_OK;
}

cof_status cof_catalog_page_entry(cof_catalog_page *p, bool *full, size_t max,
                                  const cof_catalog_entry *e, cof_error *err)
{
    const char *problem = cof_catalog_entry_problem(e);
    size_t shared = p->count != 0 ? cof_treepath_shared(cof_buf_slice(&p->last), e->path) : 0;
    size_t need;
    cof_status st;

    *full = false;
    if (problem != NULL)
        return cof_fail(err, COF_INTERNAL, "an entry of the catalog is refused: %s", problem);
    if (p->level != 0 || (p->last.len != 0 && e->position != p->position))
        return cof_fail(err, COF_INTERNAL, "an entry of the catalog is out of place");
    need = COF_CATALOG_ENTRY_SIZE + e->path.len - shared + e->target.len;
    if ((st = prepare(p, full, max, need, e->path, e->position, err)) != COF_OK || *full)
        return st;
    if ((st = put_entry(&p->plain, e, shared, err)) != COF_OK)
        return st;
    p->position = e->position + (e->stream == 0 ? e->length : 0);
    return count(p, e->path, err);
}

cof_status cof_catalog_page_item(cof_catalog_page *p, bool *full, size_t max,
                                 const cof_catalog_item *item, cof_error *err)
{
    cof_put w;
    cof_status st;

    *full = false;
    if (p->level == 0 || p->level > COF_CATALOG_LEVEL_MAX || !cof_treepath_valid(item->path))
        return cof_fail(err, COF_INTERNAL, "an item of the catalog is out of place");
    st = prepare(p, full, max, COF_CATALOG_ITEM_SIZE + item->path.len, item->path, item->position,
                 err);
    if (st != COF_OK || *full)
        return st;
    cof_put_init_buf(&w, &p->plain);
    if ((st = cof_put_u64(&w, item->record)) != COF_OK ||
        (st = cof_put_u64(&w, item->position)) != COF_OK ||
        (st = cof_put_u16(&w, (uint16_t)item->path.len)) != COF_OK ||
        (st = cof_put_slice(&w, item->path)) != COF_OK)
        return cof_fail(err, st, "out of memory");
    return count(p, item->path, err);
}

void cof_catalog_page_restart(cof_catalog_page *p)
{
    p->count = 0;
    p->plain.len = 0;
    p->first.len = 0;
}

void cof_catalog_page_wipe(cof_catalog_page *p)
{
    cof_buf_free(&p->plain);
    cof_buf_free(&p->first);
    cof_buf_free(&p->last);
    memset(p, 0, sizeof(*p));
}
