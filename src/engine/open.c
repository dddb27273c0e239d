/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The open procedure.  Read it from the bottom: cof_opened_load is FORMAT.md, section 7, line by
 * line.  Until the manifest's signature has been verified everything in the file is hostile, and
 * no private key is touched.
 */

#include "engine/open.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "engine/extent.h"
#include "engine/note.h"
#include "engine/unlock.h"
#include "format/frame.h"
#include "format/limits.h"

/* ---- the manifest ---- */

static cof_status load_manifest(cof_opened *o, cof_slice cms, cof_error *err)
{
    cof_status st = cof_signed_parse(&o->manifest_message, cms, COF_OID_MANIFEST, 1, err);

    if (st != COF_OK)
        return st;
    o->manifest_cms = cms;
    return cof_manifest_parse(&o->manifest, cof_signed_content(o->manifest_message), err);
}

/* MF-4: the copies in head and tail say the same. */
static cof_status same_manifest(const cof_opened *o, cof_slice other, cof_error *err)
{
    cof_signed *message = NULL;
    cof_status st = cof_signed_parse(&message, other, COF_OID_MANIFEST, 1, err);

    if (st == COF_OK &&
        !cof_slice_equal(cof_signed_content(message), cof_signed_content(o->manifest_message)))
        st = cof_fail_rule(err, COF_AUTH, "MF-4", COF_NO_OFFSET,
                           "the manifest in the head and the one at the end of the backup differ");
    cof_signed_free(message);
    return st;
}

/* From the head if it is there, else from the tail. */
static cof_status find_manifest(cof_opened *o, const cof_opening *how, cof_error *err)
{
    cof_slice in_head = o->head.locks.envelope.manifest;
    cof_status st;

    if (in_head.len != 0)
        return load_manifest(o, in_head, err);
    if ((st = cof_extent_find_tail(o, how, err)) != COF_OK)
        return st;
    return load_manifest(o, o->ending.tail.manifests.items[0], err);
}

/* ---- trust in the maker ---- */

bool cof_opened_trusted(const cof_opened *o)
{
    return o->maker.standing == COF_STANDING_TRUSTED || o->needs_lineage;
}

/* Is the key that the preamble calls the maker one that is trusted as such? */
static bool first_maker_trusted(const cof_opened *o)
{
    const cof_candidates *c = &o->head.locks.candidates;

    for (size_t i = 0; i < c->count; i++)
        if ((c->items[i].roles & (unsigned)COF_ROLE_MAKER) != 0 &&
            memcmp(cof_cert_spki_sha256(c->items[i].cert), o->head.preamble.maker, 32) == 0)
            return true;
    return false;
}

/*
 * LI-4: in epoch 1 and later the signer need not be trusted as maker.  As custodian he must be, so
 * that no stranger gets a private key used (OP-1), and the one who is to be proven the first maker
 * must be trusted as that.
 */
static cof_status judge_rekeyer(cof_opened *o, const cof_opening *how, cof_error *err)
{
    cof_judgement custodian = {COF_STANDING_BAD, 0, 0};
    bool maker = o->maker.standing == COF_STANDING_TRUSTED;
    cof_status st = COF_OK;

    if (o->head.preamble.epoch == 0 || (maker && !how->prove_maker))
        return COF_OK;
    if (!maker)
        st = cof_judge(&custodian, o->manifest_message, o->manifest.by, &o->head.locks.candidates,
                       COF_ROLE_CUSTODIAN, err);
    o->needs_lineage = st == COF_OK && first_maker_trusted(o) &&
                       (maker || custodian.standing == COF_STANDING_TRUSTED);
    if (st != COF_OK || !maker || o->needs_lineage)
        return st;
    return cof_fail_rule(
        err, COF_AUTH, "LI-4", COF_NO_OFFSET,
        "the backup was re-encrypted, and its first maker is not trusted as maker");
}

static cof_status rekeyer_not_trusted(const cof_opened *o, const cof_party *by, cof_error *err)
{
    cof_party first;

    cof_party_describe(&first, o->head.preamble.maker, COF_STANDING_CLAIMED,
                       &o->head.locks.candidates);
    return cof_fail_rule(
        err, COF_AUTH, "LI-4", COF_NO_OFFSET,
        "this backup says it was made by %.120s, %s, and re-encrypted by %.120s, "
        "%s: that needs trust in the second as maker, or in the first as maker and "
        "the second as custodian, with a private key to prove it",
        first.subject[0] != '\0' ? first.subject : "an unknown key", first.fingerprint,
        by->subject[0] != '\0' ? by->subject : "an unknown key", by->fingerprint);
}

