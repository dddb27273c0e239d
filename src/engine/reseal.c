/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sealing again.  One pass: each record is read, compared with its proven entry, decrypted, sealed
 * and written, several of them at once.  What the lineage needs of the old backup, the hashes of
 * its payloads, is read again from its index, 4096 at a time.
 */

#include "engine/reseal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/fetch.h"
#include "engine/note.h"
#include "engine/pipeline.h"
#include "format/lineage.h"

typedef struct resealing {
    const cof_reseal *job;
    const cof_opened *old;
    cof_fetch fetch;
    cof_origin
        *lineage; /* of an old backup that was rekeyed before; fetch has it, or it is owned */
    cof_pipeline *pipeline; /* of all records but the lineage */
    cof_sealer *sealer;
    uint8_t *plain; /* of the LINEAGE record that is being filled */
    size_t fill;
} resealing;

/* ---- records ---- */

/*
 * A record of the lineage, in which is the first data key: alone, so that it is in no more places
 * than it must be.
 */
static cof_status again(resealing *r, uint64_t number, cof_error *err)
{
    cof_slice content;
    cof_sealed sealed;
    cof_status st;

    if ((st = cof_fetch_sealed(&r->fetch, &content, number, err)) != COF_OK ||
        (st = cof_sealer_again(r->sealer, &sealed, &r->fetch.header, content, err)) != COF_OK)
        return st;
    return cof_writer_record(r->job->writer, r->fetch.header.kind, &sealed,
                             r->fetch.header.plain_len, err);
}

/* RK-2 */
static cof_status all_records(resealing *r, cof_error *err)
{
    const cof_manifest *m = &r->old->manifest;
    const cof_report *report = &r->job->reader->options->report;
    uint64_t lineage = m->records - m->lineage_records;
    cof_slice content;
    cof_status st = COF_OK;

    cof_fetch_leave_compressed(&r->fetch);
    for (uint64_t n = 0; st == COF_OK && n < lineage; n++) {
        if ((st = cof_fetch_sealed_in_order(&r->fetch, &content, n, err)) == COF_OK &&
            (st = cof_pipeline_again(r->pipeline, &r->fetch.header, content, err)) == COF_OK)
            st = cof_tell(report, r->job->writer->plain_bytes, m->plain_bytes, err);
    }
    if (st == COF_OK)
        st = cof_pipeline_drain(r->pipeline, err);
    for (uint64_t n = lineage; st == COF_OK && n < m->records; n++)
        st = again(r, n, err);
    return st;
}

/* ---- the addition to the lineage ---- */

static cof_status flush(resealing *r, cof_error *err)
{
    cof_frame frame = cof_writer_place_lineage(r->job->writer);
    const cof_slice content = {r->plain, r->fill};
    cof_sealed sealed;
    cof_status st;

    if (r->fill == 0)
        return COF_OK;
    frame.plain_len = (uint32_t)r->fill;
    frame.stored_len = frame.plain_len + cof_preamble_tag_len(r->job->preamble);
    if ((st = cof_sealer_again(r->sealer, &sealed, &frame, content, err)) == COF_OK)
        st = cof_writer_record(r->job->writer, COF_FRAME_LINEAGE, &sealed, r->fill, err);
    cof_wipe(r->plain, r->fill);
    r->fill = 0;
    return st;
}

static cof_status put(resealing *r, const void *data, size_t len, cof_error *err)
{
    const uint8_t *p = data;
    cof_status st = COF_OK;

    while (st == COF_OK && len > 0) {
        size_t room = r->job->preamble->record_size - r->fill;
        size_t n = len < room ? len : room;

        memcpy(r->plain + r->fill, p, n);
        r->fill += n;
        p += n;
        len -= n;
        if (n == room)
            st = flush(r, err);
    }
    return st;
}

static cof_status put_item(resealing *r, cof_lineage_type type, const void *value, size_t len,
                           cof_error *err)
{
    uint8_t header[COF_LINEAGE_ITEM_HEADER];
    cof_status st;

    cof_lineage_emit_header(header, type, (uint32_t)len);
    if ((st = put(r, header, sizeof(header), err)) != COF_OK)
        return st;
    return put(r, value, len, err);
}

static cof_status put_block(resealing *r, size_t b, uint8_t *value, cof_error *err)
{
    const cof_entries *e = &r->fetch.entries;
    cof_status st = cof_fetch_load_block(&r->fetch, b, err);

    if (st != COF_OK)
        return st;
    for (size_t i = 0; i < e->count; i++)
        memcpy(cof_lineage_hash_place(value, i),
               cof_entry_payload_sha256(e->entries + i * COF_ENTRY_SIZE), COF_SHA256_SIZE);
    return put_item(r, COF_LINEAGE_HASHES, value,
                    cof_lineage_emit_hashes(value, (uint64_t)b * COF_MERKLE_BLOCK, e->count), err);
}

