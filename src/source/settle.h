/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_SETTLE_H
#define COF_SOURCE_SETTLE_H

/* Giving a restored thing its owner, permissions, attributes and times. */

#include "source/target.h"
#include "source/unpack.h"

#include <sys/types.h>

typedef struct cof_settling {
    bool same_owner;  /* set owner and group, and what goes with them */
    mode_t mode_mask; /* permissions that are taken away */
} cof_settling;

/*
 * Settle what stands at a spot (an empty name: what dir is open to), without following a symbolic
 * link.  Set-user-ID and set-group-ID are given only to what has the owner and group that it had;
 * attributes other than "user." and ACLs only with same_owner.  What could not be done is appended
 * to *problem as the end of a sentence ("keeps the owner ...: why"); *problem stays empty if all
 * was done.
 */
void cof_settle(const cof_spot *spot, const cof_member *member, const cof_settling *how,
                bool symlink, char *problem, size_t cap);

#endif
