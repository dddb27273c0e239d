/* SPDX-License-Identifier: Apache-2.0 */

/* Lists of sources and patterns. */

#include "tree.h"

#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cli_tree_listed(const cli_tree_args *args)
{
    return args->files_from != NULL || args->files_from0 != NULL;
}

static cof_status fail_list(cof_error *err, const char *path, int error)
{
    char safe[CLI_NAME_CAP];
    return cli_error_sys(err, error, "cannot read the list %s", cli_safe(safe, sizeof safe, path));
}

/* Append the lines of a file; each lives as long as the process.  comments: # begins one. */
static cof_status read_list(cli_list *out, const char *path, int end, bool comments, cof_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    if (file == NULL)
        return fail_list(err, path, errno);
    while ((len = getdelim(&line, &cap, end, file)) > 0) {
        if (line[len - 1] == end)
            line[len - 1] = '\0';
        if (line[0] == '\0' || (comments && line[0] == '#'))
            continue;
        cli_list_add(out, line);
        line = NULL; /* transferred */
        cap = 0;
    }
    int error = ferror(file) ? errno : 0;
    free(line);
    if (!is_stdin)
        (void)fclose(file);
    return error == 0 ? COF_OK : fail_list(err, path, error);
}

cof_status cli_tree_load(cof_tree_options *out, cli_tree_args *args, const cli_list *operands,
                         cof_error *err)
{
    cli_list *sources = &args->sources;
    cof_status st = COF_OK;
    for (size_t i = 0; i < operands->count; i++)
        cli_list_add(sources, operands->item[i]);
    if (args->files_from != NULL)
        st = read_list(sources, args->files_from, '\n', false, err);
    if (st == COF_OK && args->files_from0 != NULL)
        st = read_list(sources, args->files_from0, '\0', false, err);
    for (size_t i = 0; st == COF_OK && i < args->exclude_files.count; i++)
        st = read_list(&args->exclude, args->exclude_files.item[i], '\n', true, err);
    *out = (cof_tree_options){
        .paths = sources->item,
        .path_count = sources->count,
        .exclude = args->exclude.item,
        .exclude_count = args->exclude.count,
        .exclude_caches = args->exclude_caches,
        .one_file_system = args->one_file_system,
        .strict = args->strict,
    };
    if (st == COF_OK && sources->count == 0)
        st = cli_error(err, COF_USAGE, "the list of what is to be backed up is empty");
    return st;
}
