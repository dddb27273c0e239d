/* SPDX-License-Identifier: Apache-2.0 */

/* The survey of a body.  Everything here reads; what it finds is noted in mends. */

#include "engine/survey.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/entries.h"
#include "engine/note.h"
#include "engine/volumes.h"
#include "engine/walk.h"
#include "format/limits.h"
#include "format/superblock.h"

static cof_repair_item item_at(const cof_survey *s, cof_repair_kind kind, cof_place at)
{
    cof_repair_item item = {.kind = kind, .volume = at.volume};

    item.offset = cof_body_base(s->reader->opened.body, at.volume) + at.offset;
    return item;
}

/* ---- by walking ---- */

static cof_status walk_read(void *ctx, void *out, size_t len, cof_place from, cof_error *err)
{
    const cof_survey *s = ctx;

    return cof_body_read(out, len, s->reader->opened.body, from.volume, from.offset, err);
}

static cof_status walk_index(void *ctx, const cof_index_ref *ref, cof_error *err)
{
    return cof_tail_add_index(&((cof_survey *)ctx)->met, ref, err);
}

static cof_status walk_differs(void *ctx, cof_place at, cof_slice expected, cof_error *err)
{
    cof_survey *s = ctx;
    bool index = expected.data[2] == COF_FRAME_INDEX;
    cof_repair_item item = item_at(s, index ? COF_REPAIR_INDEX : COF_REPAIR_VOLUME_END, at);

    snprintf(item.text, sizeof(item.text),
             index ? "an index" : "the mark at the end of the volume");
    return cof_mends_add(s->mends, &item, expected, err);
}

static cof_status by_walking(cof_survey *s, cof_error *err)
{
    const cof_opened *o = &s->reader->opened;
    const cof_walk_hooks hooks = {
        .read = walk_read, .index = walk_index, .differs = walk_differs, .ctx = s};
    size_t before = s->mends->count;
    cof_walk walk;
    cof_status st;

    if ((st = cof_walk_init(&walk, &o->head.preamble, &hooks, &o->manifest, s->report, err)) ==
            COF_OK &&
        (st = cof_walk_run(&walk, err)) == COF_OK)
        st = cof_walk_check(&walk, &o->manifest, err);
    cof_walk_wipe(&walk);
    s->by_walk = st == COF_OK;
    if (st != COF_OK)
        cof_mends_cut(s->mends, before); /* they followed from records that are not proven */
    return st;
}

/* ---- by the index ---- */

/* One record at a time, against its proven entry. */
typedef struct inspection {
    cof_survey *s;
    cof_entries entries;
    cof_sha256_ctx *sha;
    uint8_t *frame;
    uint64_t total, done; /* bytes */
} inspection;

static void describe_record(cof_repair_item *item, const cof_frame *f)
{
    if (f->kind == COF_FRAME_DATA)
        snprintf(item->text, sizeof(item->text),
                 "record %" PRIu64 ": bytes %" PRIu64 " to %" PRIu64 " of the content", f->record,
                 f->offset, f->offset + f->plain_len);
    else
        snprintf(item->text, sizeof(item->text), "record %" PRIu64 ": a part of the %s", f->record,
                 f->kind == COF_FRAME_CATALOG ? "catalog" : "lineage");
}

static cof_status note_lost(cof_survey *s, const cof_frame *f, cof_place at, cof_error *err)
{
    cof_repair_item item = item_at(s, COF_REPAIR_RECORD, at);
    cof_status st;

    item.record = f->record;
    item.length = COF_FRAME_SIZE + f->stored_len;
    describe_record(&item, f);
    st = cof_mends_add(s->mends, &item, (cof_slice)COF_SLICE_INIT, err);
    if (st == COF_OK && f->kind == COF_FRAME_DATA && f->stream == 0)
        s->mends->list[s->mends->count - 1].lost = (cof_lost){f->offset, f->plain_len};
    return st;
}

static cof_status note_header(cof_survey *s, const cof_frame *f, const uint8_t *entry, cof_place at,
                              cof_error *err)
{
    cof_repair_item item = item_at(s, COF_REPAIR_RECORD_HEADER, at);

    item.record = f->record;
    snprintf(item.text, sizeof(item.text), "the header of record %" PRIu64, f->record);
    return cof_mends_add(s->mends, &item, (cof_slice){cof_entry_header(entry), COF_FRAME_SIZE},
                         err);
}

static cof_status hash(const inspection *in, uint8_t out[COF_SHA256_SIZE], size_t len,
                       cof_error *err)
{
    cof_status st;

    if ((st = cof_sha256_init(in->sha, err)) != COF_OK ||
        (st = cof_sha256_update(in->sha, in->frame + COF_FRAME_SIZE, len, err)) != COF_OK)
        return st;
    return cof_sha256_final(in->sha, out, err);
}

