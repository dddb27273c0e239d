/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Repairing: look at all of it without a lock, since a body never changes; then lock, look at the
 * head again, and write.  What is written was proven by the maker's signature (the body, the
 * closing record) or is what the next rotation would write (the head).
 */

#include <coffer/repair.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "engine/catalog.h"
#include "engine/change.h"
#include "engine/lock.h"
#include "engine/note.h"
#include "engine/remains.h"
#include "engine/survey.h"

typedef struct repair {
    const cof_repair_options *options;
    cof_open_options opening;
    cof_heads *heads; /* the head that takes the place of a lost one; NULL: none is lost */
    cof_reader *reader;
    cof_mends mends;
    cof_remains remains; /* what is left of a lost head */
    cof_change change;   /* of the head */
    cof_file *file;      /* locked, for writing */
    bool body_unknown;   /* nothing about the body is proven */
    cof_error why;       /* then */
} repair;

/* ---- looking ---- */

static cof_status note_step(repair *r, size_t step, cof_error *err)
{
    const cof_change_step *s = &r->change.steps[step];
    bool superblock = s->raw != NULL;
    cof_repair_item item = {.kind = superblock ? COF_REPAIR_SUPERBLOCK : COF_REPAIR_SLOT,
                            .repairable = true,
                            .volume = 1,
                            .offset = s->at,
                            .length = superblock ? COF_SUPERBLOCK_SIZE : r->change.slot_size};
    bool second = s->at == cof_head_superblock_offset(1) ||
                  s->at == cof_head_slot_offset(r->change.slot_size, 1);

    (void)err;
    snprintf(item.text, sizeof(item.text), superblock ? "superblock copy %c" : "envelope slot %c",
             second ? 'B' : 'A');
    if (r->options->found != NULL)
        r->options->found(r->options->ctx, &item);
    return COF_OK;
}

/* May a head be lost that fails like this?  Want of trust, or of a newer version, is no loss. */
static bool is_loss(cof_status st)
{
    return st == COF_FORMAT || st == COF_IO;
}

/* Is the head of the file beyond reading?  COF_USAGE: it is not, though one was given for it. */
static cof_status need_head(repair *r, cof_error *err)
{
    cof_file *file = NULL;
    cof_head head;
    cof_status st;

    if (r->options->head == NULL)
        return COF_OK;
    if ((st = cof_require_regular(r->options->path, err)) != COF_OK ||
        (st = cof_file_open_read(&file, r->options->path, err)) != COF_OK)
        return st;
    st = cof_head_load(&head, file, r->options->trust, err);
    cof_file_free(file);
    if (st == COF_OK) {
        cof_head_wipe(&head);
        return cof_fail(err, COF_USAGE,
                        "the head of this backup can be read: repair it without --head, and change "
                        "it with \"coffer envelope import\"");
    }
    if (!is_loss(st))
        return st;
    r->opening.rescue = true;
    if ((st = cof_heads_open(&r->heads, r->options->head, err)) == COF_OK)
        r->opening.envelope = r->heads;
    return st;
}

/* Is what the repair leaves what the caller wants?  An old head is as genuine as the lost one. */
static cof_status expect(const repair *r, const cof_head *head, cof_error *err)
{
    const cof_locks *locks = r->remains.slot >= 0 ? &r->remains.locks : &head->locks;

    return cof_locks_expect(locks, &head->preamble, r->options->expected, err);
}

static cof_status plan_lost_head(repair *r, const cof_file *file, cof_error *err)
{
    const cof_opened *o = &r->reader->opened;
    cof_status st;

    cof_change_wipe(&r->change);
    cof_remains_wipe(&r->remains);
    if ((st = cof_remains_load(&r->remains, file, cof_body_base(o->body, 1), &o->head,
                               r->options->trust, err)) != COF_OK ||
        (st = expect(r, &o->head, err)) != COF_OK)
        return st;
    return cof_remains_plan(&r->change, &r->remains, &o->head, err);
}

static void note_lost_head(const repair *r)
{
    const cof_link *left = r->remains.slot >= 0 ? cof_locks_newest(&r->remains.locks) : NULL;
    uint64_t given = r->reader->info.generation;

    if (r->remains.slot < 0)
        cof_note(&r->options->report,
                 "the head is put back as it was in generation %" PRIu64
                 ": if the recipients were changed later, rotate again",
                 given);
    else
        cof_note(&r->options->report,
                 "an envelope is left, of generation %" PRIu64
                 ": the head is put back around it, and the one given here, of generation %" PRIu64
                 ", is not used",
                 left != NULL ? left->custody.generation : 0, given);
}

/* The head as it is: what has to be written so that it is at rest. */
static cof_status plan_head(repair *r, const cof_head *head, cof_error *err)
{
    cof_status st;

    cof_change_wipe(&r->change);
    if ((st = expect(r, head, err)) != COF_OK)
        return st;
    return cof_change_plan(&r->change, head, NULL, err);
}

