/* SPDX-License-Identifier: Apache-2.0 */
/* Growing arrays: of slices for everybody, of anything for this room. */

#include "format/envelope.h"

#include "base/num.h"
#include "format/internal.h"

#include <stdlib.h>

cof_status cof_format_grow(void **items, size_t *cap, size_t count, size_t size, cof_error *err)
{
    size_t wanted, bytes;
    void *grown;

    if (count < *cap)
        return COF_OK;
    if (!cof_mul_size(cof_max_size(*cap, 4), 2, &wanted) || !cof_mul_size(wanted, size, &bytes) ||
        (grown = realloc(*items, bytes)) == NULL)
        return cof_fail(err, COF_NOMEM, "no memory for %zu more items", count);
    *items = grown;
    *cap = wanted;
    return COF_OK;
}

cof_status cof_slices_add(cof_slices *list, cof_slice item, cof_error *err)
{
    void *items = list->items;
    cof_status st;

    if ((st = cof_format_grow(&items, &list->cap, list->count, sizeof(item), err)) != COF_OK)
        return st;
    list->items = items;
    list->items[list->count++] = item;
    return COF_OK;
}

void cof_slices_wipe(cof_slices *list)
{
    free(list->items);
    *list = (cof_slices)COF_SLICES_INIT;
}
