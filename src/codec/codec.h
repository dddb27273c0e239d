/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CODEC_CODEC_H
#define COF_CODEC_CODEC_H

/*
 * Compression of one record at a time.  Each record stands alone: no dictionary, no state from one
 * to the next.  A context belongs to one thread and is used again for every record.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of the frame header. */
typedef enum cof_codec {
    COF_CODEC_NONE = 0,
    COF_CODEC_ZSTD = 1,
    COF_CODEC_LZ4 = 2,
    COF_CODEC_GZIP = 3
} cof_codec;

/* Ask for the codec's own default level. */
#define COF_LEVEL_DEFAULT 0

/* Is there a codec with this number?  Takes any number from a file. */
bool cof_codec_supported(unsigned number);

/* "zstd"; "unknown" for a number that no codec has.  Static storage, never NULL. */
const char *cof_codec_name(unsigned number);

/* The codec with this name, in lower case.  COF_USAGE for any other name. */
cof_status cof_codec_from_name(cof_codec *out, const char *name, cof_error *err) COF_MUST_USE;

/* Whether a level can be chosen: for zstd and gzip. */
bool cof_codec_has_levels(cof_codec codec);

/*
 * The most that `len` bytes can become: room that makes cof_compress() independent of luck.
 * Never below len.  SIZE_MAX when that cannot be expressed.
 */
size_t cof_compress_bound(cof_codec codec, size_t len);

typedef struct cof_compressor cof_compressor;

/*
 * A context for one codec and level.  COF_CODEC_NONE is a codec that never shrinks anything.
 * COF_USAGE for a level that the codec does not have (zstd: 1 to 22, gzip: 1 to 9, the others only
 * the default), COF_UNSUPPORTED for a number that no codec has, COF_NOMEM; *out is then NULL.
 */
cof_status cof_compressor_new(cof_compressor **out, cof_codec codec, int level,
                              cof_error *err) COF_MUST_USE;

/*
 * Compress `len` bytes into out (cap bytes).  *out_len is the length of the result, or 0 when the
 * data does not shrink: the result would not be smaller than `len`, or does not fit into cap.
 * The contents of out are then undefined, and the record is to be stored raw.  in and out do not
 * overlap.  COF_NOMEM, COF_INTERNAL; *out_len is then 0.
 *
 * zstd: one frame, with its content size, without checksum and dictionary id, with a window that
 * is no larger than the next power of two above the record.
 * lz4: one frame of independent blocks, with its content size, without checksums and dictionary id.
 * gzip: one member, its header without name, time and other options.
 */
cof_status cof_compress(uint8_t *out, size_t cap, size_t *out_len, cof_compressor *c,
                        const uint8_t *in, size_t len, cof_error *err) COF_MUST_USE;

/* NULL is fine. */
void cof_compressor_free(cof_compressor *c);

typedef struct cof_decompressor cof_decompressor;

/* A context for every codec.  COF_NOMEM; *out is then NULL. */
cof_status cof_decompressor_new(cof_decompressor **out, cof_error *err) COF_MUST_USE;

/*
 * Decompress `len` bytes into exactly out_len bytes.  Never writes beyond out_len, whatever the
 * input claims, and stops as soon as it would.  Beside that it needs a fixed amount of memory that
 * the input cannot raise: for lz4 less than 9 MiB, for the others less than 1 MiB.  in and out do
 * not overlap.
 *
 * COF_FORMAT: the input does not decompress to exactly out_len bytes, has bytes left over, or is
 * not in the form of RC-5:
 *   zstd  exactly one frame that states out_len as its content size, no checksum, no dictionary,
 *         a window of at most 128 MiB;
 *   lz4   exactly one frame, neither skippable nor of the legacy form, without dictionary id;
 *         checksums and content size may be there, and must then be right;
 *   gzip  exactly one member, with whatever options in its header;
 *   none  len == out_len.
 * COF_UNSUPPORTED: a number that no codec has.  COF_NOMEM.  The contents of out are undefined after
 * a failure.
 */
cof_status cof_decompress(uint8_t *out, size_t out_len, cof_decompressor *d, cof_codec codec,
                          const uint8_t *in, size_t len, cof_error *err) COF_MUST_USE;

/* NULL is fine. */
void cof_decompressor_free(cof_decompressor *d);

#endif
