/* SPDX-License-Identifier: Apache-2.0 */

/* Text from outside on its way to a terminal, and the little formats: times, UUIDs, paths. */

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/treepath.h"
#include "base/uuid.h"
#include "fuzz.h"

static void make_safe(const char *text, size_t size)
{
    char small[64], *whole = malloc(COF_TEXT_SAFE_CAP(size));

    if (whole == NULL)
        return;
    (void)cof_text_safe(small, sizeof(small), text, size);
    fuzz_require(strlen(small) < sizeof(small), "what was made safe ends");
    (void)cof_text_safe(whole, COF_TEXT_SAFE_CAP(size), text, size);
    fuzz_require(cof_utf8_valid(whole, strlen(whole)), "what is safe is UTF-8");
    for (const char *p = whole; *p != '\0'; p++)
        fuzz_require((unsigned char)*p >= 0x20 && *p != 0x7F, "what is safe has no controls");
    free(whole);
}

static void read_numbers(const char *text, size_t size)
{
    char time[COF_TIME_CAP], uuid_text[COF_UUID_TEXT_CAP];
    uint8_t uuid[COF_UUID_LEN], bytes[32];
    uint64_t seconds;

    if (cof_time_parse(&seconds, text, size))
        fuzz_require(cof_time_format(time, seconds) && memcmp(time, text, size) == 0,
                     "a time has one spelling");
    if (cof_uuid_parse(uuid, text, size)) {
        cof_uuid_format(uuid_text, uuid);
        fuzz_require(memcmp(uuid_text, text, size) == 0, "a UUID has one spelling");
    }
    (void)!cof_hex_decode(bytes, sizeof(bytes), text, size, COF_HEX_ANY);
}

/* The first half against the second. */
static void read_paths(const uint8_t *data, size_t size)
{
    cof_slice a = {data, size / 2}, b = {data + size / 2, size - size / 2};
    int order;

    if (!cof_treepath_valid(a) || !cof_treepath_valid(b))
        return;
    order = cof_treepath_compare(a, b);
    fuzz_require((order < 0) == (cof_treepath_compare(b, a) > 0), "an order has two directions");
    fuzz_require(cof_treepath_shared(a, b) <= size / 2 + 1, "what is shared is in both");
    if (cof_treepath_below(a, b))
        fuzz_require(order >= 0, "what is below comes after");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);

    make_safe((const char *)copy, size);
    read_numbers((const char *)copy, size);
    read_paths(copy, size);
    free(copy);
    return 0;
}
