/* SPDX-License-Identifier: Apache-2.0 */

/* Looking for the hands under a statement. */

#include "engine/approvals.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

typedef struct search {
    const cof_candidates *known;
    const cof_link *link;
    size_t *tries;
    cof_party *found; /* owned */
    size_t count;
} search;

/* Has this key been dealt with, as the author's or in another certificate before? */
static bool is_done(const search *s, size_t i, const bool *signed_by)
{
    const uint8_t *spki = cof_cert_spki_sha256(s->known->items[i].cert);

    if (cof_equal_consttime(spki, s->link->custody.by, 32))
        return true;
    for (size_t k = 0; k < i; k++)
        if (signed_by[k] &&
            cof_equal_consttime(cof_cert_spki_sha256(s->known->items[k].cert), spki, 32))
            return true;
    return false;
}

/* The roles of a key are those of all its certificates here. */
static cof_standing standing_of(const cof_candidates *known, const uint8_t spki[32])
{
    for (size_t i = 0; i < known->count; i++)
        if ((known->items[i].roles & COF_ROLE_CUSTODIAN) != 0 &&
            cof_equal_consttime(cof_cert_spki_sha256(known->items[i].cert), spki, 32))
            return COF_STANDING_TRUSTED;
    return COF_STANDING_CLAIMED;
}

static cof_status add(search *s, cof_cert *cert, cof_error *err)
{
    const uint8_t *spki = cof_cert_spki_sha256(cert);
    cof_party *grown = realloc(s->found, (s->count + 1) * sizeof(*grown));

    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    s->found = grown;
    cof_party_describe(&grown[s->count++], spki, standing_of(s->known, spki), s->known);
    return COF_OK;
}

static cof_status try_one(search *s, size_t i, bool *signed_by, cof_error *err)
{
    cof_cert *cert = s->known->items[i].cert;
    size_t cost = cof_signed_signer_count(s->link->message);
    cof_status st;

    if (is_done(s, i, signed_by) || *s->tries < cost)
        return COF_OK;
    *s->tries -= cost;
    st = cof_signed_verify(s->link->message, &cert, 1, &signed_by[i], NULL, err);
    if (st == COF_AUTH || st == COF_UNSUPPORTED)
        return COF_OK;
    return st == COF_OK && signed_by[i] ? add(s, cert, err) : st;
}

cof_status cof_approvals_find(cof_party **out, size_t *count, const cof_locks *locks, size_t i,
                              size_t *tries, cof_error *err)
{
    search s = {&locks->candidates, &locks->chain[i], tries, NULL, 0};
    bool *signed_by = calloc(locks->candidates.count + 1, sizeof(*signed_by));
    cof_status st = signed_by != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");

    *out = NULL;
    *count = 0;
    if (cof_signed_signer_count(s.link->message) > 1) /* else there is the author only */
        for (size_t k = 0; st == COF_OK && k < s.known->count; k++)
            st = try_one(&s, k, signed_by, err);
    free(signed_by);
    if (st == COF_OK) {
        *out = s.found;
        *count = s.count;
        s.found = NULL; /* transferred */
    }
    free(s.found);
    return st;
}
