/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Changing the locks in place.
 *
 * Everything that can be refused is refused before the first write; the writes themselves are in
 * change.c.  Nothing of the old list is carried over unless the custody verdict is good: a trusted
 * custodian signed it, and the proof shows that its author knew the data key.
 */

#include <coffer/rotate.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/decide.h"
#include "engine/envelope.h"
#include "engine/lock.h"
#include "engine/note.h"
#include "engine/open.h"
#include "engine/rebundle.h"
#include "engine/roster.h"
#include "engine/rotation.h"
#include "engine/succession.h"
#include "engine/unlock.h"
#include "os/os.h"

typedef struct making {
    const cof_rotate_options *options; /* borrowed */
    const cof_file *file;              /* borrowed */
    cof_opened opened;
    cof_roster roster;
    cof_digest digest;
    uint64_t generation;             /* the new one, as */
    cof_buf keys, custody, envelope; /* these are */
} making;

cof_status cof_rotate_options_check(const cof_rotate_options *o, cof_error *err)
{
    cof_digest digest;

    if (o->keys == NULL || o->keys->count == 0)
        return cof_fail(err, COF_USAGE,
                        "a rotation needs the private key of a present recipient (--key)");
    if (o->signer == NULL)
        return cof_fail(err, COF_USAGE, "a rotation needs a signing key (--sign-key)");
    if (o->reset_custody && o->set == NULL)
        return cof_fail(err, COF_USAGE,
                        "--reset-custody needs the whole new list of recipients (-r), since "
                        "nothing of the old one can be believed");
    return cof_digest_from_name(&digest, o->digest, err);
}

static cof_status open_backup(making *r, cof_error *err)
{
    const cof_opening how = {
        .trust = r->options->trust,
        .keys = r->options->keys,
        .head_only = true,
        .alone = true,
        .min_custodians = r->options->min_custodians,
        .keep_dek = true,
        .volumes = {r->options->path, r->options->volume_dirs, r->options->volume_dir_count},
        .report = &r->options->report,
    };
    cof_status st = cof_opened_load(&r->opened, r->file, &how, err);

    if (st != COF_OK || (st = cof_opened_expect(&r->opened, r->options->expected, err)) != COF_OK)
        return st;
    if (r->opened.schedule == NULL)
        return cof_fail(err, COF_UNSUPPORTED,
                        "this backup is signed but not encrypted: nothing is locked, so there are "
                        "no locks to change");
    if (r->opened.custody_problem[0] == '\0' || r->options->reset_custody)
        return COF_OK;
    return cof_fail_rule(err, COF_AUTH, "CU-6", COF_NO_OFFSET,
                         "%s, so nothing of it is carried over; give the whole new list with -r "
                         "and --reset-custody",
                         r->opened.custody_problem);
}

/* Is the custody verdict good?  Without that, only --reset-custody comes this far. */
static bool believed(const making *r)
{
    return r->opened.custody_problem[0] == '\0';
}

/* The statement, the wrapped keys and the envelope of the next generation. */
static cof_status make_envelope(making *r, cof_error *err)
{
    const cof_opened *o = &r->opened;
    bool alone = o->head.sb.role == COF_VOLUME_HEAD_ALONE; /* HA-1: never without the manifest */
    const cof_decision decision = {
        .preamble = &o->head.preamble,
        .core = o->head.core,
        .dek = o->dek,
        .schedule = o->schedule,
        .recipients = &r->roster.list,
        .generation = r->generation,
        .previous = cof_locks_newest(&o->head.locks)->json_sha256,
        .signer = r->options->signer,
        .digest = r->digest,
        .reason = r->options->reason,
    };
    cof_renewal renewal = {
        .old = &o->head.locks,
        .preamble = &o->head.preamble,
        .maker = o->manifest.by,
        .reset = !believed(r),
        .recipients = &r->roster.list,
        .signer = r->options->signer->cert,
        .manifest = o->manifest_cms,
        .slot_size = alone ? UINT64_MAX : o->head.sb.slot_size,
        .drop_history = r->options->drop_history,
    };
    cof_status st = cof_decide(&r->keys, &r->custody, &decision, err);

    if (st != COF_OK)
        return st;
    renewal.keys = cof_buf_slice(&r->keys);
    renewal.custody = cof_buf_slice(&r->custody);
    return cof_envelope_renew(&r->envelope, &renewal, err);
}

