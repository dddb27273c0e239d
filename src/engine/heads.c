/* SPDX-License-Identifier: Apache-2.0 */

/* Finding the heads in a file, and whether it is the file that was sent. */

#include "engine/heads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "engine/lock.h"
#include "format/limits.h"
#include "format/superblock.h"
#include "os/dir.h"

/* What is found where a head should begin. */
typedef struct place {
    uint8_t raw[2][COF_SUPERBLOCK_SIZE];
    cof_superblock sb;
    cof_heads_item item;
} place;

static cof_status add_item(cof_heads *h, const cof_heads_item *item, cof_error *err)
{
    cof_heads_item *grown = h->items;

    if ((h->count & (h->count - 1)) == 0) /* at each power of two there is room for no more */
        grown = realloc(h->items, (h->count == 0 ? 1 : 2 * h->count) * sizeof(*grown));
    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    h->items = grown;
    h->items[h->count++] = *item;
    return COF_OK;
}

/* Superblocks and preamble of the head that begins at `at`. */
static cof_status read_place(place *p, const cof_file *file, uint64_t at, cof_error *err)
{
    cof_preamble preamble;
    cof_status st = cof_file_read_full(p->raw, sizeof(p->raw), file, at, err);

    if (st != COF_OK ||
        (st = cof_superblock_choose(&p->sb, NULL, p->raw[0], p->raw[1], err)) != COF_OK)
        return st;
    if (p->sb.role != COF_VOLUME_HEAD_ALONE)
        return cof_fail_rule(err, COF_UNSUPPORTED, "SB-3", at + 10,
                             p->sb.role == COF_VOLUME_WHOLE
                                 ? "%s is a whole backup and no head alone: coffer envelope export "
                                   "makes one of it"
                                 : "%s is a later volume of a backup and no head alone",
                             cof_file_label(file));
    p->item.at = at;
    p->item.len = cof_head_len(p->sb.slot_size);
    if ((st = cof_preamble_parse(&preamble, p->sb.preamble, err)) != COF_OK)
        return st;
    return cof_preamble_core(p->item.core, p->sb.preamble, err);
}

/* ---- a bundle ---- */

