/* SPDX-License-Identifier: Apache-2.0 */

/* Signed statements: each of the rules SD-1 to SD-12 broken in turn. */

#include "crypto_signed_kit.h"

static void size_is_bounded(void **state)
{
    static const uint8_t large[COF_SIGNED_SIZE_MAX + 1];

    (void)state;
    assert_refused((cof_slice)COF_SLICE_INIT, COF_LIMIT, "SD-1");
    assert_refused((cof_slice){large, sizeof(large)}, COF_LIMIT, "SD-1");
}

static void only_der_is_read(void **state)
{
    cof_buf good = make(P256), bad = COF_BUF_INIT;
    cof_slice inner = kit_find(cof_buf_slice(&good), KIT_PATH(AT_TYPE));
    cof_slice last = kit_find(cof_buf_slice(&good), KIT_PATH(AT_ATTRS, 2));
    cof_buf rest = COF_BUF_INIT;

    (void)state;
    kit_put(&bad, cof_buf_slice(&good));
    kit_put(&bad, KIT_BYTES(0));
    assert_refused(cof_buf_slice(&bad), COF_FORMAT, "SD-2"); /* trailing byte */

    bad.len = 0; /* BER */
    kit_put(&bad, KIT_BYTES(0x30, 0x80));
    kit_put(&bad, (cof_slice){inner.data, good.len - (size_t)(inner.data - good.data)});
    kit_put(&bad, KIT_BYTES(0, 0));
    assert_refused(cof_buf_slice(&bad), COF_FORMAT, "SD-2");

    bad.len = 0; /* signed attributes in another order */
    kit_edit(&rest, cof_buf_slice(&good), KIT_PATH(AT_ATTRS, 2), KIT_DELETE,
             (cof_slice)COF_SLICE_INIT);
    kit_edit(&bad, cof_buf_slice(&rest), KIT_PATH(AT_ATTRS, 0), KIT_INSERT_BEFORE, last);
    assert_refused(cof_buf_slice(&bad), COF_FORMAT, "SD-2");
    cof_buf_free(&good);
    cof_buf_free(&bad);
    cof_buf_free(&rest);
}

static void frame_is_fixed(void **state)
{
    (void)state;
    assert_edit_refused(KIT_PATH(AT_TYPE), KIT_REPLACE,
                        KIT_BYTES(6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3), COF_FORMAT,
                        "SD-3");
    assert_edit_refused(KIT_PATH(AT_VERSION), KIT_REPLACE, KIT_BYTES(2, 1, 1), COF_FORMAT, "SD-3");
    assert_edit_refused(KIT_PATH(AT_SIGNERS), KIT_INSERT_BEFORE, KIT_BYTES(0xA0, 0), COF_FORMAT,
                        "SD-5");
    assert_edit_refused(KIT_PATH(AT_SIGNERS), KIT_INSERT_BEFORE, KIT_BYTES(0xA1, 0), COF_FORMAT,
                        "SD-5");
    assert_edit_refused(KIT_PATH(AT_SIGNERS), KIT_REPLACE, KIT_BYTES(0x31, 0), COF_FORMAT, "SD-6");
    assert_edit_refused(KIT_PATH(AT_ECONT, 1), KIT_DELETE, (cof_slice)COF_SLICE_INIT, COF_FORMAT,
                        "SD-4"); /* detached */
    assert_edit_refused(KIT_PATH(AT_SIGNER, 0), KIT_REPLACE, KIT_BYTES(2, 1, 1), COF_FORMAT,
                        "SD-8");
    assert_edit_refused(KIT_PATH(AT_SIGNER, 1), KIT_DELETE, (cof_slice)COF_SLICE_INIT, COF_FORMAT,
                        "SD-8");
}

/* A statement of one type never passes for another, whichever of the two places says so. */
static void types_are_kept_apart(void **state)
{
    cof_buf message = make(P256), oid = COF_BUF_INIT, bad = COF_BUF_INIT;
    cof_slice other;
    cof_signed *s = NULL;

    (void)state;
    assert_fails(cof_signed_parse(&s, cof_buf_slice(&message), OID_OTHER, 1, &kit_err), COF_FORMAT,
                 "SD-4");
    kit_put(&oid, kit_find(cof_buf_slice(&message), KIT_PATH(AT_ECONT, 0)));
    oid.data[oid.len - 1] = 2;
    other = cof_buf_slice(&oid);
    kit_edit(&bad, cof_buf_slice(&message), KIT_PATH(AT_ECONT, 0), KIT_REPLACE, other);
    assert_refused(cof_buf_slice(&bad), COF_FORMAT, "SD-4");
    assert_fails(cof_signed_parse(&s, cof_buf_slice(&bad), OID_OTHER, 1, &kit_err), COF_FORMAT,
                 "SD-9");
    cof_buf_free(&message);
    cof_buf_free(&oid);
    cof_buf_free(&bad);
}

