/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Taking a backup from a pipe.  It is written to its new place as it comes, every payload hashed
 * on the way; at the end it goes through the same open procedure as any other backup, and only
 * then gets its name.
 */

#include <coffer/backup.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/envelope.h"
#include "engine/name.h"
#include "engine/note.h"
#include "engine/open.h"
#include "engine/walk.h"
#include "format/limits.h"
#include "os/pool.h"
#include "os/threads.h"
#include "store/sink.h"

typedef struct receive {
    const cof_receive_options *options; /* borrowed */
    cof_file *in;
    cof_sink *sink;
    cof_preamble preamble;
    cof_walk walk;
    cof_tail met; /* the INDEX frames that came */
    cof_opened opened;
} receive;

static cof_status ended_early(cof_error *err)
{
    return cof_fail_rule(err, COF_FORMAT, "GE-2", COF_NO_OFFSET,
                         "the backup ends early: the sender stopped, or the connection broke");
}

static cof_status read_exactly(receive *r, void *out, size_t len, cof_error *err)
{
    size_t got;
    cof_status st = cof_file_read_stream(out, len, &got, r->in, err);

    return st == COF_OK && got != len ? ended_early(err) : st;
}

static cof_status read_on(void *ctx, void *out, size_t len, cof_place from, cof_error *err)
{
    (void)from; /* a pipe goes front to back */
    return read_exactly(ctx, out, len, err);
}

static cof_status copy_on(void *ctx, const void *data, size_t len, cof_error *err)
{
    return cof_sink_write(((receive *)ctx)->sink, data, len, err);
}

static cof_status move(receive *r, cof_buf *buf, size_t len, cof_error *err)
{
    cof_status st = cof_buf_append_zeros(buf, len, err);

    return st == COF_OK ? read_exactly(r, buf->data + buf->len - len, len, err) : st;
}

static cof_status make_sink(receive *r, cof_error *err)
{
    char *path = NULL;
    cof_status st = cof_name_output(&path, r->options->output, &r->preamble, err);

    if (st == COF_OK)
        st = cof_sink_file(&r->sink, path, r->options->force, err);
    free(path);
    return st;
}

/* What does not even begin as a backup is no backup that ended early. */
static cof_status receive_superblocks(receive *r, cof_buf *head, cof_error *err)
{
    size_t len = 2 * (size_t)COF_SUPERBLOCK_SIZE, got = 0;
    cof_status st;

    if ((st = cof_buf_append_zeros(head, len, err)) != COF_OK ||
        (st = cof_file_read_stream(head->data, len, &got, r->in, err)) != COF_OK || got == len)
        return st;
    if (!cof_superblock_has_magic(head->data))
        return cof_fail_rule(err, COF_FORMAT, "SB-1", 0, "what was sent is not a coffer backup");
    return ended_early(err);
}

/* The head has to be understood so far that its length and the new name are known. */
static cof_status receive_head(receive *r, cof_error *err)
{
    cof_buf head = COF_BUF_INIT;
    cof_superblock sb;
    cof_status st;

    if ((st = receive_superblocks(r, &head, err)) != COF_OK ||
        (st = cof_superblock_choose(&sb, NULL, head.data, head.data + COF_SUPERBLOCK_SIZE, err)) !=
            COF_OK ||
        (st = cof_preamble_parse(&r->preamble, sb.preamble, err)) != COF_OK)
        goto out;
    if (sb.role != COF_VOLUME_WHOLE) {
        st = cof_fail_rule(err, COF_UNSUPPORTED, "SB-3", 10, "what was sent is not a whole backup");
        goto out;
    }
    if ((st = move(r, &head, cof_head_len(sb.slot_size) - head.len, err)) == COF_OK &&
        (st = make_sink(r, err)) == COF_OK)
        st = cof_sink_write(r->sink, head.data, head.len, err);
out:
    cof_buf_free(&head);
    return st;
}

static cof_status note_index(void *ctx, const cof_index_ref *ref, cof_error *err)
{
    return cof_tail_add_index(&((receive *)ctx)->met, ref, err);
}

static cof_status receive_body(receive *r, cof_error *err)
{
    cof_walk_hooks hooks = {.read = read_on,
                            .copy = copy_on,
                            .index = note_index,
                            .threads = cof_threads_for(0, COF_POOL_WORKERS_MAX),
                            .hash_only = true,
                            .ctx = r};
    cof_status st = cof_walk_init(&r->walk, &r->preamble, &hooks, NULL, &r->options->report, err);

    return st == COF_OK ? cof_walk_run(&r->walk, err) : st;
}

