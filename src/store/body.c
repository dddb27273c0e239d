/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Volume and body offset to file and file offset, with every bound checked.
 *
 * The pool is a handful of slots: reading goes front to back or jumps between an index and its
 * records, and neither needs more.  A volume that is opened again must be the very file that it
 * was, so that nobody slips in another between a check and a use.
 */

#include "store/body.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "base/text.h"

#define OPEN_MAX_VOLUMES 8
#define SPARE            2 /* are left by who reads ahead: for a single span, and for reading */
#define SMALL            ((size_t)4096) /* reads up to so much, one behind the other, ... */
#define LARGE            ((size_t)1 << 18)
#define AHEAD            ((size_t)65536) /* ... are served from one of so much */

typedef struct volume {
    char *path;  /* owned; NULL: not there */
    char *label; /* owned: path for messages */
    cof_file_id id;
    uint64_t base, len;
} volume;

typedef struct slot {
    cof_file *file; /* owned; NULL: free */
    uint32_t volume;
    uint64_t used; /* when, counted in reads */
    size_t holds;  /* spans in it */
} slot;

/*
 * What was read ahead.  Frames of a few bytes, of which a hostile file may consist, would otherwise
 * cost a system call each.
 */
typedef struct ahead {
    uint8_t *bytes; /* owned; NULL until it is needed */
    uint32_t volume;
    uint64_t off;
    size_t len;
} ahead;

struct cof_body {
    const cof_file *first; /* borrowed */
    uint64_t base, len;    /* of volume 1 */
    volume *later;         /* owned: [0] is volume 2 */
    size_t count;
    slot open[OPEN_MAX_VOLUMES];
    uint64_t clock;
    ahead ahead;
    uint32_t last_volume; /* where the last small read ended */
    uint64_t last_end;
};

/* ---- what is there ---- */

static const volume *get_later(const cof_body *body, uint32_t number)
{
    size_t i = (size_t)number - 2;

    return number >= 2 && i < body->count && body->later[i].path != NULL ? &body->later[i] : NULL;
}

static cof_status measure(uint64_t *out, const cof_file *file, uint64_t head_len, cof_error *err)
{
    uint64_t size;
    cof_status st = cof_file_size(&size, file, err);

    if (st == COF_OK && !cof_sub_u64(size, head_len, out))
        st = cof_fail_rule(err, COF_FORMAT, "GE-2", size, "%s is cut off: it ends inside its head",
                           cof_file_label(file));
    return st;
}

