/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From the bytes of an envelope to what it says.  Everything here happens before any trust: the
 * order of the checks follows FORMAT.md section 7, and every disagreement is a refusal.
 */

#include "engine/locks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "format/limits.h"

/* EN-6: each item is one certificate. */
static cof_status load_certs(cof_cert_list *out, const cof_slices *items, const char *what,
                             cof_error *err)
{
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < items->count; i++) {
        cof_cert *cert = NULL;

        st = cof_cert_parse_der(&cert, items->items[i], what, err);
        if (st == COF_CERT)
            st = cof_fail_rule(err, COF_FORMAT, "EN-6", COF_NO_OFFSET,
                               "%s %zu of the envelope is not a certificate in DER", what, i + 1);
        if (st == COF_OK)
            st = cof_cert_list_add(out, cert, err);
        cof_cert_free(cert);
    }
    return st;
}

static cof_status load_link(cof_link *out, cof_slice cms, cof_error *err)
{
    cof_slice json;
    cof_status st;

    out->cms = cms;
    if ((st = cof_signed_parse(&out->message, cms, COF_OID_CUSTODY, COF_CUSTODY_SIGNERS_MAX,
                               err)) != COF_OK)
        return st;
    json = cof_signed_content(out->message);
    if ((st = cof_custody_parse(&out->custody, json, err)) != COF_OK)
        return st;
    return cof_custody_json_sha256(out->json_sha256, json, err);
}

static cof_status load_chain(cof_locks *locks, cof_error *err)
{
    const cof_slices *history = &locks->envelope.history;
    cof_status st = COF_OK;

    locks->chain = calloc(history->count + 1, sizeof(*locks->chain));
    if (locks->chain == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; st == COF_OK && i <= history->count; i++) {
        locks->chain_count = i + 1;
        st = load_link(&locks->chain[i],
                       i < history->count ? history->items[i] : locks->envelope.custody, err);
    }
    return st;
}

static cof_custody_link *borrow_links(const cof_locks *locks)
{
    cof_custody_link *links = calloc(locks->chain_count + 1, sizeof(*links));

    for (size_t i = 0; links != NULL && i < locks->chain_count; i++)
        links[i] = (cof_custody_link){&locks->chain[i].custody, locks->chain[i].json_sha256};
    return links;
}

static cof_status check_chain(const cof_locks *locks, cof_error *err)
{
    cof_custody_link *links = borrow_links(locks);
    cof_status st = links != NULL ? cof_custody_check_chain(links, locks->chain_count, err)
                                  : cof_fail(err, COF_NOMEM, "out of memory");

    free(links);
    return st;
}

