/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_FORMAT_TEST_H
#define COF_TESTS_FORMAT_TEST_H

/* What the unit tests of the format room share. */

#include "base/buf.h"
#include "base/error.h"
#include "format/preamble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The call failed with this class, and err names this rule. */
#define assert_rule(call, err, class, id)                                                          \
    do {                                                                                           \
        (err) = (cof_error)COF_ERROR_INIT;                                                         \
        assert_int_equal((call), (class));                                                         \
        assert_int_equal((err).status, (class));                                                   \
        assert_string_equal((err).rule, (id));                                                     \
        assert_true((err).message[0] != '\0');                                                     \
    } while (0)

#define assert_ok(call) assert_int_equal((call), COF_OK)

/* Bytes that differ from place to place and from seed to seed. */
static inline void fill(uint8_t *p, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(seed * 37 + i * 11 + 1);
}

static inline cof_preamble sample_preamble(void)
{
    cof_preamble p = {
        .epoch = 0,
        .record_size = COF_RECORD_SIZE_DEFAULT,
        .created = 1795514102,
        .cipher = COF_CIPHER_AES_256_GCM,
        .tree_hash = COF_TREE_HASH_SHA256,
        .key_schedule = COF_KEY_SCHEDULE_V1,
        .content = COF_CONTENT_STREAM,
        .protection = COF_PROTECTION_SEALED,
        .label = "db1",
    };

    fill(p.uuid, sizeof(p.uuid), 1);
    fill(p.salt, sizeof(p.salt), 2);
    fill(p.maker, sizeof(p.maker), 3);
    return p;
}

static inline cof_slice slice_of(const char *text)
{
    return (cof_slice){(const uint8_t *)text, strlen(text)};
}

#endif
