/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_FAULT_STORAGE_H
#define COF_TESTS_FAULT_STORAGE_H

/*
 * A model of a disk that loses its power: what a directory holds for sure, what was done to it
 * since, and everything that may be found of that afterwards.
 *
 * What it takes for granted of real storage: fsync of a file makes that file's bytes and length
 * durable, fsync of the directory its names, and neither the other; nothing else makes anything
 * durable, and nothing durable is lost.  Of what is not durable any part may be found, in whatever
 * order it was done: each sector of 512 bytes of a write, the length of a file, each change of a
 * name.  A sector is found as it was before or as it was written, never as a mixture; a sector that
 * a file got and that was never written holds zeros.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORAGE_SECTOR 512
#define STORAGE_FILES  16
#define STORAGE_NAMES  16
#define STORAGE_NAME   128
#define STORAGE_OPS    512

/* What a directory holds.  Files are numbered as they appear; one may have no name, or several. */
typedef struct image {
    struct {
        uint8_t *data; /* owned */
        size_t len;
    } files[STORAGE_FILES];
    size_t file_count;
    struct {
        char name[STORAGE_NAME];
        size_t file;
    } names[STORAGE_NAMES];
    size_t name_count;
} image;

typedef enum op_kind {
    OP_WRITE,
    OP_TRUNCATE, /* to len */
    OP_NAME,     /* the file gets this name: created, or linked */
    OP_UNNAME,
    OP_RENAME, /* from name to to */
    OP_SYNC,   /* of the file */
    OP_SYNC_NAMES,
    OP_SYNC_ALL
} op_kind;

typedef struct op {
    op_kind kind;
    size_t file;
    uint64_t off;
    size_t len;
    uint8_t *data; /* owned by the log */
    char name[STORAGE_NAME], to[STORAGE_NAME];
} op;

/* What was done, in order.  Zero it first. */
typedef struct op_log {
    op ops[STORAGE_OPS];
    size_t count;
} op_log;

/* A directory at a moment: what is durable, and what was done since that is not. */
typedef struct storage {
    image durable;
    const op *pending[STORAGE_OPS]; /* borrowed from logs, in order */
    size_t pending_count;
} storage;

/* How many images to make where there are too many. */
typedef struct budget {
    size_t all;     /* up to so many independent pieces every subset of them */
    size_t samples; /* above, so many subsets drawn at random, besides the regular ones */
} budget;

void image_copy(image *out, const image *from);
void image_wipe(image *i);
size_t image_add(image *i, const char *name, const uint8_t *data, size_t len); /* the file */
/* The file of this name; NULL if there is none. */
const uint8_t *image_find(const image *i, const char *name, size_t *len);
/* The same names with the same bytes have the same number, and nothing else, as far as 64 bits go.
 */
uint64_t image_hash(const image *i);

/* One operation, done to its end; those that sync change nothing. */
void image_do(image *i, const op *what);

/* Append an operation; data (may be NULL) is copied. */
void op_log_add(op_log *log, const op *what, const uint8_t *data);
void op_log_remove(op_log *log, size_t at);
void op_log_swap(op_log *log, size_t a, size_t b);
void op_log_wipe(op_log *log);
bool op_is_sync(const op *what);

/* One operation more. */
void storage_do(storage *s, const op *what);
void storage_copy(storage *out, const storage *from);
void storage_wipe(storage *s);
/* As a program sees it while there is power. */
void storage_see(image *out, const storage *s);

/*
 * Every image that loss of power may leave while the operations of log are done, one after the
 * other, to a directory in state s.  seen is called with each and with how many operations had
 * been done or begun; the image is borrowed.  The same image may come many times.
 */
typedef void image_seen(void *ctx, const image *i, size_t done);
void storage_crashes(const storage *s, const op_log *log, budget b, image_seen *seen, void *ctx);

/* The next of a fixed row of numbers that look random. */
uint64_t storage_random(void);

#endif