static cof_status inspect_record(inspection *in, const cof_frame *f, const uint8_t *entry,
                                 cof_place at, cof_error *err)
{
    cof_body *body = in->s->reader->opened.body;
    const cof_slice header = {cof_entry_header(entry), COF_FRAME_SIZE};
    uint8_t sha256[COF_SHA256_SIZE];
    cof_status st;

    /* Apart, so that a header that cannot be read says nothing about the record. */
    if (cof_body_read(in->frame, COF_FRAME_SIZE, body, at.volume, at.offset, NULL) != COF_OK)
        memset(in->frame, 0, COF_FRAME_SIZE);
    if (cof_body_read(in->frame + COF_FRAME_SIZE, f->stored_len, body, at.volume,
                      at.offset + COF_FRAME_SIZE, NULL) != COF_OK)
        return note_lost(in->s, f, at, err);
    if ((st = hash(in, sha256, f->stored_len, err)) != COF_OK)
        return st;
    if (!cof_slice_equal((cof_slice){sha256, sizeof(sha256)},
                         (cof_slice){cof_entry_payload_sha256(entry), sizeof(sha256)}))
        return note_lost(in->s, f, at, err);
    if (!cof_slice_equal((cof_slice){in->frame, COF_FRAME_SIZE}, header))
        return note_header(in->s, f, entry, at, err);
    return COF_OK;
}

/* The records of the block that is loaded: where they stand follows from where a run begins. */
static cof_status inspect_block(inspection *in, size_t b, cof_error *err)
{
    uint64_t number = (uint64_t)b * COF_MERKLE_BLOCK;
    cof_place at = {0, 0};
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < in->entries.count; i++, number++) {
        const uint8_t *entry = in->entries.entries + i * COF_ENTRY_SIZE;
        const cof_run *run = cof_entries_run(&in->entries, number);
        cof_frame f;

        if (run->first == number)
            at = run->at;
        if ((st = cof_frame_parse(&f, cof_entry_header(entry), err)) != COF_OK ||
            (st = inspect_record(in, &f, entry, at, err)) != COF_OK)
            return st;
        at.offset += COF_FRAME_SIZE + f.stored_len;
        in->done += COF_FRAME_SIZE + f.stored_len;
        st = cof_tell(in->s->report, in->done, in->total, err);
    }
    return st;
}