static bool all_zero(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* BU-4: nothing pending, nothing damaged.  slot is one of two that are the same. */
static cof_status is_at_rest(bool *out, const place *p, const uint8_t *slot, cof_error *err)
{
    uint8_t sha256[COF_SHA256_SIZE];
    size_t len = (size_t)p->sb.envelope_len;
    cof_status st = cof_sha256(sha256, slot, len, err);

    *out = memcmp(p->raw[0], p->raw[1], sizeof(p->raw[0])) == 0 &&
           memcmp(sha256, p->sb.envelope_sha256, sizeof(sha256)) == 0 &&
           all_zero(slot + len, p->sb.slot_size - len);
    return st;
}

static cof_status read_slots(cof_buf *out, const place *p, const cof_file *file, cof_error *err)
{
    size_t len = 2 * (size_t)p->sb.slot_size;
    cof_status st;

    out->len = 0;
    if ((st = cof_buf_append_zeros(out, len, err)) != COF_OK)
        return st;
    return cof_file_read_full(out->data, len, file, p->item.at + sizeof(p->raw), err);
}

/* One head of a bundle, behind which `rest` bytes are left for it and those that follow. */
static cof_status scan_head(place *p, cof_sha256_ctx *sha, cof_buf *slots, const cof_file *file,
                            uint64_t rest, cof_error *err)
{
    bool good = false;
    cof_status st;

    if (p->item.len > rest)
        return cof_fail_rule(err, COF_FORMAT, "BU-2", p->item.at,
                             "%s is damaged: a head reaches beyond its end", cof_file_label(file));
    if ((st = read_slots(slots, p, file, err)) != COF_OK ||
        (st = is_at_rest(&good, p, slots->data, err)) != COF_OK ||
        (st = cof_sha256_update(sha, p->raw, sizeof(p->raw), err)) != COF_OK ||
        (st = cof_sha256_update(sha, slots->data, slots->len, err)) != COF_OK)
        return st;
    if (!good || memcmp(slots->data, slots->data + slots->len / 2, slots->len / 2) != 0)
        return cof_fail_rule(err, COF_FORMAT, "BU-4", p->item.at,
                             "%s is damaged: the two copies of a head differ",
                             cof_file_label(file));
    return COF_OK;
}

/* BU-5: so none is there twice, and each is found quickly. */
static cof_status check_order(const cof_heads *h, const cof_heads_item *next, cof_error *err)
{
    int order = h->count == 0 ? -1 : memcmp(h->items[h->count - 1].core, next->core, 32);

    if (order < 0)
        return COF_OK;
    return cof_fail_rule(err, COF_FORMAT, "BU-5", next->at,
                         order == 0 ? "%s holds two heads of one backup"
                                    : "%s holds its heads in another order than a bundle does",
                         cof_file_label(h->file));
}

static cof_status check_end(const cof_heads *h, cof_sha256_ctx *sha, uint64_t at, uint64_t end,
                            cof_error *err)
{
    uint8_t said[COF_BUNDLE_DIGEST_SIZE], found[COF_SHA256_SIZE];
    cof_status st;

    if (at != end)
        return cof_fail_rule(err, COF_FORMAT, "BU-2", at,
                             "%s holds more than the heads that it counts",
                             cof_file_label(h->file));
    if ((st = cof_file_read_full(said, sizeof(said), h->file, end, err)) != COF_OK ||
        (st = cof_sha256_final(sha, found, err)) != COF_OK)
        return st;
    if (memcmp(said, found, sizeof(said)) != 0)
        return cof_fail_rule(err, COF_FORMAT, "BU-3", end,
                             "%s is damaged: it is not as it was when it was written",
                             cof_file_label(h->file));
    return COF_OK;
}

static cof_status scan(cof_heads *h, const cof_bundle_header *header, cof_sha256_ctx *sha,
                       cof_error *err)
{
    uint64_t at = COF_BUNDLE_HEADER_SIZE, end = header->length - COF_BUNDLE_DIGEST_SIZE;
    cof_buf slots = COF_BUF_INIT;
    place *p = malloc(sizeof(*p));
    cof_status st = p != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");

    for (uint32_t i = 0; st == COF_OK && i < header->count; i++) {
        if ((st = read_place(p, h->file, at, err)) == COF_OK &&
            (st = scan_head(p, sha, &slots, h->file, end - at, err)) == COF_OK &&
            (st = check_order(h, &p->item, err)) == COF_OK)
            st = add_item(h, &p->item, err);
        at += st == COF_OK ? p->item.len : 0;
    }
    if (st == COF_OK)
        st = check_end(h, sha, at, end, err);
    cof_buf_free(&slots);
    free(p);
    return st;
}

static cof_status open_bundle(cof_heads *h, const uint8_t raw[COF_BUNDLE_HEADER_SIZE],
                              cof_error *err)
{
    cof_bundle_header header;
    cof_sha256_ctx *sha = NULL;
    uint64_t size;
    cof_status st;

    h->bundle = true;
    if ((st = cof_file_size(&size, h->file, err)) != COF_OK ||
        (st = cof_bundle_header_parse(&header, raw, size, err)) != COF_OK ||
        (st = cof_sha256_new(&sha, err)) != COF_OK || (st = cof_sha256_init(sha, err)) != COF_OK ||
        (st = cof_sha256_update(sha, raw, COF_BUNDLE_HEADER_SIZE, err)) != COF_OK)
        goto out;
    st = scan(h, &header, sha, err);
out:
    cof_sha256_free(sha);
    return st;
}

/* ---- either ---- */

static cof_status open_alone(cof_heads *h, cof_error *err)
{
    place *p = malloc(sizeof(*p));
    cof_status st = p != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");

    if (st == COF_OK && (st = read_place(p, h->file, 0, err)) == COF_OK)
        st = add_item(h, &p->item, err);
    if (st == COF_OK)
        st = cof_file_size(&h->items[0].len, h->file, err); /* what is too much is found later */
    free(p);
    return st;
}

static cof_status open_either(cof_heads *h, cof_error *err)
{
    uint8_t raw[COF_BUNDLE_HEADER_SIZE] = {0}, second[8] = {0};
    size_t got;
    cof_status st;

    if ((st = cof_file_pread_some(raw, sizeof(raw), &got, h->file, 0, err)) != COF_OK)
        return st;
    if (got == sizeof(raw) && cof_bundle_has_magic(raw))
        return open_bundle(h, raw, err);
    if ((st = cof_file_pread_some(second, sizeof(second), &got, h->file, COF_SUPERBLOCK_SIZE,
                                  err)) != COF_OK)
        return st;
    if (!cof_superblock_has_magic(raw) && !cof_superblock_has_magic(second))
        return cof_fail_rule(err, COF_FORMAT, "SB-1", 0,
                             "%s is neither the head of a backup nor a bundle of them",
                             cof_file_label(h->file));
    return open_alone(h, err);
}

cof_status cof_heads_take(cof_heads **out, cof_file **file, cof_error *err)
{
    cof_heads *h = calloc(1, sizeof(*h));
    cof_status st;

    *out = NULL;
    if (h == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    h->file = *file;
    *file = NULL; /* transferred */
    if ((st = open_either(h, err)) == COF_OK) {
        *out = h;
        h = NULL; /* transferred */
    }
    cof_heads_free(h);
    return st;
}

cof_status cof_heads_open(cof_heads **out, const char *path, cof_error *err)
{
    cof_file *file = NULL;
    cof_status st;

    *out = NULL;
    if ((st = cof_require_regular(path, err)) == COF_OK &&
        (st = cof_file_open_read(&file, path, err)) == COF_OK)
        st = cof_heads_take(out, &file, err);
    cof_file_free(file);
    return st;
}

void cof_heads_free(cof_heads *heads)
{
    if (heads == NULL)
        return;
    free(heads->items);
    cof_file_free(heads->file);
    free(heads);
}

size_t cof_heads_count(const cof_heads *heads)
{
    return heads->count;
}

bool cof_path_is_bundle(const char *path)
{
    uint8_t raw[8] = {0};
    cof_path_type kind;
    cof_file *file = NULL;
    size_t got = 0;
    bool yes = cof_path_kind(&kind, path, NULL) == COF_OK && kind == COF_PATH_REGULAR &&
               cof_file_open_regular(&file, path, NULL) == COF_OK &&
               cof_file_pread_some(raw, sizeof(raw), &got, file, 0, NULL) == COF_OK &&
               cof_bundle_has_magic(raw);

    cof_file_free(file);
    return yes;
}

cof_status cof_heads_file(cof_file **out, const cof_heads *heads, size_t i, cof_error *err)
{
    const cof_heads_item *item = &heads->items[i];
    char name[COF_TEXT_NAME_CAP + 40];

    (void)snprintf(name, sizeof(name), heads->bundle ? "%.300s (head %zu)" : "%s",
                   cof_file_path(heads->file), i + 1);
    return cof_file_window(out, heads->file, item->at, item->len, name, err);
}

bool cof_heads_find(size_t *out, const cof_heads *heads, const uint8_t core[32])
{
    size_t low = 0, high = heads->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(heads->items[middle].core, core, 32);

        if (order == 0) {
            *out = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
