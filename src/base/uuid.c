/* SPDX-License-Identifier: Apache-2.0 */

/* UUIDs and their one spelling. */

#include "base/uuid.h"

#include "base/text.h"

#include <string.h>

/* The bytes of the five groups: 8-4-4-4-12 digits. */
static const uint8_t group_bytes[] = {4, 2, 2, 2, 6};

void cof_uuid_format(char out[COF_UUID_TEXT_CAP], const uint8_t uuid[COF_UUID_LEN])
{
    for (size_t i = 0; i < sizeof group_bytes; i++) {
        if (i > 0)
            *out++ = '-';
        cof_hex_encode(out, uuid, group_bytes[i]);
        out += 2 * group_bytes[i];
        uuid += group_bytes[i];
    }
}

bool cof_uuid_parse(uint8_t out[COF_UUID_LEN], const char *in, size_t len)
{
    uint8_t uuid[COF_UUID_LEN];
    uint8_t *next = uuid;
    if (len != COF_UUID_TEXT_LEN)
        return false;
    for (size_t i = 0; i < sizeof group_bytes; i++) {
        if (i > 0 && *in++ != '-')
            return false;
        if (!cof_hex_decode(next, group_bytes[i], in, 2u * group_bytes[i], COF_HEX_LOWER))
            return false;
        in += 2 * group_bytes[i];
        next += group_bytes[i];
    }
    memcpy(out, uuid, sizeof uuid);
    return true;
}

void cof_uuid_from_random(uint8_t uuid[COF_UUID_LEN])
{
    uuid[6] = (uint8_t)(0x40 | (uuid[6] & 0x0F));
    uuid[8] = (uint8_t)(0x80 | (uuid[8] & 0x3F));
}
