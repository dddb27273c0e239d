/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_KDF_H
#define COF_CRYPTO_KDF_H

/*
 * HKDF and HMAC, both over SHA-256 (RFC 5869, RFC 2104): the building stones of the key schedule.
 * What is derived from what is written in the format room; this room only computes.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"

#define COF_HKDF_PRK_SIZE    32
#define COF_HKDF_INFO_MAX    256        /* bytes of info that are accepted */
#define COF_HKDF_OUTPUT_MAX  (255 * 32) /* bytes that one expansion can give */
#define COF_HMAC_SHA256_SIZE 32

/* *prk = HKDF-Extract(salt, ikm), 32 bytes, the caller frees it.  ikm is not empty (COF_USAGE). */
COF_MUST_USE cof_status cof_hkdf_extract(cof_secret **prk, const uint8_t salt[32],
                                         const cof_secret *ikm, cof_error *err);

/*
 * HKDF-Expand(prk, info, len) as a new secret (the caller frees it), or as plain bytes for what is
 * no secret: commitments and nonce bases.  COF_USAGE if prk is not 32 bytes, info is longer than
 * COF_HKDF_INFO_MAX, or len is 0 or more than COF_HKDF_OUTPUT_MAX.
 */
COF_MUST_USE cof_status cof_hkdf_expand(cof_secret **out, const cof_secret *prk, cof_slice info,
                                        size_t len, cof_error *err);
COF_MUST_USE cof_status cof_hkdf_expand_public(uint8_t *out, size_t len, const cof_secret *prk,
                                               cof_slice info, cof_error *err);

/* HMAC-SHA256 of data under key.  Compare the result with cof_equal_consttime only. */
COF_MUST_USE cof_status cof_hmac_sha256(uint8_t out[COF_HMAC_SHA256_SIZE], const cof_secret *key,
                                        cof_slice data, cof_error *err);

#endif
