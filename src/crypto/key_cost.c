/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What it costs to try a passphrase is written in the key file, by whoever made it.  It is bounded
 * before libcrypto begins: a number in a file of 200 bytes must not keep a process busy for days.
 */

#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/num.h"
#include "crypto/ossl.h"

#define ITERATIONS_MAX  UINT64_C(10000000)   /* of PBKDF2 and its like, all of a file together */
#define SCRYPT_WORK_MAX (UINT64_C(1) << 24)  /* N * r * p */
#define SCRYPT_MEM_MAX  (UINT64_C(32) << 20) /* 128 * N * r: more libcrypto does not do */

static cof_status too_costly(const char *what, const char *why, cof_error *err)
{
    return cof_fail(err, COF_CERT,
                    "trying one passphrase for %s would take %s: protect the key anew with fewer "
                    "iterations (\"openssl pkcs8 -topk8 -iter 600000\")",
                    what, why);
}

/* Negative, absent and enormous numbers are the largest one. */
static uint64_t number(const ASN1_INTEGER *value)
{
    uint64_t n = UINT64_MAX;

    if (value == NULL || ASN1_INTEGER_get_uint64(&n, value) != 1)
        n = UINT64_MAX;
    ERR_clear_error();
    return n;
}

static cof_status spend(uint64_t *spent, uint64_t iterations, const char *what, cof_error *err)
{
    if (iterations <= ITERATIONS_MAX && *spent + iterations <= ITERATIONS_MAX) {
        *spent += iterations;
        return COF_OK;
    }
    return too_costly(what, "more than 10,000,000 iterations", err);
}

static cof_status spend_scrypt(const SCRYPT_PARAMS *s, const char *what, cof_error *err)
{
    uint64_t n = number(s->costParameter), r = number(s->blockSize);
    uint64_t p = number(s->parallelizationParameter), memory, work;

    if (!cof_mul_u64(n, r, &memory) || !cof_mul_u64(memory, 128, &memory) ||
        memory > SCRYPT_MEM_MAX)
        return too_costly(what, "more than 32 MiB of memory", err);
    if (!cof_mul_u64(n, r, &work) || !cof_mul_u64(work, p, &work) || work > SCRYPT_WORK_MAX)
        return too_costly(what, "far more work than scrypt is used for", err);
    return COF_OK;
}

/* The parameters of an algorithm as the type `it`; NULL if they are not that. */
static void *unpack(const ASN1_ITEM *it, const X509_ALGOR *alg)
{
    const ASN1_TYPE *parameter = alg->parameter;
    void *value = NULL;

    if (parameter != NULL && parameter->type == V_ASN1_SEQUENCE)
        value = ASN1_item_unpack(parameter->value.sequence, it);
    ERR_clear_error();
    return value;
}

static cof_status spend_kdf(uint64_t *spent, const X509_ALGOR *kdf, const char *what,
                            cof_error *err)
{
    cof_status st = COF_OK;
    int nid = OBJ_obj2nid(kdf->algorithm);

    if (nid == NID_id_pbkdf2) {
        PBKDF2PARAM *p = unpack(ASN1_ITEM_rptr(PBKDF2PARAM), kdf);

        if (p != NULL)
            st = spend(spent, number(p->iter), what, err);
        PBKDF2PARAM_free(p);
    } else if (nid == NID_id_scrypt) {
        SCRYPT_PARAMS *p = unpack(ASN1_ITEM_rptr(SCRYPT_PARAMS), kdf);

        if (p != NULL)
            st = spend_scrypt(p, what, err);
        SCRYPT_PARAMS_free(p);
    }
    return st;
}

