/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Directories.  In the order of the catalog whatever lies in one follows it at once, so those that
 * wait for their permissions and times lie in each other: as many as the present path is deep.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/treepath.h"
#include "os/os.h"
#include "source/extract_inside.h"

static cof_status settle_last(cof_extract *x, cof_error *err)
{
    cof_open_dir *d = &x->dirs[x->dir_count - 1];
    cof_slice path = {x->dir_path.data, d->path_len};
    cof_error why = COF_ERROR_INIT;
    char problem[512] = "";
    cof_spot spot;
    cof_status st = cof_target_find(&x->target, &spot, path, false, &why);

    if (st == COF_NOMEM)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (st == COF_OK)
        cof_settle(&spot, &d->member, &x->request.settling, false, problem, sizeof(problem));
    if (st != COF_OK || problem[0] != '\0')
        cof_extract_problem(x, path, st != COF_OK ? why.message : problem);
    cof_member_wipe(&d->member);
    x->dir_count--;
    return COF_OK;
}

cof_status cof_extract_leave(cof_extract *x, cof_slice next, cof_error *err)
{
    cof_status st = COF_OK;

    while (st == COF_OK && x->dir_count > 0) {
        cof_slice last = {x->dir_path.data, x->dirs[x->dir_count - 1].path_len};

        if (next.len != 0 && !cof_slice_equal(next, last) && cof_treepath_below(next, last))
            break;
        st = settle_last(x, err);
    }
    return st;
}

static cof_status remember(cof_extract *x, cof_member *member, cof_slice name, cof_error *err)
{
    cof_status st;

    if (x->dir_count == x->dir_cap) {
        size_t cap = x->dir_cap == 0 ? 16 : 2 * x->dir_cap;
        cof_open_dir *grown = reallocarray(x->dirs, cap, sizeof(*grown));

        if (grown == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        x->dirs = grown;
        x->dir_cap = cap;
    }
    x->dir_path.len = 0;
    if ((st = cof_buf_append(&x->dir_path, name.data, name.len, err)) != COF_OK)
        return st;
    x->dirs[x->dir_count++] = (cof_open_dir){name.len, *member};
    memset(member, 0, sizeof(*member)); /* transferred */
    return COF_OK;
}

static cof_status taken(cof_slice name, cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];

    return cof_fail(err, COF_USAGE, "%s exists already and is no directory; --force replaces it",
                    cof_text_safe(safe, sizeof(safe), (const char *)name.data, name.len));
}

cof_status cof_extract_directory(cof_extract *x, const cof_spot *spot, cof_member *member,
                                 cof_slice name, cof_error *err)
{
    const cof_os *os = cof_os_get();
    char safe[COF_TEXT_NAME_CAP];
    int result = os->mkdirat(spot->dir, spot->name, 0700);
    bool made = result == 0;
    struct stat st;

    if (!made && errno == EEXIST && os->fstatat(spot->dir, spot->name, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            result = 0;
        else if (!x->request.force)
            return taken(name, err);
        else if (os->unlinkat(spot->dir, spot->name) == 0)
            made = (result = os->mkdirat(spot->dir, spot->name, 0700)) == 0;
    }
    if (result != 0)
        return cof_fail_sys(err, errno, "cannot create the directory %s",
                            cof_text_safe(safe, sizeof(safe), (const char *)name.data, name.len));
    x->totals.directories++;
    if (!made && x->request.skip_old)
        return COF_OK;
    return remember(x, member, name, err);
}
