/* SPDX-License-Identifier: Apache-2.0 */

/* Do the lz4 and gzip codecs keep the contract, whatever they are given to decompress? */

#include "codec/codec.h"

#include <lz4frame.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define PLAIN_LEN 300000
#define SHORT_LEN 3000
#define BOMB_LEN  (32 << 20)

static const cof_codec both[] = {COF_CODEC_LZ4, COF_CODEC_GZIP};

static uint8_t plain[PLAIN_LEN];
static uint8_t packed[2 * PLAIN_LEN];
static cof_decompressor *decompressor;

static int set_up(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (size_t i = 0; i < PLAIN_LEN; i++) { /* words, now and then something new */
        x = x * 1664525u + 1013904223u;
        plain[i] = (uint8_t)(x >> 28 == 0 ? x >> 20 : (uint8_t) "the quick brown fox "[i % 20]);
    }
    return cof_decompressor_new(&decompressor, NULL) != COF_OK;
}

static int tear_down(void **state)
{
    (void)state;
    cof_decompressor_free(decompressor);
    return 0;
}

/* Compress len bytes of plain into packed. */
static size_t pack(cof_codec codec, int level, size_t len)
{
    cof_compressor *c = NULL;
    size_t n = 0;
    assert_int_equal(cof_compressor_new(&c, codec, level, NULL), COF_OK);
    assert_int_equal(cof_compress(packed, sizeof packed, &n, c, plain, len, NULL), COF_OK);
    assert_true(n > 0 && n < len);
    cof_compressor_free(c);
    return n;
}

/* Decompress from and into memory of exactly these lengths, so that sanitizers see every step. */
static cof_status unpack(cof_codec codec, size_t out_len, const uint8_t *in, size_t len)
{
    uint8_t *out = malloc(out_len > 0 ? out_len : 1);
    uint8_t *exact = malloc(len > 0 ? len : 1);
    assert_non_null(out);
    assert_non_null(exact);
    memcpy(exact, in, len);
    cof_error err = COF_ERROR_INIT;
    cof_status st = cof_decompress(out, out_len, decompressor, codec, exact, len, &err);
    assert_true(st == COF_OK || (err.status == st && err.message[0] != '\0'));
    if (st == COF_OK && out_len <= PLAIN_LEN)
        assert_memory_equal(out, plain, out_len);
    free(exact);
    free(out);
    return st;
}

static void levels_are_checked(void **state)
{
    (void)state;
    cof_compressor *c = NULL;
    cof_error err = COF_ERROR_INIT;
    assert_int_equal(cof_compressor_new(&c, COF_CODEC_GZIP, 10, &err), COF_USAGE);
    assert_string_equal(err.message, "gzip has no level 10; choose one from 1 to 9");
    assert_int_equal(cof_compressor_new(&c, COF_CODEC_GZIP, -1, NULL), COF_USAGE);
    assert_int_equal(cof_compressor_new(&c, COF_CODEC_LZ4, 1, &err), COF_USAGE);
    assert_string_equal(err.message, "lz4 has no levels");
    assert_null(c);
    assert_true(cof_codec_has_levels(COF_CODEC_GZIP) && cof_codec_has_levels(COF_CODEC_ZSTD));
    assert_false(cof_codec_has_levels(COF_CODEC_LZ4) || cof_codec_has_levels(COF_CODEC_NONE));
}

/* One context, many records; one decompressor for both codecs in turn. */
static void records_come_back(void **state)
{
    (void)state;
    for (int level = 0; level <= 9; level++) {
        cof_codec codec = level == 0 ? COF_CODEC_LZ4 : COF_CODEC_GZIP;
        cof_compressor *c = NULL;
        size_t n = 0;
        assert_int_equal(cof_compressor_new(&c, codec, level, NULL), COF_OK);
        for (size_t len = PLAIN_LEN; len > 200; len /= 3) {
            assert_int_equal(cof_compress(packed, sizeof packed, &n, c, plain, len, NULL), COF_OK);
            assert_true(n > 0 && n < len);
            assert_int_equal(unpack(codec, len, packed, n), COF_OK);
        }
        cof_compressor_free(c);
    }
}

