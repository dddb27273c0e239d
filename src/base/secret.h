/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_BASE_SECRET_H
#define COF_BASE_SECRET_H

/*
 * Memory for secrets: keys, passphrases, private key files.
 *
 * Each secret has pages of its own, which are kept out of swap and out of core dumps, are not
 * given to forked children (a child that touches a secret crashes instead of working with a copy),
 * and are wiped before they go back to the system.  A secret never grows: make a longer one, copy,
 * free the old one.
 *
 * A system that refuses to lock pages (RLIMIT_MEMLOCK) still gets its backup: the refusal is
 * recorded, and cof_secret_all_locked() lets the command say so.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cof_secret cof_secret;

/*
 * A new secret of `len` zero bytes (0 is allowed).  The caller owns *out; NULL on failure.
 * COF_NOMEM.
 */
cof_status cof_secret_new(cof_secret **out, size_t len, cof_error *err) COF_MUST_USE;

/* A copy in pages of its own.  COF_NOMEM, *out is then NULL. */
cof_status cof_secret_dup(cof_secret **out, const cof_secret *secret, cof_error *err) COF_MUST_USE;

/* Borrow the bytes until the secret is freed.  Never NULL. */
uint8_t *cof_secret_bytes(cof_secret *secret);
const uint8_t *cof_secret_bytes_const(const cof_secret *secret);

/* The length given to cof_secret_new() or last to cof_secret_shrink(). */
size_t cof_secret_len(const cof_secret *secret);

/* Cut to the first `len` bytes (at most the present length); what is cut off is wiped. */
void cof_secret_shrink(cof_secret *secret, size_t len);

/* Wipe and give back.  NULL is fine. */
void cof_secret_free(cof_secret *secret);

/* False once the system has refused to lock any secret of this process in memory. */
bool cof_secret_all_locked(void);

/* For other rooms with locked memory of their own: the system has refused to lock it. */
void cof_secret_not_locked(void);

/* Overwrite `len` bytes with zeros in a way that a compiler keeps: for copies on the stack. */
void cof_wipe(void *p, size_t len);

/* Are `len` bytes equal?  Takes the same time whatever they are. */
bool cof_equal_consttime(const void *a, const void *b, size_t len);

#endif
