/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_PATHS_H
#define COF_ENGINE_PATHS_H

/* What a path leads to, by the first bytes that are there. */

#include <stdbool.h>

/* A backup, or one of its later volumes?  A head alone is neither. */
bool cof_path_is_backup(const char *path);

#endif
