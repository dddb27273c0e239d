/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does the key schedule derive what section 6 says?  The expected bytes were computed by another
 * program, from the RFCs alone.
 */

#include "format_test.h"

#include "base/secret.h"
#include "base/text.h"
#include "format/custody.h"
#include "format/schedule.h"

static uint8_t core[32];
static cof_schedule *schedule;

static int set_up(void **state)
{
    (void)state;
    cof_secret *dek = NULL;

    for (unsigned i = 0; i < sizeof(core); i++)
        core[i] = (uint8_t)i;
    if (cof_secret_new(&dek, COF_DEK_SIZE, NULL) != COF_OK)
        return -1;
    for (unsigned i = 0; i < COF_DEK_SIZE; i++)
        cof_secret_bytes(dek)[i] = (uint8_t)(100 + i);
    cof_status st = cof_schedule_new(&schedule, core, dek, COF_CIPHER_AES_256_GCM, NULL);
    cof_secret_free(dek);
    return st == COF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cof_schedule_free(schedule);
    return 0;
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    char text[COF_HEX_CAP(64)];

    cof_hex_encode(text, bytes, len);
    assert_string_equal(text, hex);
}

static void derived_keys(void **state)
{
    (void)state;
    uint8_t out[32];
    cof_secret *key = NULL;

    assert_ok(cof_schedule_commitment(out, schedule, NULL));
    assert_hex(out, 32, "5930ed0a377fc521b0437c03bfbaf847740b891c1c60cb1104322db3d4ff60d5");
    assert_ok(cof_schedule_record_key(&key, schedule, 5, NULL));
    assert_int_equal(cof_secret_len(key), 32);
    assert_hex(cof_secret_bytes(key), 32,
               "568de164079988f6b0b3c26fee9c77c135519b2e2f5a2f9577536aca43b3733e");
    cof_secret_free(key);
    assert_ok(cof_schedule_nonce_base(out, schedule, 5, NULL));
    assert_hex(out, 12, "12a2f3fa2c0e8dfc3c19d5a9");
}

static void commitments_are_compared(void **state)
{
    (void)state;
    uint8_t mine[32];
    cof_error err;

    assert_ok(cof_schedule_commitment(mine, schedule, NULL));
    assert_ok(cof_schedule_check_commitment(schedule, mine, NULL));
    mine[31] ^= 1;
    assert_rule(cof_schedule_check_commitment(schedule, mine, &err), err, COF_AUTH, "KS-1");
    assert_string_equal(err.message, COF_KS1_MESSAGE);
}

static void key_lengths_follow_the_cipher(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 32, 16, 24, 32};
    cof_secret *dek = NULL, *key = NULL;
    cof_schedule *s = NULL;

    assert_ok(cof_secret_new(&dek, COF_DEK_SIZE, NULL));
    for (unsigned cipher = 1; cipher <= 4; cipher++) {
        assert_ok(cof_schedule_new(&s, core, dek, (cof_cipher)cipher, NULL));
        assert_ok(cof_schedule_record_key(&key, s, 0, NULL));
        assert_int_equal(cof_secret_len(key), lens[cipher]);
        cof_secret_free(key);
        cof_schedule_free(s);
    }
    assert_int_equal(cof_schedule_new(&s, core, dek, COF_CIPHER_NONE, NULL), COF_USAGE);
    assert_int_equal(cof_schedule_new(&s, core, dek, (cof_cipher)5, NULL), COF_UNSUPPORTED);
    cof_secret_shrink(dek, 31);
    assert_int_equal(cof_schedule_new(&s, core, dek, COF_CIPHER_AES_128_GCM, NULL), COF_USAGE);
    assert_null(s);
    cof_secret_free(dek);
}

static void nonces(void **state)
{
    (void)state;
    static const uint8_t base[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    uint8_t out[12];

    assert_int_equal(cof_schedule_segment(65535), 0);
    assert_int_equal(cof_schedule_segment(65536), 1);
    cof_nonce(out, base, 0);
    assert_memory_equal(out, base, 12);
    cof_nonce(out, base, UINT64_C(0x0102030405060708));
    assert_hex(out, 12, "010203040404040c0c0c0c04");
}

static void proofs(void **state)
{
    (void)state;
    uint8_t out[32], again[32], keys[32], previous[32], recipients[2][32];
    cof_custody c = COF_CUSTODY_INIT;
    cof_custody_recipient list[2];
    cof_proof_input in = {1, keys, NULL, (const uint8_t(*)[32])recipients, 2};

    memset(keys, 7, 32);
    memset(previous, 9, 32);
    memset(recipients[0], 1, 32);
    memset(recipients[1], 2, 32);
    assert_ok(cof_schedule_proof(out, schedule, &in, NULL));
    assert_hex(out, 32, "5418f015208e64f3521b5fdf01ea0b95964a0f383fe1dd32f780394040c0deba");
    in.generation = 2;
    in.previous = previous;
    assert_ok(cof_schedule_proof(out, schedule, &in, NULL));
    assert_hex(out, 32, "a61b0db74b971ed7152bfed42c0e85fb417487106694ff0ef483881469ad6f5e");

    memset(list, 0, sizeof(list));
    memcpy(list[0].sha256, recipients[0], 32);
    memcpy(list[1].sha256, recipients[1], 32);
    c.generation = 2;
    c.has_previous = true;
    memcpy(c.keys, keys, 32);
    memcpy(c.previous, previous, 32);
    c.recipients = list;
    c.recipient_count = 2;
    assert_ok(cof_schedule_proof_of(again, schedule, &c, NULL));
    assert_memory_equal(out, again, 32);
    c.recipient_count = 1;
    assert_ok(cof_schedule_proof_of(again, schedule, &c, NULL));
    assert_memory_not_equal(out, again, 32);
    in.recipient_count = COF_RECIPIENTS_MAX + 1;
    assert_int_equal(cof_schedule_proof(out, schedule, &in, NULL), COF_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derived_keys),
        cmocka_unit_test(commitments_are_compared),
        cmocka_unit_test(key_lengths_follow_the_cipher),
        cmocka_unit_test(nonces),
        cmocka_unit_test(proofs),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
