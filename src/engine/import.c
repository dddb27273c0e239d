/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Putting a head that was changed elsewhere into its place (IM-1 to IM-6).
 *
 * What comes back is from a stranger until it is proven that it belongs to this backup, that it
 * follows what is there, and that somebody trusted decided on it.  And that is not enough: one
 * stolen signing key makes a list that looks like that, around wrapped keys that open nothing.  So
 * a private key has to open it here, or a second custodian has to have signed; and what is replaced
 * is kept.
 */

#include <coffer/envelope.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/alone.h"
#include "engine/change.h"
#include "engine/envelope.h"
#include "engine/keep.h"
#include "engine/lock.h"
#include "engine/note.h"
#include "engine/succession.h"
#include "engine/unlock.h"

typedef struct importing {
    const cof_import_options *options; /* borrowed */
    cof_file *file;                    /* the backup, locked */
    cof_opened present, next;
    cof_buf envelope; /* the new one; empty: nothing is to be done */
    bool junk;        /* a key has shown that whoever wrote the present list knew no data key */
} importing;

/* ---- the two heads ---- */

static cof_status open_present(importing *m, cof_error *err)
{
    const cof_opening how = {.trust = m->options->trust,
                             .volumes = {.first = cof_file_path(m->file)},
                             .head_only = true,
                             .alone = true,
                             .report = &m->options->report};
    cof_status st = cof_opened_load(&m->present, m->file, &how, err);

    if (st != COF_OK)
        return st;
    if (m->present.head.sb.role == COF_VOLUME_HEAD_ALONE)
        return cof_fail(err, COF_USAGE,
                        "%s is a head alone itself, not a backup: nothing is imported into it",
                        cof_file_label(m->file));
    if (cof_locks_newest(&m->present.head.locks) != NULL)
        return COF_OK;
    return cof_fail(err, COF_UNSUPPORTED,
                    "this backup is signed but not encrypted: nothing is locked, so there are no "
                    "locks to import");
}

/*
 * CH-8: a list of a generation that somebody made up is not followed by the next one.  With a
 * private key of one of its recipients it can be seen that its author did not know the data key.
 */
static cof_status doubt_present(importing *m, cof_error *err)
{
    cof_opened *o = &m->present;
    cof_secret *dek = NULL;
    cof_schedule *schedule = NULL;
    bool proven = false;
    size_t which;
    cof_status st;

    if (m->options->keys == NULL)
        return COF_OK;
    st = cof_unlock(&dek, &schedule, &which, &o->head, o->manifest.commitment, m->options->keys,
                    err);
    if (st == COF_OK)
        st = cof_unlock_check_proof(&proven, schedule, &cof_locks_newest(&o->head.locks)->custody,
                                    err);
    else if (st == COF_NO_MATCH)
        proven = true; /* nothing speaks against it */
    if (st == COF_NO_MATCH || st == COF_AUTH)
        st = COF_OK;
    m->junk = st == COF_OK && !proven;
    if (m->junk && o->custody_problem[0] == '\0')
        (void)snprintf(o->custody_problem, sizeof(o->custody_problem),
                       "whoever wrote the list of recipients did not know the data key");
    cof_schedule_free(schedule);
    cof_secret_free(dek);
    return st;
}

/* Whoever replaces it should know what is wrong with it, or with what he trusts. */
static void note_present(const importing *m)
{
    if (m->present.custody_problem[0] != '\0')
        cof_note(&m->options->report, "of the backup as it is now: %s", m->present.custody_problem);
}

/* A head that does not belong is refused, or, where many are looked through, passed over. */
static cof_status not_there(const importing *m, cof_import_result *result, cof_error *err)
{
    const cof_heads *heads = m->options->heads;
    char sentence[400];

    (void)snprintf(sentence, sizeof(sentence),
                   heads->bundle ? "%.300s holds no head of it" : "%.300s is the head of another",
                   cof_file_label(heads->file));
    if (!m->options->skip_others)
        return cof_fail_rule(err, COF_AUTH, "IM-1", COF_NO_OFFSET, "%s", sentence);
    (void)snprintf(result->skipped, sizeof(result->skipped), "%s", sentence);
    return COF_OK;
}

