/* SPDX-License-Identifier: Apache-2.0 */

/* Genuine is not enough: is it the one that is meant, and is it new enough? */

#include "policy.h"

#include "human.h"
#include "json.h"
#include "report.h"
#include "say.h"
#include "show.h"
#include "status.h"

#include <stdio.h>
#include <string.h>

cof_status cli_policy_read(cof_expectation *out, const cli_policy_args *args, cof_error *err)
{
    *out = (cof_expectation){.uuid = args->expect, .custody_sha256 = args->expect_custody};
    if (args->min_generation != NULL &&
        !cli_parse_number(&out->min_generation, args->min_generation, 1, INT64_MAX))
        return cli_error(err, COF_USAGE, "--min-generation needs a number from 1 on");
    if (args->expect != NULL &&
        (strlen(args->expect) != 36 || strspn(args->expect, "0123456789abcdefABCDEF-") != 36))
        return cli_error(err, COF_USAGE, "--expect needs a UUID, as coffer info prints it");
    if (args->expect_custody != NULL &&
        (strlen(args->expect_custody) != 64 ||
         strspn(args->expect_custody, "0123456789abcdefABCDEF") != 64))
        return cli_error(err, COF_USAGE,
                         "--expect-custody needs 64 hex digits, as coffer info prints them");
    return COF_OK;
}

cof_status cli_custodians_read(size_t *out, const char *text, cof_error *err)
{
    uint64_t n = 1;
    if (text != NULL && !cli_parse_number(&n, text, 1, 8))
        return cli_error(err, COF_USAGE, "--min-custodians needs a number from 1 to 8");
    *out = (size_t)n;
    return COF_OK;
}

static int fail_age(const cli_evidence *evidence, const cli_dated *of, const char *text,
                    const char *sentence)
{
    cli_report report;
    cof_error err = COF_ERROR_INIT;
    json_t *object = cli_evidence_new("verify", of->path);
    cof_status st = cli_error(&err, COF_POLICY, "%s", sentence);
    cli_json_text(object, "label", of->label);
    cli_json_text(object, "maker_fingerprint", of->fingerprint);
    cli_json_text(object, "max_age", text);
    cli_report_begin(&report, NULL, true);
    int unwritten = cli_evidence_add(evidence, object, &report, st, &err);
    return cli_status_graver(unwritten, cli_report_end(&report, st, &err));
}

int cli_policy_check_age(cli_series *series, uint64_t max_age, const char *text,
                         const cli_evidence *evidence)
{
    uint64_t now = cli_today();
    int exit_status = CLI_EXIT_OK;
    cli_series_sort(series);
    for (size_t i = 0, end; i < series->count; i = end) {
        char name[CLI_NAME_CAP];
        char moment[CLI_HUMAN_CAP];
        char safe[CLI_NAME_CAP];
        char sentence[sizeof((cof_error *)NULL)->message + CLI_NAME_CAP];
        cli_series_name(name, sizeof name, &series->item[i]);
        const cli_dated *newest = &series->item[i];
        end = cli_series_end(series, i);
        while (i < end && !series->item[i].good)
            i++;
        if (i == end)
            snprintf(sentence, sizeof sentence, "%s: there is no good backup", name);
        else if (series->item[i].time + max_age >= now)
            continue;
        else
            snprintf(sentence, sizeof sentence,
                     "%s: the newest good backup, %s, is of %s, more than %s ago", name,
                     cli_show_path(safe, sizeof safe, series->item[i].path),
                     cli_human_moment(moment, series->item[i].time), text);
        exit_status = cli_status_graver(
            exit_status, fail_age(evidence, i < end ? &series->item[i] : newest, text, sentence));
    }
    return exit_status;
}
