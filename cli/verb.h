/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_VERB_H
#define COF_CLI_VERB_H

/* What a verb is.  Each lies in its own file, verb_NAME.c, and main.c holds the table of them. */

#include "home.h"
#include "option.h"

#include <stdbool.h>
#include <stddef.h>

/* How a verb was called.  Its own options have gone where its table says. */
typedef struct cli_call {
    const cli_home *home;
    cli_list operands; /* as many as the verb takes */
    bool quiet;
    bool verbose;
} cli_call;

enum { CLI_VERB_NO_HOME = 1 /* does not read the home's options: it makes it, or needs none */ };

typedef struct cli_verb {
    const char *name;
    const char *summary; /* one line, for the list of verbs */
    const char *usage;   /* what follows the name: "FILE --key KEY -o FILE|-" */
    const char *text;    /* paragraphs for --help; NULL: none */
    const cli_opt *options;
    const char *operand;              /* how messages call an operand: "FILE" */
    size_t least, most;               /* operands */
    unsigned rules;                   /* CLI_VERB_… */
    int (*run)(const cli_call *call); /* returns the exit status */
} cli_verb;

extern const cli_verb cli_verb_init, cli_verb_keygen, cli_verb_backup, cli_verb_restore,
    cli_verb_verify, cli_verb_info, cli_verb_list, cli_verb_receive, cli_verb_rotate,
    cli_verb_rekey, cli_verb_prune, cli_verb_repair, cli_verb_envelope;

/* All verbs, NULL behind the last. */
extern const cli_verb *const cli_verbs[];

/* The options that every verb understands. */
extern const cli_opt cli_common_options[];

const cli_verb *cli_verb_find(const char *name);

#endif
