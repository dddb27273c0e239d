/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_FILE_H
#define COF_OS_FILE_H

/*
 * Open files.
 *
 * A cof_file knows its path, so that every failure here is a sentence with the path in it and the
 * caller only passes it on.  COF_IO means that the system refused (sys_errno says what: ENOSPC is
 * how a full disk looks); COF_FORMAT only ever means that a file ends too early.
 *
 * Positioned reads of one file may run in several threads at once.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "os/os.h"

typedef struct cof_file cof_file;

typedef enum cof_file_type {
    COF_FILE_REGULAR,
    COF_FILE_PIPE,      /* pipe, FIFO, socket, terminal: read or written once, front to back */
    COF_FILE_DIRECTORY, /* only ever from cof_file_from_fd() */
    COF_FILE_OTHER      /* a device */
} cof_file_type;

/* ---- opening and closing ------------------------------------------------------------------- */

/*
 * Open what exists, following symbolic links, close-on-exec.  path is copied.  The caller owns
 * *out, which is NULL on failure.  COF_IO; COF_USAGE for a directory; COF_NOMEM.
 */
cof_status cof_file_open_read(cof_file **out, const char *path, cof_error *err) COF_MUST_USE;

/*
 * The same for reading, for a path that nobody has named, and which anything may have got: never
 * waits for who would write to a FIFO.  COF_USAGE for whatever is not a regular file.
 */
cof_status cof_file_open_regular(cof_file **out, const char *path, cof_error *err) COF_MUST_USE;

/* For reading and writing; otherwise as cof_file_open_read(). */
cof_status cof_file_open_rw(cof_file **out, const char *path, cof_error *err) COF_MUST_USE;

/*
 * Wrap a descriptor; `name` stands for the path in messages ("standard input").  With own, the
 * descriptor is closed with the file, and also when this call fails.  COF_IO, COF_NOMEM.
 */
cof_status cof_file_from_fd(cof_file **out, int fd, const char *name, bool own,
                            cof_error *err) COF_MUST_USE;

/*
 * A part of a regular file as a file of its own, to be read by position: its offset 0 is `at`, and
 * it ends after `len` bytes, or before, where `of` ends.  It shares the descriptor of `of`, which
 * must outlive it.  `name` stands for the path in messages.  Writing to it is COF_INTERNAL.
 * COF_NOMEM.
 */
cof_status cof_file_window(cof_file **out, const cof_file *of, uint64_t at, uint64_t len,
                           const char *name, cof_error *err) COF_MUST_USE;

/* Create a file that does not exist yet (umask applies) and open it for reading and writing. */
cof_status cof_file_create_excl(cof_file **out, const char *path, mode_t mode,
                                cof_error *err) COF_MUST_USE;

/*
 * A file without a name in directory `dir`, mode 0600, for reading and writing: a spool that
 * vanishes with the process.
 */
cof_status cof_file_create_unlinked(cof_file **out, const char *dir, cof_error *err) COF_MUST_USE;

/*
 * Close *file, null it, and report what the system says about it: on some file systems this is
 * where a failed write shows.  *file may be NULL.  COF_IO.
 */
cof_status cof_file_close(cof_file **file, cof_error *err) COF_MUST_USE;

/* Close without asking: on the way out of a failure, or after reading.  NULL is fine. */
void cof_file_free(cof_file *file);

/* ---- what it is ---------------------------------------------------------------------------- */

/* As it was when the file was opened. */
cof_file_type cof_file_kind(const cof_file *file);

/* Borrowed: the path as given, and the same made safe for messages. */
const char *cof_file_path(const cof_file *file);
const char *cof_file_label(const cof_file *file);

/* Borrowed: for calls that this room does not wrap. */
int cof_file_fd(const cof_file *file);

/*
 * For the rest of this room: where in what the descriptor shows a range of the file lies.  *off
 * becomes the place, *len the part of the range that is in the file.  False for a range that a
 * window does not reach at all.
 */
bool cof_file_place(const cof_file *file, uint64_t *off, size_t *len);
bool cof_file_is_window(const cof_file *file);

/* Which file it is, whatever its name. */
typedef struct cof_file_id {
    dev_t dev;
    ino_t ino;
} cof_file_id;

/* The present size in bytes.  COF_IO; COF_USAGE for anything but a regular file. */
cof_status cof_file_size(uint64_t *out, const cof_file *file, cof_error *err) COF_MUST_USE;

cof_status cof_file_identity(cof_file_id *out, const cof_file *file, cof_error *err) COF_MUST_USE;

/* How many names (hard links) the file has. */
cof_status cof_file_link_count(uint64_t *out, const cof_file *file, cof_error *err) COF_MUST_USE;