/* --check-key: does the new envelope open with a key that will be needed? */
static cof_status check_new_keys(const making *r, cof_error *err)
{
    const cof_keyring *keys = r->options->check_key;
    const cof_opened *o = &r->opened;
    cof_head head = o->head; /* shares all but the locks with the present one */
    cof_secret *dek = NULL;
    cof_schedule *schedule = NULL;
    size_t which;
    cof_status st;

    if (keys == NULL)
        return COF_OK;
    head.locks = (cof_locks)COF_LOCKS_INIT;
    if ((st = cof_locks_load(&head.locks, cof_buf_slice(&r->envelope), &o->head.preamble,
                             o->head.core, r->options->trust, err)) == COF_OK)
        st = cof_unlock(&dek, &schedule, &which, &head, o->manifest.commitment, keys, err);
    if (st == COF_NO_MATCH)
        st = cof_fail(err, COF_NO_MATCH,
                      "the key to check does not belong to any of the new recipients; nothing was "
                      "changed");
    cof_schedule_free(schedule);
    cof_secret_free(dek);
    cof_locks_wipe(&head.locks);
    return st;
}

/* EN-1, before anything is written. */
static cof_status check_fit(const making *r, cof_error *err)
{
    if (r->envelope.len <= r->opened.head.sb.slot_size)
        return COF_OK;
    return cof_fail_rule(err, COF_LIMIT, "EN-1", COF_NO_OFFSET,
                         "the new envelope needs %zu bytes and the head has room for %zu; %s",
                         r->envelope.len, (size_t)r->opened.head.sb.slot_size,
                         r->options->drop_history
                             ? "coffer envelope export --slot-size makes a larger head, to be used "
                               "with --envelope"
                             : "--drop-history makes it smaller, and coffer envelope export "
                               "--slot-size a larger head, to be used with --envelope");
}

/* Whoever rotates with the same trust set next would find this custodian in nobody's trust. */
static void note_signer(const making *r)
{
    cof_cert_info signer;

    if (cof_trust_has(r->options->trust, r->options->signer->cert, COF_ROLE_CUSTODIAN))
        return;
    cof_cert_describe(&signer, r->options->signer->cert);
    cof_note(&r->options->report,
             "%.200s signs the new list and is not trusted as custodian here: the next rotation "
             "needs --trust-custodian for it",
             signer.subject);
}

/* ---- the result ---- */

static cof_status describe(const making *r, cof_rotate_result *result, cof_error *err)
{
    const cof_locks *locks = &r->opened.head.locks;
    bool skipped = r->roster.skipped[0] != '\0';
    cof_status st;

    cof_uuid_format(result->uuid, r->opened.head.preamble.uuid);
    result->generation = skipped ? cof_locks_newest(locks)->custody.generation : r->generation;
    result->added_count = r->roster.added.count;
    (void)snprintf(result->skipped, sizeof(result->skipped), "%s", r->roster.skipped);
    if ((st = cof_cert_list_describe(&result->recipients, &result->recipient_count,
                                     skipped ? &locks->recipients : &r->roster.list, err)) !=
        COF_OK)
        return st;
    return cof_cert_list_describe(&result->removed, &result->removed_count, &r->roster.removed,
                                  err);
}

void cof_rotate_result_wipe(cof_rotate_result *result)
{
    free(result->recipients);
    free(result->removed);
    memset(result, 0, sizeof(*result));
}

/* ---- up to the writes ---- */

/* What is to be put in the place of the present envelope; r->envelope stays empty if nothing is. */
static cof_status decide(making *r, cof_rotate_result *result, cof_error *err)
{
    static const cof_cert_list nobody = COF_CERT_LIST_INIT;
    cof_status st;

    if ((st = cof_digest_from_name(&r->digest, r->options->digest, err)) != COF_OK ||
        (st = open_backup(r, err)) != COF_OK)
        return st;
    (void)cof_head_report(&r->opened.head, &r->options->report);
    /* A list that nobody trusted decided on is no list: each recipient is a new one. */
    st = cof_roster_apply(&r->roster, believed(r) ? &r->opened.head.locks.recipients : &nobody,
                          r->options, err);
    if (st == COF_OK && r->roster.skipped[0] == '\0')
        st = cof_succession_next(&r->generation, &r->opened, err);
    if (st != COF_OK || (st = describe(r, result, err)) != COF_OK || r->roster.skipped[0] != '\0')
        return st;
    if ((st = make_envelope(r, err)) != COF_OK || (st = check_fit(r, err)) != COF_OK ||
        (st = check_new_keys(r, err)) != COF_OK)
        return st;
    note_signer(r);
    return COF_OK;
}

/*
 * An interrupted change is completed even where nothing else is to be done.  Where it only looks
 * complete, since a killed process left its last writes in the page cache, they are made durable:
 * "as asked for" has to be true of the disk.  The first barrier of every plan does that.
 */
