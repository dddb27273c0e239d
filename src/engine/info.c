/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a backup is, put into words and numbers for a person, maker and custodian always (OP-3).
 * Every text is made safe here.
 */

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/approvals.h"
#include "engine/cipher.h"
#include "engine/reader.h"

static void describe_preamble(cof_info *info, const cof_preamble *p)
{
    cof_uuid_format(info->uuid, p->uuid);
    memcpy(info->label, p->label, sizeof(info->label));
    info->epoch = p->epoch;
    info->created = p->created;
    info->sealed = p->protection == COF_PROTECTION_SEALED;
    info->tree = p->content == COF_CONTENT_TREE;
    info->cipher = cof_cipher_name(p->cipher);
    info->record_size = p->record_size;
}

static void describe_manifest(cof_info *info, const cof_manifest *m)
{
    info->records = m->records;
    info->plain_bytes = m->plain_bytes;
    info->started = m->started;
    info->finished = m->finished;
    info->complete = m->complete;
    cof_hex_encode(info->root, m->root, sizeof(m->root));
    cof_text_safe_str(info->tool, sizeof(info->tool), m->tool);
}

static cof_status describe_recipients(cof_reader *r, cof_error *err)
{
    const cof_opened *o = &r->opened;
    const cof_custody *custody = &cof_locks_newest(&o->head.locks)->custody;
    size_t n = custody->recipient_count;
    cof_cert_info cert;

    r->recipients = calloc(n + 1, sizeof(*r->recipients));
    if (r->recipients == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const cof_custody_recipient *in = &custody->recipients[i];
        cof_recipient_info *out = &r->recipients[i];

        cof_cert_describe(&cert, o->head.locks.recipients.certs[i]);
        memcpy(out->subject, cert.subject, sizeof(out->subject));
        cof_fingerprint_format(out->fingerprint, in->spki);
        cof_hex_encode(out->cert_sha256, in->sha256, sizeof(in->sha256));
        out->not_after = in->not_after;
        cof_text_safe_str(out->key, sizeof(out->key), in->key);
        out->opened = o->schedule != NULL && o->opened_by == i;
    }
    r->info.recipients = r->recipients;
    r->info.recipient_count = n;
    return COF_OK;
}

static void describe_link(cof_custody_info *out, const cof_link *in, const cof_locks *locks)
{
    out->generation = in->custody.generation;
    cof_party_describe(&out->by, in->custody.by, in->judgement.standing, &locks->candidates);
    out->time = in->custody.time;
    cof_text_safe_str(out->reason, sizeof(out->reason), in->custody.reason);
    out->recipients = in->custody.recipient_count;
}

/* The newest first: its approvals are those that matter. */
static cof_status describe_chain(cof_reader *r, cof_error *err)
{
    const cof_locks *locks = &r->opened.head.locks;
    size_t n = locks->chain_count, tries = COF_APPROVALS_TRIES;
    cof_status st = COF_OK;

    r->custody = calloc(n, sizeof(*r->custody));
    r->approvals = calloc(n, sizeof(*r->approvals));
    if (r->custody == NULL || r->approvals == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    r->approval_lists = n;
    for (size_t i = 0; st == COF_OK && i < n; i++) {
        cof_custody_info *out = &r->custody[i];

        describe_link(out, &locks->chain[n - 1 - i], locks);
        st = cof_approvals_find(&r->approvals[i], &out->approval_count, locks, n - 1 - i, &tries,
                                err);
        out->approvals = r->approvals[i];
    }
    return st;
}

static cof_status describe_custody(cof_reader *r, cof_error *err)
{
    cof_locks *locks = &r->opened.head.locks;
    const cof_link *newest = cof_locks_newest(locks);
    cof_info *info = &r->info;
    cof_status st;

    if ((st = cof_locks_judge_history(locks, err)) != COF_OK ||
        (st = cof_locks_chain_start(&info->chain_start, locks, err)) != COF_OK ||
        (st = describe_chain(r, err)) != COF_OK)
        return st;
    info->custody = r->custody;
    info->custody_count = locks->chain_count;
    info->chain_complete = info->chain_start == 1;
    info->generation = newest->custody.generation;
    info->custodians = newest->judgement.trusted_keys;
    cof_hex_encode(info->custody_sha256, newest->json_sha256, 32);
    return COF_OK;
}

/* OP-3 */
static void describe_first_maker(cof_info *info, const cof_opened *o)
{
    info->first_maker = info->maker;
    if (o->head.preamble.epoch == 0)
        return;
    info->lineage = o->needs_lineage ? COF_LINEAGE_REQUIRED : COF_LINEAGE_CLAIMED;
    cof_party_describe(&info->first_maker, o->head.preamble.maker, COF_STANDING_CLAIMED,
                       &o->head.locks.candidates);
}

static cof_volume_state volume_state(const cof_opened *o, uint32_t number)
{
    if (o->trouble.status != COF_OK && o->trouble_volume == number)
        return COF_VOLUME_WRONG;
    if (!cof_body_has(o->body, number))
        return COF_VOLUME_MISSING;
    return number < o->manifest.volume_count &&
                   cof_body_len(o->body, number) != o->manifest.volumes[number - 1].bytes
               ? COF_VOLUME_WRONG
               : COF_VOLUME_HERE;
}

static cof_status describe_volumes(cof_reader *r, cof_error *err)
{
    const cof_opened *o = &r->opened;
    size_t n = o->manifest.volume_count;

    if (o->body == NULL) { /* a head alone */
        r->info.file_bytes = cof_head_length(&o->head);
        return COF_OK;
    }
    r->volumes = calloc(n, sizeof(*r->volumes));
    if (r->volumes == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        r->volumes[i] =
            (cof_volume_info){cof_body_path(o->body, i + 1), o->manifest.volumes[i].bytes,
                              o->manifest.volumes[i].first_record, volume_state(o, i + 1)};
        r->info.volumes_missing += r->volumes[i].state == COF_VOLUME_MISSING;
        r->info.file_bytes += cof_body_base(o->body, i + 1) + cof_body_len(o->body, i + 1);
    }
    r->info.volumes = r->volumes;
    r->info.volume_count = n;
    r->info.volume_problem = o->trouble.status != COF_OK ? o->trouble.message : NULL;
    return COF_OK;
}

cof_status cof_reader_describe(cof_reader *r, cof_error *err)
{
    const cof_opened *o = &r->opened;
    cof_info *info = &r->info;
    cof_status st;

    describe_preamble(info, &o->head.preamble);
    describe_manifest(info, &o->manifest);
    cof_party_describe(&info->maker, o->manifest.by, o->maker.standing, &o->head.locks.candidates);
    describe_first_maker(info, o);
    info->alone = o->head.sb.role == COF_VOLUME_HEAD_ALONE && r->options->envelope == NULL;
    info->slot_bytes = o->head.sb.slot_size;
    info->envelope_bytes = o->head.locks.raw.len;
    info->pending = cof_head_pending(&o->head);
    info->damaged = o->damaged;
    info->custody_proven = o->custody_proven;
    info->custody_problem = o->custody_problem[0] != '\0' ? o->custody_problem : NULL;
    if ((st = describe_volumes(r, err)) != COF_OK || cof_locks_newest(&o->head.locks) == NULL)
        return st;
    if ((st = describe_recipients(r, err)) != COF_OK)
        return st;
    return describe_custody(r, err);
}
