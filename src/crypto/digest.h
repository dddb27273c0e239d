/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_DIGEST_H
#define COF_CRYPTO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define COF_SHA256_SIZE 32

/* SHA-256 of len bytes into out[32].  Fails only for want of memory or a defect of the library. */
COF_MUST_USE cof_status cof_sha256(uint8_t out[COF_SHA256_SIZE], const void *data, size_t len,
                                   cof_error *err);

/*
 * SHA-256 in pieces.  A context is used again and again: init, update..., final, init, ...; only
 * new allocates.  One context belongs to one thread at a time.
 */
typedef struct cof_sha256_ctx cof_sha256_ctx;

/* *out is ready for init; NULL on failure.  The caller frees it. */
COF_MUST_USE cof_status cof_sha256_new(cof_sha256_ctx **out, cof_error *err);

/* Begin a hash; whatever was begun before is forgotten. */
COF_MUST_USE cof_status cof_sha256_init(cof_sha256_ctx *ctx, cof_error *err);

/* Add len bytes.  data may be NULL if len is 0. */
COF_MUST_USE cof_status cof_sha256_update(cof_sha256_ctx *ctx, const void *data, size_t len,
                                          cof_error *err);

/* The hash of what was added since init.  Before anything else ctx needs init again. */
COF_MUST_USE cof_status cof_sha256_final(cof_sha256_ctx *ctx, uint8_t out[COF_SHA256_SIZE],
                                         cof_error *err);

void cof_sha256_free(cof_sha256_ctx *ctx);

#endif
