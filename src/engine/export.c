/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Taking heads out of backups, to travel.
 *
 * Heads are spooled as they come and written in the order of their core at the end: so each backup
 * is opened once, and only one head is in memory, however many there are.
 */

#include <coffer/envelope.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "base/text.h"
#include "engine/alone.h"
#include "engine/lock.h"
#include "engine/note.h"
#include "engine/open.h"
#include "engine/paths.h"
#include "engine/rebundle.h"
#include "format/limits.h"
#include "os/dir.h"

#define COPY_STEP 65536
#define FILE_MODE 0600

typedef struct exported {
    uint8_t core[32];
    uint8_t custody[32]; /* hash of the newest statement; zeros: signed-only */
    uint64_t at, len;    /* in the spool */
} exported;

struct cof_exporter {
    const cof_export_options *options; /* borrowed */
    cof_file *spool;
    uint64_t spooled;
    exported *items; /* owned */
    size_t count;
};

/* A head in the place of a backup would be all that is left of it. */
static cof_status check_output(const cof_export_options *options, cof_error *err)
{
    char name[COF_TEXT_NAME_CAP];

    if (!options->force)
        return cof_path_must_be_free(options->output, "; --force replaces it", err);
    if (!cof_path_is_backup(options->output))
        return COF_OK;
    return cof_fail(err, COF_USAGE,
                    "%s is a backup, or a volume of one, and is not replaced by a head",
                    cof_text_safe_str(name, sizeof(name), options->output));
}

/* Nor is a head replaced by a part of itself. */
static cof_status require_other(const cof_exporter *e, const cof_file *file, cof_error *err)
{
    bool same = false;
    cof_status st = cof_file_still_at_path(&same, file, e->options->output, err);

    if (st == COF_OK && same)
        st = cof_fail(err, COF_USAGE, "%s is read, and is not replaced; name another file with -o",
                      cof_file_label(file));
    return st;
}

