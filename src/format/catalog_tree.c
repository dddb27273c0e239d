/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Records of the catalog as a search tree.
 *
 * A record of level k is named by the one of level k+1 that is written next.  So writer and checker
 * keep, for each level, the record that the written ones below it call for: the writer writes it
 * when it is full or at the end, and the checker compares.
 */

#include "format/catalog_tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "format/limits.h"
#include "wire/wire.h"

#define LEVELS (COF_CATALOG_LEVEL_MAX + 1)

typedef struct levels {
    cof_catalog_page page[LEVELS];
    uint8_t top;              /* the highest level that has anything */
    uint64_t written[LEVELS]; /* records of each level so far */
} levels;

static void levels_init(levels *l)
{
    memset(l, 0, sizeof(*l));
    for (uint8_t i = 0; i < LEVELS; i++)
        l->page[i].level = i;
}

static void levels_wipe(levels *l)
{
    for (size_t i = 0; i < LEVELS; i++)
        cof_catalog_page_wipe(&l->page[i]);
}

/* ---- writing ---- */

struct cof_catalog_writer {
    levels levels;
    size_t max;
    cof_catalog_hooks hooks;
};

cof_status cof_catalog_writer_new(cof_catalog_writer **out, uint32_t record_size,
                                  const cof_catalog_hooks *hooks, cof_error *err)
{
    cof_catalog_writer *w;

    *out = NULL;
    if (record_size < COF_CATALOG_RECORD_MIN)
        return cof_fail(err, COF_USAGE, "a tree needs records of at least 256 KiB");
    w = calloc(1, sizeof(*w));
    if (w == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    levels_init(&w->levels);
    w->max = record_size < COF_CATALOG_RECORD_USED ? record_size : COF_CATALOG_RECORD_USED;
    w->hooks = *hooks;
    *out = w;
    return COF_OK;
}

void cof_catalog_writer_free(cof_catalog_writer *w)
{
    if (w == NULL)
        return;
    levels_wipe(&w->levels);
    free(w);
}

/* Write the page of a level; *item is what names it: its path lives until the page gets more. */
static cof_status write_page(cof_catalog_writer *w, uint8_t level, cof_catalog_item *item,
                             cof_error *err)
{
    cof_catalog_page *p = &w->levels.page[level];
    cof_slice plain = cof_buf_slice(&p->plain);
    cof_status st;

    item->position = cof_be64_load(plain.data + 8);
    if ((st = w->hooks.record(w->hooks.ctx, &item->record, plain, err)) != COF_OK)
        return st;
    item->path = cof_buf_slice(&p->first);
    w->levels.written[level]++;
    return COF_OK;
}

static bool has_room(const cof_catalog_page *p, size_t max, size_t path_len)
{
    return p->count == 0 || p->plain.len + COF_CATALOG_ITEM_SIZE + path_len <= max;
}

/*
 * Write the page of a level and put its item into the level above.  CA-3: where that is full it is
 * written before, so that it names all that was written below it.
 */
static cof_status push_page(cof_catalog_writer *w, uint8_t level, cof_error *err)
{
    cof_catalog_page *p = &w->levels.page[level], *above = p + 1;
    cof_catalog_item item;
    bool full;
    cof_status st;

    if (level == COF_CATALOG_LEVEL_MAX)
        return cof_fail(err, COF_LIMIT, "the catalog has more than %d levels", LEVELS);
    if (!has_room(above, w->max, p->first.len) &&
        (st = push_page(w, (uint8_t)(level + 1), err)) != COF_OK)
        return st;
    if ((st = write_page(w, level, &item, err)) != COF_OK ||
        (st = cof_catalog_page_item(above, &full, w->max, &item, err)) != COF_OK)
        return st;
    if (w->levels.top < level + 1)
        w->levels.top = (uint8_t)(level + 1);
    cof_catalog_page_restart(p);
    return COF_OK;
}

cof_status cof_catalog_writer_add(cof_catalog_writer *w, const cof_catalog_entry *entry,
                                  cof_error *err)
{
    cof_catalog_page *p = &w->levels.page[0];
    bool full = false;
    cof_status st = cof_catalog_page_entry(p, &full, w->max, entry, err);

    if (st != COF_OK || !full)
        return st;
    if ((st = push_page(w, 0, err)) != COF_OK)
        return st;
    return cof_catalog_page_entry(p, &full, w->max, entry, err);
}

cof_status cof_catalog_writer_finish(cof_catalog_writer *w, cof_error *err)
{
    cof_catalog_item item;
    cof_status st = COF_OK;

    /* push_page may raise the top; a level is at its end only once all below it are. */
    for (uint8_t level = 0; st == COF_OK && level < w->levels.top; level++)
        if (w->levels.page[level].count != 0)
            st = push_page(w, level, err);
    if (st != COF_OK)
        return st;
    if (w->levels.page[w->levels.top].count == 0)
        return cof_fail(err, COF_INTERNAL, "a catalog without entries");
    return write_page(w, w->levels.top, &item, err);
}

/* ---- checking ---- */

struct cof_catalog_checker {
    levels levels;     /* of levels 1 and above: what the next record of that level must be */
    cof_buf last;      /* path of the last entry */
    uint64_t position; /* end of the last entry */
    bool any;
    uint8_t level; /* of the last record */
};

cof_status cof_catalog_checker_new(cof_catalog_checker **out, cof_error *err)
{
    cof_catalog_checker *c = calloc(1, sizeof(*c));

    *out = c;
    if (c == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    levels_init(&c->levels);
    return COF_OK;
}

void cof_catalog_checker_free(cof_catalog_checker *c)
{
    if (c == NULL)
        return;
    levels_wipe(&c->levels);
    cof_buf_free(&c->last);
    free(c);
}

static cof_status misplaced(cof_error *err, const char *rule, uint64_t number, const char *problem)
{
    return cof_fail_rule(err, COF_FORMAT, rule, COF_NO_OFFSET,
                         "the catalog is no tree: record %" PRIu64 " %s", number, problem);
}

/* All entries of a record of level 0, against what came before them. */
static cof_status check_entries(cof_catalog_checker *c, cof_catalog_view *v, uint64_t number,
                                cof_buf *first, cof_error *err)
{
    cof_catalog_entry e;
    bool end = false;
    cof_status st;

    if (v->position != c->position)
        return misplaced(err, "CA-1", number, "does not begin where the one before it ended");
    while ((st = cof_catalog_view_entry(v, &e, &end, err)) == COF_OK && !end) {
        if (first->len != 0)
            continue;
        if (c->any && cof_treepath_compare(cof_buf_slice(&c->last), e.path) >= 0)
            return misplaced(err, "CA-1", number, "is not in its place in the order");
        if ((st = cof_buf_append(first, e.path.data, e.path.len, err)) != COF_OK)
            return st;
    }
    c->position = v->position;
    cof_buf_take(&c->last, &v->path);
    c->any = true;
    return st;
}

/* CA-3: a record of a higher level is exactly what those below it call for. */
static cof_status check_items(cof_catalog_checker *c, uint8_t level, uint64_t number,
                              cof_slice plain, cof_buf *first, cof_error *err)
{
    cof_catalog_page *expected = &c->levels.page[level];
    cof_status st;

    if (expected->count == 0 || !cof_slice_equal(cof_buf_slice(&expected->plain), plain))
        return misplaced(err, "CA-3", number, "does not name exactly the records below it");
    st = cof_buf_append(first, expected->first.data, expected->first.len, err);
    cof_catalog_page_restart(expected);
    return st;
}

cof_status cof_catalog_checker_record(cof_catalog_checker *c, uint64_t number, cof_slice plain,
                                      cof_error *err)
{
    cof_catalog_view v;
    cof_buf first = COF_BUF_INIT;
    cof_catalog_item item;
    bool full = false;
    cof_status st = cof_catalog_view_open(&v, plain, err);

    if (st != COF_OK)
        goto out;
    c->level = v.level;
    item.record = number;
    item.position = v.position;
    st = v.level == 0 ? check_entries(c, &v, number, &first, err)
                      : check_items(c, v.level, number, plain, &first, err);
    if (st != COF_OK)
        goto out;
    c->levels.written[v.level]++;
    if (v.level == COF_CATALOG_LEVEL_MAX)
        goto out;
    item.path = cof_buf_slice(&first);
    st =
        cof_catalog_page_item(&c->levels.page[v.level + 1], &full, COF_RECORD_SIZE_MAX, &item, err);
    if (st == COF_INTERNAL || full)
        st = misplaced(err, "CA-3", number, "is not named where it should be");
    if (c->levels.top < v.level)
        c->levels.top = v.level;
out:
    cof_buf_free(&first);
    cof_catalog_view_wipe(&v);
    return st;
}

/* The top's own item waits above it, alone; nothing else waits anywhere. */
static bool is_tree(const cof_catalog_checker *c)
{
    const levels *l = &c->levels;
    uint8_t top = l->top;

    if (!c->any || c->level != top || l->written[top] != 1)
        return false;
    for (uint8_t i = 1; i <= top; i++)
        if (l->page[i].count != 0)
            return false;
    return top == 0 || l->written[top - 1] >= 2;
}

cof_status cof_catalog_checker_finish(const cof_catalog_checker *c, uint64_t stream_len,
                                      cof_error *err)
{
    uint64_t end = 0;

    if (!is_tree(c))
        return cof_fail_rule(err, COF_FORMAT, "CA-3", COF_NO_OFFSET,
                             "the last record of the catalog is not the top of all others");
    if (!cof_add_u64(c->position, COF_CATALOG_END, &end) || end != stream_len)
        return cof_fail_rule(err, COF_FORMAT, "CA-1", COF_NO_OFFSET,
                             "the catalog does not list all that is in the archive");
    return COF_OK;
}