/* The header of the first TAIL frame has been read: the rest follows from its length. */
static cof_status receive_end(receive *r, cof_error *err)
{
    size_t len = r->walk.tail.stored_len;
    size_t rest = len + COF_TRAILER_SIZE + COF_FRAME_SIZE + len + COF_TRAILER_SIZE;
    cof_buf end = COF_BUF_INIT;
    uint8_t more;
    size_t got;
    cof_status st;

    if ((st = move(r, &end, rest, err)) != COF_OK ||
        (st = cof_file_read_stream(&more, 1, &got, r->in, err)) != COF_OK)
        goto out;
    if (got != 0)
        st = cof_fail_rule(err, COF_FORMAT, "GE-3", COF_NO_OFFSET,
                           "more bytes were sent behind the end of the backup");
    else
        st = cof_sink_write(r->sink, end.data, end.len, err);
out:
    cof_buf_free(&end);
    return st;
}

/* Superblocks and slots anew, with the manifest in them where it fits: a head at rest. */
static cof_status renew_head(receive *r, cof_error *err)
{
    cof_head *head = &r->opened.head;
    cof_superblock sb = head->sb;
    cof_buf envelope = COF_BUF_INIT, bytes = COF_BUF_INIT;
    cof_status st;

    sb.sequence++;
    sb.active_slot = 0;
    if ((st = cof_envelope_with_manifest(&envelope, &head->locks.envelope, r->opened.manifest_cms,
                                         sb.slot_size, r->preamble.protection, err)) == COF_OK &&
        (st = cof_head_describe(&sb, cof_buf_slice(&envelope), err)) == COF_OK &&
        (st = cof_head_emit(&bytes, &sb, cof_buf_slice(&envelope), err)) == COF_OK)
        st = cof_file_write_at(cof_sink_seekable(r->sink), 0, bytes.data, bytes.len, err);
    cof_buf_free(&envelope);
    cof_buf_free(&bytes);
    return st;
}

static cof_status check_and_publish(receive *r, cof_error *err)
{
    const cof_opening how = {.trust = r->options->trust, .report = &r->options->report};
    cof_opened *o = &r->opened;
    cof_status st;

    if ((st = cof_opened_load(o, cof_sink_seekable(r->sink), &how, err)) != COF_OK ||
        (st = cof_walk_check(&r->walk, &o->manifest, err)) != COF_OK)
        return st;
    if (o->needs_lineage)
        return cof_fail_rule(err, COF_AUTH, "LI-4", COF_NO_OFFSET,
                             "what was sent was re-encrypted by somebody who is not trusted as "
                             "maker, and that it is still the first maker's needs a private key to "
                             "prove: trust its signer as maker, or copy the file");
    if (r->walk.damaged > 0)
        return cof_fail_rule(err, COF_FORMAT, "IX-1", COF_NO_OFFSET,
                             "an index of the backup was damaged on its way");
    if (o->damaged > 0 || !cof_tail_same_indexes(&r->met, &o->ending.tail))
        return cof_fail_rule(err, COF_FORMAT, "TL-1", COF_NO_OFFSET,
                             "the end of the backup was damaged on its way");
    if (o->custody_problem[0] != '\0' && r->options->strict_custody)
        return cof_fail_rule(err, COF_AUTH, "CU-5", COF_NO_OFFSET, "%s", o->custody_problem);
    if (o->custody_problem[0] != '\0')
        cof_note(&r->options->report, "%s; the content is not affected", o->custody_problem);
    if ((st = renew_head(r, err)) != COF_OK)
        return st;
    return cof_sink_publish(r->sink, err);
}

static void fill_result(cof_backup_result *out, const receive *r)
{
    memset(out, 0, sizeof(*out));
    (void)snprintf(out->path, sizeof(out->path), "%s", cof_sink_path(r->sink, 1));
    out->volumes = 1;
    cof_uuid_format(out->uuid, r->preamble.uuid);
    out->plain_bytes = r->walk.plain_bytes;
    out->stored_bytes = cof_sink_written(r->sink);
    out->records = r->walk.order.next;
    out->recipients = r->opened.head.locks.recipients.count;
    out->complete = r->opened.manifest.complete;
}

cof_status cof_receive(const cof_receive_options *options, cof_backup_result *result,
                       cof_error *err)
{
    receive r;
    cof_status st;

    memset(&r, 0, sizeof(r));
    r.options = options;
    r.met = (cof_tail)COF_TAIL_INIT;
    if (options->output == NULL)
        return cof_fail(err, COF_USAGE, "a received backup needs a place to go to");
    if (cof_trust_count(options->trust) == 0)
        return cof_fail_rule(err, COF_AUTH, "ST-2", COF_NO_OFFSET,
                             "nobody is trusted: give the certificate or fingerprint of the maker "
                             "whose backups are to be received (--trust)");
    if ((st = cof_file_from_fd(&r.in, options->input_fd, "standard input", false, err)) != COF_OK ||
        (st = receive_head(&r, err)) != COF_OK || (st = receive_body(&r, err)) != COF_OK ||
        (st = receive_end(&r, err)) != COF_OK || (st = check_and_publish(&r, err)) != COF_OK)
        goto out;
    if (result != NULL)
        fill_result(result, &r);
out:
    cof_opened_wipe(&r.opened);
    cof_walk_wipe(&r.walk);
    cof_tail_wipe(&r.met);
    cof_sink_free(r.sink);
    cof_file_free(r.in);
    return st;
}
