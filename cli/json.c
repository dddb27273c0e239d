/* SPDX-License-Identifier: Apache-2.0 */

/* JSON for programs: the pieces that several verbs print. */

#include "json.h"

#include "human.h"
#include "say.h"
#include "status.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

json_t *cli_json_new(const char *path)
{
    json_t *object = json_object();
    if (path == NULL || strcmp(path, "-") == 0)
        (void)json_object_set_new(object, "path", json_null());
    else
        cli_json_text(object, "path", path);
    return object;
}

static json_t *failure(const char *path, cof_status st, const cof_error *err)
{
    json_t *object = cli_json_new(path);
    cli_json_text(object, "status", cof_status_name(st));
    cli_json_number(object, "exit", (uint64_t)cli_status_exit(st));
    cli_json_text(object, "error", err->message);
    if (err->rule[0] != '\0')
        cli_json_text(object, "rule", err->rule);
    if (err->offset != COF_NO_OFFSET)
        cli_json_number(object, "offset", err->offset);
    return object;
}

void cli_json_text(json_t *object, const char *key, const char *text)
{
    char safe[4 * PATH_MAX + 1];
    json_t *value = json_string(text);
    if (value == NULL) /* a file name that is no UTF-8 */
        value = json_string(cli_safe(safe, sizeof safe, text));
    (void)json_object_set_new(object, key, value);
}

void cli_json_number(json_t *object, const char *key, uint64_t number)
{
    (void)json_object_set_new(object, key,
                              json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number));
}

void cli_json_flag(json_t *object, const char *key, bool flag)
{
    (void)json_object_set_new(object, key, json_boolean(flag));
}

void cli_json_time(json_t *object, const char *key, uint64_t seconds)
{
    char text[CLI_HUMAN_CAP];
    cli_json_text(object, key, cli_human_iso(text, seconds));
}

void cli_json_party(json_t *object, const char *key, const cof_party *party)
{
    static const char *const standing[] = {"claimed", "trusted", "bad"};
    json_t *inner = json_object();
    cli_json_text(inner, "subject", party->subject);
    cli_json_text(inner, "fingerprint", party->fingerprint);
    cli_json_text(inner, "standing", standing[party->standing]);
    (void)json_object_set_new(object, key, inner);
}

void cli_json_makers(json_t *object, const cof_info *info)
{
    static const char *const lineage[] = {
        [COF_LINEAGE_NONE] = "none",
        [COF_LINEAGE_CLAIMED] = "claimed",
        [COF_LINEAGE_REQUIRED] = "to be proven",
        [COF_LINEAGE_PROVEN] = "proven",
    };
    cli_json_party(object, "maker", &info->maker);
    if (info->lineage == COF_LINEAGE_NONE)
        return;
    cli_json_party(object, "first_maker", &info->first_maker);
    cli_json_text(object, "lineage", lineage[info->lineage]);
}

static json_t *certificate(const char *subject, const char *fingerprint, const char *sha256,
                           uint64_t not_after, const char *key)
{
    json_t *object = json_object();
    cli_json_text(object, "subject", subject);
    cli_json_text(object, "fingerprint", fingerprint);
    cli_json_text(object, "sha256", sha256);
    cli_json_time(object, "not_after", not_after);
    cli_json_text(object, "key", key);
    return object;
}

json_t *cli_json_certs(const cof_cert_info *certs, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const cof_cert_info *c = &certs[i];
        char hex[65];
        for (size_t j = 0; j < sizeof c->cert_sha256; j++)
            snprintf(hex + 2 * j, 3, "%02x", c->cert_sha256[j]);
        (void)json_array_append_new(
            array, certificate(c->subject, c->fingerprint, hex, c->not_after, c->key));
    }
    return array;
}

json_t *cli_json_recipients(const cof_recipient_info *recipients, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const cof_recipient_info *r = &recipients[i];
        (void)json_array_append_new(
            array, certificate(r->subject, r->fingerprint, r->cert_sha256, r->not_after, r->key));
    }
    return array;
}

void cli_json_print(json_t *object, const cli_report *report)
{
    if (json_object_get(object, "status") == NULL) {
        cli_json_text(object, "status", cof_status_name(COF_OK));
        cli_json_number(object, "exit", report->warned ? CLI_EXIT_WARNED : CLI_EXIT_OK);
    }
    (void)json_object_set_new(object, "warnings",
                              report->warnings != NULL ? json_incref(report->warnings)
                                                       : json_array());
    if (json_dumpf(object, stdout, JSON_COMPACT) != 0 && !ferror(stdout))
        cli_say_warning("the JSON is incomplete: there is no memory for it");
    putchar('\n');
    json_decref(object);
}

int cli_json_end(cli_report *report, const char *path, bool json, cof_status st,
                 const cof_error *err)
{
    if (json && st != COF_OK)
        cli_json_print(failure(path, st, err), report);
    return cli_report_end(report, st, err);
}
