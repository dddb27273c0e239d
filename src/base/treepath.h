/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_BASE_TREEPATH_H
#define COF_BASE_TREEPATH_H

/*
 * Paths inside a tree backup: bytes, relative, in the order in which a tree is walked (FORMAT.md
 * section 3.8).
 */

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define COF_TREEPATH_MAX 65535

/* May this be a path: "." or components without empty ones, ".", ".." and zero bytes? */
bool cof_treepath_valid(cof_slice path);

/*
 * Below, equal or above 0, as a stands before, at or after b: component by component, by bytes; a
 * directory before what is in it, "." before all.
 */
int cof_treepath_compare(cof_slice a, cof_slice b);

/* Is path the same as dir, or below it?  Everything is below ".". */
bool cof_treepath_below(cof_slice path, cof_slice dir);

/* How many bytes both begin with. */
size_t cof_treepath_shared(cof_slice a, cof_slice b);

#endif
