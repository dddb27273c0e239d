/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The new backup of a rekey: its keys, its head, its body, its name.  What the old one says about
 * the content is carried over word for word; what makes it another backup is made here and nowhere
 * else.
 */

#include "engine/rekeying.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "crypto/random.h"
#include "engine/cipher.h"
#include "engine/decide.h"
#include "engine/envelope.h"
#include "engine/note.h"
#include "engine/reseal.h"
#include "engine/unlock.h"
#include "format/limits.h"

/* ---- keys and envelope ---- */

/* RK-1 */
static cof_status make_preamble(cof_rekeying *r, cof_error *err)
{
    cof_preamble *p = &r->preamble;
    cof_status st = COF_OK;

    *p = r->old.opened.head.preamble;
    if (p->epoch == UINT32_MAX)
        return cof_fail_rule(err, COF_LIMIT, "RK-1", COF_NO_OFFSET,
                             "the backup counts as many epochs as can be counted; it was forged");
    p->epoch++;
    if (r->options->cipher != NULL)
        st = cof_cipher_from_text(&p->cipher, r->options->cipher, err);
    if (st != COF_OK || (st = cof_random(p->salt, sizeof(p->salt), err)) != COF_OK ||
        (st = cof_preamble_emit(r->preamble_raw, p, err)) != COF_OK)
        return st;
    return cof_preamble_core(r->core, r->preamble_raw, err);
}

static cof_status make_keys(cof_rekeying *r, cof_error *err)
{
    const cof_link *newest = cof_locks_newest(&r->old.opened.head.locks);
    cof_decision decision = {
        .preamble = &r->preamble,
        .core = r->core,
        .recipients = &r->recipients,
        .generation = newest->custody.generation + 1,
        .previous = newest->json_sha256,
        .signer = r->options->signer,
        .digest = r->digest,
        .reason = r->options->reason,
    };
    cof_status st;

    if ((st = cof_random_secret(&r->dek, COF_DEK_SIZE, err)) != COF_OK ||
        (st = cof_schedule_new(&r->schedule, r->core, r->dek, r->preamble.cipher, err)) != COF_OK ||
        (st = cof_schedule_commitment(r->commitment, r->schedule, err)) != COF_OK)
        return st;
    decision.dek = r->dek;
    decision.schedule = r->schedule;
    return cof_decide(&r->keys, &r->custody, &decision, err);
}

/* With room for `slot_size` bytes: the manifest is left out where it would not fit. */
static cof_status emit_envelope(cof_buf *out, const cof_rekeying *r, cof_slice manifest,
                                uint64_t slot_size, cof_error *err)
{
    const cof_cert *signer = r->options->signer->cert;
    const cof_renewal renewal = {
        .old = &r->old.opened.head.locks,
        .keys = cof_buf_slice(&r->keys),
        .custody = cof_buf_slice(&r->custody),
        .recipients = &r->recipients,
        .signer = signer,
        .manifest = manifest,
        .maker = cof_cert_spki_sha256(signer),
        .preamble = &r->preamble,
        .slot_size = slot_size,
        .drop_history = r->options->drop_history,
        .reset = r->old.opened.custody_problem[0] != '\0',
    };

    return cof_envelope_renew(out, &renewal, err);
}

/*
 * As large as before, unless that has become tight: there is no cheaper moment for a larger head.
 * The old manifest stands for the new one, which is about as long.
 */
static cof_status choose_slot_size(cof_rekeying *r, cof_error *err)
{
    cof_buf envelope = COF_BUF_INIT;
    cof_status st = emit_envelope(&envelope, r, r->old.opened.manifest_cms, COF_SLOT_SIZE_MAX, err);

    r->sb.slot_size = r->old.opened.head.sb.slot_size;
    if (st == COF_OK && envelope.len > r->sb.slot_size / 2)
        r->sb.slot_size = cof_min_u64(cof_envelope_slot_size(envelope.len), COF_SLOT_SIZE_MAX);
    if (st == COF_OK && envelope.len > r->sb.slot_size)
        st = cof_fail_rule(err, COF_LIMIT, "EN-1", COF_NO_OFFSET,
                           "the new envelope needs %zu bytes, more than a head has; --drop-history "
                           "makes it smaller",
                           envelope.len);
    cof_buf_free(&envelope);
    return st;
}