/* Say who claims to have made it, so that a person can compare the fingerprint. */
static cof_status not_trusted(const cof_opened *o, const cof_opening *how, cof_error *err)
{
    cof_party maker;
    const char *cn;

    cof_party_describe(&maker, o->manifest.by, o->maker.standing, &o->head.locks.candidates);
    cn = maker.subject[0] != '\0' ? maker.subject : "an unknown key";
    if (o->maker.standing == COF_STANDING_BAD)
        return cof_fail_rule(err, COF_AUTH, "OP-2", COF_NO_OFFSET,
                             "the signature of the manifest does not fit any key known here; it "
                             "names the key %s as its maker",
                             maker.fingerprint);
    if (cof_trust_count(how->trust) == 0)
        return cof_fail_rule(err, COF_AUTH, "ST-2", COF_NO_OFFSET,
                             "nobody is trusted yet: this backup says it was made by %.120s, %s; "
                             "compare the fingerprint, then give it with --trust",
                             cn, maker.fingerprint);
    if (o->head.preamble.epoch > 0)
        return rekeyer_not_trusted(o, &maker, err);
    return cof_fail_rule(err, COF_AUTH, "ST-2", COF_NO_OFFSET,
                         "this backup says it was made by %.120s, %s, who is not trusted as maker",
                         cn, maker.fingerprint);
}

static cof_status judge_maker(cof_opened *o, const cof_opening *how, cof_error *err)
{
    cof_status st = cof_judge(&o->maker, o->manifest_message, o->manifest.by,
                              &o->head.locks.candidates, COF_ROLE_MAKER, err);

    if (st == COF_OK)
        st = judge_rekeyer(o, how, err);
    if (st != COF_OK || cof_opened_trusted(o) ||
        (how->claimed && o->maker.standing == COF_STANDING_CLAIMED))
        return st;
    return not_trusted(o, how, err);
}

/*
 * The tail's copy of the manifest says the same, but its signature is its own: if it is not good,
 * the copy is of no use on the day when the head's is lost.
 */
static cof_status judge_tail_copy(cof_opened *o, const cof_opening *how, cof_error *err)
{
    cof_slice in_tail = COF_SLICE_INIT;
    cof_signed *message = NULL;
    cof_judgement judgement;
    cof_status st;

    if (o->ending.found)
        in_tail = o->ending.tail.manifests.items[0];
    if (in_tail.len == 0 || cof_slice_equal(in_tail, o->manifest_cms))
        return COF_OK;
    if ((st = cof_signed_parse(&message, in_tail, COF_OID_MANIFEST, 1, err)) == COF_OK)
        st = cof_judge(&judgement, message, o->manifest.by, &o->head.locks.candidates,
                       COF_ROLE_MAKER, err);
    if (st == COF_OK && judgement.standing != o->maker.standing) {
        cof_note(how->report, "the signature of the manifest at the end of the backup is damaged; "
                              "the one in the head was used");
        o->damaged++;
    }
    cof_signed_free(message);
    return st;
}

/* MF-1 and the first half of MF-2. */
static cof_status check_manifest(const cof_opened *o, cof_error *err)
{
    const cof_link *newest = cof_locks_newest(&o->head.locks);

    return cof_manifest_check(&o->manifest, &o->head.preamble, o->head.core,
                              newest == NULL ? NULL : newest->custody.commitment, err);
}

/* ---- the body ---- */

static cof_status look_at_body(cof_opened *o, const cof_opening *how, cof_error *err)
{
    bool in_head = o->head.locks.envelope.manifest.len != 0;
    cof_status st;

    if (o->head_only && in_head)
        return COF_OK; /* CH-1: the body is not even looked at */
    if ((st = cof_extent_find(o, how, err)) != COF_OK)
        return st;
    if (in_head && o->ending.found &&
        (st = same_manifest(o, o->ending.tail.manifests.items[0], err)) != COF_OK)
        return st;
    if ((st = judge_tail_copy(o, how, err)) != COF_OK)
        return st;
    return cof_extent_check(o, how, err);
}

/* ---- custody ---- */

static void set_problem(cof_opened *o, const char *text)
{
    if (o->custody_problem[0] == '\0')
        (void)snprintf(o->custody_problem, sizeof(o->custody_problem), "%s", text);
}

