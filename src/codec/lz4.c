/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The LZ4 frame format.  Frames are written with their content size, without checksums (the
 * signature covers every byte) and without dictionary, in independent blocks.
 *
 * The library compresses only into room for the worst case, so a compressor has a buffer of its own
 * that grows with the largest record met.  A decompressor writes straight into the caller's bytes;
 * beside that the library keeps at most two blocks of 4 MiB, whatever a frame claims.
 *
 * The first bytes are read here before the library sees them, because it is more generous than the
 * format: it would skip over skippable frames, and take the identifier of a dictionary.
 */

#include "base/error.h"
#include "codec/backend.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_LEN       4
#define FLAG_DICTIONARY 0x01u

typedef struct lz4_compressor {
    LZ4F_cctx *context;
    uint8_t *room;
    size_t cap;
} lz4_compressor;

/* The smallest blocks that hold a record in one piece, up to the largest that there are. */
static LZ4F_blockSizeID_t block_size(size_t len)
{
    if (len <= (size_t)64 << 10)
        return LZ4F_max64KB;
    if (len <= (size_t)256 << 10)
        return LZ4F_max256KB;
    return len <= (size_t)1 << 20 ? LZ4F_max1MB : LZ4F_max4MB;
}

static LZ4F_preferences_t preferences(size_t len)
{
    return (LZ4F_preferences_t){
        .frameInfo = {.blockSizeID = block_size(len),
                      .blockMode = LZ4F_blockIndependent,
                      .contentSize = len},
        .autoFlush = 1,
    };
}

static size_t lz4_bound(size_t len)
{
    LZ4F_preferences_t p = preferences(len);
    if (len > SIZE_MAX / 2) /* beyond it the library's sum overflows */
        return SIZE_MAX;
    return LZ4F_compressFrameBound(len, &p);
}

static bool out_of_memory(size_t code)
{
    return strcmp(LZ4F_getErrorName(code), "ERROR_allocation_failed") == 0;
}

static void lz4_compressor_free(void *context)
{
    lz4_compressor *c = context;
    if (c == NULL)
        return;
    (void)LZ4F_freeCompressionContext(c->context);
    free(c->room);
    free(c);
}

static void *lz4_compressor_new(int level)
{
    (void)level; /* there is one */
    lz4_compressor *c = calloc(1, sizeof *c);
    if (c != NULL && LZ4F_isError(LZ4F_createCompressionContext(&c->context, LZ4F_VERSION))) {
        lz4_compressor_free(c);
        c = NULL;
    }
    return c;
}

