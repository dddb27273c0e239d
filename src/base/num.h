/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_BASE_NUM_H
#define COF_BASE_NUM_H

/*
 * Checked arithmetic for lengths and offsets that came from outside.
 *
 * Each function that returns bool answers "does the result fit?"; where it does not, *out is
 * untouched.  The answer must be used.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

COF_MUST_USE static inline bool cof_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t r;
    if (__builtin_add_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

/* a - b, which does not fit when b is the larger. */
COF_MUST_USE static inline bool cof_sub_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    if (b > a)
        return false;
    *out = a - b;
    return true;
}

COF_MUST_USE static inline bool cof_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

COF_MUST_USE static inline bool cof_add_size(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_add_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

COF_MUST_USE static inline bool cof_mul_size(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

COF_MUST_USE static inline bool cof_size_from_u64(uint64_t a, size_t *out)
{
    if (a > SIZE_MAX)
        return false;
    *out = (size_t)a;
    return true;
}

COF_MUST_USE static inline bool cof_u32_from_u64(uint64_t a, uint32_t *out)
{
    if (a > UINT32_MAX)
        return false;
    *out = (uint32_t)a;
    return true;
}

/* The smallest multiple of `step` (not 0) that is not below a. */
COF_MUST_USE static inline bool cof_round_up_u64(uint64_t a, uint64_t step, uint64_t *out)
{
    uint64_t rest = a % step;
    return cof_add_u64(a, rest == 0 ? 0 : step - rest, out);
}

static inline uint64_t cof_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t cof_max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline size_t cof_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t cof_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

#endif
