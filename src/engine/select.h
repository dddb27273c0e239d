/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_SELECT_H
#define COF_ENGINE_SELECT_H

/* Which entries of a catalog are meant by paths and patterns. */

#include <coffer/tree.h>

#include "base/treeentry.h"
#include "source/pattern.h"

typedef struct cof_wanted {
    char *path;           /* owned: literally, or what the pattern begins with; "." everything */
    cof_patterns pattern; /* count 0: path is meant */
    const char *given;    /* borrowed */
    bool met;
} cof_wanted;

typedef struct cof_select {
    cof_wanted *wanted; /* owned; none: everything */
    size_t count;
    cof_patterns exclude;
} cof_select;

/* selection may be NULL, and must live as long as *out.  COF_USAGE, COF_NOMEM.  The caller wipes.
 */
cof_status cof_select_init(cof_select *out, const cof_tree_selection *selection,
                           cof_error *err) COF_MUST_USE;
void cof_select_wipe(cof_select *select);

/* May anything from first up to next (NULL: the end) be meant?  For cof_catalog_visit.wants. */
bool cof_select_range(const cof_select *select, cof_slice first, const cof_slice *next);

/* Is this entry meant?  Remembers that what named it has met something. */
bool cof_select_match(cof_select *select, const cof_catalog_entry *entry);

/* The same for a path of which nothing else is known; remembers nothing. */
bool cof_select_covers(cof_select *select, cof_slice path);

/* COF_USAGE if something that was named met nothing. */
cof_status cof_select_check(const cof_select *select, cof_error *err) COF_MUST_USE;

#endif
