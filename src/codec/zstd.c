/* SPDX-License-Identifier: Apache-2.0 */

/*
 * zstd (RFC 8878).  Compression is one call for a whole record, so the library knows its size,
 * writes it into the frame and chooses a window no larger than it needs.  Decompression writes
 * straight into the caller's bytes: the window that a frame claims is never allocated.
 *
 * The frame header is read here before the library sees it, because the library is more generous
 * than the format: it would take several frames, skippable ones, checksums and frames of unknown
 * length.
 */

#include "base/error.h"
#include "codec/backend.h"

#include <zstd.h>
#include <zstd_errors.h>

#define MAGIC_LEN           4
#define FLAG_SINGLE_SEGMENT 0x20u
#define FLAGS_REFUSED       0x1Fu /* unused, reserved, checksum, dictionary id */
#define RECORD_LOG_MAX      24    /* 16 MiB */
#define WINDOW_LOG_MAX      27u   /* what every zstd opens without being asked */

static size_t zstd_bound(size_t len)
{
    size_t bound = ZSTD_compressBound(len);
    return ZSTD_isError(bound) || bound == 0 ? SIZE_MAX : bound;
}

/*
 * A record is compressed on its own: so let all of it be its window, which the library cuts down to
 * the length.  Its tables are left as they are: larger ones make 0.5 to 1.5 % less of text and
 * programs at level 3 and take 1.3 to 1.5 times as long, since they do not fit into a cache.
 */
static bool fit_to_record(ZSTD_CCtx *context)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, RECORD_LOG_MAX));
}

static void *zstd_compressor_new(int level)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context == NULL)
        return NULL;
    if (!fit_to_record(context) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0))) {
        ZSTD_freeCCtx(context);
        return NULL;
    }
    return context;
}

static void zstd_compressor_free(void *context)
{
    ZSTD_freeCCtx(context);
}

static cof_status zstd_compress(uint8_t *out, size_t cap, size_t *out_len, void *context,
                                const uint8_t *in, size_t len, cof_error *err)
{
    size_t n = ZSTD_compress2(context, out, cap, in, len);
    if (!ZSTD_isError(n)) {
        *out_len = n;
        return COF_OK;
    }
    switch (ZSTD_getErrorCode(n)) {
    case ZSTD_error_dstSize_tooSmall:
        return COF_OK; /* does not shrink */
    case ZSTD_error_memory_allocation:
        return cof_fail(err, COF_NOMEM, "out of memory");
    default:
        return cof_fail(err, COF_INTERNAL, "zstd failed to compress a record: %s",
                        ZSTD_getErrorName(n));
    }
}

static void *zstd_decompressor_new(void)
{
    return ZSTD_createDCtx();
}

static void zstd_decompressor_free(void *context)
{
    ZSTD_freeDCtx(context);
}

/* Does the frame header have the form that zstd_compress() writes? */
static bool header_is_ours(const uint8_t *in, size_t len)
{
    if (len < MAGIC_LEN + 2)
        return false;
    if (in[0] != 0x28 || in[1] != 0xB5 || in[2] != 0x2F || in[3] != 0xFD)
        return false;
    uint8_t flags = in[MAGIC_LEN];
    if ((flags & FLAGS_REFUSED) != 0)
        return false;
    if ((flags & FLAG_SINGLE_SEGMENT) != 0)
        return true; /* the window is the content */
    unsigned exponent = in[MAGIC_LEN + 1] >> 3;
    unsigned mantissa = in[MAGIC_LEN + 1] & 7u;
    return 10 + exponent < WINDOW_LOG_MAX || (10 + exponent == WINDOW_LOG_MAX && mantissa == 0);
}

static cof_status zstd_decompress(uint8_t *out, size_t out_len, void *context, const uint8_t *in,
                                  size_t len, cof_error *err)
{
    if (!header_is_ours(in, len))
        return cof_fail(err, COF_FORMAT, "a record does not start like a zstd frame of a backup");
    if (ZSTD_getFrameContentSize(in, len) != out_len)
        return cof_fail(err, COF_FORMAT, "a zstd frame does not state the length of its record");
    if (ZSTD_findFrameCompressedSize(in, len) != len)
        return cof_fail(err, COF_FORMAT, "a record is not exactly one zstd frame");

    size_t n = ZSTD_decompressDCtx(context, out, out_len, in, len);
    if (ZSTD_isError(n) && ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (ZSTD_isError(n))
        return cof_fail(err, COF_FORMAT, "a record does not decompress: %s", ZSTD_getErrorName(n));
    if (n != out_len)
        return cof_fail(err, COF_FORMAT, "a record decompresses to %zu bytes instead of %zu", n,
                        out_len);
    return COF_OK;
}

const cof_codec_backend cof_codec_zstd = {
    .level_min = 1,
    .level_max = 22,
    .level_default = 3,
    .bound = zstd_bound,
    .compressor_new = zstd_compressor_new,
    .compressor_free = zstd_compressor_free,
    .compress = zstd_compress,
    .decompressor_new = zstd_decompressor_new,
    .decompressor_free = zstd_decompressor_free,
    .decompress = zstd_decompress,
};
