/* SPDX-License-Identifier: Apache-2.0 */

/* Putting envelopes together.  The bytes of statements are carried over, never made again. */

#include "engine/envelope.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/secret.h"

cof_status cof_envelope_with_manifest(cof_buf *out, const cof_envelope *e, cof_slice manifest,
                                      uint64_t slot_size, cof_protection protection, cof_error *err)
{
    cof_envelope with = *e; /* shares the lists, which stay e's */
    size_t before = out->len;
    cof_status st;

    with.manifest = manifest;
    st = cof_envelope_emit(out, &with, protection, err);
    if (st != COF_OK || out->len - before <= slot_size)
        return st;
    out->len = before;
    with.manifest = (cof_slice)COF_SLICE_INIT;
    return cof_envelope_emit(out, &with, protection, err);
}

/* CH-5: does statement i of the old chain stay? */
static bool stays(const cof_renewal *r, size_t i)
{
    bool first = r->old->chain[i].custody.generation == 1;
    bool latest = i + 1 == r->old->chain_count;

    return !r->reset && (!r->drop_history || first || latest);
}

static cof_status carry_history(cof_slices *out, const cof_renewal *r, cof_error *err)
{
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i + (r->approval ? 1 : 0) < r->old->chain_count; i++)
        if (stays(r, i))
            st = cof_slices_add(out, r->old->chain[i].cms, err);
    return st;
}

static bool has_key(const cof_cert_list *list, const cof_cert *cert)
{
    for (size_t i = 0; i < list->count; i++)
        if (cof_equal_consttime(cof_cert_spki_sha256(list->certs[i]), cof_cert_spki_sha256(cert),
                                32))
            return true;
    return false;
}

/* Did the key of cert sign this statement, as its author or as one of those who approved it? */
static bool signed_by(const cof_link *link, cof_cert *cert)
{
    bool valid = false;

    if (cof_equal_consttime(cof_cert_spki_sha256(cert), link->custody.by, 32))
        return true;
    return cof_signed_signer_count(link->message) > 1 &&
           cof_signed_verify(link->message, &cert, 1, &valid, NULL, NULL) == COF_OK && valid;
}

static bool is_needed(const cof_renewal *r, cof_cert *cert)
{
    const uint8_t *spki = cof_cert_spki_sha256(cert);

    if (cof_equal_consttime(spki, r->maker, 32) ||
        cof_equal_consttime(spki, r->preamble->maker, 32))
        return true;
    for (size_t i = 0; i < r->old->chain_count; i++)
        if (stays(r, i) && signed_by(&r->old->chain[i], cert))
            return true;
    return false;
}

/* One certificate for each key that is needed; of several the one that the caller trusts. */
static cof_status choose_signers(cof_cert_list *out, const cof_renewal *r, cof_error *err)
{
    const cof_candidates *known = &r->old->candidates;
    const cof_cert_list *signers = &r->old->signers;
    size_t base = known->count - signers->count; /* the last candidates are the signers */
    cof_status st = COF_OK;

    for (int trusted = 1; trusted >= 0; trusted--)
        for (size_t i = 0; st == COF_OK && i < signers->count; i++)
            if ((known->items[base + i].roles != 0) == trusted &&
                !has_key(out, signers->certs[i]) && is_needed(r, signers->certs[i]))
                st = cof_cert_list_add(out, signers->certs[i], err);
    return st;
}

static cof_status carry_certs(cof_envelope *e, const cof_renewal *r, cof_error *err)
{
    cof_cert_list signers = COF_CERT_LIST_INIT;
    cof_status st = choose_signers(&signers, r, err);

    for (size_t i = 0; st == COF_OK && i < r->recipients->count; i++)
        st = cof_slices_add(&e->recipients, cof_cert_der(r->recipients->certs[i]), err);
    for (size_t i = 0; st == COF_OK && i < signers.count; i++)
        st = cof_slices_add(&e->signers, cof_cert_der(signers.certs[i]), err);
    if (st == COF_OK && !cof_cert_list_has(&signers, r->signer))
        st = cof_slices_add(&e->signers, cof_cert_der(r->signer), err);
    cof_cert_list_wipe(&signers); /* the bytes stay the old envelope's */
    return st;
}

cof_status cof_envelope_renew(cof_buf *out, const cof_renewal *r, cof_error *err)
{
    cof_envelope e = COF_ENVELOPE_INIT;
    cof_status st;

    e.keys = r->keys;
    e.custody = r->custody;
    if ((st = carry_history(&e.history, r, err)) == COF_OK &&
        (st = carry_certs(&e, r, err)) == COF_OK)
        st = cof_envelope_with_manifest(out, &e, r->manifest, r->slot_size, r->preamble->protection,
                                        err);
    cof_envelope_wipe(&e);
    return st;
}

/* ---- of two heads ---- */

typedef struct joint {
    const cof_joining *j;   /* borrowed */
    const cof_link **links; /* owned; the statements as they will be, the newest last */
    size_t count;
} joint;

