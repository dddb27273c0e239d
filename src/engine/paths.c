/* SPDX-License-Identifier: Apache-2.0 */

/* Which backups a path stands for. */

#include <stdlib.h>
#include <string.h>

#include <coffer/reader.h>

#include "base/error.h"
#include "format/superblock.h"
#include "os/dir.h"
#include "os/file.h"

static cof_status add_path(cof_paths *out, char *path, cof_error *err)
{
    char **grown = realloc(out->path, (out->count + 1) * sizeof(*grown));

    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    out->path = grown;
    out->path[out->count++] = path;
    return COF_OK;
}

/* A name is no proof; the first bytes are. */
static bool begins_as_backup(const char *path)
{
    uint8_t seen[2][8] = {{0}};
    cof_path_type kind;
    cof_file *file = NULL;
    size_t got;
    bool yes;

    if (cof_path_kind(&kind, path, NULL) != COF_OK || kind != COF_PATH_REGULAR ||
        cof_file_open_read(&file, path, NULL) != COF_OK)
        return false;
    yes = cof_file_pread_some(seen[0], 8, &got, file, 0, NULL) == COF_OK &&
          cof_file_pread_some(seen[1], 8, &got, file, COF_SUPERBLOCK_SIZE, NULL) == COF_OK &&
          (cof_superblock_has_magic(seen[0]) || cof_superblock_has_magic(seen[1]));
    cof_file_free(file);
    return yes;
}

static cof_status find_in_directory(cof_paths *out, const char *path, cof_error *err)
{
    cof_names names = COF_NAMES_INIT;
    cof_status st = cof_dir_list(&names, path, err);

    for (size_t i = 0; st == COF_OK && i < names.count; i++) {
        char *file = NULL;

        if (names.names[i][0] == '.')
            continue;
        if ((st = cof_path_join(&file, path, names.names[i], err)) == COF_OK &&
            begins_as_backup(file) && (st = add_path(out, file, err)) == COF_OK)
            file = NULL; /* transferred */
        free(file);
    }
    cof_names_free(&names);
    return st;
}

cof_status cof_paths_find(cof_paths *out, const char *path, cof_error *err)
{
    cof_path_type kind;
    char *copy = NULL;
    cof_status st;

    *out = (cof_paths){NULL, 0};
    if ((st = cof_path_kind(&kind, path, err)) != COF_OK)
        return st;
    if (kind == COF_PATH_DIRECTORY) {
        st = find_in_directory(out, path, err);
    } else if ((copy = strdup(path)) == NULL) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
    } else if ((st = add_path(out, copy, err)) == COF_OK) {
        copy = NULL; /* transferred */
    }
    free(copy);
    if (st != COF_OK)
        cof_paths_wipe(out);
    return st;
}

void cof_paths_wipe(cof_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->path[i]);
    free(paths->path);
    *paths = (cof_paths){NULL, 0};
}
