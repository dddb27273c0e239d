/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The only place where signatures meet trust.  A signature counts as trusted when three things
 * hold for one and the same key: it made a valid signature over the statement, the statement names
 * it as its author, and the caller's trust set has it in the role asked for.
 */

#include "engine/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static cof_status add_candidate(cof_candidates *c, cof_cert *cert, unsigned roles, bool named,
                                cof_error *err)
{
    cof_candidate *grown = realloc(c->items, (c->count + 1) * sizeof(*grown));

    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    c->items = grown;
    c->items[c->count++] = (cof_candidate){cof_cert_ref(cert), roles, named};
    return COF_OK;
}

static unsigned roles_of(const cof_trust *trust, const cof_cert *cert)
{
    return (cof_trust_has(trust, cert, COF_ROLE_MAKER) ? (unsigned)COF_ROLE_MAKER : 0) |
           (cof_trust_has(trust, cert, COF_ROLE_CUSTODIAN) ? (unsigned)COF_ROLE_CUSTODIAN : 0);
}

cof_status cof_candidates_collect(cof_candidates *out, const cof_trust *trust,
                                  const cof_cert_list *signers, cof_error *err)
{
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < cof_trust_count(trust); i++)
        if (trust->items[i].cert != NULL)
            st = add_candidate(out, trust->items[i].cert, trust->items[i].roles, true, err);
    for (size_t i = 0; st == COF_OK && i < signers->count; i++)
        st = add_candidate(out, signers->certs[i], roles_of(trust, signers->certs[i]),
                           cof_trust_names(trust, signers->certs[i]), err);
    if (st != COF_OK)
        cof_candidates_wipe(out);
    return st;
}

void cof_candidates_wipe(cof_candidates *c)
{
    for (size_t i = 0; i < c->count; i++)
        cof_cert_free(c->items[i].cert);
    free(c->items);
    *c = (cof_candidates)COF_CANDIDATES_INIT;
}

/* Is candidate i the first among the valid ones with its key (in the role, if role is not 0)? */
static bool first_of_its_key(const cof_candidates *c, const bool *valid, size_t i, unsigned role)
{
    for (size_t k = 0; k < i; k++)
        if (valid[k] && (c->items[k].roles & role) == role &&
            cof_cert_same_key(c->items[k].cert, c->items[i].cert))
            return false;
    return true;
}

static void weigh(cof_judgement *out, const uint8_t by[32], const cof_candidates *c,
                  const bool *valid, unsigned role)
{
    for (size_t i = 0; i < c->count; i++) {
        bool author = memcmp(cof_cert_spki_sha256(c->items[i].cert), by, 32) == 0;

        if (!valid[i])
            continue;
        if (first_of_its_key(c, valid, i, 0))
            out->valid_keys++;
        if ((c->items[i].roles & role) != 0 && first_of_its_key(c, valid, i, role))
            out->trusted_keys++;
        if (author && (c->items[i].roles & role) != 0)
            out->standing = COF_STANDING_TRUSTED;
        else if (author && out->standing == COF_STANDING_BAD)
            out->standing = COF_STANDING_CLAIMED;
    }
}

/* Does the statement name this certificate as that of signer i?  A hint, no proof. */
static cof_status names(bool *out, const cof_signed *statement, size_t i, const cof_cert *cert,
                        cof_error *err)
{
    cof_buf id = COF_BUF_INIT;
    cof_status st = cof_cert_key_id(cert, &id, err);

    *out = st == COF_OK && cof_slice_equal(cof_buf_slice(&id), cof_signed_signer_id(statement, i));
    cof_buf_free(&id);
    return st;
}

/*
 * Whose keys are to be tried: those that are trusted, whatever the statement says; of the others
 * one with the key that it names as its author, and for each signer one that he names.  Whoever
 * fills a head with certificates and signatures must not make a reader try each with each.
 */
static cof_status choose(bool *chosen, const cof_signed *statement, const uint8_t by[32],
                         const cof_candidates *c, cof_error *err)
{
    bool author = false;
    cof_status st = COF_OK;

    for (size_t k = 0; k < c->count; k++) {
        bool is_author = memcmp(cof_cert_spki_sha256(c->items[k].cert), by, 32) == 0;

        chosen[k] = c->items[k].roles != 0 || (is_author && !author);
        author = author || is_author;
    }
    for (size_t i = 0; i < cof_signed_signer_count(statement); i++) {
        bool named = false;

        for (size_t k = 0; st == COF_OK && !named && k < c->count; k++) {
            st = names(&named, statement, i, c->items[k].cert, err);
            chosen[k] = chosen[k] || named;
        }
    }
    return st;
}

/* *valid says of each candidate whether he made one of the signatures. */
static cof_status try_chosen(bool *valid, const cof_signed *statement, const bool *chosen,
                             const cof_candidates *c, cof_error *err)
{
    cof_cert **certs = calloc(c->count + 1, sizeof(*certs));
    bool *among = calloc(c->count + 1, sizeof(*among));
    size_t n = 0;
    cof_status st;

    if (certs == NULL || among == NULL) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    for (size_t k = 0; k < c->count; k++)
        if (chosen[k])
            certs[n++] = c->items[k].cert;
    st = cof_signed_verify(statement, certs, n, among, NULL, err);
    for (size_t k = c->count; k-- > 0;)
        valid[k] = chosen[k] && among[--n];
out:
    free(certs);
    free(among);
    return st;
}

cof_status cof_judge(cof_judgement *out, const cof_signed *statement, const uint8_t by[32],
                     const cof_candidates *c, cof_role role, cof_error *err)
{
    cof_judgement result = {COF_STANDING_BAD, 0, 0};
    bool *chosen = calloc(c->count + 1, sizeof(*chosen));
    bool *valid = calloc(c->count + 1, sizeof(*valid));
    cof_status st;

    if (chosen == NULL || valid == NULL) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    if ((st = choose(chosen, statement, by, c, err)) != COF_OK)
        goto out;
    st = try_chosen(valid, statement, chosen, c, err);
    if (st == COF_OK)
        weigh(&result, by, c, valid, (unsigned)role);
    else if (st == COF_AUTH)
        st = COF_OK; /* nobody known here: COF_STANDING_BAD says it */
    if (st == COF_OK)
        *out = result;
out:
    free(chosen);
    free(valid);
    return st;
}

/* How far the subject of a candidate can be believed; the higher the better. */
static int credence(const cof_candidate *c)
{
    return c->named ? 2 : cof_cert_is_self_signed(c->cert) ? 1 : 0;
}

void cof_party_describe(cof_party *out, const uint8_t by[32], cof_standing standing,
                        const cof_candidates *candidates)
{
    const cof_candidate *best = NULL;
    cof_cert_info info;

    memset(out, 0, sizeof(*out));
    cof_fingerprint_format(out->fingerprint, by);
    out->standing = standing;
    for (size_t i = 0; i < candidates->count; i++) {
        const cof_candidate *c = &candidates->items[i];

        if (memcmp(cof_cert_spki_sha256(c->cert), by, 32) == 0 &&
            (best == NULL || credence(c) > credence(best)))
            best = c;
    }
    if (best == NULL)
        return;
    cof_cert_describe(&info, best->cert);
    (void)snprintf(out->subject, sizeof(out->subject), "%s%.4064s",
                   credence(best) > 0 ? "" : "a key that calls itself ", info.subject);
}