static const cof_link *find_statement(const cof_locks *locks, const cof_link *like)
{
    for (size_t i = 0; i < locks->chain_count; i++)
        if (cof_equal_consttime(locks->chain[i].json_sha256, like->json_sha256, 32))
            return &locks->chain[i];
    return NULL;
}

static cof_status judge(cof_judgement *out, const cof_link *link, const cof_locks *locks,
                        cof_error *err)
{
    return cof_judge(out, link->message, link->custody.by, &locks->candidates, COF_ROLE_CUSTODIAN,
                     err);
}

/* The same statement twice: the present message, unless that is bad, or the other one says more. */
static cof_status pick(const cof_link **out, const cof_joining *j, const cof_link *present,
                       const cof_link *next, cof_error *err)
{
    cof_judgement before, after;
    cof_status st;

    *out = present;
    if (cof_slice_equal(present->cms, next->cms))
        return COF_OK;
    if ((st = judge(&before, present, j->present, err)) != COF_OK ||
        (st = judge(&after, next, j->next, err)) != COF_OK)
        return st;
    if (after.standing == COF_STANDING_BAD)
        return COF_OK;
    if (before.standing == COF_STANDING_BAD ||
        (after.trusted_keys > before.trusted_keys &&
         cof_locks_keeps_signatures(&j->present->candidates, present, next)))
        *out = next;
    return COF_OK;
}

static cof_status join_statement(const cof_link **out, const cof_joining *j, const cof_link *next,
                                 cof_error *err)
{
    const cof_link *present = find_statement(j->present, next);
    cof_judgement judgement;
    cof_status st;

    if (present != NULL)
        return pick(out, j, present, next, err);
    *out = next;
    if ((st = judge(&judgement, next, j->next, err)) != COF_OK)
        return st;
    if (judgement.standing != COF_STANDING_BAD)
        return COF_OK;
    return cof_fail_rule(err, COF_AUTH, "IM-6", COF_NO_OFFSET,
                         "the list of recipients of generation %" PRIu64
                         ", in the history of the head that is to be imported, carries no valid "
                         "signature of who wrote it: the head was changed on its way",
                         next->custody.generation);
}

static cof_status join_chain(joint *to, cof_error *err)
{
    const cof_locks *from = to->j->approvals ? to->j->present : to->j->next;
    cof_status st = COF_OK;

    to->links = calloc(from->chain_count, sizeof(cof_link *));
    if (to->links == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    to->count = from->chain_count;
    to->links[to->count - 1] = cof_locks_newest(to->j->next);
    for (size_t i = 0; st == COF_OK && i + 1 < to->count; i++)
        if (to->j->approvals)
            to->links[i] = &from->chain[i];
        else
            st = join_statement(&to->links[i], to->j, &from->chain[i], err);
    return st;
}

static bool joint_needs(const joint *to, cof_cert *cert)
{
    const uint8_t *spki = cof_cert_spki_sha256(cert);

    if (cof_equal_consttime(spki, to->j->maker, 32) ||
        cof_equal_consttime(spki, to->j->preamble->maker, 32))
        return true;
    for (size_t i = 0; i < to->count; i++)
        if (signed_by(to->links[i], cert))
            return true;
    return false;
}

static cof_status join_signers(cof_cert_list *out, const joint *to, cof_error *err)
{
    const cof_cert_list *lists[] = {&to->j->present->signers, &to->j->next->signers};
    cof_status st = COF_OK;

    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; st == COF_OK && i < lists[l]->count; i++)
            if (!has_key(out, lists[l]->certs[i]) && joint_needs(to, lists[l]->certs[i]))
                st = cof_cert_list_add(out, lists[l]->certs[i], err);
    return st;
}

static cof_status emit_joint(cof_buf *out, const joint *to, const cof_cert_list *signers,
                             cof_error *err)
{
    const cof_joining *j = to->j;
    cof_envelope e = (j->approvals ? j->present : j->next)->envelope; /* shares keys, recipients */
    cof_status st = COF_OK;

    e.custody = j->next->envelope.custody;
    e.history = (cof_slices)COF_SLICES_INIT;
    e.signers = (cof_slices)COF_SLICES_INIT;
    for (size_t i = 0; st == COF_OK && i + 1 < to->count; i++)
        st = cof_slices_add(&e.history, to->links[i]->cms, err);
    for (size_t i = 0; st == COF_OK && i < signers->count; i++)
        st = cof_slices_add(&e.signers, cof_cert_der(signers->certs[i]), err);
    if (st == COF_OK)
        st = cof_envelope_with_manifest(out, &e, j->manifest, j->slot_size, j->preamble->protection,
                                        err);
    cof_slices_wipe(&e.history);
    cof_slices_wipe(&e.signers);
    return st;
}

cof_status cof_envelope_join(cof_buf *out, const cof_joining *joining, cof_error *err)
{
    joint to = {joining, NULL, 0};
    cof_cert_list signers = COF_CERT_LIST_INIT;
    cof_status st = join_chain(&to, err);

    if (st == COF_OK && (st = join_signers(&signers, &to, err)) == COF_OK)
        st = emit_joint(out, &to, &signers, err);
    cof_cert_list_wipe(&signers); /* the bytes stay the envelopes' */
    free(to.links);
    return st;
}
