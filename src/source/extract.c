/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One thing after the other.  Its place is looked up anew each time and trusted for that one thing
 * only: whatever stands there, and whatever an earlier thing put on the way, is not followed.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "os/os.h"
#include "source/extract_inside.h"

#define SMALL (1 << 20)

cof_status cof_extract_new(cof_extract **out, const cof_extract_request *request, cof_error *err)
{
    cof_extract *x = calloc(1, sizeof(*x));

    *out = x;
    if (x == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    x->request = *request;
    x->target = x->links = (cof_target){.root = -1, .dir = -1};
    if (cof_crew_new(&x->crew, x, err) == COF_OK)
        return COF_OK;
    *out = NULL;
    cof_extract_free(x);
    return COF_NOMEM;
}

void cof_extract_free(cof_extract *x)
{
    if (x == NULL)
        return;
    cof_crew_free(x->crew);
    for (size_t i = 0; i < x->dir_count; i++)
        cof_member_wipe(&x->dirs[i].member);
    free(x->dirs);
    cof_buf_free(&x->dir_path);
    cof_target_wipe(&x->target);
    cof_target_wipe(&x->links);
    free(x);
}

const cof_extract_totals *cof_extract_get_totals(const cof_extract *x)
{
    return &x->totals;
}

void cof_extract_problem(cof_extract *x, cof_slice name, const char *what)
{
    char safe[COF_TEXT_NAME_CAP], sentence[1024];

    (void)snprintf(sentence, sizeof(sentence), "%s is restored, but %s",
                   cof_text_safe(safe, sizeof(safe), (const char *)name.data, name.len), what);
    x->totals.problems++;
    x->request.problem(x->request.ctx, sentence);
}

void cof_extract_count(cof_extract *x, const cof_piece *p)
{
    const cof_catalog_entry *e = p->entry;
    bool content = e->type == COF_ENTRY_FILE || e->type == COF_ENTRY_NAMED_STREAM;

    if (content || e->type == COF_ENTRY_HARDLINK)
        x->totals.files++;
    else
        x->totals.others++;
    if (e->type == COF_ENTRY_HARDLINK)
        x->totals.hard_links++;
    if (content)
        x->totals.bytes += e->size;
    if (p->problem[0] != '\0')
        cof_extract_problem(x, p->name, p->problem);
}

/* Is it worth a look whether the name is taken, before something is made that would have it? */
static bool looks_first(const cof_piece *p)
{
    return p->x->request.skip_old || p->x->request.force || p->entry->size > SMALL;
}

/* Everything but a directory. */
static cof_status put(cof_piece *p, bool *local, cof_slice link, cof_unpack *unpack, cof_error *err)
{
    cof_extract *x = p->x;
    char label[COF_TEXT_NAME_CAP];
    struct stat there;
    cof_status st;

    if (looks_first(p) && cof_os_get()->fstatat(p->spot.dir, p->spot.name, &there) == 0) {
        if (x->request.skip_old) {
            x->totals.skipped++;
            return COF_OK;
        }
        if (!x->request.force)
            return cof_piece_taken(p, err);
        if (S_ISDIR(there.st_mode))
            return cof_fail(err, COF_USAGE, "%s is a directory, which is not replaced",
                            cof_piece_label(label, p));
    }
    if (p->entry->type != COF_ENTRY_FILE)
        cof_piece_register(p);
    st = cof_piece_put(p, local, link, unpack, err);
    cof_pending_remove(p->pending);
    if (st == COF_OK)
        cof_extract_count(x, p);
    return st;
}

static cof_status open_target(cof_extract *x, cof_error *err)
{
    cof_status st;

    if (x->target.root >= 0)
        return COF_OK;
    if ((st = cof_target_open(&x->target, x->request.target, err)) != COF_OK)
        return st;
    return cof_target_open(&x->links, x->request.target, err);
}

/* May it be made later, by another thread?  Only what is free of any look at what is there. */
static bool can_wait(const cof_extract *x, const cof_catalog_entry *entry, const cof_member *member)
{
    return entry->type == COF_ENTRY_FILE && entry->size <= COF_CREW_FILE_MAX && !member->sparse &&
           !x->request.skip_old && !x->request.force && !x->no_tmpfile;
}

/*
 * What was put off is to be there before its directory is left, before anything but a file, and
 * before another file of the same name, which there may be where the first components of the paths
 * are left out.
 */
static cof_status prepare(cof_extract *x, const cof_catalog_entry *entry, cof_slice name,
                          cof_error *err)
{
    cof_status st = COF_OK;

    if (x->target.root < 0)
        return open_target(x, err);
    if (entry->type != COF_ENTRY_FILE || !cof_target_is_in(&x->target, name) ||
        !cof_crew_comes_after(x->crew, name))
        st = cof_extract_catch_up(x, err);
    return st == COF_OK ? cof_extract_leave(x, name, err) : st;
}

cof_status cof_extract_put(cof_extract *x, bool *local, const cof_catalog_entry *entry,
                           cof_member *member, cof_slice name, cof_slice link, cof_unpack *unpack,
                           cof_error *err)
{
    cof_piece p = {.x = x, .entry = entry, .member = member, .name = name};
    cof_status st;

    *local = false;
    if ((st = prepare(x, entry, name, err)) != COF_OK)
        return st;
    *local = true;
    if ((st = cof_target_find(&x->target, &p.spot, name, true, err)) != COF_OK)
        return st;
    if (entry->type == COF_ENTRY_DIRECTORY)
        return cof_extract_directory(x, &p.spot, member, name, err);
    if (!can_wait(x, entry, member))
        return put(&p, local, link, unpack, err);
    *local = false;
    return cof_crew_add(x->crew, &p, unpack, err);
}

cof_status cof_extract_catch_up(cof_extract *x, cof_error *err)
{
    return cof_crew_finish(x->crew, err);
}

cof_status cof_extract_finish(cof_extract *x, cof_error *err)
{
    cof_status st = cof_extract_catch_up(x, err);

    if (st == COF_OK)
        st = cof_extract_leave(x, (cof_slice)COF_SLICE_INIT, err);
    if (st == COF_OK && x->target.root >= 0 && cof_os_get()->syncfs(x->target.root) != 0)
        st = cof_fail_sys(err, errno, "what was restored could not be written safely to disk");
    return st;
}
