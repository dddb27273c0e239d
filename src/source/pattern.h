/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_PATTERN_H
#define COF_SOURCE_PATTERN_H

/*
 * Patterns that name what is to be left out.
 *
 * A pattern is matched against the path inside the backup ("etc/ssl/private") and, unless it begins
 * with a slash, against each end of it that begins behind a slash.  "*" stands for any part of a
 * name, "?" for a character, "[a-z]" and "[!a-z]" for one of a set, "**" as a whole component for
 * any number of directories, a backslash takes the meaning from what follows.  A slash at the end
 * says that only directories are meant.
 */

#include "base/buf.h"

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct cof_pattern {
    char *text; /* owned: without the slashes at its ends */
    bool anchored;
    bool directory;
} cof_pattern;

typedef struct cof_patterns {
    cof_pattern *items; /* owned */
    size_t count;
} cof_patterns;

#define COF_PATTERNS_INIT                                                                          \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/* Append a pattern (copied).  COF_USAGE where it can match nothing, or begins with '!'; COF_NOMEM.
 */
cof_status cof_patterns_add(cof_patterns *patterns, const char *text, cof_error *err) COF_MUST_USE;

/* Does any of them match this path, which is a directory or not? */
bool cof_patterns_match(const cof_patterns *patterns, cof_slice path, bool directory);

void cof_patterns_wipe(cof_patterns *patterns);

#endif
