/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The JSON of custody statements.  Input: one, or several with a zero byte between them, which are
 * then looked at as a chain.
 */

#include "format/custody.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define STATEMENTS 4

static const uint8_t other[COF_SHA256_SIZE] = "no hash of anything is like this";

/* Its members, put together again one by one. */
static cof_status put_together(cof_custody *out, const cof_custody *custody)
{
    cof_status st = COF_OK;

    *out = *custody;
    out->recipients = NULL;
    out->recipient_count = 0;
    out->reason = NULL;
    for (size_t i = 0; st == COF_OK && i < custody->recipient_count; i++)
        st = cof_custody_add_recipient(out, &custody->recipients[i], NULL);
    return st == COF_OK ? cof_custody_set_reason(out, custody->reason, NULL) : st;
}

static void write_again(const cof_custody *custody)
{
    cof_custody second = COF_CUSTODY_INIT, third = COF_CUSTODY_INIT;
    cof_buf once = COF_BUF_INIT, twice = COF_BUF_INIT;

    fuzz_require(cof_custody_emit(&once, custody, NULL) == COF_OK &&
                     cof_custody_parse(&second, cof_buf_slice(&once), NULL) == COF_OK &&
                     put_together(&third, &second) == COF_OK &&
                     cof_custody_emit(&twice, &third, NULL) == COF_OK &&
                     cof_slice_equal(cof_buf_slice(&once), cof_buf_slice(&twice)),
                 "what was read can be written and read again");
    cof_custody_wipe(&second);
    cof_custody_wipe(&third);
    cof_buf_free(&once);
    cof_buf_free(&twice);
}

/* A statement belongs to the backup that it names, with the keys that it names. */
static void compare(const cof_custody *custody)
{
    cof_preamble preamble = {.epoch = (uint32_t)custody->epoch};

    memcpy(preamble.uuid, custody->backup, sizeof(preamble.uuid));
    fuzz_require((cof_custody_check_preamble(custody, &preamble, custody->core, custody->keys,
                                             NULL) == COF_OK) == (custody->epoch <= UINT32_MAX),
                 "a statement is for what it names");
    fuzz_require(cof_custody_check_preamble(custody, &preamble, custody->core, other, NULL) ==
                     COF_AUTH,
                 "a statement is for no other keys");
    fuzz_require(cof_custody_check_preamble(custody, &preamble, other, custody->keys, NULL) ==
                     COF_AUTH,
                 "a statement is for no other content");
}

static void chain(const cof_custody *statements, const uint8_t (*hashes)[COF_SHA256_SIZE], size_t n)
{
    cof_custody_link links[STATEMENTS];

    for (size_t i = 0; i < n; i++)
        links[i] = (cof_custody_link){&statements[i], hashes[i]};
    if (n == 0 || cof_custody_check_chain(links, n, NULL) != COF_OK)
        return;
    fuzz_require(cof_custody_chain_start(links, n) <= statements[n - 1].generation,
                 "a chain begins before it ends");
    links[0].statement = &statements[n - 1];
    fuzz_require(n == 1 || cof_custody_check_chain(links, n, NULL) != COF_OK,
                 "no statement stands twice in a chain");
}

static size_t read_all(cof_custody *statements, uint8_t (*hashes)[COF_SHA256_SIZE], cof_slice in)
{
    size_t n = 0;

    while (n < STATEMENTS && in.len > 0) {
        const uint8_t *end = memchr(in.data, 0, in.len);
        cof_slice json = {in.data, end == NULL ? in.len : (size_t)(end - in.data)};

        if (cof_custody_parse(&statements[n], json, NULL) == COF_OK &&
            cof_custody_json_sha256(hashes[n], json, NULL) == COF_OK) {
            write_again(&statements[n]);
            compare(&statements[n]);
            n++;
        } else {
            cof_custody_wipe(&statements[n]);
        }
        in.data += json.len + (end != NULL);
        in.len -= json.len + (end != NULL);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size), hashes[STATEMENTS][COF_SHA256_SIZE];
    cof_custody statements[STATEMENTS] = {COF_CUSTODY_INIT};
    size_t n = read_all(statements, hashes, (cof_slice){copy, size});

    chain(statements, (const uint8_t(*)[COF_SHA256_SIZE])hashes, n);
    for (size_t i = 0; i < STATEMENTS; i++)
        cof_custody_wipe(&statements[i]);
    free(copy);
    return 0;
}
