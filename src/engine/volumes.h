/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_VOLUMES_H
#define COF_ENGINE_VOLUMES_H

/*
 * The later volumes of a backup: finding them, and saying what is wrong with them (FORMAT.md,
 * section 3.10).
 *
 * What belongs together says so in its superblocks, so names do not matter; they only save looking
 * at every file.  Not finding a volume is no failure here: who only needs the head goes on.
 */

#include "engine/open.h"

/*
 * Add to the body of an opened backup what can be found of volumes 2 … count, or, with count 0, of
 * any.  Damaged superblock copies are reported and counted (SB-6).  COF_IO: a directory of the
 * search cannot be listed; COF_NOMEM.
 */
cof_status cof_volumes_find(cof_opened *opened, uint32_t count, const cof_opening *how,
                            cof_error *err) COF_MUST_USE;

/* MF-5: note which of the volumes between the first and the last have not the signed length. */
void cof_volumes_measure(cof_opened *opened);

/* Note what is wrong with a volume that is there; of several such things the first counts. */
void cof_volumes_blame(cof_opened *opened, uint32_t volume, const cof_error *why);

/* How many of the manifest's volumes were not found. */
size_t cof_volumes_absent(const cof_opened *opened);

/*
 * COF_OK if no volume that is there is wrong (VO-2, MF-5), and, with all, none is missing (VO-1);
 * else the failure that names one.
 */
cof_status cof_volumes_require(const cof_opened *opened, bool all, cof_error *err) COF_MUST_USE;

/*
 * For a failure that was found in a later volume: put that volume's name before the sentence.
 * Returns st.
 */
cof_status cof_volumes_locate(const cof_opened *opened, uint32_t volume, cof_status st,
                              cof_error *err) COF_MUST_USE;

/*
 * Does a volume that was not found stand under its usual name, with superblocks that are both lost,
 * or differ so that nothing says which is right?
 */
bool cof_volumes_beheaded(const cof_opened *o, uint32_t number);

#endif
