/* SPDX-License-Identifier: Apache-2.0 */

/* Putting envelopes together.  The bytes of statements are carried over, never made again. */

#include "engine/envelope.h"

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
