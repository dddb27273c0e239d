/* SPDX-License-Identifier: Apache-2.0 */

/* Certificates: found in files, looked at, refused for new use. */

#include "crypto_kit.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/digest.h"

static cof_key *rsa, *ec;
static cof_cert *cert, *other;
static uint64_t began; /* the time before the certificates were made */

static uint64_t now(void)
{
    return (uint64_t)time(NULL);
}

static int set_up(void **state)
{
    (void)state;
    began = now();
    rsa = kit_key("rsa-2048");
    ec = kit_key("p256");
    cert = kit_self_sign(rsa, "ops", COF_CERT_FOR_RECIPIENT);
    other = kit_self_sign(ec, "other", COF_CERT_FOR_SIGNER);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cof_key_free(rsa);
    cof_key_free(ec);
    cof_cert_free(cert);
    cof_cert_free(other);
    return 0;
}

static cof_buf pem_of(const cof_cert *c)
{
    cof_buf out = COF_BUF_INIT;

    assert_ok(cof_cert_to_pem(c, &out, &kit_err));
    return out;
}

static void assert_same(const cof_cert *a, const cof_cert *b)
{
    assert_true(cof_slice_equal(cof_cert_der(a), cof_cert_der(b)));
    assert_memory_equal(cof_cert_sha256(a), cof_cert_sha256(b), 32);
}

/* This certificate, and no other, is in the file. */
static void assert_only(cof_slice file)
{
    cof_cert_list list = COF_CERT_LIST_INIT;

    assert_ok(cof_cert_parse_all(&list, file, NULL, "x", &kit_err));
    assert_int_equal(list.count, 1);
    assert_same(list.certs[0], cert);
    cof_cert_list_wipe(&list);
}

static void parses_pem_and_der(void **state)
{
    cof_buf pem = pem_of(cert);
    cof_cert *got = NULL;

    (void)state;
    assert_only(cof_buf_slice(&pem));
    assert_only(cof_cert_der(cert));
    assert_ok(cof_cert_parse_der(&got, cof_cert_der(cert), "x.der", &kit_err));
    assert_same(got, cert);
    cof_cert_free(got);
    cof_buf_free(&pem);
}

/* A key before it, protected or not, is skipped; nobody is asked for its passphrase. */
static void parses_key_and_certificate(void **state)
{
    cof_buf file = COF_BUF_INIT, pem = pem_of(cert);
    cof_secret *passphrase = NULL, *key_pem = NULL;

    (void)state;
    assert_ok(cof_secret_new(&passphrase, 4, &kit_err));
    memcpy(cof_secret_bytes(passphrase), "word", 4);
    assert_ok(cof_key_to_pem(&key_pem, rsa, passphrase, &kit_err));
    kit_put(&file, (cof_slice){cof_secret_bytes(key_pem), cof_secret_len(key_pem)});
    kit_put(&file, cof_buf_slice(&pem));
    assert_only(cof_buf_slice(&file));
    cof_secret_free(passphrase);
    cof_secret_free(key_pem);
    cof_buf_free(&file);
    cof_buf_free(&pem);
}

static void parses_bundles(void **state)
{
    cof_cert_list list = COF_CERT_LIST_INIT;
    cof_buf file = pem_of(cert), second = pem_of(other);

    (void)state;
    kit_put(&file, KIT_BYTES('\n', '#', ' ', 'x', '\n'));
    kit_put(&file, cof_buf_slice(&second));
    assert_ok(cof_cert_parse_all(&list, cof_buf_slice(&file), NULL, "bundle", &kit_err));
    assert_ok(cof_cert_parse_all(&list, cof_cert_der(cert), NULL, "one", &kit_err));
    assert_int_equal(list.count, 3);
    assert_same(list.certs[0], cert);
    assert_same(list.certs[1], other);
    assert_same(list.certs[2], cert);

    file.data[file.len - 60] = '!'; /* the second one is damaged: none is added */
    assert_fails(cof_cert_parse_all(&list, cof_buf_slice(&file), NULL, "bundle", &kit_err),
                 COF_CERT, "");
    assert_int_equal(list.count, 3);
    cof_cert_list_wipe(&list);
    cof_buf_free(&file);
    cof_buf_free(&second);
}

static int asked;

