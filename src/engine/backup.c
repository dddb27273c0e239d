/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Making a backup: read → compress and seal → write, record by record, several of them at once.
 *
 * Whatever can be refused is refused in begin, before the first byte of content is read: the
 * certificates, the signing key (which signs the custody statement there), the place.  The first
 * envelope is complete before the first record, so the whole can go through a pipe; where the
 * output can be changed afterwards, a copy of the manifest is put into the head at the end.
 */

#include "engine/backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/random.h"
#include "engine/cipher.h"
#include "engine/compress.h"
#include "engine/decide.h"
#include "engine/head.h"
#include "engine/note.h"
#include "engine/places.h"
#include "format/limits.h"
#include "os/os.h"

#define VOLUMES_ROOM UINT64_C(65536) /* in a slot: about a thousand volumes in the manifest */

/* ---- begin ---- */

static cof_status choose_options(cof_backup *b, cof_error *err)
{
    const cof_backup_options *o = b->options;
    cof_status st;

    if (o->signer == NULL)
        return cof_fail(err, COF_USAGE, "a backup needs a signing key");
    if (o->tree && o->named)
        return cof_fail(err, COF_USAGE, "a backup is of files or of named streams");
    if (o->slot_size != 0 &&
        (o->slot_size < COF_SLOT_SIZE_MIN || o->slot_size > COF_SLOT_SIZE_MAX ||
         o->slot_size % COF_BLOCK_SIZE != 0))
        return cof_fail(err, COF_USAGE,
                        "the slot size is a multiple of 4096 from 16 KiB to 16 MiB");
    if ((st = cof_digest_from_name(&b->digest, o->digest, err)) != COF_OK ||
        (st = cof_compress_from_text(&b->codec, &b->level, o->compress, err)) != COF_OK)
        return st;
    return cof_signed_can_make(o->signer->key, o->signer->cert, b->digest, err);
}

/* Nobody is to be named where nothing is locked; somebody where it is. */
static cof_status choose_protection(cof_backup *b, cof_error *err)
{
    const cof_backup_options *o = b->options;
    size_t recipients = o->recipients != NULL ? o->recipients->list.count : 0;
    cof_status st;

    if (o->sign_only && recipients > 0)
        return cof_fail(err, COF_USAGE,
                        "a backup that is signed only is open to everybody and has no recipients");
    if (o->sign_only && o->cipher != NULL)
        return cof_fail(err, COF_USAGE,
                        "a backup that is signed only is not encrypted: it has no "
                        "cipher");
    if (o->sign_only && o->reason != NULL)
        return cof_fail(err, COF_USAGE,
                        "a reason goes with the list of recipients, which a backup that is signed "
                        "only does not have");
    if (o->sign_only)
        return COF_OK;
    if (recipients == 0)
        return cof_fail(err, COF_USAGE, "a backup needs at least one recipient who can open it");
    if ((st = cof_cipher_from_text(&b->cipher, o->cipher, err)) != COF_OK)
        return st;
    return cof_recipients_accept(&b->recipients, &o->recipients->list, o->signer, o->skip_expired,
                                 &o->report, &b->skipped, err);
}

static cof_status fill_preamble(cof_backup *b, cof_error *err)
{
    const cof_backup_options *o = b->options;
    const char *label = o->label != NULL ? o->label : "";
    cof_preamble *p = &b->preamble;
    cof_status st;

    if (!cof_label_valid(label, strlen(label)))
        return cof_fail(err, COF_USAGE,
                        "a label is 1 to 64 letters, digits, '.', '_' and '-', and does not begin "
                        "with '.' or '-'");
    *p = (cof_preamble){
        .record_size = o->record_size != 0 ? o->record_size : COF_RECORD_SIZE_DEFAULT,
        .created = b->started,
        .cipher = b->cipher,
        .tree_hash = COF_TREE_HASH_SHA256,
        .key_schedule = o->sign_only ? COF_KEY_SCHEDULE_NONE : COF_KEY_SCHEDULE_V1,
        .content = o->tree ? COF_CONTENT_TREE : COF_CONTENT_STREAM,
        .protection = o->sign_only ? COF_PROTECTION_SIGNED_ONLY : COF_PROTECTION_SEALED,
    };
    (void)snprintf(p->label, sizeof(p->label), "%s", label);
    memcpy(p->maker, cof_cert_spki_sha256(o->signer->cert), sizeof(p->maker));
    if ((st = cof_random(p->uuid, sizeof(p->uuid), err)) != COF_OK ||
        (st = cof_random(p->salt, sizeof(p->salt), err)) != COF_OK)
        return st;
    cof_uuid_from_random(p->uuid);
    if ((st = cof_preamble_emit(b->preamble_raw, p, err)) != COF_OK)
        return st;
    return cof_preamble_core(b->core, b->preamble_raw, err);
}

