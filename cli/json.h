/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_JSON_H
#define COF_CLI_JSON_H

/*
 * What --json prints: one object for each backup, each on a line of its own.
 *
 * Every object has "path" (null for a pipe), "status" (the name of a class, "OK" for success),
 * "exit" (the number that stands for it) and "warnings"; a failure has "error", and where it is
 * known the "rule" of docs/FORMAT.md that is broken and the "offset" in the file.  Times are RFC
 * 3339, sizes are bytes.  The functions that add to an object ignore a failed allocation; printing
 * then fails as a whole.
 */

#include "report.h"

#include <coffer/credentials.h>
#include <coffer/error.h>
#include <coffer/reader.h>
#include <jansson.h>
#include <stdint.h>

/* An object for a backup; path is NULL or "-" for a pipe. */
json_t *cli_json_new(const char *path);

void cli_json_text(json_t *object, const char *key, const char *text);
void cli_json_number(json_t *object, const char *key, uint64_t number);
void cli_json_flag(json_t *object, const char *key, bool flag);
void cli_json_time(json_t *object, const char *key, uint64_t seconds);
void cli_json_party(json_t *object, const char *key, const cof_party *party);

/* Who answers for the content; of a backup that was encrypted anew, also who made it first. */
void cli_json_makers(json_t *object, const cof_info *info);

/* An array of certificates: subject, fingerprint, certificate's SHA-256, end of validity, key. */
json_t *cli_json_certs(const cof_cert_info *certs, size_t count);
json_t *cli_json_recipients(const cof_recipient_info *recipients, size_t count);

/* Complete an object with the status and the warnings of the report, print it and release it. */
void cli_json_print(json_t *object, const cli_report *report);

/* End the work on one backup as cli_report_end does; a failure is printed as an object first. */
int cli_json_end(cli_report *report, const char *path, bool json, cof_status st,
                 const cof_error *err);

#endif
