/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Options as tables: the command line, and the home's options file.  Both end in set(), which knows
 * the rules; the rest is spelling.
 */

#include "option.h"

#include "say.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cli_list_add(cli_list *list, const char *item)
{
    const char **grown = realloc(list->item, (list->count + 1) * sizeof *grown);
    if (grown == NULL) {
        fputs("coffer: no memory\n", stderr);
        exit(1);
    }
    list->item = grown;
    list->item[list->count++] = item;
}

const cli_opt *cli_opt_find(const cli_opt *table, const char *name)
{
    for (; table->name != NULL; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

/* ---- one option ---- */

static size_t table_size(const cli_opt *table)
{
    size_t n = 0;
    while (table[n].name != NULL)
        n++;
    return n;
}

/* Option number i of both tables, NULL behind the last. */
static const cli_opt *option_at(const cli_options *options, size_t i)
{
    size_t own = table_size(options->own);
    if (i < own)
        return &options->own[i];
    return i < own + table_size(options->common) ? &options->common[i - own] : NULL;
}

static cli_origin *origin_of(cli_options *options, const cli_opt *opt)
{
    size_t own = table_size(options->own);
    size_t i = opt >= options->own && opt < options->own + own
                   ? (size_t)(opt - options->own)
                   : own + (size_t)(opt - options->common);
    assert(i < CLI_OPT_MAX);
    return &options->origin[i];
}

static const cli_opt *find(const cli_options *options, const char *name)
{
    const cli_opt *opt = cli_opt_find(options->own, name);
    return opt != NULL ? opt : cli_opt_find(options->common, name);
}

/* Another option of the same group that origin has set, or NULL. */
static const cli_opt *group_mate(cli_options *options, const cli_opt *opt, cli_origin origin)
{
    const cli_opt *other = NULL;
    for (size_t i = 0; opt->group != NULL && (other = option_at(options, i)) != NULL; i++)
        if (other != opt && other->group != NULL && strcmp(other->group, opt->group) == 0 &&
            options->origin[i] == origin)
            return other;
    return NULL;
}

/* Give an option its value (NULL for a flag). */
static cof_status set(cli_options *options, const cli_opt *opt, const char *value,
                      cli_origin origin, cof_error *err)
{
    cli_origin *was = origin_of(options, opt);
    if (origin == CLI_ORIGIN_HOME &&
        (*was == CLI_ORIGIN_COMMAND || group_mate(options, opt, CLI_ORIGIN_COMMAND) != NULL))
        return COF_OK;
    const cli_opt *mate = group_mate(options, opt, origin);
    if (mate != NULL && (opt->rules & mate->rules & CLI_OPT_EXCLUSIVE))
        return cli_error(err, COF_USAGE, "--%s and --%s exclude each other", mate->name, opt->name);
    if (opt->value != NULL && *was == origin)
        return cli_error(err, COF_USAGE, "--%s was given twice", opt->name);
    if (value != NULL && value[0] == '\0')
        return cli_error(err, COF_USAGE, "--%s needs a value that is not empty: %s", opt->name,
                         opt->arg);
    if (opt->flag != NULL)
        *opt->flag = true;
    else if (opt->value != NULL)
        *opt->value = value;
    else
        cli_list_add(opt->list, value);
    *was = origin;
    return COF_OK;
}

/* ---- the command line ---- */

static cof_status unknown_option(const cli_options *options, const char *name, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    const cli_opt *opt = NULL;
    cli_safe(safe, sizeof safe, name);
    for (size_t i = 0; name[0] != '\0' && (opt = option_at(options, i)) != NULL; i++)
        if (strncmp(opt->name, name, strlen(name)) == 0 ||
            strncmp(opt->name, name, strlen(opt->name)) == 0)
            return cli_error(err, COF_USAGE, "unknown option --%s: did you mean --%s?", safe,
                             opt->name);
    return cli_error(err, COF_USAGE, "unknown option --%s", safe);
}

/* arg is "name" or "name=value"; *next is the rest of the command line. */
static cof_status parse_long(cli_options *options, const char *arg, char ***next, cof_error *err)
{
    char name[64];
    size_t len = strcspn(arg, "=");
    const char *value = arg[len] == '=' ? arg + len + 1 : NULL;
    snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), arg);

    const cli_opt *opt = find(options, name);
    if (opt == NULL)
        return unknown_option(options, name, err);
    if (opt->flag != NULL && value != NULL)
        return cli_error(err, COF_USAGE, "--%s takes no value", opt->name);
    if (opt->flag == NULL && value == NULL) {
        if (**next == NULL)
            return cli_error(err, COF_USAGE, "--%s needs a value: %s", opt->name, opt->arg);
        value = *(*next)++;
    }
    return set(options, opt, value, CLI_ORIGIN_COMMAND, err);
}

