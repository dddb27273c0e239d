/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Several streams with names in one backup (FORMAT.md, sections 3.7 and 3.8): written one behind
 * the other, and named by a catalog at the end, once it is known how long each is.
 */

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/treepath.h"
#include "engine/backup.h"
#include "format/limits.h"
#include "os/os.h"

#define STREAM_MODE 0600

static cof_slice slice_of(const char *name)
{
    return (cof_slice){(const uint8_t *)name, strlen(name)};
}

/* Is one the other, or a folder of it? */
static bool collide(const char *a, const char *b)
{
    size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

    return strncmp(a, b, len) == 0 && (a[len] == '\0' || a[len] == '/') &&
           (b[len] == '\0' || b[len] == '/');
}

static cof_status check_name(const cof_backup *b, const char *name, cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];
    cof_slice path = slice_of(name);

    (void)cof_text_safe_str(safe, sizeof(safe), name);
    if (path.len > COF_STREAM_NAME_MAX || !cof_treepath_valid(path) || strcmp(name, ".") == 0)
        return cof_fail(err, COF_USAGE,
                        "'%s' cannot be the name of a stream: at most 1024 bytes, parts separated "
                        "by single slashes, none of them . or ..",
                        safe);
    for (size_t i = 0; i < b->stream_count; i++)
        if (collide(name, b->streams[i].name))
            return cof_fail(err, COF_USAGE,
                            "two streams cannot have the name %s, or one lie in the other", safe);
    if (b->stream_count == COF_STREAM_DATA_MAX)
        return cof_fail(err, COF_LIMIT, "a backup has at most %u named streams",
                        (unsigned)COF_STREAM_DATA_MAX);
    return COF_OK;
}

/* The stream that was begun last has all its bytes. */
static cof_status complete(cof_backup *b, cof_error *err)
{
    cof_named *last = b->stream_count > 0 ? &b->streams[b->stream_count - 1] : NULL;
    char safe[COF_TEXT_NAME_CAP];
    cof_status st = cof_backup_flush(b, err);

    if (st != COF_OK || last == NULL)
        return st;
    last->size = b->stream_bytes;
    if (last->size == 0 && !b->options->allow_empty)
        return cof_fail(err, COF_SOURCE,
                        "the stream %s was empty, so nothing was backed up; --allow-empty makes a "
                        "backup of nothing",
                        cof_text_safe_str(safe, sizeof(safe), last->name));
    return COF_OK;
}

cof_status cof_backup_stream(cof_backup *b, const char *name, cof_error *err)
{
    size_t cap = b->stream_cap == 0 ? 16 : 2 * b->stream_cap;
    cof_named next = {.number = (uint16_t)(b->stream_count + 1), .begun = cof_clock_now()};
    cof_named *more;
    cof_status st;

    if (!b->options->named)
        return cof_fail(err, COF_USAGE, "the backup was not begun for streams with names");
    if ((st = cof_backup_usable(b, err)) != COF_OK || (st = check_name(b, name, err)) != COF_OK)
        return st;
    if ((st = complete(b, err)) != COF_OK)
        return cof_backup_ended(b, st);
    if (b->stream_count == b->stream_cap) {
        if ((more = reallocarray(b->streams, cap, sizeof(*more))) == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        b->streams = more;
        b->stream_cap = cap;
    }
    if ((next.name = strdup(name)) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    b->streams[b->stream_count++] = next;
    b->total = COF_TOTAL_UNKNOWN;
    b->stream = next.number;
    b->stream_bytes = 0;
    return COF_OK;
}

static int compare(const void *a, const void *b)
{
    return cof_treepath_compare(slice_of(((const cof_named *)a)->name),
                                slice_of(((const cof_named *)b)->name));
}

cof_status cof_backup_finish_streams(cof_backup *b, cof_error *err)
{
    cof_status st = complete(b, err);

    if (st == COF_OK && b->stream_count == 0)
        st = cof_fail(err, COF_USAGE, "a backup of named streams has at least one");
    if (st != COF_OK)
        return st;
    qsort(b->streams, b->stream_count, sizeof(*b->streams), compare);
    for (size_t i = 0; st == COF_OK && i < b->stream_count; i++) {
        const cof_named *s = &b->streams[i];
        const cof_catalog_entry entry = {
            .type = COF_ENTRY_NAMED_STREAM,
            .stream = s->number,
            .mode = STREAM_MODE,
            .size = s->size,
            .length = s->size,
            .mtime = (int64_t)s->begun,
            .path = slice_of(s->name),
        };

        st = cof_catalog_writer_add(b->catalog, &entry, err);
    }
    return st == COF_OK ? cof_catalog_writer_finish(b->catalog, err) : st;
}
