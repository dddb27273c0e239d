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
#include <stdint.h>

typedef struct cli_policy_args {
    const char *min_generation, *expect;
} cli_policy_args;

#define CLI_POLICY_OPTIONS(a)                                                                      \
    {.name = "min-generation",                                                                     \
     .arg = "N",                                                                                   \
     .value = &(a).min_generation,                                                                 \
     .rules = CLI_OPT_ASKED,                                                                       \
     .help = "demand a list of recipients of this generation or a later one"},                     \
    {                                                                                              \
        .name = "expect", .arg = "UUID", .value = &(a).expect, .rules = CLI_OPT_ASKED,             \
        .help = "demand that it is this very backup"                                               \
    }

typedef struct cli_policy {
    uint64_t min_generation; /* 0: any */
    const char *uuid;        /* NULL: any; borrowed */
} cli_policy;

/* COF_USAGE. */
cof_status cli_policy_read(cli_policy *out, const cli_policy_args *args,
                           cof_error *err) COF_MUST_USE;

/* COF_POLICY. */
cof_status cli_policy_check(const cli_policy *policy, const cof_info *info,
                            cof_error *err) COF_MUST_USE;

/*
 * Has every series a good backup that was finished at most max_age seconds ago?  text is max_age as
 * the user wrote it.  Sorts; says a sentence for each that has none, and adds it to the evidence;
 * returns the exit status.
 */
int cli_policy_check_age(cli_series *series, uint64_t max_age, const char *text,
                         const cli_evidence *evidence);

#endif
