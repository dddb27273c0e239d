/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_KEYS_MAP_H
#define COF_CRYPTO_KEYS_MAP_H

/* Private to the crypto room: which recipient of a checked KEYS belongs to which certificate. */

#include "crypto/keys.h"

struct cof_keys_map {
    size_t recipient_of[COF_KEYS_RECIPIENTS_MAX]; /* by index of the certificate */
};

/* cof_keys_check, and the map on success. */
cof_status cof_keys_check_map(struct cof_keys_map *map, cof_slice keys, cof_cert *const *certs,
                              size_t n, cof_error *err) COF_MUST_USE;

/* The part of KY-11 that is about certificates alone: COF_CERT if two share a key or identifier. */
cof_status cof_keys_check_distinct(cof_cert *const *certs, size_t n, cof_error *err) COF_MUST_USE;

#endif
