/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Frames to sink.  Nothing here knows a key.
 *
 * A volume can always be closed: with every record, room is kept for the INDEX and the VOLUME-END
 * that may have to follow it.  The tail has no such room, since its length is not known before the
 * manifest is signed; where it does not fit it gets a volume of its own.
 */

#include "engine/write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/ending.h"
#include "engine/note.h"
#include "format/index.h"
#include "format/limits.h"
#include "format/superblock.h"

#define END_SIZE (COF_FRAME_SIZE + COF_VOLUME_END_SIZE)

/* What the list of volumes may take of a statement (COF_STATEMENT_MAX), and an index of the tail.
 */
#define LISTED_MAX   (COF_STATEMENT_MAX - 128 * 1024)
#define LISTED_INDEX 24
#define LISTED_MORE  64 /* at most, for the volume that the tail itself needs */

cof_status cof_writer_init(cof_writer *out, cof_sink *sink, const uint8_t *preamble,
                           const cof_report *report, cof_error *err)
{
    static const cof_slice nothing = COF_SLICE_INIT;
    bool fits = false;
    cof_status st;

    memset(out, 0, sizeof(*out));
    out->sink = sink;
    out->preamble = preamble;
    out->report = report;
    out->volume = 1;
    out->tail = (cof_tail)COF_TAIL_INIT;
    out->volumes = (cof_manifest)COF_MANIFEST_INIT;
    cof_merkle_init(&out->tree);
    out->pending = malloc((size_t)COF_INDEX_RECORDS * COF_ENTRY_SIZE);
    if (out->pending == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    st = cof_sink_append(&fits, sink, nothing, nothing, END_SIZE, err);
    if (st == COF_OK && !fits)
        st = cof_fail(err, COF_IO, "the first volume has no room for anything but its head");
    return st;
}

void cof_writer_wipe(cof_writer *w)
{
    cof_manifest_wipe(&w->volumes);
    cof_tail_wipe(&w->tail);
    free(w->pending);
    w->pending = NULL;
}

/* ---- frames, and where a volume ends ---- */

static uint64_t index_size(size_t count)
{
    return count == 0 ? 0
                      : COF_FRAME_SIZE + COF_INDEX_HEADER_SIZE + (uint64_t)count * COF_ENTRY_SIZE;
}

uint64_t cof_writer_least(const cof_preamble *preamble, uint64_t head_len)
{
    return head_len + COF_FRAME_SIZE + cof_frame_stored_max(preamble) + index_size(1) + END_SIZE;
}

/* A frame that room was kept for. */
static cof_status put_closing(cof_writer *w, uint8_t kind, cof_slice payload, cof_error *err)
{
    cof_frame frame = cof_frame_other(kind, (uint32_t)payload.len);
    uint8_t header[COF_FRAME_SIZE];
    cof_status st;

    cof_frame_emit(header, &frame);
    if ((st = cof_sink_write(w->sink, header, sizeof(header), err)) != COF_OK ||
        (st = cof_sink_write(w->sink, payload.data, payload.len, err)) != COF_OK)
        return st;
    w->at += COF_FRAME_SIZE + payload.len;
    return COF_OK;
}

/* IX-1 */
static cof_status put_index(cof_writer *w, cof_error *err)
{
    cof_index_ref ref = {w->volume, (uint32_t)w->pending_count, w->at,
                         w->records - w->pending_count};
    cof_index index = {w->volume, ref.count, w->pending_at, ref.first_record, w->pending};
    cof_buf payload = COF_BUF_INIT;
    cof_status st;

    if ((st = cof_index_emit(&payload, &index, err)) == COF_OK &&
        (st = cof_tail_add_index(&w->tail, &ref, err)) == COF_OK)
        st = put_closing(w, COF_FRAME_INDEX, cof_buf_slice(&payload), err);
    w->pending_count = 0;
    cof_buf_free(&payload);
    return st;
}

/* The present volume has all its frames: note how long it is. */
static cof_status list_volume(cof_writer *w, cof_error *err)
{
    const cof_manifest_volume volume = {w->at, w->first_record};

    w->listed += (size_t)snprintf(NULL, 0, "{\"bytes\":%" PRIu64 ",\"first_record\":%" PRIu64 "},",
                                  volume.bytes, volume.first_record);
    if (w->listed > LISTED_MAX)
        return cof_fail(err, COF_LIMIT,
                        "the backup needs more volumes than a manifest can list; let them be "
                        "larger");
    return cof_manifest_add_volume(&w->volumes, &volume, err);
}

static cof_status emit_later_head(cof_buf *out, const cof_writer *w, cof_error *err)
{
    cof_superblock sb = {.role = COF_VOLUME_LATER, .volume = w->volume + 1, .sequence = 1};
    uint8_t raw[COF_SUPERBLOCK_SIZE];
    cof_status st;

    memcpy(sb.preamble, w->preamble, sizeof(sb.preamble));
    if ((st = cof_superblock_emit(raw, &sb, err)) != COF_OK ||
        (st = cof_buf_append(out, raw, sizeof(raw), err)) != COF_OK)
        return st;
    return cof_buf_append(out, raw, sizeof(raw), err);
}

static cof_status put_volume_end(cof_writer *w, cof_error *err)
{
    uint8_t end[COF_VOLUME_END_SIZE];
    cof_status st = cof_writer_close(w, err);

    if (st != COF_OK)
        return st;
    cof_volume_end_emit(end, w->volume, w->records);
    return put_closing(w, COF_FRAME_VOLUME_END, (cof_slice){end, sizeof(end)}, err);
}

/*
 * The tail lists all volumes and indexes, and has to fit into one volume.  It only grows: better to
 * fail now than at the end.
 */
static cof_status check_tail(const cof_writer *w, cof_error *err)
{
    uint64_t limit = cof_sink_limit(w->sink);
    uint64_t least = w->tail.index_count * (uint64_t)LISTED_INDEX + w->listed;

    if (limit == 0 || 2 * least <= limit)
        return COF_OK;
    return cof_fail(err, COF_USAGE,
                    "volumes of %" PRIu64 " bytes are too small for a backup of so many: the list "
                    "of them does not fit into one; let them be larger",
                    limit);
}

/* Close this volume, and begin one that has room for so much. */
static cof_status next_volume(cof_writer *w, uint64_t room, cof_error *err)
{
    cof_buf head = COF_BUF_INIT;
    size_t skipped;
    cof_status st;

    if ((st = put_volume_end(w, err)) != COF_OK || (st = list_volume(w, err)) != COF_OK ||
        (st = check_tail(w, err)) != COF_OK || (st = emit_later_head(&head, w, err)) != COF_OK ||
        (st = cof_sink_next(w->sink, cof_buf_slice(&head), room, &skipped, err)) != COF_OK)
        goto out;
    if (skipped > 0)
        cof_note(w->report, "%zu volume%s left out, since there was no room", skipped,
                 skipped == 1 ? " was" : "s were");
    w->volume++;
    w->at = 0;
    w->first_record = w->records;
out:
    cof_buf_free(&head);
    return st;
}

/* A record; room is kept for the INDEX that it will need, and for the end of its volume. */
static cof_status put_record(cof_writer *w, const cof_sealed *sealed, cof_error *err)
{
    const cof_slice header = {sealed->header, COF_FRAME_SIZE};
    uint64_t len = COF_FRAME_SIZE + (uint64_t)sealed->payload.len;
    bool fits;
    cof_status st = cof_sink_append(&fits, w->sink, header, sealed->payload,
                                    index_size(w->pending_count + 1) + END_SIZE, err);

    while (st == COF_OK && !fits) {
        uint64_t keep = index_size(1) + END_SIZE;

        if ((st = next_volume(w, len + keep, err)) == COF_OK)
            st = cof_sink_append(&fits, w->sink, header, sealed->payload, keep, err);
    }
    return st;
}

/* ---- records ---- */

cof_frame cof_writer_place_lineage(const cof_writer *w)
{
    return (cof_frame){.kind = COF_FRAME_LINEAGE,
                       .stream = COF_STREAM_LINEAGE,
                       .record = w->records,
                       .offset = w->lineage_bytes};
}

cof_status cof_writer_record(cof_writer *w, uint8_t kind, const cof_sealed *sealed,
                             size_t plain_len, cof_error *err)
{
    cof_status st;

    if (w->records + 1 >= COF_RECORDS_MAX)
        return cof_fail(err, COF_LIMIT, "a backup has fewer than 2^48 records");
    if ((st = put_record(w, sealed, err)) != COF_OK ||
        (st = cof_merkle_add_entry(&w->tree, sealed->entry, err)) != COF_OK)
        return st;
    if (w->pending_count == 0)
        w->pending_at = w->at;
    w->at += COF_FRAME_SIZE + sealed->payload.len;
    memcpy(w->pending + w->pending_count++ * COF_ENTRY_SIZE, sealed->entry, COF_ENTRY_SIZE);
    if (kind == COF_FRAME_DATA)
        w->plain_bytes += plain_len;
    else if (kind == COF_FRAME_LINEAGE)
        w->lineage_bytes += plain_len;
    w->of_kind[kind]++;
    w->records++;
    return w->records % COF_INDEX_RECORDS == 0 ? put_index(w, err) : COF_OK;
}

cof_status cof_writer_close(cof_writer *w, cof_error *err)
{
    return w->pending_count > 0 ? put_index(w, err) : COF_OK;
}

/* ---- the end ---- */

cof_status cof_writer_describe(const cof_writer *w, cof_manifest *m, cof_error *err)
{
    const cof_manifest_volume last = {w->at, w->first_record};
    cof_status st = cof_merkle_root(m->root, &w->tree, err);

    for (size_t i = 0; st == COF_OK && i < w->volumes.volume_count; i++)
        st = cof_manifest_add_volume(m, &w->volumes.volumes[i], err);
    if (st != COF_OK)
        return st;
    m->records = w->records;
    m->data_records = w->of_kind[COF_FRAME_DATA];
    m->catalog_records = w->of_kind[COF_FRAME_CATALOG];
    m->lineage_records = w->of_kind[COF_FRAME_LINEAGE];
    m->plain_bytes = w->plain_bytes;
    return cof_manifest_add_volume(m, &last, err);
}

static cof_status emit_end(cof_buf *out, cof_writer *w, cof_slice manifest_cms,
                           const cof_slices *earlier, cof_error *err)
{
    cof_buf payload = COF_BUF_INIT;
    cof_status st;

    cof_slices_wipe(&w->tail.manifests);
    st = cof_slices_add(&w->tail.manifests, manifest_cms, err);
    for (size_t i = 0; st == COF_OK && earlier != NULL && i < earlier->count; i++)
        st = cof_slices_add(&w->tail.manifests, earlier->items[i], err);
    if (st == COF_OK && (st = cof_tail_emit(&payload, &w->tail, err)) == COF_OK)
        st = cof_ending_emit(out, w->at, cof_buf_slice(&payload), err);
    cof_buf_free(&payload);
    return st;
}

cof_status cof_writer_end(bool *again, cof_writer *w, cof_slice manifest_cms,
                          const cof_slices *earlier, cof_error *err)
{
    static const cof_slice nothing = COF_SLICE_INIT;
    cof_buf end = COF_BUF_INIT;
    bool fits = false;
    cof_status st;

    *again = false;
    if ((st = emit_end(&end, w, manifest_cms, earlier, err)) == COF_OK &&
        (st = cof_sink_append(&fits, w->sink, cof_buf_slice(&end), nothing, 0, err)) == COF_OK &&
        !fits) {
        *again = true;
        st = next_volume(w, end.len + 2 * (uint64_t)LISTED_MORE, err);
    }
    cof_buf_free(&end);
    return st;
}
