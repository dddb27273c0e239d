/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_WORLD_H
#define COF_TESTS_WORLD_H

/*
 * A maker, two recipients and a small backup for the first of them, in the directory of scratch.h,
 * whose header comes before this one, as do cmocka's.
 */

#include <coffer/coffer.h>

typedef struct world {
    cof_certs *first, *second;
    cof_signer *signer;
    cof_trust *trust;
    cof_keyring *keys;
} world;

static inline void make_key(const char *key, const char *cert, cof_key_use use)
{
    const cof_keygen_options o = {in_dir(key), in_dir(cert), "p256", key, 10, use, NULL};

    assert_int_equal(cof_keygen(&o, NULL, NULL), COF_OK);
}

static inline void make_world(world *w)
{
    assert_int_equal(cof_init(NULL), COF_OK);
    make_key("s.key", "s.crt", COF_KEY_SIGNS);
    make_key("a.key", "a.crt", COF_KEY_OPENS);
    make_key("b.key", "b.crt", COF_KEY_OPENS);
    assert_int_equal(cof_signer_load(&w->signer, in_dir("s.key"), NULL, NULL, NULL), COF_OK);
    assert_int_equal(cof_trust_new(&w->trust, NULL), COF_OK);
    assert_int_equal(
        cof_trust_add(w->trust, in_dir("s.crt"), COF_ROLE_MAKER | COF_ROLE_CUSTODIAN, NULL),
        COF_OK);
    assert_int_equal(cof_keyring_new(&w->keys, NULL), COF_OK);
    assert_int_equal(cof_keyring_add(w->keys, in_dir("a.key"), NULL, NULL), COF_OK);
    assert_int_equal(cof_certs_new(&w->first, NULL), COF_OK);
    assert_int_equal(cof_certs_add(w->first, in_dir("a.crt"), NULL), COF_OK);
    assert_int_equal(cof_certs_new(&w->second, NULL), COF_OK);
    assert_int_equal(cof_certs_add(w->second, in_dir("b.crt"), NULL), COF_OK);
}

static inline void free_world(world *w)
{
    cof_certs_free(w->first);
    cof_certs_free(w->second);
    cof_signer_free(w->signer);
    cof_trust_free(w->trust);
    cof_keyring_free(w->keys);
}

static inline void make_backup(const world *w)
{
    cof_backup_options o = {.recipients = w->first, .signer = w->signer};
    cof_backup *b = NULL;

    o.output = in_dir("x.cof");
    assert_int_equal(cof_backup_begin(&b, &o, NULL), COF_OK);
    assert_int_equal(cof_backup_write(b, "content", 7, NULL), COF_OK);
    assert_int_equal(cof_backup_finish(b, NULL, NULL), COF_OK);
    cof_backup_free(b);
}

#endif