static cof_status survey(repair *r, cof_error *err)
{
    cof_survey s = {.reader = r->reader,
                    .mends = &r->mends,
                    .report = &r->options->report,
                    .met = COF_TAIL_INIT};
    cof_status st = cof_survey_body(&s, &r->why);

    if (st == COF_FORMAT || st == COF_AUTH || st == COF_UNSUPPORTED || st == COF_IO) {
        r->body_unknown = true;
        if (r->heads != NULL) /* nothing shows that the two belong together */
            cof_change_wipe(&r->change);
        st = COF_OK;
    } else if (st == COF_OK) {
        st = cof_survey_tail(&s, err);
    } else if (err != NULL) {
        *err = r->why;
    }
    if (st == COF_OK)
        st = cof_survey_volumes(&s, err);
    cof_tail_wipe(&s.met);
    return st;
}

/* Whose word it is that the content is right must be trusted himself, not for what he kept. */
static cof_status need_maker(const repair *r, cof_error *err)
{
    if (r->reader->opened.maker.standing == COF_STANDING_TRUSTED)
        return COF_OK;
    return cof_fail_rule(err, COF_AUTH, "ST-2", COF_NO_OFFSET,
                         "a repair needs trust in who signed the backup as it is now "
                         "(--trust-maker), not only in who made it at first");
}

static cof_status look(repair *r, cof_error *err)
{
    const cof_repair_options *o = r->options;
    cof_status st;

    r->opening = (cof_open_options){.path = o->path,
                                    .volume_dirs = o->volume_dirs,
                                    .volume_dir_count = o->volume_dir_count,
                                    .trust = o->trust,
                                    .keys = o->keys};
    if (o->path == NULL)
        return cof_fail(err, COF_USAGE, "a repair needs a file");
    if ((st = need_head(r, err)) != COF_OK ||
        (st = cof_reader_open(&r->reader, &r->opening, err)) != COF_OK ||
        (st = need_maker(r, err)) != COF_OK)
        return st;
    st = r->heads != NULL ? plan_lost_head(r, r->reader->file, err)
                          : plan_head(r, &r->reader->opened.head, err);
    if (st != COF_OK)
        return st;
    if (r->heads != NULL)
        note_lost_head(r);
    if (r->reader->opened.custody_problem[0] != '\0')
        cof_note(&o->report, "%s; the content is not affected", r->reader->opened.custody_problem);
    return survey(r, err);
}

/* ---- which files ---- */

/* Does a range of stream 0 touch a record that is lost? */
static bool touches(const repair *r, uint64_t from, uint64_t len)
{
    for (size_t i = 0; i < r->mends.count; i++) {
        const cof_lost *l = &r->mends.list[i].lost;

        if (l->plain_len != 0 && l->offset < from + len && from < l->offset + l->plain_len)
            return true;
    }
    return false;
}

static cof_status name_entry(void *ctx, const cof_catalog_entry *entry, cof_error *err)
{
    const repair *r = ctx;

    (void)err;
    if (entry->length > 0 && touches(r, entry->position, entry->length))
        r->options->lost_file(r->options->ctx, (const char *)entry->path.data, entry->path.len);
    return COF_OK;
}

static cof_status skip_lost(void *ctx, cof_slice first, const cof_slice *next, const cof_error *why,
                            cof_error *err)
{
    const repair *r = ctx;

    (void)first;
    (void)next;
    (void)err;
    cof_note(&r->options->report, "a part of the names is lost: %s", why->message);
    return COF_OK;
}

/* Best effort: without the names the numbers still say what is lost. */
static void name_files(repair *r)
{
    const cof_opened *o = &r->reader->opened;
    cof_fetch fetch;
    const cof_catalog_visit visit = {.entry = name_entry, .lost = skip_lost, .ctx = r};
    cof_error err = COF_ERROR_INIT;
    cof_status st;

    if (r->options->lost_file == NULL || o->schedule == NULL ||
        o->head.preamble.content != COF_CONTENT_TREE)
        return;
    if ((st = cof_fetch_init(&fetch, r->reader, &err)) == COF_OK)
        st = cof_catalog_walk(&fetch, &visit, &err);
    cof_fetch_wipe(&fetch);
    if (st != COF_OK)
        cof_note(&r->options->report, "the files that are damaged cannot be named: %s",
                 err.message);
}

/* ---- telling ---- */