static void large_records_come_back(void **state)
{
    (void)state;
    size_t len = (16 << 20) - 5;
    uint8_t *in = malloc(len), *out = malloc(len), *back = malloc(len);
    assert_true(in != NULL && out != NULL && back != NULL);
    for (size_t i = 0; i < len; i++)
        in[i] = (uint8_t)(plain[i % PLAIN_LEN] + i / PLAIN_LEN);
    for (size_t k = 0; k < 2; k++) {
        cof_compressor *c = NULL;
        size_t n = 0;
        assert_int_equal(cof_compressor_new(&c, both[k], 0, NULL), COF_OK);
        assert_int_equal(cof_compress(out, len, &n, c, in, len, NULL), COF_OK);
        assert_true(n > 0);
        assert_int_equal(cof_decompress(back, len, decompressor, both[k], out, n, NULL), COF_OK);
        assert_memory_equal(in, back, len);
        cof_compressor_free(c);
    }
    free(in);
    free(out);
    free(back);
}

static void what_does_not_shrink_is_reported(void **state)
{
    (void)state;
    uint8_t noise[1000], out[2000];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
    for (size_t k = 0; k < 2; k++) {
        cof_compressor *c = NULL;
        size_t n = 1;
        assert_int_equal(cof_compressor_new(&c, both[k], 0, NULL), COF_OK);
        assert_int_equal(cof_compress(out, sizeof out, &n, c, noise, sizeof noise, NULL), COF_OK);
        assert_int_equal(n, 0);
        for (size_t cap = 0; cap < 20; cap += 5) {
            n = 1;
            assert_int_equal(cof_compress(out, cap, &n, c, plain, PLAIN_LEN, NULL), COF_OK);
            assert_int_equal(n, 0);
        }
        for (size_t len = 0; len < 20; len++) {
            n = 1;
            assert_int_equal(cof_compress(out, sizeof out, &n, c, plain, len, NULL), COF_OK);
            assert_int_equal(n, 0);
        }
        assert_int_equal(cof_compress(packed, PLAIN_LEN, &n, c, plain, PLAIN_LEN, NULL), COF_OK);
        assert_true(n > 0); /* the context is as good as new */
        assert_int_equal(unpack(both[k], PLAIN_LEN, packed, n), COF_OK);
        cof_compressor_free(c);
        assert_true(cof_compress_bound(both[k], 1000) > 1000);
        assert_true(cof_compress_bound(both[k], SIZE_MAX) == SIZE_MAX);
    }
}

/* Long noise is given up early; a long record of which any third compresses is not. */
static void long_noise_is_recognised(void **state)
{
    enum { LEN = 3 << 20 };
    uint8_t *noise = malloc(LEN), *out = malloc(LEN);
    uint64_t x = 1;
    (void)state;
    assert_true(noise != NULL && out != NULL);
    for (size_t part = 0; part <= 3; part++) {
        cof_compressor *c = NULL;
        size_t n = 1;
        for (size_t i = 0; i < LEN; i++) {
            x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
            noise[i] = part < 3 && i / (LEN / 3) == part ? 'a' : (uint8_t)(x >> 56);
        }
        assert_int_equal(cof_compressor_new(&c, COF_CODEC_GZIP, COF_LEVEL_DEFAULT, NULL), COF_OK);
        assert_int_equal(cof_compress(out, LEN, &n, c, noise, LEN, NULL), COF_OK);
        if (part < 3)
            assert_true(n > LEN / 2 && n < LEN / 4 * 3);
        else
            assert_int_equal(n, 0);
        cof_compressor_free(c);
    }
    free(noise);
    free(out);
}

static void the_form_is_as_promised(void **state)
{
    (void)state;
    size_t n = pack(COF_CODEC_LZ4, 0, SHORT_LEN);
    LZ4F_dctx *d = NULL;
    LZ4F_frameInfo_t info;
    assert_false(LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)));
    assert_false(LZ4F_isError(LZ4F_getFrameInfo(d, &info, packed, &n)));
    assert_int_equal(info.contentSize, SHORT_LEN);
    assert_int_equal(info.contentChecksumFlag, LZ4F_noContentChecksum);
    assert_int_equal(info.blockChecksumFlag, LZ4F_noBlockChecksum);
    assert_int_equal(info.blockMode, LZ4F_blockIndependent);
    assert_int_equal(info.dictID, 0);
    LZ4F_freeDecompressionContext(d);

    static const uint8_t header[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0};
    (void)pack(COF_CODEC_GZIP, 0, SHORT_LEN);
    assert_memory_equal(packed, header, sizeof header); /* no name, no time, no comment */
}

