/* SPDX-License-Identifier: Apache-2.0 */

/* Backups and people in words. */

#include "show.h"

#include "human.h"
#include "say.h"

#include <string.h>

#define DAY  (24 * 60 * 60U)
#define SOON (60 * DAY) /* time enough to get and hand out new certificates */

static const char *either(const char *subject, const char *fingerprint)
{
    return subject[0] != '\0' ? subject : fingerprint;
}

static void show_name(FILE *out, size_t i, const char *name)
{
    fprintf(out, "%s%s", i > 0 ? ", " : "", name);
}

const char *cli_show_recipient(const cof_recipient_info *recipient)
{
    return either(recipient->subject, recipient->fingerprint);
}

void cli_show_recipients(FILE *out, const cof_recipient_info *recipients, size_t count)
{
    for (size_t i = 0; i < count; i++)
        show_name(out, i, cli_show_recipient(&recipients[i]));
}

void cli_show_certs(FILE *out, const cof_cert_info *certs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        show_name(out, i, either(certs[i].subject, certs[i].fingerprint));
}

bool cli_expires_soon(uint64_t not_after)
{
    uint64_t now = cli_today();
    return not_after >= now && not_after - now < SOON;
}

void cli_show_expiry(FILE *out, uint64_t not_after)
{
    char date[CLI_HUMAN_CAP];
    cli_human_date(date, not_after);
    if (not_after < cli_today())
        fprintf(out, "EXPIRED on %s", date);
    else if (cli_expires_soon(not_after))
        fprintf(out, "until %s, EXPIRES SOON", date);
    else
        fprintf(out, "until %s", date);
}

const char *cli_show_party(const cof_party *party)
{
    return either(party->subject, party->fingerprint);
}

const char *cli_show_lineage(const cof_info *info)
{
    switch (info->lineage) {
    case COF_LINEAGE_CLAIMED:
        return " (claimed)";
    case COF_LINEAGE_REQUIRED:
        return " (to be proven)";
    case COF_LINEAGE_PROVEN:
        return " (proven)";
    case COF_LINEAGE_NONE:
        break;
    }
    return "";
}

void cli_show_origin(FILE *out, const cof_info *info)
{
    char date[CLI_HUMAN_CAP];
    fprintf(out, "made %s by %s%s", cli_human_date(date, info->created),
            cli_show_party(&info->first_maker), cli_show_lineage(info));
    if (info->lineage != COF_LINEAGE_NONE)
        fprintf(out, ", encrypted anew by %s (epoch %u)", cli_show_party(&info->maker),
                (unsigned)info->epoch);
    if (info->custody_count == 0) {
        fputs(", " CLI_SIGNED_ONLY, out);
        return;
    }
    fputs(", opens for ", out);
    cli_show_recipients(out, info->recipients, info->recipient_count);
    fprintf(out, " as decided by %s (generation %llu%s)", cli_show_party(&info->custody[0].by),
            (unsigned long long)info->generation, info->custody_proven ? "" : ", not proven");
}

const char *cli_show_path(char *out, size_t cap, const char *path)
{
    if (path == NULL || strcmp(path, "-") == 0)
        return "standard input";
    return cli_safe(out, cap, path);
}
