/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FUZZ_CRYPTO_FAILS_H
#define COF_FUZZ_CRYPTO_FAILS_H

/*
 * Calls of libcrypto that fail: every call in src/crypto that can.  The program has to be linked
 * with the options in fuzz_crypto_fails (fuzz/meson.build); threads may call at the same time.
 */

#include <stdbool.h>
#include <stddef.h>

/* The call number `nth` from now on, counted from 0, fails; with `on` all after it as well. */
void crypto_fails_begin(size_t nth, bool on);

/* No more failures; returns how many there were.  *first (may be NULL) is the name of the first. */
size_t crypto_fails_end(const char **first);

/* Did this function fail since crypto_fails_begin(), in another thread than the first that failed?
 */
bool crypto_fails_elsewhere(const char *name);

#endif
