/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_RANDOM_H
#define COF_CRYPTO_RANDOM_H

#include <stddef.h>

#include "base/error.h"
#include "base/secret.h"

/* Fill buf with len bytes of the library's public generator (salts, UUIDs, serial numbers). */
COF_MUST_USE cof_status cof_random(void *buf, size_t len, cof_error *err);

/* A new secret of len bytes of the library's private generator (keys).  The caller frees it. */
COF_MUST_USE cof_status cof_random_secret(cof_secret **out, size_t len, cof_error *err);

#endif
