/* SPDX-License-Identifier: Apache-2.0 */

#include "ask.h"

#include <string.h>

#define LONG (COF_PASSPHRASE_MAX + 1)

static bool asked;

static cof_status give(cof_secret **out, const char *text, size_t len, cof_error *err)
{
    cof_status st = cof_secret_new(out, len, err);

    if (st == COF_OK)
        memcpy(cof_secret_bytes(*out), text, len);
    return st;
}

static cof_status secret(void *ctx, const char *what, cof_secret **out, cof_error *err)
{
    (void)ctx;
    (void)what;
    asked = true;
    return give(out, "secret", 6, err);
}

static cof_status with_zero(void *ctx, const char *what, cof_secret **out, cof_error *err)
{
    (void)ctx;
    (void)what;
    return give(out, "secret", 7, err);
}

static cof_status too_long(void *ctx, const char *what, cof_secret **out, cof_error *err)
{
    char text[LONG];

    (void)ctx;
    (void)what;
    memset(text, 'x', sizeof(text));
    return give(out, text, sizeof(text), err);
}

static cof_status nothing(void *ctx, const char *what, cof_secret **out, cof_error *err)
{
    (void)ctx;
    (void)what;
    (void)err;
    *out = NULL;
    return COF_OK;
}

static cof_status cannot(void *ctx, const char *what, cof_secret **out, cof_error *err)
{
    (void)ctx;
    (void)what;
    *out = NULL;
    return cof_fail(err, COF_USAGE, "nobody is there");
}

bool fuzz_answer(cof_passphrase *ask, unsigned i)
{
    static const cof_passphrase answers[] = {{secret, NULL},   {NULL, NULL},    {with_zero, NULL},
                                             {too_long, NULL}, {nothing, NULL}, {cannot, NULL}};

    if (i == 0)
        asked = false;
    else if (!asked || i >= sizeof(answers) / sizeof(answers[0]))
        return false;
    *ask = answers[i];
    return true;
}
