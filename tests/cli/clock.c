/* SPDX-License-Identifier: Apache-2.0 */

/*
 * For LD_PRELOAD: the calendar says what COFFER_TEST_CLOCK says, in seconds since 1970.  Durations
 * are left alone.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

typedef int gettime_fn(clockid_t clock, struct timespec *out);

int clock_gettime(clockid_t clock, struct timespec *out)
{
    const char *moment = getenv("COFFER_TEST_CLOCK");
    gettime_fn *real;
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, out);
    if (result == 0 && clock == CLOCK_REALTIME && moment != NULL)
        *out = (struct timespec){.tv_sec = strtoll(moment, NULL, 10)};
    return result;
}

time_t time(time_t *out)
{
    struct timespec t = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    if (out != NULL)
        *out = t.tv_sec;
    return t.tv_sec;
}
