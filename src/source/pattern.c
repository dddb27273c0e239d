/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Matching, in time that grows with the product of both lengths for one component: a star only ever
 * goes back to the last star.  Only "**" recurses, once for each component.
 */

#include "source/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"

#define NOT_UTF8 UINT32_C(0x200000) /* a byte that is no character stands for itself */

/* ---- one component ---- */

/* The next character; p must not be at its end. */
static size_t next_char(uint32_t *out, const char *p, const char *end)
{
    size_t len = cof_utf8_next(out, p, (size_t)(end - p));

    if (len != 0)
        return len;
    *out = NOT_UTF8 | (uint8_t)*p;
    return 1;
}

/* A character of the pattern that stands for itself, perhaps behind a backslash. */
static size_t next_literal(uint32_t *out, const char *p, const char *end)
{
    size_t skip = *p == '\\' && p + 1 < end ? 1 : 0;

    return skip + next_char(out, p + skip, end);
}

/* Where the set that begins at p ('[') ends, or NULL: then the bracket stands for itself. */
static const char *set_end(const char *p, const char *end)
{
    const char *q = p + 1;

    if (q < end && (*q == '!' || *q == '^'))
        q++;
    if (q < end && *q == ']')
        q++;
    while (q < end && *q != ']')
        q += *q == '\\' && q + 1 < end ? 2 : 1;
    return q < end ? q : NULL;
}

static bool in_set(const char *p, const char *end, uint32_t c)
{
    bool negated = *++p == '!' || *p == '^';
    bool found = false;
    uint32_t low, high;

    if (negated)
        p++;
    do {
        p += next_literal(&low, p, end);
        high = low;
        if (p + 1 < end && *p == '-')
            p += 1 + next_literal(&high, p + 1, end);
        if (low <= c && c <= high)
            found = true;
    } while (p < end);
    return found != negated;
}

/* Match one character c against the pattern at p; *len is how much of the pattern that takes. */
static bool match_char(size_t *len, const char *p, const char *end, uint32_t c)
{
    const char *close = *p == '[' ? set_end(p, end) : NULL;
    uint32_t literal;

    if (close != NULL) {
        *len = (size_t)(close + 1 - p);
        return in_set(p, close, c);
    }
    *len = next_literal(&literal, p, end);
    return *p == '?' || literal == c;
}

static bool match_name(const char *p, const char *pend, const char *s, const char *send)
{
    const char *star = NULL, *from = NULL; /* behind the last star; where the name goes on there */
    size_t plen, slen;
    uint32_t c;

    for (;;) {
        if (p < pend && *p == '*') {
            star = ++p;
            from = s;
        } else if (s == send && p == pend) {
            return true;
        } else if (s < send && (slen = next_char(&c, s, send), p < pend) &&
                   match_char(&plen, p, pend, c)) {
            p += plen;
            s += slen;
        } else if (star != NULL && from < send) {
            from += next_char(&c, from, send);
            p = star;
            s = from;
        } else {
            return false;
        }
    }
}

/* ---- paths ---- */

static const char *component_end(const char *p, const char *end)
{
    const char *slash = memchr(p, '/', (size_t)(end - p));

    return slash != NULL ? slash : end;
}

/* The component behind one that ends there, or NULL. */
static const char *next_component(const char *component, const char *end)
{
    return component < end ? component + 1 : NULL;
}

/*
 * Do all components match?  Both begin with a component, or are at their ends (NULL).  What is
 * before a "**" takes as little of the path as it can, so that only the last one is tried again.
 */
static bool match_path(const char *p, const char *pend, const char *s, const char *send)
{
    const char *stars = NULL, *from = NULL; /* behind the last "**"; where the path goes on there */

    while (p != NULL || s != NULL) {
        const char *pc = p != NULL ? component_end(p, pend) : NULL;
        const char *sc = s != NULL ? component_end(s, send) : NULL;

        if (pc != NULL && pc - p == 2 && p[0] == '*' && p[1] == '*') {
            if (pc == pend)
                return s != NULL;
            p = stars = pc + 1;
            from = s;
        } else if (pc != NULL && sc != NULL && match_name(p, pc, s, sc)) {
            p = next_component(pc, pend);
            s = next_component(sc, send);
        } else if (from != NULL) {
            s = from = next_component(component_end(from, send), send);
            p = stars;
        } else {
            return false;
        }
    }
    return true;
}

static bool match(const cof_pattern *pattern, const char *s, const char *send)
{
    const char *p = pattern->text, *pend = p + strlen(p);

    for (;;) {
        if (match_path(p, pend, s, send))
            return true;
        s = component_end(s, send);
        if (pattern->anchored || s == send)
            return false;
        s++;
    }
}

bool cof_patterns_match(const cof_patterns *patterns, cof_slice path, bool directory)
{
    const char *s = (const char *)path.data;

    for (size_t i = 0; i < patterns->count; i++)
        if ((directory || !patterns->items[i].directory) &&
            match(&patterns->items[i], s, s + path.len))
            return true;
    return false;
}

/* ---- the list ---- */

cof_status cof_patterns_add(cof_patterns *patterns, const char *text, cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];
    size_t from = strspn(text, "/"), end = strlen(text);
    cof_pattern *grown;
    cof_pattern p;

    p.anchored = from != 0;
    p.directory = end > from && text[end - 1] == '/';
    while (end > from && text[end - 1] == '/')
        end--;
    if (end == from || text[0] == '!')
        return cof_fail(err, COF_USAGE,
                        "the pattern '%s' cannot be used: one needs a name, and does not begin "
                        "with an exclamation mark (\\! where that is meant)",
                        cof_text_safe_str(safe, sizeof(safe), text));
    grown = reallocarray(patterns->items, patterns->count + 1, sizeof(*grown));
    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    patterns->items = grown;
    p.text = strndup(text + from, end - from);
    if (p.text == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    patterns->items[patterns->count++] = p;
    return COF_OK;
}

void cof_patterns_wipe(cof_patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        free(patterns->items[i].text);
    free(patterns->items);
    *patterns = (cof_patterns)COF_PATTERNS_INIT;
}
