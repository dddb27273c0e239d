/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers for people.  Times are UTC, so that a line means the same on every machine. */

#include "human.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000U

const char *cli_human_size(char out[CLI_HUMAN_CAP], uint64_t bytes)
{
    static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(out, CLI_HUMAN_CAP, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
        return out;
    }
    double value = (double)bytes / 1024;
    size_t i = 0;
    while (value >= 1023.5 && i + 1 < sizeof unit / sizeof unit[0]) {
        value /= 1024;
        i++;
    }
    snprintf(out, CLI_HUMAN_CAP, "%.*f %s", value < 9.95 ? 1 : 0, value, unit[i]);
    return out;
}

const char *cli_human_count(char out[CLI_HUMAN_CAP], uint64_t n)
{
    char digits[CLI_HUMAN_CAP];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

const char *cli_human_time(char out[CLI_HUMAN_CAP], uint64_t nanoseconds)
{
    uint64_t s = nanoseconds / NS_PER_S;
    if (nanoseconds < NS_PER_S / 10)
        snprintf(out, CLI_HUMAN_CAP, "%.1f ms", (double)nanoseconds / 1e6);
    else if (s < 10)
        snprintf(out, CLI_HUMAN_CAP, "%.1f s", (double)nanoseconds / NS_PER_S);
    else if (s < 120)
        snprintf(out, CLI_HUMAN_CAP, "%" PRIu64 " s", s);
    else if (s < 7200)
        snprintf(out, CLI_HUMAN_CAP, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
    else
        snprintf(out, CLI_HUMAN_CAP, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
    return out;
}

static const char *calendar(char out[CLI_HUMAN_CAP], const char *kind, uint64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    if (seconds > INT64_MAX || gmtime_r(&t, &tm) == NULL) {
        snprintf(out, CLI_HUMAN_CAP, "?");
        return out;
    }
    int used = snprintf(out, CLI_HUMAN_CAP, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1,
                        tm.tm_mday);
    if (used > 0 && kind[0] != '\0') /* kind: what stands before and after the time of the day */
        snprintf(out + used, CLI_HUMAN_CAP - (size_t)used, "%c%02d:%02d:%02d%s", kind[0],
                 tm.tm_hour, tm.tm_min, tm.tm_sec, kind + 1);
    return out;
}

const char *cli_human_date(char out[CLI_HUMAN_CAP], uint64_t seconds)
{
    return calendar(out, "", seconds);
}

const char *cli_human_moment(char out[CLI_HUMAN_CAP], uint64_t seconds)
{
    return calendar(out, "  UTC", seconds);
}

const char *cli_human_iso(char out[CLI_HUMAN_CAP], uint64_t seconds)
{
    return calendar(out, "TZ", seconds);
}

uint64_t cli_clock(void)
{
    struct timespec t = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t cli_today(void)
{
    time_t t = time(NULL);
    return t < 0 ? 0 : (uint64_t)t;
}

/* The digits at the front of text; returns how many, 0 where they do not fit. */
static size_t leading_number(uint64_t *out, const char *text)
{
    uint64_t value = 0;
    size_t len = 0;
    for (; text[len] >= '0' && text[len] <= '9'; len++) {
        uint64_t digit = (uint64_t)(text[len] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    *out = value;
    return len;
}

bool cli_parse_number(uint64_t *out, const char *text, uint64_t least, uint64_t most)
{
    uint64_t value = 0;
    size_t len = leading_number(&value, text);
    if (len == 0 || text[len] != '\0' || value < least || value > most)
        return false;
    *out = value;
    return true;
}

bool cli_parse_size(uint64_t *out, const char *text)
{
    static const char units[] = "KMGT";
    uint64_t value = 0;
    size_t len = leading_number(&value, text);
    if (len == 0)
        return false;
    unsigned shift = 0;
    const char *unit = text[len] != '\0' ? strchr(units, text[len]) : NULL;
    if (unit != NULL) {
        shift = 10 * (unsigned)(unit - units + 1);
        len++;
    }
    if (text[len] != '\0' || value > UINT64_MAX >> shift)
        return false;
    *out = value << shift;
    return true;
}

bool cli_parse_duration(uint64_t *out, const char *text)
{
    static const char units[] = "smhdw";
    static const uint64_t seconds[] = {1, 60, 3600, 86400, 7 * 86400};
    uint64_t value = 0;
    size_t len = leading_number(&value, text);
    const char *unit = len > 0 && text[len] != '\0' ? strchr(units, text[len]) : NULL;
    if (unit == NULL || text[len + 1] != '\0' || value == 0 || value > 500000)
        return false;
    *out = value * seconds[unit - units];
    return true;
}
