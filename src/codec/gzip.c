/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gzip (RFC 1952) by zlib.  A record is one call each way, so nothing is buffered but zlib's window
 * of 32 KiB.  The stream's own checks (CRC and length at its end) are made by zlib; that nothing
 * follows the one member is checked here.
 */

#include "base/error.h"
#include "codec/backend.h"

#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST /* its pointer to the input, which it only reads */
#include <zlib.h>

/* The largest window, and gzip alone: neither zlib's form nor raw deflate. */
#define WINDOW_GZIP (15 + 16)
#define MEM_LEVEL   8

#define PROBE_FROM ((size_t)1 << 20)
#define PROBE      ((size_t)40 << 10)

static size_t gzip_bound(size_t len)
{
    if (len > UINT_MAX / 2)
        return SIZE_MAX;
    return len + (len >> 3) + (len >> 6) + 64; /* compressBound() knows only of zlib's form */
}

static void *gzip_compressor_new(int level)
{
    z_stream *z = calloc(1, sizeof *z);
    if (z != NULL &&
        deflateInit2(z, level, Z_DEFLATED, WINDOW_GZIP, MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        z = NULL;
    }
    return z;
}

static void gzip_compressor_free(void *context)
{
    if (context == NULL)
        return;
    (void)deflateEnd(context);
    free(context);
}

static void set_input(z_stream *z, const uint8_t *in, size_t len)
{
    z->next_in = in;
    z->avail_in = (uInt)len;
}

static cof_status deflate_all(uint8_t *out, size_t cap, size_t *out_len, z_stream *z,
                              const uint8_t *in, size_t len, cof_error *err)
{
    if (deflateReset(z) != Z_OK)
        return cof_fail(err, COF_INTERNAL, "gzip failed to begin a record");
    set_input(z, in, len);
    z->next_out = out;
    z->avail_out = (uInt)cap;
    int code = deflate(z, Z_FINISH);
    if (code == Z_STREAM_END)
        *out_len = cap - z->avail_out;
    else if (code != Z_OK && code != Z_BUF_ERROR) /* these: does not shrink */
        return cof_fail(err, COF_INTERNAL, "gzip failed to compress a record (%d)", code);
    return COF_OK;
}

/*
 * zlib takes as long for what does not compress as for anything else: thirty times as long as it
 * takes to encrypt it.  So look at three parts of a long record first, each longer than the window.
 */
static cof_status looks_compressible(bool *out, uint8_t *room, size_t cap, z_stream *z,
                                     const uint8_t *in, size_t len, cof_error *err)
{
    *out = len < PROBE_FROM || cap < PROBE;
    for (size_t i = 0; i < 3 && !*out; i++) {
        size_t shrunk = 0;
        cof_status st =
            deflate_all(room, PROBE - 1, &shrunk, z, in + i * ((len - PROBE) / 2), PROBE, err);
        if (st != COF_OK)
            return st;
        *out = shrunk != 0;
    }
    return COF_OK;
}

static cof_status gzip_compress(uint8_t *out, size_t cap, size_t *out_len, void *context,
                                const uint8_t *in, size_t len, cof_error *err)
{
    bool worth_it = false;
    if (len > UINT_MAX)
        return cof_fail(err, COF_INTERNAL, "a record of %zu bytes is too long for gzip", len);
    if (cap == 0)
        return COF_OK;
    cof_status st = looks_compressible(&worth_it, out, cap, context, in, len, err);
    return st == COF_OK && worth_it ? deflate_all(out, cap, out_len, context, in, len, err) : st;
}

static void *gzip_decompressor_new(void)
{
    z_stream *z = calloc(1, sizeof *z);
    if (z != NULL && inflateInit2(z, WINDOW_GZIP) != Z_OK) {
        free(z);
        z = NULL;
    }
    return z;
}

static void gzip_decompressor_free(void *context)
{
    if (context == NULL)
        return;
    (void)inflateEnd(context);
    free(context);
}

static cof_status gzip_decompress(uint8_t *out, size_t out_len, void *context, const uint8_t *in,
                                  size_t len, cof_error *err)
{
    uint8_t none[1]; /* zlib wants a place even where there is nothing to write */
    z_stream *z = context;
    if (len > UINT_MAX || out_len > UINT_MAX)
        return cof_fail(err, COF_FORMAT, "a record is too long for gzip");
    if (inflateReset(z) != Z_OK)
        return cof_fail(err, COF_INTERNAL, "gzip failed to begin a record");
    set_input(z, in, len);
    z->next_out = out_len > 0 ? out : none;
    z->avail_out = (uInt)out_len;
    int code = inflate(z, Z_FINISH);
    if (code == Z_MEM_ERROR)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (code != Z_STREAM_END)
        return cof_fail(err, COF_FORMAT, "a record is not a gzip member of its length: %s",
                        z->msg != NULL ? z->msg : "it ends too early or is too long");
    if (z->avail_in != 0)
        return cof_fail(err, COF_FORMAT, "a record is not exactly one gzip member");
    if (z->avail_out != 0)
        return cof_fail(err, COF_FORMAT, "a record decompresses to %zu bytes instead of %zu",
                        out_len - z->avail_out, out_len);
    return COF_OK;
}

const cof_codec_backend cof_codec_gzip = {
    .level_min = 1,
    .level_max = 9,
    .level_default = 6,
    .bound = gzip_bound,
    .compressor_new = gzip_compressor_new,
    .compressor_free = gzip_compressor_free,
    .compress = gzip_compress,
    .decompressor_new = gzip_decompressor_new,
    .decompressor_free = gzip_decompressor_free,
    .decompress = gzip_decompress,
};
