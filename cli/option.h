/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_OPTION_H
#define COF_CLI_OPTION_H

/*
 * Options as tables.  A verb's table says where each value goes and how it is explained, so that
 * what is accepted and what --help prints cannot drift apart.
 *
 * Accepted: --name value, --name=value, -n value, -nvalue, flags -a -b or -ab; operands in between;
 * everything after -- is an operand, and so is a lone "-".  One value for each option; only lists
 * may be repeated.  Names are never abbreviated.
 *
 * Values come from the command line and, for what is not said there, from the home's options file.
 * Whatever the command line says replaces what the home says, for the option and for its whole
 * group.
 */

#include <coffer/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct cli_list {
    const char **item; /* the strings are borrowed: from argv, or for the life of the process */
    size_t count;
} cli_list;

void cli_list_add(cli_list *list, const char *item); /* ends the process if there is no memory */

enum {
    CLI_OPT_ASKED = 1,    /* means something only when asked for each time: never from the home */
    CLI_OPT_EXCLUSIVE = 2 /* at most one option of the group */
};

/* One option.  Exactly one of flag, value and list says what it is and where it goes. */
typedef struct cli_opt {
    char letter;      /* 0: it has none */
    const char *name; /* NULL ends a table */
    const char *arg;  /* how help calls the value; NULL for a flag */
    const char *help; /* one sentence, or a part of one */
    bool *flag;
    const char **value; /* not empty; NULL where not given */
    cli_list *list;
    const char *group; /* NULL, or what belongs together */
    unsigned rules;    /* CLI_OPT_… */
} cli_opt;

/* Where the value of each option of a table came from. */
typedef enum cli_origin { CLI_ORIGIN_NONE, CLI_ORIGIN_HOME, CLI_ORIGIN_COMMAND } cli_origin;

#define CLI_OPT_MAX 64 /* options of one verb, the common ones included */

/* The options that a verb understands: its own table, and the common one. */
typedef struct cli_options {
    const cli_opt *own, *common;
    cli_origin origin[CLI_OPT_MAX]; /* of own, then of common */
} cli_options;

/*
 * Read a command line (argv without program and verb).  Operands are appended.  COF_USAGE with a
 * sentence.
 */
cof_status cli_options_parse(cli_options *options, char **argv, cli_list *operands,
                             cof_error *err) COF_MUST_USE;

/*
 * Read the home's options file: one long option on a line, "name", "name value" or "name=value",
 * with or without leading dashes; empty lines, and lines that begin with #, are skipped.  known
 * says whether any verb takes the option from the home; those of other verbs are skipped as well.
 * No such file: nothing to do.  COF_USAGE, COF_IO.
 */
cof_status cli_options_load(cli_options *options, const char *path, bool (*known)(const char *name),
                            cof_error *err) COF_MUST_USE;

/* The option of that name in a table, or NULL. */
const cli_opt *cli_opt_find(const cli_opt *table, const char *name);

#endif
