/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Text made safe for a terminal, and hexadecimal.  What is escaped is decided by a table of code
 * points that a terminal shows as nothing, or that change how others are shown; everything else in
 * valid UTF-8 passes, because file names in any script must stay readable.
 */

#include "base/text.h"

#include "base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x0080, 0x009F},   /* C1 controls */
    {0x00AD, 0x00AD},   /* soft hyphen */
    {0x034F, 0x034F},   /* combining grapheme joiner */
    {0x061C, 0x061C},   /* Arabic letter mark */
    {0x115F, 0x1160},   /* Hangul fillers */
    {0x17B4, 0x17B5},   /* Khmer inherent vowels */
    {0x180B, 0x180F},   /* Mongolian variation selectors and vowel separator */
    {0x200B, 0x200F},   /* zero width, left-to-right and right-to-left marks */
    {0x2028, 0x202E},   /* line and paragraph separators, embeddings and overrides */
    {0x2060, 0x206F},   /* word joiner, invisible operators, isolates, deprecated controls */
    {0x3164, 0x3164},   /* Hangul filler */
    {0xFE00, 0xFE0F},   /* variation selectors */
    {0xFEFF, 0xFEFF},   /* byte order mark */
    {0xFFA0, 0xFFA0},   /* halfwidth Hangul filler */
    {0xFFF0, 0xFFFB},   /* unassigned, interlinear annotation */
    {0xFFFE, 0xFFFF},   /* not characters */
    {0x1BCA0, 0x1BCA3}, /* shorthand format controls */
    {0x1D173, 0x1D17A}, /* musical format controls */
    {0xE0000, 0xE0FFF}, /* tags, variation selectors supplement */
};

static bool is_hidden(uint32_t point)
{
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (point >= hidden[i].first && point <= hidden[i].last)
            return true;
    return false;
}

#define PIECE_CAP 16

/* One character of the input in its safe form.  Returns how many input bytes it stands for. */
static size_t safe_piece(char piece[PIECE_CAP], const char *in, size_t len)
{
    uint32_t point = 0;
    size_t n = cof_utf8_next(&point, in, len);
    if (n == 0 || point < 0x20 || point == 0x7F) {
        snprintf(piece, PIECE_CAP, "\\x%02X", (unsigned)(uint8_t)in[0]);
        return 1;
    }
    if (point == '\\') {
        memcpy(piece, "\\\\", 3);
    } else if (is_hidden(point)) {
        snprintf(piece, PIECE_CAP, "\\u{%04" PRIX32 "}", point);
    } else {
        memcpy(piece, in, n);
        piece[n] = '\0';
    }
    return n;
}

char *cof_text_safe(char *out, size_t cap, const char *in, size_t len)
{
    static const char mark[] = "...";
    assert(cap > 0);
    size_t used = 0;
    size_t mark_at = 0; /* the last place between two characters where the mark still fits */

    for (size_t at = 0; at < len;) {
        char piece[PIECE_CAP];
        at += safe_piece(piece, in + at, len - at);
        size_t n = strlen(piece);
        if (n >= cap - used) {
            if (cap >= sizeof mark) {
                memcpy(out + mark_at, mark, sizeof mark);
                return out;
            }
            break;
        }
        memcpy(out + used, piece, n);
        used += n;
        if (cap >= sizeof mark && used <= cap - sizeof mark)
            mark_at = used;
    }
    out[used] = '\0';
    return out;
}

char *cof_text_safe_str(char *out, size_t cap, const char *in)
{
    return cof_text_safe(out, cap, in, strlen(in));
}

void cof_hex_encode(char *out, const uint8_t *in, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 0x0F];
    }
    out[2 * len] = '\0';
}

/* The value of a digit, or -1. */
static int hex_value(char c, cof_hex_case digits)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (digits == COF_HEX_ANY && c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool cof_hex_decode(uint8_t *out, size_t out_len, const char *in, size_t len, cof_hex_case digits)
{
    if (len % 2 != 0 || len / 2 != out_len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (hex_value(in[i], digits) < 0)
            return false;
    for (size_t i = 0; i < out_len; i++)
        out[i] = (uint8_t)((unsigned)hex_value(in[2 * i], digits) << 4 |
                           (unsigned)hex_value(in[2 * i + 1], digits));
    return true;
}

/* Not strndup(): that is for texts, and who looks for errors expects one to end somewhere. */
char *cof_text_dup(const void *bytes, size_t len)
{
    char *copy = malloc(len + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}