static void only_the_exact_length_is_accepted(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        size_t n = pack(both[k], 0, SHORT_LEN);
        assert_int_equal(unpack(both[k], SHORT_LEN, packed, n), COF_OK);
        for (size_t off = 1; off < 40; off++) {
            assert_int_equal(unpack(both[k], SHORT_LEN - off, packed, n), COF_FORMAT);
            assert_int_equal(unpack(both[k], SHORT_LEN + off, packed, n), COF_FORMAT);
        }
        assert_int_equal(unpack(both[k], 0, packed, n), COF_FORMAT);
        assert_int_equal(unpack(both[k], SHORT_LEN, packed, 0), COF_FORMAT);
        assert_int_equal(unpack(both[1 - k], SHORT_LEN, packed, n), COF_FORMAT);
    }
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        size_t n = pack(both[k], 0, SHORT_LEN);
        for (size_t len = 0; len < n; len++)
            assert_int_equal(unpack(both[k], SHORT_LEN, packed, len), COF_FORMAT);
        assert_int_equal(unpack(both[k], SHORT_LEN, packed, n), COF_OK);
    }
}

static void flipped_bits_stay_inside(void **state)
{
    (void)state;
    uint8_t *out = malloc(SHORT_LEN);
    assert_non_null(out);
    for (size_t k = 0; k < 2; k++) {
        size_t n = pack(both[k], 0, SHORT_LEN);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            packed[bit / 8] = (uint8_t)(packed[bit / 8] ^ (1u << bit % 8));
            cof_status st = cof_decompress(out, SHORT_LEN, decompressor, both[k], packed, n, NULL);
            assert_true(st == COF_OK || st == COF_FORMAT);
            if (bit < 24 || (k == 1 && bit >= 80)) /* gzip has a checksum behind its header */
                assert_true(st == COF_FORMAT || memcmp(out, plain, SHORT_LEN) == 0);
            if (bit < 16)
                assert_int_equal(st, COF_FORMAT);
            packed[bit / 8] = (uint8_t)(packed[bit / 8] ^ (1u << bit % 8));
        }
        assert_int_equal(unpack(both[k], SHORT_LEN, packed, n), COF_OK);
    }
    free(out);
}

static void nothing_else_may_follow(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        size_t n = pack(both[k], 0, SHORT_LEN);
        memcpy(packed + n, packed, n); /* the same again: a second frame */
        assert_int_equal(unpack(both[k], SHORT_LEN, packed, 2 * n), COF_FORMAT);
        assert_int_equal(unpack(both[k], 2 * SHORT_LEN, packed, 2 * n), COF_FORMAT);
        for (size_t more = 1; more < 9; more++)
            assert_int_equal(unpack(both[k], SHORT_LEN, packed, n + more), COF_FORMAT);
        memset(packed + n, 0, 600); /* the gzip command would pass over these */
        for (size_t more = 1; more < 600; more += 13)
            assert_int_equal(unpack(both[k], SHORT_LEN, packed, n + more), COF_FORMAT);
    }
}

/* A lot of zeros behind a short record: never more is written than asked for. */
static void bombs_do_not_go_off(void **state)
{
    (void)state;
    uint8_t *zeros = calloc(1, BOMB_LEN);
    assert_non_null(zeros);
    for (size_t k = 0; k < 2; k++) {
        cof_compressor *c = NULL;
        size_t n = 0;
        assert_int_equal(cof_compressor_new(&c, both[k], 0, NULL), COF_OK);
        assert_int_equal(cof_compress(packed, sizeof packed, &n, c, zeros, BOMB_LEN, NULL), COF_OK);
        cof_compressor_free(c);
        assert_true(n > 0 && n < BOMB_LEN / 200);
        assert_int_equal(unpack(both[k], 1, packed, n), COF_FORMAT);
        assert_int_equal(unpack(both[k], PLAIN_LEN + 1, packed, n), COF_FORMAT);
    }
    free(zeros);
}

/* ---- what is not written, and what of it is read ---- */

static size_t lz4_with(const LZ4F_preferences_t *p)
{
    size_t n = LZ4F_compressFrame(packed, sizeof packed, plain, SHORT_LEN, p);
    assert_false(LZ4F_isError(n));
    return n;
}

