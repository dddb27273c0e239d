/* SPDX-License-Identifier: Apache-2.0 */

/* Asking for a passphrase, once, and checking what came back. */

#include "crypto/passphrase.h"

#include <string.h>

#include "crypto/ossl.h"

cof_status cof_passphrase_ask(cof_secret **out, const cof_passphrase *ask, const char *what,
                              cof_error *err)
{
    cof_secret *given = NULL, *text = NULL;
    size_t len;
    cof_status st;

    *out = NULL;
    if (ask == NULL || ask->fn == NULL)
        return cof_fail(err, COF_CERT, "%s is protected by a passphrase, and none was given", what);
    if ((st = ask->fn(ask->ctx, what, &given, err)) != COF_OK)
        goto out;
    if (given == NULL) {
        st = cof_fail(err, COF_INTERNAL, "no passphrase came back for %s", what);
        goto out;
    }
    len = cof_secret_len(given);
    if (len > COF_PASSPHRASE_MAX ||
        (len > 0 && memchr(cof_secret_bytes_const(given), 0, len) != NULL)) {
        st = cof_fail(err, COF_CERT,
                      "the passphrase for %s is longer than %d bytes or has a zero byte in it",
                      what, COF_PASSPHRASE_MAX);
        goto out;
    }
    if ((st = cof_secret_new(&text, len + 1, err)) != COF_OK)
        goto out;
    memcpy(cof_secret_bytes(text), cof_secret_bytes_const(given), len);
    *out = text;
    text = NULL; /* transferred */
out:
    cof_secret_free(given);
    cof_secret_free(text);
    return st;
}
