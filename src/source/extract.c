/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One thing after the other.  Its place is looked up anew each time and trusted for that one thing
 * only: whatever stands there, and whatever an earlier thing put on the way, is not followed.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/error.h"
#include "base/text.h"
#include "os/os.h"
#include "os/pending.h"
#include "source/extract_inside.h"

#define SMALL (1 << 20)

/* What is being put, and where. */
typedef struct piece {
    cof_extract *x;
    const cof_catalog_entry *entry;
    cof_member *member;
    cof_slice name; /* below the target */
    char label[COF_TEXT_NAME_CAP];
    cof_spot spot;
    char temp[COF_TEMP_CAP];
    cof_pending *pending; /* of the temporary name; NULL: there is none */
    int fd;               /* the file that is being made; -1: none */
    bool nameless;        /* it has no name so far */
} piece;

cof_status cof_extract_new(cof_extract **out, const cof_extract_request *request, cof_error *err)
{
    cof_extract *x = calloc(1, sizeof(*x));

    *out = x;
    if (x == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    x->request = *request;
    x->target = x->links = (cof_target){.root = -1, .dir = -1};
    return COF_OK;
}

void cof_extract_free(cof_extract *x)
{
    if (x == NULL)
        return;
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

static cof_status cannot_create(const piece *p, int error, cof_error *err)
{
    return cof_fail_sys(err, error, "cannot create %s", p->label);
}

/* ---- unseen ---- */

/*
 * Choose the temporary name.  It is registered for the handler of a signal, which knows paths only;
 * one that is too long stays behind then.
 */
static void register_temp(piece *p)
{
    char *path = cof_target_outside(&p->x->target, p->name);
    char *slash = path != NULL ? strrchr(path, '/') : NULL;
    char *full = NULL;

    (void)snprintf(p->temp, sizeof(p->temp), ".coffer-%016" PRIx64 ".tmp", cof_os_get()->token());
    if (slash != NULL && asprintf(&full, "%.*s/%s", (int)(slash - path), path, p->temp) >= 0) {
        if (cof_pending_add(&p->pending, full, NULL) != COF_OK)
            p->pending = NULL;
        free(full);
    }
    free(path);
}

/* *written: where the last piece ends. */
static cof_status write_pieces(const piece *p, uint64_t *written, bool *local, cof_unpack *unpack,
                               cof_error *err)
{
    const cof_os *os = cof_os_get();
    uint64_t offset;
    cof_slice data;
    bool end = false;
    cof_status st = COF_OK;

    while ((st = cof_unpack_data(unpack, &data, &offset, &end, err)) == COF_OK && !end) {
        while (data.len > 0) {
            ssize_t n = os->pwrite(p->fd, data.data, data.len, (off_t)offset);

            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0) {
                *local = errno == EFBIG;
                return cof_fail_sys(err, errno, "cannot write %s", p->label);
            }
            data.data += n;
            data.len -= (size_t)n;
            offset += (uint64_t)n;
        }
        if (!end)
            *written = offset;
    }
    return st;
}

/* A file without a name, or, where the file system has no such thing, with the temporary one. */
static int create_file(piece *p)
{
    const cof_os *os = cof_os_get();

    if (!p->x->no_tmpfile) {
        int fd = os->openat(p->spot.dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

        p->nameless = fd >= 0;
        if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
            return fd;
        p->x->no_tmpfile = true;
    }
    register_temp(p);
    return os->openat(p->spot.dir, p->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static cof_status make_file(piece *p, bool *local, cof_unpack *unpack, cof_error *err)
{
    uint64_t size = p->entry->size, written = 0;
    cof_status st;

    p->fd = create_file(p);
    if (p->fd < 0)
        return cannot_create(p, errno, err);
    *local = false;
    if ((st = write_pieces(p, &written, local, unpack, err)) != COF_OK ||
        (st = cof_unpack_end(unpack, err)) != COF_OK || written == size)
        return st;
    /* It ends with a hole. */
    *local = true;
    if (size <= INT64_MAX && cof_os_get()->ftruncate(p->fd, (off_t)size) == 0)
        return COF_OK;
    return cof_fail_sys(err, size > INT64_MAX ? EFBIG : errno, "cannot make %s as long as it was",
                        p->label);
}

static cof_status make_node(const piece *p, cof_error *err)
{
    const cof_catalog_entry *e = p->entry;
    mode_t kind = e->type == COF_ENTRY_FIFO          ? S_IFIFO
                  : e->type == COF_ENTRY_CHAR_DEVICE ? S_IFCHR
                                                     : S_IFBLK;
    dev_t device = e->type == COF_ENTRY_FIFO
                       ? 0
                       : makedev((unsigned)(e->size >> 32), (unsigned)(e->size & UINT32_MAX));

    if (cof_os_get()->mknodat(p->spot.dir, p->temp, kind, device) == 0)
        return COF_OK;
    if (errno == EPERM && e->type != COF_ENTRY_FIFO)
        return cof_fail_sys(err, EPERM, "cannot create the device %s: only root may", p->label);
    return cannot_create(p, errno, err);
}

static cof_status make_symlink(const piece *p, cof_error *err)
{
    cof_status st = COF_OK;
    char *target = strndup((const char *)p->entry->target.data, p->entry->target.len);

    if (target == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (cof_os_get()->symlinkat(target, p->spot.dir, p->temp) != 0)
        st = cannot_create(p, errno, err);
    free(target);
    return st;
}

/* The file that this is a further name of must have been restored, or have been there. */
static cof_status make_link(piece *p, cof_slice link, cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];
    cof_spot old;
    cof_status st = cof_target_find(&p->x->links, &old, link, false, err);

    if (st != COF_OK)
        return st;
    if (cof_os_get()->linkat(old.dir, old.name, p->spot.dir, p->temp) == 0)
        return COF_OK;
    return cof_fail_sys(err, errno, "cannot make %s one with %s", p->label,
                        cof_text_safe(safe, 120, (const char *)link.data, link.len));
}

/* ---- its own name ---- */

static cof_status taken(const piece *p, cof_error *err)
{
    return cof_fail(err, COF_USAGE,
                    "%s exists already; --force replaces it, --skip-old-files leaves it", p->label);
}

/* -1 and errno; EEXIST where the name is taken. */
static int give_free_name(const piece *p)
{
    const cof_os *os = cof_os_get();

    if (os->renameat_noreplace(p->spot.dir, p->temp, p->spot.name) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return -1;
    if (os->linkat(p->spot.dir, p->temp, p->spot.dir, p->spot.name) != 0)
        return -1;
    (void)os->unlinkat(p->spot.dir, p->temp);
    return 0;
}

/* The first name of a file; in place of another one by way of the temporary name. */
static int give_first_name(piece *p)
{
    const cof_os *os = cof_os_get();
    int result = os->linkfd(p->fd, p->spot.dir, p->spot.name);

    if (result == 0 || errno != EEXIST || !p->x->request.force)
        return result;
    register_temp(p);
    if (os->linkfd(p->fd, p->spot.dir, p->temp) != 0)
        return -1;
    p->nameless = false;
    return os->renameat(p->spot.dir, p->temp, p->spot.name);
}

static cof_status give_name(piece *p, cof_error *err)
{
    const cof_os *os = cof_os_get();
    int result = p->nameless           ? give_first_name(p)
                 : p->x->request.force ? os->renameat(p->spot.dir, p->temp, p->spot.name)
                                       : give_free_name(p);

    if (result == 0) {
        /* Two names of one file: renaming one over the other has done nothing. */
        if (p->x->request.force && p->entry->type == COF_ENTRY_HARDLINK)
            (void)os->unlinkat(p->spot.dir, p->temp);
        return COF_OK;
    }
    if (errno == EEXIST && !p->x->request.force)
        return taken(p, err);
    return cof_fail_sys(err, errno, "cannot give %s its name", p->label);
}

static cof_status make(piece *p, bool *local, cof_slice link, cof_unpack *unpack, cof_error *err)
{
    switch (p->entry->type) {
    case COF_ENTRY_FILE:
    case COF_ENTRY_NAMED_STREAM:
        return make_file(p, local, unpack, err);
    case COF_ENTRY_SYMLINK:
        return make_symlink(p, err);
    case COF_ENTRY_HARDLINK:
        return make_link(p, link, err);
    default:
        return make_node(p, err);
    }
}

/* Settle what was made; a file by its descriptor, so that it is this one and no other. */
static cof_status settle(piece *p, char *problem, size_t cap, cof_error *err)
{
    const cof_spot open_file = {p->fd, ""}, made = {p->spot.dir, p->temp};
    int fd = p->fd;

    if (p->entry->type != COF_ENTRY_HARDLINK)
        cof_settle(fd >= 0 ? &open_file : &made, p->member, &p->x->request.settling,
                   p->entry->type == COF_ENTRY_SYMLINK, problem, cap);
    if (p->nameless) /* closed, it would be gone */
        return COF_OK;
    p->fd = -1;
    if (fd >= 0 && cof_os_get()->close(fd) != 0)
        return cof_fail_sys(err, errno, "cannot write %s", p->label);
    return COF_OK;
}

/* Make it, settle it, name it; or leave nothing. */
static cof_status put_whole(piece *p, bool *local, cof_slice link, cof_unpack *unpack,
                            cof_error *err)
{
    char problem[512] = "";
    cof_status st;

    *local = true;
    p->fd = -1;
    if ((st = make(p, local, link, unpack, err)) == COF_OK &&
        (st = settle(p, problem, sizeof(problem), err)) == COF_OK) {
        *local = true;
        st = give_name(p, err);
    }
    if (p->fd >= 0)
        (void)cof_os_get()->close(p->fd);
    if (st != COF_OK && !p->nameless)
        (void)cof_os_get()->unlinkat(p->spot.dir, p->temp);
    if (st == COF_OK && problem[0] != '\0')
        cof_extract_problem(p->x, p->name, problem);
    return st;
}

static void count(cof_extract *x, const cof_catalog_entry *e)
{
    bool content = e->type == COF_ENTRY_FILE || e->type == COF_ENTRY_NAMED_STREAM;

    if (content || e->type == COF_ENTRY_HARDLINK)
        x->totals.files++;
    else
        x->totals.others++;
    if (e->type == COF_ENTRY_HARDLINK)
        x->totals.hard_links++;
    if (content)
        x->totals.bytes += e->size;
}

/* Is it worth a look whether the name is taken, before something is made that would have it? */
static bool looks_first(const piece *p)
{
    return p->x->request.skip_old || p->x->request.force || p->entry->size > SMALL;
}

/* Everything but a directory. */
static cof_status put(piece *p, bool *local, cof_slice link, cof_unpack *unpack, cof_error *err)
{
    cof_extract *x = p->x;
    struct stat there;
    cof_status st;

    if (looks_first(p) && cof_os_get()->fstatat(p->spot.dir, p->spot.name, &there) == 0) {
        if (x->request.skip_old) {
            x->totals.skipped++;
            return COF_OK;
        }
        if (!x->request.force)
            return taken(p, err);
        if (S_ISDIR(there.st_mode))
            return cof_fail(err, COF_USAGE, "%s is a directory, which is not replaced", p->label);
    }
    if (p->entry->type != COF_ENTRY_FILE)
        register_temp(p);
    st = put_whole(p, local, link, unpack, err);
    cof_pending_remove(p->pending);
    if (st == COF_OK)
        count(x, p->entry);
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

cof_status cof_extract_put(cof_extract *x, bool *local, const cof_catalog_entry *entry,
                           cof_member *member, cof_slice name, cof_slice link, cof_unpack *unpack,
                           cof_error *err)
{
    piece p = {.x = x, .entry = entry, .member = member, .name = name};
    cof_status st;

    *local = false;
    if ((st = open_target(x, err)) != COF_OK || (st = cof_extract_leave(x, name, err)) != COF_OK)
        return st;
    cof_text_safe(p.label, sizeof(p.label), (const char *)name.data, name.len);
    *local = true;
    if ((st = cof_target_find(&x->target, &p.spot, name, true, err)) != COF_OK)
        return st;
    if (entry->type == COF_ENTRY_DIRECTORY)
        return cof_extract_directory(x, &p.spot, member, name, err);
    return put(&p, local, link, unpack, err);
}

cof_status cof_extract_finish(cof_extract *x, cof_error *err)
{
    cof_status st = cof_extract_leave(x, (cof_slice)COF_SLICE_INIT, err);

    if (st == COF_OK && x->target.root >= 0 && cof_os_get()->syncfs(x->target.root) != 0)
        st = cof_fail_sys(err, errno, "what was restored could not be written safely to disk");
    return st;
}