static cof_status open_next(importing *m, cof_import_result *result, cof_error *err)
{
    const cof_opening how = {.trust = m->options->trust,
                             .keys = m->options->keys,
                             .head_only = true,
                             .alone = true,
                             .min_custodians = m->options->min_custodians,
                             .report = &m->options->report};
    cof_file *file = NULL;
    size_t which;
    cof_status st;

    if (!cof_heads_find(&which, m->options->heads, m->present.head.core))
        return not_there(m, result, err);
    if ((st = cof_heads_file(&file, m->options->heads, which, err)) == COF_OK)
        st = cof_opened_load(&m->next, file, &how, err);
    if (st == COF_NO_MATCH)
        st = cof_fail(err, st,
                      "the private key given does not belong to a recipient of the head "
                      "that is to be imported");
    cof_file_free(file); /* what was opened has its own copy */
    m->next.file = m->file;
    return st;
}

/* IM-1: the same backup, content included, and a good verdict. */
static cof_status check_next(const importing *m, cof_error *err)
{
    const cof_opened *a = &m->present, *b = &m->next;

    if (memcmp(a->head.core, b->head.core, sizeof(a->head.core)) != 0 ||
        !cof_slice_equal(cof_signed_content(a->manifest_message),
                         cof_signed_content(b->manifest_message)))
        return cof_fail_rule(err, COF_AUTH, "IM-1", COF_NO_OFFSET,
                             "the head that is to be imported tells of another content");
    if (b->custody_problem[0] != '\0')
        return cof_fail_rule(err, COF_AUTH, "IM-1", COF_NO_OFFSET,
                             "%s, so the head is not imported", b->custody_problem);
    return cof_opened_expect(b, m->options->expected, err);
}

/* ---- does it follow? ---- */

static cof_status refuse_succession(const importing *m, cof_succession how, cof_error *err)
{
    uint64_t there = cof_locks_newest(&m->present.head.locks)->custody.generation;
    uint64_t comes = cof_locks_newest(&m->next.head.locks)->custody.generation;

    if (how == COF_SUCCESSION_BACK)
        return cof_fail_rule(
            err, COF_AUTH, "IM-2", COF_NO_OFFSET,
            "the head, of generation %" PRIu64
            ", was replaced by that of the backup, of generation %" PRIu64
            ", which nobody trusted here decided on, but which may be right: trust "
            "its custodian, or open it with the key of one of its recipients "
            "(--key) to show it to be junk, or say --unchecked",
            comes, there);
    if (how == COF_SUCCESSION_OLDER)
        return cof_fail_rule(err, COF_AUTH, "IM-2", COF_NO_OFFSET,
                             "the head is older than the backup's own: its locks are of generation "
                             "%" PRIu64 ", those of the backup of %" PRIu64,
                             comes, there);
    if (how == COF_SUCCESSION_FORK)
        return cof_fail_rule(err, COF_AUTH, "IM-2", COF_NO_OFFSET,
                             "the locks of the backup were changed too, after the head was taken: "
                             "both are of generation %" PRIu64
                             " and differ; export the head again, and change that",
                             there);
    return cof_fail_rule(err, COF_AUTH, "IM-2", COF_NO_OFFSET,
                         "nothing shows that the head, of generation %" PRIu64
                         ", follows the locks of the backup, of generation %" PRIu64
                         ": these were changed after it was taken, or what lies between was "
                         "dropped; export the head again, and change that",
                         comes, there);
}

/* IM-2, the same statement: does it bring approvals, and lose nothing? */
static bool brings_approvals(const importing *m)
{
    const cof_locks *a = &m->present.head.locks, *b = &m->next.head.locks;

    return cof_locks_newest(b)->judgement.trusted_keys >
               cof_locks_newest(a)->judgement.trusted_keys &&
           cof_locks_keeps_signatures(&a->candidates, cof_locks_newest(a), cof_locks_newest(b));
}

