/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CODEC_BACKEND_H
#define COF_CODEC_BACKEND_H

/*
 * What a compression library has to offer to become a codec: one row in the table of codec.c.
 * Private to this room.  The contracts are those of codec.h, without the checks that codec.c has
 * already made.
 */

#include "codec/codec.h"

typedef struct cof_codec_backend {
    /* All 0: there are no levels. */
    int level_min;
    int level_max;
    int level_default;

    /* SIZE_MAX when it cannot be expressed. */
    size_t (*bound)(size_t len);

    /* A context, NULL when out of memory. */
    void *(*compressor_new)(int level);
    void (*compressor_free)(void *context);

    /* *out_len is 0 when the result does not fit into cap, which is below len. */
    cof_status (*compress)(uint8_t *out, size_t cap, size_t *out_len, void *context,
                           const uint8_t *in, size_t len, cof_error *err);

    void *(*decompressor_new)(void);
    void (*decompressor_free)(void *context);
    cof_status (*decompress)(uint8_t *out, size_t out_len, void *context, const uint8_t *in,
                             size_t len, cof_error *err);
} cof_codec_backend;

extern const cof_codec_backend cof_codec_zstd;
extern const cof_codec_backend cof_codec_lz4;
extern const cof_codec_backend cof_codec_gzip;

#endif
