/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_PASSPHRASE_H
#define COF_CRYPTO_PASSPHRASE_H

#include "base/error.h"
#include "base/secret.h"

#define COF_PASSPHRASE_MAX 1023 /* bytes; longer ones are refused */

/*
 * Where a passphrase comes from when a file turns out to need one.  fn gets the display name of
 * the file, gives a new secret (the room frees it) of the bytes of the passphrase, without a
 * newline or NUL, or returns a failure, which is passed on with its err.  It is called at most
 * once for one file, never for a file that needs none.
 */
typedef struct cof_passphrase {
    cof_status (*fn)(void *ctx, const char *what, cof_secret **out, cof_error *err);
    void *ctx; /* borrowed; handed to fn */
} cof_passphrase;

#endif
