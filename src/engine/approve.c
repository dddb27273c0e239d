/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A second person's word (CH-7): one signature more under the newest custody statement.  Whoever
 * approves says what the author said, so the verdict on that has to be good first.
 */

#include <coffer/envelope.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/change.h"
#include "engine/envelope.h"
#include "engine/lock.h"
#include "engine/note.h"
#include "engine/open.h"
#include "engine/rebundle.h"
#include "format/limits.h"

typedef struct approval {
    const cof_approve_options *options; /* borrowed */
    cof_opened opened;
    cof_buf custody, envelope; /* the new ones; empty: nothing is to be done */
} approval;

static cof_status open_it(approval *a, const cof_file *file, cof_error *err)
{
    const cof_opening how = {.trust = a->options->trust,
                             .keys = a->options->keys,
                             .volumes = {.first = cof_file_path(file)},
                             .head_only = true,
                             .alone = true,
                             .report = &a->options->report};
    cof_status st = cof_opened_load(&a->opened, file, &how, err);

    if (st != COF_OK || (st = cof_opened_expect(&a->opened, a->options->expected, err)) != COF_OK)
        return st;
    if (cof_locks_newest(&a->opened.head.locks) == NULL)
        return cof_fail(err, COF_UNSUPPORTED,
                        "this backup is signed but not encrypted: nothing is locked, so there is "
                        "nothing to approve");
    if (a->opened.custody_problem[0] == '\0')
        return COF_OK;
    return cof_fail_rule(err, COF_AUTH, "CU-5", COF_NO_OFFSET, "%s, so it is not approved",
                         a->opened.custody_problem);
}

static cof_status describe(const approval *a, cof_approve_result *result, cof_error *err)
{
    const cof_locks *locks = &a->opened.head.locks;
    const cof_link *newest = cof_locks_newest(locks);

    cof_uuid_format(result->uuid, a->opened.head.preamble.uuid);
    cof_hex_encode(result->custody_sha256, newest->json_sha256, sizeof(newest->json_sha256));
    result->generation = newest->custody.generation;
    result->custodians = newest->judgement.trusted_keys;
    result->proven = a->opened.custody_proven;
    return cof_cert_list_describe(&result->recipients, &result->recipient_count, &locks->recipients,
                                  err);
}

static bool has_signed_as(const approval *a, cof_cert *cert)
{
    bool valid = false;

    return cof_signed_verify(cof_locks_newest(&a->opened.head.locks)->message, &cert, 1, &valid,
                             NULL, NULL) == COF_OK &&
           valid;
}

/* One key is one person, however often it signs, and whatever certificates it has for that. */
static bool has_signed(const approval *a)
{
    const cof_candidates *known = &a->opened.head.locks.candidates;
    cof_cert *cert = a->options->signer->cert;

    if (has_signed_as(a, cert))
        return true;
    for (size_t i = 0; i < known->count; i++)
        if (cof_cert_same_key(known->items[i].cert, cert) && has_signed_as(a, known->items[i].cert))
            return true;
    return false;
}

static cof_status make_envelope(approval *a, cof_error *err)
{
    const cof_opened *o = &a->opened;
    const cof_locks *old = &o->head.locks;
    const cof_signer *signer = a->options->signer;
    bool alone = o->head.sb.role == COF_VOLUME_HEAD_ALONE; /* HA-1: never without the manifest */
    cof_renewal renewal = {
        .old = old,
        .keys = old->envelope.keys,
        .recipients = &old->recipients,
        .signer = signer->cert,
        .manifest = o->manifest_cms,
        .maker = o->manifest.by,
        .preamble = &o->head.preamble,
        .slot_size = alone ? UINT64_MAX : o->head.sb.slot_size,
        .approval = true,
    };
    cof_status st = cof_signed_add(&a->custody, old->envelope.custody, COF_OID_CUSTODY,
                                   COF_CUSTODY_SIGNERS_MAX, signer->key, signer->cert, err);

    if (st != COF_OK)
        return st;
    renewal.custody = cof_buf_slice(&a->custody);
    if ((st = cof_envelope_renew(&a->envelope, &renewal, err)) != COF_OK)
        return st;
    if (a->envelope.len <= o->head.sb.slot_size)
        return COF_OK;
    return cof_fail_rule(err, COF_LIMIT, "EN-1", COF_NO_OFFSET,
                         "with one signature more the envelope needs %zu bytes and the head has "
                         "room for %zu; coffer envelope export --slot-size makes a larger head, to "
                         "be used with --envelope",
                         a->envelope.len, (size_t)o->head.sb.slot_size);
}