/*
 * The data key lives only here: afterwards the schedule has what is needed, and KEYS has the rest.
 * Signed only: there is none of these.
 */
static cof_status make_keys(cof_backup *b, cof_error *err)
{
    cof_secret *dek = NULL;
    cof_decision decision = {
        .preamble = &b->preamble,
        .core = b->core,
        .recipients = &b->recipients,
        .generation = 1,
        .signer = b->options->signer,
        .digest = b->digest,
        .reason = b->options->reason,
    };
    cof_status st;

    if (b->options->sign_only)
        return COF_OK;
    if ((st = cof_random_secret(&dek, COF_DEK_SIZE, err)) != COF_OK ||
        (st = cof_schedule_new(&b->schedule, b->core, dek, b->preamble.cipher, err)) != COF_OK)
        goto out;
    decision.dek = dek;
    decision.schedule = b->schedule;
    st = cof_decide(&b->keys, &b->custody, &decision, err);
out:
    cof_secret_free(dek);
    return st;
}

/* The envelope of generation 1; manifest is empty at first. */
static cof_status emit_envelope(cof_buf *out, const cof_backup *b, cof_slice manifest,
                                cof_error *err)
{
    cof_envelope e = COF_ENVELOPE_INIT;
    cof_status st = COF_OK;

    e.keys = cof_buf_slice(&b->keys);
    e.custody = cof_buf_slice(&b->custody);
    e.manifest = manifest;
    for (size_t i = 0; st == COF_OK && i < b->recipients.count; i++)
        st = cof_slices_add(&e.recipients, cof_cert_der(b->recipients.certs[i]), err);
    if (st == COF_OK)
        st = cof_slices_add(&e.signers, cof_cert_der(b->options->signer->cert), err);
    if (st == COF_OK)
        st = cof_envelope_emit(out, &e, b->preamble.protection, err);
    cof_envelope_wipe(&e);
    return st;
}

/* The list of volumes in the manifest is not yet known, and is to fit, too. */
static uint64_t choose_slot_size(const cof_backup *b, size_t envelope_len)
{
    uint64_t size = cof_envelope_slot_size(envelope_len);

    if (b->options->slot_size != 0)
        return b->options->slot_size;
    if (cof_places_several(b->options))
        size += VOLUMES_ROOM;
    return size < COF_SLOT_SIZE_MAX ? size : COF_SLOT_SIZE_MAX;
}

static cof_status emit_head(cof_buf *out, cof_backup *b, cof_slice manifest, cof_error *err)
{
    cof_buf envelope = COF_BUF_INIT;
    cof_status st = emit_envelope(&envelope, b, manifest, err);

    if (st == COF_OK && b->sb.slot_size == 0)
        b->sb.slot_size = choose_slot_size(b, envelope.len);
    if (st == COF_OK && (st = cof_head_describe(&b->sb, cof_buf_slice(&envelope), err)) == COF_OK)
        st = cof_head_emit(out, &b->sb, cof_buf_slice(&envelope), err);
    cof_buf_free(&envelope);
    return st;
}

