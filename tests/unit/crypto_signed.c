/* SPDX-License-Identifier: Apache-2.0 */

/* Signed statements: who is found to have signed, and what damage does to them. */

#include "crypto_signed_kit.h"

#include <stdlib.h>

static void every_kind_of_key_signs(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        for (int digest = COF_DIGEST_SHA256; digest <= COF_DIGEST_SHA512; digest++) {
            cof_buf out = COF_BUF_INIT;

            if (i == DSA_2048 && digest != COF_DIGEST_SHA256) {
                assert_fails(cof_signed_make(&out, OID, text, keys[i], certs[i], (cof_digest)digest,
                                             &kit_err),
                             COF_UNSUPPORTED, "");
                continue;
            }
            assert_ok(
                cof_signed_make(&out, OID, text, keys[i], certs[i], (cof_digest)digest, &kit_err));
            assert_signed_by(cof_buf_slice(&out), 1u << i, 1);
            cof_buf_free(&out);
        }
    }
}

static void signer_names_himself(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        cof_buf message = make(i), id = COF_BUF_INIT;
        cof_signed *s = NULL;

        assert_ok(cof_signed_parse(&s, cof_buf_slice(&message), OID, 1, &kit_err));
        assert_int_equal(cof_signed_signer_count(s), 1);
        assert_ok(cof_cert_key_id(certs[i], &id, &kit_err));
        assert_true(cof_slice_equal(cof_signed_signer_id(s, 0), cof_buf_slice(&id)));
        assert_int_equal(cof_signed_signer_id(s, 1).len, 0);
        cof_signed_free(s);
        cof_buf_free(&message);
        cof_buf_free(&id);
    }
}

static void empty_content_can_be_signed(void **state)
{
    cof_buf out = COF_BUF_INIT;
    cof_signed *s = NULL;

    (void)state;
    assert_ok(cof_signed_make(&out, OID, (cof_slice)COF_SLICE_INIT, keys[P256], certs[P256],
                              COF_DIGEST_SHA256, &kit_err));
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&out), OID, 1, &kit_err));
    assert_int_equal(cof_signed_content(s).len, 0);
    cof_signed_free(s);
    cof_buf_free(&out);
}

static void stock_reader_verifies_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        cof_buf message = make(i);
        const unsigned char *p = message.data;
        CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)message.len);
        STACK_OF(X509) *trusted = sk_X509_new_null();
        BIO *bio = BIO_new(BIO_s_mem());
        char *bytes = NULL;

        assert_true(sk_X509_push(trusted, cof_cert_x509(certs[i])) > 0);
        assert_int_equal(
            CMS_verify(cms, trusted, NULL, NULL, bio, CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY), 1);
        assert_int_equal(BIO_get_mem_data(bio, &bytes), (int)text.len);
        assert_memory_equal(bytes, text.data, text.len);
        sk_X509_free(trusted);
        BIO_free(bio);
        CMS_ContentInfo_free(cms);
        cof_buf_free(&message);
    }
}

static void make_refuses_bad_arguments(void **state)
{
    static const uint8_t large[COF_SIGNED_SIZE_MAX];
    cof_buf out = COF_BUF_INIT;

    (void)state;
    assert_fails(
        cof_signed_make(&out, OID, text, keys[P256], certs[P384], COF_DIGEST_SHA256, &kit_err),
        COF_CERT, "");
    assert_fails(
        cof_signed_make(&out, "no oid", text, keys[P256], certs[P256], COF_DIGEST_SHA256, &kit_err),
        COF_USAGE, "");
    assert_fails(cof_signed_make(&out, OID, text, keys[P256], certs[P256], (cof_digest)9, &kit_err),
                 COF_USAGE, "");
    assert_fails(cof_signed_make(&out, OID, (cof_slice){large, sizeof(large)}, keys[P256],
                                 certs[P256], COF_DIGEST_SHA256, &kit_err),
                 COF_LIMIT, "SD-1");
    assert_int_equal(out.len, 0);
}

static void stranger_is_not_accepted(void **state)
{
    cof_buf message = make(P256);
    cof_signed *s = NULL;
    bool valid[2] = {true, true};
    size_t n = 7;

    (void)state;
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&message), OID, 1, &kit_err));
    assert_fails(cof_signed_verify(s, &certs[P384], 2, valid, &n, &kit_err), COF_AUTH, "");
    assert_false(valid[0] || valid[1]);
    assert_int_equal(n, 0);
    assert_fails(cof_signed_verify(s, NULL, 0, NULL, NULL, &kit_err), COF_AUTH, "");
    cof_signed_free(s);
    cof_buf_free(&message);
}

/* The name is a hint: with somebody else's name on it the signature is still its maker's. */
static void names_are_hints(void **state)
{
    cof_buf message = make(P256), renamed = COF_BUF_INIT;

    (void)state;
    kit_edit(&renamed, cof_buf_slice(&message), KIT_PATH(AT_SIGNER, 1), KIT_REPLACE,
             cof_cert_id(certs[P384]));
    assert_signed_by(cof_buf_slice(&renamed), 1u << P256, 1);
    cof_buf_free(&message);
    cof_buf_free(&renamed);
}