static void certificates_inside_are_refused(void **state)
{
    struct otherwise how = {.md = EVP_sha256(), .unflags = CMS_NOCERTS};

    (void)state;
    assert_otherwise_refused(1u << P256, &how, COF_FORMAT, "SD-5");
}

static void digests_are_few(void **state)
{
    struct otherwise sha1 = {.md = EVP_sha1()}, md5 = {.md = EVP_md5()},
                     sha224 = {.md = EVP_sha224()};
    cof_slice sha384 = KIT_BYTES(0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2);

    (void)state;
    assert_otherwise_refused(1u << RSA_2048, &sha1, COF_UNSUPPORTED, "SD-7");
    assert_otherwise_refused(1u << RSA_2048, &md5, COF_UNSUPPORTED, "SD-7");
    assert_otherwise_refused(1u << P256, &sha224, COF_UNSUPPORTED, "SD-7");
    assert_edit_refused(KIT_PATH(AT_DIGESTS, 0), KIT_REPLACE, sha384, COF_UNSUPPORTED, "SD-7");
    assert_edit_refused(KIT_PATH(AT_DIGESTS), KIT_REPLACE, KIT_BYTES(0x31, 0), COF_UNSUPPORTED,
                        "SD-7");
}

static void signed_attributes_are_needed(void **state)
{
    struct otherwise none = {.md = EVP_sha256(), .flags = CMS_NOATTR};
    struct otherwise caps = {.md = EVP_sha256(), .unflags = CMS_NOSMIMECAP};
    cof_buf good = make(P256);
    cof_slice digest = kit_find(cof_buf_slice(&good), KIT_PATH(AT_ATTRS, 2));
    cof_slice type = kit_find(cof_buf_slice(&good), KIT_PATH(AT_ATTRS, 1));
    cof_slice value = kit_find(cof_buf_slice(&good), KIT_PATH(AT_ATTRS, 2, 1, 0));

    (void)state;
    assert_otherwise_refused(1u << P256, &none, COF_FORMAT, "SD-9");
    assert_otherwise_refused(1u << P256, &caps, COF_FORMAT, "SD-9");
    for (int i = 1; i <= 2; i++) /* contentType, messageDigest */
        assert_edit_refused(KIT_PATH(AT_ATTRS, i), KIT_DELETE, (cof_slice)COF_SLICE_INIT,
                            COF_FORMAT, "SD-9");
    assert_edit_refused(KIT_PATH(AT_ATTRS, 1), KIT_INSERT_BEFORE, type, COF_FORMAT, "SD-9");
    assert_edit_refused(KIT_PATH(AT_ATTRS, 2), KIT_INSERT_BEFORE, digest, COF_FORMAT, "SD-9");
    assert_edit_refused(KIT_PATH(AT_ATTRS, 2, 1, 0), KIT_INSERT_BEFORE, value, COF_FORMAT, "SD-9");
    cof_buf_free(&good);
}

/* What was signed with an algorithm that is not accepted is parsed, and counts for nothing. */
static void assert_uncounted(cof_slice message)
{
    cof_signed *s = NULL;
    bool valid[KINDS];
    size_t n = SIZE_MAX;

    assert_ok(cof_signed_parse(&s, message, OID, 4, &kit_err));
    assert_fails(cof_signed_verify(s, certs, KINDS, valid, &n, &kit_err), COF_UNSUPPORTED, "SD-10");
    for (size_t i = 0; i < KINDS; i++)
        assert_false(valid[i]);
    assert_int_equal(n, 0);
    cof_signed_free(s);
}

