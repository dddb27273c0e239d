/* SPDX-License-Identifier: Apache-2.0 */

/* In which order is a backup opened, and what must a reader show (FORMAT.md, section 7)? */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "world.h"

static const char *const nobody =
    "0000000000000000000000000000000000000000000000000000000000000000";

/* OP-1: with neither trust nor a fitting key, it is trust that is missed first. */
static void the_signature_is_verified_before_a_private_key_is_used(void **state)
{
    cof_open_options o = {.path = NULL};
    cof_error err = COF_ERROR_INIT;
    cof_keyring *stranger = NULL;
    cof_reader *reader = NULL;
    cof_trust *trust = NULL;
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    assert_int_equal(cof_keyring_new(&stranger, NULL), COF_OK);
    assert_int_equal(cof_keyring_add(stranger, in_dir("b.key"), NULL, NULL), COF_OK);
    assert_int_equal(cof_trust_new(&trust, NULL), COF_OK);
    assert_int_equal(cof_trust_add(trust, nobody, COF_ROLE_MAKER, NULL), COF_OK);
    o.path = in_dir("x.cof");
    o.keys = stranger;
    o.trust = trust;
    assert_int_equal(cof_reader_open(&reader, &o, &err), COF_AUTH);
    assert_string_equal(err.rule, "ST-2");
    assert_null(reader);
    o.trust = w.trust;
    assert_int_equal(cof_reader_open(&reader, &o, &err), COF_NO_MATCH);
    cof_keyring_free(stranger);
    cof_trust_free(trust);
    free_world(&w);
}

/* OP-3: maker and custodian, by name and fingerprint, and whether they are trusted. */
static void maker_and_custodian_are_shown(void **state)
{
    cof_open_options o = {.path = NULL};
    cof_reader *reader = NULL;
    const cof_info *info;
    cof_cert_info signer;
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    o.path = in_dir("x.cof");
    o.trust = w.trust;
    assert_int_equal(cof_reader_open(&reader, &o, NULL), COF_OK);
    info = cof_reader_info(reader);
    cof_signer_info(w.signer, &signer);
    assert_string_equal(info->maker.fingerprint, signer.fingerprint);
    assert_string_equal(info->maker.subject, signer.subject);
    assert_int_equal(info->maker.standing, COF_STANDING_TRUSTED);
    assert_int_equal(info->custody_count, 1);
    assert_string_equal(info->custody[0].by.fingerprint, signer.fingerprint);
    assert_int_equal(info->custody[0].by.standing, COF_STANDING_TRUSTED);
    assert_false(info->custody_proven); /* nobody has shown a private key */
    cof_reader_free(reader);
    free_world(&w);
}

static void a_private_key_proves_the_list(void **state)
{
    cof_open_options o = {.path = NULL};
    cof_reader *reader = NULL;
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    o.path = in_dir("x.cof");
    o.trust = w.trust;
    o.keys = w.keys;
    assert_int_equal(cof_reader_open(&reader, &o, NULL), COF_OK);
    assert_true(cof_reader_info(reader)->custody_proven);
    assert_null(cof_reader_info(reader)->custody_problem);
    cof_reader_free(reader);
    free_world(&w);
}

/* A maker's key that is trusted as custodian only makes no content that is accepted (P3). */
static void a_custodian_is_no_maker(void **state)
{
    cof_open_options o = {.path = NULL};
    cof_error err = COF_ERROR_INIT;
    cof_reader *reader = NULL;
    cof_trust *trust = NULL;
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    assert_int_equal(cof_trust_new(&trust, NULL), COF_OK);
    assert_int_equal(cof_trust_add(trust, in_dir("s.crt"), COF_ROLE_CUSTODIAN, NULL), COF_OK);
    o.path = in_dir("x.cof");
    o.trust = trust;
    assert_int_equal(cof_reader_open(&reader, &o, &err), COF_AUTH);
    assert_null(reader);
    cof_trust_free(trust);
    free_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_signature_is_verified_before_a_private_key_is_used,
                                        scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(maker_and_custodian_are_shown, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_private_key_proves_the_list, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_custodian_is_no_maker, scratch_set_up, scratch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
