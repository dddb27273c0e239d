/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Proving a lineage.  Read it from the bottom.  Everything in the LINEAGE records was written by
 * somebody who rekeyed, and who may be the attacker: he knows every data key, and what he could not
 * do is sign as the first maker.  So nothing counts but what follows from that signature.
 */

#include "engine/origin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "engine/fetch.h"
#include "format/custody.h"
#include "format/limits.h"
#include "format/lineage.h"

struct cof_origin {
    cof_fetch *fetch;         /* borrowed */
    const cof_opened *opened; /* borrowed */
    bool trusted;
    uint64_t records; /* of epoch 0 */

    cof_secret *dek; /* of epoch 0; gone when schedule is there */
    cof_preamble first;
    cof_schedule *schedule;
    cof_sealer *sealer;    /* as the first maker sealed */
    cof_manifest manifest; /* his */
    cof_buf *manifests;    /* of all earlier epochs, count of them; owned */
    size_t count;
    uint64_t kept; /* bytes of them */

    uint8_t core[COF_SHA256_SIZE];     /* of the preamble that was read last */
    uint8_t previous[COF_SHA256_SIZE]; /* of the manifest that was read last */

    uint8_t (*roots)[COF_SHA256_SIZE];
    size_t blocks;
    uint8_t *entries; /* one block of them, as they were in epoch 0 */
    uint8_t *hashes;  /* of the block that is at hand */
    size_t block;     /* SIZE_MAX: none is */
    uint64_t sought;
};

static cof_status refuse(const char *what, cof_error *err)
{
    return cof_fail_rule(err, COF_AUTH, "LI-1", COF_NO_OFFSET,
                         "this backup was re-encrypted, and it is not what its first maker signed: "
                         "%s",
                         what);
}

/* What the lineage says is wrong; that there is no memory, or the like, is not its fault. */
static cof_status refuse_unless(cof_status st, const char *what, cof_error *err)
{
    return st == COF_FORMAT || st == COF_AUTH || st == COF_UNSUPPORTED || st == COF_LIMIT
               ? refuse(what, err)
               : st;
}

/* ---- items ---- */

static cof_status take_dek(cof_origin *o, const cof_lineage_item *item, cof_error *err)
{
    cof_status st = cof_secret_new(&o->dek, item->value.len, err);

    if (st == COF_OK)
        memcpy(cof_secret_bytes(o->dek), item->value.data, item->value.len);
    return st;
}

/* What a rekey may change: salt, cipher, epoch. */
static bool same_preamble(const cof_preamble *a, const cof_preamble *b)
{
    return cof_equal_consttime(a->uuid, b->uuid, sizeof(a->uuid)) &&
           a->record_size == b->record_size && a->created == b->created &&
           a->tree_hash == b->tree_hash && a->key_schedule == b->key_schedule &&
           a->content == b->content && a->protection == b->protection &&
           a->body_incompat == b->body_incompat &&
           cof_equal_consttime(a->maker, b->maker, sizeof(a->maker)) &&
           strcmp(a->label, b->label) == 0;
}

/* 1 of LI-1. */
static cof_status take_preamble(cof_origin *o, const cof_lineage_item *item, cof_error *err)
{
    cof_preamble p;
    cof_status st = cof_preamble_parse(&p, item->value.data, err);

    if (st != COF_OK)
        return refuse_unless(st, "a preamble of its lineage is none", err);
    if (p.epoch != item->epoch || !same_preamble(&p, &o->opened->head.preamble))
        return refuse("it is another backup", err);
    if (item->epoch == 0)
        o->first = p;
    return cof_preamble_core(o->core, item->value.data, err);
}

/* 2 of LI-1: what a rekey carries over. */
static bool same_content(const cof_manifest *a, const cof_manifest *b)
{
    return cof_equal_consttime(a->backup, b->backup, sizeof(a->backup)) &&
           a->content == b->content && a->complete == b->complete &&
           a->data_records == b->data_records && a->catalog_records == b->catalog_records &&
           a->plain_bytes == b->plain_bytes && a->started == b->started &&
           a->finished == b->finished;
}

static bool follows(const cof_origin *o, const cof_manifest *m)
{
    return m->has_previous && cof_equal_consttime(m->previous, o->previous, sizeof(o->previous));
}