/* The place is tried before anything is read, and once it is known how long the head is. */
static cof_status begin_output(cof_backup *b, cof_error *err)
{
    static const cof_slice none = COF_SLICE_INIT;
    cof_buf head = COF_BUF_INIT;
    cof_status st;

    b->sb = (cof_superblock){.role = COF_VOLUME_WHOLE, .volume = 1, .sequence = 1};
    memcpy(b->sb.preamble, b->preamble_raw, sizeof(b->sb.preamble));
    if ((st = emit_head(&head, b, none, err)) == COF_OK &&
        (st = cof_places_open(&b->sink, b->options, &b->preamble, head.len, err)) == COF_OK)
        st = cof_sink_write(b->sink, head.data, head.len, err);
    cof_buf_free(&head);
    return st;
}

static cof_status make_pipeline(cof_backup *b, cof_error *err)
{
    const cof_catalog_hooks hooks = {cof_backup_catalog_record, b};
    const cof_pipeline_plan plan = {
        .preamble = &b->preamble,
        .schedule = b->schedule,
        .codec = b->codec,
        .level = b->level,
        .threads = b->options->jobs,
        .writer = &b->writer,
    };
    cof_status st = cof_writer_init(&b->writer, b->sink, b->preamble_raw, &b->options->report, err);

    if (st != COF_OK || (st = cof_pipeline_new(&b->pipeline, &plan, err)) != COF_OK ||
        (st = cof_pipeline_buffer(&b->plain, b->pipeline, err)) != COF_OK)
        return st;
    return b->options->tree || b->options->named
               ? cof_catalog_writer_new(&b->catalog, b->preamble.record_size, &hooks, err)
               : COF_OK;
}

