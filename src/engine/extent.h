/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_EXTENT_H
#define COF_ENGINE_EXTENT_H

/*
 * How far the body of a backup that is being opened reaches: its volumes, their lengths, and the
 * tail in the last of them (FORMAT.md, sections 3.6 and 3.10).
 */

#include "engine/open.h"

/*
 * Without a manifest in the head: find the tail, in volume 1 or in whichever other volume is the
 * last that can be found.  COF_FORMAT (TL-4) if there is none.
 */
cof_status cof_extent_find_tail(cof_opened *opened, const cof_opening *how,
                                cof_error *err) COF_MUST_USE;

/* With the manifest at hand: find all volumes, and the tail if it was not yet found. */
cof_status cof_extent_find(cof_opened *opened, const cof_opening *how, cof_error *err) COF_MUST_USE;

/*
 * MF-5, TL-3: volumes end where the manifest says, give or take the copies of the tail.  What is
 * wrong with volume 1 is a failure; with a later one it is noted in *opened, for who needs that
 * volume.  Sets has_body.
 */
cof_status cof_extent_check(cof_opened *opened, const cof_opening *how,
                            cof_error *err) COF_MUST_USE;

#endif
