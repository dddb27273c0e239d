/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files that appear whole or not at all.  The order is what makes it true: bytes to disk, then the
 * name, then the directory to disk.  Until the name is given, the temporary file is registered for
 * removal, from before it exists.
 */

#include "os/newfile.h"

#include "base/error.h"
#include "base/text.h"
#include "os/dir.h"
#include "os/pending.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_DIGITS 16
#define TRIES        16 /* to find a name that is free */

struct cof_newfile {
    cof_file *file;
    cof_pending *pending; /* NULL once published */
    mode_t mode;
    char *final_path; /* owned, as the next two */
    char *dir;
    char *temp_path;
    char *aside;                   /* what had the name before, until all of a set are published */
    bool synced;                   /* permissions and bytes are on the disk */
    bool moved;                    /* and has it no more */
    bool named;                    /* of a set: has its name, which it may lose again */
    char label[COF_TEXT_NAME_CAP]; /* final_path for messages */
};

static cof_status name_temporary(cof_newfile *nf, cof_error *err)
{
    char path[PATH_MAX];
    const char *name = cof_path_name(nf->final_path);
    free(nf->temp_path);
    nf->temp_path = NULL;
    int n = snprintf(path, sizeof path, "%s/.%.*s.%016" PRIx64 ".tmp", nf->dir,
                     COF_NEWFILE_NAME_MAX, name, cof_os_get()->token());
    if (n < 0 || (size_t)n >= sizeof path)
        return cof_fail(err, COF_LIMIT, "the path %s is too long", nf->label);
    nf->temp_path = strdup(path);
    return nf->temp_path != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

/* ".NAME.RANDOM" and this ending of four characters? */
static bool has_token(const char *name, const char *ending, size_t *out_len)
{
    size_t len = strlen(name);
    size_t behind = 1 + TOKEN_DIGITS + strlen(ending); /* the name */
    if (name[0] != '.' || len < 2 + behind || len > 1 + COF_NEWFILE_NAME_MAX + behind)
        return false;
    const char *token = name + len - behind + 1;
    *out_len = len - behind - 1;
    return token[-1] == '.' && strspn(token, "0123456789abcdef") == TOKEN_DIGITS &&
           strcmp(token + TOKEN_DIGITS, ending) == 0;
}

bool cof_newfile_is_temporary(const char *name)
{
    size_t len;
    return has_token(name, ".tmp", &len);
}

bool cof_newfile_is_temporary_of(const char *name, const char *final_name)
{
    size_t len;
    return has_token(name, ".tmp", &len) && len == strnlen(final_name, COF_NEWFILE_NAME_MAX) &&
           strncmp(name + 1, final_name, len) == 0;
}

bool cof_newfile_is_aside(const char *name, size_t *len)
{
    return has_token(name, ".old", len);
}

/* Find a free name, register it, create the file. */
static cof_status create_temporary(cof_newfile *nf, cof_error *err)
{
    cof_error local = COF_ERROR_INIT;
    cof_status st = COF_IO;
    for (int i = 0; i < TRIES; i++) {
        if ((st = name_temporary(nf, err)) != COF_OK ||
            (st = cof_pending_add(&nf->pending, nf->temp_path, err)) != COF_OK)
            return st;
        st = cof_file_create_excl(&nf->file, nf->temp_path, 0600, &local);
        if (st == COF_OK) {
            (void)!cof_lock_exclusive(nf->file, false, NULL);
            return COF_OK;
        }
        if (local.sys_errno != EEXIST) /* it may be there although it could not be looked at */
            (void)cof_os_get()->unlink(nf->temp_path);
        cof_pending_remove(nf->pending);
        nf->pending = NULL;
        if (local.sys_errno != EEXIST)
            break;
    }
    if (st == COF_IO) /* the name that the user knows */
        return cof_fail_sys(err, local.sys_errno, "cannot create %s", nf->label);
    return cof_fail(err, st, "%s", local.message);
}

cof_status cof_newfile_create(cof_newfile **out, const char *final_path, mode_t mode,
                              cof_error *err)
{
    *out = NULL;
    char label[COF_TEXT_NAME_CAP];
    cof_status st = COF_OK;
    cof_newfile *nf = NULL;
    if (cof_path_name(final_path)[0] == '\0')
        return cof_fail(err, COF_USAGE, "\"%s\" does not name a file",
                        cof_text_safe_str(label, sizeof label, final_path));
    if ((nf = calloc(1, sizeof *nf)) == NULL || (nf->final_path = strdup(final_path)) == NULL) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    nf->mode = mode;
    cof_text_safe_str(nf->label, sizeof nf->label, final_path);
    if ((st = cof_path_parent(&nf->dir, final_path, err)) != COF_OK ||
        (st = create_temporary(nf, err)) != COF_OK)
        goto out;
    *out = nf;
    nf = NULL; /* transferred */

out:
    cof_newfile_free(nf);
    return st;
}

cof_file *cof_newfile_file(cof_newfile *nf)
{
    return nf->file;
}

const char *cof_newfile_path(const cof_newfile *nf)
{
    return nf->final_path;
}

/* -1 and errno, EEXIST where the name is taken. */
static int give_free_name(const cof_newfile *nf)
{
    const cof_os *os = cof_os_get();
    if (os->rename_noreplace(nf->temp_path, nf->final_path) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return -1;
    if (os->link(nf->temp_path, nf->final_path) != 0)
        return -1;
    /* The file has its name; a second name that cannot be removed is only untidy. */
    (void)os->unlink(nf->temp_path);
    return 0;
}

static cof_status give_name(cof_newfile *nf, bool force, cof_error *err)
{
    int result = force ? cof_os_get()->rename(nf->temp_path, nf->final_path) : give_free_name(nf);
    if (result == 0)
        return COF_OK;
    if (errno == EEXIST && !force)
        return cof_fail(err, COF_USAGE, "%s exists already; use --force to replace it", nf->label);
    return cof_fail_sys(err, errno, "cannot give the finished file its name %s", nf->label);
}

cof_status cof_newfile_sync(cof_newfile *nf, cof_error *err)
{
    if (nf->pending == NULL)
        return cof_fail(err, COF_INTERNAL, "%s has been published before", nf->label);
    if (nf->synced)
        return COF_OK;
    if (nf->mode != COF_NEWFILE_MODE_AS_IS &&
        cof_os_get()->fchmod(cof_file_fd(nf->file), nf->mode) != 0)
        return cof_fail_sys(err, errno, "cannot set the permissions of %s", nf->label);
    if (cof_os_get()->fsync(cof_file_fd(nf->file)) != 0)
        return cof_fail_sys(err, errno, "cannot write %s safely to disk", nf->label);
    nf->synced = true;
    return COF_OK;
}

cof_status cof_newfile_close(cof_newfile *nf, cof_error *err)
{
    cof_error local = COF_ERROR_INIT;
    cof_status st = cof_newfile_sync(nf, err);
    if (st == COF_OK && cof_file_close(&nf->file, &local) != COF_OK)
        st = cof_fail_sys(err, local.sys_errno, "cannot write %s safely to disk", nf->label);
    return st;
}

static cof_status sync_directory(const cof_newfile *nf, const char *problem, cof_error *err)
{
    cof_error local = COF_ERROR_INIT;
    if (cof_dir_sync(nf->dir, &local) == COF_OK)
        return COF_OK;
    return cof_fail_sys(err, local.sys_errno, "%s %s", nf->label, problem);
}

/* The file has its name, or is given it: nobody removes it any more. */
static cof_status name_last(cof_newfile *nf, bool force, cof_error *err)
{
    cof_status st;
    if (nf->file != NULL)
        cof_lock_release(nf->file); /* whoever finds it under its name shall not wait */
    if ((st = give_name(nf, force, err)) != COF_OK)
        return st;
    cof_pending_remove(nf->pending);
    nf->pending = NULL;
    return sync_directory(nf, "is written, but a power loss may still undo it", err);
}

bool cof_newfile_has_name(const cof_newfile *nf)
{
    return nf->pending == NULL;
}

cof_status cof_newfile_publish(cof_newfile *nf, bool force, cof_error *err)
{
    cof_status st = cof_newfile_sync(nf, err);
    return st == COF_OK ? name_last(nf, force, err) : st;
}

/* ---- several ---- */

/*
 * What has the name gets another one, beside it where the file system has hard links, before the
 * first goes to the new file.
 */
static cof_status set_aside(cof_newfile *nf, cof_error *err)
{
    const cof_os *os = cof_os_get();
    char path[PATH_MAX];
    const char *name = cof_path_name(nf->final_path);
    struct stat there;
    int n = snprintf(path, sizeof path, "%s/.%.*s.%016" PRIx64 ".old", nf->dir,
                     COF_NEWFILE_NAME_MAX, name, os->token());
    /* It must be told later what it was called. */
    if (strlen(name) > COF_NEWFILE_NAME_MAX && os->lstat(nf->final_path, &there) == 0)
        return cof_fail(err, COF_LIMIT, "the name of %s is too long to be replaced", nf->label);
    if (n < 0 || (size_t)n >= sizeof path)
        return cof_fail(err, COF_LIMIT, "the path %s is too long", nf->label);
    if ((nf->aside = strdup(path)) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (os->link(nf->final_path, nf->aside) == 0)
        return COF_OK;
    nf->moved = errno != ENOENT && os->rename(nf->final_path, nf->aside) == 0;
    if (nf->moved)
        return COF_OK;
    free(nf->aside);
    nf->aside = NULL;
    return errno == ENOENT ? COF_OK : cof_fail_sys(err, errno, "cannot replace %s", nf->label);
}

static cof_status name_one(cof_newfile *nf, bool force, cof_error *err)
{
    cof_status st = give_name(nf, force, err);
    nf->named = st == COF_OK;
    return st;
}

/* The way back: the name goes, and who was set aside has it again. */
static void take_back(cof_newfile *nf)
{
    const cof_os *os = cof_os_get();
    if (nf->aside != NULL && (nf->named || nf->moved))
        (void)os->rename(nf->aside, nf->final_path);
    else if (nf->aside != NULL)
        (void)os->unlink(nf->aside);
    else if (nf->named)
        (void)os->unlink(nf->final_path);
    else
        return;
    nf->named = false;
    (void)!cof_dir_sync(nf->dir, NULL);
}

/* The directories of all but the first. */
static cof_status sync_others(cof_newfile *const *files, size_t count, cof_error *err)
{
    cof_status st = COF_OK;
    for (size_t i = 1; st == COF_OK && i < count; i++)
        if (i + 1 == count || strcmp(files[i]->dir, files[i + 1]->dir) != 0)
            st = sync_directory(files[i], "cannot be given its name safely", err);
    return st;
}

static cof_status name_others(cof_newfile *const *files, size_t count, bool force, cof_error *err)
{
    cof_status st = COF_OK;
    for (size_t i = 1; st == COF_OK && force && i < count; i++)
        st = set_aside(files[i], err);
    if (st == COF_OK && force)
        st = sync_others(files, count, err);
    for (size_t i = 1; st == COF_OK && i < count; i++)
        st = name_one(files[i], force, err);
    return st == COF_OK ? sync_others(files, count, err) : st;
}

static void keep(cof_newfile *nf)
{
    cof_pending_remove(nf->pending);
    nf->pending = NULL;
}

/* Who made room is not needed any more. */
static void forget(cof_newfile *nf)
{
    keep(nf);
    if (nf->aside == NULL || cof_os_get()->unlink(nf->aside) != 0 ||
        cof_dir_sync(nf->dir, NULL) != COF_OK)
        return;
    free(nf->aside);
    nf->aside = NULL;
}

const char *cof_newfile_left_aside(const cof_newfile *nf)
{
    return nf->pending == NULL ? nf->aside : NULL;
}

/*
 * The first has its name, and that may not last: then what made room for the others is all that is
 * left of the old set after a power loss, and stays.
 */
static cof_status name_all(cof_newfile *const *files, size_t count, bool force, cof_error *err)
{
    cof_status st = name_others(files, count, force, err);
    if (st == COF_OK)
        st = name_last(files[0], force, err);
    for (size_t i = count; i-- > 1;)
        if (st == COF_OK)
            forget(files[i]);
        else if (files[0]->pending == NULL)
            keep(files[i]);
        else
            take_back(files[i]);
    return st;
}

cof_status cof_newfile_publish_set(cof_newfile *const *files, size_t count, bool force,
                                   cof_error *err)
{
    cof_status st = COF_OK;
    sigset_t all, before;
    for (size_t i = 0; i < count; i++)
        if ((st = cof_newfile_sync(files[i], err)) != COF_OK)
            return st;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    st = name_all(files, count, force, err);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return st;
}

void cof_newfile_free(cof_newfile *nf)
{
    if (nf == NULL)
        return;
    if (nf->pending != NULL) {
        (void)cof_os_get()->unlink(nf->temp_path);
        cof_pending_remove(nf->pending);
    }
    cof_file_free(nf->file);
    free(nf->temp_path);
    free(nf->aside);
    free(nf->dir);
    free(nf->final_path);
    free(nf);
}

void cof_newfile_abandon_all(void)
{
    cof_pending_unlink_all();
}
