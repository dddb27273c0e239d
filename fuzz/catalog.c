/* SPDX-License-Identifier: Apache-2.0 */

/*
 * CATALOG records, and whether they are one tree, which is then written again.  Input: one record,
 * or several, each with four bytes of length before it and 0xFF before that.  0xFE before all of
 * that: the tree is written with each entry under many directories, so that it has several levels.
 */

#include "format/catalog_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/limits.h"
#include "fuzz.h"

#define FIRST 7 /* number of the first record */
#define MANY  300

/* Cut the next record off. */
static cof_slice next(cof_slice *in)
{
    cof_slice record = *in;

    if (in->data[0] == 0xFF && in->len >= 5) {
        const uint8_t *d = in->data;
        size_t len = (size_t)d[1] << 24 | (size_t)d[2] << 16 | (size_t)d[3] << 8 | d[4];

        record = (cof_slice){d + 5, len < in->len - 5 ? len : in->len - 5};
    }
    in->len -= (size_t)(record.data + record.len - in->data);
    in->data = record.data + record.len;
    return record;
}

/* One record read and put together again; *end_at becomes the end of its entries, if it has some.
 */
static void one(uint64_t *end_at, cof_slice plain)
{
    cof_catalog_view view;
    cof_catalog_page page = {.level = 0};
    cof_catalog_entry entry;
    cof_catalog_item item;
    cof_status st = cof_catalog_view_open(&view, plain, NULL), put = COF_OK;
    bool end = false, full = false;

    page.level = st == COF_OK ? view.level : 0;
    while (st == COF_OK) {
        st = view.level == 0 ? cof_catalog_view_entry(&view, &entry, &end, NULL)
                             : cof_catalog_view_item(&view, &item, &end, NULL);
        if (st != COF_OK || end)
            break;
        if (view.level == 0)
            put = cof_catalog_page_entry(&page, &full, plain.len, &entry, NULL);
        else
            put = cof_catalog_page_item(&page, &full, plain.len, &item, NULL);
        fuzz_require(put == COF_OK && !full, "what was read can be written");
    }
    fuzz_require(!end || st != COF_OK || cof_slice_equal(cof_buf_slice(&page.plain), plain),
                 "what was read is written the same");
    if (end && view.level == 0)
        *end_at = view.position;
    cof_catalog_page_wipe(&page);
    cof_catalog_view_wipe(&view);
}

/* ---- written again ---- */

typedef struct again {
    cof_catalog_checker *checker;
    cof_catalog_writer *writer;
    uint64_t records;
    uint64_t position; /* the end of the last entry */
    cof_buf path;      /* of an entry in another directory */
} again;

static cof_status take_back(void *ctx, uint64_t *number, cof_slice plain, cof_error *err)
{
    again *c = ctx;

    *number = FIRST + c->records++;
    return cof_catalog_checker_record(c->checker, *number, plain, err);
}

/* Add the entry, below a directory of that number (0: where it is). */
static cof_status add(again *c, cof_catalog_entry *entry, unsigned directory)
{
    char name[16];
    int len = snprintf(name, sizeof(name), "~%05u/", directory);
    cof_status st = COF_OK;

    entry->position = c->position;
    c->path.len = 0;
    if (directory > 0 &&
        ((st = cof_buf_append(&c->path, name, (size_t)len, NULL)) != COF_OK ||
         (st = cof_buf_append(&c->path, entry->path.data, entry->path.len, NULL)) != COF_OK))
        return st;
    if (directory > 0)
        entry->path = cof_buf_slice(&c->path);
    if ((st = cof_catalog_writer_add(c->writer, entry, NULL)) == COF_OK)
        c->position += entry->stream == 0 ? entry->length : 0;
    return st;
}

static cof_status add_all(again *c, cof_slice in, unsigned directory)
{
    cof_status st = COF_OK;

    while (st == COF_OK && in.len > 0) {
        cof_catalog_view view;
        cof_catalog_entry entry;
        bool end;

        st = cof_catalog_view_open(&view, next(&in), NULL);
        end = view.level != 0;
        while (st == COF_OK && !end)
            if ((st = cof_catalog_view_entry(&view, &entry, &end, NULL)) == COF_OK && !end)
                st = add(c, &entry, directory);
        cof_catalog_view_wipe(&view);
    }
    return st;
}

/* What makes a tree makes one again, in as many records as it takes. */
static void write_again(cof_slice in, bool many, uint64_t length)
{
    again c = {.records = 0};
    const cof_catalog_hooks hooks = {take_back, &c};
    cof_status st;

    if ((st = cof_catalog_checker_new(&c.checker, NULL)) == COF_OK)
        st = cof_catalog_writer_new(&c.writer, COF_CATALOG_RECORD_MIN, &hooks, NULL);
    for (unsigned i = many; st == COF_OK && i <= (many ? MANY : 0); i++)
        st = add_all(&c, in, i);
    fuzz_require(many || st == COF_OK, "what was read can be written");
    if (st == COF_OK)
        fuzz_require(
            cof_catalog_writer_finish(c.writer, NULL) == COF_OK &&
                cof_catalog_checker_finish(c.checker, c.position + COF_CATALOG_END, NULL) == COF_OK,
            "what was written is a tree");
    fuzz_require(st != COF_OK || many || c.position == length, "and ends where it ended");
    cof_catalog_checker_free(c.checker);
    cof_catalog_writer_free(c.writer);
    cof_buf_free(&c.path);
}

static void all(cof_slice in)
{
    bool many = in.len > 0 && in.data[0] == 0xFE;
    cof_slice rest = {in.data + many, in.len - many};
    cof_catalog_checker *checker = NULL;
    uint64_t position = 0;
    cof_status st = cof_catalog_checker_new(&checker, NULL);

    in = rest;
    for (uint64_t number = FIRST; st == COF_OK && rest.len > 0; number++) {
        cof_slice record = next(&rest);

        one(&position, record);
        st = cof_catalog_checker_record(checker, number, record, NULL);
    }
    if (st == COF_OK) {
        (void)!cof_catalog_checker_finish(checker, 0, NULL);
        if (cof_catalog_checker_finish(checker, position + COF_CATALOG_END, NULL) == COF_OK)
            write_again(in, many, position);
    }
    cof_catalog_checker_free(checker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);

    all((cof_slice){copy, size});
    free(copy);
    return 0;
}
