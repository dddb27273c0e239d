/* SPDX-License-Identifier: Apache-2.0 */

/* From operands to backups. */

#include "target.h"

#include "json.h"
#include "report.h"
#include "say.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes over *path on success. */
static cof_status append(cli_targets *targets, char **path, cof_error *err)
{
    char **grown = realloc(targets->path, (targets->count + 1) * sizeof *grown);
    if (grown != NULL)
        targets->path = grown;
    if (grown == NULL || *path == NULL)
        return cli_error(err, COF_NOMEM, "out of memory");
    targets->path[targets->count++] = *path;
    *path = NULL; /* transferred */
    return COF_OK;
}

void cli_targets_wipe(cli_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        free(targets->path[i]);
    free(targets->path);
    *targets = (cli_targets){NULL, 0};
}

static cof_status find_one(cli_targets *out, const char *operand, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    cof_paths paths = {NULL, 0, 0};
    cof_status st = COF_OK;
    if (strcmp(operand, "-") == 0) {
        char *copy = strdup(operand);
        st = append(out, &copy, err);
        free(copy);
        return st;
    }
    st = cof_paths_find(&paths, operand, err);
    if (st == COF_OK && paths.count == 0)
        st = cli_error(err, COF_FORMAT, "there is no backup in %s%s",
                       cli_safe(safe, sizeof safe, operand),
                       paths.parts == 0 ? "" : ", only later volumes: name the first one");
    for (size_t i = 0; st == COF_OK && i < paths.count; i++)
        st = append(out, &paths.path[i], err);
    cof_paths_wipe(&paths);
    return st;
}

int cli_targets_find(cli_targets *out, const cli_list *operands, bool json)
{
    int gravest = CLI_EXIT_OK;
    for (size_t i = 0; i < operands->count; i++) {
        cli_report report;
        cof_error err = COF_ERROR_INIT;
        cli_report_begin(&report, NULL, true);
        cof_status st = find_one(out, operands->item[i], &err);
        gravest =
            cli_status_graver(gravest, cli_json_end(&report, operands->item[i], json, st, &err));
    }
    return gravest;
}

bool cli_targets_read_stdin(const cli_list *operands)
{
    for (size_t i = 0; i < operands->count; i++)
        if (strcmp(operands->item[i], "-") == 0)
            return true;
    return false;
}

cof_status cli_refuse_terminal(int fd, const char *what, cof_error *err)
{
    if (isatty(fd) == 1)
        return cli_error(err, COF_USAGE, "%s", what);
    return COF_OK;
}

cof_status cli_target_open(cof_open_options *options, const char *target, cof_error *err)
{
    if (strcmp(target, "-") != 0) {
        options->path = target;
        return COF_OK;
    }
    options->path = NULL;
    options->input_fd = STDIN_FILENO;
    return cli_refuse_terminal(STDIN_FILENO, "standard input is a terminal; pipe a backup into it",
                               err);
}
