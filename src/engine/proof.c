/* SPDX-License-Identifier: Apache-2.0 */

/* The proof of one record, and what becomes readable by it. */

#include "engine/proof.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "engine/stats.h"

#define PIECE                                                                                      \
    ((size_t)128 << 10) /* is read and hashed at a time, so that the hash finds it near            \
                         */

struct cof_prover {
    const cof_preamble *preamble;
    cof_unsealer *unsealer;
    cof_sha256_ctx *sha;
    cof_stats stats;
    cof_origin *origin; /* NULL: none is demanded */
};

cof_status cof_proof_init(cof_proof *out, const cof_preamble *preamble, cof_error *err)
{
    memset(out, 0, sizeof(*out));
    out->frame = malloc(COF_FRAME_SIZE + (size_t)cof_frame_stored_max(preamble));
    out->room = malloc(preamble->record_size);
    return out->frame != NULL && out->room != NULL ? COF_OK
                                                   : cof_fail(err, COF_NOMEM, "out of memory");
}

/* What is in frame may be the first data key, which lies in a record of the lineage. */
void cof_proof_wipe(cof_proof *p)
{
    cof_wipe(p->frame, p->used);
    free(p->frame);
    free(p->room);
    memset(p, 0, sizeof(*p));
}

cof_status cof_prover_new(cof_prover **out, const cof_preamble *preamble,
                          const cof_schedule *schedule, cof_error *err)
{
    cof_prover *prover = calloc(1, sizeof(*prover));
    cof_status st;

    *out = NULL;
    if (prover == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    prover->preamble = preamble;
    if ((st = cof_unsealer_new(&prover->unsealer, preamble, schedule, err)) != COF_OK ||
        (st = cof_sha256_new(&prover->sha, err)) != COF_OK)
        goto out;
    *out = prover;
    prover = NULL; /* transferred */
out:
    cof_prover_free(prover);
    return st;
}

void cof_prover_free(cof_prover *prover)
{
    if (prover == NULL)
        return;
    cof_unsealer_free(prover->unsealer);
    cof_sha256_free(prover->sha);
    free(prover);
}

/* Read the frame, and hash its payload on the way. */
static cof_status read_hashing(cof_prover *prover, uint8_t sha256[COF_SHA256_SIZE], cof_proof *p,
                               cof_error *err)
{
    size_t len = COF_FRAME_SIZE + (size_t)p->header.stored_len;
    cof_status st = cof_sha256_init(prover->sha, err);

    p->used = cof_max_size(p->used, len);
    for (size_t at = 0, n; st == COF_OK && at < len; at += n) {
        size_t skip = at == 0 ? COF_FRAME_SIZE : 0;

        n = cof_min_size(len - at, PIECE);
        if ((st = cof_file_read_full(p->frame + at, n, p->span.file, p->span.off + at, err)) ==
            COF_OK)
            st = cof_sha256_update(prover->sha, p->frame + at + skip, n - skip, err);
    }
    return st == COF_OK ? cof_sha256_final(prover->sha, sha256, err) : st;
}

/* RC-8, RC-9: is the frame that was read the one that its proven entry describes? */
static cof_status compare(const cof_proof *p, const uint8_t sha256[COF_SHA256_SIZE], cof_error *err)
{
    bool same = memcmp(p->frame, cof_entry_header(p->entry), COF_FRAME_SIZE) == 0;

    if (same && memcmp(sha256, cof_entry_payload_sha256(p->entry), COF_SHA256_SIZE) == 0)
        return COF_OK;
    return cof_fail_rule(err, COF_AUTH, same ? "RC-8" : "RC-9", p->at.offset,
                         "record %" PRIu64 " is not the one that was signed: it was changed or is "
                         "damaged",
                         p->number);
}

void cof_prover_demand(cof_prover *prover, cof_origin *origin)
{
    prover->origin = origin;
}

cof_status cof_prover_decrypt(cof_prover *prover, cof_proof *p, cof_error *err)
{
    uint64_t since = cof_stats_now();
    uint8_t sha256[COF_SHA256_SIZE];
    cof_status st;

    if ((st = cof_frame_parse(&p->header, cof_entry_header(p->entry), err)) != COF_OK ||
        (st = cof_frame_check_record(&p->header, prover->preamble, err)) != COF_OK)
        return st;
    if (p->header.record != p->number)
        return cof_fail_rule(err, COF_AUTH, "RC-9", p->at.offset,
                             "record %" PRIu64 " is not in its place", p->number);
    if ((st = read_hashing(prover, sha256, p, err)) != COF_OK ||
        (st = compare(p, sha256, err)) != COF_OK)
        return st;
    since = cof_stats_add(&prover->stats, COF_STAGE_PROVE, since, p->header.stored_len);
    if ((st = cof_unsealer_decrypt(prover->unsealer, &p->content, &p->header, p->frame,
                                   p->frame + COF_FRAME_SIZE, err)) != COF_OK)
        return st;
    (void)cof_stats_add(&prover->stats, COF_STAGE_DECRYPT, since, p->content.len);
    if (prover->origin == NULL || p->number >= cof_origin_records(prover->origin))
        return COF_OK;
    return cof_origin_check(prover->origin, &p->header, p->content, err);
}

cof_status cof_prover_run(cof_prover *prover, cof_proof *p, cof_error *err)
{
    cof_status st = cof_prover_decrypt(prover, p, err);
    uint64_t since = cof_stats_now();

    if (st != COF_OK || (st = cof_unsealer_unpack(prover->unsealer, &p->plain, &p->header,
                                                  p->content, p->room, err)) != COF_OK)
        return st;
    if (p->header.codec != COF_CODEC_NONE)
        (void)cof_stats_add(&prover->stats, COF_STAGE_DECOMPRESS, since, p->plain.len);
    return COF_OK;
}

cof_stats *cof_prover_stats(cof_prover *prover)
{
    return &prover->stats;
}