static void other_paddings_do_not_count(void **state)
{
    struct otherwise salt20 = {.md = EVP_sha256(), .salt = 20};
    struct otherwise mgf1 = {.md = EVP_sha256(), .salt = 32, .mgf1 = EVP_sha1()};
    struct otherwise pss = {.md = EVP_sha256(), .salt = 32};
    cof_buf short_salt = make_otherwise(1u << RSA_2048, &salt20);
    cof_buf weak_mask = make_otherwise(1u << RSA_2048, &mgf1);
    cof_buf good = make_otherwise(1u << RSA_2048, &pss); /* by an ordinary RSA key: welcome */

    (void)state;
    assert_uncounted(cof_buf_slice(&short_salt));
    assert_uncounted(cof_buf_slice(&weak_mask));
    assert_signed_by(cof_buf_slice(&good), 1u << RSA_2048, 1);
    cof_buf_free(&short_salt);
    cof_buf_free(&weak_mask);
    cof_buf_free(&good);
}

/* Put another algorithm into the first signer of a message. */
static cof_buf with_algorithm(cof_slice message, cof_slice algorithm)
{
    cof_buf out = COF_BUF_INIT;

    kit_edit(&out, message, KIT_PATH(AT_SIGNER, 4), KIT_REPLACE, algorithm);
    return out;
}

static void other_algorithms_do_not_count(void **state)
{
    cof_slice sha1_rsa =
        KIT_BYTES(0x30, 13, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 5, 5, 0);
    cof_slice ecdsa384 = KIT_BYTES(0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3);
    cof_slice ml_dsa = KIT_BYTES(0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18);
    cof_buf rsa = make(RSA_2048), ec = make(P256);
    cof_buf bad[3] = {with_algorithm(cof_buf_slice(&rsa), sha1_rsa),
                      with_algorithm(cof_buf_slice(&ec), ecdsa384),
                      with_algorithm(cof_buf_slice(&ec), ml_dsa)};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_uncounted(cof_buf_slice(&bad[i]));
        cof_buf_free(&bad[i]);
    }
    assert_edit_refused(KIT_PATH(AT_SIGNER, 4), KIT_REPLACE, KIT_BYTES(5, 0), COF_FORMAT, "SD-8");
    assert_edit_refused(KIT_PATH(AT_SIGNER, 5), KIT_REPLACE, KIT_BYTES(4, 0), COF_FORMAT, "SD-8");
    cof_buf_free(&rsa);
    cof_buf_free(&ec);
}

/* A signer of a kind to come does not take the other one's signature away. */
static void unknown_signer_beside_a_known_one(void **state)
{
    cof_slice ml_dsa = KIT_BYTES(0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18);
    struct otherwise how = {.md = EVP_sha256()};
    cof_buf two = make_otherwise(1u << P256 | 1u << RSA_2048, &how);
    cof_buf mixed = with_algorithm(cof_buf_slice(&two), ml_dsa); /* the shorter one: ECDSA */

    (void)state;
    if (cof_der_strict(cof_buf_slice(&mixed)))
        assert_signed_by(cof_buf_slice(&mixed), 1u << RSA_2048, 1);
    else
        fail_msg("the signers are no longer sorted");
    cof_buf_free(&two);
    cof_buf_free(&mixed);
}

/* Signers that used different digests, which libcrypto makes gladly. */
static void one_digest_for_all(void **state)
{
    cof_slice sha384 = KIT_BYTES(0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2);
    cof_buf out = COF_BUF_INIT, one = make(P256), two = COF_BUF_INIT, both = COF_BUF_INIT;
    cof_slice sha256, signer;

    (void)state;
    assert_ok(cof_signed_make(&two, OID, text, keys[RSA_2048], certs[RSA_2048], COF_DIGEST_SHA384,
                              &kit_err));
    sha256 = kit_find(cof_buf_slice(&one), KIT_PATH(AT_DIGESTS, 0));
    signer = kit_find(cof_buf_slice(&one), KIT_PATH(AT_SIGNERS, 0));
    kit_edit(&out, cof_buf_slice(&two), KIT_PATH(AT_SIGNERS, 0), KIT_INSERT_BEFORE, signer);
    kit_edit(&both, cof_buf_slice(&out), KIT_PATH(AT_DIGESTS, 0), KIT_INSERT_BEFORE, sha256);
    assert_true(cof_slice_equal(kit_find(cof_buf_slice(&both), KIT_PATH(AT_DIGESTS, 1)), sha384));
    assert_refused(cof_buf_slice(&both), COF_FORMAT, "SD-7");
    cof_buf_free(&out);
    cof_buf_free(&one);
    cof_buf_free(&two);
    cof_buf_free(&both);
}