static cof_status check_succession(const importing *m, cof_import_result *result, cof_error *err)
{
    cof_succession how = cof_succession_judge(&m->present, &m->next.head.locks);

    /* The head that a bad one replaced may come back, where a key shows which is which. */
    if (how == COF_SUCCESSION_NEXT || (how == COF_SUCCESSION_BACK && m->next.custody_proven &&
                                       (m->junk || m->options->unchecked)))
        return COF_OK;
    if (how != COF_SUCCESSION_SAME)
        return refuse_succession(m, how, err);
    result->approvals_only = brings_approvals(m);
    if (!result->approvals_only)
        (void)snprintf(result->skipped, sizeof(result->skipped), "it has these locks already");
    return COF_OK;
}

/* ---- is it any good? ---- */

/* IM-3.  More signatures under the same statement are around the same wrapped keys. */
static cof_status check_proof(const importing *m, const cof_import_result *result, cof_error *err)
{
    size_t custodians = cof_locks_newest(&m->next.head.locks)->judgement.trusted_keys;

    if (m->next.custody_proven || custodians >= 2 || m->options->unchecked ||
        result->approvals_only)
        return COF_OK;
    return cof_fail_rule(err, COF_AUTH, "IM-3", COF_NO_OFFSET,
                         "nothing shows that the new wrapped keys open the backup: one custodian "
                         "signed, and whoever stole that key could have made them of junk; open it "
                         "here with --key, have a second custodian approve it (coffer envelope "
                         "approve), or say --unchecked");
}

/* CH-5 lets a custodian drop history; nobody should fail to notice. */
static cof_status note_history(const importing *m, const cof_import_result *result, cof_error *err)
{
    uint64_t there, comes;
    cof_status st;

    if (result->approvals_only)
        return COF_OK; /* the history stays */
    if ((st = cof_locks_chain_start(&there, &m->present.head.locks, err)) != COF_OK ||
        (st = cof_locks_chain_start(&comes, &m->next.head.locks, err)) != COF_OK)
        return st;
    if (comes > there)
        cof_note(&m->options->report,
                 "the history in the head is shorter: it starts at generation %" PRIu64
                 ", that of the backup at %" PRIu64,
                 comes, there);
    return COF_OK;
}

/* IM-4, IM-6. */
static cof_status make_envelope(importing *m, const cof_import_result *result, cof_error *err)
{
    const cof_opened *o = &m->present;
    uint64_t room = o->head.sb.slot_size;
    const cof_joining joining = {.present = &o->head.locks,
                                 .next = &m->next.head.locks,
                                 .manifest = o->manifest_cms,
                                 .maker = o->manifest.by,
                                 .preamble = &o->head.preamble,
                                 .slot_size = room,
                                 .approvals = result->approvals_only};
    cof_status st = cof_envelope_join(&m->envelope, &joining, err);

    if (st != COF_OK || m->envelope.len <= room)
        return st;
    return cof_fail_rule(err, COF_LIMIT, "IM-4", COF_NO_OFFSET,
                         "the envelope of the head takes %zu bytes, and the backup has room for "
                         "%" PRIu64
                         ": keep the head beside the backup and read it with --envelope, or rotate "
                         "it with --drop-history first",
                         m->envelope.len, room);
}

/* ---- the result ---- */

static cof_status describe(const importing *m, cof_import_result *result, cof_error *err)
{
    const cof_cert_list *before = &m->present.head.locks.recipients;
    const cof_locks *locks = &m->next.head.locks;
    cof_cert_list removed = COF_CERT_LIST_INIT;
    cof_status st = COF_OK;

    result->generation = cof_locks_newest(locks)->custody.generation;
    result->custodians = cof_locks_newest(locks)->judgement.trusted_keys;
    result->proven = m->next.custody_proven;
    for (size_t i = 0; st == COF_OK && i < before->count; i++)
        if (!cof_cert_list_has(&locks->recipients, before->certs[i]))
            st = cof_cert_list_add(&removed, before->certs[i], err);
    if (st == COF_OK && (st = cof_cert_list_describe(&result->recipients, &result->recipient_count,
                                                     &locks->recipients, err)) == COF_OK)
        st = cof_cert_list_describe(&result->removed, &result->removed_count, &removed, err);
    cof_cert_list_wipe(&removed);
    return st;
}

