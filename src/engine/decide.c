/* SPDX-License-Identifier: Apache-2.0 */

/* Wrapping and saying so.  CH-3: a message of wrapped keys is always built from nothing. */

#include "engine/decide.h"

#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "engine/locks.h"
#include "engine/note.h"
#include "format/limits.h"
#include "os/os.h"

static cof_status fill_statement(cof_custody *out, const cof_decision *d, cof_slice keys,
                                 cof_error *err)
{
    cof_status st;

    memcpy(out->backup, d->preamble->uuid, sizeof(out->backup));
    memcpy(out->core, d->core, sizeof(out->core));
    memcpy(out->by, cof_cert_spki_sha256(d->signer->cert), sizeof(out->by));
    out->epoch = d->preamble->epoch;
    out->generation = d->generation;
    out->has_previous = d->previous != NULL;
    if (d->previous != NULL)
        memcpy(out->previous, d->previous, sizeof(out->previous));
    out->time = cof_clock_now();
    for (size_t i = 0; i < d->recipients->count; i++)
        if ((st = cof_locks_add_recipient(out, d->recipients->certs[i], err)) != COF_OK)
            return st;
    if ((st = cof_custody_set_reason(out, d->reason != NULL ? d->reason : "", err)) != COF_OK ||
        (st = cof_sha256(out->keys, keys.data, keys.len, err)) != COF_OK ||
        (st = cof_schedule_commitment(out->commitment, d->schedule, err)) != COF_OK)
        return st;
    return cof_schedule_proof_of(out->proof, d->schedule, out, err);
}

cof_status cof_decide(cof_buf *keys, cof_buf *custody, const cof_decision *d, cof_error *err)
{
    cof_custody statement = COF_CUSTODY_INIT;
    cof_buf json = COF_BUF_INIT;
    cof_status st;

    if ((st = cof_keys_seal(keys, d->dek, d->recipients->certs, d->recipients->count, err)) !=
            COF_OK ||
        (st = fill_statement(&statement, d, cof_buf_slice(keys), err)) != COF_OK ||
        (st = cof_custody_emit(&json, &statement, err)) != COF_OK)
        goto out;
    st = cof_signed_make(custody, COF_OID_CUSTODY, cof_buf_slice(&json), d->signer->key,
                         d->signer->cert, d->digest, err);
out:
    cof_custody_wipe(&statement);
    cof_buf_free(&json);
    return st;
}

/* Its subject is part of the signed statement, which has room for so much. */
static cof_status refuse_long_name(const cof_cert *cert, cof_error *err)
{
    char subject[COF_CERT_SUBJECT_MAX + 8];
    cof_cert_info info;

    if (strlen(cof_cert_subject(cert, subject, sizeof(subject))) <= COF_STATEMENT_TEXT_MAX)
        return COF_OK;
    cof_cert_describe(&info, cert);
    return cof_fail(err, COF_CERT,
                    "the name in the certificate of %.100s... is longer than %d bytes",
                    info.subject, COF_STATEMENT_TEXT_MAX);
}

static cof_status refuse_signer(const cof_cert *cert, const cof_signer *signer, cof_error *err)
{
    cof_cert_info info;

    if (!cof_cert_same_key(cert, signer->cert))
        return refuse_long_name(cert, err);
    cof_cert_describe(&info, cert);
    return cof_fail(err, COF_CERT,
                    "%.200s is the signing key itself and cannot be a recipient: whoever steals it "
                    "from this host could read the backup",
                    info.subject);
}

/* *expired: it is to be left out, if the caller allows that. */
static cof_status judge_one(bool *expired, const cof_cert *cert, const cof_signer *signer,
                            bool skip_expired, cof_error *err)
{
    cof_cert_reason reason = COF_CERT_FINE;
    cof_status st = refuse_signer(cert, signer, err);

    *expired = false;
    if (st != COF_OK)
        return st;
    st = cof_cert_check_recipient(cert, cof_clock_now(), &reason, err);
    *expired = st == COF_CERT && reason == COF_CERT_EXPIRED && skip_expired;
    return *expired ? COF_OK : st;
}

/* Once it is clear that somebody else can open the backup. */
static void tell_left_out(const cof_cert_list *expired, const cof_report *report)
{
    cof_cert_info info;

    for (size_t i = 0; i < expired->count; i++) {
        cof_cert_describe(&info, expired->certs[i]);
        cof_note(report, "%.200s has expired and was left out: it cannot open this backup",
                 info.subject);
    }
}

cof_status cof_recipients_accept(cof_cert_list *out, const cof_cert_list *wanted,
                                 const cof_signer *signer, bool skip_expired,
                                 const cof_report *report, size_t *skipped, cof_error *err)
{
    cof_cert_list good = COF_CERT_LIST_INIT, expired = COF_CERT_LIST_INIT;
    bool late = false;
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < wanted->count; i++) {
        st = judge_one(&late, wanted->certs[i], signer, skip_expired, err);
        if (st == COF_OK)
            st = cof_cert_list_add(late ? &expired : &good, wanted->certs[i], err);
    }
    if (st == COF_OK && wanted->count > 0 && good.count == 0)
        st = cof_fail(err, COF_CERT,
                      "every recipient's certificate has expired: nobody could open the backup");
    if (st == COF_OK && (st = cof_cert_list_append(out, &good, err)) == COF_OK) {
        tell_left_out(&expired, report);
        *skipped += expired.count;
    }
    cof_cert_list_wipe(&good);
    cof_cert_list_wipe(&expired);
    return st;
}

cof_status cof_digest_from_name(cof_digest *out, const char *name, cof_error *err)
{
    if (name == NULL || strcmp(name, "sha256") == 0)
        *out = COF_DIGEST_SHA256;
    else if (strcmp(name, "sha384") == 0)
        *out = COF_DIGEST_SHA384;
    else if (strcmp(name, "sha512") == 0)
        *out = COF_DIGEST_SHA512;
    else
        return cof_fail(err, COF_USAGE,
                        "the digest is one of sha256, sha384, sha512, not something else");
    return COF_OK;
}
