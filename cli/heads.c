/* SPDX-License-Identifier: Apache-2.0 */

/* Heads alone and bundles on the command line. */

#include "heads.h"

#include "json.h"
#include "report.h"
#include "say.h"
#include "status.h"

#include <limits.h>
#include <stdio.h>

cof_status cli_heads_load(cof_heads **out, const char *path, cof_error *err)
{
    *out = NULL;
    return path != NULL ? cof_heads_open(out, path, err) : COF_OK;
}

const char *cli_heads_name(char *out, size_t cap, const char *path, size_t number)
{
    snprintf(out, cap, "%s (head %zu)", path, number);
    return out;
}

static int each_of_bundle(const char *target, bool json, cli_heads_fn *one, void *ctx)
{
    char name[PATH_MAX + 40];
    cof_heads *heads = NULL;
    cof_error err = COF_ERROR_INIT;
    cli_report report;
    cli_report_begin(&report, NULL, true);
    cof_status st = cof_heads_open(&heads, target, &err);
    int gravest = cli_json_end(&report, target, json, st, &err);
    for (size_t i = 0; heads != NULL && i < cof_heads_count(heads); i++)
        gravest = cli_status_graver(
            gravest, one(ctx, cli_heads_name(name, sizeof name, target, i + 1), heads, i));
    cof_heads_free(heads);
    return gravest;
}

int cli_heads_each(const char *target, bool json, cli_heads_fn *one, void *ctx)
{
    if (cof_path_is_bundle(target))
        return each_of_bundle(target, json, one, ctx);
    return one(ctx, target, NULL, 0);
}

void cli_heads_confine(cli_confinement *c, const char *operand)
{
    if (cof_path_is_bundle(operand))
        cli_confine_file(c, operand);
    else
        cli_confine_target(c, operand);
}
