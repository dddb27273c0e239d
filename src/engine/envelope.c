/* SPDX-License-Identifier: Apache-2.0 */

/* Putting envelopes together.  The bytes of statements are carried over, never made again. */

#include "engine/envelope.h"

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

static cof_status carry_history(cof_slices *out, const cof_renewal *r, cof_error *err)
{
    const cof_locks *old = r->old;
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < old->chain_count; i++) {
        bool first = old->chain[i].custody.generation == 1;
        bool latest = i + 1 == old->chain_count;

        if (!r->drop_history || first || latest)
            st = cof_slices_add(out, old->chain[i].cms, err);
    }
    return st;
}

static cof_status carry_certs(cof_envelope *e, const cof_renewal *r, cof_error *err)
{
    const cof_cert_list *signers = &r->old->signers;
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < r->recipients->count; i++)
        st = cof_slices_add(&e->recipients, cof_cert_der(r->recipients->certs[i]), err);
    for (size_t i = 0; st == COF_OK && i < signers->count; i++)
        st = cof_slices_add(&e->signers, cof_cert_der(signers->certs[i]), err);
    if (st == COF_OK && !cof_cert_list_has(signers, r->signer))
        st = cof_slices_add(&e->signers, cof_cert_der(r->signer), err);
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
        st = cof_envelope_with_manifest(out, &e, r->manifest, r->slot_size, r->protection, err);
    cof_envelope_wipe(&e);
    return st;
}