static void set_untrusted(cof_opened *o, const cof_link *newest)
{
    cof_party by;

    cof_party_describe(&by, newest->custody.by, newest->judgement.standing,
                       &o->head.locks.candidates);
    if (o->custody_problem[0] == '\0')
        (void)snprintf(o->custody_problem, sizeof(o->custody_problem),
                       newest->judgement.standing == COF_STANDING_BAD
                           ? "the list of recipients carries no valid signature of %.100s (%s)"
                           : "the list of recipients was signed by %.100s (%s), who is not trusted "
                             "as custodian",
                       by.subject[0] != '\0' ? by.subject : "an unknown key", by.fingerprint);
}

static void set_too_few(cof_opened *o, size_t found, size_t wanted)
{
    if (o->custody_problem[0] == '\0')
        (void)snprintf(o->custody_problem, sizeof(o->custody_problem),
                       "the list of recipients carries the signatures of %zu trusted custodian%s, "
                       "and %zu are demanded",
                       found, found == 1 ? "" : "s", wanted);
}

/* CU-5: the first statement of this epoch, if it is at hand; else NULL. */
static const cof_link *first_of_epoch(const cof_locks *locks)
{
    size_t i = locks->chain_count - 1;

    while (i > 0 && locks->chain[i - 1].custody.epoch == locks->chain[i].custody.epoch)
        i--;
    if (i == 0 && locks->chain[0].custody.generation != 1)
        return NULL;
    return i > 0 && locks->chain[i].custody.generation != locks->chain[i - 1].custody.generation + 1
               ? NULL
               : &locks->chain[i];
}

/* CU-5: who signed the list of recipients, and who the first ones. */
static void judge_custody(cof_opened *o, const cof_opening *how)
{
    const cof_link *newest = cof_locks_newest(&o->head.locks);
    const cof_link *oldest = newest == NULL ? NULL : &o->head.locks.chain[0], *first;

    if (newest == NULL)
        return;
    first = first_of_epoch(&o->head.locks);
    if (newest->judgement.standing == COF_STANDING_BAD ||
        (newest->judgement.standing == COF_STANDING_CLAIMED &&
         (!how->claimed || cof_opened_trusted(o))))
        set_untrusted(o, newest);
    if (how->min_custodians > 1 && newest->judgement.trusted_keys < how->min_custodians)
        set_too_few(o, newest->judgement.trusted_keys, how->min_custodians);
    if (oldest->custody.generation == 1 &&
        (memcmp(oldest->custody.by, o->head.preamble.maker, sizeof(oldest->custody.by)) != 0 ||
         oldest->judgement.standing == COF_STANDING_BAD))
        set_problem(o, "the first list of recipients is not by the maker");
    if (first != NULL && memcmp(first->custody.by, o->manifest.by, sizeof(o->manifest.by)) != 0)
        set_problem(o, "whoever re-encrypted the backup did not decide on its recipients then");
}

/* ---- all of it ---- */

static cof_status unlock(cof_opened *o, const cof_opening *how, cof_error *err)
{
    const cof_link *newest = cof_locks_newest(&o->head.locks);
    cof_status st;

    /* OP-1: a key is for what somebody trusted signed, not for what only claims to be. */
    if (how->keys == NULL || newest == NULL || !cof_opened_trusted(o))
        return COF_OK;
    st = cof_unlock(&o->dek, &o->schedule, &o->opened_by, &o->head, o->manifest.commitment,
                    how->keys, err);
    if (st != COF_OK)
        return st;
    if (!how->keep_dek) {
        cof_secret_free(o->dek);
        o->dek = NULL;
    }
    if ((st = cof_unlock_check_proof(&o->custody_proven, o->schedule, &newest->custody, err)) !=
        COF_OK)
        return st;
    if (!o->custody_proven)
        set_problem(o, "whoever wrote the list of recipients did not know the data key");
    return COF_OK;
}

/* ---- where the head is ---- */

cof_status cof_opened_need_body(const cof_opened *o, cof_error *err)
{
    if (o->body != NULL)
        return COF_OK;
    return cof_fail_rule(err, COF_UNSUPPORTED, "SB-3", 10,
                         "%s is the head of a backup without its body: give the file with the "
                         "body, and this one with --envelope",
                         cof_file_label(o->file));
}

/*
 * The head of the file is gone, and with it what said where it ends: the trailer that ends the file
 * says how long the body is, else it is as long as the head that takes its place.  Whether that was
 * right, the body itself shows.
 */