/* 2 and 3 of LI-1 for one manifest. */
static cof_status check_manifest(const cof_origin *o, const cof_manifest *m,
                                 const cof_lineage_item *item, cof_error *err)
{
    if (m->epoch != item->epoch || !cof_equal_consttime(m->core, o->core, sizeof(o->core)))
        return refuse("a manifest of another backup is in its lineage", err);
    if (item->epoch > 0 && !follows(o, m))
        return refuse("a manifest of its lineage does not follow from the one before", err);
    if (!same_content(m, &o->opened->manifest))
        return refuse("what is said about the content was changed", err);
    if (m->records != item->first_record)
        return refuse("records were added or left out", err);
    return COF_OK;
}

/* 4 of LI-1: the one signature that counts. */
static cof_status check_maker(const cof_origin *o, const cof_signed *message, cof_error *err)
{
    cof_judgement judgement;
    cof_status st = cof_judge(&judgement, message, o->manifest.by,
                              &o->opened->head.locks.candidates, COF_ROLE_MAKER, err);

    if (st != COF_OK)
        return st;
    if (!cof_equal_consttime(o->manifest.by, o->opened->head.preamble.maker,
                             sizeof(o->manifest.by)))
        return refuse("its first manifest is by somebody else", err);
    if (judgement.standing == COF_STANDING_TRUSTED ||
        (!o->trusted && judgement.standing == COF_STANDING_CLAIMED))
        return COF_OK;
    return refuse("its first manifest has no signature of a maker who is trusted", err);
}

/* The rest of 4: with this data key and no other. */
static cof_status check_key(cof_origin *o, cof_error *err)
{
    cof_status st = cof_schedule_new(&o->schedule, o->core, o->dek, o->first.cipher, err);

    cof_secret_free(o->dek);
    o->dek = NULL;
    if (st != COF_OK)
        return st;
    if (!o->manifest.has_commitment)
        return refuse("its first data key is another", err);
    st = cof_schedule_check_commitment(o->schedule, o->manifest.commitment, err);
    if (st != COF_OK)
        return refuse_unless(st, "its first data key is another", err);
    return cof_sealer_new(&o->sealer, &o->first, o->schedule, COF_CODEC_NONE, 0, err);
}

/*
 * An epoch costs its writer little: of the manifests of all of them, no more is kept than the
 * largest tail has bytes.
 */
