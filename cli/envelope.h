/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_ENVELOPE_H
#define COF_CLI_ENVELOPE_H

/* How exports, approvals and imports of heads are told. */

#include "report.h"

#include <coffer/envelope.h>
#include <jansson.h>
#include <stdbool.h>

void cli_export_print(const char *path, const cof_export_result *result);
void cli_export_print_json(const char *path, const cof_export_result *result,
                           const cli_report *report);

/* alone: whole; one of many: on a line. */
void cli_approve_print(const char *path, const cof_approve_result *result, bool alone,
                       bool dry_run);
void cli_approve_json(json_t *object, const cof_approve_result *result, bool dry_run);
void cli_approve_print_json(const char *path, const cof_approve_result *result, bool dry_run,
                            const cli_report *report);

void cli_import_print(const char *path, const cof_import_result *result, bool alone, bool dry_run);

/* What a head that is kept means, once for all of them. */
void cli_import_print_reminder(bool alone);
void cli_import_json(json_t *object, const cof_import_result *result, bool dry_run);
void cli_import_print_json(const char *path, const cof_import_result *result, bool dry_run,
                           const cli_report *report);

#endif
