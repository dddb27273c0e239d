/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Evidence: lines at the end of a file.  Each is written by one call, so that several processes can
 * share the file.
 */

#include "evidence.h"

#include "human.h"
#include "json.h"
#include "say.h"
#include "status.h"

#include <coffer/coffer.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static cof_status write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR)
            return COF_IO;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return COF_OK;
}

/* A new name has to be on the disk as well. */
static cof_status sync_parent(const char *path)
{
    char dir[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL)
        snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return COF_IO;
    cof_status st = fsync(fd) == 0 || errno == EINVAL ? COF_OK : COF_IO;
    close(fd);
    return st;
}

/* A line that a crash cut short must not swallow the next one. */
static cof_status end_last_line(int fd, const struct stat *info)
{
    char last = '\n';
    if (info->st_size == 0)
        return COF_OK;
    if (pread(fd, &last, 1, info->st_size - 1) != 1)
        return COF_IO;
    return last == '\n' ? COF_OK : write_all(fd, "\n", 1);
}

/* Evidence is lines of JSON: what begins as anything else, a backup say, is not added to. */
static bool is_other(int fd, const struct stat *info)
{
    char first = '\0';
    return info->st_size > 0 && (pread(fd, &first, 1, 0) != 1 || first != '{');
}

cof_status cli_evidence_open(cli_evidence *out, const char *path, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    struct stat info;
    *out = (cli_evidence)CLI_EVIDENCE_NONE;
    if (path == NULL)
        return COF_OK;
    cli_safe(safe, sizeof safe, path);
    out->path = path;
    out->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (out->fd < 0 || fstat(out->fd, &info) != 0)
        return cli_error_sys(err, errno, "cannot open the report %s", safe);
    if (!S_ISREG(info.st_mode))
        return cli_error(err, COF_USAGE, "the report %s is not a regular file", safe);
    if (is_other(out->fd, &info)) {
        cli_evidence_close(out); /* that this was refused is not written there either */
        return cli_error(err, COF_USAGE,
                         "%s is no report, since it does not begin as one; name another file",
                         safe);
    }
    if (sync_parent(path) != COF_OK || end_last_line(out->fd, &info) != COF_OK)
        return cli_error_sys(err, errno, "cannot write the report %s", safe);
    return COF_OK;
}

void cli_evidence_close(cli_evidence *evidence)
{
    if (evidence->fd >= 0)
        close(evidence->fd);
    evidence->fd = -1;
}

json_t *cli_evidence_new(const char *verb, const char *path)
{
    json_t *object = json_object();
    cli_json_time(object, "checked", cli_today());
    cli_json_text(object, "tool", "coffer");
    cli_json_text(object, "version", cof_version());
    cli_json_text(object, "verb", verb);
    if (strcmp(path, "-") == 0)
        (void)json_object_set_new(object, "path", json_null());
    else
        cli_json_text(object, "path", path);
    return object;
}

void cli_evidence_describe(json_t *object, const cof_info *info)
{
    cli_json_text(object, "uuid", info->uuid);
    cli_json_text(object, "label", info->label);
    cli_json_time(object, "finished", info->finished);
    cli_json_flag(object, "complete", info->complete);
    cli_json_makers(object, info);
    cli_json_text(object, "root", info->root);
    cli_json_number(object, "generation", info->generation);
    if (info->custody_count > 0)
        cli_json_party(object, "custodian", &info->custody[0].by);
    cli_json_text(object, "custody_sha256", info->custody_sha256);
    cli_json_number(object, "damaged", info->damaged);
}

static void conclude(json_t *object, const cli_report *report, cof_status st, const cof_error *err)
{
    int exit_status = st == COF_OK && report->warned ? CLI_EXIT_WARNED : cli_status_exit(st);
    cli_json_text(object, "status", cof_status_name(st));
    cli_json_number(object, "exit", (uint64_t)exit_status);
    if (st != COF_OK)
        cli_json_text(object, "error", err->message);
    if (st != COF_OK && err->rule[0] != '\0')
        cli_json_text(object, "rule", err->rule);
    (void)json_object_set_new(object, "warnings",
                              report->warnings != NULL ? json_incref(report->warnings)
                                                       : json_array());
}

/* The object and a newline; not terminated.  NULL and errno where there is no memory. */
static char *emit(size_t *out_len, const json_t *object)
{
    size_t len = json_dumpb(object, NULL, 0, JSON_COMPACT);
    char *line = len > 0 ? malloc(len + 1) : NULL;
    if (line == NULL || json_dumpb(object, line, len, JSON_COMPACT) != len) {
        errno = ENOMEM;
        free(line);
        return NULL;
    }
    line[len] = '\n';
    *out_len = len + 1;
    return line;
}

static int unwritten(const cli_evidence *evidence)
{
    char safe[CLI_NAME_CAP];
    cof_error why;

    cli_error_sys(&why, errno, "cannot write the report %s",
                  cli_safe(safe, sizeof safe, evidence->path));
    cli_say(why.message);
    return CLI_EXIT_IO;
}

int cli_evidence_put(const cli_evidence *evidence, json_t *object, const cli_report *report,
                     cof_status st, const cof_error *err)
{
    int exit_status = CLI_EXIT_OK;
    char *line = NULL;
    size_t len = 0;

    if (evidence->fd >= 0) {
        conclude(object, report, st, err);
        line = emit(&len, object);
        if (line == NULL || write_all(evidence->fd, line, len) != COF_OK)
            exit_status = unwritten(evidence);
    }
    free(line);
    json_decref(object);
    return exit_status;
}

int cli_evidence_sync(const cli_evidence *evidence)
{
    return evidence->fd < 0 || fsync(evidence->fd) == 0 ? CLI_EXIT_OK : unwritten(evidence);
}

int cli_evidence_add(const cli_evidence *evidence, json_t *object, const cli_report *report,
                     cof_status st, const cof_error *err)
{
    int exit_status = cli_evidence_put(evidence, object, report, st, err);

    return exit_status == CLI_EXIT_OK ? cli_evidence_sync(evidence) : exit_status;
}
