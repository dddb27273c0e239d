/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_WIRE_WIRE_H
#define COF_WIRE_WIRE_H

/*
 * Cursors over bytes: the alphabet that every structure of the format is read and written with.
 * Big-endian.  Serialisers read like the grammar:
 *
 *     if ((st = cof_get_u16(&g, &magic)) != COF_OK ||
 *         (st = cof_get_u8(&g, &kind)) != COF_OK ||
 *         (st = cof_get_skip_zeros(&g, 5)) != COF_OK ||
 *         (st = cof_get_done(&g)) != COF_OK)
 *         return cof_fail_rule(err, st, "FR-1", g.at, "...");
 *
 * The cursors say which class of failure, and where (at); the sentence is the caller's.
 */

#include "base/buf.h"

#include <coffer/error.h>

#include <stddef.h>
#include <stdint.h>

/* ---- reading ------------------------------------------------------------------------------- */

/* Borrows the bytes; they must outlive the cursor and every slice taken from it. */
typedef struct cof_get {
    const uint8_t *p; /* the next byte */
    size_t left;      /* bytes from p on */
    size_t at;        /* bytes read so far: where a failure happened, counted from the start */
} cof_get;

void cof_get_init(cof_get *g, const void *data, size_t len);
void cof_get_init_slice(cof_get *g, cof_slice bytes);

/*
 * Each takes its bytes off the front.  COF_FORMAT when fewer are left, or when the bytes are not
 * what the function demands; the cursor has then not moved and the output is untouched.
 */
cof_status cof_get_u8(cof_get *g, uint8_t *out) COF_MUST_USE;
cof_status cof_get_u16(cof_get *g, uint16_t *out) COF_MUST_USE;
cof_status cof_get_u32(cof_get *g, uint32_t *out) COF_MUST_USE;
cof_status cof_get_u64(cof_get *g, uint64_t *out) COF_MUST_USE;

/* Copy `len` bytes to out. */
cof_status cof_get_bytes(cof_get *g, void *out, size_t len) COF_MUST_USE;

/* Borrow `len` bytes. */
cof_status cof_get_slice(cof_get *g, cof_slice *out, size_t len) COF_MUST_USE;

/* Demand exactly these bytes: a magic number. */
cof_status cof_get_expect(cof_get *g, const void *bytes, size_t len) COF_MUST_USE;

/* Demand `len` zero bytes: a reserved field, padding. */
cof_status cof_get_skip_zeros(cof_get *g, size_t len) COF_MUST_USE;

/* Pass over `len` bytes, whatever they are. */
cof_status cof_get_skip(cof_get *g, size_t len) COF_MUST_USE;

/* Demand that nothing is left. */
cof_status cof_get_done(const cof_get *g) COF_MUST_USE;

/* ---- writing ------------------------------------------------------------------------------- */

/*
 * Writes into a fixed buffer, or appends to a cof_buf.  Borrows either; the cof_buf must not be
 * changed by others meanwhile.  After a failure what was put before is still there.
 */
typedef struct cof_put {
    uint8_t *p;   /* fixed buffer: the next byte */
    size_t left;  /* fixed buffer: bytes from p on */
    cof_buf *buf; /* or NULL for a fixed buffer */
    size_t at;    /* bytes put so far */
} cof_put;

void cof_put_init(cof_put *w, void *out, size_t cap);
void cof_put_init_buf(cof_put *w, cof_buf *out);

/*
 * Each appends its bytes whole or not at all.  COF_LIMIT when a fixed buffer has no room for them,
 * COF_NOMEM when a cof_buf cannot grow.
 */
cof_status cof_put_u8(cof_put *w, uint8_t v) COF_MUST_USE;
cof_status cof_put_u16(cof_put *w, uint16_t v) COF_MUST_USE;
cof_status cof_put_u32(cof_put *w, uint32_t v) COF_MUST_USE;
cof_status cof_put_u64(cof_put *w, uint64_t v) COF_MUST_USE;
cof_status cof_put_bytes(cof_put *w, const void *data, size_t len) COF_MUST_USE;
cof_status cof_put_slice(cof_put *w, cof_slice bytes) COF_MUST_USE;
cof_status cof_put_zeros(cof_put *w, size_t len) COF_MUST_USE;

/* Fill a fixed buffer with zeros up to its offset `end`.  COF_LIMIT if it is already past that. */
cof_status cof_put_zeros_until(cof_put *w, size_t end) COF_MUST_USE;

/* ---- single integers, for places that are known to be large enough -------------------------- */

uint16_t cof_be16_load(const uint8_t in[2]);
uint32_t cof_be32_load(const uint8_t in[4]);
uint64_t cof_be64_load(const uint8_t in[8]);
void cof_be16_store(uint8_t out[2], uint16_t v);
void cof_be32_store(uint8_t out[4], uint32_t v);
void cof_be64_store(uint8_t out[8], uint64_t v);

#endif
