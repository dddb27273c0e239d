/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The codecs of the format as a table: number, name, and the library behind it.  Everything that is
 * the same for all of them is done here: what does not shrink is reported as such, and NONE is
 * copying.
 */

#include "codec/codec.h"

#include "base/error.h"
#include "codec/backend.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const cof_codec_backend *backend; /* NULL: NONE */
} codecs[] = {
    [COF_CODEC_NONE] = {"none", NULL},
    [COF_CODEC_ZSTD] = {"zstd", &cof_codec_zstd},
    [COF_CODEC_LZ4] = {"lz4", &cof_codec_lz4},
    [COF_CODEC_GZIP] = {"gzip", &cof_codec_gzip},
};

#define CODEC_COUNT (sizeof codecs / sizeof codecs[0])

struct cof_compressor {
    const cof_codec_backend *backend; /* NULL for NONE */
    void *context;
};

struct cof_decompressor {
    void *context[CODEC_COUNT]; /* made when a codec is first met */
};

static cof_status unsupported(cof_error *err, unsigned number)
{
    return cof_fail(err, COF_UNSUPPORTED,
                    "compression %s (number %u) is not supported by this version",
                    cof_codec_name(number), number);
}

bool cof_codec_supported(unsigned number)
{
    return number < CODEC_COUNT;
}

const char *cof_codec_name(unsigned number)
{
    return number < CODEC_COUNT ? codecs[number].name : "unknown";
}

cof_status cof_codec_from_name(cof_codec *out, const char *name, cof_error *err)
{
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        if (strcmp(codecs[i].name, name) == 0) {
            *out = (cof_codec)i;
            return COF_OK;
        }
    }
    return cof_fail(err, COF_USAGE,
                    "there is no compression of that name: use zstd, lz4, gzip or none");
}

bool cof_codec_has_levels(cof_codec codec)
{
    return cof_codec_supported(codec) && codecs[codec].backend != NULL &&
           codecs[codec].backend->level_max > 0;
}

size_t cof_compress_bound(cof_codec codec, size_t len)
{
    size_t bound = len;
    if (cof_codec_supported(codec) && codecs[codec].backend != NULL)
        bound = codecs[codec].backend->bound(len);
    return bound > len ? bound : len;
}

cof_status cof_compressor_new(cof_compressor **out, cof_codec codec, int level, cof_error *err)
{
    *out = NULL;
    if (!cof_codec_supported(codec))
        return unsupported(err, codec);

    const cof_codec_backend *backend = codecs[codec].backend;
    if (!cof_codec_has_levels(codec) && level != COF_LEVEL_DEFAULT)
        return cof_fail(err, COF_USAGE, "%s has no levels", codecs[codec].name);
    if (backend != NULL && level == COF_LEVEL_DEFAULT)
        level = backend->level_default;
    if (backend != NULL && (level < backend->level_min || level > backend->level_max))
        return cof_fail(err, COF_USAGE, "%s has no level %d; choose one from %d to %d",
                        codecs[codec].name, level, backend->level_min, backend->level_max);

    cof_compressor *c = calloc(1, sizeof *c);
    if (c == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    c->backend = backend;
    if (backend != NULL && (c->context = backend->compressor_new(level)) == NULL) {
        free(c);
        return cof_fail(err, COF_NOMEM, "out of memory");
    }
    *out = c;
    return COF_OK;
}

cof_status cof_compress(uint8_t *out, size_t cap, size_t *out_len, cof_compressor *c,
                        const uint8_t *in, size_t len, cof_error *err)
{
    *out_len = 0;
    if (c->backend == NULL || len == 0)
        return COF_OK;
    /* A result of len bytes is no gain: give the library no room for it. */
    size_t room = cap < len ? cap : len - 1;
    return c->backend->compress(out, room, out_len, c->context, in, len, err);
}

void cof_compressor_free(cof_compressor *c)
{
    if (c == NULL)
        return;
    if (c->backend != NULL)
        c->backend->compressor_free(c->context);
    free(c);
}

cof_status cof_decompressor_new(cof_decompressor **out, cof_error *err)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

static cof_status copy_raw(uint8_t *out, size_t out_len, const uint8_t *in, size_t len,
                           cof_error *err)
{
    if (len != out_len)
        return cof_fail(err, COF_FORMAT,
                        "a record that is stored as it is has %zu bytes instead of %zu", len,
                        out_len);
    if (len > 0)
        memcpy(out, in, len);
    return COF_OK;
}

cof_status cof_decompress(uint8_t *out, size_t out_len, cof_decompressor *d, cof_codec codec,
                          const uint8_t *in, size_t len, cof_error *err)
{
    if (!cof_codec_supported(codec))
        return unsupported(err, codec);
    if (codec == COF_CODEC_NONE)
        return copy_raw(out, out_len, in, len, err);

    const cof_codec_backend *backend = codecs[codec].backend;
    if (d->context[codec] == NULL && (d->context[codec] = backend->decompressor_new()) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    return backend->decompress(out, out_len, d->context[codec], in, len, err);
}

void cof_decompressor_free(cof_decompressor *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < CODEC_COUNT; i++)
        if (d->context[i] != NULL)
            codecs[i].backend->decompressor_free(d->context[i]);
    free(d);
}