void cof_import_result_wipe(cof_import_result *result)
{
    free(result->recipients);
    free(result->removed);
    memset(result, 0, sizeof(*result));
}

/* ---- all of it ---- */

/* Everything that can be refused; m->envelope stays empty if nothing is to be done. */
static cof_status decide(importing *m, cof_import_result *result, cof_error *err)
{
    cof_status st;

    if ((st = open_present(m, err)) != COF_OK)
        return st;
    (void)cof_head_report(&m->present.head, &m->options->report);
    cof_uuid_format(result->uuid, m->present.head.preamble.uuid);
    result->from = cof_locks_newest(&m->present.head.locks)->custody.generation;
    result->generation = result->from;
    if ((st = open_next(m, result, err)) != COF_OK || result->skipped[0] != '\0')
        return st;
    if ((st = check_next(m, err)) != COF_OK || (st = describe(m, result, err)) != COF_OK ||
        (st = doubt_present(m, err)) != COF_OK)
        return st;
    note_present(m);
    if ((st = check_succession(m, result, err)) != COF_OK || result->skipped[0] != '\0' ||
        (st = check_proof(m, result, err)) != COF_OK ||
        (st = note_history(m, result, err)) != COF_OK)
        return st;
    return make_envelope(m, result, err);
}

/* IM-5: before the first write. */
static cof_status keep(const importing *m, const char *path, cof_import_result *result,
                       cof_error *err)
{
    cof_alone head = COF_ALONE_INIT;
    cof_status st;

    if (m->envelope.len == 0 || m->options->discard)
        return COF_OK;
    if ((st = cof_alone_make(&head, &m->present, 0, err)) == COF_OK)
        st = cof_keep_head(result->kept, sizeof(result->kept), cof_buf_slice(&head.bytes), path,
                           m->options->keep, result->from, err);
    if (st != COF_OK)
        result->kept[0] = '\0';
    cof_buf_free(&head.bytes);
    return st;
}

static cof_status conclude(const importing *m, const char *path, cof_import_result *result,
                           cof_error *err)
{
    cof_status st = cof_require_in_place(m->file, path, err);

    result->changed = st == COF_OK && result->skipped[0] == '\0';
    return st;
}

static cof_status write_it(importing *m, const char *path, cof_import_result *result,
                           cof_error *err)
{
    cof_change change = COF_CHANGE_INIT;
    cof_status st;

    if (m->options->dry_run)
        return COF_OK;
    if ((st = keep(m, path, result, err)) != COF_OK ||
        (st = cof_change_plan(&change, &m->present.head, m->envelope.len > 0 ? &m->envelope : NULL,
                              err)) != COF_OK)
        goto out;
    result->finished_pending = cof_change_settles(&change);
    if ((st = cof_change_run(&change, m->file, err)) == COF_OK)
        st = conclude(m, path, result, err);
out:
    cof_change_wipe(&change);
    return st;
}

cof_status cof_import(const char *path, const cof_import_options *options,
                      cof_import_result *result, cof_error *err)
{
    importing m = {.options = options};
    cof_status st;

    if (options->discard && options->keys == NULL)
        return cof_fail(err, COF_USAGE,
                        "the head that is replaced is kept unless a private key (--key) opens the "
                        "new one here");
    if ((st = cof_open_for_change(&m.file, path, cof_lock_deadline(), err)) == COF_OK &&
        (st = decide(&m, result, err)) == COF_OK)
        st = write_it(&m, path, result, err);
    cof_opened_wipe(&m.present);
    cof_opened_wipe(&m.next);
    cof_buf_free(&m.envelope);
    cof_file_free(m.file); /* and with it the lock */
    return st;
}
