/* SPDX-License-Identifier: Apache-2.0 */

/* The JSON of a manifest. */

#include "format/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static const uint8_t other[COF_SHA256_SIZE] = "no hash of anything is like this";

/* Its members, put together again one by one. */
static cof_status put_together(cof_manifest *out, const cof_manifest *manifest)
{
    cof_status st = COF_OK;

    *out = *manifest;
    out->volumes = NULL;
    out->volume_count = out->volume_cap = 0;
    for (size_t i = 0; st == COF_OK && i < manifest->volume_count; i++)
        st = cof_manifest_add_volume(out, &manifest->volumes[i], NULL);
    return st;
}

static void write_again(const cof_manifest *manifest)
{
    cof_manifest second = COF_MANIFEST_INIT, third = COF_MANIFEST_INIT;
    cof_buf once = COF_BUF_INIT, twice = COF_BUF_INIT;

    fuzz_require(cof_manifest_emit(&once, manifest, NULL) == COF_OK &&
                     cof_manifest_parse(&second, cof_buf_slice(&once), NULL) == COF_OK &&
                     put_together(&third, &second) == COF_OK &&
                     cof_manifest_emit(&twice, &third, NULL) == COF_OK &&
                     cof_slice_equal(cof_buf_slice(&once), cof_buf_slice(&twice)),
                 "what was read can be written and read again");
    cof_manifest_wipe(&second);
    cof_manifest_wipe(&third);
    cof_buf_free(&once);
    cof_buf_free(&twice);
}

/* A manifest belongs to the backup that it names, and to no other. */
static void compare(const cof_manifest *m)
{
    const uint8_t *commitment = m->has_commitment ? m->commitment : NULL;
    cof_preamble p = {.epoch = (uint32_t)m->epoch,
                      .content = m->content,
                      .protection =
                          m->has_commitment ? COF_PROTECTION_SEALED : COF_PROTECTION_SIGNED_ONLY};

    memcpy(p.uuid, m->backup, sizeof(p.uuid));
    memcpy(p.maker, m->by, sizeof(p.maker));
    fuzz_require((cof_manifest_check(m, &p, m->core, commitment, NULL) == COF_OK) ==
                     (m->epoch <= UINT32_MAX),
                 "a manifest is for what it names");
    memcpy(p.maker, other, sizeof(p.maker));
    fuzz_require(m->epoch != 0 || cof_manifest_check(m, &p, m->core, commitment, NULL) == COF_AUTH,
                 "a manifest is by the maker that the backup names");
    p.protection = COF_PROTECTION_SEALED;
    fuzz_require(cof_manifest_check(m, &p, m->core, other, NULL) == COF_AUTH,
                 "a manifest commits to one key");
}

/* What nobody would read is not written. */
static void refuse(const cof_manifest *manifest)
{
    cof_manifest m = *manifest;
    cof_buf out = COF_BUF_INIT;

    m.tool[0] = (char)0xFF;
    fuzz_require(cof_manifest_emit(&out, &m, NULL) == COF_USAGE, "a text is UTF-8");
    m = *manifest;
    m.plain_bytes = UINT64_MAX;
    fuzz_require(cof_manifest_emit(&out, &m, NULL) == COF_USAGE, "a number is one of JSON's");
    m = *manifest;
    m.finished = UINT64_MAX;
    fuzz_require(cof_manifest_emit(&out, &m, NULL) == COF_USAGE,
                 "a time has a year of four digits");
    m = *manifest;
    m.volume_count = 0;
    fuzz_require(cof_manifest_emit(&out, &m, NULL) == COF_USAGE && out.len == 0,
                 "there is a volume");
    cof_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    cof_manifest manifest = COF_MANIFEST_INIT;

    if (cof_manifest_parse(&manifest, (cof_slice){copy, size}, NULL) == COF_OK) {
        write_again(&manifest);
        compare(&manifest);
        refuse(&manifest);
    }
    cof_manifest_wipe(&manifest);
    free(copy);
    return 0;
}
