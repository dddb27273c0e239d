/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A table of the functions of libcrypto that src/crypto calls and that can fail, each with what it
 * gives then; where that may be 0 or negative, what a careless caller would take for success.  The
 * linker puts what is made of a line into the place of the function (fuzz/meson.build reads the
 * names here).  Left out is what frees, what only looks at what is there, and what must not fail in
 * the set-up of a process.
 */

#include "crypto_fails.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define NAMES_MAX 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t left = SIZE_MAX; /* calls until one fails; SIZE_MAX: none does */
static bool from_then_on;
static size_t failed;
static const char *first_name;
static pthread_t first_thread;
static const char *elsewhere[NAMES_MAX]; /* what failed in other threads, each name once */
static size_t elsewhere_count;

void crypto_fails_begin(size_t nth, bool on)
{
    (void)pthread_mutex_lock(&lock);
    failed = 0;
    first_name = NULL;
    elsewhere_count = 0;
    from_then_on = on;
    left = nth;
    (void)pthread_mutex_unlock(&lock);
}

size_t crypto_fails_end(const char **first)
{
    size_t count;

    (void)pthread_mutex_lock(&lock);
    left = SIZE_MAX;
    count = failed;
    if (first != NULL)
        *first = first_name;
    (void)pthread_mutex_unlock(&lock);
    return count;
}

static bool is_noted(const char *name)
{
    for (size_t i = 0; i < elsewhere_count; i++)
        if (strcmp(elsewhere[i], name) == 0)
            return true;
    return false;
}

bool crypto_fails_elsewhere(const char *name)
{
    bool found;

    (void)pthread_mutex_lock(&lock);
    found = is_noted(name);
    (void)pthread_mutex_unlock(&lock);
    return found;
}

static void note(const char *name)
{
    if (failed++ == 0) {
        first_name = name;
        first_thread = pthread_self();
    } else if (!pthread_equal(first_thread, pthread_self()) && !is_noted(name) &&
               elsewhere_count < NAMES_MAX) {
        elsewhere[elsewhere_count++] = name;
    }
}

static bool refuse(const char *name)
{
    bool refused = false;

    (void)pthread_mutex_lock(&lock);
    if (left == 0) {
        refused = true;
        note(name);
        if (!from_then_on)
            left = SIZE_MAX;
    } else if (left != SIZE_MAX) {
        left--;
    }
    (void)pthread_mutex_unlock(&lock);
    if (refused)
        ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    return refused;
}

#define CALL(name, value, type, parameters, arguments)                                             \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return refuse(#name) ? (value) : __real_##name arguments;                                  \
    }
#define CALL0(name, value, type)          CALL(name, value, type, (void), ())
#define CALL1(name, value, type, A)       CALL(name, value, type, (A a), (a))
#define CALL2(name, value, type, A, B)    CALL(name, value, type, (A a, B b), (a, b))
#define CALL3(name, value, type, A, B, C) CALL(name, value, type, (A a, B b, C c), (a, b, c))
#define CALL4(name, value, type, A, B, C, D)                                                       \
    CALL(name, value, type, (A a, B b, C c, D d), (a, b, c, d))
#define CALL5(name, value, type, A, B, C, D, E)                                                    \
    CALL(name, value, type, (A a, B b, C c, D d, E e), (a, b, c, d, e))
#define CALL6(name, value, type, A, B, C, D, E, F)                                                 \
    CALL(name, value, type, (A a, B b, C c, D d, E e, F f), (a, b, c, d, e, f))
#define CALL7(name, value, type, A, B, C, D, E, F, G)                                              \
    CALL(name, value, type, (A a, B b, C c, D d, E e, F f, G g), (a, b, c, d, e, f, g))

CALL2(ASN1_item_unpack, NULL, void *, const ASN1_STRING *, const ASN1_ITEM *)
CALL1(BIO_new, NULL, BIO *, const BIO_METHOD *)
CALL2(BIO_new_mem_buf, NULL, BIO *, const void *, int)
CALL1(BN_bn2hex, NULL, char *, const BIGNUM *)
CALL3(BN_bin2bn, NULL, BIGNUM *, const unsigned char *, int, BIGNUM *)
CALL2(BN_to_ASN1_INTEGER, NULL, ASN1_INTEGER *, const BIGNUM *, ASN1_INTEGER *)
CALL1(CMS_AuthEnvelopedData_create, NULL, CMS_ContentInfo *, const EVP_CIPHER *)
CALL1(CMS_RecipientInfo_get0_pkey_ctx, NULL, EVP_PKEY_CTX *, CMS_RecipientInfo *)
CALL1(CMS_RecipientInfo_kari_get0_reks, NULL, STACK_OF(CMS_RecipientEncryptedKey) *,
      CMS_RecipientInfo *)