/*
 * Does `path` still name this very file?  To be asked after a lock was got: what was locked may
 * have been replaced meanwhile.  A path that names nothing any more is *out = false.  COF_IO.
 */
cof_status cof_file_still_at_path(bool *out, const cof_file *file, const char *path,
                                  cof_error *err) COF_MUST_USE;

/* ---- reading ------------------------------------------------------------------------------- */

/*
 * Exactly `len` bytes from offset `off` on.  COF_FORMAT when the file ends before (the error's
 * offset is where); COF_IO; out is then undefined.
 */
cof_status cof_file_read_full(void *out, size_t len, const cof_file *file, uint64_t off,
                              cof_error *err) COF_MUST_USE;

/* As many of `len` bytes as there are; *out_got is less than len only at the end of the file. */
cof_status cof_file_pread_some(void *out, size_t len, size_t *out_got, const cof_file *file,
                               uint64_t off, cof_error *err) COF_MUST_USE;

/*
 * The next `len` bytes at the descriptor's own position: for pipes.  Waits until all are there;
 * *out_got is less than len only at the end of the stream.  COF_IO.
 */
cof_status cof_file_read_stream(void *out, size_t len, size_t *out_got, cof_file *file,
                                cof_error *err) COF_MUST_USE;

/* What is coming, for the page cache.  A hint: never fails.  len 0: to the end. */
void cof_file_advise(const cof_file *file, uint64_t off, uint64_t len, cof_advice advice);

/* ---- writing ------------------------------------------------------------------------------- */

/* All of `len` bytes at offset `off`.  COF_IO; a part of them may then be in the file. */
cof_status cof_file_write_at(cof_file *file, uint64_t off, const void *data, size_t len,
                             cof_error *err) COF_MUST_USE;

/* All of `len` bytes at the descriptor's own position: for pipes.  COF_IO, as above. */
cof_status cof_file_write_stream(cof_file *file, const void *data, size_t len,
                                 cof_error *err) COF_MUST_USE;

cof_status cof_file_truncate(cof_file *file, uint64_t size, cof_error *err) COF_MUST_USE;

/*
 * Keep room on the disk for len bytes at `off`, so that writing them there will not fail for want
 * of it; what stands there now may be lost, and the file may become as long as that.  Where the
 * file system cannot promise room, zeros take it.  COF_IO: cof_file_is_full() says whether for want
 * of room.
 */
cof_status cof_file_reserve(cof_file *file, uint64_t off, uint64_t len,
                            cof_error *err) COF_MUST_USE;

/* Is this the failure of a write for which disk, quota or file system had no room? */
bool cof_file_is_full(cof_status st, const cof_error *err);

/*
 * Force data and size to stable storage.  After COF_IO the state on the disk is unknown, and
 * trying again proves nothing: the caller must stop and say so.
 */
cof_status cof_file_sync(cof_file *file, cof_error *err) COF_MUST_USE;

/* The same for everything on the file system that the file is on: one barrier for many files. */
cof_status cof_file_sync_fs(cof_file *file, cof_error *err) COF_MUST_USE;

/*
 * Give `file` the owner, group, permissions and extended attributes of `from`, as far as this
 * process may: an owner that cannot be set is left out together with the permissions that would
 * have been given to it.  COF_IO when the permissions cannot be set; COF_NOMEM.
 */
cof_status cof_file_copy_attributes(cof_file *file, const cof_file *from,
                                    cof_error *err) COF_MUST_USE;

/* ---- locks --------------------------------------------------------------------------------- */

/*
 * Lock the whole file against all other openings of it, in this process and others, until release
 * or close.  Without `wait`, COF_BUSY when another holds a lock, with a sentence that tells whether
 * that one changes the file.  COF_IO where the file system has no locks.
 */
cof_status cof_lock_exclusive(cof_file *file, bool wait, cof_error *err) COF_MUST_USE;
void cof_lock_release(cof_file *file);

/*
 * Which kind of lock, held by anybody else, keeps one of the kind `wanted` from being taken now?
 * Takes none, and needs no permission but to read.  COF_IO where the file system cannot tell; *out
 * is COF_LOCK_NONE then.
 */
cof_status cof_lock_obstacle(cof_lock_kind *out, const cof_file *file, cof_lock_kind wanted,
                             cof_error *err) COF_MUST_USE;

/* ---- whole small files --------------------------------------------------------------------- */

/*
 * Append the contents of a file (or FIFO) to out.  COF_LIMIT when it is longer than `max` bytes,
 * otherwise as cof_file_open_read(); out is unchanged then.  Not for secrets: see os/tty.h.
 */
cof_status cof_file_read_whole(cof_buf *out, const char *path, size_t max,
                               cof_error *err) COF_MUST_USE;

#endif