static cof_status emit_head(cof_buf *out, cof_rekeying *r, cof_slice manifest, cof_error *err)
{
    cof_buf envelope = COF_BUF_INIT;
    cof_status st = emit_envelope(&envelope, r, manifest, r->sb.slot_size, err);

    if (st == COF_OK && (st = cof_head_describe(&r->sb, cof_buf_slice(&envelope), err)) == COF_OK)
        st = cof_head_emit(out, &r->sb, cof_buf_slice(&envelope), err);
    cof_buf_free(&envelope);
    return st;
}

/* --check-key: does the new envelope open with a key that will be needed? */
static cof_status check_new_keys(const cof_rekeying *r, cof_error *err)
{
    static const cof_slice none = COF_SLICE_INIT;
    cof_head head = {.preamble = r->preamble};
    cof_buf envelope = COF_BUF_INIT;
    cof_secret *dek = NULL;
    cof_schedule *schedule = NULL;
    size_t which;
    cof_status st;

    if (r->options->check_key == NULL)
        return COF_OK;
    memcpy(head.core, r->core, sizeof(head.core));
    if ((st = emit_envelope(&envelope, r, none, r->sb.slot_size, err)) == COF_OK &&
        (st = cof_locks_load(&head.locks, cof_buf_slice(&envelope), &head.preamble, head.core,
                             r->options->trust, err)) == COF_OK)
        st = cof_unlock(&dek, &schedule, &which, &head, r->commitment, r->options->check_key, err);
    if (st == COF_NO_MATCH)
        st = cof_fail(err, COF_NO_MATCH,
                      "the key to check does not belong to any of the new recipients; nothing was "
                      "written");
    cof_schedule_free(schedule);
    cof_secret_free(dek);
    cof_locks_wipe(&head.locks);
    cof_buf_free(&envelope);
    return st;
}

cof_status cof_rekeying_prepare(cof_rekeying *r, cof_error *err)
{
    cof_status st;

    r->sb = (cof_superblock){.role = COF_VOLUME_WHOLE, .volume = 1, .sequence = 1};
    if ((st = make_preamble(r, err)) != COF_OK || (st = make_keys(r, err)) != COF_OK ||
        (st = choose_slot_size(r, err)) != COF_OK)
        return st;
    memcpy(r->sb.preamble, r->preamble_raw, sizeof(r->sb.preamble));
    return check_new_keys(r, err);
}

/* ---- the file ---- */

static cof_status write_head(cof_rekeying *r, cof_error *err)
{
    static const cof_slice none = COF_SLICE_INIT;
    cof_buf head = COF_BUF_INIT;
    cof_status st = emit_head(&head, r, none, err);

    if (st == COF_OK)
        st = cof_sink_write(r->sink, head.data, head.len, err);
    cof_buf_free(&head);
    return st;
}

/* What tells about the content is carried over (LI-1); what tells about the body is not. */
static cof_status sign_manifest(cof_buf *out, const cof_rekeying *r, cof_error *err)
{
    const cof_manifest *old = &r->old.opened.manifest;
    const cof_signer *signer = r->options->signer;
    cof_slice json_before = cof_signed_content(r->old.opened.manifest_message);
    cof_manifest m = COF_MANIFEST_INIT;
    cof_buf json = COF_BUF_INIT;
    cof_status st;

    memcpy(m.backup, old->backup, sizeof(m.backup));
    memcpy(m.core, r->core, sizeof(m.core));
    memcpy(m.commitment, r->commitment, sizeof(m.commitment));
    memcpy(m.by, cof_cert_spki_sha256(signer->cert), sizeof(m.by));
    m.epoch = r->preamble.epoch;
    m.has_commitment = m.has_previous = true;
    m.content = old->content;
    m.complete = old->complete;
    m.started = old->started;
    m.finished = old->finished;
    (void)snprintf(m.tool, sizeof(m.tool), "coffer %s", COFFER_VERSION);
    if ((st = cof_sha256(m.previous, json_before.data, json_before.len, err)) == COF_OK &&
        (st = cof_writer_describe(&r->writer, &m, err)) == COF_OK &&
        (st = cof_manifest_emit(&json, &m, err)) == COF_OK)
        st = cof_signed_make(out, COF_OID_MANIFEST, cof_buf_slice(&json), signer->key, signer->cert,
                             r->digest, err);
    cof_manifest_wipe(&m);
    cof_buf_free(&json);
    return st;
}

