/* SPDX-License-Identifier: Apache-2.0 */

/* The codec and level that a person asked for. */

#include "engine/compress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define LEVEL_MAX 19 /* above, zstd needs more memory than a backup may use */

static cof_status parse_level(int *out, const char *text, cof_error *err)
{
    char *end = NULL;
    long level = strtol(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || level < 1 || level > LEVEL_MAX)
        return cof_fail(err, COF_USAGE, "a compression level is a number from 1 to %d", LEVEL_MAX);
    *out = (int)level;
    return COF_OK;
}

cof_status cof_compress_from_text(cof_codec *codec, int *level, const char *text, cof_error *err)
{
    char name[16];
    const char *colon;
    cof_status st;

    *level = COF_LEVEL_DEFAULT;
    if (text == NULL)
        text = "zstd";
    colon = strchr(text, ':');
    (void)snprintf(name, sizeof(name), "%.*s",
                   colon != NULL ? (int)(colon - text) : (int)sizeof(name), text);
    if ((st = cof_codec_from_name(codec, name, err)) != COF_OK)
        return st;
    if (!cof_codec_supported(*codec))
        return cof_fail(err, COF_UNSUPPORTED, "this version cannot compress with %s", name);
    if (colon == NULL)
        return COF_OK;
    if (*codec == COF_CODEC_NONE)
        return cof_fail(err, COF_USAGE, "no compression has no level");
    return parse_level(level, colon + 1, err);
}
