/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_CRYPTO_H
#define COF_CRYPTO_CRYPTO_H

/*
 * The door of the crypto room: the only room that includes OpenSSL.
 *
 * What holds for every function of this room: outputs are nulled (or left as they were, where the
 * contract says so) on failure; the thread's OpenSSL error queue is empty when it returns; no
 * secret ever gets into a cof_error; every secret that is copied is wiped again; that the library
 * ran out of memory is COF_NOMEM, and never said of a key, a certificate or a signature.
 */

#include <stdbool.h>

#include "base/error.h"

/*
 * Check the libcrypto that is loaded now and look up every algorithm that coffer uses, once.
 * Idempotent and thread-safe; every other function of the room calls it by itself, so a program
 * calls it only to hear bad news early.  COF_UNSUPPORTED if libcrypto is too old (the sentence
 * names the version found and the versions needed) or lacks an algorithm.
 */
COF_MUST_USE cof_status cof_crypto_init(cof_error *err);

/*
 * Whether a version of libcrypto has the fixes that coffer relies on: 3.0.22 or later in the 3.0
 * series, 3.5.8 or later in 3.5, 3.6.4 or later.  Other series are no longer mended: false.
 */
bool cof_crypto_version_ok(unsigned major, unsigned minor, unsigned patch);

#endif