static cof_status inspect(inspection *in, cof_error *err)
{
    const cof_opened *o = &in->s->reader->opened;
    static const cof_report silent = {NULL, NULL, NULL};
    size_t damaged = 0;
    cof_status st = cof_entries_prove(&in->entries, o, &silent, &damaged, err);

    if (st != COF_OK)
        return st;
    in->frame = malloc(COF_FRAME_SIZE + (size_t)cof_frame_stored_max(&o->head.preamble));
    if (in->frame == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if ((st = cof_sha256_new(&in->sha, err)) != COF_OK)
        return st;
    for (size_t v = 0; v < o->manifest.volume_count; v++)
        in->total += o->manifest.volumes[v].bytes;
    for (size_t b = 0; st == COF_OK && b < in->entries.blocks; b++)
        if ((st = cof_entries_load(&in->entries, b, err)) == COF_OK)
            st = inspect_block(in, b, err);
    return st;
}

static cof_status by_index(cof_survey *s, cof_error *err)
{
    inspection in = {.s = s};
    size_t before = s->mends->count;
    cof_status st = inspect(&in, err);

    if (st != COF_OK)
        cof_mends_cut(s->mends, before);
    cof_entries_wipe(&in.entries);
    cof_sha256_free(in.sha);
    free(in.frame);
    return st;
}

/* ---- both ---- */

static bool is_damage(cof_status st)
{
    return st == COF_FORMAT || st == COF_AUTH || st == COF_UNSUPPORTED || st == COF_IO;
}

cof_status cof_survey_body(cof_survey *s, cof_error *err)
{
    cof_error second = COF_ERROR_INIT;
    cof_status st = by_walking(s, err), other;

    if (st == COF_OK || !is_damage(st))
        return st;
    other = by_index(s, &second);
    if (other == COF_OK || is_damage(other))
        return other == COF_OK ? COF_OK : st; /* the first failure says more */
    if (err != NULL)
        *err = second;
    return other;
}

/* ---- the closing record ---- */

/* Its payload: that of the copy that is there, if the walk does not say otherwise; *known: any. */
static cof_status tail_payload(cof_buf *out, bool *known, const cof_survey *s, cof_error *err)
{
    const cof_opened *o = &s->reader->opened;
    cof_tail tail = s->met; /* shares the list */
    cof_status st;

    *known = true;
    if (o->ending.found && (!s->by_walk || cof_tail_same_indexes(&s->met, &o->ending.tail)))
        return cof_buf_append(out, o->ending.raw.data, o->ending.raw.len, err);
    *known = s->by_walk && (o->ending.found || o->head.preamble.epoch == 0);
    if (!*known)
        return COF_OK;
    tail.manifests = o->ending.found ? o->ending.tail.manifests : (cof_slices)COF_SLICES_INIT;
    if (!o->ending.found && (st = cof_slices_add(&tail.manifests, o->manifest_cms, err)) != COF_OK)
        return st;
    st = cof_tail_emit(out, &tail, err);
    if (!o->ending.found)
        cof_slices_wipe(&tail.manifests);
    return st;
}

static cof_status compare_copy(cof_survey *s, size_t i, cof_place at, cof_slice expected,
                               cof_error *err)
{
    cof_repair_item item = item_at(s, COF_REPAIR_TAIL, at);
    cof_buf found = COF_BUF_INIT;
    size_t got = 0;
    cof_status st = cof_buf_append_zeros(&found, expected.len, err);

    if (st == COF_OK &&
        (cof_body_read_some(found.data, expected.len, &got, s->reader->opened.body, at.volume,
                            at.offset, NULL) != COF_OK ||
         got != expected.len || !cof_slice_equal(cof_buf_slice(&found), expected))) {
        snprintf(item.text, sizeof(item.text), "the %s copy of the closing record",
                 i == 0 ? "first" : "second");
        st = cof_mends_add(s->mends, &item, expected, err);
    }
    cof_buf_free(&found);
    return st;
}

static cof_status note_tail_lost(cof_survey *s, cof_place at, cof_error *err)
{
    cof_repair_item item = item_at(s, COF_REPAIR_TAIL, at);

    snprintf(item.text, sizeof(item.text),
             "both copies of the closing record, which do not follow from what is left");
    return cof_mends_add(s->mends, &item, (cof_slice)COF_SLICE_INIT, err);
}

cof_status cof_survey_tail(cof_survey *s, cof_error *err)
{
    const cof_manifest *m = &s->reader->opened.manifest;
    cof_place at = {(uint32_t)m->volume_count, m->volumes[m->volume_count - 1].bytes};
    cof_buf payload = COF_BUF_INIT, expected = COF_BUF_INIT;
    bool known;
    cof_status st = tail_payload(&payload, &known, s, err);

    if (st == COF_OK && known)
        st = cof_ending_emit(&expected, at.offset, cof_buf_slice(&payload), err);
    /* A shorter one would leave bytes behind the end, where none may be. */
    known = known && cof_body_len(s->reader->opened.body, at.volume) <= at.offset + expected.len;
    if (st == COF_OK && !known)
        st = note_tail_lost(s, at, err);
    for (size_t i = 0; st == COF_OK && known && i < 2; i++) {
        size_t len = expected.len / 2;
        cof_place copy = {at.volume, at.offset + i * len};

        st = compare_copy(s, i, copy, (cof_slice){expected.data + i * len, len}, err);
    }
    cof_buf_free(&payload);
    cof_buf_free(&expected);
    return st;
}

/* ---- later volumes ---- */

/* Two that differ and are both whole, for example: nothing says which of them is right. */
static cof_status note_superblocks_lost(cof_survey *s, uint32_t volume, cof_error *err)
{
    cof_repair_item item = {.kind = COF_REPAIR_SUPERBLOCK, .volume = volume};

    item.length = cof_head_len(0);
    snprintf(item.text, sizeof(item.text), "both superblocks: neither follows from the other");
    return cof_mends_add(s->mends, &item, (cof_slice)COF_SLICE_INIT, err);
}

/* Both copies are the same from the day on which the volume was made. */
static cof_status compare_superblocks(cof_survey *s, uint32_t volume, cof_file *file,
                                      cof_error *err)
{
    uint8_t raw[2][COF_SUPERBLOCK_SIZE] = {{0}};
    cof_superblock_state state;
    cof_superblock sb;
    cof_status st;

    for (int i = 0; i < 2; i++)
        if (cof_file_read_full(raw[i], sizeof(raw[i]), file, cof_head_superblock_offset(i), NULL) !=
            COF_OK)
            memset(raw[i], 0, sizeof(raw[i]));
    st = cof_superblock_choose(&sb, &state, raw[0], raw[1], err);
    if (st == COF_FORMAT)
        return note_superblocks_lost(s, volume, err);
    if (st != COF_OK)
        return st;
    for (int i = 0; st == COF_OK && i < 2; i++) {
        cof_repair_item item = {.kind = COF_REPAIR_SUPERBLOCK, .volume = volume};
        const cof_slice good = {raw[state.chosen], sizeof(raw[0])};

        if (cof_slice_equal((cof_slice){raw[i], sizeof(raw[i])}, good))
            continue;
        item.offset = cof_head_superblock_offset(i);
        snprintf(item.text, sizeof(item.text), "superblock copy %c", 'A' + i);
        st = cof_mends_add(s->mends, &item, good, err);
    }
    return st;
}

cof_status cof_survey_volumes(cof_survey *s, cof_error *err)
{
    const cof_opened *o = &s->reader->opened;
    cof_status st = COF_OK;

    for (uint32_t v = 2; st == COF_OK && v <= o->manifest.volume_count; v++) {
        cof_file *file = NULL;

        if (!cof_body_has(o->body, v))
            st = cof_volumes_beheaded(o, v) ? note_superblocks_lost(s, v, err) : COF_OK;
        else if ((st = cof_file_open_regular(&file, cof_body_path(o->body, v), err)) == COF_OK)
            st = compare_superblocks(s, v, file, err);
        cof_file_free(file);
    }
    return st;
}
