/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finding the tail.  Its hash is in its trailer, but neither is signed: what the tail says about
 * the index is a hint, and the manifest in it is signed by itself.
 */

#include "engine/ending.h"

#include <string.h>

#include "base/error.h"
#include "engine/note.h"
#include "format/frame.h"
#include "format/limits.h"

#define COPY_OVERHEAD (COF_FRAME_SIZE + COF_TRAILER_SIZE)

/* The volume that is searched. */
typedef struct place {
    cof_body *body;
    uint32_t volume;
    uint64_t len;   /* of its body */
    uint32_t epoch; /* how many manifests to expect */
} place;

static bool read_trailer(cof_trailer *out, const place *in, uint64_t at)
{
    uint8_t raw[COF_TRAILER_SIZE];

    return cof_body_read(raw, sizeof(raw), in->body, in->volume, at, NULL) == COF_OK &&
           cof_trailer_parse(out, raw, NULL) == COF_OK;
}

/* Take the payload at `at` if it is the one that the trailer means. */
static cof_status take_payload(cof_ending *out, const place *in, const cof_trailer *trailer,
                               uint64_t at, cof_error *err)
{
    cof_buf raw = COF_BUF_INIT;
    cof_status st = COF_OK;

    if (trailer->len > in->len || at > in->len - trailer->len)
        goto out;
    if ((st = cof_buf_append_zeros(&raw, trailer->len, err)) != COF_OK ||
        (st = cof_body_read(raw.data, raw.len, in->body, in->volume, at, err)) != COF_OK)
        goto out;
    if (cof_trailer_check_payload(trailer, cof_buf_slice(&raw), NULL) == COF_OK &&
        cof_tail_parse(&out->tail, cof_buf_slice(&raw), in->epoch, NULL) == COF_OK) {
        cof_buf_take(&out->raw, &raw);
        out->first = trailer->first;
        out->found = true;
    }
out:
    cof_buf_free(&raw);
    return st;
}

/* By the trailer that ends the file. */
static cof_status find_at_end(cof_ending *out, const place *in, cof_error *err)
{
    cof_trailer t;
    cof_status st;

    if (in->len < COF_TRAILER_SIZE || !read_trailer(&t, in, in->len - COF_TRAILER_SIZE) ||
        cof_trailer_check_body(&t, in->len, NULL) != COF_OK)
        return COF_OK;
    st = take_payload(out, in, &t, t.second + COF_FRAME_SIZE, err);
    if ((st != COF_OK && st != COF_IO) || out->found)
        return st; /* a copy that cannot be read is a damaged one */
    return take_payload(out, in, &t, t.first + COF_FRAME_SIZE, err);
}

/* By the frame header at `first`, which says where the trailer of the first copy is. */
static cof_status find_at(cof_ending *out, const place *in, uint64_t first, cof_error *err)
{
    uint8_t raw[COF_FRAME_SIZE];
    cof_frame frame;
    cof_trailer t;

    if (cof_body_read(raw, sizeof(raw), in->body, in->volume, first, NULL) != COF_OK ||
        cof_frame_parse(&frame, raw, NULL) != COF_OK || frame.kind != COF_FRAME_TAIL ||
        !read_trailer(&t, in, first + COF_FRAME_SIZE + frame.stored_len) || t.first != first ||
        t.len != frame.stored_len)
        return COF_OK;
    return take_payload(out, in, &t, first + COF_FRAME_SIZE, err);
}

/* Frames say how long they are: follow them to the first TAIL. */
static uint64_t walk_to_tail(const place *in)
{
    uint8_t raw[COF_FRAME_SIZE];
    uint64_t at = 0;
    cof_frame frame;

    while (cof_body_read(raw, sizeof(raw), in->body, in->volume, at, NULL) == COF_OK &&
           cof_frame_parse(&frame, raw, NULL) == COF_OK) {
        if (frame.kind == COF_FRAME_TAIL)
            return at;
        at += COF_FRAME_SIZE + frame.stored_len;
    }
    return COF_NO_OFFSET;
}