cof_status cof_body_new(cof_body **out, const cof_file *first, uint64_t head_len, cof_error *err)
{
    cof_body *body = NULL;
    uint64_t len = 0;
    cof_status st = measure(&len, first, head_len, err);

    *out = NULL;
    if (st != COF_OK)
        return st;
    if ((body = calloc(1, sizeof(*body))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    body->first = first;
    body->base = head_len;
    body->len = len;
    *out = body;
    return COF_OK;
}

bool cof_body_has(const cof_body *body, uint32_t number)
{
    return number == 1 || get_later(body, number) != NULL;
}

uint32_t cof_body_highest(const cof_body *body)
{
    return (uint32_t)body->count + 1;
}

cof_file_id cof_body_identity(const cof_body *body, uint32_t number)
{
    const volume *v = get_later(body, number);
    cof_file_id id = {0, 0};

    if (v != NULL)
        return v->id;
    (void)!cof_file_identity(&id, body->first, NULL);
    return id;
}

const char *cof_body_path(const cof_body *body, uint32_t number)
{
    const volume *v = get_later(body, number);

    return v != NULL ? v->path : number == 1 ? cof_file_path(body->first) : "";
}

const char *cof_body_label(const cof_body *body, uint32_t number)
{
    const volume *v = get_later(body, number);

    return v != NULL ? v->label : number == 1 ? cof_file_label(body->first) : "";
}

uint64_t cof_body_len(const cof_body *body, uint32_t number)
{
    const volume *v = get_later(body, number);

    return v != NULL ? v->len : number == 1 ? body->len : 0;
}

uint64_t cof_body_base(const cof_body *body, uint32_t number)
{
    const volume *v = get_later(body, number);

    return v != NULL ? v->base : number == 1 ? body->base : 0;
}

/* ---- the pool ---- */

/*
 * A free slot, or that of the volume which was read longest ago, closed; NULL where spans in all of
 * them are held.
 */
static slot *make_room(cof_body *body)
{
    slot *oldest = NULL;

    for (size_t i = 0; i < OPEN_MAX_VOLUMES; i++) {
        slot *s = &body->open[i];

        if (s->file == NULL)
            return s;
        if (s->holds == 0 && (oldest == NULL || s->used < oldest->used))
            oldest = s;
    }
    if (oldest != NULL)
        cof_file_free(oldest->file);
    return oldest;
}

#define TOO_MANY "too many volumes are read at once"

static cof_status put_into_pool(cof_body *body, uint32_t number, cof_file *file, cof_error *err)
{
    slot *s = make_room(body);

    if (s == NULL)
        return cof_fail(err, COF_BUSY, TOO_MANY);
    *s = (slot){file, number, ++body->clock, 0};
    return COF_OK;
}

/* COF_FORMAT if the file is not the one that was looked at when the volume was found. */
static cof_status still_same(const volume *v, const cof_file *file, cof_error *err)
{
    cof_file_id id;
    cof_status st = cof_file_identity(&id, file, err);

    if (st == COF_OK && (id.dev != v->id.dev || id.ino != v->id.ino))
        st = cof_fail_rule(err, COF_FORMAT, "GE-2", COF_NO_OFFSET,
                           "%s was replaced while the backup was read", v->label);
    return st;
}

static cof_status open_later(const cof_file **out, cof_body *body, const volume *v, uint32_t number,
                             cof_error *err)
{
    cof_file *file = NULL;
    cof_status st = cof_file_open_regular(&file, v->path, err);

    if (st == COF_OK && (st = still_same(v, file, err)) == COF_OK)
        st = put_into_pool(body, number, file, err);
    if (st != COF_OK) {
        cof_file_free(file);
        return st;
    }
    *out = file;
    return COF_OK;
}

static cof_status get_file(const cof_file **out, cof_body *body, uint32_t number, cof_error *err)
{
    const volume *v;

    if (number == 1) {
        *out = body->first;
        return COF_OK;
    }
    for (size_t i = 0; i < OPEN_MAX_VOLUMES; i++)
        if (body->open[i].file != NULL && body->open[i].volume == number) {
            body->open[i].used = ++body->clock;
            *out = body->open[i].file;
            return COF_OK;
        }
    if ((v = get_later(body, number)) == NULL)
        return cof_fail_rule(err, COF_FORMAT, "GE-2", COF_NO_OFFSET,
                             "volume %" PRIu32 " of %s is missing", number,
                             cof_file_label(body->first));
    return open_later(out, body, v, number, err);
}

/* ---- adding ---- */

static cof_status grow(cof_body *body, size_t count, cof_error *err)
{
    volume *more;

    if (count <= body->count)
        return COF_OK;
    if ((more = realloc(body->later, count * sizeof(*more))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    memset(more + body->count, 0, (count - body->count) * sizeof(*more));
    body->later = more;
    body->count = count;
    return COF_OK;
}

cof_status cof_body_add(cof_body *body, uint32_t number, cof_file **file, uint64_t head_len,
                        cof_error *err)
{
    volume v = {.base = head_len};
    cof_status st;

    if (number < 2 || cof_body_has(body, number))
        return cof_fail(err, COF_INTERNAL, "volume %" PRIu32 " is there already", number);
    if ((st = measure(&v.len, *file, head_len, err)) != COF_OK ||
        (st = cof_file_identity(&v.id, *file, err)) != COF_OK ||
        (st = grow(body, (size_t)number - 1, err)) != COF_OK)
        return st;
    v.path = strdup(cof_file_path(*file));
    v.label = strdup(cof_file_label(*file));
    if (v.path == NULL || v.label == NULL) {
        free(v.path);
        free(v.label);
        return cof_fail(err, COF_NOMEM, "out of memory");
    }
    if ((st = put_into_pool(body, number, *file, err)) != COF_OK) {
        free(v.path);
        free(v.label);
        return st;
    }
    body->later[number - 2] = v;
    *file = NULL; /* transferred */
    return COF_OK;
}

/* ---- reading ---- */

static bool read_from_ahead(void *out, size_t len, const cof_body *body, uint32_t number,
                            uint64_t off)
{
    const ahead *a = &body->ahead;

    if (a->len == 0 || a->volume != number || off < a->off || off - a->off > a->len ||
        len > a->len - (off - a->off))
        return false;
    memcpy(out, a->bytes + (off - a->off), len);
    return true;
}

/* Best effort: what cannot be read ahead is read as it was asked for. */
static void fill_ahead(cof_body *body, const cof_file *file, uint32_t number, uint64_t off)
{
    uint64_t left = cof_body_len(body, number) - off;
    size_t want = left < AHEAD ? (size_t)left : AHEAD;
    ahead *a = &body->ahead;

    a->len = 0;
    if (a->bytes == NULL && (a->bytes = malloc(AHEAD)) == NULL)
        return;
    a->volume = number;
    a->off = off;
    if (cof_file_pread_some(a->bytes, want, &a->len, file, cof_body_base(body, number) + off,
                            NULL) != COF_OK)
        a->len = 0;
}

/* Inside the body. */
static cof_status read_small(void *out, size_t len, cof_body *body, const cof_file *file,
                             uint32_t number, uint64_t off, cof_error *err)
{
    bool goes_on = body->last_volume == number && off == body->last_end;

    body->last_volume = number;
    body->last_end = off + len;
    if (read_from_ahead(out, len, body, number, off))
        return COF_OK;
    if (goes_on)
        fill_ahead(body, file, number, off);
    if (goes_on && read_from_ahead(out, len, body, number, off))
        return COF_OK;
    return cof_file_read_full(out, len, file, cof_body_base(body, number) + off, err);
}

/* The file of a volume that has such a range. */
static cof_status find_range(const cof_file **out, cof_body *body, uint32_t number, uint64_t off,
                             size_t len, cof_error *err)
{
    uint64_t have = cof_body_len(body, number), base = cof_body_base(body, number);
    cof_status st = get_file(out, body, number, err);

    if (st != COF_OK || (off <= have && len <= have - off))
        return st;
    return cof_fail_rule(err, COF_FORMAT, "GE-2", base + have,
                         "%s is cut off: it ends at byte %" PRIu64 ", where more should follow",
                         cof_file_label(*out), base + have);
}

cof_status cof_body_read(void *out, size_t len, cof_body *body, uint32_t number, uint64_t off,
                         cof_error *err)
{
    const cof_file *file;
    cof_status st = find_range(&file, body, number, off, len, err);

    if (st != COF_OK)
        return st;
    if (len <= SMALL)
        return read_small(out, len, body, file, number, off, err);
    return cof_file_read_full(out, len, file, cof_body_base(body, number) + off, err);
}

/* Would one more volume be held, with no slots left to spare? */
static bool leaves_none(const cof_body *body, uint32_t number)
{
    size_t held = 0;

    if (number == 1)
        return false;
    for (size_t i = 0; i < OPEN_MAX_VOLUMES; i++) {
        const slot *s = &body->open[i];

        if (s->file == NULL || s->holds == 0)
            continue;
        if (s->volume == number)
            return false;
        held++;
    }
    return held >= OPEN_MAX_VOLUMES - SPARE;
}

cof_status cof_body_hold_ahead(cof_span *out, cof_body *body, uint32_t number, uint64_t off,
                               size_t len, cof_error *err)
{
    out->held = 0;
    if (leaves_none(body, number))
        return cof_fail(err, COF_BUSY, TOO_MANY);
    return cof_body_hold(out, body, number, off, len, err);
}

cof_status cof_body_hold(cof_span *out, cof_body *body, uint32_t number, uint64_t off, size_t len,
                         cof_error *err)
{
    cof_status st;

    out->held = 0;
    if ((st = find_range(&out->file, body, number, off, len, err)) != COF_OK)
        return st;
    out->off = cof_body_base(body, number) + off;
    if (len >= LARGE)
        cof_file_advise(out->file, out->off, len, COF_ADVICE_SOON);
    for (size_t i = 0; i < OPEN_MAX_VOLUMES; i++)
        if (body->open[i].file == out->file) {
            body->open[i].holds++;
            out->held = i + 1;
        }
    return COF_OK;
}

void cof_body_let_go(cof_body *body, cof_span *span)
{
    if (span->held > 0)
        body->open[span->held - 1].holds--;
    span->held = 0;
}

cof_status cof_body_read_some(void *out, size_t len, size_t *out_got, cof_body *body,
                              uint32_t number, uint64_t off, cof_error *err)
{
    const cof_file *file;
    cof_status st;

    *out_got = 0;
    if (!cof_body_has(body, number))
        return COF_OK;
    if ((st = get_file(&file, body, number, err)) != COF_OK)
        return st;
    return cof_file_pread_some(out, len, out_got, file, cof_body_base(body, number) + off, err);
}

void cof_body_free(cof_body *body)
{
    if (body == NULL)
        return;
    for (size_t i = 0; i < OPEN_MAX_VOLUMES; i++)
        cof_file_free(body->open[i].file);
    for (size_t i = 0; i < body->count; i++) {
        free(body->later[i].path);
        free(body->later[i].label);
    }
    free(body->later);
    free(body->ahead.bytes);
    free(body);
}