CALL1(CMS_SignerInfo_get0_pkey_ctx, NULL, EVP_PKEY_CTX *, CMS_SignerInfo *)
CALL3(CMS_add1_recipient_cert, NULL, CMS_RecipientInfo *, CMS_ContentInfo *, X509 *, unsigned)
CALL5(CMS_add1_signer, NULL, CMS_SignerInfo *, CMS_ContentInfo *, X509 *, EVP_PKEY *,
      const EVP_MD *, unsigned)
CALL2(CMS_dataInit, NULL, BIO *, CMS_ContentInfo *, BIO *)
CALL1(CMS_get0_RecipientInfos, NULL, STACK_OF(CMS_RecipientInfo) *, CMS_ContentInfo *)
CALL5(CMS_sign, NULL, CMS_ContentInfo *, X509 *, EVP_PKEY *, STACK_OF(X509) *, BIO *, unsigned)
CALL0(EVP_CIPHER_CTX_new, NULL, EVP_CIPHER_CTX *)
CALL1(EVP_KDF_CTX_new, NULL, EVP_KDF_CTX *, EVP_KDF *)
CALL1(EVP_MAC_CTX_new, NULL, EVP_MAC_CTX *, EVP_MAC *)
CALL0(EVP_MD_CTX_new, NULL, EVP_MD_CTX *)
CALL1(EVP_PKCS82PKEY, NULL, EVP_PKEY *, const PKCS8_PRIV_KEY_INFO *)
CALL1(EVP_PKEY2PKCS8, NULL, PKCS8_PRIV_KEY_INFO *, const EVP_PKEY *)
CALL1(EVP_PKEY_CTX_get0_pkey, NULL, EVP_PKEY *, EVP_PKEY_CTX *)
CALL3(EVP_PKEY_CTX_new_from_name, NULL, EVP_PKEY_CTX *, OSSL_LIB_CTX *, const char *, const char *)
CALL3(EVP_PKEY_CTX_new_from_pkey, NULL, EVP_PKEY_CTX *, OSSL_LIB_CTX *, EVP_PKEY *, const char *)
CALL2(OBJ_txt2obj, NULL, ASN1_OBJECT *, const char *, int)
CALL4(PEM_read_bio_X509, NULL, X509 *, BIO *, X509 **, pem_password_cb *, void *)
CALL1(PKCS12_unpack_authsafes, NULL, STACK_OF(PKCS7) *, const PKCS12 *)
CALL1(PKCS12_unpack_p7data, NULL, STACK_OF(PKCS12_SAFEBAG) *, PKCS7 *)
CALL3(PKCS12_unpack_p7encdata, NULL, STACK_OF(PKCS12_SAFEBAG) *, PKCS7 *, const char *, int)
CALL7(PKCS5_pbe2_set_iv_ex, NULL, X509_ALGOR *, const EVP_CIPHER *, int, unsigned char *, int,
      unsigned char *, int, OSSL_LIB_CTX *)
CALL3(PKCS8_decrypt, NULL, PKCS8_PRIV_KEY_INFO *, const X509_SIG *, const char *, int)
CALL4(PKCS8_set0_pbe, NULL, X509_SIG *, const char *, int, PKCS8_PRIV_KEY_INFO *, X509_ALGOR *)
CALL4(X509V3_EXT_conf_nid, NULL, X509_EXTENSION *, LHASH_OF(CONF_VALUE) *, X509V3_CTX *, int,
      const char *)
CALL1(X509_get0_pubkey, NULL, EVP_PKEY *, const X509 *)
CALL2(X509_gmtime_adj, NULL, ASN1_TIME *, ASN1_TIME *, long)
CALL0(X509_new, NULL, X509 *)
CALL4(X509_time_adj_ex, NULL, ASN1_TIME *, ASN1_TIME *, int, long, time_t *)
CALL3(d2i_AutoPrivateKey, NULL, EVP_PKEY *, EVP_PKEY **, const unsigned char **, long)
CALL3(d2i_CMS_ContentInfo, NULL, CMS_ContentInfo *, CMS_ContentInfo **, const unsigned char **,
      long)
