/* SPDX-License-Identifier: Apache-2.0 */

/* The codec and level that a person asked for. */

#include "engine/compress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define ZSTD_LEVEL_MAX 19 /* above, zstd needs more memory than a backup may use */
#define GZIP_LEVEL_MAX 9

static cof_status parse_level(int *out, cof_codec codec, const char *text, cof_error *err)
{
    int most = codec == COF_CODEC_ZSTD ? ZSTD_LEVEL_MAX : GZIP_LEVEL_MAX;
    char *end = NULL;
    long level;

    if (!cof_codec_has_levels(codec))
        return cof_fail(err, COF_USAGE, "%s has no levels: leave out what follows the colon",
                        codec == COF_CODEC_NONE ? "no compression" : cof_codec_name(codec));
    level = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || level < 1 || level > most)
        return cof_fail(err, COF_USAGE, "the compression level of %s is a number from 1 to %d",
                        cof_codec_name(codec), most);
    *out = (int)level;
    return COF_OK;
}

cof_status cof_compress_from_text(cof_codec *codec, int *level, const char *text, cof_error *err)
{
    char name[16]; /* cut short, a longer one is still no name of a codec */
    size_t len;
    cof_status st;

    *level = COF_LEVEL_DEFAULT;
    if (text == NULL)
        text = "zstd";
    len = strcspn(text, ":");
    (void)snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name) - 1),
                   text);
    if ((st = cof_codec_from_name(codec, name, err)) != COF_OK || text[len] == '\0')
        return st;
    return parse_level(level, *codec, text + len + 1, err);
}