static cof_status answer(void *ctx, const char *what, cof_secret **out, cof_error *err)
{
    const char *text = ctx;
    cof_status st;

    asked++;
    assert_string_equal(what, "x.p12");
    if ((st = cof_secret_new(out, strlen(text), err)) == COF_OK)
        memcpy(cof_secret_bytes(*out), text, strlen(text));
    return st;
}

static cof_buf pkcs12_of(const char *passphrase)
{
    STACK_OF(X509) *more = sk_X509_new_null();
    PKCS12 *p12;
    unsigned char *der = NULL;
    cof_buf out = COF_BUF_INIT;
    int len;

    assert_true(sk_X509_push(more, cof_cert_x509(other)) > 0);
    p12 = PKCS12_create(passphrase, "me", cof_key_pkey(rsa), cof_cert_x509(cert), more, 0, 0, 2048,
                        2048, 0);
    assert_non_null(p12);
    len = i2d_PKCS12(p12, &der);
    assert_true(len > 0);
    kit_put(&out, (cof_slice){der, (size_t)len});
    OPENSSL_free(der);
    PKCS12_free(p12);
    sk_X509_free(more);
    return out;
}

static void parses_pkcs12(void **state)
{
    char right[] = "right", wrong[] = "wrong";
    cof_passphrase ask = {answer, right};
    cof_buf file = pkcs12_of("right"), empty = pkcs12_of("");
    cof_cert_list list = COF_CERT_LIST_INIT;

    (void)state;
    asked = 0;
    assert_ok(cof_cert_parse_all(&list, cof_buf_slice(&file), &ask, "x.p12", &kit_err));
    assert_int_equal(asked, 1);
    assert_int_equal(list.count, 2);
    assert_same(list.certs[0], cert);
    assert_same(list.certs[1], other);
    ask.ctx = wrong;
    assert_fails(cof_cert_parse_all(&list, cof_buf_slice(&file), &ask, "x.p12", &kit_err), COF_CERT,
                 "");
    assert_string_equal(kit_err.message, "the passphrase for x.p12 is wrong");
    assert_fails(cof_cert_parse_all(&list, cof_buf_slice(&file), NULL, "x.p12", &kit_err), COF_CERT,
                 "");
    assert_int_equal(asked, 2);
    assert_ok(cof_cert_parse_all(&list, cof_buf_slice(&empty), NULL, "x.p12", &kit_err));
    assert_int_equal(list.count, 4);
    cof_cert_list_wipe(&list);
    cof_buf_free(&file);
    cof_buf_free(&empty);
}

static void refuses_what_is_none(void **state)
{
    static const uint8_t large[COF_CERT_FILE_MAX + 1];
    cof_slice text = {(const uint8_t *)"hello", 5};
    cof_cert_list list = COF_CERT_LIST_INIT;
    cof_buf der = COF_BUF_INIT;
    cof_cert *got = NULL;

    (void)state;
    assert_fails(cof_cert_parse_all(&list, text, NULL, "x.pem", &kit_err), COF_CERT, "");
    assert_string_equal(kit_err.message, "x.pem holds no certificate");
    assert_fails(cof_cert_parse_all(&list, (cof_slice)COF_SLICE_INIT, NULL, "x", &kit_err),
                 COF_CERT, "");
    assert_fails(cof_cert_parse_all(&list, (cof_slice){large, sizeof(large)}, NULL, "x", &kit_err),
                 COF_LIMIT, "");
    assert_fails(cof_cert_parse_der(&got, (cof_slice){large, sizeof(large)}, "x", &kit_err),
                 COF_LIMIT, "");
    kit_put(&der, cof_cert_der(cert));
    kit_put(&der, KIT_BYTES(0));
    assert_fails(cof_cert_parse_der(&got, cof_buf_slice(&der), "x", &kit_err), COF_CERT, "");
    assert_fails(cof_cert_parse_all(&list, cof_buf_slice(&der), NULL, "x", &kit_err), COF_CERT, "");
    assert_null(got);
    assert_int_equal(list.count, 0);
    cof_buf_free(&der);
}

