/* SPDX-License-Identifier: Apache-2.0 */

/* Who can open how many of these backups. */

#include "roster.h"

#include "human.h"
#include "say.h"
#include "show.h"

#include <stdlib.h>
#include <string.h>

/* One certificate renewed is two lines: what matters here is which one a backup still waits for. */
static cli_roster_line *find(cli_roster *roster, const cof_recipient_info *r)
{
    for (size_t i = 0; i < roster->count; i++)
        if (strcmp(roster->line[i].cert_sha256, r->cert_sha256) == 0)
            return &roster->line[i];
    return NULL;
}

static cli_roster_line *append(cli_roster *roster, const cof_recipient_info *r)
{
    cli_roster_line *grown = realloc(roster->line, (roster->count + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    roster->line = grown;
    cli_roster_line *line = &grown[roster->count];
    *line = (cli_roster_line){.subject = strdup(cli_show_recipient(r)), .not_after = r->not_after};
    if (line->subject == NULL)
        return NULL;
    snprintf(line->cert_sha256, sizeof line->cert_sha256, "%s", r->cert_sha256);
    snprintf(line->key, sizeof line->key, "%s", r->key);
    roster->count++;
    return line;
}

cof_status cli_roster_add(cli_roster *roster, const cof_info *info, cof_error *err)
{
    bool claimed = info->custody_problem != NULL || info->custody_count == 0 ||
                   info->custody[0].by.standing != COF_STANDING_TRUSTED;
    roster->backups++;
    roster->signed_only += info->sealed ? 0 : 1;
    for (size_t i = 0; i < info->recipient_count; i++) {
        cli_roster_line *line = find(roster, &info->recipients[i]);
        if (line == NULL && (line = append(roster, &info->recipients[i])) == NULL)
            return cli_error(err, COF_NOMEM, "out of memory");
        line->backups++;
        line->claimed += claimed ? 1 : 0;
    }
    return COF_OK;
}

static int compare(const void *left, const void *right)
{
    const cli_roster_line *a = left;
    const cli_roster_line *b = right;
    if (a->backups != b->backups)
        return a->backups > b->backups ? -1 : 1;
    int order = strcmp(a->subject, b->subject);
    return order != 0 ? order : strcmp(a->cert_sha256, b->cert_sha256);
}

void cli_roster_print(FILE *out, cli_roster *roster)
{
    char count[CLI_HUMAN_CAP];
    if (roster->count > 0)
        qsort(roster->line, roster->count, sizeof *roster->line, compare);
    fprintf(out, "%s backup%s\n", cli_human_count(count, roster->backups),
            roster->backups == 1 ? "" : "s");
    for (size_t i = 0; i < roster->count; i++) {
        const cli_roster_line *line = &roster->line[i];
        fprintf(out, "  %s opened by %s, ", cli_human_count(count, line->backups), line->subject);
        cli_show_expiry(out, line->not_after);
        fprintf(out, ", %s", line->key);
        if (line->claimed > 0)
            fprintf(out, " (of %s that is claimed, not trusted)",
                    cli_human_count(count, line->claimed));
        fputc('\n', out);
    }
    if (roster->signed_only > 0)
        fprintf(out, "  %s signed only, not encrypted: everybody can read %s\n",
                cli_human_count(count, roster->signed_only),
                roster->signed_only == 1 ? "it" : "them");
}

void cli_roster_wipe(cli_roster *roster)
{
    for (size_t i = 0; i < roster->count; i++)
        free(roster->line[i].subject);
    free(roster->line);
    *roster = (cli_roster){NULL, 0, 0, 0};
}
