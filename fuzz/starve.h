/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FUZZ_STARVE_H
#define COF_FUZZ_STARVE_H

/*
 * Allocations that fail: of the program and of libcrypto.  The program has to be linked with --wrap
 * for malloc, calloc, realloc, reallocarray, strdup and strndup.  Not those of jansson, which ends
 * the process by an assertion of its own where one fails in the middle of a string (2.14).
 */

#include <stdbool.h>
#include <stddef.h>

/* With `spared`, after cof_init(): those of libcrypto do not fail. */
void starve_install(bool spared);

/* The allocation number `nth` from now on, counted from 0, fails; with `on` all after it as well.
 */
void starve_begin(size_t nth, bool on);

/* No more failures; returns how many there were. */
size_t starve_end(void);

#endif