CALL3(d2i_PKCS12, NULL, PKCS12 *, PKCS12 **, const unsigned char **, long)
CALL4(d2i_PrivateKey, NULL, EVP_PKEY *, int, EVP_PKEY **, const unsigned char **, long)
CALL3(d2i_X509, NULL, X509 *, X509 **, const unsigned char **, long)
CALL3(d2i_X509_SIG, NULL, X509_SIG *, X509_SIG **, const unsigned char **, long)
CALL2(ASN1_INTEGER_get_uint64, 0, int, uint64_t *, const ASN1_INTEGER *)
CALL2(ASN1_TIME_to_tm, 0, int, const ASN1_TIME *, struct tm *)
CALL2(CMS_RecipientInfo_decrypt, 0, int, CMS_ContentInfo *, CMS_RecipientInfo *)
CALL3(CMS_RecipientInfo_kari_decrypt, 0, int, CMS_ContentInfo *, CMS_RecipientInfo *,
      CMS_RecipientEncryptedKey *)
CALL2(CMS_RecipientInfo_kari_set0_pkey, 0, int, CMS_RecipientInfo *, EVP_PKEY *)
CALL2(CMS_RecipientInfo_set0_pkey, 0, int, CMS_RecipientInfo *, EVP_PKEY *)
CALL2(CMS_dataFinal, 0, int, CMS_ContentInfo *, BIO *)
CALL4(CMS_final, 0, int, CMS_ContentInfo *, BIO *, BIO *, unsigned)
CALL2(CMS_set1_eContentType, 0, int, CMS_ContentInfo *, const ASN1_OBJECT *)
CALL2(CMS_set_detached, 0, int, CMS_ContentInfo *, int)
CALL4(EVP_CIPHER_CTX_ctrl, 0, int, EVP_CIPHER_CTX *, int, int, void *)
CALL3(EVP_CipherFinal_ex, 0, int, EVP_CIPHER_CTX *, unsigned char *, int *)
CALL6(EVP_CipherInit_ex2, 0, int, EVP_CIPHER_CTX *, const EVP_CIPHER *, const unsigned char *,
      const unsigned char *, int, const OSSL_PARAM *)
CALL5(EVP_CipherUpdate, 0, int, EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *,
      int)
CALL6(EVP_Digest, 0, int, const void *, size_t, unsigned char *, unsigned *, const EVP_MD *,
      ENGINE *)
CALL3(EVP_DigestFinal_ex, 0, int, EVP_MD_CTX *, unsigned char *, unsigned *)
CALL3(EVP_DigestInit_ex2, 0, int, EVP_MD_CTX *, const EVP_MD *, const OSSL_PARAM *)
CALL5(EVP_DigestSignInit, 0, int, EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *,
      EVP_PKEY *)
CALL3(EVP_DigestUpdate, 0, int, EVP_MD_CTX *, const void *, size_t)
CALL5(EVP_DigestVerifyInit, 0, int, EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *,
      EVP_PKEY *)
CALL4(EVP_KDF_derive, 0, int, EVP_KDF_CTX *, unsigned char *, size_t, const OSSL_PARAM *)
CALL4(EVP_MAC_final, 0, int, EVP_MAC_CTX *, unsigned char *, size_t *, size_t)
CALL4(EVP_MAC_init, 0, int, EVP_MAC_CTX *, const unsigned char *, size_t, const OSSL_PARAM *)
CALL3(EVP_MAC_update, 0, int, EVP_MAC_CTX *, const unsigned char *, size_t)
CALL2(EVP_PKEY_generate, 0, int, EVP_PKEY_CTX *, EVP_PKEY **)
CALL1(EVP_PKEY_get_base_id, 0, int, const EVP_PKEY *)
CALL1(EVP_PKEY_get_bits, 0, int, const EVP_PKEY *)
CALL3(EVP_PKEY_get_bn_param, 0, int, const EVP_PKEY *, const char *, BIGNUM **)
CALL4(EVP_PKEY_get_group_name, 0, int, const EVP_PKEY *, char *, size_t, size_t *)
CALL3(EVP_PKEY_get_int_param, 0, int, const EVP_PKEY *, const char *, int *)
CALL3(EVP_PKEY_set_utf8_string_param, 0, int, EVP_PKEY *, const char *, const char *)
CALL1(EVP_PKEY_up_ref, 0, int, EVP_PKEY *)
CALL1(OBJ_obj2nid, 0, int, const ASN1_OBJECT *)
CALL5(PEM_do_header, 0, int, EVP_CIPHER_INFO *, unsigned char *, long *, pem_password_cb *, void *)
CALL2(PEM_get_EVP_CIPHER_INFO, 0, int, char *, EVP_CIPHER_INFO *)
CALL5(PEM_read_bio, 0, int, BIO *, char **, char **, unsigned char **, long *)
CALL2(PEM_write_bio_PKCS8, 0, int, BIO *, const X509_SIG *)
CALL2(PEM_write_bio_PKCS8_PRIV_KEY_INFO, 0, int, BIO *, const PKCS8_PRIV_KEY_INFO *)
CALL2(PEM_write_bio_X509, 0, int, BIO *, const X509 *)
CALL5(PKCS12_parse, 0, int, PKCS12 *, const char *, EVP_PKEY **, X509 **, STACK_OF(X509) **)
CALL3(PKCS12_verify_mac, 0, int, PKCS12 *, const char *, int)
CALL4(RAND_bytes_ex, 0, int, OSSL_LIB_CTX *, unsigned char *, size_t, unsigned)
CALL4(RAND_priv_bytes_ex, 0, int, OSSL_LIB_CTX *, unsigned char *, size_t, unsigned)
CALL7(X509_NAME_add_entry_by_NID, 0, int, X509_NAME *, int, int, const unsigned char *, int, int,
      int)
