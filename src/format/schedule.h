/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_SCHEDULE_H
#define COF_FORMAT_SCHEDULE_H

/*
 * All keys that come from the DEK (FORMAT.md section 6).  Only this file knows the info strings.
 *
 * Every function returns COF_NOMEM or COF_INTERNAL when the crypto room fails; outputs are then
 * untouched, and pointers NULL.
 */

#include "base/error.h"
#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/digest.h"

#include <stddef.h>
#include <stdint.h>

#define COF_DEK_SIZE 32

/* Opaque, immutable, holds the PRK in secret memory; may be shared between threads. */
typedef struct cof_schedule cof_schedule;

/*
 * PRK = HKDF-Extract(salt = core, ikm = dek); dek (32 bytes) stays the caller's and is not needed
 * afterwards.  COF_USAGE for a DEK of another length or cipher none, COF_UNSUPPORTED for a cipher
 * that is not known.
 */
cof_status cof_schedule_new(cof_schedule **out, const uint8_t core[COF_SHA256_SIZE],
                            const cof_secret *dek, cof_cipher cipher, cof_error *err) COF_MUST_USE;

/* Wipes the PRK.  NULL is fine. */
void cof_schedule_free(cof_schedule *schedule);

/* What the manifest and custody statement commit to; public. */
cof_status cof_schedule_commitment(uint8_t out[COF_SHA256_SIZE], const cof_schedule *schedule,
                                   cof_error *err) COF_MUST_USE;

/* KS-1: is this the commitment of this schedule?  COF_AUTH, with the one sentence of KS-1. */
cof_status cof_schedule_check_commitment(const cof_schedule *schedule,
                                         const uint8_t commitment[COF_SHA256_SIZE],
                                         cof_error *err) COF_MUST_USE;

/* The one sentence of KS-1, word for word that of cof_keys_open(). */
#define COF_KS1_MESSAGE "the wrapped key does not open: it was changed after it was made"

/* Record n belongs to segment n >> 16. */
uint64_t cof_schedule_segment(uint64_t record);

/* The AEAD key of a segment, as long as the cipher wants; the caller frees *out. */
cof_status cof_schedule_record_key(cof_secret **out, const cof_schedule *schedule, uint64_t segment,
                                   cof_error *err) COF_MUST_USE;

/* The nonce base of a segment. */
cof_status cof_schedule_nonce_base(uint8_t out[COF_AEAD_NONCE_SIZE], const cof_schedule *schedule,
                                   uint64_t segment, cof_error *err) COF_MUST_USE;

/* nonce = base XOR (0^32 ‖ u64 record). */
void cof_nonce(uint8_t out[COF_AEAD_NONCE_SIZE], const uint8_t base[COF_AEAD_NONCE_SIZE],
               uint64_t record);

/* What the proof of possession covers, besides the schedule's own core. */
typedef struct cof_proof_input {
    uint64_t generation;
    const uint8_t *keys_sha256;                   /* 32 bytes */
    const uint8_t *previous;                      /* 32 bytes, or NULL in generation 1 */
    const uint8_t (*recipients)[COF_SHA256_SIZE]; /* hashes of the certificates, in order */
    size_t recipient_count;
} cof_proof_input;

/* The proof of a custody statement (CU-6).  Compare with cof_equal_consttime() only. */
cof_status cof_schedule_proof(uint8_t out[COF_SHA256_SIZE], const cof_schedule *schedule,
                              const cof_proof_input *in, cof_error *err) COF_MUST_USE;

struct cof_custody;

/* The same over the fields of a statement, whatever its `proof` says: for CU-6 and for making one.
 */
cof_status cof_schedule_proof_of(uint8_t out[COF_SHA256_SIZE], const cof_schedule *schedule,
                                 const struct cof_custody *custody, cof_error *err) COF_MUST_USE;

#endif
