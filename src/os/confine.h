/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_CONFINE_H
#define COF_OS_CONFINE_H

/*
 * Giving up, for good, what this process will not need: so that whoever finds a hole in a parser is
 * in a process that can do little.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>

/* As cof_confine() in <coffer/coffer.h>, which has the contract: COF_KEEP_NAMES,
 * COF_KEEP_ATTRIBUTES. */
cof_status cof_os_confine(const char **out_missing, const char *const *paths, size_t count,
                          bool names, bool changes, cof_error *err) COF_MUST_USE;

#endif
