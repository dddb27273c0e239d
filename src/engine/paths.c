/* SPDX-License-Identifier: Apache-2.0 */

/* Which backups a path stands for. */

#include "engine/paths.h"

#include <stdlib.h>
#include <string.h>

#include <coffer/reader.h>

#include "base/error.h"
#include "format/superblock.h"
#include "os/dir.h"
#include "os/file.h"

#define ROLE_END 11 /* where the role of a superblock ends, behind the magic */

static cof_status add_path(cof_paths *out, char *path, cof_error *err)
{
    char **grown = realloc(out->path, (out->count + 1) * sizeof(*grown));

    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    out->path = grown;
    out->path[out->count++] = path;
    return COF_OK;
}

typedef enum what { NOTHING, PART, BACKUP } what;

/* What begins as a later volume is one if its superblocks say so; else somebody should see it. */
static what judge_part(const cof_file *file)
{
    uint8_t raw[2][COF_SUPERBLOCK_SIZE] = {{0}};
    cof_superblock sb;
    size_t got;

    for (int i = 0; i < 2; i++)
        if (cof_file_pread_some(raw[i], sizeof(raw[i]), &got, file, cof_head_superblock_offset(i),
                                NULL) != COF_OK)
            raw[i][0] = 0; /* as good as damaged */
    return cof_superblock_choose(&sb, NULL, raw[0], raw[1], NULL) == COF_OK &&
                   sb.role == COF_VOLUME_LATER
               ? PART
               : BACKUP;
}

/*
 * A name is no proof; the first bytes are.  Either copy may be damaged.  A head alone is none of
 * the backups in a directory: it lies beside its backup, perhaps as what an import replaced, and is
 * meant only when it is named.
 */
static what examine(const char *path)
{
    uint8_t seen[ROLE_END];
    cof_path_type kind;
    cof_file *file = NULL;
    size_t got;
    what found = NOTHING;

    if (cof_path_kind(&kind, path, NULL) != COF_OK || kind != COF_PATH_REGULAR ||
        cof_file_open_regular(&file, path, NULL) != COF_OK)
        return NOTHING;
    for (int i = 0; i < 2 && found != PART; i++) {
        if (cof_file_pread_some(seen, ROLE_END, &got, file, cof_head_superblock_offset(i), NULL) !=
                COF_OK ||
            got < ROLE_END || !cof_superblock_has_magic(seen))
            continue;
        if (cof_superblock_role(seen) != COF_VOLUME_HEAD_ALONE)
            found = cof_superblock_role(seen) == COF_VOLUME_LATER ? PART : BACKUP;
    }
    if (found == PART)
        found = judge_part(file);
    cof_file_free(file);
    return found;
}

bool cof_path_is_backup(const char *path)
{
    return examine(path) != NOTHING;
}

static cof_status find_in_directory(cof_paths *out, const char *path, cof_error *err)
{
    cof_names names = COF_NAMES_INIT;
    cof_status st = cof_dir_list(&names, path, err);

    for (size_t i = 0; st == COF_OK && i < names.count; i++) {
        char *file = NULL;
        what found;

        if (names.names[i][0] == '.')
            continue;
        if ((st = cof_path_join(&file, path, names.names[i], err)) != COF_OK)
            break;
        found = examine(file);
        out->parts += found == PART;
        if (found == BACKUP && (st = add_path(out, file, err)) == COF_OK)
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

    *out = (cof_paths){NULL, 0, 0};
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
    *paths = (cof_paths){NULL, 0, 0};
}
