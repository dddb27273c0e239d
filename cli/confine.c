/* SPDX-License-Identifier: Apache-2.0 */

/* From the places that a verb writes to, to the rights that it keeps. */

#include "confine.h"

#include "say.h"

#include <coffer/coffer.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void add(cli_confinement *c, const char *path)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->path[i], path) == 0)
            return;
    char *copy = c->count < CLI_CONFINE_PATHS ? strdup(path) : NULL;
    if (copy == NULL)
        c->too_many = true;
    else
        c->path[c->count++] = copy;
}

/* Cut a path to its directory: "." if there is none. */
static void cut(char path[PATH_MAX])
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        path[--len] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        memcpy(path, ".", 2);
    else
        slash[slash == path ? 1 : 0] = '\0';
}

void cli_confine_below(cli_confinement *c, const char *dir)
{
    char path[PATH_MAX];
    struct stat info;
    if (snprintf(path, sizeof path, "%s", dir) >= (int)sizeof path)
        return; /* whoever opens it says so */
    while (stat(path, &info) != 0 && strcmp(path, ".") != 0 && strcmp(path, "/") != 0)
        cut(path);
    if (stat(path, &info) == 0)
        add(c, path);
}

void cli_confine_file(cli_confinement *c, const char *path)
{
    char real[PATH_MAX];
    char dir[PATH_MAX];
    char whole[PATH_MAX];
    struct stat info;
    size_t len = strlen(path);
    if ((len > 0 && path[len - 1] == '/') || (stat(path, &info) == 0 && S_ISDIR(info.st_mode))) {
        cli_confine_below(c, path);
        return;
    }
    if (snprintf(dir, sizeof dir, "%s", path) >= (int)sizeof dir)
        return;
    cut(dir);
    cli_confine_below(c, dir);
    if (realpath(path, real) != NULL) {
        cut(real);
        if (realpath(dir, whole) == NULL || strcmp(whole, real) != 0)
            add(c, real);
    }
}

void cli_confine_target(cli_confinement *c, const char *path)
{
    char name[PATH_MAX];
    struct stat info;
    const struct dirent *entry = NULL;
    DIR *dir = opendir(path);
    cli_confine_file(c, path);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (snprintf(name, sizeof name, "%s/%s", path, entry->d_name) < (int)sizeof name &&
            lstat(name, &info) == 0 && S_ISLNK(info.st_mode) && stat(name, &info) == 0 &&
            S_ISREG(info.st_mode))
            cli_confine_file(c, name);
    if (dir != NULL)
        closedir(dir);
}

static void add_spool(cli_confinement *c)
{
    const char *tmp = getenv("TMPDIR");
    struct stat info;
    if (tmp == NULL || tmp[0] == '\0')
        tmp = "/var/tmp";
    if (stat(tmp, &info) == 0 && S_ISDIR(info.st_mode))
        add(c, tmp);
}

cof_status cli_confine(cli_confinement *c, const cli_call *call, cof_error *err)
{
    const char *missing = NULL;
    unsigned keep = (c->names ? COF_KEEP_NAMES : 0) | (c->count > 0 ? COF_KEEP_ATTRIBUTES : 0);
    add_spool(c);
    static const char *const everywhere[] = {"/"};
    const char *const *paths = c->too_many ? everywhere : (const char *const *)c->path;
    cof_status st = cof_confine(&missing, paths, c->too_many ? 1 : c->count, keep, err);
    if (st == COF_OK && call->verbose && missing != NULL)
        cli_say_note(missing);
    if (st == COF_OK && call->verbose && c->too_many)
        cli_say_note("files in too many places are to be written: they are not confined");
    for (size_t i = 0; i < c->count; i++)
        free(c->path[i]);
    c->count = 0;
    return st;
}