cof_status cof_exporter_new(cof_exporter **out, const cof_export_options *options, cof_error *err)
{
    cof_exporter *e = calloc(1, sizeof(*e));
    char *dir = NULL;
    uint64_t s = options->slot_size;
    cof_status st;

    *out = NULL;
    if (e == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    e->options = options;
    if (s != 0 && (s % COF_BLOCK_SIZE != 0 || s < COF_SLOT_SIZE_MIN || s > COF_SLOT_SIZE_MAX))
        st = cof_fail(err, COF_USAGE,
                      "the room for the envelope is a multiple of 4096 from 16384 to 16777216");
    else
        st = check_output(options, err);
    if (st != COF_OK || (st = cof_path_parent(&dir, options->output, err)) != COF_OK ||
        (st = cof_file_create_unlinked(&e->spool, dir, err)) != COF_OK)
        goto out;
    *out = e;
    e = NULL; /* transferred */
out:
    free(dir);
    cof_exporter_free(e);
    return st;
}

void cof_exporter_free(cof_exporter *e)
{
    if (e == NULL)
        return;
    cof_file_free(e->spool);
    free(e->items);
    free(e);
}

/* ---- one head ---- */

static void describe(cof_export_result *result, const cof_opened *o)
{
    const cof_link *newest = cof_locks_newest(&o->head.locks);

    cof_uuid_format(result->uuid, o->head.preamble.uuid);
    result->generation = newest == NULL ? 0 : newest->custody.generation;
}

static const exported *find(const cof_exporter *e, const uint8_t core[32])
{
    for (size_t i = 0; i < e->count; i++)
        if (memcmp(e->items[i].core, core, 32) == 0)
            return &e->items[i];
    return NULL;
}

/* BU-5: one head for a backup, of which there may be several copies. */
static cof_status admit(bool *again, const cof_exporter *e, const exported *item,
                        const cof_file *file, cof_error *err)
{
    const exported *there = find(e, item->core);

    *again = there != NULL && memcmp(there->custody, item->custody, 32) == 0;
    if (there != NULL && !*again)
        return cof_fail(err, COF_USAGE,
                        "%s is a copy of a backup whose head was taken already, with other "
                        "recipients: export one of the two",
                        cof_file_label(file));
    if (!*again && !e->options->bundle && e->count > 0)
        return cof_fail(err, COF_USAGE, "one head of one backup was asked for, not also that of %s",
                        cof_file_label(file));
    if (!*again && e->count >= COF_BUNDLE_HEADS_MAX)
        return cof_fail_rule(err, COF_LIMIT, "BU-2", COF_NO_OFFSET,
                             "a bundle holds no more than %u heads", COF_BUNDLE_HEADS_MAX);
    return COF_OK;
}

static cof_status append(cof_exporter *e, exported *item, cof_slice head, cof_error *err)
{
    exported *grown = e->items;
    cof_status st;

    if ((e->count & (e->count - 1)) == 0) /* at each power of two there is room for no more */
        grown = realloc(e->items, (e->count == 0 ? 1 : 2 * e->count) * sizeof(*grown));
    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    e->items = grown;
    if ((st = cof_file_write_at(e->spool, e->spooled, head.data, head.len, err)) != COF_OK)
        return st;
    item->at = e->spooled;
    item->len = head.len;
    e->spooled += head.len;
    e->items[e->count++] = *item;
    return COF_OK;
}

static cof_status take(cof_exporter *e, const cof_opened *o, cof_export_result *result,
                       cof_error *err)
{
    const cof_link *newest = cof_locks_newest(&o->head.locks);
    exported item = {.at = 0};
    cof_alone head = COF_ALONE_INIT;
    bool again;
    cof_status st;

    describe(result, o);
    memcpy(item.core, o->head.core, sizeof(item.core));
    if (newest != NULL)
        memcpy(item.custody, newest->json_sha256, sizeof(item.custody));
    if ((st = admit(&again, e, &item, o->file, err)) == COF_OK &&
        (st = cof_alone_make(&head, o, e->options->slot_size, err)) == COF_OK && !again)
        st = append(e, &item, cof_buf_slice(&head.bytes), err);
    result->slot_bytes = head.slot_size;
    result->envelope_bytes = head.envelope_len;
    cof_buf_free(&head.bytes);
    return st;
}

static void note_maker(const cof_opened *o, const cof_export_options *options,
                       const cof_report *report)
{
    cof_party maker;

    if (cof_trust_count(options->trust) == 0 || o->maker.standing == COF_STANDING_TRUSTED)
        return;
    cof_party_describe(&maker, o->manifest.by, o->maker.standing, &o->head.locks.candidates);
    cof_note(report, "it says that it was made by %.120s, %s, who is not trusted as maker",
             maker.subject[0] != '\0' ? maker.subject : "an unknown key", maker.fingerprint);
}

cof_status cof_exporter_add(cof_exporter *e, const char *path, const cof_report *report,
                            cof_export_result *result, cof_error *err)
{
    const cof_opening how = {.trust = e->options->trust,
                             .claimed = true,
                             .head_only = true,
                             .alone = true,
                             .volumes = {.first = path},
                             .report = report};
    cof_opened opened;
    cof_file *file = NULL;
    cof_status st;

    memset(&opened, 0, sizeof(opened));
    memset(result, 0, sizeof(*result));
    if ((st = cof_require_regular(path, err)) != COF_OK ||
        (st = cof_file_open_read(&file, path, err)) != COF_OK ||
        (st = require_other(e, file, err)) != COF_OK ||
        (st = cof_opened_load(&opened, file, &how, err)) != COF_OK)
        goto out;
    (void)cof_head_report(&opened.head, report);
    note_maker(&opened, e->options, report);
    st = take(e, &opened, result, err);
out:
    cof_opened_wipe(&opened);
    cof_file_free(file);
    return st;
}

/* ---- all of them ---- */

static int by_core(const void *a, const void *b)
{
    return memcmp(((const exported *)a)->core, ((const exported *)b)->core, 32);
}

static cof_status copy(cof_bundling *out, const cof_exporter *e, const exported *item,
                       cof_error *err)
{
    uint8_t buf[COPY_STEP];
    cof_status st = COF_OK;
    size_t step;

    for (uint64_t done = 0; st == COF_OK && done < item->len; done += step) {
        step = (size_t)cof_min_u64(item->len - done, sizeof(buf));
        if ((st = cof_file_read_full(buf, step, e->spool, item->at + done, err)) == COF_OK)
            st = cof_bundling_add(out, (cof_slice){buf, step}, err);
    }
    return st;
}

static cof_status write_bundle(const cof_exporter *e, cof_error *err)
{
    cof_bundling out = {NULL, NULL, 0};
    cof_status st = cof_bundling_begin(&out, e->options->output, FILE_MODE, (uint32_t)e->count,
                                       e->spooled, err);

    for (size_t i = 0; st == COF_OK && i < e->count; i++)
        st = copy(&out, e, &e->items[i], err);
    if (st == COF_OK)
        st = cof_bundling_publish(&out, e->options->force, err);
    cof_bundling_wipe(&out);
    return st;
}

/* It is in memory whole, as when it was made. */
static cof_status write_alone(const cof_exporter *e, cof_error *err)
{
    size_t len = (size_t)e->spooled;
    cof_buf head = COF_BUF_INIT;
    cof_status st = cof_buf_append_zeros(&head, len, err);

    if (st == COF_OK && (st = cof_file_read_full(head.data, len, e->spool, 0, err)) == COF_OK)
        st = cof_alone_write(e->options->output, cof_buf_slice(&head), e->options->force, err);
    cof_buf_free(&head);
    return st;
}

cof_status cof_exporter_finish(cof_exporter *e, cof_error *err)
{
    if (e->count == 0)
        return cof_fail(err, COF_USAGE, "there is no head to write");
    qsort(e->items, e->count, sizeof(*e->items), by_core);
    return e->options->bundle ? write_bundle(e, err) : write_alone(e, err);
}
