/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_INTERNAL_H
#define COF_FORMAT_INTERNAL_H

/* Small things that the files of this room share. */

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

/*
 * Writers check their input with the rules of readers.  What breaks one of them came from our own
 * caller, not from a file: the class becomes COF_USAGE, sentence and rule stay.
 */
static inline cof_status cof_format_as_usage(cof_status st, cof_error *err)
{
    if (st != COF_FORMAT && st != COF_UNSUPPORTED && st != COF_AUTH)
        return st;
    if (err != NULL)
        err->status = COF_USAGE;
    return COF_USAGE;
}

/* GE-1: are all these bytes zero?  Takes the same time whatever they are. */
static inline bool cof_format_all_zero(const uint8_t *p, size_t len)
{
    uint8_t any = 0;

    for (size_t i = 0; i < len; i++)
        any |= p[i];
    return any == 0;
}

/* Make room for one more element of `size` bytes in a growing array.  COF_NOMEM. */
cof_status cof_format_grow(void **items, size_t *cap, size_t count, size_t size,
                           cof_error *err) COF_MUST_USE;

#endif
