/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The places that new bytes can go to, behind one interface.
 *
 * Several volumes: what must never happen is that a disk is full and the volume on it cannot be
 * closed any more.  So room for the closing frames is kept ahead of every frame that is written,
 * by the file system's promise or by zeros, and a frame that does not fit is taken back.  That is
 * only done while there is another place to go on at; the last one may as well fail.
 */

#include "store/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "os/dir.h"
#include "os/newfile.h"

#define OPEN_MAX_FILES 64 /* of the volumes that are complete; the others are closed */
#define VOLUMES_MAX    65535

typedef struct place {
    char *path; /* owned */
    uint64_t limit;
    bool numbered;
    const cof_file *like;
} place;

struct cof_sink {
    cof_newfile **files; /* owned; [0] is volume 1 */
    cof_file_id *ids;    /* owned: of each of them */
    size_t count, cap;
    cof_file *stream; /* owned wrapper of a borrowed descriptor, if there are no files */

    place *places; /* owned */
    size_t place_count;
    size_t at; /* the one in use */
    bool repeat, force;

    uint64_t written; /* to the present file */
    uint64_t before;  /* to those before it */
    uint64_t kept;    /* bytes behind what was written that are sure to fit */
    bool reserved;    /* the present file may have more room or bytes than were written */
};

/* ---- making one ---- */

static cof_status sink_new(cof_sink **out, cof_error *err)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

