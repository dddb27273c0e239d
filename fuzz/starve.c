/* SPDX-License-Identifier: Apache-2.0 */

#include "starve.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t len);
void *__real_calloc(size_t n, size_t len);
void *__real_realloc(void *p, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t n, size_t len);
void *__wrap_realloc(void *p, size_t len);
void *__wrap_reallocarray(void *p, size_t n, size_t len);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

static size_t left = SIZE_MAX; /* allocations until one fails; SIZE_MAX: none does */
static bool from_then_on, crypto_spared;
static size_t failed;

static bool refuse(void)
{
    if (left == SIZE_MAX)
        return false;
    if (left > 0) {
        left--;
        return false;
    }
    failed++;
    if (!from_then_on)
        left = SIZE_MAX;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t len)
{
    return refuse() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t n, size_t len)
{
    return refuse() ? NULL : __real_calloc(n, len);
}

void *__wrap_realloc(void *p, size_t len)
{
    return refuse() ? NULL : __real_realloc(p, len);
}

void *__wrap_reallocarray(void *p, size_t n, size_t len)
{
    return refuse() || (len != 0 && n > SIZE_MAX / len) ? NULL : __real_realloc(p, n * len);
}

char *__wrap_strndup(const char *text, size_t len)
{
    size_t n = strnlen(text, len);
    char *copy = refuse() ? NULL : __real_malloc(n + 1);

    if (copy != NULL) {
        memcpy(copy, text, n);
        copy[n] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, strlen(text));
}

static void *crypto_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return len == 0 ? NULL : crypto_spared ? __real_malloc(len) : __wrap_malloc(len);
}

static void *crypto_realloc(void *p, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return crypto_spared ? __real_realloc(p, len) : __wrap_realloc(p, len);
}

static void crypto_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

void starve_install(bool spared)
{
    crypto_spared = spared;
    if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
        abort();
}

void starve_begin(size_t nth, bool on)
{
    failed = 0;
    from_then_on = on;
    left = nth;
}

size_t starve_end(void)
{
    left = SIZE_MAX;
    return failed;
}
