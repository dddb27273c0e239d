/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Times and sizes as text.  The calendar is computed here rather than by libc, which would bring in
 * time zones, locales, and leap seconds where a system has them in its zone files.
 */

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECONDS_PER_DAY  86400u
#define FIRST_YEAR       1970u
#define DAYS_BEFORE_1970 719162u /* days from 0001-01-01 to 1970-01-01 */

typedef struct civil {
    unsigned year, month, day, hour, minute, second;
} civil;

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

/* Days from 1970-01-01 to the first of January of `year`. */
static uint64_t days_before_year(unsigned year)
{
    uint64_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 - DAYS_BEFORE_1970;
}

static civil civil_from_seconds(uint64_t seconds)
{
    uint64_t days = seconds / SECONDS_PER_DAY;
    unsigned rest = (unsigned)(seconds % SECONDS_PER_DAY);
    civil c = {.hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60};

    c.year = FIRST_YEAR + (unsigned)(days / 366); /* never too late, a few years early at most */
    while (days_before_year(c.year + 1) <= days)
        c.year++;
    unsigned day = (unsigned)(days - days_before_year(c.year));
    c.month = 1;
    while (day >= days_in_month(c.year, c.month))
        day -= days_in_month(c.year, c.month++);
    c.day = day + 1;
    return c;
}

bool cof_time_format(char out[COF_TIME_CAP], uint64_t seconds)
{
    out[0] = '\0';
    if (seconds > COF_TIME_MAX)
        return false;
    civil c = civil_from_seconds(seconds);
    snprintf(out, COF_TIME_CAP, "%04u-%02u-%02uT%02u:%02u:%02uZ", c.year % 10000, c.month % 100,
             c.day % 100, c.hour % 100, c.minute % 100, c.second % 100);
    return true;
}

bool cof_time_format_compact(char out[COF_TIME_COMPACT_CAP], uint64_t seconds)
{
    out[0] = '\0';
    if (seconds > COF_TIME_MAX)
        return false;
    civil c = civil_from_seconds(seconds);
    snprintf(out, COF_TIME_COMPACT_CAP, "%04u%02u%02uT%02u%02u%02uZ", c.year % 10000, c.month % 100,
             c.day % 100, c.hour % 100, c.minute % 100, c.second % 100);
    return true;
}

/* `n` decimal digits. */
static unsigned digits(const char *in, size_t n)
{
    unsigned v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (unsigned)(in[i] - '0');
    return v;
}

static bool has_form(const char *in, size_t len)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    if (len != sizeof form - 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool good = form[i] == 'd' ? in[i] >= '0' && in[i] <= '9' : in[i] == form[i];
        if (!good)
            return false;
    }
    return true;
}

bool cof_time_parse(uint64_t *out, const char *in, size_t len)
{
    if (!has_form(in, len))
        return false;
    civil c = {digits(in, 4),      digits(in + 5, 2),  digits(in + 8, 2),
               digits(in + 11, 2), digits(in + 14, 2), digits(in + 17, 2)};
    if (c.year < FIRST_YEAR || c.month < 1 || c.month > 12 || c.day < 1 ||
        c.day > days_in_month(c.year, c.month) || c.hour > 23 || c.minute > 59 || c.second > 59)
        return false;

    uint64_t days = days_before_year(c.year) + c.day - 1;
    for (unsigned month = 1; month < c.month; month++)
        days += days_in_month(c.year, month);
    *out = days * SECONDS_PER_DAY + c.hour * 3600u + c.minute * 60u + c.second;
    return true;
}

void cof_size_format(char out[COF_SIZE_CAP], uint64_t bytes)
{
    static const char units[] = "KMGTPE";
    if (bytes < 1024) {
        snprintf(out, COF_SIZE_CAP, "%" PRIu64 " B", bytes);
        return;
    }
    /* The largest unit in which the value, rounded to tenths, is still below 1024. */
    size_t unit = 0;
    uint64_t whole, tenths;
    for (;; unit++) {
        uint64_t size = UINT64_C(1) << (10 * (unit + 1));
        uint64_t rest = bytes % size;
        whole = bytes / size;
        /* Shifting both down keeps the multiplication below 2^64; only rounding can differ. */
        tenths = size > (UINT64_C(1) << 50) ? ((rest >> 10) * 10 + (size >> 11)) / (size >> 10)
                                            : (rest * 10 + size / 2) / size;
        if (tenths == 10) {
            whole++;
            tenths = 0;
        }
        if (whole < 1024 || units[unit + 1] == '\0')
            break;
    }
    snprintf(out, COF_SIZE_CAP, "%u.%u %ciB", (unsigned)(whole % 10000), (unsigned)(tenths % 10),
             units[unit]);
}
