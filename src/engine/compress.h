/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_COMPRESS_H
#define COF_ENGINE_COMPRESS_H

#include "codec/codec.h"

/*
 * "zstd", "zstd:1" to "zstd:19", "lz4", "gzip", "gzip:1" to "gzip:9", "none"; NULL is "zstd".
 * COF_USAGE for everything else.
 */
cof_status cof_compress_from_text(cof_codec *codec, int *level, const char *text,
                                  cof_error *err) COF_MUST_USE;

#endif