/* The algorithm as other writers name it: sha256WithRSAEncryption. */
static void rsa_may_name_its_digest(void **state)
{
    cof_slice sha256_rsa =
        KIT_BYTES(0x30, 13, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11, 5, 0);
    cof_buf message = make(RSA_2048), renamed = COF_BUF_INIT;

    (void)state;
    kit_edit(&renamed, cof_buf_slice(&message), KIT_PATH(AT_SIGNER, 4), KIT_REPLACE, sha256_rsa);
    assert_signed_by(cof_buf_slice(&renamed), 1u << RSA_2048, 1);
    cof_buf_free(&message);
    cof_buf_free(&renamed);
}

/* Append an unsigned attribute of this type (the last number of its OID) to the only signer. */
static cof_buf with_unsigned(cof_slice message, uint8_t type, unsigned times)
{
    uint8_t one[] = {0x30, 0x11, 6,  11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D,
                     1,    9,    16, 2,  type, 0x31, 2,    0x30, 0};
    cof_slice signature = kit_find(message, KIT_PATH(AT_SIGNER, 5));
    cof_buf attributes = COF_BUF_INIT, replacement = COF_BUF_INIT, out = COF_BUF_INIT;

    for (unsigned i = 0; i < times; i++)
        kit_put(&attributes, (cof_slice){one, sizeof(one)});
    kit_put(&replacement, signature);
    kit_put_element(&replacement, 0xA1, cof_buf_slice(&attributes));
    kit_edit(&out, message, KIT_PATH(AT_SIGNER, 5), KIT_REPLACE, cof_buf_slice(&replacement));
    cof_buf_free(&attributes);
    cof_buf_free(&replacement);
    return out;
}

static void only_a_time_stamp_comes_later(void **state)
{
    cof_buf good = make(P256), stamped = with_unsigned(cof_buf_slice(&good), 14, 1);
    cof_buf twice = with_unsigned(cof_buf_slice(&good), 14, 2);
    cof_buf other = with_unsigned(cof_buf_slice(&good), 15, 1);
    cof_buf empty = with_unsigned(cof_buf_slice(&good), 14, 0);

    (void)state;
    assert_signed_by(cof_buf_slice(&stamped), 1u << P256, 1);
    assert_refused(cof_buf_slice(&twice), COF_UNSUPPORTED, "SD-11");
    assert_refused(cof_buf_slice(&other), COF_UNSUPPORTED, "SD-11");
    assert_refused(cof_buf_slice(&empty), COF_UNSUPPORTED, "SD-11");
    cof_buf_free(&good);
    cof_buf_free(&stamped);
    cof_buf_free(&twice);
    cof_buf_free(&other);
    cof_buf_free(&empty);
}

/* SD-12, and what remains when the signed digest is made to fit the changed content. */
static void changed_content_is_seen(void **state)
{
    cof_buf message = make(P256);
    cof_slice content = kit_find(cof_buf_slice(&message), KIT_PATH(AT_ECONT, 1, 0));
    cof_slice digest = kit_find(cof_buf_slice(&message), KIT_PATH(AT_ATTRS, 2, 1, 0));
    uint8_t *byte = message.data + (content.data - message.data) + 3;
    uint8_t *md = message.data + (digest.data - message.data) + 2;
    cof_signed *s = NULL;
    bool valid[KINDS];

    (void)state;
    *byte = 'b';
    assert_refused(cof_buf_slice(&message), COF_AUTH, "SD-12");
    assert_int_equal(EVP_Digest(content.data + 2, content.len - 2, md, NULL, EVP_sha256(), NULL),
                     1);
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&message), OID, 1, &kit_err));
    assert_fails(cof_signed_verify(s, certs, KINDS, valid, NULL, &kit_err), COF_AUTH, "");
    cof_signed_free(s);
    cof_buf_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(only_der_is_read),
        cmocka_unit_test(frame_is_fixed),
        cmocka_unit_test(types_are_kept_apart),
        cmocka_unit_test(certificates_inside_are_refused),
        cmocka_unit_test(digests_are_few),
        cmocka_unit_test(signed_attributes_are_needed),
        cmocka_unit_test(other_paddings_do_not_count),
        cmocka_unit_test(other_algorithms_do_not_count),
        cmocka_unit_test(unknown_signer_beside_a_known_one),
        cmocka_unit_test(one_digest_for_all),
        cmocka_unit_test(rsa_may_name_its_digest),
        cmocka_unit_test(only_a_time_stamp_comes_later),
        cmocka_unit_test(changed_content_is_seen),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
