/* SPDX-License-Identifier: Apache-2.0 */

/* Does codec keep its contracts, whatever it is given to decompress? */

#include "codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <cmocka.h>

#define PLAIN_LEN 300000

static uint8_t plain[PLAIN_LEN];
static uint8_t packed[PLAIN_LEN];
static size_t packed_len;
static cof_decompressor *decompressor;

static int set_up(void **state)
{
    (void)state;
    cof_compressor *c = NULL;
    for (size_t i = 0; i < PLAIN_LEN; i++)
        plain[i] = (uint8_t)((uint8_t) "the quick brown fox "[i % 20] + i * i / 977 % 3);
    if (cof_decompressor_new(&decompressor, NULL) != COF_OK ||
        cof_compressor_new(&c, COF_CODEC_ZSTD, COF_LEVEL_DEFAULT, NULL) != COF_OK ||
        cof_compress(packed, sizeof packed, &packed_len, c, plain, PLAIN_LEN, NULL) != COF_OK)
        return 1;
    cof_compressor_free(c);
    return packed_len == 0;
}

static int tear_down(void **state)
{
    (void)state;
    cof_decompressor_free(decompressor);
    return 0;
}

/* Decompress zstd into memory of exactly out_len bytes. */
static cof_status unpack(size_t out_len, const uint8_t *in, size_t len)
{
    uint8_t *out = malloc(out_len > 0 ? out_len : 1);
    assert_non_null(out);
    cof_error err = COF_ERROR_INIT;
    cof_status st = cof_decompress(out, out_len, decompressor, COF_CODEC_ZSTD, in, len, &err);
    assert_true(st == COF_OK || (err.status == st && err.message[0] != '\0'));
    if (st == COF_OK && out_len == PLAIN_LEN)
        assert_memory_equal(out, plain, PLAIN_LEN);
    free(out);
    return st;
}

static void names_and_numbers(void **state)
{
    (void)state;
    cof_codec codec = COF_CODEC_NONE;
    for (unsigned number = 0; number <= 3; number++)
        assert_true(cof_codec_supported(number));
    assert_false(cof_codec_supported(4));
    assert_false(cof_codec_supported(255));
    assert_string_equal(cof_codec_name(COF_CODEC_GZIP), "gzip");
    assert_string_equal(cof_codec_name(200), "unknown");
    assert_int_equal(cof_codec_from_name(&codec, "zstd", NULL), COF_OK);
    assert_int_equal(codec, COF_CODEC_ZSTD);
    assert_int_equal(cof_codec_from_name(&codec, "ZSTD", NULL), COF_USAGE);
    assert_int_equal(codec, COF_CODEC_ZSTD);
}

static void levels_are_checked(void **state)
{
    (void)state;
    cof_compressor *c = NULL;
    cof_error err = COF_ERROR_INIT;
    assert_int_equal(cof_compressor_new(&c, COF_CODEC_ZSTD, 23, &err), COF_USAGE);
    assert_string_equal(err.message, "zstd has no level 23; choose one from 1 to 22");
    assert_int_equal(cof_compressor_new(&c, COF_CODEC_ZSTD, -1, NULL), COF_USAGE);
    assert_int_equal(cof_compressor_new(&c, COF_CODEC_NONE, 1, NULL), COF_USAGE);
    assert_int_equal(cof_compressor_new(&c, (cof_codec)77, 0, NULL), COF_UNSUPPORTED);
    assert_null(c);
    cof_compressor_free(NULL);
    cof_decompressor_free(NULL);
}

static void records_come_back(void **state)
{
    (void)state;
    static const int levels[] = {1, 3, 9, 19, 22};
    uint8_t *out = malloc(PLAIN_LEN);
    assert_non_null(out);
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        cof_compressor *c = NULL;
        size_t n = 0;
        assert_int_equal(cof_compressor_new(&c, COF_CODEC_ZSTD, levels[i], NULL), COF_OK);
        for (size_t len = PLAIN_LEN; len > 200; len /= 3) { /* one context, many records */
            assert_int_equal(cof_compress(out, PLAIN_LEN, &n, c, plain, len, NULL), COF_OK);
            assert_true(n > 0 && n < len);
            assert_int_equal(unpack(len, out, n), COF_OK);
        }
        cof_compressor_free(c);
    }
    free(out);
}

static void what_does_not_shrink_is_reported(void **state)
{
    (void)state;
    cof_compressor *c = NULL;
    uint8_t noise[1000], out[2000];
    uint32_t x = 1;
    size_t n = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
    assert_int_equal(cof_compressor_new(&c, COF_CODEC_ZSTD, 3, NULL), COF_OK);
    assert_int_equal(cof_compress(out, sizeof out, &n, c, noise, sizeof noise, NULL), COF_OK);
    assert_int_equal(n, 0);
    n = 1;
    assert_int_equal(cof_compress(out, sizeof out, &n, c, noise, 0, NULL), COF_OK);
    assert_int_equal(n, 0);
    n = 1;
    assert_int_equal(cof_compress(out, 5, &n, c, plain, PLAIN_LEN, NULL), COF_OK);
    assert_int_equal(n, 0);
    cof_compressor_free(c);

    assert_int_equal(cof_compressor_new(&c, COF_CODEC_NONE, 0, NULL), COF_OK);
    n = 1;
    assert_int_equal(cof_compress(out, sizeof out, &n, c, plain, 100, NULL), COF_OK);
    assert_int_equal(n, 0);
    cof_compressor_free(c);
    assert_true(cof_compress_bound(COF_CODEC_ZSTD, 1000) > 1000);
    assert_int_equal(cof_compress_bound(COF_CODEC_NONE, 1000), 1000);
    assert_true(cof_compress_bound(COF_CODEC_ZSTD, SIZE_MAX) == SIZE_MAX);
}

