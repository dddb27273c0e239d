/* SPDX-License-Identifier: Apache-2.0 */

/* Sentences on standard error, and names made safe for them. */

#include "say.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The character at in, NUL-terminated, and how many bytes it takes; 0 where it is no valid UTF-8.
 */
static size_t next_character(uint32_t *out, const unsigned char *in)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* of so many bytes */
    size_t len = in[0] < 0x80 ? 1 : in[0] < 0xC2 ? 0 : in[0] < 0xE0 ? 2 : in[0] < 0xF0 ? 3 : 4;
    if (len == 0 || in[0] > 0xF4)
        return 0;
    uint32_t point = len == 1 ? in[0] : in[0] & (0x7FU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((in[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (in[i] & 0x3FU);
    }
    if (point < least[len] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    *out = point;
    return len;
}

/* Shown as nothing, or changes how its neighbours are shown. */
static bool is_hidden(uint32_t point)
{
    return (point >= 0x80 && point <= 0x9F) || point == 0xAD || point == 0x61C ||
           (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
           (point >= 0x2060 && point <= 0x206F) || (point >= 0xFE00 && point <= 0xFE0F) ||
           point == 0xFEFF || point >= 0xE0000;
}

const char *cli_safe(char *out, size_t cap, const char *name)
{
    const unsigned char *in = (const unsigned char *)name;
    size_t used = 0;
    while (*in != '\0') {
        char piece[16];
        uint32_t point = 0;
        size_t len = next_character(&point, in);
        if (len == 0 || point < 0x20 || point == 0x7F)
            snprintf(piece, sizeof piece, "\\x%02X", (unsigned)in[0]);
        else if (point == '\\')
            memcpy(piece, "\\\\", 3);
        else if (is_hidden(point))
            snprintf(piece, sizeof piece, "\\u{%04X}", (unsigned)point);
        else
            snprintf(piece, sizeof piece, "%.*s", (int)len, (const char *)in);
        size_t piece_len = strlen(piece);
        if (used + piece_len + sizeof "..." > cap) { /* always leave room for the mark */
            if (used + sizeof "..." <= cap)
                memcpy(out + used, "...", sizeof "...");
            return out;
        }
        memcpy(out + used, piece, piece_len + 1);
        used += piece_len;
        in += len == 0 ? 1 : len;
    }
    out[used] = '\0';
    return out;
}

static void COF_PRINTF(3, 0)
    fill(cof_error *err, cof_status status, const char *format, va_list args)
{
    *err = (cof_error)COF_ERROR_INIT;
    err->status = status;
    vsnprintf(err->message, sizeof err->message, format, args);
}

cof_status cli_error(cof_error *err, cof_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, status, format, args);
    va_end(args);
    return status;
}

cof_status cli_error_sys(cof_error *err, int errno_value, const char *format, ...)
{
    char reason[96];
    va_list args;
    va_start(args, format);
    fill(err, COF_IO, format, args);
    va_end(args);
    err->sys_errno = errno_value;
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s",
             strerror_r(errno_value, reason, sizeof reason));
    return COF_IO;
}

/* What stands on standard output already comes first, also where both are one file. */
static void say(const char *kind, const char *sentence)
{
    (void)fflush(stdout);
    fprintf(stderr, "coffer: %s%s\n", kind, sentence);
}

void cli_say(const char *sentence)
{
    say("", sentence);
}

void cli_say_interrupted(const char *sentence)
{
    const char *const parts[] = {"coffer: ", sentence, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        (void)!write(STDERR_FILENO, parts[i], strlen(parts[i]));
}

void cli_say_warning(const char *sentence)
{
    say("warning: ", sentence);
}

void cli_say_note(const char *sentence)
{
    say("note: ", sentence);
}
