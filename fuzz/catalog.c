/* SPDX-License-Identifier: Apache-2.0 */

/*
 * CATALOG records, and whether they are one tree.  Input: one record, or several, each with four
 * bytes of length before it and 0xFF before that.
 */

#include "format/catalog_tree.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* Everything that one record says, put into a record again. */
static void one(cof_slice plain)
{
    cof_catalog_view view;
    cof_catalog_page page = {.level = 0};
    cof_catalog_entry entry;
    cof_catalog_item item;
    cof_status st = cof_catalog_view_open(&view, plain, NULL);
    bool end = false, full = false;

    page.level = st == COF_OK ? view.level : 0;
    page.position = st == COF_OK ? view.position : 0;
    while (st == COF_OK && !end) {
        st = view.level == 0 ? cof_catalog_view_entry(&view, &entry, &end, NULL)
                             : cof_catalog_view_item(&view, &item, &end, NULL);
        if (st != COF_OK || end)
            break;
        fuzz_require((view.level == 0 ? entry.path.len : item.path.len) >= 1, "a path is there");
        if (view.level == 0)
            st = cof_catalog_page_entry(&page, &full, plain.len + 64, &entry, NULL);
        else
            st = cof_catalog_page_item(&page, &full, plain.len + 64, &item, NULL);
        if (st == COF_OK && full)
            break;
    }
    cof_catalog_page_wipe(&page);
    cof_catalog_view_wipe(&view);
}

static void all(const uint8_t *data, size_t size)
{
    cof_catalog_checker *checker = NULL;
    cof_status st = cof_catalog_checker_new(&checker, NULL);

    for (uint64_t number = 7; st == COF_OK && size > 0; number++) {
        size_t len = size;

        if (data[0] == 0xFF && size >= 5) {
            len = (size_t)data[1] << 24 | (size_t)data[2] << 16 | (size_t)data[3] << 8 | data[4];
            data += 5;
            size -= 5;
            len = len < size ? len : size;
        }
        one((cof_slice){data, len});
        st = cof_catalog_checker_record(checker, number, (cof_slice){data, len}, NULL);
        data += len;
        size -= len;
    }
    if (st == COF_OK) {
        (void)!cof_catalog_checker_finish(checker, 0, NULL);
        (void)!cof_catalog_checker_finish(checker, 1024 + 1536, NULL);
    }
    cof_catalog_checker_free(checker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);

    all(copy, size);
    free(copy);
    return 0;
}
