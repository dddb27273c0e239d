/* SPDX-License-Identifier: Apache-2.0 */

/* The results of rotations in words and in JSON. */

#include "rotate.h"

#include "human.h"
#include "json.h"
#include "say.h"
#include "show.h"

#include <stdio.h>
#include <string.h>

void cli_rotate_count(cli_rotate_tally *tally, cli_rotate_outcome outcome, const char *reason)
{
    size_t before = tally->of[outcome].count++;
    if (before == 0)
        snprintf(tally->of[outcome].reason, sizeof tally->of[outcome].reason, "%s", reason);
    else if (strcmp(tally->of[outcome].reason, reason) != 0)
        tally->of[outcome].mixed = true;
}

static bool is_skipped(const cof_rotate_result *result)
{
    return result->skipped[0] != '\0';
}

/* One person on a line: "opens for   CN=ops-2026, until 2027-01-02, RSA-3072 (new)" */
static void print_person(const char *label, const cof_cert_info *person, const char *mark)
{
    printf("  %-11s %s, ", label, person->subject);
    cli_show_expiry(stdout, person->not_after);
    printf(", %s%s\n  %-11s %s\n", person->key, mark, "", person->fingerprint);
}

void cli_rotate_print(const char *path, const cof_rotate_result *result, bool dry_run)
{
    char safe[4 * CLI_NAME_CAP];
    char took[CLI_HUMAN_CAP];
    if (is_skipped(result)) {
        printf("%s: nothing to do: %s\n", cli_show_path(safe, sizeof safe, path), result->skipped);
        return;
    }
    printf("%s: %s generation %llu, %s\n", cli_show_path(safe, sizeof safe, path),
           dry_run ? "nothing was written; this would be" : "locks changed,",
           (unsigned long long)result->generation, cli_human_time(took, result->nanoseconds));
    for (size_t i = 0; i < result->recipient_count; i++)
        print_person(i == 0 ? "opens for" : "", &result->recipients[i],
                     i + result->added_count >= result->recipient_count ? " (new)" : "");
    for (size_t i = 0; i < result->removed_count; i++)
        print_person(i == 0 ? "no longer" : "", &result->removed[i], "");
}

void cli_rotate_print_line(const char *path, const cof_rotate_result *result, bool dry_run)
{
    char safe[4 * CLI_NAME_CAP];
    char took[CLI_HUMAN_CAP];
    printf("%s: ", cli_show_path(safe, sizeof safe, path));
    if (is_skipped(result)) {
        printf("skipped: %s\n", result->skipped);
        return;
    }
    fputs(dry_run ? "would open for " : "opens for ", stdout);
    cli_show_certs(stdout, result->recipients, result->recipient_count);
    if (result->removed_count > 0) {
        fputs("; no longer for ", stdout);
        cli_show_certs(stdout, result->removed, result->removed_count);
    }
    printf("; generation %llu, %s\n", (unsigned long long)result->generation,
           cli_human_time(took, result->nanoseconds));
}

void cli_rotate_print_json(const char *path, const cof_rotate_result *result, bool dry_run,
                           const cli_report *report)
{
    json_t *object = cli_json_new(path);
    cli_json_text(object, "uuid", result->uuid);
    cli_json_flag(object, "dry_run", dry_run);
    cli_json_flag(object, "changed", result->changed);
    if (is_skipped(result))
        cli_json_text(object, "skipped", result->skipped);
    cli_json_flag(object, "finished_pending", result->finished_pending);
    cli_json_number(object, "generation", result->generation);
    (void)json_object_set_new(object, "recipients",
                              cli_json_certs(result->recipients, result->recipient_count));
    (void)json_object_set_new(object, "removed",
                              cli_json_certs(result->removed, result->removed_count));
    cli_json_number(object, "added", result->added_count);
    cli_json_number(object, "nanoseconds", result->nanoseconds);
    cli_json_print(object, report);
}

void cli_rotate_print_tally(const cli_rotate_tally *tally)
{
    const char *const name[] = {tally->dry_run ? "would change" : "changed", "skipped", "refused"};
    char count[CLI_HUMAN_CAP];
    char took[CLI_HUMAN_CAP];
    for (size_t i = 0; i < CLI_ROTATE_OUTCOMES; i++) {
        if (tally->of[i].count == 0 && i != CLI_ROTATE_CHANGED)
            continue;
        printf("%s%s %s", i > 0 ? ", " : "", cli_human_count(count, tally->of[i].count), name[i]);
        if (tally->of[i].reason[0] != '\0')
            printf(" (%s%s)", tally->of[i].reason,
                   tally->of[i].mixed ? "; others for other reasons" : "");
    }
    printf(", %s\n", cli_human_time(took, cli_clock() - tally->begun));
}

void cli_rotate_print_reminder(const cli_rotate_tally *tally)
{
    size_t changed = tally->of[CLI_ROTATE_CHANGED].count;
    if (!tally->removed_any || tally->dry_run || changed == 0)
        return;
    puts(changed == 1 ? "The data key is unchanged: copies with the old envelope still open with "
                        "the old keys."
                      : "The data keys are unchanged: copies with the old envelope still open with "
                        "the old keys.");
}
