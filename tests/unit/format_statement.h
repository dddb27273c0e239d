/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_FORMAT_STATEMENT_H
#define COF_TESTS_FORMAT_STATEMENT_H

/* Statements as text, and small changes to them. */

#include "format_test.h"

#include <stdlib.h>

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define UUID  "7c9e6679-7425-40de-944b-e07fc1f90ae7"

/* A statement with one place in it written otherwise, and what that must lead to. */
typedef struct change {
    const char *from;
    const char *to;
    cof_status class;
    const char *rule;
} change;

/* text with the first `from` in it replaced; the caller frees it. */
static inline char *changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    size_t before, cap = strlen(text) + strlen(to) + 1;
    char *out = malloc(cap);

    assert_non_null(at);
    assert_non_null(out);
    before = (size_t)(at - text);
    memcpy(out, text, before);
    strcpy(out + before, to);
    strcat(out, at + strlen(from));
    return out;
}

/* `n` times `piece`; the caller frees it. */
static inline char *repeated(const char *piece, size_t n)
{
    size_t len = strlen(piece);
    char *out = calloc(n, len + 1);

    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * len, piece, len);
    return out;
}

#endif
