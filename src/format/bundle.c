/* SPDX-License-Identifier: Apache-2.0 */

/* The header of a bundle.  What lies behind it is read head by head by the engine. */

#include "format/bundle.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "format/limits.h"
#include "format/superblock.h"
#include "wire/wire.h"

#define VERSION 1

/* The least that a head takes: smallest slots. */
#define HEAD_MIN cof_head_len(COF_SLOT_SIZE_MIN)

static const uint8_t magic[8] = {0x89, 'C', 'O', 'F', 'B', 'N', 'D', '\n'};

bool cof_bundle_has_magic(const uint8_t raw[8])
{
    return memcmp(raw, magic, sizeof(magic)) == 0;
}

static cof_status broken(cof_error *err)
{
    return cof_fail_rule(err, COF_FORMAT, "BU-1", 0,
                         "this is no bundle of heads, or a damaged one");
}

/* BU-2: what the header says fits the file, before anything is read that it leads to. */
static cof_status check(const cof_bundle_header *h, uint64_t size, cof_error *err)
{
    uint64_t rest = COF_BUNDLE_HEADER_SIZE + COF_BUNDLE_DIGEST_SIZE;

    if (h->count == 0 || h->count > COF_BUNDLE_HEADS_MAX)
        return cof_fail_rule(err, h->count == 0 ? COF_FORMAT : COF_LIMIT, "BU-2", 12,
                             "the bundle says that it holds %" PRIu32
                             " heads, which is not between "
                             "1 and %" PRIu32,
                             h->count, COF_BUNDLE_HEADS_MAX);
    if (h->length != size)
        return cof_fail_rule(err, COF_FORMAT, "BU-2", 16,
                             "the bundle should be %" PRIu64 " bytes long and is %" PRIu64
                             ": it was cut off, or something was added",
                             h->length, size);
    if (h->length < rest || (h->length - rest) / HEAD_MIN < h->count)
        return cof_fail_rule(err, COF_FORMAT, "BU-2", 12,
                             "the bundle is too short for the %" PRIu32 " heads that it names",
                             h->count);
    return COF_OK;
}

cof_status cof_bundle_header_parse(cof_bundle_header *out,
                                   const uint8_t raw[COF_BUNDLE_HEADER_SIZE], uint64_t size,
                                   cof_error *err)
{
    cof_bundle_header h;
    uint16_t version;
    cof_get g;
    cof_status st;

    cof_get_init(&g, raw, COF_BUNDLE_HEADER_SIZE);
    if (cof_get_expect(&g, magic, sizeof(magic)) != COF_OK || cof_get_u16(&g, &version) != COF_OK)
        return broken(err);
    if (version != VERSION)
        return cof_fail_rule(err, COF_UNSUPPORTED, "BU-1", 8,
                             "the bundle is of version %u, and this program reads version %d",
                             version, VERSION);
    if (cof_get_skip_zeros(&g, 2) != COF_OK || cof_get_u32(&g, &h.count) != COF_OK ||
        cof_get_u64(&g, &h.length) != COF_OK || cof_get_skip_zeros(&g, 40) != COF_OK ||
        cof_get_done(&g) != COF_OK)
        return broken(err);
    if ((st = check(&h, size, err)) == COF_OK)
        *out = h;
    return st;
}

void cof_bundle_header_emit(uint8_t out[COF_BUNDLE_HEADER_SIZE], const cof_bundle_header *header)
{
    memset(out, 0, COF_BUNDLE_HEADER_SIZE);
    memcpy(out, magic, sizeof(magic));
    cof_be16_store(out + 8, VERSION);
    cof_be32_store(out + 12, header->count);
    cof_be64_store(out + 16, header->length);
}