static cof_status make_room(lz4_compressor *c, size_t len, cof_error *err)
{
    size_t need = lz4_bound(len);
    if (need <= c->cap)
        return COF_OK;
    uint8_t *room = need < SIZE_MAX ? malloc(need) : NULL;
    if (room == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    free(c->room);
    c->room = room;
    c->cap = need;
    return COF_OK;
}

/* A whole frame into c->room; its length, or an error of the library. */
static size_t write_frame(lz4_compressor *c, const uint8_t *in, size_t len)
{
    LZ4F_preferences_t p = preferences(len);
    size_t at = LZ4F_compressBegin(c->context, c->room, c->cap, &p);
    if (LZ4F_isError(at))
        return at;
    size_t n = LZ4F_compressUpdate(c->context, c->room + at, c->cap - at, in, len, NULL);
    if (LZ4F_isError(n))
        return n;
    at += n;
    n = LZ4F_compressEnd(c->context, c->room + at, c->cap - at, NULL);
    return LZ4F_isError(n) ? n : at + n;
}

static cof_status lz4_compress(uint8_t *out, size_t cap, size_t *out_len, void *context,
                               const uint8_t *in, size_t len, cof_error *err)
{
    lz4_compressor *c = context;
    cof_status st = make_room(c, len, err);
    if (st != COF_OK)
        return st;
    size_t n = write_frame(c, in, len);
    if (LZ4F_isError(n) && out_of_memory(n))
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (LZ4F_isError(n))
        return cof_fail(err, COF_INTERNAL, "LZ4 failed to compress a record: %s",
                        LZ4F_getErrorName(n));
    if (n > cap)
        return COF_OK; /* does not shrink */
    memcpy(out, c->room, n);
    *out_len = n;
    return COF_OK;
}

/* The library's context, made when it is needed: after a failure it cannot be used again. */
typedef struct lz4_decompressor {
    LZ4F_dctx *context;
} lz4_decompressor;

static void *lz4_decompressor_new(void)
{
    return calloc(1, sizeof(lz4_decompressor));
}

static void forget(lz4_decompressor *d)
{
    (void)LZ4F_freeDecompressionContext(d->context);
    d->context = NULL;
}

static void lz4_decompressor_free(void *context)
{
    if (context == NULL)
        return;
    forget(context);
    free(context);
}

static cof_status prepare(lz4_decompressor *d, cof_error *err)
{
    if (d->context != NULL) {
        LZ4F_resetDecompressionContext(d->context);
        return COF_OK;
    }
    if (!LZ4F_isError(LZ4F_createDecompressionContext(&d->context, LZ4F_VERSION)))
        return COF_OK;
    d->context = NULL;
    return cof_fail(err, COF_NOMEM, "out of memory");
}

static bool header_is_ours(const uint8_t *in, size_t len)
{
    return len > MAGIC_LEN && in[0] == 0x04 && in[1] == 0x22 && in[2] == 0x4D && in[3] == 0x18 &&
           (in[MAGIC_LEN] & FLAG_DICTIONARY) == 0;
}

/* One frame from the beginning of in; how much it took, and gave, in *read and *done. */
static cof_status read_frame(uint8_t *out, size_t out_len, size_t *done, LZ4F_dctx *context,
                             const uint8_t *in, size_t len, size_t *read, cof_error *err)
{
    const LZ4F_decompressOptions_t stable = {.stableDst = 1};
    size_t hint = 1;
    bool moved = true;

    *done = *read = 0;
    while (hint != 0 && moved) { /* 0: the frame has ended; no move: it wants more than there is */
        size_t in_now = len - *read, out_now = out_len - *done;
        hint = LZ4F_decompress(context, out + *done, &out_now, in + *read, &in_now, &stable);
        if (LZ4F_isError(hint) && out_of_memory(hint))
            return cof_fail(err, COF_NOMEM, "out of memory");
        if (LZ4F_isError(hint))
            return cof_fail(err, COF_FORMAT, "a record does not decompress: %s",
                            LZ4F_getErrorName(hint));
        moved = in_now > 0 || out_now > 0;
        *read += in_now;
        *done += out_now;
    }
    if (hint != 0)
        return cof_fail(err, COF_FORMAT, "an LZ4 frame ends too early, or is longer than %zu bytes",
                        out_len);
    return COF_OK;
}

static cof_status lz4_decompress(uint8_t *out, size_t out_len, void *context, const uint8_t *in,
                                 size_t len, cof_error *err)
{
    lz4_decompressor *d = context;
    size_t done, read;
    cof_status st;

    if (!header_is_ours(in, len))
        return cof_fail(err, COF_FORMAT, "a record does not start like an LZ4 frame of a backup");
    if ((st = prepare(d, err)) != COF_OK)
        return st;
    st = read_frame(out, out_len, &done, d->context, in, len, &read, err);
    if (st == COF_OK && read != len)
        st = cof_fail(err, COF_FORMAT, "a record is not exactly one LZ4 frame");
    if (st == COF_OK && done != out_len)
        st = cof_fail(err, COF_FORMAT, "a record decompresses to %zu bytes instead of %zu", done,
                      out_len);
    if (st != COF_OK)
        forget(d);
    return st;
}

const cof_codec_backend cof_codec_lz4 = {
    .bound = lz4_bound, /* and no levels */
    .compressor_new = lz4_compressor_new,
    .compressor_free = lz4_compressor_free,
    .compress = lz4_compress,
    .decompressor_new = lz4_decompressor_new,
    .decompressor_free = lz4_decompressor_free,
    .decompress = lz4_decompress,
};