cof_status cof_key_cost(uint64_t *spent, const X509_ALGOR *alg, const char *what, cof_error *err)
{
    cof_status st = COF_OK;

    if (OBJ_obj2nid(alg->algorithm) == NID_pbes2) {
        PBE2PARAM *p = unpack(ASN1_ITEM_rptr(PBE2PARAM), alg);

        if (p != NULL)
            st = spend_kdf(spent, p->keyfunc, what, err);
        PBE2PARAM_free(p);
    } else { /* those of PKCS#5 1.5 and PKCS#12 have the same parameters */
        PBEPARAM *p = unpack(ASN1_ITEM_rptr(PBEPARAM), alg);

        if (p != NULL)
            st = spend(spent, number(p->iter), what, err);
        PBEPARAM_free(p);
    }
    return st;
}

/* ---- PKCS#12 ---- */

static cof_status spend_bags(uint64_t *spent, const STACK_OF(PKCS12_SAFEBAG) * bags,
                             const char *what, unsigned depth, cof_error *err)
{
    cof_status st = COF_OK;

    if (depth > 8)
        return too_costly(what, "an endless row of containers", err);
    for (int i = 0; st == COF_OK && i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
        const X509_SIG *sig = PKCS12_SAFEBAG_get0_pkcs8(bag);
        const X509_ALGOR *alg = NULL;

        if (sig != NULL) {
            X509_SIG_get0(sig, &alg, NULL);
            st = cof_key_cost(spent, alg, what, err);
        } else if (PKCS12_SAFEBAG_get_nid(bag) == NID_safeContentsBag) {
            st = spend_bags(spent, PKCS12_SAFEBAG_get0_safes(bag), what, depth + 1, err);
        }
    }
    return st;
}

/* What is inside an encrypted safe is only seen once that is decrypted, which has been paid for. */
static cof_status spend_safe(uint64_t *spent, const PKCS7 *safe, const char *passphrase, int len,
                             bool opened, const char *what, cof_error *err)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    int nid = OBJ_obj2nid(safe->type);
    cof_status st = COF_OK;

    if (nid == NID_pkcs7_encrypted && safe->d.encrypted == NULL) /* which the syntax allows */
        return COF_OK;
    if (nid == NID_pkcs7_encrypted && !opened)
        return cof_key_cost(spent, safe->d.encrypted->enc_data->algorithm, what, err);
    if (nid == NID_pkcs7_encrypted)
        bags = PKCS12_unpack_p7encdata(cof_crypto_unconst(safe), passphrase, len);
    else if (nid == NID_pkcs7_data && !opened)
        bags = PKCS12_unpack_p7data(cof_crypto_unconst(safe));
    if (bags != NULL)
        st = spend_bags(spent, bags, what, 0, err);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return st;
}

static cof_status spend_safes(uint64_t *spent, const PKCS12 *container, const char *passphrase,
                              int len, bool opened, const char *what, cof_error *err)
{
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(container);
    cof_status st = COF_OK;

    for (int i = 0; st == COF_OK && i < sk_PKCS7_num(safes); i++)
        st = spend_safe(spent, sk_PKCS7_value(safes, i), passphrase, len, opened, what, err);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    ERR_clear_error();
    return st;
}

static cof_status spend_mac(uint64_t *spent, const PKCS12 *container, const char *what,
                            cof_error *err)
{
    const X509_ALGOR *alg = NULL;
    const ASN1_INTEGER *iterations = NULL;

    if (!PKCS12_mac_present(container))
        return COF_OK;
    PKCS12_get0_mac(NULL, &alg, NULL, &iterations, container);
    if (iterations == NULL) /* absent means once */
        return COF_OK;
    return spend(spent, number(iterations), what, err);
}

cof_status cof_pkcs12_cost(uint64_t *spent, const PKCS12 *container, const char *what,
                           cof_error *err)
{
    cof_status st = spend_mac(spent, container, what, err);

    return st == COF_OK ? spend_safes(spent, container, NULL, 0, false, what, err) : st;
}

cof_status cof_pkcs12_cost_inside(uint64_t *spent, const PKCS12 *container, const char *passphrase,
                                  int len, const char *what, cof_error *err)
{
    return spend_safes(spent, container, passphrase, len, true, what, err);
}