/* arg is one or more letters, the last perhaps with its value. */
static cof_status parse_short(cli_options *options, const char *arg, char ***next, cof_error *err)
{
    for (; *arg != '\0'; arg++) {
        const cli_opt *opt = NULL;
        for (size_t i = 0; (opt = option_at(options, i)) != NULL && opt->letter != *arg; i++)
            continue;
        if (opt == NULL) {
            char safe[CLI_NAME_CAP];
            const char letter[] = {*arg, '\0'};
            return cli_error(err, COF_USAGE, "unknown option -%s",
                             cli_safe(safe, sizeof safe, letter));
        }
        const char *value = NULL;
        if (opt->flag == NULL) {
            value = arg[1] != '\0' ? arg + 1 : **next != NULL ? *(*next)++ : NULL;
            if (value == NULL)
                return cli_error(err, COF_USAGE, "-%c needs a value: %s", opt->letter, opt->arg);
        }
        cof_status st = set(options, opt, value, CLI_ORIGIN_COMMAND, err);
        if (st != COF_OK || value != NULL)
            return st;
    }
    return COF_OK;
}

cof_status cli_options_parse(cli_options *options, char **argv, cli_list *operands, cof_error *err)
{
    cof_status st = COF_OK;
    bool only_operands = false;
    while (st == COF_OK && *argv != NULL) {
        const char *arg = *argv++;
        if (only_operands || arg[0] != '-' || arg[1] == '\0')
            cli_list_add(operands, arg);
        else if (arg[1] != '-')
            st = parse_short(options, arg + 1, &argv, err);
        else if (arg[2] != '\0')
            st = parse_long(options, arg + 2, &argv, err);
        else
            only_operands = true;
    }
    return st;
}

/* ---- the home's options file ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cut a line into name and value (NULL: none) in place; false where there is no option on it. */
static bool cut_line(char *line, char **out_name, char **out_value)
{
    size_t len = strlen(line);
    while (len > 0 && is_blank(line[len - 1]))
        line[--len] = '\0';
    while (is_blank(*line))
        line++;
    if (*line == '\0' || *line == '#')
        return false;
    if (strncmp(line, "--", 2) == 0)
        line += 2;
    *out_name = line;
    *out_value = NULL;
    line += strcspn(line, "= \t");
    if (*line != '\0') {
        *line++ = '\0';
        while (is_blank(*line))
            line++;
        *out_value = line;
    }
    return true;
}

static cof_status load_line(cli_options *options, char *line, bool (*known)(const char *name),
                            cof_error *err)
{
    char *name = NULL;
    char *value = NULL;
    if (!cut_line(line, &name, &value))
        return COF_OK;
    if (!known(name)) {
        char safe[CLI_NAME_CAP];
        return cli_error(err, COF_USAGE,
                         "unknown option %s, or one that counts only on the command line",
                         cli_safe(safe, 200, name));
    }
    const cli_opt *opt = find(options, name);
    if (opt == NULL || (opt->rules & CLI_OPT_ASKED))
        return COF_OK;
    if (opt->flag != NULL && value != NULL)
        return cli_error(err, COF_USAGE, "%s takes no value", opt->name);
    if (opt->flag == NULL && value == NULL)
        return cli_error(err, COF_USAGE, "%s needs a value: %s", opt->name, opt->arg);
    return set(options, opt, value, CLI_ORIGIN_HOME, err);
}

cof_status cli_options_load(cli_options *options, const char *path, bool (*known)(const char *name),
                            cof_error *err)
{
    char safe[CLI_NAME_CAP];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        if (errno == ENOENT)
            return COF_OK;
        return cli_error_sys(err, errno, "cannot read %s", cli_safe(safe, sizeof safe, path));
    }

    cof_status st = COF_OK;
    char *line = NULL; /* a new one for each line: values stay in it */
    size_t cap = 0;
    for (unsigned number = 1; st == COF_OK && getline(&line, &cap, file) >= 0; number++) {
        cof_error inner = COF_ERROR_INIT;
        st = load_line(options, line, known, &inner);
        if (st != COF_OK)
            cli_error(err, st, "%s, line %u: %.160s", cli_safe(safe, 280, path), number,
                      inner.message);
        static cli_list kept;
        cli_list_add(&kept, line);
        line = NULL;
        cap = 0;
    }
    free(line);
    if (st == COF_OK && ferror(file))
        st = cli_error(err, COF_IO, "cannot read %s", cli_safe(safe, sizeof safe, path));
    (void)fclose(file);
    return st;
}
