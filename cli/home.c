/* SPDX-License-Identifier: Apache-2.0 */

/* Finding the home, and refusing one that somebody else controls. */

#include "home.h"

#include "say.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static cof_status fail_io(cof_error *err, const char *what, const char *path)
{
    char safe[CLI_NAME_CAP];
    return cli_error_sys(err, errno, "cannot %s %s", what, cli_safe(safe, sizeof safe, path));
}

static cof_status join(char out[PATH_MAX], const char *dir, const char *name, cof_error *err)
{
    int len = snprintf(out, PATH_MAX, "%s/%s", dir, name);
    if (len < 0 || len >= PATH_MAX)
        return cli_error(err, COF_USAGE, "the path of the home is too long");
    return COF_OK;
}

/* ---- who controls it ---- */

/* In a directory with the sticky bit, others can add names, but not replace ours. */
static cof_status check_owner(const char *path, bool above, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    struct stat s;
    if (stat(path, &s) != 0)
        return fail_io(err, "look at", path);
    cli_safe(safe, 200, path);
    if (s.st_uid != 0 && s.st_uid != geteuid())
        return cli_error(err, COF_CERT,
                         "%s belongs to another user, who could decide whom coffer believes; "
                         "chown it to yourself or root",
                         safe);
    bool sticky = S_ISDIR(s.st_mode) && (s.st_mode & S_ISVTX) != 0;
    if ((s.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !(above && sticky))
        return cli_error(err, COF_CERT,
                         "%s can be written by others, who could decide whom coffer believes; "
                         "chmod go-w it",
                         safe);
    return COF_OK;
}

cof_status cli_home_check(const cli_home *home, cof_error *err)
{
    char real[PATH_MAX];
    if (realpath(home->path, real) == NULL)
        return fail_io(err, "look at", home->path);
    cof_status st = check_owner(real, false, err);
    while (st == COF_OK && strcmp(real, "/") != 0) { /* whoever can rename it can replace it */
        char *slash = strrchr(real, '/');
        slash[slash == real ? 1 : 0] = '\0';
        st = check_owner(real, true, err);
    }
    return st;
}

/* ---- where it is ---- */

static cof_status default_path(char out[PATH_MAX], cof_error *err)
{
    if (geteuid() == 0)
        return join(out, "/etc", "coffer", err);
    const char *user_home = getenv("HOME");
    if (user_home == NULL || user_home[0] != '/') {
        const struct passwd *pw = getpwuid(geteuid());
        user_home = pw != NULL ? pw->pw_dir : NULL;
    }
    if (user_home == NULL || user_home[0] != '/')
        return COF_OK;
    return join(out, user_home, ".config/coffer", err);
}

cof_status cli_home_open(cli_home *out, const char *dir, bool may_miss, cof_error *err)
{
    cof_status st = COF_OK;
    const char *from = dir != NULL ? dir : getenv("COFFER_HOME");
    char safe[CLI_NAME_CAP];
    struct stat s;

    *out = (cli_home){.exists = false};
    if (from == NULL || from[0] == '\0') {
        if ((st = default_path(out->path, err)) != COF_OK)
            return st;
    } else if (snprintf(out->path, sizeof out->path, "%s", from) >= (int)sizeof out->path) {
        return cli_error(err, COF_USAGE, "the path of the home is too long");
    }
    for (size_t len = strlen(out->path); len > 1 && out->path[len - 1] == '/';)
        out->path[--len] = '\0';
    if (out->path[0] == '\0')
        return COF_OK;

    if (stat(out->path, &s) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return fail_io(err, "look at", out->path);
        if (dir != NULL && !may_miss)
            return cli_error(err, COF_USAGE,
                             "--home %s: there is no such directory; coffer init makes it",
                             cli_safe(safe, sizeof safe, dir));
        return COF_OK;
    }
    if (!S_ISDIR(s.st_mode))
        return cli_error(err, COF_USAGE, "the home %s is not a directory",
                         cli_safe(safe, sizeof safe, out->path));
    out->exists = true;
    return cli_home_check(out, err);
}

/* ---- what is in it ---- */

cof_status cli_home_path(char out[PATH_MAX], const cli_home *home, const char *name, cof_error *err)
{
    if (home->path[0] == '\0')
        return cli_error(err, COF_USAGE, "there is no home directory; say where with --home DIR");
    return join(out, home->path, name, err);
}

/* Check what is in a directory of the home; *count says how much that is. */
static cof_status check_entries(size_t *count, const char *path, cof_error *err)
{
    cof_status st = COF_OK;
    char entry[PATH_MAX];
    DIR *dir = opendir(path);
    if (dir == NULL)
        return fail_io(err, "read", path);
    const struct dirent *e = NULL;
    for (*count = 0; st == COF_OK && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        (*count)++;
        if ((st = join(entry, path, e->d_name, err)) == COF_OK)
            st = check_owner(entry, false, err);
    }
    closedir(dir);
    return st;
}

cof_status cli_home_find(char out[PATH_MAX], const cli_home *home, const char *name, cof_error *err)
{
    cof_status st = COF_OK;
    char path[PATH_MAX];
    struct stat s;

    out[0] = '\0';
    if (!home->exists)
        return COF_OK;
    if ((st = join(path, home->path, name, err)) != COF_OK)
        return st;
    if (stat(path, &s) != 0)
        return errno == ENOENT ? COF_OK : fail_io(err, "look at", path);
    if ((st = check_owner(path, false, err)) != COF_OK)
        return st;
    if (S_ISDIR(s.st_mode)) {
        size_t count = 0;
        if ((st = check_entries(&count, path, err)) != COF_OK || count == 0)
            return st;
    }
    memcpy(out, path, sizeof path);
    return COF_OK;
}
