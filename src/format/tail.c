/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tail: where the index frames are, and the manifests.  Only its own hash protects it, so all
 * of it is a hint but the manifests, which carry signatures.
 */

#include "format/tail.h"

#include "format/index.h"
#include "format/internal.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <stdlib.h>

#define MAGIC        "COFTAIL\n"
#define MAGIC_SIZE   8
#define REF_SIZE     24
#define MANIFEST_MIN (4 + 1) /* a length and one byte */

cof_status cof_tail_add_index(cof_tail *tail, const cof_index_ref *ref, cof_error *err)
{
    void *items = tail->indexes;
    cof_status st;

    if ((st = cof_format_grow(&items, &tail->index_cap, tail->index_count, sizeof(*ref), err)) !=
        COF_OK)
        return st;
    tail->indexes = items;
    tail->indexes[tail->index_count++] = *ref;
    return COF_OK;
}

bool cof_index_ref_same(const cof_index_ref *a, const cof_index_ref *b)
{
    return a->volume == b->volume && a->count == b->count && a->offset == b->offset &&
           a->first_record == b->first_record;
}

bool cof_tail_same_indexes(const cof_tail *a, const cof_tail *b)
{
    if (a->index_count != b->index_count)
        return false;
    for (size_t i = 0; i < a->index_count; i++)
        if (!cof_index_ref_same(&a->indexes[i], &b->indexes[i]))
            return false;
    return true;
}

uint64_t cof_tail_records(const cof_tail *tail)
{
    if (tail->index_count == 0)
        return 0;
    const cof_index_ref *last = &tail->indexes[tail->index_count - 1];
    return last->first_record + last->count;
}

void cof_tail_wipe(cof_tail *tail)
{
    free(tail->indexes);
    cof_slices_wipe(&tail->manifests);
    *tail = (cof_tail)COF_TAIL_INIT;
}

/* TL-5: may `ref` follow `before` (NULL for the first)? */
static bool ref_follows(const cof_index_ref *ref, const cof_index_ref *before)
{
    if (ref->volume == 0 || ref->volume > COF_VOLUMES_MAX ||
        !cof_index_range_valid(ref->first_record, ref->count))
        return false;
    if (before == NULL)
        return ref->first_record == 0;
    return ref->first_record == before->first_record + before->count &&
           (ref->volume > before->volume ||
            (ref->volume == before->volume && ref->offset > before->offset));
}

static cof_status check_ref(const cof_tail *tail, const cof_index_ref *ref, size_t i,
                            cof_error *err)
{
    if (!ref_follows(ref, i == 0 ? NULL : &tail->indexes[i - 1]))
        return cof_fail_rule(err, COF_FORMAT, "TL-5", COF_NO_OFFSET,
                             "index frame %zu of the tail does not follow the one before it", i);
    if (ref->first_record > COF_RECORDS_MAX - ref->count)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                             "the tail lists too many records");
    return COF_OK;
}

static cof_status check_manifest(uint64_t len, cof_error *err)
{
    if (len == 0)
        return cof_fail_rule(err, COF_FORMAT, "TL-5", COF_NO_OFFSET,
                             "the tail has an empty manifest");
    if (len > COF_STATEMENT_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                             "a manifest of %" PRIu64 " bytes", len);
    return COF_OK;
}

/* ---- writing -------------------------------------------------------------------------------- */

static cof_status check_tail(const cof_tail *tail, cof_error *err)
{
    uint64_t len = MAGIC_SIZE + 8 + (uint64_t)tail->index_count * REF_SIZE;
    cof_status st;

    if (tail->manifests.count == 0)
        return cof_fail_rule(err, COF_USAGE, "TL-5", COF_NO_OFFSET, "the tail has no manifest");
    for (size_t i = 0; i < tail->index_count; i++) {
        if ((st = check_ref(tail, &tail->indexes[i], i, err)) != COF_OK)
            return st;
    }
    for (size_t i = 0; i < tail->manifests.count; i++) {
        if ((st = check_manifest(tail->manifests.items[i].len, err)) != COF_OK)
            return st;
        len += 4 + tail->manifests.items[i].len;
    }
    if (len > COF_TAIL_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                             "the tail would be %" PRIu64 " bytes", len);
    return COF_OK;
}

static cof_status put_ref(cof_put *w, const cof_index_ref *ref)
{
    cof_status st;

    if ((st = cof_put_u32(w, ref->volume)) != COF_OK ||
        (st = cof_put_u32(w, ref->count)) != COF_OK || (st = cof_put_u64(w, ref->offset)) != COF_OK)
        return st;
    return cof_put_u64(w, ref->first_record);
}