static void frames_have_the_promised_form(void **state)
{
    (void)state;
    assert_int_equal(ZSTD_getFrameContentSize(packed, packed_len), PLAIN_LEN);
    assert_int_equal(packed[4] & 0x07, 0); /* no checksum, no dictionary id */
    assert_int_equal(ZSTD_findFrameCompressedSize(packed, packed_len), packed_len);
}

static void only_the_exact_length_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(unpack(PLAIN_LEN, packed, packed_len), COF_OK);
    assert_int_equal(unpack(PLAIN_LEN - 1, packed, packed_len), COF_FORMAT);
    assert_int_equal(unpack(PLAIN_LEN + 1, packed, packed_len), COF_FORMAT);
    assert_int_equal(unpack(0, packed, packed_len), COF_FORMAT);
    assert_int_equal(unpack(PLAIN_LEN, packed, 0), COF_FORMAT);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < packed_len; len += len < 64 ? 1 : 997) {
        uint8_t *in = malloc(len > 0 ? len : 1);
        assert_non_null(in);
        memcpy(in, packed, len);
        assert_int_equal(unpack(PLAIN_LEN, in, len), COF_FORMAT);
        free(in);
    }
}

static void flipped_bits_stay_inside(void **state)
{
    (void)state;
    uint8_t *in = malloc(packed_len);
    uint8_t *out = malloc(PLAIN_LEN);
    assert_non_null(in);
    assert_non_null(out);
    memcpy(in, packed, packed_len);
    for (size_t bit = 0; bit < 8 * packed_len; bit += bit < 1024 ? 1 : 4999) {
        in[bit / 8] = (uint8_t)(in[bit / 8] ^ (1u << bit % 8));
        cof_status st =
            cof_decompress(out, PLAIN_LEN, decompressor, COF_CODEC_ZSTD, in, packed_len, NULL);
        assert_true(st == COF_OK || st == COF_FORMAT); /* without a checksum some bits pass */
        if (bit < 32)
            assert_int_equal(st, COF_FORMAT);
        in[bit / 8] = (uint8_t)(in[bit / 8] ^ (1u << bit % 8));
    }
    free(out);
    free(in);
}

static void other_frames_are_refused(void **state)
{
    (void)state;
    static const uint8_t skippable[] = {0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0};
    uint8_t *in = malloc(2 * PLAIN_LEN);
    assert_non_null(in);

    memcpy(in, packed, packed_len); /* a second, a skippable, a stray byte behind */
    memcpy(in + packed_len, packed, packed_len);
    assert_int_equal(unpack(PLAIN_LEN, in, 2 * packed_len), COF_FORMAT);
    assert_int_equal(unpack(2 * PLAIN_LEN, in, 2 * packed_len), COF_FORMAT);
    memcpy(in + packed_len, skippable, sizeof skippable);
    assert_int_equal(unpack(PLAIN_LEN, in, packed_len + sizeof skippable), COF_FORMAT);
    assert_int_equal(unpack(PLAIN_LEN, in, packed_len + 1), COF_FORMAT);
    memcpy(in, skippable, sizeof skippable); /* and one in front */
    memcpy(in + sizeof skippable, packed, packed_len);
    assert_int_equal(unpack(PLAIN_LEN, in, packed_len + sizeof skippable), COF_FORMAT);
    assert_int_equal(unpack(0, skippable, sizeof skippable), COF_FORMAT);

    ZSTD_CCtx *z = ZSTD_createCCtx();
    assert_non_null(z);
    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    size_t n = ZSTD_compress2(z, in, 2 * PLAIN_LEN, plain, PLAIN_LEN);
    assert_int_equal(unpack(PLAIN_LEN, in, n), COF_FORMAT);
    ZSTD_CCtx_reset(z, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, 0);
    n = ZSTD_compress2(z, in, 2 * PLAIN_LEN, plain, PLAIN_LEN);
    assert_int_equal(unpack(PLAIN_LEN, in, n), COF_FORMAT);
    ZSTD_freeCCtx(z);
    free(in);
}

static void raw_records_are_copied(void **state)
{
    (void)state;
    uint8_t out[4] = {0};
    const uint8_t in[4] = {1, 2, 3, 4};
    assert_int_equal(cof_decompress(out, 4, decompressor, COF_CODEC_NONE, in, 4, NULL), COF_OK);
    assert_memory_equal(out, in, 4);
    assert_int_equal(cof_decompress(out, 4, decompressor, COF_CODEC_NONE, in, 3, NULL), COF_FORMAT);
    assert_int_equal(cof_decompress(out, 3, decompressor, COF_CODEC_NONE, in, 4, NULL), COF_FORMAT);
    assert_int_equal(cof_decompress(NULL, 0, decompressor, COF_CODEC_NONE, NULL, 0, NULL), COF_OK);
    assert_int_equal(cof_decompress(out, 4, decompressor, (cof_codec)9, in, 4, NULL),
                     COF_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_numbers),
        cmocka_unit_test(levels_are_checked),
        cmocka_unit_test(records_come_back),
        cmocka_unit_test(what_does_not_shrink_is_reported),
        cmocka_unit_test(frames_have_the_promised_form),
        cmocka_unit_test(only_the_exact_length_is_accepted),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(flipped_bits_stay_inside),
        cmocka_unit_test(other_frames_are_refused),
        cmocka_unit_test(raw_records_are_copied),
    };
    return cmocka_run_group_tests_name("codec", tests, set_up, tear_down);
}
