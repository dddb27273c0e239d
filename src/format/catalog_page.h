/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_CATALOG_PAGE_H
#define COF_FORMAT_CATALOG_PAGE_H

/* What writing and reading of a CATALOG record share. */

#include "format/catalog.h"

/* What CA-1 has against an entry taken alone, as the end of a sentence; NULL: nothing. */
const char *cof_catalog_entry_problem(const cof_catalog_entry *entry);

#endif