static cof_status put_tail(cof_put *w, const cof_tail *tail)
{
    cof_status st;

    if ((st = cof_put_bytes(w, MAGIC, MAGIC_SIZE)) != COF_OK ||
        (st = cof_put_u32(w, (uint32_t)tail->index_count)) != COF_OK ||
        (st = cof_put_u32(w, (uint32_t)tail->manifests.count)) != COF_OK)
        return st;
    for (size_t i = 0; i < tail->index_count; i++) {
        if ((st = put_ref(w, &tail->indexes[i])) != COF_OK)
            return st;
    }
    for (size_t i = 0; i < tail->manifests.count; i++) {
        cof_slice m = tail->manifests.items[i];
        if ((st = cof_put_u32(w, (uint32_t)m.len)) != COF_OK ||
            (st = cof_put_slice(w, m)) != COF_OK)
            return st;
    }
    return COF_OK;
}

cof_status cof_tail_emit(cof_buf *out, const cof_tail *tail, cof_error *err)
{
    size_t before = out->len;
    cof_put w;
    cof_status st;

    if ((st = check_tail(tail, err)) != COF_OK)
        return cof_format_as_usage(st, err);
    cof_put_init_buf(&w, out);
    if ((st = put_tail(&w, tail)) != COF_OK) {
        out->len = before;
        return cof_fail(err, st, "no memory for the tail");
    }
    return COF_OK;
}

/* ---- reading -------------------------------------------------------------------------------- */

static cof_status cut_off(cof_error *err)
{
    return cof_fail_rule(err, COF_FORMAT, "GE-2", COF_NO_OFFSET, "the tail is cut off");
}

static cof_status parse_refs(cof_tail *tail, cof_get *g, uint32_t n, cof_error *err)
{
    cof_index_ref ref;
    cof_status st;

    if (n > g->left / REF_SIZE)
        return cut_off(err);
    for (size_t i = 0; i < n; i++) {
        if (cof_get_u32(g, &ref.volume) != COF_OK || cof_get_u32(g, &ref.count) != COF_OK ||
            cof_get_u64(g, &ref.offset) != COF_OK || cof_get_u64(g, &ref.first_record) != COF_OK)
            return cut_off(err);
        if ((st = check_ref(tail, &ref, i, err)) != COF_OK ||
            (st = cof_tail_add_index(tail, &ref, err)) != COF_OK)
            return st;
    }
    return COF_OK;
}

static cof_status parse_manifests(cof_tail *tail, cof_get *g, uint32_t m, cof_error *err)
{
    cof_slice manifest = COF_SLICE_INIT;
    uint32_t len;
    cof_status st;

    if (m > g->left / MANIFEST_MIN)
        return cut_off(err);
    for (uint32_t i = 0; i < m; i++) {
        if (cof_get_u32(g, &len) != COF_OK)
            return cut_off(err);
        if ((st = check_manifest(len, err)) != COF_OK)
            return st;
        if (cof_get_slice(g, &manifest, len) != COF_OK)
            return cut_off(err);
        if ((st = cof_slices_add(&tail->manifests, manifest, err)) != COF_OK)
            return st;
    }
    if (cof_get_done(g) != COF_OK)
        return cof_fail_rule(err, COF_FORMAT, "GE-3", COF_NO_OFFSET,
                             "the tail goes on behind its manifests");
    return COF_OK;
}

cof_status cof_tail_parse(cof_tail *out, cof_slice raw, uint32_t epoch, cof_error *err)
{
    cof_tail tail = COF_TAIL_INIT;
    uint32_t n, m;
    cof_get g;
    cof_status st;

    *out = tail;
    if (raw.len > COF_TAIL_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET, "a tail of %zu bytes", raw.len);
    cof_get_init_slice(&g, raw);
    if (cof_get_expect(&g, MAGIC, MAGIC_SIZE) != COF_OK || cof_get_u32(&g, &n) != COF_OK ||
        cof_get_u32(&g, &m) != COF_OK)
        return cof_fail_rule(err, COF_FORMAT, "TL-5", COF_NO_OFFSET,
                             "there is no tail where one must stand");
    if (m != (uint64_t)epoch + 1)
        return cof_fail_rule(err, COF_FORMAT, "TL-5", COF_NO_OFFSET,
                             "the tail of epoch %" PRIu32 " has %" PRIu32 " manifests", epoch, m);
    if ((st = parse_refs(&tail, &g, n, err)) != COF_OK ||
        (st = parse_manifests(&tail, &g, m, err)) != COF_OK)
        goto out;
    *out = tail;
    tail = (cof_tail)COF_TAIL_INIT; /* transferred */
out:
    cof_tail_wipe(&tail);
    return st;
}
