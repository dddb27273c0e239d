/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A run that was interrupted is repeated: so the same head in the same place is no obstacle, and no
 * other one is ever replaced.
 */

#include "engine/keep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/alone.h"
#include "os/dir.h"

#define NAMES 99 /* of one generation; nobody imports so often into a backup that is put back */

/* *same: the file is there and holds these bytes. */
static cof_status look(bool *there, bool *same, const char *path, cof_slice head, cof_error *err)
{
    cof_buf found = COF_BUF_INIT;
    cof_path_type kind;
    cof_status st = cof_path_kind(&kind, path, err);

    *there = *same = false;
    if (st != COF_OK || kind == COF_PATH_NOTHING)
        return st;
    *there = true;
    if (kind != COF_PATH_REGULAR)
        return COF_OK;
    st = cof_file_read_whole(&found, path, head.len, err);
    *same = st == COF_OK && cof_slice_equal(cof_buf_slice(&found), head);
    cof_buf_free(&found);
    return st == COF_LIMIT ? COF_OK : st;
}

cof_status cof_keep_durably(const char *path, cof_error *err)
{
    cof_file *file = NULL;
    char *parent = NULL;
    cof_status st = cof_file_open_read(&file, path, err);

    if (st == COF_OK && (st = cof_file_sync(file, err)) == COF_OK &&
        (st = cof_path_parent(&parent, path, err)) == COF_OK)
        st = cof_dir_sync(parent, err);
    free(parent);
    cof_file_free(file);
    return st;
}

static cof_status keep_at(bool *taken, const char *path, cof_slice head, cof_error *err)
{
    bool there, same;
    cof_status st = look(&there, &same, path, head, err);

    *taken = there && !same;
    if (st == COF_OK && same)
        return cof_keep_durably(path, err);
    if (st != COF_OK || there)
        return st;
    return cof_alone_write(path, head, false, err);
}

static cof_status keep_in(char *out, size_t cap, const char *dir, const char *name, cof_slice head,
                          uint64_t generation, cof_error *err)
{
    bool taken = true;
    cof_status st = COF_OK;

    for (unsigned i = 1; st == COF_OK && taken && i <= NAMES; i++) {
        char number[16] = "";
        int n;

        if (i > 1)
            (void)snprintf(number, sizeof(number), ".%u", i);
        n = snprintf(out, cap, "%s/%s.generation-%" PRIu64 "%s.head", dir, name, generation,
                     number);
        if (n < 0 || (size_t)n >= cap)
            return cof_fail(err, COF_LIMIT,
                            "the name of the head to keep is too long; give another "
                            "with --keep");
        st = keep_at(&taken, out, head, err);
    }
    if (st == COF_OK && taken)
        st =
            cof_fail(err, COF_USAGE, "too many heads of this backup are kept already; remove some");
    return st;
}

static cof_status keep_as(char *out, size_t cap, const char *path, cof_slice head, cof_error *err)
{
    char name[COF_TEXT_NAME_CAP];
    bool taken;
    cof_status st;

    if ((size_t)snprintf(out, cap, "%s", path) >= cap)
        return cof_fail(err, COF_LIMIT, "the name of the head to keep is too long");
    st = keep_at(&taken, path, head, err);
    if (st == COF_OK && taken)
        st = cof_fail(err, COF_USAGE,
                      "%s exists and is something else than the head to keep; give another name",
                      cof_text_safe_str(name, sizeof(name), path));
    return st;
}

cof_status cof_keep_head(char *out, size_t cap, cof_slice head, const char *path, const char *where,
                         uint64_t generation, cof_error *err)
{
    cof_path_type kind = COF_PATH_DIRECTORY;
    char *beside = NULL;
    cof_status st;

    if (where != NULL && (st = cof_path_kind(&kind, where, err)) != COF_OK)
        return st;
    if (kind != COF_PATH_DIRECTORY)
        return keep_as(out, cap, where, head, err);
    if (where == NULL && (st = cof_path_parent(&beside, path, err)) != COF_OK)
        return st;
    st = keep_in(out, cap, where != NULL ? where : beside, cof_path_name(path), head, generation,
                 err);
    free(beside);
    return st;
}