static cof_status keep_message(cof_origin *o, cof_slice cms, cof_error *err)
{
    cof_buf *grown;

    if (cms.len > COF_TAIL_MAX - o->kept)
        return cof_fail(err, COF_LIMIT,
                        "the backup was re-encrypted too often: its earlier manifests have "
                        "more than %" PRIu32 " bytes",
                        COF_TAIL_MAX);
    o->kept += cms.len;
    if ((grown = realloc(o->manifests, (o->count + 1) * sizeof(*grown))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    o->manifests = grown;
    grown[o->count] = (cof_buf)COF_BUF_INIT;
    return cof_buf_append(&grown[o->count++], cms.data, cms.len, err);
}

static cof_status take_first_manifest(cof_origin *o, const cof_signed *message, cof_error *err)
{
    cof_status st = check_maker(o, message, err);

    return st == COF_OK ? check_key(o, err) : st;
}

static cof_status take_manifest(cof_origin *o, const cof_lineage_item *item, cof_error *err)
{
    cof_manifest m = COF_MANIFEST_INIT;
    cof_signed *message = NULL;
    cof_slice json;
    cof_status st;

    if ((st = cof_signed_parse(&message, item->value, COF_OID_MANIFEST, 1, err)) != COF_OK ||
        (st = cof_manifest_parse(&m, cof_signed_content(message), err)) != COF_OK) {
        st = refuse_unless(st, "a manifest of its lineage is none", err);
        goto out;
    }
    json = cof_signed_content(message);
    if ((st = check_manifest(o, &m, item, err)) != COF_OK ||
        (st = cof_sha256(o->previous, json.data, json.len, err)) != COF_OK ||
        (st = keep_message(o, item->value, err)) != COF_OK)
        goto out;
    if (item->epoch == 0) {
        o->manifest = m;
        m = (cof_manifest)COF_MANIFEST_INIT; /* transferred */
        st = take_first_manifest(o, message, err);
    }
out:
    cof_manifest_wipe(&m);
    cof_signed_free(message);
    return st;
}

/* ---- hashes ---- */

/*
 * The root of block b as it was in epoch 0: headers from the proven entries of today, hashes from
 * the lineage.
 */
static cof_status old_block_root(cof_origin *o, uint8_t out[COF_SHA256_SIZE], size_t b,
                                 const uint8_t *hashes, size_t count, cof_error *err)
{
    const cof_entries *e = &o->fetch->entries;
    cof_frame f;
    cof_status st = cof_fetch_load_block(o->fetch, b, err);

    if (st != COF_OK)
        return st;
    if (e->count < count)
        return refuse("records were left out", err);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *header = cof_entry_header(e->entries + i * COF_ENTRY_SIZE);

        if ((st = cof_frame_parse(&f, header, err)) != COF_OK)
            return st;
        if (f.kind == COF_FRAME_LINEAGE)
            return refuse("records were left out", err);
        cof_entry_make(o->entries + i * COF_ENTRY_SIZE, header, hashes + i * COF_SHA256_SIZE);
    }
    return cof_merkle_block_root(out, o->entries, count, err);
}

static cof_status take_hashes(cof_origin *o, const cof_lineage_item *item, cof_error *err)
{
    size_t b = (size_t)(item->first_record / COF_MERKLE_BLOCK);

    return old_block_root(o, o->roots[b], b, item->value.data, item->value.len / COF_SHA256_SIZE,
                          err);
}

static cof_status take_item(void *ctx, const cof_lineage_item *item, cof_error *err)
{
    switch (item->type) {
    case COF_LINEAGE_DEK:
        return take_dek(ctx, item, err);
    case COF_LINEAGE_PREAMBLE:
        return take_preamble(ctx, item, err);
    case COF_LINEAGE_MANIFEST:
        return take_manifest(ctx, item, err);
    case COF_LINEAGE_HASHES:
        return take_hashes(ctx, item, err);
    }
    return cof_fail(err, COF_INTERNAL, "an item of no type");
}

/* ---- the whole ---- */

/* The sealed content of a LINEAGE record, which is its plaintext (LI-3). */
static cof_status fetch_lineage(cof_origin *o, cof_slice *plain, uint64_t number, cof_error *err)
{
    cof_status st = cof_fetch_sealed(o->fetch, plain, number, err);

    if (st == COF_OK && o->fetch->header.kind != COF_FRAME_LINEAGE)
        st = refuse("other records stand where its lineage should", err);
    return st;
}

static cof_status read_lineage(cof_origin *o, cof_lineage *l, cof_error *err)
{
    cof_slice plain;
    cof_status st = COF_OK;

    for (uint64_t n = o->records; st == COF_OK && n < o->opened->manifest.records; n++)
        if ((st = fetch_lineage(o, &plain, n, err)) == COF_OK)
            st = cof_lineage_record(l, plain, err);
    cof_fetch_forget(o->fetch); /* the first data key was in there */
    return st == COF_OK ? cof_lineage_finish(l, err) : st;
}

/* The end of 2, and 5 of LI-1. */
static cof_status check_whole(const cof_origin *o, cof_error *err)
{
    uint8_t root[COF_SHA256_SIZE];
    cof_status st =
        cof_merkle_combine(root, (const uint8_t(*)[COF_SHA256_SIZE])o->roots, o->blocks, err);

    if (st != COF_OK)
        return st;
    if (!follows(o, &o->opened->manifest))
        return refuse("its manifest does not follow from its lineage", err);
    if (!cof_equal_consttime(root, o->manifest.root, sizeof(root)))
        return refuse("records or their hashes were changed", err);
    return COF_OK;
}

static cof_status prove(cof_origin *o, cof_error *err)
{
    cof_lineage lineage;
    cof_status st =
        cof_lineage_init(&lineage, &o->opened->head.preamble, o->records, take_item, o, err);

    if (st == COF_OK)
        st = read_lineage(o, &lineage, err);
    if (st == COF_OK)
        st = check_whole(o, err);
    cof_lineage_wipe(&lineage);
    return st;
}

cof_status cof_origin_new(cof_origin **out, cof_fetch *fetch, bool trusted, cof_error *err)
{
    const cof_manifest *m = &fetch->reader->opened.manifest;
    cof_origin *o = calloc(1, sizeof(*o));
    cof_status st;

    *out = NULL;
    if (o == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    o->fetch = fetch;
    o->opened = &fetch->reader->opened;
    o->trusted = trusted;
    o->records = m->records - m->lineage_records;
    o->blocks = (size_t)((o->records + COF_MERKLE_BLOCK - 1) / COF_MERKLE_BLOCK);
    o->roots = calloc(o->blocks + 1, sizeof(*o->roots));
    o->entries = malloc((size_t)COF_MERKLE_BLOCK * COF_ENTRY_SIZE);
    o->hashes = malloc((size_t)COF_MERKLE_BLOCK * COF_SHA256_SIZE);
    o->block = SIZE_MAX;
    st = o->roots != NULL && o->entries != NULL && o->hashes != NULL
             ? prove(o, err)
             : cof_fail(err, COF_NOMEM, "out of memory");
    if (st == COF_OK) {
        *out = o;
        o = NULL; /* transferred */
    }
    cof_origin_free(o);
    return st;
}

void cof_origin_free(cof_origin *o)
{
    if (o == NULL)
        return;
    for (size_t i = 0; i < o->count; i++)
        cof_buf_free(&o->manifests[i]);
    free(o->manifests);
    cof_manifest_wipe(&o->manifest);
    cof_sealer_free(o->sealer);
    cof_schedule_free(o->schedule);
    cof_secret_free(o->dek);
    free(o->roots);
    free(o->entries);
    free(o->hashes);
    free(o);
}

uint64_t cof_origin_records(const cof_origin *o)
{
    return o->records;
}

const cof_buf *cof_origin_manifests(const cof_origin *o, size_t *count)
{
    *count = o->count;
    return o->manifests;
}

/* ---- record by record ---- */

/* Read len bytes of the lineage, which was proven to be long enough. */
static cof_status read_stream(cof_origin *o, uint8_t *out, size_t len, uint64_t at, cof_error *err)
{
    uint32_t size = o->opened->head.preamble.record_size; /* LI-3: the first addition's are full */
    cof_slice plain;
    cof_status st = COF_OK;

    while (st == COF_OK && len > 0) {
        size_t skip = (size_t)(at % size), n;

        if ((st = fetch_lineage(o, &plain, o->records + at / size, err)) != COF_OK)
            return st;
        if (plain.len <= skip)
            return refuse("its lineage changed while it was read", err);
        n = plain.len - skip < len ? plain.len - skip : len;
        memcpy(out, plain.data + skip, n);
        out += n;
        at += n;
        len -= n;
    }
    return st;
}

static cof_status load_hashes(cof_origin *o, size_t b, cof_error *err)
{
    size_t count = cof_lineage_block_count(o->records, b);
    uint64_t at = cof_lineage_block_at(b, o->manifests[0].len);
    uint8_t root[COF_SHA256_SIZE];
    cof_status st;

    o->block = SIZE_MAX;
    st = read_stream(o, o->hashes, count * COF_SHA256_SIZE, at, err);
    cof_fetch_forget(o->fetch);
    if (st != COF_OK || (st = old_block_root(o, root, b, o->hashes, count, err)) != COF_OK)
        return st;
    if (!cof_equal_consttime(root, o->roots[b], sizeof(root)))
        return refuse("its lineage changed while it was read", err);
    o->block = b;
    return COF_OK;
}

cof_status cof_origin_seek(cof_origin *o, uint64_t number, cof_error *err)
{
    size_t b = (size_t)(number / COF_MERKLE_BLOCK);

    o->sought = number;
    if (number >= o->records)
        return cof_fail(err, COF_INTERNAL, "the first epoch had no record %" PRIu64, number);
    return b == o->block ? COF_OK : load_hashes(o, b, err);
}

cof_status cof_origin_check(cof_origin *o, const cof_frame *frame, cof_slice content,
                            cof_error *err)
{
    const uint8_t *hash = o->hashes + (size_t)(o->sought % COF_MERKLE_BLOCK) * COF_SHA256_SIZE;
    cof_sealed again;
    cof_status st;

    if (frame->record != o->sought)
        return cof_fail(err, COF_INTERNAL, "record %" PRIu64 " was not sought", frame->record);
    if ((st = cof_sealer_again(o->sealer, &again, frame, content, err)) != COF_OK)
        return st;
    if (!cof_equal_consttime(cof_entry_payload_sha256(again.entry), hash, COF_SHA256_SIZE))
        return cof_fail_rule(err, COF_AUTH, "LI-1", COF_NO_OFFSET,
                             "record %" PRIu64
                             " is not the one that the first maker signed: it was "
                             "changed when the backup was re-encrypted",
                             frame->record);
    return COF_OK;
}
