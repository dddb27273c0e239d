/* SPDX-License-Identifier: Apache-2.0 */

/* Randomness: the library's two generators, one for what is shown and one for what is not. */

#include "crypto/random.h"

#include <openssl/rand.h>

#include "crypto/ossl.h"

cof_status cof_random(void *buf, size_t len, cof_error *err)
{
    cof_status st = cof_crypto_init(err);
    if (st != COF_OK)
        return st;
    if (len > 0 && RAND_bytes_ex(NULL, buf, len, 0) != 1)
        return cof_crypto_fail(err, "give random bytes");
    return COF_OK;
}

cof_status cof_random_secret(cof_secret **out, size_t len, cof_error *err)
{
    cof_secret *secret = NULL;
    cof_status st;

    *out = NULL;
    if ((st = cof_crypto_init(err)) != COF_OK || (st = cof_secret_new(&secret, len, err)) != COF_OK)
        goto out;
    if (len > 0 && RAND_priv_bytes_ex(NULL, cof_secret_bytes(secret), len, 0) != 1) {
        st = cof_crypto_fail(err, "give random bytes");
        goto out;
    }
    *out = secret;
    secret = NULL; /* transferred */
out:
    cof_secret_free(secret);
    return st;
}