CALL3(X509_add_ext, 0, int, X509 *, X509_EXTENSION *, int)
CALL2(X509_set_issuer_name, 0, int, X509 *, const X509_NAME *)
CALL2(X509_set_pubkey, 0, int, X509 *, EVP_PKEY *)
CALL2(X509_set_version, 0, int, X509 *, long)
CALL2(X509_sign_ctx, 0, int, X509 *, EVP_MD_CTX *)
CALL1(X509_up_ref, 0, int, X509 *)
CALL3(BIO_read, -1, int, BIO *, void *, int)
CALL3(BIO_write, -1, int, BIO *, const void *, int)
CALL2(CMS_RecipientEncryptedKey_cert_cmp, -1, int, CMS_RecipientEncryptedKey *, X509 *)
CALL2(CMS_RecipientInfo_ktri_cert_cmp, -1, int, CMS_RecipientInfo *, X509 *)
CALL5(EVP_DigestVerify, -1, int, EVP_MD_CTX *, const unsigned char *, size_t, const unsigned char *,
      size_t)
CALL2(EVP_PKEY_CTX_set_dsa_paramgen_bits, -1, int, EVP_PKEY_CTX *, int)
CALL2(EVP_PKEY_CTX_set_dsa_paramgen_q_bits, -1, int, EVP_PKEY_CTX *, int)
CALL2(EVP_PKEY_CTX_set_ecdh_kdf_md, -1, int, EVP_PKEY_CTX *, const EVP_MD *)
CALL2(EVP_PKEY_CTX_set_group_name, -1, int, EVP_PKEY_CTX *, const char *)
CALL2(EVP_PKEY_CTX_set_rsa_keygen_bits, -1, int, EVP_PKEY_CTX *, int)
CALL2(EVP_PKEY_CTX_set_rsa_mgf1_md, -1, int, EVP_PKEY_CTX *, const EVP_MD *)
CALL2(EVP_PKEY_CTX_set_rsa_oaep_md, -1, int, EVP_PKEY_CTX *, const EVP_MD *)
CALL2(EVP_PKEY_CTX_set_rsa_padding, -1, int, EVP_PKEY_CTX *, int)
CALL2(EVP_PKEY_CTX_set_rsa_pss_saltlen, -1, int, EVP_PKEY_CTX *, int)
CALL2(EVP_PKEY_eq, -1, int, const EVP_PKEY *, const EVP_PKEY *)
CALL1(EVP_PKEY_keygen_init, -1, int, EVP_PKEY_CTX *)
CALL1(EVP_PKEY_paramgen_init, -1, int, EVP_PKEY_CTX *)
CALL4(X509_NAME_print_ex, -1, int, BIO *, const X509_NAME *, int, unsigned long)
CALL2(X509_verify, -1, int, X509 *, EVP_PKEY *)
CALL2(i2d_CMS_ContentInfo, -1, int, const CMS_ContentInfo *, unsigned char **)
CALL2(i2d_PUBKEY, -1, int, const EVP_PKEY *, unsigned char **)
CALL2(i2d_X509, -1, int, const X509 *, unsigned char **)
