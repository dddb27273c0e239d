/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_ROSTER_H
#define COF_CLI_ROSTER_H

/* Over many backups: whose certificate opens how many of them, and until when it is valid. */

#include <coffer/error.h>
#include <coffer/reader.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct cli_roster_line {
    char *subject; /* or the fingerprint, where there is none; owned */
    char cert_sha256[65];
    char key[24];
    uint64_t not_after;
    size_t backups; /* that it opens */
    size_t claimed; /* of these, how many have a list that nobody trusted decided on */
} cli_roster_line;

/* Start from zeros, end with wipe. */
typedef struct cli_roster {
    cli_roster_line *line;
    size_t count;
    size_t backups, signed_only;
} cli_roster;

/* Count a backup that was opened.  COF_NOMEM. */
cof_status cli_roster_add(cli_roster *roster, const cof_info *info, cof_error *err) COF_MUST_USE;

/* A line for each certificate, the one that opens most first. */
void cli_roster_print(FILE *out, cli_roster *roster);

void cli_roster_wipe(cli_roster *roster);

#endif