static cof_status guess_start(uint64_t *out, const cof_opened *o, cof_error *err)
{
    uint8_t raw[COF_TRAILER_SIZE];
    uint64_t size, body;
    cof_trailer t;
    cof_status st = cof_file_size(&size, o->file, err);

    *out = cof_head_length(&o->head);
    if (st != COF_OK || size < sizeof(raw))
        return st;
    if (cof_file_read_full(raw, sizeof(raw), o->file, size - sizeof(raw), NULL) != COF_OK ||
        cof_trailer_parse(&t, raw, NULL) != COF_OK)
        return COF_OK;
    body = t.second + COF_FRAME_SIZE + t.len + COF_TRAILER_SIZE;
    if (body < size)
        *out = size - body;
    return COF_OK;
}

static cof_status rescue(cof_opened *o, const cof_opening *how, cof_error *err)
{
    cof_file *file = NULL;
    uint64_t start;
    cof_status st;

    if (how->envelope->count != 1)
        return cof_fail(err, COF_USAGE, "the head that takes the place of a lost one is one alone");
    if ((st = cof_heads_file(&file, how->envelope, 0, err)) == COF_OK &&
        (st = cof_head_load(&o->head, file, how->trust, err)) == COF_OK &&
        (st = guess_start(&start, o, err)) == COF_OK)
        st = cof_body_new(&o->body, o->file, start, err);
    cof_file_free(file); /* the head has its own copy */
    return st;
}

/* HA-2: the head of this body is in another file; of its own only where it ends is used. */
static cof_status load_from_elsewhere(cof_opened *o, const cof_opening *how, cof_error *err)
{
    uint64_t start;
    uint8_t core[32];
    cof_file *file = NULL;
    size_t which;
    cof_status st = cof_head_find_body(&start, core, o->file, err);

    if (st == COF_FORMAT && how->rescue)
        return rescue(o, how, err);
    if (st != COF_OK)
        return st;
    if (!cof_heads_find(&which, how->envelope, core))
        return cof_fail_rule(err, COF_AUTH, "HA-2", COF_NO_OFFSET,
                             how->envelope->bundle ? "%.160s holds no head of the backup %.160s"
                                                   : "%.160s is not the head of the backup %.160s",
                             cof_file_label(how->envelope->file), cof_file_label(o->file));
    if ((st = cof_heads_file(&file, how->envelope, which, err)) == COF_OK &&
        (st = cof_head_load(&o->head, file, how->trust, err)) == COF_OK)
        st = cof_body_new(&o->body, o->file, start, err);
    if (st == COF_OK && memcmp(o->head.core, core, sizeof(core)) != 0)
        st = cof_fail_rule(err, COF_AUTH, "HA-2", COF_NO_OFFSET, "%s was changed while it was read",
                           cof_file_label(file));
    cof_file_free(file); /* the head has its own copy */
    return st;
}

static cof_status load_head(cof_opened *o, const cof_opening *how, cof_error *err)
{
    cof_status st;

    o->head_only = how->head_only;
    if (how->envelope != NULL)
        return load_from_elsewhere(o, how, err);
    if ((st = cof_head_load(&o->head, o->file, how->trust, err)) != COF_OK)
        return st;
    if (o->head.sb.role != COF_VOLUME_HEAD_ALONE)
        return cof_body_new(&o->body, o->file, cof_head_length(&o->head), err);
    o->head_only = true;
    return how->alone ? COF_OK : cof_opened_need_body(o, err);
}

cof_status cof_opened_load(cof_opened *out, const cof_file *file, const cof_opening *how,
                           cof_error *err)
{
    cof_status st;

    memset(out, 0, sizeof(*out));
    out->file = file;
    out->first_path = how->volumes.first;
    if ((st = load_head(out, how, err)) != COF_OK ||
        (st = find_manifest(out, how, err)) != COF_OK ||
        (st = judge_maker(out, how, err)) != COF_OK || /* OP-1: before any private key */
        (st = check_manifest(out, err)) != COF_OK || (st = look_at_body(out, how, err)) != COF_OK)
        goto out;
    judge_custody(out, how);
    st = unlock(out, how, err);
out:
    if (st != COF_OK)
        cof_opened_wipe(out);
    return st;
}

void cof_opened_wipe(cof_opened *o)
{
    cof_schedule_free(o->schedule);
    cof_secret_free(o->dek);
    cof_manifest_wipe(&o->manifest);
    cof_signed_free(o->manifest_message);
    cof_ending_wipe(&o->ending);
    cof_body_free(o->body);
    cof_head_wipe(&o->head);
    memset(o, 0, sizeof(*o));
}
