/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Recording failures.  A failing call overwrites the whole error, so that nothing of an earlier one
 * shows through; it allocates nothing, so that being out of memory can be reported too.
 */

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const status_names[] = {
    [COF_OK] = "OK",
    [COF_USAGE] = "USAGE",
    [COF_NOMEM] = "NOMEM",
    [COF_IO] = "IO",
    [COF_FORMAT] = "FORMAT",
    [COF_UNSUPPORTED] = "UNSUPPORTED",
    [COF_NO_MATCH] = "NO_MATCH",
    [COF_AUTH] = "AUTH",
    [COF_CERT] = "CERT",
    [COF_SOURCE] = "SOURCE",
    [COF_LIMIT] = "LIMIT",
    [COF_BUSY] = "BUSY",
    [COF_POLICY] = "POLICY",
    [COF_CANCELLED] = "CANCELLED",
    [COF_INTERNAL] = "INTERNAL",
};

const char *cof_status_name(cof_status status)
{
    size_t i = (size_t)status;
    if (i >= sizeof status_names / sizeof status_names[0])
        return "UNKNOWN";
    return status_names[i];
}

/*
 * A message that was cut in the middle of a character must not become invalid UTF-8: take back an
 * incomplete last character.
 */
static void trim_partial_character(char *text)
{
    size_t len = strlen(text);
    size_t start = len;
    while (start > 0 && len - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (len - start < need)
        text[start - 1] = '\0';
}

static void COF_PRINTF(2, 0) write_message(cof_error *err, const char *fmt, va_list args)
{
    int n = vsnprintf(err->message, sizeof err->message, fmt, args);
    if (n < 0)
        err->message[0] = '\0';
    else if ((size_t)n >= sizeof err->message)
        trim_partial_character(err->message);
}

static void start(cof_error *err, cof_status status, int sys_errno, uint64_t offset)
{
    memset(err, 0, sizeof *err);
    err->status = status;
    err->sys_errno = sys_errno;
    err->offset = offset;
}

cof_status cof_fail(cof_error *err, cof_status status, const char *fmt, ...)
{
    if (err == NULL)
        return status;
    start(err, status, 0, COF_NO_OFFSET);
    va_list args;
    va_start(args, fmt);
    write_message(err, fmt, args);
    va_end(args);
    return status;
}

cof_status cof_fail_rule(cof_error *err, cof_status status, const char *rule, uint64_t offset,
                         const char *fmt, ...)
{
    if (err == NULL)
        return status;
    start(err, status, 0, offset);
    snprintf(err->rule, sizeof err->rule, "%s", rule);
    va_list args;
    va_start(args, fmt);
    write_message(err, fmt, args);
    va_end(args);
    return status;
}

cof_status cof_fail_sys(cof_error *err, int errno_value, const char *fmt, ...)
{
    if (err == NULL)
        return COF_IO;
    start(err, COF_IO, errno_value, COF_NO_OFFSET);
    va_list args;
    va_start(args, fmt);
    write_message(err, fmt, args);
    va_end(args);

    char reason[96];
    const char *text = strerror_r(errno_value, reason, sizeof reason);
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", text);
    return COF_IO;
}
