/* SPDX-License-Identifier: Apache-2.0 */

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fuzz_starved;

void fuzz_require(bool holds, const char *what)
{
    if (holds || fuzz_starved)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

uint8_t *fuzz_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = aligned_alloc(1, size > 0 ? size : 1); /* which is never made to fail */

    if (copy == NULL)
        exit(1); /* says nothing about the input */
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}