static cof_status copy_plan(cof_sink *sink, const cof_sink_plan *plan, cof_error *err)
{
    sink->places = calloc(plan->count, sizeof(*sink->places));
    if (sink->places == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; i < plan->count; i++) {
        const cof_sink_place *from = &plan->places[i];

        sink->places[i] = (place){strdup(from->path), from->limit, from->numbered, from->like};
        sink->place_count++;
        if (sink->places[i].path == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
    }
    sink->repeat = plan->repeat;
    sink->force = plan->force;
    return COF_OK;
}

/* What a volume of that number is called at a place. */
static cof_status name_volume(char **out, const place *where, size_t number, cof_error *err)
{
    size_t cap = strlen(where->path) + 24;

    if ((*out = malloc(cap)) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (where->numbered && number > 1)
        (void)snprintf(*out, cap, "%s.%03zu", where->path, number);
    else
        (void)snprintf(*out, cap, "%s", where->path);
    return COF_OK;
}

/* Begin the file of a volume; *out is not yet part of the sink. */
static cof_status create(cof_newfile **out, const cof_sink *sink, const place *where, size_t number,
                         cof_error *err)
{
    char *path = NULL;
    cof_status st = name_volume(&path, where, number, err);

    *out = NULL;
    if (st == COF_OK)
        st = sink->force ? cof_path_may_be_replaced(path, err)
                         : cof_path_must_be_free(path, "; use --force to replace it", err);
    if (st == COF_OK)
        st =
            cof_newfile_create(out, path, where->like != NULL ? COF_NEWFILE_MODE_AS_IS : 0600, err);
    free(path);
    return st;
}

static cof_status grow(cof_sink *sink, cof_error *err)
{
    size_t cap = sink->cap == 0 ? 4 : 2 * sink->cap;
    cof_newfile **files = reallocarray(sink->files, cap, sizeof(*files));
    cof_file_id *ids = reallocarray(sink->ids, cap, sizeof(*ids));

    if (files != NULL)
        sink->files = files;
    if (ids != NULL)
        sink->ids = ids;
    if (files == NULL || ids == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    sink->cap = cap;
    return COF_OK;
}

static cof_status add_file(cof_sink *sink, cof_newfile **file, cof_error *err)
{
    cof_file_id id;
    cof_status st = cof_file_identity(&id, cof_newfile_file(*file), err);

    if (st != COF_OK || (sink->count == sink->cap && (st = grow(sink, err)) != COF_OK))
        return st;
    sink->ids[sink->count] = id;
    sink->files[sink->count++] = *file;
    *file = NULL; /* transferred */
    return COF_OK;
}

/* Can a file be made at each of the later places?  Better to know that before hours of work. */
static cof_status try_places(const cof_sink *sink, cof_error *err)
{
    cof_status st = COF_OK;

    for (size_t i = 1; st == COF_OK && i < sink->place_count; i++) {
        cof_newfile *trial;

        st = create(&trial, sink, &sink->places[i], i + 1, err);
        cof_newfile_free(trial);
    }
    return st;
}

static cof_status same_place(bool *out, const char *a, const char *b, cof_error *err)
{
    char *dir_a = NULL, *dir_b = NULL;
    bool same = strcmp(cof_path_name(a), cof_path_name(b)) == 0;
    cof_status st = COF_OK;

    *out = false;
    if (same && (st = cof_path_parent(&dir_a, a, err)) == COF_OK &&
        (st = cof_path_parent(&dir_b, b, err)) == COF_OK)
        st = cof_path_same(out, dir_a, dir_b, err);
    free(dir_a);
    free(dir_b);
    return st;
}

static cof_status check_distinct(const cof_sink *sink, cof_error *err)
{
    char name[COF_TEXT_NAME_CAP];
    bool same = false;
    cof_status st = COF_OK;

    for (size_t i = 1; i < sink->place_count; i++)
        for (size_t k = 0; k < i; k++) {
            if (sink->places[i].numbered || sink->places[k].numbered)
                continue; /* its number tells it apart */
            if ((st = same_place(&same, sink->places[i].path, sink->places[k].path, err)) != COF_OK)
                return st;
            if (same)
                return cof_fail(err, COF_USAGE, "two volumes would be called %s",
                                cof_text_safe_str(name, sizeof(name), sink->places[i].path));
        }
    return COF_OK;
}

cof_status cof_sink_volumes(cof_sink **out, const cof_sink_plan *plan, cof_error *err)
{
    cof_newfile *first = NULL;
    cof_sink *sink = NULL;
    cof_status st;

    *out = NULL;
    if ((st = sink_new(&sink, err)) != COF_OK || (st = copy_plan(sink, plan, err)) != COF_OK ||
        (st = check_distinct(sink, err)) != COF_OK ||
        (st = create(&first, sink, &sink->places[0], 1, err)) != COF_OK ||
        (st = try_places(sink, err)) != COF_OK || (st = add_file(sink, &first, err)) != COF_OK)
        goto out;
    *out = sink;
    sink = NULL; /* transferred */
out:
    cof_newfile_free(first);
    cof_sink_free(sink);
    return st;
}

cof_status cof_sink_file(cof_sink **out, const char *path, bool force, cof_error *err)
{
    const cof_sink_place only = {.path = path};
    const cof_sink_plan plan = {&only, 1, false, force};

    return cof_sink_volumes(out, &plan, err);
}

cof_status cof_sink_fd(cof_sink **out, int fd, cof_error *err)
{
    cof_sink *sink = NULL;
    cof_status st;

    *out = NULL;
    if ((st = sink_new(&sink, err)) != COF_OK ||
        (st = cof_file_from_fd(&sink->stream, fd, "the output", false, err)) != COF_OK)
        goto out;
    cof_file_advise(sink->stream, 0, 0, COF_ADVICE_SEQUENTIAL);
    *out = sink;
    sink = NULL; /* transferred */
out:
    cof_sink_free(sink);
    return st;
}

/* ---- writing ---- */

static cof_file *present(const cof_sink *sink)
{
    return sink->count > 0 ? cof_newfile_file(sink->files[sink->count - 1]) : sink->stream;
}

cof_status cof_sink_write(cof_sink *sink, const void *data, size_t len, cof_error *err)
{
    cof_status st = sink->count > 0
                        ? cof_file_write_at(present(sink), sink->written, data, len, err)
                        : cof_file_write_stream(sink->stream, data, len, err);

    if (st != COF_OK)
        return st;
    sink->written += len;
    sink->kept -= sink->kept < len ? sink->kept : len;
    return COF_OK;
}

cof_status cof_sink_write_at(cof_sink *sink, uint64_t off, const void *data, size_t len,
                             cof_error *err)
{
    return cof_file_write_at(present(sink), off, data, len, err);
}

/* Is there another place, with perhaps another disk? */
static bool elsewhere(const cof_sink *sink)
{
    return sink->at + 1 < sink->place_count;
}

static uint64_t limit_of(const cof_sink *sink)
{
    return sink->place_count > 0 ? sink->places[sink->at].limit : 0;
}

static bool within_limit(const cof_sink *sink, uint64_t more)
{
    uint64_t limit = limit_of(sink);

    return limit == 0 || (sink->written <= limit && more <= limit - sink->written);
}

static cof_status no_volume_left(const cof_sink *sink, cof_error *err)
{
    char name[COF_TEXT_NAME_CAP];

    return cof_fail(err, COF_IO,
                    "%s has reached its limit, and no further volume was named; name more with "
                    "--volume",
                    cof_text_safe_str(name, sizeof(name), cof_sink_path(sink, sink->count)));
}

/*
 * A frame that did not fit: take it back, but not the room that was kept before it.  What it took
 * of the disk is given back at once, since the next place may be on the same one.
 */
static cof_status take_back(cof_sink *sink, uint64_t written, uint64_t kept, cof_error *err)
{
    sink->written = written;
    sink->kept = kept;
    sink->reserved = true;
    return cof_file_truncate(present(sink), written + kept, err);
}

static cof_status append_reserving(bool *out_fits, cof_sink *sink, cof_slice header,
                                   cof_slice payload, uint64_t keep, cof_error *err)
{
    uint64_t written = sink->written, kept = sink->kept, len = header.len + payload.len;
    cof_error local = COF_ERROR_INIT;
    cof_status st;

    sink->reserved = sink->reserved || keep > 0;
    if ((st = cof_file_reserve(present(sink), written + len, keep, &local)) == COF_OK &&
        (st = cof_sink_write(sink, header.data, header.len, &local)) == COF_OK)
        st = cof_sink_write(sink, payload.data, payload.len, &local);
    if (cof_file_is_full(st, &local))
        return take_back(sink, written, kept, err);
    if (st != COF_OK) {
        if (err != NULL)
            *err = local;
        return st;
    }
    sink->kept = keep;
    *out_fits = true;
    return COF_OK;
}

cof_status cof_sink_append(bool *out_fits, cof_sink *sink, cof_slice header, cof_slice payload,
                           uint64_t keep, cof_error *err)
{
    cof_status st;

    *out_fits = false;
    if (!within_limit(sink, header.len + payload.len + keep))
        return elsewhere(sink) || sink->repeat ? COF_OK : no_volume_left(sink, err);
    if (elsewhere(sink))
        return append_reserving(out_fits, sink, header, payload, keep, err);
    if ((st = cof_sink_write(sink, header.data, header.len, err)) != COF_OK ||
        (st = cof_sink_write(sink, payload.data, payload.len, err)) != COF_OK)
        return st;
    *out_fits = true;
    return COF_OK;
}

/* ---- the next volume ---- */

/* Nothing comes any more: give back what was reserved, and give it to whom it will belong. */
static cof_status complete(cof_sink *sink, cof_error *err)
{
    const cof_file *like = sink->places[sink->at].like;
    cof_status st = COF_OK;

    if (sink->reserved)
        st = cof_file_truncate(present(sink), sink->written, err);
    if (st == COF_OK && like != NULL)
        st = cof_file_copy_attributes(present(sink), like, err);
    sink->reserved = false;
    sink->kept = 0;
    return st;
}

static cof_status finish_volume(cof_sink *sink, cof_error *err)
{
    cof_newfile *file = sink->files[sink->count - 1];
    cof_status st = complete(sink, err);

    /* The head of volume 1 will be written once more: it is synced when it is published. */
    if (st == COF_OK && sink->count > 1)
        st = sink->count > OPEN_MAX_FILES ? cof_newfile_close(file, err)
                                          : cof_newfile_sync(file, err);
    sink->before += sink->written;
    sink->written = 0;
    return st;
}

/* Begin a volume at the present place; *out_fits is false, and nothing changed, if it is full. */
static cof_status begin(bool *out_fits, cof_sink *sink, cof_slice head, uint64_t room,
                        cof_error *err)
{
    cof_error local = COF_ERROR_INIT;
    cof_newfile *file = NULL;
    cof_status st;

    *out_fits = false;
    if (!within_limit(sink, head.len + room))
        return COF_OK;
    if ((st = create(&file, sink, &sink->places[sink->at], sink->count + 1, &local)) == COF_OK &&
        (st = cof_file_write_at(cof_newfile_file(file), 0, head.data, head.len, &local)) ==
            COF_OK &&
        elsewhere(sink))
        st = cof_file_reserve(cof_newfile_file(file), head.len, room, &local);
    if (cof_file_is_full(st, &local) && elsewhere(sink)) {
        cof_newfile_free(file);
        return COF_OK;
    }
    if (st != COF_OK) {
        if (err != NULL)
            *err = local;
    } else if ((st = add_file(sink, &file, err)) == COF_OK) {
        sink->written = head.len;
        sink->reserved = elsewhere(sink);
        sink->kept = sink->reserved ? room : 0;
        *out_fits = true;
    }
    cof_newfile_free(file);
    return st;
}

cof_status cof_sink_next(cof_sink *sink, cof_slice head, uint64_t room, size_t *out_skipped,
                         cof_error *err)
{
    bool fits = false;
    cof_status st;

    *out_skipped = 0;
    if (sink->count == 0 || (!elsewhere(sink) && !sink->repeat))
        return cof_fail(err, COF_INTERNAL, "there is no place for another volume");
    if (sink->count == VOLUMES_MAX)
        return cof_fail(err, COF_LIMIT, "a backup has at most %d volumes; let them be larger",
                        VOLUMES_MAX);
    if ((st = finish_volume(sink, err)) != COF_OK)
        return st;
    do {
        if (elsewhere(sink))
            sink->at++;
        if ((st = begin(&fits, sink, head, room, err)) != COF_OK || fits)
            return st;
        ++*out_skipped;
    } while (elsewhere(sink));
    return cof_fail(err, COF_IO,
                    "no volume has room for the %" PRIu64
                    " bytes that must follow; let there be more, or larger ones",
                    room);
}

/* ---- what became of it ---- */

uint64_t cof_sink_limit(const cof_sink *sink)
{
    return sink->repeat && !elsewhere(sink) ? limit_of(sink) : 0;
}

uint64_t cof_sink_written(const cof_sink *sink)
{
    return sink->before + sink->written;
}

cof_file *cof_sink_seekable(cof_sink *sink)
{
    return sink->count > 0 ? cof_newfile_file(sink->files[0]) : NULL;
}

bool cof_sink_holds(const cof_sink *sink, cof_file_id file)
{
    cof_file_id own;

    for (size_t i = 0; i < sink->count; i++)
        if (sink->ids[i].dev == file.dev && sink->ids[i].ino == file.ino)
            return true;
    return sink->stream != NULL && cof_file_identity(&own, sink->stream, NULL) == COF_OK &&
           own.dev == file.dev && own.ino == file.ino;
}

size_t cof_sink_count(const cof_sink *sink)
{
    return sink->count;
}

const char *cof_sink_path(const cof_sink *sink, size_t volume)
{
    return volume >= 1 && volume <= sink->count ? cof_newfile_path(sink->files[volume - 1]) : "";
}

cof_status cof_sink_publish(cof_sink *sink, cof_error *err)
{
    cof_status st;

    if (sink->count == 0)
        return COF_OK;
    if ((st = complete(sink, err)) != COF_OK)
        return st;
    return sink->count == 1 ? cof_newfile_publish(sink->files[0], sink->force, err)
                            : cof_newfile_publish_set(sink->files, sink->count, sink->force, err);
}

const char *cof_sink_left_aside(const cof_sink *sink, size_t volume)
{
    return volume >= 1 && volume <= sink->count ? cof_newfile_left_aside(sink->files[volume - 1])
                                                : NULL;
}

void cof_sink_free(cof_sink *sink)
{
    if (sink == NULL)
        return;
    for (size_t i = 0; i < sink->count; i++)
        cof_newfile_free(sink->files[i]);
    free(sink->files);
    free(sink->ids);
    for (size_t i = 0; i < sink->place_count; i++)
        free(sink->places[i].path);
    free(sink->places);
    cof_file_free(sink->stream);
    free(sink);
}