/* Every flipped bit gives a certificate of exactly those bytes, or none. */
static void damaged_certificates(void **state)
{
    cof_slice whole = cof_cert_der(other);
    uint8_t *copy = malloc(whole.len);

    (void)state;
    assert_non_null(copy);
    memcpy(copy, whole.data, whole.len);
    for (size_t i = 0; i < whole.len * 8; i += flip_step()) {
        cof_cert *got = NULL;
        cof_buf id = COF_BUF_INIT;
        char subject[COF_CERT_SUBJECT_MAX];

        copy[i / 8] ^= (uint8_t)(1u << i % 8);
        if (cof_cert_parse_der(&got, (cof_slice){copy, whole.len}, "x", &kit_err) == COF_OK) {
            assert_true(cof_slice_equal(cof_cert_der(got), (cof_slice){copy, whole.len}));
            (void)cof_cert_subject(got, subject, sizeof(subject));
            assert_ok(cof_cert_key_id(got, &id, &kit_err));
            if (cof_cert_check_signer(got, now(), NULL, &kit_err) != COF_OK)
                assert_int_equal(kit_err.status, COF_CERT);
        } else {
            assert_true(kit_err.status == COF_CERT || kit_err.status == COF_LIMIT);
        }
        assert_int_equal(ERR_peek_error(), 0);
        cof_buf_free(&id);
        cof_cert_free(got);
        copy[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t len = 0; len < whole.len; len++) {
        cof_cert *got = NULL;
        assert_fails(cof_cert_parse_der(&got, (cof_slice){copy, len}, "x", &kit_err), COF_CERT, "");
    }
    free(copy);
}

static void shows_what_is_in_it(void **state)
{
    char subject[COF_CERT_SUBJECT_MAX];
    uint8_t spki[32];
    cof_buf id = COF_BUF_INIT;
    cof_cert *reference = cof_cert_ref(cert);

    (void)state;
    assert_string_equal(cof_cert_subject(cert, subject, sizeof(subject)), "CN=ops");
    assert_string_equal(cof_cert_key_text(cert), "RSA-2048");
    assert_string_equal(cof_cert_key_text(other), "EC-P-256");
    assert_true(cof_cert_not_before(cert) <= now() && cof_cert_not_before(cert) + 400 > began);
    assert_true(cof_cert_not_after(cert) > now() + 29 * 86400);
    assert_int_equal(cof_cert_ski(cert).len, 20);
    assert_ok(cof_cert_key_id(cert, &id, &kit_err));
    assert_int_equal(id.len, 22);
    assert_ok(cof_sha256(spki, cof_cert_der(cert).data, cof_cert_der(cert).len, &kit_err));
    assert_memory_equal(spki, cof_cert_sha256(cert), 32);
    assert_ok(cof_key_spki_sha256(rsa, spki, &kit_err));
    assert_memory_equal(spki, cof_cert_spki_sha256(cert), 32);
    assert_true(cof_cert_same_key(cert, reference));
    assert_false(cof_cert_same_key(cert, other));
    cof_cert_free(reference);
    cof_cert_free(NULL);
    cof_buf_free(&id);
}

static void subjects_are_cut_between_characters(void **state)
{
    cof_cert *umlaut = kit_nameless(ec, "\xC3\xA4\xC3\xB6\xC3\xBC");
    cof_cert *control = kit_nameless(ec, "a\x1B[31m,b");
    char subject[COF_CERT_SUBJECT_MAX];

    (void)state;
    assert_string_equal(cof_cert_subject(umlaut, subject, sizeof(subject)),
                        "CN=\xC3\xA4\xC3\xB6\xC3\xBC");
    assert_string_equal(cof_cert_subject(umlaut, subject, 9), "CN=\xC3\xA4\xC3\xB6");
    assert_string_equal(cof_cert_subject(umlaut, subject, 8), "CN=\xC3\xA4\xC3\xB6");
    assert_string_equal(cof_cert_subject(umlaut, subject, 7), "CN=\xC3\xA4");
    assert_string_equal(cof_cert_subject(umlaut, subject, 1), "");
    assert_string_equal(cof_cert_subject(control, subject, sizeof(subject)), "CN=a\\1B[31m\\,b");
    cof_cert_free(umlaut);
    cof_cert_free(control);
}

/* Issuers of every length class, against the library's own encoding. */
static void identifiers_by_issuer(void **state)
{
    static const int lengths[] = {1, 20, 60, 64};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char name[65] = "";
        cof_cert *c;
        cof_slice id, rest, body;

        memset(name, 'n', (size_t)lengths[i]);
        c = kit_nameless(ec, name);
        id = rest = cof_cert_id(c);
        assert_true(cof_der_take(&rest, COF_DER_SEQUENCE, &body));
        assert_true(rest.len == 0 && cof_der_strict(id));
        assert_true(
            cof_slice_equal(cof_cert_issuer(c), (cof_slice){body.data, cof_cert_issuer(c).len}));
        cof_cert_free(c);
    }
}

