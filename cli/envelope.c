/* SPDX-License-Identifier: Apache-2.0 */

/* Exports, approvals and imports of heads, in words and in JSON. */

#include "envelope.h"

#include "human.h"
#include "json.h"
#include "say.h"
#include "show.h"

#include <stdio.h>

static void print_name(const char *path)
{
    char safe[4 * CLI_NAME_CAP];
    printf("%s: ", cli_show_path(safe, sizeof safe, path));
}

/* ---- export ---- */

void cli_export_print(const char *path, const cof_export_result *result)
{
    print_name(path);
    if (result->generation == 0)
        printf("signed only, %s", result->uuid);
    else
        printf("generation %llu of %s", (unsigned long long)result->generation, result->uuid);
    printf(", %llu of %llu bytes\n", (unsigned long long)result->envelope_bytes,
           (unsigned long long)result->slot_bytes);
}

void cli_export_print_json(const char *path, const cof_export_result *result,
                           const cli_report *report)
{
    json_t *object = cli_json_new(path);
    cli_json_text(object, "uuid", result->uuid);
    cli_json_number(object, "generation", result->generation);
    cli_json_number(object, "slot_bytes", result->slot_bytes);
    cli_json_number(object, "envelope_bytes", result->envelope_bytes);
    cli_json_print(object, report);
}

/* ---- people ---- */

static void print_people(const char *label, const cof_cert_info *people, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("  %-11s %s, ", i == 0 ? label : "", people[i].subject);
        cli_show_expiry(stdout, people[i].not_after);
        printf(", %s\n  %-11s %s\n", people[i].key, "", people[i].fingerprint);
    }
}

static void print_trust(size_t custodians, bool proven)
{
    printf("  %-11s %zu trusted custodian%s; %s\n", "signed by", custodians,
           custodians == 1 ? "" : "s",
           proven ? "a key has opened it" : "not proven: no key was used to open it");
}

/* ---- approve ---- */

static void approve_line(const cof_approve_result *result)
{
    printf("%llu, opens for ", (unsigned long long)result->generation);
    cli_show_certs(stdout, result->recipients, result->recipient_count);
    printf("; signed by %zu trusted custodian%s%s\n", result->custodians,
           result->custodians == 1 ? "" : "s", result->proven ? "" : ", not proven");
}

void cli_approve_print(const char *path, const cof_approve_result *result, bool alone, bool dry_run)
{
    print_name(path);
    if (result->skipped[0] != '\0') {
        printf("nothing to do: %s\n", result->skipped);
        return;
    }
    printf("%s generation ",
           dry_run ? "nothing was written; this would be approved:" : "approved,");
    if (!alone) {
        approve_line(result);
        return;
    }
    printf("%llu\n", (unsigned long long)result->generation);
    print_people("opens for", result->recipients, result->recipient_count);
    print_trust(result->custodians, result->proven);
    printf("  %-11s %s\n", "hash", result->custody_sha256);
}

void cli_approve_json(json_t *object, const cof_approve_result *result, bool dry_run)
{
    cli_json_flag(object, "dry_run", dry_run);
    cli_json_flag(object, "changed", result->changed);
    if (result->uuid[0] == '\0')
        return; /* it failed before that was known */
    cli_json_text(object, "uuid", result->uuid);
    cli_json_number(object, "generation", result->generation);
    cli_json_text(object, "custody_sha256", result->custody_sha256);
    cli_json_number(object, "custodians", result->custodians);
    cli_json_flag(object, "custody_proven", result->proven);
    (void)json_object_set_new(object, "recipients",
                              cli_json_certs(result->recipients, result->recipient_count));
    if (result->skipped[0] != '\0')
        cli_json_text(object, "skipped", result->skipped);
}

void cli_approve_print_json(const char *path, const cof_approve_result *result, bool dry_run,
                            const cli_report *report)
{
    json_t *object = cli_json_new(path);
    cli_approve_json(object, result, dry_run);
    cli_json_print(object, report);
}

/* ---- import ---- */

static void import_line(const cof_import_result *result)
{
    char safe[4 * CLI_NAME_CAP];
    fputs(", opens for ", stdout);
    cli_show_certs(stdout, result->recipients, result->recipient_count);
    if (result->removed_count > 0) {
        fputs("; no longer for ", stdout);
        cli_show_certs(stdout, result->removed, result->removed_count);
    }
    if (result->kept[0] != '\0')
        printf("; kept %s", cli_safe(safe, sizeof safe, result->kept));
    putchar('\n');
}

static void import_whole(const cof_import_result *result)
{
    char safe[4 * CLI_NAME_CAP];
    putchar('\n');
    print_people("opens for", result->recipients, result->recipient_count);
    print_people("no longer", result->removed, result->removed_count);
    print_trust(result->custodians, result->proven);
    if (result->kept[0] != '\0')
        printf("  %-11s %s, the head that was replaced\n", "kept",
               cli_safe(safe, sizeof safe, result->kept));
}

void cli_import_print(const char *path, const cof_import_result *result, bool alone, bool dry_run)
{
    print_name(path);
    if (result->skipped[0] != '\0') {
        printf("nothing to do: %s\n", result->skipped);
        return;
    }
    printf("%sgeneration %llu", dry_run ? "nothing was written; this would be " : "imported, ",
           (unsigned long long)result->generation);
    if (result->approvals_only)
        fputs(", more approvals", stdout);
    else if (alone)
        printf(" in place of %llu", (unsigned long long)result->from);
    if (alone)
        import_whole(result);
    else
        import_line(result);
}

/* The kept head is a way back, for others as well; but for one that only lacks approvals. */
void cli_import_print_reminder(bool alone)
{
    printf("Remove %s when the new keys have been tried: as long as %s there, who could open the "
           "backup before can open it with that.\n",
           alone ? "the kept head" : "the kept heads", alone ? "it is" : "they are");
}

void cli_import_json(json_t *object, const cof_import_result *result, bool dry_run)
{
    cli_json_flag(object, "dry_run", dry_run);
    cli_json_flag(object, "changed", result->changed);
    if (result->uuid[0] == '\0')
        return; /* it failed before that was known */
    cli_json_text(object, "uuid", result->uuid);
    cli_json_number(object, "from_generation", result->from);
    cli_json_number(object, "generation", result->generation);
    cli_json_number(object, "custodians", result->custodians);
    cli_json_flag(object, "custody_proven", result->proven);
    cli_json_flag(object, "approvals_only", result->approvals_only);
    cli_json_flag(object, "finished_pending", result->finished_pending);
    (void)json_object_set_new(object, "recipients",
                              cli_json_certs(result->recipients, result->recipient_count));
    (void)json_object_set_new(object, "removed",
                              cli_json_certs(result->removed, result->removed_count));
    if (result->kept[0] != '\0')
        cli_json_text(object, "kept", result->kept);
    if (result->skipped[0] != '\0')
        cli_json_text(object, "skipped", result->skipped);
}

void cli_import_print_json(const char *path, const cof_import_result *result, bool dry_run,
                           const cli_report *report)
{
    json_t *object = cli_json_new(path);
    cli_import_json(object, result, dry_run);
    cli_json_print(object, report);
}
