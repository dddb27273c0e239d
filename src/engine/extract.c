/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Restoring files: the catalog says what there is and where, the records of the content are fetched
 * as the entries need them - one behind the other where everything is restored -, and
 * source/extract.h puts each thing in its place.
 */

#include <coffer/tree.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/treepath.h"
#include "engine/catalog.h"
#include "engine/note.h"
#include "engine/select.h"
#include "engine/stats.h"
#include "os/threads.h"
#include "source/extract.h"
#include "store/sink.h"

typedef struct extraction {
    const cof_extract_options *options; /* borrowed */
    cof_fetch fetch;
    cof_select select;
    cof_unpack *unpack;
    cof_extract *extract; /* into a directory */
    cof_sink *sink;       /* or to a descriptor */
    uint64_t total, done; /* bytes of the archive, for the progress */
    cof_extract_result result;
} extraction;

static const cof_report *report_of(const extraction *x)
{
    return &x->fetch.reader->options->report;
}

/* ---- the archive ---- */

static cof_status on_read(void *ctx, cof_slice *out, uint64_t offset, cof_error *err)
{
    extraction *x = ctx;
    cof_status st = cof_fetch_data(&x->fetch, out, offset, err);

    if (st != COF_OK)
        return st;
    x->done = offset;
    return cof_tell(report_of(x), x->total == COF_TOTAL_UNKNOWN ? x->result.bytes : x->done,
                    x->total, err);
}

/* ---- one entry ---- */

/* Without the components that are to be left out; false: nothing is left. */
static bool strip(const extraction *x, cof_slice *path)
{
    for (size_t n = x->options->strip_components; n > 0; n--) {
        const uint8_t *slash = memchr(path->data, '/', path->len);

        if (slash == NULL)
            return false;
        path->len -= (size_t)(slash + 1 - path->data);
        path->data = slash + 1;
    }
    return true;
}

static cof_status write_zeros(cof_sink *sink, uint64_t len, cof_error *err)
{
    static const uint8_t zeros[65536];
    cof_status st = COF_OK;

    while (st == COF_OK && len > 0) {
        size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

        st = cof_sink_write(sink, zeros, n, err);
        len -= n;
    }
    return st;
}

static cof_status write_content(extraction *x, const cof_catalog_entry *e, cof_error *err)
{
    uint64_t at = 0, offset;
    cof_slice piece;
    bool end = false;
    cof_status st;

    while ((st = cof_unpack_data(x->unpack, &piece, &offset, &end, err)) == COF_OK && !end) {
        if (offset < at)
            return cof_fail_rule(err, COF_AUTH, "CA-2", COF_NO_OFFSET,
                                 "the pieces of a file are not in order");
        if ((st = write_zeros(x->sink, offset - at, err)) != COF_OK ||
            (st = cof_sink_write(x->sink, piece.data, piece.len, err)) != COF_OK)
            return st;
        at = offset + piece.len;
    }
    if (st != COF_OK || (st = write_zeros(x->sink, e->size - at, err)) != COF_OK)
        return st;
    x->result.files++;
    x->result.bytes += e->size;
    return cof_unpack_end(x->unpack, err);
}

static bool has_content(const cof_catalog_entry *e)
{
    return e->type == COF_ENTRY_FILE || e->type == COF_ENTRY_NAMED_STREAM;
}

/* Read what the archive says of an entry, and put it where it belongs, or write it. */
static cof_status put(extraction *x, bool *local, const cof_catalog_entry *e, cof_slice name,
                      cof_slice link, cof_error *err)
{
    cof_member member;
    cof_status st = cof_unpack_begin(x->unpack, &member, e, err);

    if (st == COF_OK && !has_content(e))
        st = cof_unpack_end(x->unpack, err);
    if (st == COF_OK)
        st = x->sink != NULL
                 ? write_content(x, e, err)
                 : cof_extract_put(x->extract, local, e, &member, name, link, x->unpack, err);
    cof_member_wipe(&member);
    return st;
}