static cof_status plan(cof_rotation *out, making *r, cof_error *err)
{
    bool replaces = r->envelope.len > 0;

    out->writes = !r->options->dry_run;
    if (!out->writes)
        return COF_OK;
    return cof_change_plan(&out->change, &r->opened.head, replaces ? &r->envelope : NULL, err);
}

cof_status cof_rotation_plan(cof_rotation *out, const cof_rotate_options *options,
                             const cof_file *file, cof_rotate_result *result, cof_error *err)
{
    making r;
    cof_status st;

    memset(&r, 0, sizeof(r));
    r.options = options;
    r.file = file;
    if ((st = decide(&r, result, err)) == COF_OK)
        st = plan(out, &r, err);
    cof_roster_wipe(&r.roster);
    cof_opened_wipe(&r.opened);
    cof_buf_free(&r.keys);
    cof_buf_free(&r.custody);
    cof_buf_free(&r.envelope);
    return st;
}

cof_status cof_rotation_prepare(cof_rotation *out, const cof_rotate_options *options,
                                uint64_t deadline, cof_rotate_result *result, cof_error *err)
{
    cof_status st;

    *out = (cof_rotation){.change = COF_CHANGE_INIT};
    if ((st = cof_open_for_change(&out->file, options->path, deadline, err)) != COF_OK)
        return st;
    return cof_rotation_plan(out, options, out->file, result, err);
}

void cof_rotation_wipe(cof_rotation *rotation)
{
    cof_change_wipe(&rotation->change);
    cof_file_free(rotation->file); /* and with it the lock */
    rotation->file = NULL;
}

cof_status cof_rotation_conclude(const cof_rotation *rotation, const char *path,
                                 cof_rotate_result *result, cof_error *err)
{
    bool same = true;
    cof_status st;

    if (!rotation->writes)
        return COF_OK;
    result->finished_pending = cof_change_settles(&rotation->change);
    if ((st = cof_file_still_at_path(&same, rotation->file, path, err)) != COF_OK)
        return st;
    if (!same)
        return cof_fail(err, COF_BUSY,
                        "%s was removed or replaced by another program while its locks were "
                        "changed: whatever has this name now was not; run the same command again",
                        cof_file_label(rotation->file));
    result->changed = result->skipped[0] == '\0';
    return COF_OK;
}

/* ---- one alone ---- */

cof_status cof_rotate(const cof_rotate_options *options, cof_rotate_result *result, cof_error *err)
{
    uint64_t start = cof_clock_monotonic_ns();
    cof_rotation one;
    cof_status st;

    if ((st = cof_rotate_options_check(options, err)) != COF_OK)
        return st;
    if ((st = cof_rotation_prepare(&one, options, cof_lock_deadline(), result, err)) == COF_OK &&
        one.writes)
        st = cof_change_run(&one.change, one.file, err);
    if (st == COF_OK)
        st = cof_rotation_conclude(&one, options->path, result, err);
    cof_rotation_wipe(&one);
    result->nanoseconds = cof_clock_monotonic_ns() - start;
    return st;
}

/* ---- a bundle ---- */

typedef struct bundle_rotation {
    const cof_rotate_options *options;
    void (*each)(void *ctx, size_t number, const cof_rotate_result *result, cof_status status,
                 const cof_error *err);
    void *ctx;
} bundle_rotation;

static void rotate_head(void *ctx, size_t i, const cof_file *head, cof_buf *out)
{
    const bundle_rotation *b = ctx;
    uint64_t start = cof_clock_monotonic_ns();
    cof_rotation one = {.change = COF_CHANGE_INIT};
    cof_rotate_result result = {.changed = false};
    cof_error err = COF_ERROR_INIT;
    cof_status st = cof_rotation_plan(&one, b->options, head, &result, &err);

    if (st == COF_OK && one.writes && result.skipped[0] == '\0')
        result.changed = (st = cof_change_image(out, &one.change, &err)) == COF_OK;
    result.nanoseconds = cof_clock_monotonic_ns() - start;
    b->each(b->ctx, i + 1, &result, st, &err);
    cof_rotate_result_wipe(&result);
    cof_rotation_wipe(&one);
}

cof_status cof_rotate_bundle(const cof_rotate_options *options,
                             void (*each)(void *ctx, size_t number, const cof_rotate_result *result,
                                          cof_status status, const cof_error *err),
                             void *ctx, cof_error *err)
{
    bundle_rotation b = {options, each, ctx};
    cof_status st = cof_rotate_options_check(options, err);

    return st == COF_OK ? cof_rebundle(options->path, rotate_head, &b, &options->report, err) : st;
}
