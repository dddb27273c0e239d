/* SPDX-License-Identifier: Apache-2.0 */

/* Frames to sink.  Nothing here knows a key. */

#include "engine/write.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/ending.h"
#include "format/index.h"
#include "format/limits.h"

cof_status cof_writer_init(cof_writer *out, cof_sink *sink, cof_error *err)
{
    memset(out, 0, sizeof(*out));
    out->sink = sink;
    out->tail = (cof_tail)COF_TAIL_INIT;
    cof_merkle_init(&out->tree);
    out->pending = malloc((size_t)COF_INDEX_RECORDS * COF_ENTRY_SIZE);
    return out->pending != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

void cof_writer_wipe(cof_writer *w)
{
    cof_tail_wipe(&w->tail);
    free(w->pending);
    w->pending = NULL;
}

static cof_status put_frame(cof_writer *w, const uint8_t header[COF_FRAME_SIZE], cof_slice payload,
                            cof_error *err)
{
    cof_status st;

    if ((st = cof_sink_write(w->sink, header, COF_FRAME_SIZE, err)) != COF_OK ||
        (st = cof_sink_write(w->sink, payload.data, payload.len, err)) != COF_OK)
        return st;
    w->at += COF_FRAME_SIZE + payload.len;
    return COF_OK;
}

/* IX-1 */
static cof_status put_index(cof_writer *w, cof_error *err)
{
    cof_index_ref ref = {1, (uint32_t)w->pending_count, w->at, w->records - w->pending_count};
    cof_index index = {1, ref.count, w->pending_at, ref.first_record, w->pending};
    uint8_t header[COF_FRAME_SIZE];
    cof_buf payload = COF_BUF_INIT;
    cof_frame frame;
    cof_status st;

    if ((st = cof_index_emit(&payload, &index, err)) != COF_OK ||
        (st = cof_tail_add_index(&w->tail, &ref, err)) != COF_OK)
        goto out;
    frame = cof_frame_other(COF_FRAME_INDEX, (uint32_t)payload.len);
    cof_frame_emit(header, &frame);
    st = put_frame(w, header, cof_buf_slice(&payload), err);
    w->pending_count = 0;
out:
    cof_buf_free(&payload);
    return st;
}

cof_frame cof_writer_place(const cof_writer *w, uint8_t kind)
{
    bool catalog = kind == COF_FRAME_CATALOG;

    return (cof_frame){.kind = kind,
                       .stream = catalog ? COF_STREAM_CATALOG : 0,
                       .record = w->records,
                       .offset = catalog ? w->catalog_bytes : w->plain_bytes};
}

cof_status cof_writer_record(cof_writer *w, uint8_t kind, const cof_sealed *sealed,
                             size_t plain_len, cof_error *err)
{
    uint64_t at = w->at;
    cof_status st;

    if (w->records + 1 >= COF_RECORDS_MAX)
        return cof_fail(err, COF_LIMIT, "a backup has fewer than 2^48 records");
    if ((st = put_frame(w, sealed->header, sealed->payload, err)) != COF_OK ||
        (st = cof_merkle_add_entry(&w->tree, sealed->entry, err)) != COF_OK)
        return st;
    if (w->pending_count == 0)
        w->pending_at = at;
    memcpy(w->pending + w->pending_count++ * COF_ENTRY_SIZE, sealed->entry, COF_ENTRY_SIZE);
    if (kind == COF_FRAME_CATALOG) {
        w->catalog_bytes += plain_len;
        w->catalog_records++;
    } else {
        w->plain_bytes += plain_len;
    }
    w->records++;
    return w->records % COF_INDEX_RECORDS == 0 ? put_index(w, err) : COF_OK;
}

cof_status cof_writer_close(cof_writer *w, cof_error *err)
{
    return w->pending_count > 0 ? put_index(w, err) : COF_OK;
}

cof_status cof_writer_describe(const cof_writer *w, cof_manifest *m, cof_error *err)
{
    const cof_manifest_volume volume = {w->at, 0};
    cof_status st = cof_merkle_root(m->root, &w->tree, err);

    if (st != COF_OK)
        return st;
    m->records = w->records;
    m->catalog_records = w->catalog_records;
    m->data_records = w->records - w->catalog_records;
    m->plain_bytes = w->plain_bytes;
    return cof_manifest_add_volume(m, &volume, err);
}

cof_status cof_writer_end(cof_writer *w, cof_slice manifest_cms, cof_error *err)
{
    cof_buf payload = COF_BUF_INIT, end = COF_BUF_INIT;
    cof_status st;

    if ((st = cof_slices_add(&w->tail.manifests, manifest_cms, err)) == COF_OK &&
        (st = cof_tail_emit(&payload, &w->tail, err)) == COF_OK &&
        (st = cof_ending_emit(&end, w->at, cof_buf_slice(&payload), err)) == COF_OK)
        st = cof_sink_write(w->sink, end.data, end.len, err);
    cof_buf_free(&payload);
    cof_buf_free(&end);
    return st;
}