/* What a hard link is a name of, restored under that name: for where it is not restored itself. */
static cof_status put_linked(extraction *x, bool *local, const cof_catalog_entry *link,
                             cof_slice name, cof_error *err)
{
    cof_buf copy = COF_BUF_INIT;
    cof_catalog_entry e;
    bool found = false;
    cof_status st = cof_catalog_find(&found, &x->fetch, &e, &copy, link->target, err);

    if (st == COF_OK &&
        (!found || e.type == COF_ENTRY_HARDLINK || e.type == COF_ENTRY_DIRECTORY || e.length == 0))
        st = cof_fail_rule(err, COF_FORMAT, "CA-1", COF_NO_OFFSET,
                           "the catalog has a hard link to something that is no file");
    if (st == COF_OK && (x->sink == NULL || e.type == COF_ENTRY_FILE))
        st = put(x, local, &e, name, (cof_slice)COF_SLICE_INIT, err);
    cof_buf_free(&copy);
    return st;
}

static cof_status restore_entry(extraction *x, bool *local, const cof_catalog_entry *e,
                                cof_slice name, cof_error *err)
{
    cof_slice target = e->target;

    if (e->type == COF_ENTRY_HARDLINK &&
        (x->sink != NULL || !cof_select_covers(&x->select, target) || !strip(x, &target)))
        return put_linked(x, local, e, name, err);
    if (x->sink != NULL && !has_content(e))
        return COF_OK;
    return put(x, local, e, name, target, err);
}

static const char *safe_path(char out[COF_TEXT_NAME_CAP], cof_slice path)
{
    return cof_text_safe(out, COF_TEXT_NAME_CAP, (const char *)path.data, path.len);
}

/* What is known to be incomplete since the backup was made. */
static void tell_state(extraction *x, const cof_catalog_entry *e)
{
    char safe[COF_TEXT_NAME_CAP];

    if (e->state == COF_ENTRY_OK)
        return;
    safe_path(safe, e->path);
    if (e->length == 0 && e->type != COF_ENTRY_NAMED_STREAM) {
        x->result.missing++;
        cof_note(report_of(x), "%s is not in the backup: %s when it was made", safe,
                 e->state == COF_ENTRY_VANISHED ? "it was gone" : "it could not be read");
        return;
    }
    x->result.problems++;
    cof_note(report_of(x), "%s %s", safe,
             e->state == COF_ENTRY_CHANGED
                 ? "changed while it was backed up: its content may be of different moments"
                 : "could not be read completely when it was backed up");
}

/* Something could not be restored: is that to be told, or the end? */
static cof_status lose(extraction *x, cof_slice path, bool can_go_on, const cof_error *why,
                       cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];

    if (!x->options->keep_going || !can_go_on) {
        if (err != NULL)
            *err = *why;
        return why->status;
    }
    x->result.lost++;
    cof_note(report_of(x), "%s is not restored: %s", safe_path(safe, path), why->message);
    return COF_OK;
}

static bool is_local(bool local, cof_status st)
{
    return local && (st == COF_IO || st == COF_USAGE);
}

/* A file that was put off. */
static cof_status on_failed(void *ctx, cof_slice name, bool local, const cof_error *why,
                            cof_error *err)
{
    return lose(ctx, name, is_local(local, why->status), why, err);
}

static cof_status on_entry(void *ctx, const cof_catalog_entry *e, cof_error *err)
{
    extraction *x = ctx;
    cof_error why = COF_ERROR_INIT;
    cof_slice name = e->path;
    bool local = false;
    cof_status st;

    if (!cof_select_match(&x->select, e) || !strip(x, &name))
        return COF_OK;
    tell_state(x, e);
    if (e->length == 0 && e->type != COF_ENTRY_NAMED_STREAM)
        return COF_OK;
    x->fetch.damaged = false;
    if ((st = restore_entry(x, &local, e, name, &why)) == COF_OK)
        return COF_OK;
    local = is_local(local, st) || x->fetch.damaged;
    /* What stands before it comes first. */
    if (x->extract != NULL && (st = cof_extract_catch_up(x->extract, err)) != COF_OK)
        return st;
    return lose(x, e->path, local, &why, err);
}

static cof_status on_lost(void *ctx, cof_slice first, const cof_slice *next, const cof_error *why,
                          cof_error *err)
{
    extraction *x = ctx;
    char from[160], to[160] = "the end";

    (void)err;
    cof_text_safe(from, sizeof(from), (const char *)first.data, first.len);
    if (next != NULL)
        cof_text_safe(to, sizeof(to), (const char *)next->data, next->len);
    x->result.lost++;
    cof_note(report_of(x), "a part of the catalog is lost, and all names from %s on, up to %s: %s",
             first.len != 0 ? from : "the beginning", to, why->message);
    return COF_OK;
}