static void lz4_options_are_read(void **state)
{
    (void)state;
    LZ4F_preferences_t p = {.compressionLevel = 9};
    p.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    p.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
    p.frameInfo.blockMode = LZ4F_blockLinked;
    size_t n = lz4_with(&p); /* the command's own options, and more; no content size */
    assert_int_equal(unpack(COF_CODEC_LZ4, SHORT_LEN, packed, n), COF_OK);
    packed[n - 1] ^= 1; /* and what is there must be right */
    assert_int_equal(unpack(COF_CODEC_LZ4, SHORT_LEN, packed, n), COF_FORMAT);
    p.frameInfo.contentSize = SHORT_LEN;
    n = lz4_with(&p);
    assert_int_equal(unpack(COF_CODEC_LZ4, SHORT_LEN, packed, n), COF_OK);
}

static void other_lz4_frames_are_refused(void **state)
{
    (void)state;
    static const uint8_t skippable[] = {0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0};
    static const uint8_t legacy[] = {0x02, 0x21, 0x4C, 0x18, 2, 0, 0, 0, 0x10, 0x61};
    LZ4F_preferences_t p = {.frameInfo = {.dictID = 7}};
    size_t n = lz4_with(&p);
    uint8_t in[2 * SHORT_LEN];

    (void)state;
    assert_int_equal(unpack(COF_CODEC_LZ4, SHORT_LEN, packed, n), COF_FORMAT);
    n = lz4_with(NULL);
    memcpy(in, skippable, sizeof skippable);
    memcpy(in + sizeof skippable, packed, n);
    assert_int_equal(unpack(COF_CODEC_LZ4, SHORT_LEN, in, sizeof skippable + n), COF_FORMAT);
    memcpy(in, packed, n);
    memcpy(in + n, skippable, sizeof skippable);
    assert_int_equal(unpack(COF_CODEC_LZ4, SHORT_LEN, in, sizeof skippable + n), COF_FORMAT);
    assert_int_equal(unpack(COF_CODEC_LZ4, 0, skippable, sizeof skippable), COF_FORMAT);
    assert_int_equal(unpack(COF_CODEC_LZ4, 1, legacy, sizeof legacy), COF_FORMAT);
}

/* Another form of deflate with the same content; window_bits chooses which. */
static size_t deflate_as(int window_bits, gz_header *header)
{
    z_stream z = {.next_in = plain, .avail_in = SHORT_LEN};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    if (header != NULL)
        assert_int_equal(deflateSetHeader(&z, header), Z_OK);
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = z.total_out;
    deflateEnd(&z);
    return n;
}

static void gzip_headers_are_read(void **state)
{
    (void)state;
    Bytef name[] = "dump.sql", comment[] = "nightly", extra[] = {1, 2, 3, 4};
    gz_header header = {.time = 1700000000,
                        .os = 3,
                        .name = name,
                        .comment = comment,
                        .extra = extra,
                        .extra_len = sizeof extra,
                        .hcrc = 1};
    size_t n = deflate_as(15 + 16, &header);
    assert_int_equal(unpack(COF_CODEC_GZIP, SHORT_LEN, packed, n), COF_OK);
    packed[3] |= 0x20; /* a reserved flag */
    assert_int_equal(unpack(COF_CODEC_GZIP, SHORT_LEN, packed, n), COF_FORMAT);
}

static void other_deflate_forms_are_refused(void **state)
{
    (void)state;
    size_t n = deflate_as(15, NULL); /* zlib's */
    assert_int_equal(unpack(COF_CODEC_GZIP, SHORT_LEN, packed, n), COF_FORMAT);
    n = deflate_as(-15, NULL); /* raw */
    assert_int_equal(unpack(COF_CODEC_GZIP, SHORT_LEN, packed, n), COF_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_checked),
        cmocka_unit_test(records_come_back),
        cmocka_unit_test(large_records_come_back),
        cmocka_unit_test(what_does_not_shrink_is_reported),
        cmocka_unit_test(long_noise_is_recognised),
        cmocka_unit_test(the_form_is_as_promised),
        cmocka_unit_test(only_the_exact_length_is_accepted),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(flipped_bits_stay_inside),
        cmocka_unit_test(nothing_else_may_follow),
        cmocka_unit_test(bombs_do_not_go_off),
        cmocka_unit_test(lz4_options_are_read),
        cmocka_unit_test(other_lz4_frames_are_refused),
        cmocka_unit_test(gzip_headers_are_read),
        cmocka_unit_test(other_deflate_forms_are_refused),
    };
    return cmocka_run_group_tests_name("codec_lz4_gzip", tests, set_up, tear_down);
}
