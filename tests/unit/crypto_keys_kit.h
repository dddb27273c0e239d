/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_UNIT_CRYPTO_KEYS_KIT_H
#define COF_TESTS_UNIT_CRYPTO_KEYS_KIT_H

/* What the tests of KEYS share: recipients of every kind, and a message for them. */

#include "crypto_kit.h"

#include <openssl/rsa.h>
#include <stdlib.h>

#include "crypto/keys.h"
#include "crypto/random.h"

/* Paths into a KEYS message. */
#define AT_TYPE      0, 0
#define AT_BODY      0, 1, 0
#define AT_VERSION   AT_BODY, 0
#define AT_SET       AT_BODY, 1
#define AT_CONTENT   AT_BODY, 2
#define AT_GCM       AT_CONTENT, 1, 1
#define AT_MAC       AT_BODY, 3
#define KINDS        5
#define RSA          0
#define P256         1
#define P384         2
#define P521         3
#define RSA_NAMELESS 4

/* Two RSA and three EC recipients; the last one is named by issuer and serial number. */
static cof_key *keys[KINDS];
static cof_cert *certs[KINDS];
static cof_key *stranger;
static cof_cert *stranger_cert;
static cof_secret *dek;

KIT int set_up(void **state)
{
    static const char *const types[KINDS] = {"rsa-2048", "p256", "p384", "p521", "rsa-2048"};

    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        keys[i] = kit_key(types[i]);
        certs[i] = i == RSA_NAMELESS ? kit_nameless(keys[i], "nameless")
                                     : kit_self_sign(keys[i], types[i], COF_CERT_FOR_RECIPIENT);
    }
    stranger = kit_key("p256");
    stranger_cert = kit_self_sign(stranger, "stranger", COF_CERT_FOR_RECIPIENT);
    assert_ok(cof_random_secret(&dek, COF_KEYS_DEK_SIZE, &kit_err));
    return 0;
}

KIT int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        cof_key_free(keys[i]);
        cof_cert_free(certs[i]);
    }
    cof_key_free(stranger);
    cof_cert_free(stranger_cert);
    cof_secret_free(dek);
    return 0;
}

KIT cof_buf seal(cof_cert *const *list, size_t n)
{
    cof_buf out = COF_BUF_INIT;

    assert_ok(cof_keys_seal(&out, dek, list, n, &kit_err));
    return out;
}

KIT void assert_opens(cof_slice message, cof_cert *const *list, size_t n, const cof_key *key,
                      size_t expected)
{
    cof_secret *got = NULL;
    size_t which = SIZE_MAX;

    assert_ok(cof_keys_open(&got, message, list, n, &which, key, &kit_err));
    assert_int_equal(which, expected);
    assert_int_equal(cof_secret_len(got), COF_KEYS_DEK_SIZE);
    assert_true(cof_equal_consttime(cof_secret_bytes(got), cof_secret_bytes(dek), 32));
    cof_secret_free(got);
}

/* Both the check and the opening must refuse, with this class and rule. */
KIT void assert_refused(cof_slice message, cof_cert *const *list, size_t n, cof_status st,
                        const char *rule)
{
    cof_secret *got = NULL;

    assert_fails(cof_keys_check(message, list, n, &kit_err), st, rule);
    assert_fails(cof_keys_open(&got, message, list, n, NULL, keys[0], &kit_err), st, rule);
    assert_null(got);
}

/* Edit a message for certs[0..n) in one place; it must then be refused. */
KIT void assert_edit_refused(size_t n, const int *path, enum kit_edit edit, cof_slice replacement,
                             cof_status st, const char *rule)
{
    cof_buf good = seal(certs, n), bad = COF_BUF_INIT;

    kit_edit(&bad, cof_buf_slice(&good), path, edit, replacement);
    assert_refused(cof_buf_slice(&bad), certs, n, st, rule);
    cof_buf_free(&good);
    cof_buf_free(&bad);
}

#endif