static bool wants(void *ctx, cof_slice first, const cof_slice *next)
{
    return cof_select_range(&((extraction *)ctx)->select, first, next);
}

/* ---- the whole ---- */

static void on_problem(void *ctx, const char *sentence)
{
    extraction *x = ctx;

    x->result.problems++;
    cof_note(report_of(x), "%s", sentence);
}

static cof_status walk(extraction *x, cof_error *err)
{
    const cof_catalog_visit visit = {
        .wants = wants,
        .entry = on_entry,
        .lost = x->options->keep_going ? on_lost : NULL,
        .ctx = x,
    };
    cof_status st = cof_catalog_walk(&x->fetch, &visit, err);

    if (st == COF_OK && x->select.count == 0 && x->result.lost == 0)
        st = cof_catalog_check_end(&x->fetch, err);
    if (st == COF_OK && x->result.lost == 0)
        st = cof_select_check(&x->select, err);
    return st;
}

/* Get everything ready, and go; extract or sink is there. */
static cof_status run(extraction *x, cof_reader *reader, cof_error *err)
{
    cof_status st;

    if ((st = cof_select_init(&x->select, &x->options->selection, err)) == COF_OK &&
        (st = cof_fetch_init(&x->fetch, reader, err)) == COF_OK &&
        (st = cof_unpack_new(&x->unpack, on_read, x, x->options->numeric_owner, err)) == COF_OK) {
        x->total = x->select.count == 0 ? reader->opened.manifest.plain_bytes : COF_TOTAL_UNKNOWN;
        st = walk(x, err);
    }
    cof_unpack_free(x->unpack);
    cof_select_wipe(&x->select);
    return st;
}

static void collect(extraction *x, cof_stats *stats)
{
    const cof_extract_totals *t = cof_extract_get_totals(x->extract);
    const cof_stats elsewhere = {.stage[COF_STAGE_WRITE].nanoseconds = t->elsewhere_ns};

    cof_stats_merge(stats, &elsewhere); /* the bytes are counted where they are handed out */
    x->result.files = t->files;
    x->result.directories = t->directories;
    x->result.others = t->others;
    x->result.hard_links = t->hard_links;
    x->result.bytes = t->bytes;
    x->result.skipped = t->skipped;
}

cof_status cof_reader_extract(cof_reader *reader, const cof_extract_options *options,
                              cof_extract_result *result, cof_error *err)
{
    extraction x = {.options = options};
    const cof_extract_request request = {
        .target = options->target,
        .settling = {options->same_owner, options->mode_mask},
        .skip_old = options->skip_old_files,
        .force = options->force,
        .threads = cof_threads_for(reader->options->jobs, COF_POOL_WORKERS_MAX),
        .problem = on_problem,
        .failed = on_failed,
        .ctx = &x,
    };
    cof_status st = cof_extract_new(&x.extract, &request, err);
    cof_status last;

    if (st == COF_OK) {
        st = run(&x, reader, err);
        last = cof_extract_finish(x.extract, st == COF_OK ? err : NULL);
        st = st == COF_OK ? last : st;
        collect(&x, reader->options->stats);
    }
    if (result != NULL)
        *result = x.result;
    cof_extract_free(x.extract);
    cof_fetch_wipe(&x.fetch);
    return st;
}

cof_status cof_reader_extract_fd(cof_reader *reader, const cof_tree_selection *selection, int fd,
                                 cof_extract_result *result, cof_error *err)
{
    cof_extract_options options = {.strip_components = 0};
    extraction x = {.options = &options};
    cof_status st = cof_sink_fd(&x.sink, fd, err);

    if (selection != NULL)
        options.selection = *selection;
    if (st == COF_OK && (st = run(&x, reader, err)) == COF_OK && x.result.files == 0)
        st = cof_fail(err, COF_USAGE, "nothing that was named is a regular file");
    if (st == COF_OK)
        st = cof_sink_publish(x.sink, err);
    if (result != NULL)
        *result = x.result;
    cof_sink_free(x.sink);
    cof_fetch_wipe(&x.fetch);
    return st;
}