struct verdict {
    struct kit_cert how;
    cof_cert_reason recipient_rsa, recipient_ec, signer;
};

static void dates_and_usage_are_checked(void **state)
{
    static const struct verdict cases[] = {
        {{"hash", NULL, -60, 60}, COF_CERT_FINE, COF_CERT_FINE, COF_CERT_FINE},
        {{NULL, NULL, -60, 60}, COF_CERT_FINE, COF_CERT_FINE, COF_CERT_FINE},
        {{"hash", NULL, -120, -60}, COF_CERT_EXPIRED, COF_CERT_EXPIRED, COF_CERT_EXPIRED},
        {{"hash", NULL, 60, 120},
         COF_CERT_NOT_YET_VALID,
         COF_CERT_NOT_YET_VALID,
         COF_CERT_NOT_YET_VALID},
        {{"hash", NULL, 60, -60},
         COF_CERT_CONTRADICTORY,
         COF_CERT_CONTRADICTORY,
         COF_CERT_CONTRADICTORY},
        {{"hash", "digitalSignature", -60, 60},
         COF_CERT_KEY_USAGE,
         COF_CERT_KEY_USAGE,
         COF_CERT_FINE},
        {{"hash", "nonRepudiation", -120, -60},
         COF_CERT_KEY_USAGE,
         COF_CERT_KEY_USAGE,
         COF_CERT_EXPIRED},
        {{"hash", "keyEncipherment", -60, 60},
         COF_CERT_FINE,
         COF_CERT_KEY_USAGE,
         COF_CERT_KEY_USAGE},
        {{"hash", "keyAgreement", -60, 60}, COF_CERT_KEY_USAGE, COF_CERT_FINE, COF_CERT_KEY_USAGE},
        {{"hash", "keyAgreement,decipherOnly", -60, 60},
         COF_CERT_KEY_USAGE,
         COF_CERT_CONTRADICTORY,
         COF_CERT_KEY_USAGE},
        {{"hash", "dataEncipherment", -60, 60},
         COF_CERT_KEY_USAGE,
         COF_CERT_KEY_USAGE,
         COF_CERT_KEY_USAGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cof_cert *r = kit_cert(rsa, "r", &cases[i].how), *e = kit_cert(ec, "e", &cases[i].how);
        cof_cert_reason reason;
        cof_status st;

        st = cof_cert_check_recipient(r, now(), &reason, &kit_err);
        assert_int_equal(reason, cases[i].recipient_rsa);
        assert_int_equal(st, reason == COF_CERT_FINE ? COF_OK : COF_CERT);
        st = cof_cert_check_recipient(e, now(), &reason, &kit_err);
        assert_int_equal(reason, cases[i].recipient_ec);
        assert_int_equal(st, reason == COF_CERT_FINE ? COF_OK : COF_CERT);
        st = cof_cert_check_signer(e, now(), &reason, &kit_err);
        assert_int_equal(reason, cases[i].signer);
        assert_int_equal(st, reason == COF_CERT_FINE ? COF_OK : COF_CERT);
        cof_cert_free(r);
        cof_cert_free(e);
    }
}

/* A key of any kind in a certificate that the RSA key has signed. */
static cof_cert *cert_for(EVP_PKEY *pkey)
{
    static const struct kit_cert how = {"hash", NULL, -60, 60};
    cof_cert *c;

    assert_non_null(pkey);
    c = kit_cert_of(pkey, cof_key_pkey(rsa), "k", &how);
    EVP_PKEY_free(pkey);
    return c;
}

static void kinds_of_keys_are_checked(void **state)
{
    const struct {
        EVP_PKEY *pkey;
        const char *text;
        cof_cert_reason recipient, signer;
    } cases[] = {
        {EVP_RSA_gen(1024), "RSA-1024", COF_CERT_WEAK, COF_CERT_WEAK},
        {EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"), "EC-P-384", COF_CERT_FINE, COF_CERT_FINE},
        {EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"), "EC-P-521", COF_CERT_FINE, COF_CERT_FINE},
        {EVP_PKEY_Q_keygen(NULL, NULL, "EC", "brainpoolP256r1"), "EC-brainpoolP256r1",
         COF_CERT_KEY_TYPE, COF_CERT_KEY_TYPE},
        {EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1"), "EC-secp256k1", COF_CERT_KEY_TYPE,
         COF_CERT_KEY_TYPE},
        {EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "Ed25519", COF_CERT_KEY_TYPE, COF_CERT_KEY_TYPE},
        {EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), "Ed448", COF_CERT_KEY_TYPE, COF_CERT_KEY_TYPE},
        {EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "X25519", COF_CERT_KEY_TYPE, COF_CERT_KEY_TYPE},
        {EVP_PKEY_Q_keygen(NULL, NULL, "X448"), "X448", COF_CERT_KEY_TYPE, COF_CERT_KEY_TYPE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cof_cert *c = cert_for(cases[i].pkey);
        cof_cert_reason reason;
        cof_status st;

        assert_string_equal(cof_cert_key_text(c), cases[i].text);
        st = cof_cert_check_recipient(c, now(), &reason, &kit_err);
        assert_int_equal(reason, cases[i].recipient);
        assert_int_equal(st, reason == COF_CERT_FINE ? COF_OK : COF_CERT);
        st = cof_cert_check_signer(c, now(), &reason, &kit_err);
        assert_int_equal(reason, cases[i].signer);
        assert_int_equal(st, reason == COF_CERT_FINE ? COF_OK : COF_CERT);
        cof_cert_free(c);
    }
}

static void signing_keys_are_no_recipients(void **state)
{
    static const char *const types[] = {"dsa-2048", "rsa-pss-3072"};
    static const char *const texts[] = {"DSA-2048", "RSA-PSS-3072"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        cof_key *key = kit_key(types[i]);
        cof_cert *c = kit_self_sign(key, types[i], COF_CERT_FOR_SIGNER), *none = NULL;
        cof_cert_reason reason;

        assert_string_equal(cof_cert_key_text(c), texts[i]);
        assert_ok(cof_cert_check_signer(c, now(), &reason, &kit_err));
        assert_fails(cof_cert_check_recipient(c, now(), &reason, &kit_err), COF_CERT, "");
        assert_int_equal(reason, COF_CERT_KEY_TYPE);
        assert_fails(cof_cert_self_sign(&none, key, "x", 1, COF_CERT_FOR_RECIPIENT, &kit_err),
                     COF_UNSUPPORTED, "");
        assert_null(none);
        cof_cert_free(c);
        cof_key_free(key);
    }
}

static void self_sign_refuses_bad_arguments(void **state)
{
    cof_cert *none = NULL;
    char long_name[66];

    (void)state;
    memset(long_name, 'x', 65);
    long_name[65] = '\0';
    assert_fails(cof_cert_self_sign(&none, ec, "", 1, COF_CERT_FOR_SIGNER, &kit_err), COF_USAGE,
                 "");
    assert_fails(cof_cert_self_sign(&none, ec, long_name, 1, COF_CERT_FOR_SIGNER, &kit_err),
                 COF_USAGE, "");
    assert_fails(cof_cert_self_sign(&none, ec, "\xFF", 1, COF_CERT_FOR_SIGNER, &kit_err), COF_USAGE,
                 "");
    assert_fails(cof_cert_self_sign(&none, ec, "x", 0, COF_CERT_FOR_SIGNER, &kit_err), COF_USAGE,
                 "");
    assert_fails(cof_cert_self_sign(&none, ec, "x", 36501, COF_CERT_FOR_SIGNER, &kit_err),
                 COF_USAGE, "");
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_pem_and_der),
        cmocka_unit_test(parses_key_and_certificate),
        cmocka_unit_test(parses_bundles),
        cmocka_unit_test(parses_pkcs12),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(damaged_certificates),
        cmocka_unit_test(shows_what_is_in_it),
        cmocka_unit_test(subjects_are_cut_between_characters),
        cmocka_unit_test(identifiers_by_issuer),
        cmocka_unit_test(dates_and_usage_are_checked),
        cmocka_unit_test(kinds_of_keys_are_checked),
        cmocka_unit_test(signing_keys_are_no_recipients),
        cmocka_unit_test(self_sign_refuses_bad_arguments),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
