/* SPDX-License-Identifier: Apache-2.0 */

/* One thing that is no directory: made unseen, settled, and then given its name. */

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
#include "source/extract_inside.h"

const char *cof_piece_label(char *out, const cof_piece *p)
{
    return cof_text_safe(out, COF_TEXT_NAME_CAP, (const char *)p->name.data, p->name.len);
}

static cof_status cannot_create(const cof_piece *p, int error, cof_error *err)
{
    char label[COF_TEXT_NAME_CAP];

    return cof_fail_sys(err, error, "cannot create %s", cof_piece_label(label, p));
}

/* ---- unseen ---- */

void cof_piece_register(cof_piece *p)
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

/* *local: is it only this file that cannot be written? */
static cof_status write_at(const cof_piece *p, cof_slice data, uint64_t offset, bool *local,
                           cof_error *err)
{
    char label[COF_TEXT_NAME_CAP];

    while (data.len > 0) {
        ssize_t n = cof_os_get()->pwrite(p->fd, data.data, data.len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            *local = errno == EFBIG;
            return cof_fail_sys(err, errno, "cannot write %s", cof_piece_label(label, p));
        }
        data.data += n;
        data.len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return COF_OK;
}

/* *written: where the last piece ends. */
static cof_status write_pieces(const cof_piece *p, uint64_t *written, cof_unpack *unpack,
                               bool *local, cof_error *err)
{
    uint64_t offset = 0;
    cof_slice data;
    bool end = false;
    cof_status st = COF_OK;

    while ((st = cof_unpack_data(unpack, &data, &offset, &end, err)) == COF_OK && !end) {
        if ((st = write_at(p, data, offset, local, err)) != COF_OK)
            return st;
        *written = offset + data.len;
    }
    return st == COF_OK ? cof_unpack_end(unpack, err) : st;
}

/* A file without a name, or, where the file system has no such thing, with the temporary one. */
static int create_file(cof_piece *p)
{
    const cof_os *os = cof_os_get();

    if (p->put_off || !p->x->no_tmpfile) {
        int fd = os->openat(p->spot.dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

        p->nameless = fd >= 0;
        p->needs_name = fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL);
        if (!p->needs_name || p->put_off)
            return fd;
        p->x->no_tmpfile = true;
    }
    cof_piece_register(p);
    return os->openat(p->spot.dir, p->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static cof_status make_file(cof_piece *p, bool *local, cof_unpack *unpack, cof_error *err)
{
    char label[COF_TEXT_NAME_CAP];
    uint64_t size = p->entry->size, written = 0;
    cof_status st;

    p->fd = create_file(p);
    if (p->fd < 0)
        return cannot_create(p, errno, err);
    *local = false;
    if (unpack != NULL) {
        st = write_pieces(p, &written, unpack, local, err);
        if (st == COF_OK && size > COF_CREW_FILE_MAX) /* so that little is left to do in the end */
            (void)cof_os_get()->fadvise(p->fd, 0, 0, COF_ADVICE_WRITTEN);
    } else {
        st = write_at(p, p->content, 0, local, err);
        written = p->content.len;
    }
    if (st != COF_OK || written == size)
        return st;
    /* It ends with a hole. */
    *local = true;
    if (size <= INT64_MAX && cof_os_get()->ftruncate(p->fd, (off_t)size) == 0)
        return COF_OK;
    return cof_fail_sys(err, size > INT64_MAX ? EFBIG : errno, "cannot make %s as long as it was",
                        cof_piece_label(label, p));
}

static cof_status make_node(const cof_piece *p, cof_error *err)
{
    char label[COF_TEXT_NAME_CAP];
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
        return cof_fail_sys(err, EPERM, "cannot create the device %s: only root may",
                            cof_piece_label(label, p));
    return cannot_create(p, errno, err);
}

static cof_status make_symlink(const cof_piece *p, cof_error *err)
{
    cof_status st = COF_OK;
    char *target = cof_text_dup(p->entry->target.data, p->entry->target.len);

    if (target == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (cof_os_get()->symlinkat(target, p->spot.dir, p->temp) != 0)
        st = cannot_create(p, errno, err);
    free(target);
    return st;
}

/* The file that this is a further name of must have been restored, or have been there. */
static cof_status make_link(cof_piece *p, cof_slice link, cof_error *err)
{
    char label[COF_TEXT_NAME_CAP], safe[COF_TEXT_NAME_CAP];
    cof_spot old;
    cof_status st = cof_target_find(&p->x->links, &old, link, false, err);

    if (st != COF_OK)
        return st;
    if (cof_os_get()->linkat(old.dir, old.name, p->spot.dir, p->temp) == 0)
        return COF_OK;
    return cof_fail_sys(err, errno, "cannot make %s one with %s", cof_piece_label(label, p),
                        cof_text_safe(safe, 120, (const char *)link.data, link.len));
}

/* ---- its own name ---- */

cof_status cof_piece_taken(const cof_piece *p, cof_error *err)
{
    char label[COF_TEXT_NAME_CAP];

    return cof_fail(err, COF_USAGE,
                    "%s exists already; --force replaces it, --skip-old-files leaves it",
                    cof_piece_label(label, p));
}

/* -1 and errno; EEXIST where the name is taken. */
static int give_free_name(const cof_piece *p)
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
static int give_first_name(cof_piece *p)
{
    const cof_os *os = cof_os_get();
    int result = os->linkfd(p->fd, p->spot.dir, p->spot.name);

    if (result == 0 || errno != EEXIST || !p->x->request.force)
        return result;
    cof_piece_register(p);
    if (os->linkfd(p->fd, p->spot.dir, p->temp) != 0)
        return -1;
    p->nameless = false;
    return os->renameat(p->spot.dir, p->temp, p->spot.name);
}

static cof_status give_name(cof_piece *p, cof_error *err)
{
    char label[COF_TEXT_NAME_CAP];
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
        return cof_piece_taken(p, err);
    return cof_fail_sys(err, errno, "cannot give %s its name", cof_piece_label(label, p));
}

static cof_status make(cof_piece *p, bool *local, cof_slice link, cof_unpack *unpack,
                       cof_error *err)
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
static cof_status settle(cof_piece *p, cof_error *err)
{
    char label[COF_TEXT_NAME_CAP];
    const cof_spot open_file = {p->fd, ""}, made = {p->spot.dir, p->temp};
    int fd = p->fd;

    if (p->entry->type != COF_ENTRY_HARDLINK)
        cof_settle(fd >= 0 ? &open_file : &made, p->member, &p->x->request.settling,
                   p->entry->type == COF_ENTRY_SYMLINK, p->problem, sizeof(p->problem));
    if (p->nameless) /* closed, it would be gone */
        return COF_OK;
    p->fd = -1;
    if (fd >= 0 && cof_os_get()->close(fd) != 0)
        return cof_fail_sys(err, errno, "cannot write %s", cof_piece_label(label, p));
    return COF_OK;
}

cof_status cof_piece_put(cof_piece *p, bool *local, cof_slice link, cof_unpack *unpack,
                         cof_error *err)
{
    cof_status st;

    *local = true;
    p->fd = -1;
    p->problem[0] = '\0';
    if ((st = make(p, local, link, unpack, err)) == COF_OK && (st = settle(p, err)) == COF_OK) {
        *local = true;
        st = give_name(p, err);
    }
    if (p->fd >= 0)
        (void)cof_os_get()->close(p->fd);
    if (st != COF_OK && !p->nameless)
        (void)cof_os_get()->unlinkat(p->spot.dir, p->temp);
    return st;
}