cof_status cof_ending_find(cof_ending *out, cof_body *body, uint32_t volume, uint32_t epoch,
                           uint64_t hint, cof_error *err)
{
    const place in = {body, volume, cof_body_len(body, volume), epoch};
    cof_status st = find_at_end(out, &in, err);

    if (st == COF_OK && !out->found && hint == COF_NO_OFFSET)
        hint = walk_to_tail(&in);
    if (st == COF_OK && !out->found && hint != COF_NO_OFFSET)
        st = find_at(out, &in, hint, err);
    if (st == COF_IO)
        st = COF_OK; /* what the disk does not give back was not found (TL-4) */
    out->volume = volume;
    if (st != COF_OK)
        cof_ending_wipe(out);
    return st;
}

cof_status cof_ending_find_last(cof_ending *out, cof_body *body, uint32_t volume, uint32_t epoch,
                                cof_error *err)
{
    const place in = {body, volume, cof_body_len(body, volume), epoch};
    cof_status st = find_at_end(out, &in, err);

    out->volume = volume;
    if (st != COF_OK)
        cof_ending_wipe(out);
    return st;
}

void cof_ending_wipe(cof_ending *ending)
{
    cof_tail_wipe(&ending->tail);
    cof_buf_free(&ending->raw);
    *ending = (cof_ending)COF_ENDING_INIT;
}

static cof_status emit_copy(cof_buf *out, const cof_trailer *trailer, cof_slice payload,
                            cof_error *err)
{
    cof_frame frame = cof_frame_other(COF_FRAME_TAIL, (uint32_t)payload.len);
    uint8_t header[COF_FRAME_SIZE], raw[COF_TRAILER_SIZE];
    cof_status st;

    cof_frame_emit(header, &frame);
    cof_trailer_emit(raw, trailer);
    if ((st = cof_buf_append(out, header, sizeof(header), err)) != COF_OK ||
        (st = cof_buf_append(out, payload.data, payload.len, err)) != COF_OK)
        return st;
    return cof_buf_append(out, raw, sizeof(raw), err);
}

cof_status cof_ending_emit(cof_buf *out, uint64_t first, cof_slice payload, cof_error *err)
{
    cof_trailer trailer;
    cof_status st;

    if ((st = cof_trailer_make(&trailer, first, payload, err)) != COF_OK ||
        (st = emit_copy(out, &trailer, payload, err)) != COF_OK)
        return st;
    return emit_copy(out, &trailer, payload, err);
}

/* Does copy number i (of two, each len bytes at expected + i * len) stand in the file? */
static cof_status check_copy(const cof_buf *expected, size_t i, cof_body *body, uint32_t volume,
                             uint64_t first, const cof_report *report, size_t *damaged,
                             cof_error *err)
{
    size_t len = expected->len / 2, got = 0;
    uint64_t at = first + i * len;
    cof_buf found = COF_BUF_INIT;
    cof_status st = cof_buf_append_zeros(&found, len, err);

    if (st == COF_OK)
        st = cof_body_read_some(found.data, len, &got, body, volume, at, err);
    if (st == COF_IO) {
        got = 0; /* a copy that cannot be read is a damaged one */
        st = COF_OK;
    }
    if (st == COF_OK && (got != len || memcmp(found.data, expected->data + i * len, len) != 0)) {
        cof_note(report,
                 "the %s of the two copies of the closing record is damaged; the other one "
                 "was used",
                 i == 0 ? "first" : "second");
        (*damaged)++;
    }
    cof_buf_free(&found);
    return st;
}

cof_status cof_ending_check(const cof_ending *ending, cof_body *body, uint64_t first,
                            const cof_report *report, size_t *damaged, cof_error *err)
{
    uint64_t have = cof_body_len(body, ending->volume);
    cof_buf expected = COF_BUF_INIT;
    cof_status st = COF_OK;

    if (!ending->found) {
        cof_note(report, "both copies of the closing record are damaged or missing; the manifest "
                         "in the head was used");
        (*damaged)++;
        return COF_OK;
    }
    if ((st = cof_ending_emit(&expected, first, cof_buf_slice(&ending->raw), err)) != COF_OK)
        goto out;
    if (have > first && have - first > expected.len) {
        st = cof_fail_rule(err, COF_FORMAT, "GE-3",
                           cof_body_base(body, ending->volume) + first + expected.len,
                           "%s has bytes behind its end", cof_body_label(body, ending->volume));
        goto out;
    }
    for (size_t i = 0; st == COF_OK && i < 2; i++)
        st = check_copy(&expected, i, body, ending->volume, first, report, damaged, err);
out:
    cof_buf_free(&expected);
    return st;
}
