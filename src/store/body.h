/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_STORE_BODY_H
#define COF_STORE_BODY_H

/*
 * The body of a backup: volumes 1 … n, each byte addressed by the number of its volume and its
 * offset in that volume's body (FORMAT.md, section 1).
 *
 * Volume 1 is open all the time; of the later ones only a few are, however many there are: they are
 * opened when something in them is read, and the one that was read longest ago is closed.  Which
 * file is which volume is for the caller to say.  Not for several threads at once.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/file.h"

typedef struct cof_body cof_body;

/*
 * The body of volume 1 in `first` (borrowed), whose head has this length.  The caller owns *out,
 * NULL on failure.  COF_FORMAT when the file is shorter than its head; COF_IO, COF_NOMEM.
 */
cof_status cof_body_new(cof_body **out, const cof_file *first, uint64_t head_len,
                        cof_error *err) COF_MUST_USE;

/*
 * *file, which was opened by its path, is volume `number` (2 …), which must not be there
 * yet.  *file is taken on success.  Classes as above.
 */
cof_status cof_body_add(cof_body *body, uint32_t number, cof_file **file, uint64_t head_len,
                        cof_error *err) COF_MUST_USE;

/* Is that volume there? */
bool cof_body_has(const cof_body *body, uint32_t number);

/* The highest number of a volume that is there. */
uint32_t cof_body_highest(const cof_body *body);

/* Which file that volume is, what it is called, and the same made safe for messages.  Borrowed. */
cof_file_id cof_body_identity(const cof_body *body, uint32_t number);
const char *cof_body_path(const cof_body *body, uint32_t number);
const char *cof_body_label(const cof_body *body, uint32_t number);

/* How many bytes of body that volume holds, and how long its head is; 0 if it is not there. */
uint64_t cof_body_len(const cof_body *body, uint32_t number);
uint64_t cof_body_base(const cof_body *body, uint32_t number);

/*
 * Exactly len bytes at an offset in the body of a volume.  COF_FORMAT when the volume is not there,
 * ends before, or is not the file any more that it was; COF_IO.
 */
cof_status cof_body_read(void *out, size_t len, cof_body *body, uint32_t number, uint64_t off,
                         cof_error *err) COF_MUST_USE;

/* As many of len bytes as there are; none of a volume that is not there. */
cof_status cof_body_read_some(void *out, size_t len, size_t *out_got, cof_body *body,
                              uint32_t number, uint64_t off, cof_error *err) COF_MUST_USE;

/*
 * For readers in other threads: where in which file such a range lies.  The file stays open, and
 * may be read by position, until the span is let go.
 */
typedef struct cof_span {
    const cof_file *file;
    uint64_t off;
    size_t held; /* for the body: its slot, from 1; 0: none, as of volume 1, which is always open */
} cof_span;

/*
 * Classes as of reading, but that the bytes are not looked at.  The system is told that a large
 * span will be read: it guesses badly where several threads read one file.
 *
 * Who holds many spans at once uses the second: COF_BUSY where that would leave no room for one
 * more span and for reading, so that neither ever fails because of what is read ahead; let one go,
 * and try again.  A span that is not held, as one of zeros, may be let go, too.
 */
cof_status cof_body_hold(cof_span *out, cof_body *body, uint32_t number, uint64_t off, size_t len,
                         cof_error *err) COF_MUST_USE;
cof_status cof_body_hold_ahead(cof_span *out, cof_body *body, uint32_t number, uint64_t off,
                               size_t len, cof_error *err) COF_MUST_USE;
void cof_body_let_go(cof_body *body, cof_span *span);

/* NULL is fine. */
void cof_body_free(cof_body *body);

#endif
