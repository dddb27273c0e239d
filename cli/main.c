/* SPDX-License-Identifier: Apache-2.0 */

/* The command: a table of verbs, and what is the same for all of them. */

#include "help.h"
#include "home.h"
#include "option.h"
#include "say.h"
#include "signals.h"
#include "status.h"
#include "verb.h"

#include <coffer/coffer.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const cli_verb *const cli_verbs[] = {
    &cli_verb_init,   &cli_verb_keygen,
    &cli_verb_backup, &cli_verb_restore,
    &cli_verb_verify, &cli_verb_info,
    &cli_verb_list,   &cli_verb_receive,
    &cli_verb_rotate, &cli_verb_envelope,
    &cli_verb_rekey,  &cli_verb_repair,
    &cli_verb_prune,  NULL,
};

static const char *home_dir;
static bool want_help;
static bool quiet, verbose;

const cli_opt cli_common_options[] = {
    {.name = "home",
     .arg = "DIR",
     .value = &home_dir,
     .rules = CLI_OPT_ASKED,
     .help = "the home, instead of $COFFER_HOME, ~/.config/coffer, or /etc/coffer for root"},
    {.letter = 'q', .name = "quiet", .flag = &quiet, .help = "print only warnings and errors"},
    {.name = "verbose",
     .flag = &verbose,
     .help = "also say what this system does not offer to confine the process"},
    {.letter = 'h',
     .name = "help",
     .flag = &want_help,
     .rules = CLI_OPT_ASKED,
     .help = "print this help"},
    {.name = NULL},
};

const cli_verb *cli_verb_find(const char *name)
{
    for (const cli_verb *const *verb = cli_verbs; *verb != NULL; verb++)
        if (strcmp((*verb)->name, name) == 0)
            return *verb;
    return NULL;
}

/* Whether any verb takes an option from the home. */
static bool is_home_option(const char *name)
{
    for (const cli_verb *const *verb = cli_verbs; *verb != NULL; verb++) {
        const cli_opt *opt = cli_opt_find((*verb)->options, name);
        if (opt != NULL && !(opt->rules & CLI_OPT_ASKED))
            return true;
    }
    const cli_opt *opt = cli_opt_find(cli_common_options, name);
    return opt != NULL && !(opt->rules & CLI_OPT_ASKED);
}

/*
 * Make sure that 0, 1 and 2 are taken, so that no backup is opened as one of them.  What stands in
 * for a missing one fails when it is used, each in the wrong direction.
 */
static void occupy_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            abort();
}

static cof_status check_operands(const cli_verb *verb, const cli_list *operands, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    if (operands->count < verb->least)
        return cli_error(err, COF_USAGE, "%s needs a %s", verb->name, verb->operand);
    if (operands->count <= verb->most)
        return COF_OK;
    cli_safe(safe, sizeof safe, operands->item[verb->most]);
    if (verb->most == 0)
        return cli_error(err, COF_USAGE, "%s takes only options, not '%s'", verb->name, safe);
    return cli_error(err, COF_USAGE, "%s takes one %s, not also '%s'", verb->name, verb->operand,
                     safe);
}

/* Everything before the verb's own work: options, home, the library. */
static cof_status prepare(cli_call *call, const cli_verb *verb, char **argv, cof_error *err)
{
    static cli_options options; /* what the tables point to is static as well */
    static cli_home home;
    char path[PATH_MAX] = "";
    cof_status st = COF_OK;

    options.own = verb->options;
    options.common = cli_common_options;
    st = cli_options_parse(&options, argv, &call->operands, err);
    if (st != COF_OK || want_help)
        return st;
    bool no_home = (verb->rules & CLI_VERB_NO_HOME) != 0;
    if ((st = check_operands(verb, &call->operands, err)) != COF_OK ||
        (st = cli_home_open(&home, home_dir, no_home, err)) != COF_OK)
        return st;
    if (!no_home && ((st = cli_home_find(path, &home, "options", err)) != COF_OK ||
                     (path[0] != '\0' &&
                      (st = cli_options_load(&options, path, is_home_option, err)) != COF_OK)))
        return st;
    call->home = &home;
    call->quiet = quiet;
    call->verbose = verbose;
    return cof_init(err);
}

static int run_verb(const cli_verb *verb, char **argv)
{
    cli_call call = {.home = NULL};
    cof_error err = COF_ERROR_INIT;
    cof_status st = prepare(&call, verb, argv, &err);
    int exit_status = cli_status_exit(st);
    if (st != COF_OK) {
        cli_say(err.message);
        if (st == COF_USAGE)
            fprintf(stderr, "Try: coffer %s --help\n", verb->name);
    } else if (want_help) {
        cli_help_verb(verb);
    } else {
        exit_status = verb->run(&call);
        if (!quiet && !cof_secrets_locked())
            cli_say_note("secrets could not be locked in memory and might be swapped out; "
                         "raise ulimit -l");
    }
    free(call.operands.item);
    return exit_status;
}

/* coffer help [VERB] */
static int run_help(char **argv)
{
    char safe[CLI_NAME_CAP];
    if (argv[0] == NULL) {
        cli_help();
        return CLI_EXIT_OK;
    }
    const cli_verb *verb = cli_verb_find(argv[0]);
    if (verb == NULL) {
        fprintf(stderr, "coffer: there is no verb '%s'; see coffer help\n",
                cli_safe(safe, sizeof safe, argv[0]));
        return CLI_EXIT_USAGE;
    }
    cli_help_verb(verb);
    return CLI_EXIT_OK;
}

static int dispatch(char **argv)
{
    char safe[CLI_NAME_CAP];
    const char *name = argv[0];
    if (name == NULL) {
        fputs("coffer: say what to do; see coffer help\n", stderr);
        return CLI_EXIT_USAGE;
    }
    if (strcmp(name, "--version") == 0) {
        printf("coffer %s\n", cof_version());
        return CLI_EXIT_OK;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return run_help(argv + 1);
    const cli_verb *verb = cli_verb_find(name);
    if (verb != NULL)
        return run_verb(verb, argv + 1);
    fprintf(stderr, "coffer: there is no %s '%s'; see coffer help\n",
            name[0] == '-' ? "option" : "verb", cli_safe(safe, sizeof safe, name));
    return CLI_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    occupy_standard_descriptors();
    cli_signals_handle();
    int exit_status = dispatch(argc > 0 ? argv + 1 : argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cof_error err;
        cli_error_sys(&err, errno, "cannot write to standard output");
        cli_say(err.message);
        exit_status = cli_status_graver(exit_status, CLI_EXIT_IO);
    }
    return exit_status;
}