cof_status cof_backup_begin(cof_backup **out, const cof_backup_options *options, cof_error *err)
{
    cof_backup *b = calloc(1, sizeof(*b));
    cof_status st;

    *out = NULL;
    if (b == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    b->options = options;
    b->started = cof_clock_now();
    b->total = COF_TOTAL_UNKNOWN;
    if ((st = choose_options(b, err)) != COF_OK || (st = choose_protection(b, err)) != COF_OK ||
        (st = fill_preamble(b, err)) != COF_OK || (st = make_keys(b, err)) != COF_OK ||
        (st = begin_output(b, err)) != COF_OK || (st = make_pipeline(b, err)) != COF_OK)
        goto out;
    *out = b;
    b = NULL; /* transferred */
out:
    cof_backup_free(b);
    return st;
}

/* ---- finish ---- */

static cof_status sign_manifest(cof_buf *out, const cof_backup *b, cof_error *err)
{
    const cof_signer *signer = b->options->signer;
    cof_manifest m = COF_MANIFEST_INIT;
    cof_buf json = COF_BUF_INIT;
    cof_status st;

    memcpy(m.backup, b->preamble.uuid, sizeof(m.backup));
    memcpy(m.core, b->core, sizeof(m.core));
    memcpy(m.by, b->preamble.maker, sizeof(m.by));
    m.has_commitment = b->schedule != NULL;
    m.content = b->preamble.content;
    m.complete = b->totals.problems == 0;
    m.started = b->started;
    m.finished = cof_clock_now();
    (void)snprintf(m.tool, sizeof(m.tool), "coffer %s", COFFER_VERSION);
    st = m.has_commitment ? cof_schedule_commitment(m.commitment, b->schedule, err) : COF_OK;
    if (st == COF_OK && (st = cof_writer_describe(&b->writer, &m, err)) == COF_OK &&
        (st = cof_manifest_emit(&json, &m, err)) == COF_OK)
        st = cof_signed_make(out, COF_OID_MANIFEST, cof_buf_slice(&json), signer->key, signer->cert,
                             b->digest, err);
    cof_manifest_wipe(&m);
    cof_buf_free(&json);
    return st;
}

/* Once more where the end of the backup had to go to a further volume, which the manifest lists. */
static cof_status write_end(cof_buf *manifest, cof_backup *b, cof_error *err)
{
    bool again = false;
    cof_status st;

    do {
        manifest->len = 0;
        if ((st = sign_manifest(manifest, b, err)) == COF_OK)
            st = cof_writer_end(&again, &b->writer, cof_buf_slice(manifest), NULL, err);
    } while (st == COF_OK && again);
    return st;
}

/*
 * Put a copy of the manifest into the head, so that a rotation never needs the end of the backup.
 * The file has no name yet, so no order of writes matters.  Where it does not fit it is left out.
 */
static cof_status put_manifest_into_head(cof_backup *b, cof_slice manifest, cof_error *err)
{
    cof_file *file = cof_sink_seekable(b->sink);
    cof_buf head = COF_BUF_INIT;
    cof_status st;

    if (file == NULL)
        return COF_OK;
    if ((st = emit_head(&head, b, manifest, err)) == COF_OK)
        st = cof_file_write_at(file, 0, head.data, head.len, err);
    else if (st == COF_LIMIT)
        st = COF_OK;
    cof_buf_free(&head);
    return st;
}

static void fill_result(cof_backup_result *out, const cof_backup *b)
{
    memset(out, 0, sizeof(*out));
    (void)snprintf(out->path, sizeof(out->path), "%s", cof_sink_path(b->sink, 1));
    out->volumes =
        b->options->output == NULL && b->options->volume_count == 0 ? 1 : cof_sink_count(b->sink);
    cof_uuid_format(out->uuid, b->preamble.uuid);
    out->plain_bytes = b->writer.plain_bytes;
    out->stored_bytes = cof_sink_written(b->sink);
    out->records = b->writer.records;
    out->streams = b->stream_count;
    out->recipients = b->recipients.count;
    out->skipped = b->skipped;
    out->complete = b->totals.problems == 0;
    out->problems = b->totals.problems;
    out->files = b->totals.files;
    out->directories = b->totals.directories;
    out->others = b->totals.others;
    out->hard_links = b->totals.hard_links;
    out->sockets = b->totals.sockets;
    out->excluded = b->totals.excluded;
}

static cof_status finish(cof_backup *b, cof_backup_result *result, cof_error *err)
{
    cof_buf manifest = COF_BUF_INIT;
    cof_status st;

    if (b->options->tree && !b->tree_read)
        return cof_fail(err, COF_USAGE, "no files were put into a backup that was begun for them");
    if ((st = cof_backup_flush(b, err)) != COF_OK ||
        (b->options->named && (st = cof_backup_finish_streams(b, err)) != COF_OK) ||
        (st = cof_pipeline_drain(b->pipeline, err)) != COF_OK ||
        (st = cof_writer_close(&b->writer, err)) != COF_OK)
        return st;
    if (b->writer.records == 0 && !b->options->allow_empty)
        return cof_fail(err, COF_SOURCE,
                        "the source was empty, so nothing was backed up; --allow-empty makes a "
                        "backup of nothing");
    if ((st = write_end(&manifest, b, err)) != COF_OK ||
        (st = put_manifest_into_head(b, cof_buf_slice(&manifest), err)) != COF_OK ||
        (st = cof_sink_publish(b->sink, err)) != COF_OK)
        goto out;
    if (result != NULL)
        fill_result(result, b);
    cof_pipeline_stats(b->pipeline, b->options->stats);
out:
    cof_buf_free(&manifest);
    return st;
}

cof_status cof_backup_finish(cof_backup *b, cof_backup_result *result, cof_error *err)
{
    cof_status st = cof_backup_usable(b, err);

    return st == COF_OK ? cof_backup_ended(b, finish(b, result, err)) : st;
}

void cof_backup_free(cof_backup *b)
{
    if (b == NULL)
        return;
    cof_pipeline_free(b->pipeline);
    cof_writer_wipe(&b->writer);
    cof_catalog_writer_free(b->catalog);
    for (size_t i = 0; i < b->stream_count; i++)
        free(b->streams[i].name);
    free(b->streams);
    cof_schedule_free(b->schedule);
    cof_cert_list_wipe(&b->recipients);
    cof_buf_free(&b->keys);
    cof_buf_free(&b->custody);
    cof_sink_free(b->sink);
    free(b->plain);
    free(b);
}