/* Items 4: the old payloads, before they are gone. */
static cof_status put_hashes(resealing *r, cof_error *err)
{
    uint8_t *value = malloc(COF_LINEAGE_HASHES_MAX);
    cof_status st = value != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");

    for (size_t b = 0; st == COF_OK && b < r->fetch.entries.blocks; b++)
        st = put_block(r, b, value, err);
    free(value);
    return st;
}

static cof_status add_lineage(resealing *r, cof_error *err)
{
    const cof_opened *o = r->old;
    bool first = o->head.preamble.epoch == 0;
    cof_status st;

    if (first && (st = put_item(r, COF_LINEAGE_DEK, cof_secret_bytes_const(o->dek),
                                cof_secret_len(o->dek), err)) != COF_OK)
        return st;
    if ((st = put_item(r, COF_LINEAGE_PREAMBLE, o->head.sb.preamble, sizeof(o->head.sb.preamble),
                       err)) != COF_OK ||
        (st = put_item(r, COF_LINEAGE_MANIFEST, o->manifest_cms.data, o->manifest_cms.len, err)) !=
            COF_OK ||
        (first && (st = put_hashes(r, err)) != COF_OK))
        return st;
    return flush(r, err);
}

/* ---- earlier manifests ---- */

void cof_reseal_manifests_free(cof_buf *manifests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cof_buf_free(&manifests[i]);
    free(manifests);
}

static cof_status copy_manifests(const resealing *r, cof_buf **out, size_t *count, cof_error *err)
{
    size_t earlier = 0;
    const cof_buf *from = r->lineage != NULL ? cof_origin_manifests(r->lineage, &earlier) : NULL;
    cof_buf *list = calloc(earlier + 1, sizeof(*list));
    cof_status st = list != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");

    for (size_t i = 0; st == COF_OK && i < earlier; i++)
        st = cof_buf_append(&list[i], from[i].data, from[i].len, err);
    if (st == COF_OK)
        st = cof_buf_append(&list[earlier], r->old->manifest_cms.data, r->old->manifest_cms.len,
                            err);
    if (st != COF_OK) {
        cof_reseal_manifests_free(list, list != NULL ? earlier + 1 : 0);
        return st;
    }
    *out = list;
    *count = earlier + 1;
    return COF_OK;
}

/* ---- all of it ---- */

/*
 * A lineage is never handed on unseen, even where the one who rekeyed last is trusted as maker:
 * what is broken in it would be found when it is too late.
 */
static cof_status look_at_lineage(resealing *r, cof_error *err)
{
    if (r->old->head.preamble.epoch == 0 || (r->lineage = r->fetch.origin) != NULL)
        return COF_OK;
    return cof_origin_new(&r->lineage, &r->fetch, false, err);
}

static cof_status begin(resealing *r, cof_error *err)
{
    const cof_pipeline_plan plan = {
        .preamble = r->job->preamble,
        .schedule = r->job->schedule,
        .codec = COF_CODEC_NONE,
        .threads = r->job->reader->options->jobs,
        .writer = r->job->writer,
    };
    cof_status st;

    if ((st = cof_fetch_init(&r->fetch, r->job->reader, err)) != COF_OK ||
        (st = cof_pipeline_new(&r->pipeline, &plan, err)) != COF_OK ||
        (st = look_at_lineage(r, err)) != COF_OK ||
        (st = cof_sealer_new(&r->sealer, r->job->preamble, r->job->schedule, COF_CODEC_NONE, 0,
                             err)) != COF_OK)
        return st;
    r->plain = malloc(r->job->preamble->record_size);
    return r->plain != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

cof_status cof_reseal_run(const cof_reseal *job, cof_buf **manifests, size_t *count, cof_error *err)
{
    resealing r = {.job = job, .old = &job->reader->opened};
    cof_status st;

    *manifests = NULL;
    *count = 0;
    if ((st = begin(&r, err)) == COF_OK && (st = all_records(&r, err)) == COF_OK &&
        (st = add_lineage(&r, err)) == COF_OK)
        st = copy_manifests(&r, manifests, count, err);
    if (r.lineage != r.fetch.origin)
        cof_origin_free(r.lineage);
    cof_pipeline_free(r.pipeline);
    cof_fetch_wipe(&r.fetch);
    cof_sealer_free(r.sealer);
    if (r.plain != NULL)
        cof_wipe(r.plain, r.fill); /* the first data key, where it was not sealed any more */
    free(r.plain);
    return st;
}