/* Two trusted certificates with one identifier: the wrong one first hinders nothing. */
static void shared_identifier_is_no_obstacle(void **state)
{
    static const struct kit_cert how = {"01020304", NULL, -60, 86400};
    cof_cert *twins[2] = {kit_cert(keys[P384], "a", &how), kit_cert(keys[P256], "b", &how)};
    cof_buf out = COF_BUF_INIT;
    cof_signed *s = NULL;
    bool valid[2];

    (void)state;
    assert_ok(cof_signed_make(&out, OID, text, keys[P256], twins[1], COF_DIGEST_SHA256, &kit_err));
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&out), OID, 1, &kit_err));
    assert_ok(cof_signed_verify(s, twins, 2, valid, NULL, &kit_err));
    assert_true(!valid[0] && valid[1]);
    cof_signed_free(s);
    cof_buf_free(&out);
    cof_cert_free(twins[0]);
    cof_cert_free(twins[1]);
}

static void several_signers(void **state)
{
    static const struct otherwise plain = {.md = NULL};
    struct otherwise how = plain;
    unsigned who = 1u << RSA_2048 | 1u << P256 | 1u << DSA_2048;
    cof_signed *s = NULL;
    cof_buf message;

    (void)state;
    how.md = EVP_sha256();
    message = make_otherwise(who, &how);
    assert_signed_by(cof_buf_slice(&message), who, 3);
    assert_fails(cof_signed_parse(&s, cof_buf_slice(&message), OID, 2, &kit_err), COF_FORMAT,
                 "SD-6");
    cof_buf_free(&message);
}

/* One key under two certificates is found twice, and counted once. */
static void one_key_counts_once(void **state)
{
    cof_cert *both[2] = {certs[P256], kit_nameless(keys[P256], "again")};
    cof_buf message = make(P256);
    cof_signed *s = NULL;
    bool valid[2];
    size_t n;

    (void)state;
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&message), OID, 1, &kit_err));
    assert_ok(cof_signed_verify(s, both, 2, valid, &n, &kit_err));
    assert_true(valid[0] && valid[1]);
    assert_int_equal(n, 1);
    cof_signed_free(s);
    cof_buf_free(&message);
    cof_cert_free(both[1]);
}

/* A good signature by a key that is too weak counts for nothing. */
static void weak_key_never_counts(void **state)
{
    static const struct kit_cert kind = {"hash", NULL, -60, 86400};
    EVP_PKEY *pkey = EVP_RSA_gen(1024);
    cof_key *key = NULL;
    cof_cert *cert;
    cof_buf out = COF_BUF_INIT;
    struct otherwise how = {.md = EVP_sha256()};
    cof_key *kept_key = keys[RSA_2048];
    cof_cert *kept_cert = certs[RSA_2048];

    (void)state;
    assert_ok(cof_key_wrap(&key, pkey, &kit_err));
    cert = kit_cert(key, "weak", &kind);
    assert_fails(cof_signed_make(&out, OID, text, key, cert, COF_DIGEST_SHA256, &kit_err), COF_CERT,
                 "");
    keys[RSA_2048] = key;
    certs[RSA_2048] = cert;
    out = make_otherwise(1u << RSA_2048, &how);
    assert_signed_by(cof_buf_slice(&out), 0, 0);
    keys[RSA_2048] = kept_key;
    certs[RSA_2048] = kept_cert;
    cof_buf_free(&out);
    cof_cert_free(cert);
    cof_key_free(key);
}

/* Whatever is damaged: no other content is ever accepted, and nothing crashes. */
static void try_damaged(cof_slice message)
{
    cof_signed *s = NULL;
    bool valid[KINDS];
    cof_status st = cof_signed_parse(&s, message, OID, 2, &kit_err);

    assert_int_equal(st == COF_OK, s != NULL);
    if (st != COF_OK)
        return;
    st = cof_signed_verify(s, certs, KINDS, valid, NULL, &kit_err);
    assert_true(st == COF_OK || st == COF_AUTH || st == COF_UNSUPPORTED);
    if (st == COF_OK)
        assert_true(cof_slice_equal(cof_signed_content(s), text));
    cof_signed_free(s);
}

static void every_bit_flipped(void **state)
{
    struct otherwise how = {.md = EVP_sha256()};
    cof_buf message = make_otherwise(1u << RSA_2048 | 1u << P256, &how);

    (void)state;
    for (size_t i = 0; i < message.len * 8; i += flip_step()) {
        message.data[i / 8] ^= (uint8_t)(1u << i % 8);
        try_damaged(cof_buf_slice(&message));
        message.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_signed_by(cof_buf_slice(&message), 1u << RSA_2048 | 1u << P256, 2);
    cof_buf_free(&message);
}

static void every_length_cut(void **state)
{
    cof_buf message = make(PSS);

    (void)state;
    for (size_t len = 0; len < message.len; len++) {
        uint8_t *copy = malloc(len + 1); /* so that a read beyond the end is seen */

        assert_non_null(copy);
        memcpy(copy, message.data, len);
        assert_refused((cof_slice){copy, len}, len == 0 ? COF_LIMIT : COF_FORMAT, NULL);
        free(copy);
    }
    cof_buf_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_key_signs),
        cmocka_unit_test(signer_names_himself),
        cmocka_unit_test(empty_content_can_be_signed),
        cmocka_unit_test(stock_reader_verifies_it),
        cmocka_unit_test(make_refuses_bad_arguments),
        cmocka_unit_test(stranger_is_not_accepted),
        cmocka_unit_test(names_are_hints),
        cmocka_unit_test(shared_identifier_is_no_obstacle),
        cmocka_unit_test(several_signers),
        cmocka_unit_test(one_key_counts_once),
        cmocka_unit_test(weak_key_never_counts),
        cmocka_unit_test(every_bit_flipped),
        cmocka_unit_test(every_length_cut),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
