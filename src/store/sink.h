/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_STORE_SINK_H
#define COF_STORE_SINK_H

/*
 * Where new bytes go: files that appear under their final names whole or not at all, one after
 * another where one is not enough, or a descriptor that takes them front to back.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "os/file.h"

typedef struct cof_sink cof_sink;

/* A place for one volume. */
typedef struct cof_sink_place {
    const char *path;
    uint64_t limit; /* most bytes of the file; 0: as many as the disk takes */
    bool numbered;  /* a later volume than the first gets its number behind the path: ".002" */
    const cof_file *like; /* NULL: mode 0600; else borrowed: whose owner, permissions and extended
                             attributes it gets at last, as far as this process may give them */
} cof_sink_place;

typedef struct cof_sink_plan {
    const cof_sink_place *places; /* at least one */
    size_t count;
    bool repeat; /* the last place, which is numbered, serves for all further volumes */
    bool force;  /* replace what has the name of a volume, once all are complete */
} cof_sink_plan;

/*
 * The file that will be called path.  An existing one is COF_USAGE unless force, at once and again
 * when it is published.  Mode 0600.
 */
cof_status cof_sink_file(cof_sink **out, const char *path, bool force, cof_error *err) COF_MUST_USE;

/*
 * A file for each volume, the first of them begun.  Every place is tried at once: two that are the
 * same, or one that is taken, are COF_USAGE; one where no file can be made is COF_IO.
 */
cof_status cof_sink_volumes(cof_sink **out, const cof_sink_plan *plan, cof_error *err) COF_MUST_USE;

/* A descriptor, which stays the caller's. */
cof_status cof_sink_fd(cof_sink **out, int fd, cof_error *err) COF_MUST_USE;

/* Append bytes, for which room was kept if anybody asked for that. */
cof_status cof_sink_write(cof_sink *sink, const void *data, size_t len,
                          cof_error *err) COF_MUST_USE;

/*
 * Put bytes anywhere into the one file of cof_sink_file(), to which nothing is appended then.  May
 * run in several threads at once.
 */
cof_status cof_sink_write_at(cof_sink *sink, uint64_t off, const void *data, size_t len,
                             cof_error *err) COF_MUST_USE;

/*
 * Append header and payload if they fit into this volume and `keep` bytes behind them do, too, for
 * which room is kept; *out_fits says so.  If not, nothing was appended, the room that was kept
 * before is still kept, and there may be another volume.  Only sinks of several volumes say no.
 * COF_IO: the disk is full, or the limit reached, and this was the last volume.
 */
cof_status cof_sink_append(bool *out_fits, cof_sink *sink, cof_slice header, cof_slice payload,
                           uint64_t keep, cof_error *err) COF_MUST_USE;

/*
 * Close this volume and begin the next with its head, keeping `room` bytes behind that.  A place
 * that has not even room for these is left out; *out_skipped says how many were.  COF_IO: there is
 * no further place.
 */
cof_status cof_sink_next(cof_sink *sink, cof_slice head, uint64_t room, size_t *out_skipped,
                         cof_error *err) COF_MUST_USE;

/* The most that any further volume can take; 0: nobody knows, or as many as the disk takes. */
uint64_t cof_sink_limit(const cof_sink *sink);

/* How many bytes have been appended, in all volumes together. */
uint64_t cof_sink_written(const cof_sink *sink);

/* The first file, for changing what was written before; NULL for a descriptor. */
cof_file *cof_sink_seekable(cof_sink *sink);

/* Is it one of the files, or what the descriptor leads to? */
bool cof_sink_holds(const cof_sink *sink, cof_file_id file);

/* How many volumes there are, and the final path of each (1 …); "" for a descriptor.  Borrowed. */
size_t cof_sink_count(const cof_sink *sink);
const char *cof_sink_path(const cof_sink *sink, size_t volume);

/* Make the files durable and give them their names; for a descriptor nothing is left to do. */
cof_status cof_sink_publish(cof_sink *sink, cof_error *err) COF_MUST_USE;

/* What made room for that volume and may still be there; NULL: nothing.  Borrowed. */
const char *cof_sink_left_aside(const cof_sink *sink, size_t volume);

/* NULL is fine; unpublished files are removed. */
void cof_sink_free(cof_sink *sink);

#endif