/* Would a reader with this trust set count the new signature? */
static void note_signer(const approval *a, cof_approve_result *result)
{
    const cof_signer *signer = a->options->signer;
    cof_cert_info info;

    if (cof_trust_has(a->options->trust, signer->cert, COF_ROLE_CUSTODIAN)) {
        result->custodians++;
        return;
    }
    cof_cert_describe(&info, signer->cert);
    cof_note(&a->options->report,
             "%.200s approves and is not trusted as custodian here: who is to count it needs "
             "--trust-custodian for it",
             info.subject);
}

/* Up to the plan; *change is planned unless it is a dry run. */
static cof_status prepare(cof_change *change, approval *a, const cof_file *file,
                          cof_approve_result *result, cof_error *err)
{
    cof_status st;

    if (a->options->signer == NULL)
        return cof_fail(err, COF_USAGE, "an approval needs a signing key (--sign-key)");
    if ((st = open_it(a, file, err)) != COF_OK || (st = describe(a, result, err)) != COF_OK)
        return st;
    (void)cof_head_report(&a->opened.head, &a->options->report);
    if (has_signed(a)) {
        cof_cert_info info;

        cof_cert_describe(&info, a->options->signer->cert);
        (void)snprintf(result->skipped, sizeof(result->skipped), "%.480s has signed it already",
                       info.subject);
    } else {
        if ((st = make_envelope(a, err)) != COF_OK)
            return st;
        note_signer(a, result);
    }
    if (a->options->dry_run)
        return COF_OK;
    return cof_change_plan(change, &a->opened.head, a->envelope.len > 0 ? &a->envelope : NULL, err);
}

static void wipe(approval *a)
{
    cof_opened_wipe(&a->opened);
    cof_buf_free(&a->custody);
    cof_buf_free(&a->envelope);
}

cof_status cof_approve(const char *path, const cof_approve_options *options,
                       cof_approve_result *result, cof_error *err)
{
    cof_change change = COF_CHANGE_INIT;
    approval a = {.options = options};
    cof_file *file = NULL;
    cof_status st = cof_open_for_change(&file, path, cof_lock_deadline(), err);

    if (st == COF_OK && (st = prepare(&change, &a, file, result, err)) == COF_OK &&
        !options->dry_run && (st = cof_change_run(&change, file, err)) == COF_OK &&
        (st = cof_require_in_place(file, path, err)) == COF_OK)
        result->changed = result->skipped[0] == '\0';
    cof_change_wipe(&change);
    wipe(&a);
    cof_file_free(file); /* and with it the lock */
    return st;
}

void cof_approve_result_wipe(cof_approve_result *result)
{
    free(result->recipients);
    memset(result, 0, sizeof(*result));
}

/* ---- a bundle ---- */

typedef struct bundle_approval {
    const cof_approve_options *options;
    void (*each)(void *ctx, size_t number, const cof_approve_result *result, cof_status status,
                 const cof_error *err);
    void *ctx;
} bundle_approval;

static void approve_head(void *ctx, size_t i, const cof_file *head, cof_buf *out)
{
    const bundle_approval *b = ctx;
    cof_change change = COF_CHANGE_INIT;
    approval a = {.options = b->options};
    cof_approve_result result = {.changed = false};
    cof_error err = COF_ERROR_INIT;
    cof_status st = prepare(&change, &a, head, &result, &err);

    if (st == COF_OK && !b->options->dry_run && result.skipped[0] == '\0')
        result.changed = (st = cof_change_image(out, &change, &err)) == COF_OK;
    b->each(b->ctx, i + 1, &result, st, &err);
    cof_approve_result_wipe(&result);
    cof_change_wipe(&change);
    wipe(&a);
}

cof_status cof_approve_bundle(const char *path, const cof_approve_options *options,
                              void (*each)(void *ctx, size_t number,
                                           const cof_approve_result *result, cof_status status,
                                           const cof_error *err),
                              void *ctx, cof_error *err)
{
    bundle_approval b = {options, each, ctx};

    return cof_rebundle(path, approve_head, &b, &options->report, err);
}
