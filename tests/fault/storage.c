/* SPDX-License-Identifier: Apache-2.0 */

/* Images and operations, and what loss of power makes of them. */

#include "storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "storage: %s\n", what);
    exit(1);
}

static void *copy_of(const void *data, size_t len)
{
    void *copy = malloc(len + 1);

    must(copy != NULL, "out of memory");
    if (len > 0)
        memcpy(copy, data, len);
    return copy;
}

uint64_t storage_random(void)
{
    static uint64_t x = 88172645463325252u;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

/* ---- images ---- */

void image_copy(image *out, const image *from)
{
    *out = *from;
    for (size_t i = 0; i < from->file_count; i++)
        out->files[i].data = copy_of(from->files[i].data, from->files[i].len);
}

void image_wipe(image *i)
{
    for (size_t k = 0; k < i->file_count; k++)
        free(i->files[k].data);
    memset(i, 0, sizeof(*i));
}

static size_t find_name(const image *i, const char *name)
{
    size_t at = 0;

    while (at < i->name_count && strcmp(i->names[at].name, name) != 0)
        at++;
    return at;
}

static void set_name(image *i, const char *name, size_t file)
{
    size_t at = find_name(i, name);

    must(at < STORAGE_NAMES, "too many names");
    snprintf(i->names[at].name, STORAGE_NAME, "%s", name);
    i->names[at].file = file;
    if (at == i->name_count)
        i->name_count++;
}

static void drop_name(image *i, const char *name)
{
    size_t at = find_name(i, name);

    if (at < i->name_count)
        i->names[at] = i->names[--i->name_count];
}

/* Files come into being with the first operation on them, since their names may be lost. */
static void need_file(image *i, size_t file)
{
    must(file < STORAGE_FILES, "too many files");
    while (i->file_count <= file)
        i->files[i->file_count++].data = copy_of(NULL, 0);
}

static void set_length(image *i, size_t file, size_t len)
{
    uint8_t *data = realloc(i->files[file].data, len + 1);

    must(data != NULL, "out of memory");
    if (len > i->files[file].len)
        memset(data + i->files[file].len, 0, len - i->files[file].len);
    i->files[file].data = data;
    i->files[file].len = len;
}

size_t image_add(image *i, const char *name, const uint8_t *data, size_t len)
{
    size_t file = i->file_count;

    need_file(i, file);
    set_length(i, file, len);
    memcpy(i->files[file].data, data, len);
    set_name(i, name, file);
    return file;
}

const uint8_t *image_find(const image *i, const char *name, size_t *len)
{
    size_t at = find_name(i, name);

    *len = 0;
    if (at == i->name_count)
        return NULL;
    *len = i->files[i->names[at].file].len;
    return i->files[i->names[at].file].data;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

static uint64_t hash_bytes(const uint8_t *data, size_t len)
{
    uint64_t hash = len, word;

    for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        hash = mix(hash, word);
    }
    for (; len > 0; len--)
        hash = mix(hash, *data++);
    return hash;
}

uint64_t image_hash(const image *i)
{
    uint64_t sum = i->name_count;

    for (size_t k = 0; k < i->name_count; k++) {
        const char *name = i->names[k].name;
        uint64_t hash = hash_bytes((const uint8_t *)name, strlen(name));
        size_t file = i->names[k].file;

        sum += mix(hash, hash_bytes(i->files[file].data, i->files[file].len));
    }
    return sum;
}

/* ---- operations ---- */

void op_log_add(op_log *log, const op *what, const uint8_t *data)
{
    must(log->count < STORAGE_OPS, "too many operations");
    log->ops[log->count] = *what;
    log->ops[log->count].data = data != NULL ? copy_of(data, what->len) : NULL;
    log->count++;
}

void op_log_remove(op_log *log, size_t at)
{
    free(log->ops[at].data);
    log->count--;
    memmove(&log->ops[at], &log->ops[at + 1], (log->count - at) * sizeof(log->ops[0]));
}

void op_log_swap(op_log *log, size_t a, size_t b)
{
    op kept = log->ops[a];

    log->ops[a] = log->ops[b];
    log->ops[b] = kept;
}

void op_log_wipe(op_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        free(log->ops[i].data);
    log->count = 0;
}

bool op_is_sync(const op *what)
{
    return what->kind == OP_SYNC || what->kind == OP_SYNC_NAMES || what->kind == OP_SYNC_ALL;
}

static bool is_of_names(const op *what)
{
    return what->kind == OP_NAME || what->kind == OP_UNNAME || what->kind == OP_RENAME;
}

static bool covers(const op *sync, const op *what)
{
    return sync->kind == OP_SYNC_ALL || (sync->kind == OP_SYNC_NAMES && is_of_names(what)) ||
           (sync->kind == OP_SYNC && !is_of_names(what) && what->file == sync->file);
}

static void write_bytes(image *i, const op *what)
{
    size_t at = (size_t)what->off;

    if (i->files[what->file].len < at + what->len)
        set_length(i, what->file, at + what->len);
    memcpy(i->files[what->file].data + at, what->data, what->len);
}

void image_do(image *i, const op *what)
{
    need_file(i, what->file);
    switch (what->kind) {
    case OP_WRITE:
        write_bytes(i, what);
        break;
    case OP_TRUNCATE:
        set_length(i, what->file, what->len);
        break;
    case OP_NAME:
        set_name(i, what->name, what->file);
        break;
    case OP_UNNAME:
        drop_name(i, what->name);
        break;
    case OP_RENAME:
        drop_name(i, what->name);
        set_name(i, what->to, what->file);
        break;
    default:
        break;
    }
}

/* ---- storage ---- */

void storage_do(storage *s, const op *what)
{
    size_t left = 0;

    if (!op_is_sync(what)) {
        must(s->pending_count < STORAGE_OPS, "too many operations");
        s->pending[s->pending_count++] = what;
        return;
    }
    for (size_t i = 0; i < s->pending_count; i++)
        if (covers(what, s->pending[i]))
            image_do(&s->durable, s->pending[i]);
        else
            s->pending[left++] = s->pending[i];
    s->pending_count = left;
}

void storage_copy(storage *out, const storage *from)
{
    *out = *from;
    image_copy(&out->durable, &from->durable);
}

void storage_wipe(storage *s)
{
    image_wipe(&s->durable);
    s->pending_count = 0;
}

void storage_see(image *out, const storage *s)
{
    image_copy(out, &s->durable);
    for (size_t i = 0; i < s->pending_count; i++)
        image_do(out, s->pending[i]);
}
