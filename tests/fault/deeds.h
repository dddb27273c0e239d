/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_FAULT_DEEDS_H
#define COF_TESTS_FAULT_DEEDS_H

/* What coffer does, each deed once, with a small backup: to be made to fail somewhere. */

#include "../mutate/kit.h"

typedef struct deed {
    const char *name;
    cof_status (*run)(const kit *k, cof_error *err);
    const kit *who; /* NULL, or in whose place: for him nothing is done, whatever fails */
    bool changes;   /* the backup itself */
} deed;

extern const deed deeds[];
extern const size_t deed_count;

/* Ends the process with a message when anything goes wrong. */
void deeds_begin(kit *k);
void deeds_end(kit *k);

/*
 * A name in the kit's folder; lives until the next call.  What a deed makes is "out", the content,
 * or "out.cof", a backup of it, or has another name that begins with "out".
 */
const char *deeds_path(const kit *k, const char *name);

#endif
