/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rekeying.
 *
 * Whatever can be refused is refused before the content is read.  The new backup is written under a
 * temporary name, and one rename makes it the backup; until then the old one is as it was.  The old
 * file stays locked throughout, so that nobody changes what is being copied; readers need no lock.
 */

#include <coffer/rekey.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/cipher.h"
#include "engine/decide.h"
#include "engine/lock.h"
#include "engine/note.h"
#include "engine/rekeying.h"
#include "engine/volumes.h"
#include "os/dir.h"
#include "os/os.h"

/* ---- what is asked for ---- */

static cof_status check_options(cof_rekeying *r, cof_error *err)
{
    const cof_rekey_options *o = r->options;

    if (o->keys == NULL || o->keys->count == 0)
        return cof_fail(err, COF_USAGE,
                        "a rekey needs the private key of a present recipient (--key)");
    if (o->signer == NULL)
        return cof_fail(err, COF_USAGE, "a rekey needs a signing key (--sign-key)");
    if (o->recipients == NULL || o->recipients->list.count == 0)
        return cof_fail(err, COF_USAGE,
                        "a rekey needs the whole new list of recipients (-r): nobody is carried "
                        "over");
    return cof_digest_from_name(&r->digest, o->digest, err);
}

static cof_status open_old(cof_rekeying *r, cof_error *err)
{
    const cof_opening how = {
        .trust = r->options->trust,
        .keys = r->options->keys,
        .keep_dek = true,
        .min_custodians = r->options->min_custodians,
        .volumes = {r->path, r->options->volume_dirs, r->options->volume_dir_count},
        .report = &r->options->report,
    };
    const cof_opened *o = &r->old.opened;
    cof_status st;

    if ((st = cof_opened_load(&r->old.opened, r->old.file, &how, err)) != COF_OK ||
        (st = cof_opened_expect(o, r->options->expected, err)) != COF_OK)
        return st;
    if (o->schedule == NULL)
        return cof_fail(err, COF_UNSUPPORTED,
                        "this backup is signed but not encrypted: it has no data key to change");
    if ((st = cof_volumes_require(o, true, err)) != COF_OK)
        return st;
    (void)cof_head_report(&o->head, &r->options->report);
    if (o->custody_problem[0] == '\0' || r->options->reset_custody)
        return COF_OK;
    return cof_fail_rule(err, COF_AUTH, "CU-6", COF_NO_OFFSET,
                         "%s, so nothing of it is carried over; --reset-custody goes on without it",
                         o->custody_problem);
}

/* RK-3: all of them are new ones. */
static cof_status choose_recipients(cof_rekeying *r, cof_error *err)
{
    const cof_cert_list *present = &r->old.opened.head.locks.recipients;
    const cof_rekey_options *o = r->options;
    size_t skipped = 0;
    cof_status st = cof_recipients_accept(&r->recipients, &o->recipients->list, o->signer, false,
                                          &o->report, &skipped, err);

    for (size_t i = 0; st == COF_OK && i < present->count; i++)
        if (!cof_cert_list_has(&r->recipients, present->certs[i]))
            st = cof_cert_list_add(&r->removed, present->certs[i], err);
    return st;
}

/* Whoever trusts the first maker only has to trust this one as custodian, and to have a key. */
static void note_signer(const cof_rekeying *r)
{
    const cof_cert *signer = r->options->signer->cert;
    cof_cert_info info;

    if (cof_trust_has(r->options->trust, signer, COF_ROLE_MAKER) ||
        cof_trust_has(r->options->trust, signer, COF_ROLE_CUSTODIAN))
        return;
    cof_cert_describe(&info, signer);
    cof_note(&r->options->report,
             "%.200s signs the new backup and is not trusted here, neither as maker nor as "
             "custodian: whoever reads it needs that trust",
             info.subject);
}

/* ---- all of it ---- */

static void fill_result(cof_rekey_result *out, const cof_rekeying *r)
{
    out->changed = true;
    (void)snprintf(out->path, sizeof(out->path), "%s", cof_sink_path(r->sink, 1));
    out->records = r->writer.records;
    out->plain_bytes = r->writer.plain_bytes;
    out->stored_bytes = cof_sink_written(r->sink);
}

static cof_status describe(const cof_rekeying *r, cof_rekey_result *out, cof_error *err)
{
    cof_status st;

    cof_uuid_format(out->uuid, r->preamble.uuid);
    out->epoch = r->preamble.epoch;
    out->generation = cof_locks_newest(&r->old.opened.head.locks)->custody.generation + 1;
    out->cipher = cof_cipher_name(r->preamble.cipher);
    if ((st = cof_cert_list_describe(&out->recipients, &out->recipient_count, &r->recipients,
                                     err)) != COF_OK)
        return st;
    return cof_cert_list_describe(&out->removed, &out->removed_count, &r->removed, err);
}

static cof_status rekey_locked(cof_rekeying *r, cof_rekey_result *result, cof_error *err)
{
    cof_status st;

    if ((st = open_old(r, err)) != COF_OK || (st = cof_rekeying_locate(r, err)) != COF_OK ||
        (st = choose_recipients(r, err)) != COF_OK ||
        (st = cof_rekeying_prepare(r, err)) != COF_OK || (st = describe(r, result, err)) != COF_OK)
        return st;
    note_signer(r);
    if (r->options->dry_run)
        return COF_OK;
    if ((r->options->output == NULL &&
         (st = cof_rekeying_remove_leftovers(r, &result->leftovers, err)) != COF_OK) ||
        (st = cof_rekeying_write(r, err)) != COF_OK)
        return st;
    fill_result(result, r);
    return COF_OK;
}

static void wipe(cof_rekeying *r)
{
    cof_writer_wipe(&r->writer);
    cof_sink_free(r->sink);
    cof_schedule_free(r->schedule);
    cof_secret_free(r->dek);
    cof_buf_free(&r->keys);
    cof_buf_free(&r->custody);
    cof_cert_list_wipe(&r->recipients);
    cof_cert_list_wipe(&r->removed);
    cof_rekeying_wipe_located(r);
    cof_opened_wipe(&r->old.opened);
    cof_file_free(r->old.file);
    free(r->path);
}

cof_status cof_rekey(const cof_rekey_options *options, cof_rekey_result *result, cof_error *err)
{
    cof_rekeying r;
    uint64_t start = cof_clock_monotonic_ns();
    cof_status st;

    memset(&r, 0, sizeof(r));
    r.options = options;
    r.reading.report = options->report;
    r.old.options = &r.reading;
    if ((st = check_options(&r, err)) == COF_OK &&
        (st = cof_path_real(&r.path, options->path, err)) == COF_OK &&
        (st = cof_open_for_change(&r.old.file, r.path, cof_lock_deadline(), err)) == COF_OK)
        st = rekey_locked(&r, result, err);
    if (r.old.file != NULL)
        cof_lock_release(r.old.file);
    wipe(&r);
    result->nanoseconds = cof_clock_monotonic_ns() - start;
    return st;
}

void cof_rekey_result_wipe(cof_rekey_result *result)
{
    free(result->recipients);
    free(result->removed);
    memset(result, 0, sizeof(*result));
}