/* The tail: the new manifest, then the earlier ones, newest first. */
static cof_status write_end(cof_buf *manifest, cof_rekeying *r, const cof_buf *earlier,
                            size_t count, cof_error *err)
{
    cof_slices list = COF_SLICES_INIT;
    bool again = false;
    cof_status st = COF_OK;

    while (st == COF_OK && count > 0)
        st = cof_slices_add(&list, cof_buf_slice(&earlier[--count]), err);
    do {
        manifest->len = 0;
        if (st == COF_OK && (st = sign_manifest(manifest, r, err)) == COF_OK)
            st = cof_writer_end(&again, &r->writer, cof_buf_slice(manifest), &list, err);
    } while (st == COF_OK && again);
    cof_slices_wipe(&list);
    return st;
}

/* The file has no name yet, so no order of writes matters. */
static cof_status put_manifest_into_head(cof_rekeying *r, cof_slice manifest, cof_error *err)
{
    cof_buf head = COF_BUF_INIT;
    cof_status st = emit_head(&head, r, manifest, err);

    if (st == COF_OK)
        st = cof_file_write_at(cof_sink_seekable(r->sink), 0, head.data, head.len, err);
    cof_buf_free(&head);
    return st;
}

static cof_status write_body(cof_rekeying *r, cof_error *err)
{
    const cof_reseal job = {&r->old, &r->preamble, r->schedule, &r->writer};
    cof_buf manifest = COF_BUF_INIT, *earlier = NULL;
    size_t count = 0;
    cof_status st;

    if ((st = cof_writer_init(&r->writer, r->sink, r->preamble_raw, &r->options->report, err)) !=
            COF_OK ||
        (st = cof_reseal_run(&job, &earlier, &count, err)) != COF_OK ||
        (st = cof_writer_close(&r->writer, err)) != COF_OK ||
        (st = write_end(&manifest, r, earlier, count, err)) != COF_OK)
        goto out;
    st = put_manifest_into_head(r, cof_buf_slice(&manifest), err);
out:
    cof_reseal_manifests_free(earlier, count);
    cof_buf_free(&manifest);
    return st;
}

/* RK-4.  Nobody who keeps to the lock can have put another file there. */
static cof_status publish(cof_rekeying *r, cof_error *err)
{
    bool same = true;
    cof_status st = COF_OK;

    if (r->options->output == NULL)
        st = cof_file_still_at_path(&same, r->old.file, r->path, err);
    if (st == COF_OK && !same)
        st = cof_fail(err, COF_BUSY, "%s is another file now; it was not replaced",
                      cof_file_label(r->old.file));
    if (st == COF_OK && r->options->output == NULL)
        st = cof_rekeying_require_old(r, err);
    if (st != COF_OK || (st = cof_sink_publish(r->sink, err)) != COF_OK)
        return st;
    if (r->options->output == NULL)
        cof_rekeying_remove_old(r);
    return COF_OK;
}

cof_status cof_rekeying_write(cof_rekeying *r, cof_error *err)
{
    cof_status st;

    if ((st = cof_rekeying_open_sink(r, err)) != COF_OK || (st = write_head(r, err)) != COF_OK ||
        (st = write_body(r, err)) != COF_OK)
        return st;
    return publish(r, err);
}