cof_status cof_locks_chain_start(uint64_t *out, const cof_locks *locks, cof_error *err)
{
    cof_custody_link *links = borrow_links(locks);

    if (links == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    *out = cof_custody_chain_start(links, locks->chain_count);
    free(links);
    return COF_OK;
}

cof_status cof_locks_add_recipient(cof_custody *custody, const cof_cert *cert, cof_error *err)
{
    char subject[COF_CERT_SUBJECT_MAX + 8]; /* a longer one is not cut to what would be allowed */
    cof_custody_recipient r = {.subject = subject, .not_after = cof_cert_not_after(cert)};

    memcpy(r.sha256, cof_cert_sha256(cert), sizeof(r.sha256));
    memcpy(r.spki, cof_cert_spki_sha256(cert), sizeof(r.spki));
    (void)cof_cert_subject(cert, subject, sizeof(subject));
    (void)snprintf(r.key, sizeof(r.key), "%s", cof_cert_key_text(cert));
    return cof_custody_add_recipient(custody, &r, err);
}

/*
 * The subject is not compared: how a library prints a name may change, the certificate's hash does
 * not, and what is shown to a person comes from the certificate.
 */
static bool same_recipient(const cof_custody_recipient *a, const cof_custody_recipient *b)
{
    return memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0 &&
           memcmp(a->spki, b->spki, sizeof(a->spki)) == 0 && a->not_after == b->not_after &&
           strcmp(a->key, b->key) == 0;
}

/* CU-3: the statement says about each certificate what the certificate says. */
static cof_status check_recipients(const cof_locks *locks, cof_error *err)
{
    const cof_custody *said = &cof_locks_newest(locks)->custody;
    cof_custody seen = COF_CUSTODY_INIT;
    cof_status st = COF_OK;

    if (said->recipient_count != locks->recipients.count)
        return cof_fail_rule(err, COF_AUTH, "CU-3", COF_NO_OFFSET,
                             "the envelope holds %zu certificates for %zu recipients",
                             locks->recipients.count, said->recipient_count);
    for (size_t i = 0; st == COF_OK && i < said->recipient_count; i++) {
        st = cof_locks_add_recipient(&seen, locks->recipients.certs[i], err);
        if (st == COF_OK && !same_recipient(&seen.recipients[i], &said->recipients[i]))
            st = cof_fail_rule(err, COF_AUTH, "CU-3", COF_NO_OFFSET,
                               "recipient %zu is not the certificate that was signed for", i + 1);
    }
    cof_custody_wipe(&seen);
    return st;
}

static cof_status check_custody(const cof_locks *locks, const cof_preamble *preamble,
                                const uint8_t core[32], cof_error *err)
{
    uint8_t keys_sha256[COF_SHA256_SIZE];
    cof_status st;

    if ((st = cof_sha256(keys_sha256, locks->envelope.keys.data, locks->envelope.keys.len, err)) !=
            COF_OK ||
        (st = cof_custody_check_preamble(&cof_locks_newest(locks)->custody, preamble, core,
                                         keys_sha256, err)) != COF_OK ||
        (st = check_recipients(locks, err)) != COF_OK || (st = check_chain(locks, err)) != COF_OK)
        return st;
    return cof_keys_check(locks->envelope.keys, locks->recipients.certs, locks->recipients.count,
                          err);
}

static cof_status judge_link(cof_locks *locks, size_t i, cof_error *err)
{
    cof_link *link = &locks->chain[i];

    return cof_judge(&link->judgement, link->message, link->custody.by, &locks->candidates,
                     COF_ROLE_CUSTODIAN, err);
}

/*
 * Is the statement signed by whom it names?  Only that key is tried, once: a head that somebody
 * filled with statements and certificates must not keep a reader busy for hours.
 */
static cof_status judge_by_author(cof_locks *locks, size_t i, cof_error *err)
{
    const cof_candidates *all = &locks->candidates;
    cof_candidate author = {NULL, 0, false};
    cof_candidates one = {&author, 1};
    cof_link *link = &locks->chain[i];

    for (size_t k = 0; k < all->count; k++) {
        if (!cof_equal_consttime(cof_cert_spki_sha256(all->items[k].cert), link->custody.by, 32))
            continue;
        author.cert = all->items[k].cert;
        author.roles |= all->items[k].roles;
    }
    if (author.cert == NULL) {
        link->judgement = (cof_judgement){COF_STANDING_BAD, 0, 0};
        return COF_OK;
    }
    return cof_judge(&link->judgement, link->message, link->custody.by, &one, COF_ROLE_CUSTODIAN,
                     err);
}

cof_status cof_locks_judge_history(cof_locks *locks, cof_error *err)
{
    cof_status st = COF_OK;

    for (size_t i = 1; st == COF_OK && i + 1 < locks->chain_count; i++)
        st = judge_by_author(locks, i, err);
    return st;
}

/* The two statements that decide; a long history must not make opening slow. */
static cof_status judge_ends(cof_locks *locks, cof_error *err)
{
    cof_status st = judge_link(locks, locks->chain_count - 1, err);

    if (st == COF_OK && locks->chain_count > 1)
        st = judge_link(locks, 0, err);
    return st;
}

cof_status cof_locks_load(cof_locks *out, cof_slice raw, const cof_preamble *preamble,
                          const uint8_t core[32], const cof_trust *trust, cof_error *err)
{
    cof_locks l = COF_LOCKS_INIT;
    cof_status st;

    l.raw = raw;
    if ((st = cof_envelope_parse(&l.envelope, raw, preamble->protection, err)) != COF_OK ||
        (st = load_certs(&l.signers, &l.envelope.signers, "signer", err)) != COF_OK ||
        (st = cof_candidates_collect(&l.candidates, trust, &l.signers, err)) != COF_OK)
        goto out;
    if (preamble->protection == COF_PROTECTION_SEALED &&
        ((st = load_certs(&l.recipients, &l.envelope.recipients, "recipient", err)) != COF_OK ||
         (st = load_chain(&l, err)) != COF_OK ||
         (st = check_custody(&l, preamble, core, err)) != COF_OK ||
         (st = judge_ends(&l, err)) != COF_OK))
        goto out;
    *out = l;
    l = (cof_locks)COF_LOCKS_INIT; /* transferred */
out:
    cof_locks_wipe(&l);
    return st;
}

void cof_locks_wipe(cof_locks *locks)
{
    for (size_t i = 0; i < locks->chain_count; i++) {
        cof_signed_free(locks->chain[i].message);
        cof_custody_wipe(&locks->chain[i].custody);
    }
    free(locks->chain);
    cof_candidates_wipe(&locks->candidates);
    cof_cert_list_wipe(&locks->recipients);
    cof_cert_list_wipe(&locks->signers);
    cof_envelope_wipe(&locks->envelope);
    *locks = (cof_locks)COF_LOCKS_INIT;
}

static bool has_signed(const cof_link *link, cof_cert *cert)
{
    bool valid = false;

    return cof_signed_verify(link->message, &cert, 1, &valid, NULL, NULL) == COF_OK && valid;
}

bool cof_locks_keeps_signatures(const cof_candidates *known, const cof_link *first,
                                const cof_link *second)
{
    for (size_t i = 0; i < known->count; i++)
        if ((known->items[i].roles & COF_ROLE_CUSTODIAN) != 0 &&
            has_signed(first, known->items[i].cert) && !has_signed(second, known->items[i].cert))
            return false;
    return true;
}

const cof_link *cof_locks_newest(const cof_locks *locks)
{
    return locks->chain_count == 0 ? NULL : &locks->chain[locks->chain_count - 1];
}
