/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_POLICY_H
#define COF_CLI_POLICY_H

/*
 * What a caller demands of a genuine backup.  A storage that gives back an older genuine one cannot
 * be found out in any other way.
 */

#include "evidence.h"
#include "option.h"
#include "series.h"

#include <coffer/error.h>
#include <coffer/reader.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_policy_args {
    const char *min_generation, *expect, *expect_custody;
} cli_policy_args;

#define CLI_POLICY_OPTIONS(a)                                                                      \
    {.name = "min-generation",                                                                     \
     .arg = "N",                                                                                   \
     .value = &(a).min_generation,                                                                 \
     .rules = CLI_OPT_ASKED,                                                                       \
     .help = "demand a list of recipients of this generation or a later one"},                     \
        {.name = "expect",                                                                         \
         .arg = "UUID",                                                                            \
         .value = &(a).expect,                                                                     \
         .rules = CLI_OPT_ASKED,                                                                   \
         .help = "demand that it is this very backup"},                                            \
    {                                                                                              \
        .name = "expect-custody", .arg = "HASH", .value = &(a).expect_custody,                     \
        .rules = CLI_OPT_ASKED,                                                                    \
        .help = "demand that the newest statement about recipients is the one of this hash, as "   \
                "coffer info prints it"                                                            \
    }

#define CLI_CUSTODIANS_OPTION(a)                                                                   \
    {                                                                                              \
        .name = "min-custodians", .arg = "N", .value = &(a),                                       \
        .help = "so many different trusted custodians must have signed the list of recipients; "   \
                "by default 1"                                                                     \
    }

/* What is demanded; strings are borrowed.  COF_USAGE. */
cof_status cli_policy_read(cof_expectation *out, const cli_policy_args *args,
                           cof_error *err) COF_MUST_USE;

/* text NULL: 1.  COF_USAGE. */
cof_status cli_custodians_read(size_t *out, const char *text, cof_error *err) COF_MUST_USE;

/*
 * Has every series a good backup that was finished at most max_age seconds ago?  text is max_age as
 * the user wrote it.  Sorts; says a sentence for each that has none, and adds it to the evidence;
 * returns the exit status.
 */
int cli_policy_check_age(cli_series *series, uint64_t max_age, const char *text,
                         const cli_evidence *evidence);

#endif
