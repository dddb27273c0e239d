/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What one entry of the catalog may say.  Writer and reader ask the same functions, so
 * that nothing is written that would be refused.
 */

#include "format/catalog.h"

#include <string.h>

#include "base/num.h"
#include "format/catalog_page.h"
#include "format/frame.h"
#include "format/limits.h"

static bool type_valid(cof_entry_type type)
{
    return type <= COF_ENTRY_FIFO || type == COF_ENTRY_NAMED_STREAM;
}

/* State, type and length depend on each other. */
static bool presence_valid(const cof_catalog_entry *e)
{
    bool lost = e->state == COF_ENTRY_UNREADABLE || e->state == COF_ENTRY_VANISHED;

    if (e->state > COF_ENTRY_VANISHED || (e->length == 0 && !lost))
        return false;
    if (e->length != 0 && e->state == COF_ENTRY_VANISHED)
        return false;
    return e->type != COF_ENTRY_UNKNOWN || e->length == 0;
}

static bool place_valid(const cof_catalog_entry *e)
{
    uint64_t end;

    if (e->type == COF_ENTRY_NAMED_STREAM)
        return e->stream >= 1 && e->stream <= COF_STREAM_DATA_MAX && e->length == e->size &&
               e->length < COF_STREAM_END_MAX;
    return e->stream == 0 && e->length % COF_CATALOG_BLOCK == 0 &&
           cof_add_u64(e->position, e->length, &end) && end < COF_STREAM_END_MAX;
}

static bool size_valid(const cof_catalog_entry *e)
{
    switch (e->type) {
    case COF_ENTRY_FILE:
    case COF_ENTRY_NAMED_STREAM:
        return e->size < COF_STREAM_END_MAX;
    case COF_ENTRY_CHAR_DEVICE:
    case COF_ENTRY_BLOCK_DEVICE:
        return true;
    default:
        return e->size == 0;
    }
}

static bool target_valid(const cof_catalog_entry *e)
{
    bool is_link = e->type == COF_ENTRY_SYMLINK || e->type == COF_ENTRY_HARDLINK;

    if ((e->target.len != 0) != (is_link && e->length != 0))
        return false;
    if (e->target.len == 0)
        return true;
    if (e->target.len > COF_CATALOG_PATH_MAX || memchr(e->target.data, 0, e->target.len) != NULL)
        return false;
    return e->type == COF_ENTRY_SYMLINK ||
           (cof_treepath_valid(e->target) && cof_treepath_compare(e->target, e->path) < 0);
}

const char *cof_catalog_entry_problem(const cof_catalog_entry *e)
{
    if (!cof_treepath_valid(e->path))
        return "its path is not well-formed";
    if (!type_valid(e->type))
        return "its type does not exist";
    /* A named stream has a length of its own: 0 is one. */
    if (e->type == COF_ENTRY_NAMED_STREAM ? e->state > COF_ENTRY_CHANGED : !presence_valid(e))
        return "its state and its length do not fit each other";
    if (e->mode > COF_CATALOG_MODE_MAX || e->mtime_ns >= UINT32_C(1000000000))
        return "its mode or time is out of range";
    if (e->type == COF_ENTRY_NAMED_STREAM && e->path.len > COF_STREAM_NAME_MAX)
        return "its name is longer than that of a stream can be";
    if (!place_valid(e))
        return "its place in the stream is out of range";
    if (!size_valid(e))
        return "its size is out of range";
    if (!target_valid(e))
        return "its link target is not well-formed";
    return NULL;
}
