/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_SHOW_H
#define COF_CLI_SHOW_H

/* Backups and people in words, as several verbs print them. */

#include <coffer/credentials.h>
#include <coffer/reader.h>
#include <stdint.h>
#include <stdio.h>

#define CLI_LABEL "  %-11s " /* every line of a description begins so */

/* What a summary says of a backup without recipients. */
#define CLI_SIGNED_ONLY "signed, not encrypted: anybody can read it"

/* "CN=ops, CN=recovery" */
void cli_show_recipients(FILE *out, const cof_recipient_info *recipients, size_t count);
/* How to call a recipient: the subject, else the fingerprint. */
const char *cli_show_recipient(const cof_recipient_info *recipient);

void cli_show_certs(FILE *out, const cof_cert_info *certs, size_t count);

/* "until 2029-11-24", and in capitals when that is over or near. */
bool cli_expires_soon(uint64_t not_after); /* within 60 days, and not yet over */
void cli_show_expiry(FILE *out, uint64_t not_after);

/*
 * Who made a backup and who decided on its recipients, as the end of a summary:
 * "made 2026-11-24 by CN=db1, opens for CN=ops, CN=recovery as decided by CN=ops (generation 3)",
 * or CLI_SIGNED_ONLY in the place of the recipients.  Where no private key was used, it says that
 * the list is not proven: a thief of a custodian's key could have written it.
 */
/* Of a backup that was encrypted anew: how sure it is who made it first; else "".  Static storage.
 */
const char *cli_show_lineage(const cof_info *info);

void cli_show_origin(FILE *out, const cof_info *info);

/* How to call a party: its subject, else its fingerprint. */
const char *cli_show_party(const cof_party *party);

/* How to call a backup in a sentence: its path made safe, or "standard input". */
const char *cli_show_path(char *out, size_t cap, const char *path);

#endif