static cof_status tell(repair *r, cof_repair_result *result, cof_error *err)
{
    cof_status st = COF_OK;

    cof_uuid_format(result->uuid, r->reader->opened.head.preamble.uuid);
    result->generation = r->reader->info.generation;
    if (r->remains.slot >= 0 && cof_locks_newest(&r->remains.locks) != NULL)
        result->generation = cof_locks_newest(&r->remains.locks)->custody.generation;
    for (size_t k = 0; st == COF_OK && k < COF_CHANGE_STEPS; k++)
        if (cof_change_has(&r->change, k)) {
            st = note_step(r, k, err);
            result->repairable++;
        }
    for (size_t i = 0; i < r->mends.count; i++) {
        const cof_repair_item *item = &r->mends.list[i].item;

        if (r->options->found != NULL)
            r->options->found(r->options->ctx, item);
        result->repairable += item->repairable;
        result->lost += !item->repairable;
    }
    if (result->lost > 0)
        name_files(r);
    return st;
}

/* ---- writing ---- */

static cof_status same_file(const repair *r, cof_error *err)
{
    cof_file_id a, b;
    cof_status st;

    if ((st = cof_file_identity(&a, r->file, err)) != COF_OK ||
        (st = cof_file_identity(&b, r->reader->file, err)) != COF_OK)
        return st;
    if (a.dev == b.dev && a.ino == b.ino)
        return COF_OK;
    return cof_fail(err, COF_BUSY,
                    "%s was replaced by another process while it was looked at; run the same "
                    "command again",
                    cof_file_label(r->file));
}

/* Still lost, and nothing in it but what was there?  Its bytes are kept before any is written. */
static cof_status plan_lost_again(repair *r, cof_status found, cof_error *err)
{
    cof_status st;

    if (found == COF_OK)
        return cof_fail(err, COF_BUSY, "somebody else has just repaired the head");
    if (!is_loss(found))
        return found;
    if (r->body_unknown)
        return COF_OK; /* the head is not written */
    if ((st = plan_lost_head(r, r->file, err)) != COF_OK)
        return st;
    return cof_remains_keep(&r->remains, &r->change, r->options->path, err);
}

/* The head as it is now that nobody else can change it: another rotation may have been there. */
static cof_status plan_again(repair *r, cof_error *err)
{
    cof_head head;
    cof_status st = cof_head_load(&head, r->file, r->options->trust, err);

    if (r->heads != NULL)
        st = plan_lost_again(r, st, err);
    else if (st == COF_OK)
        st = plan_head(r, &head, err);
    cof_head_wipe(&head);
    return st;
}

static cof_status write_all(repair *r, cof_repair_result *result, cof_error *err)
{
    cof_status st;

    if (result->repairable == 0 || r->options->dry_run)
        return COF_OK;
    if ((st = cof_open_for_change(&r->file, r->options->path, cof_lock_deadline(), err)) !=
            COF_OK ||
        (st = same_file(r, err)) != COF_OK || (st = plan_again(r, err)) != COF_OK)
        return st;
    result->changed = true;
    if ((st = cof_mends_write(&r->mends, r->file, r->reader->opened.body, err)) != COF_OK)
        return st;
    if ((st = cof_change_run(&r->change, r->file, err)) != COF_OK)
        return st;
    return cof_require_in_place(r->file, r->options->path, err);
}

/* ---- the end ---- */

static cof_status conclude(const repair *r, const cof_repair_result *result, cof_error *err)
{
    if (r->body_unknown && result->repairable == 0)
        return cof_fail_rule(err, COF_FORMAT, r->why.rule, r->why.offset,
                             "nothing can be repaired here: neither the records nor their index "
                             "prove the content (%.250s)",
                             r->why.message);
    if (r->body_unknown)
        return cof_fail_rule(err, COF_FORMAT, r->why.rule, r->why.offset,
                             "only the head can be repaired: neither the records nor their index "
                             "prove the content (%.250s)",
                             r->why.message);
    if (result->lost > 0)
        return cof_fail_rule(err, COF_FORMAT, "RC-8", COF_NO_OFFSET,
                             "%zu of the damaged places exist only once and stay damaged; restore "
                             "--keep-going saves what is not in them",
                             result->lost);
    return COF_OK;
}

cof_status cof_repair(const cof_repair_options *options, cof_repair_result *result, cof_error *err)
{
    repair r = {.options = options,
                .mends = COF_MENDS_INIT,
                .remains = COF_REMAINS_INIT,
                .change = COF_CHANGE_INIT,
                .why = COF_ERROR_INIT};
    cof_status st;

    if ((st = look(&r, err)) == COF_OK && (st = tell(&r, result, err)) == COF_OK &&
        (st = write_all(&r, result, err)) == COF_OK)
        st = conclude(&r, result, err);
    cof_file_free(r.file);
    cof_change_wipe(&r.change);
    cof_remains_wipe(&r.remains);
    cof_mends_wipe(&r.mends);
    cof_reader_free(r.reader);
    cof_heads_free(r.heads);
    return st;
}
