/* SPDX-License-Identifier: Apache-2.0 */
/* The trailer: the last 64 bytes of a backup, by which a reader finds both copies of the tail. */

#include "format/tail.h"

#include "base/num.h"
#include "base/secret.h"
#include "format/frame.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <string.h>

#define MAGIC      "COFTRLR\n"
#define MAGIC_SIZE 8

/* How far it is from one TAIL frame to what follows its trailer. */
static uint64_t copy_len(uint64_t payload_len)
{
    return COF_FRAME_SIZE + payload_len + COF_TRAILER_SIZE; /* payload_len is at most 2^26 */
}

cof_status cof_trailer_make(cof_trailer *out, uint64_t first, cof_slice payload, cof_error *err)
{
    cof_trailer t = {.first = first, .len = payload.len};
    uint64_t end;
    cof_status st;

    if (payload.len > COF_TAIL_MAX || !cof_add_u64(first, copy_len(t.len), &t.second) ||
        !cof_add_u64(t.second, copy_len(t.len), &end))
        return cof_fail_rule(err, COF_LIMIT, "TL-1", COF_NO_OFFSET, "the tail is too large");
    if ((st = cof_sha256(t.sha256, payload.data, payload.len, err)) != COF_OK)
        return st;
    *out = t;
    return COF_OK;
}

void cof_trailer_emit(uint8_t out[COF_TRAILER_SIZE], const cof_trailer *trailer)
{
    memcpy(out, MAGIC, MAGIC_SIZE);
    cof_be64_store(out + 8, trailer->first);
    cof_be64_store(out + 16, trailer->second);
    cof_be64_store(out + 24, trailer->len);
    memcpy(out + 32, trailer->sha256, sizeof(trailer->sha256));
}

cof_status cof_trailer_parse(cof_trailer *out, const uint8_t raw[COF_TRAILER_SIZE], cof_error *err)
{
    cof_trailer t;
    uint64_t second, end;
    cof_get g;

    cof_get_init(&g, raw, COF_TRAILER_SIZE);
    if (cof_get_expect(&g, MAGIC, MAGIC_SIZE) != COF_OK || cof_get_u64(&g, &t.first) != COF_OK ||
        cof_get_u64(&g, &t.second) != COF_OK || cof_get_u64(&g, &t.len) != COF_OK ||
        cof_get_bytes(&g, t.sha256, sizeof(t.sha256)) != COF_OK)
        return cof_fail_rule(err, COF_FORMAT, "TL-1", COF_NO_OFFSET,
                             "there is no trailer at the end: the backup is not complete");
    if (t.len > COF_TAIL_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                             "the trailer claims a tail of %" PRIu64 " bytes", t.len);
    if (!cof_add_u64(t.first, copy_len(t.len), &second) || second != t.second ||
        !cof_add_u64(t.second, copy_len(t.len), &end))
        return cof_fail_rule(err, COF_FORMAT, "TL-1", COF_NO_OFFSET,
                             "the offsets in the trailer contradict each other");
    *out = t;
    return COF_OK;
}

cof_status cof_trailer_check_body(const cof_trailer *trailer, uint64_t body_len, cof_error *err)
{
    uint64_t end;

    if (cof_add_u64(trailer->second, copy_len(trailer->len), &end) && end == body_len)
        return COF_OK;
    return cof_fail_rule(err, COF_FORMAT, "TL-1", COF_NO_OFFSET,
                         "the file does not end where its trailer says");
}

cof_status cof_trailer_check_payload(const cof_trailer *trailer, cof_slice payload, cof_error *err)
{
    uint8_t hash[COF_SHA256_SIZE];
    cof_status st;

    if ((st = cof_sha256(hash, payload.data, payload.len, err)) != COF_OK)
        return st;
    if (payload.len != trailer->len || !cof_equal_consttime(hash, trailer->sha256, sizeof(hash)))
        return cof_fail_rule(err, COF_FORMAT, "TL-2", COF_NO_OFFSET,
                             "a tail does not match its trailer");
    return COF_OK;
}
