/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_HEADS_H
#define COF_CLI_HEADS_H

/* Heads alone and bundles on the command line. */

#include "confine.h"
#include "option.h"

#include <coffer/envelope.h>

#define CLI_ENVELOPE_OPTION(a)                                                                     \
    {                                                                                              \
        .name = "envelope", .arg = "HEAD|BUNDLE", .value = &(a), .rules = CLI_OPT_ASKED,           \
        .help = "the head that counts is in this file: for a body on storage that cannot be "      \
                "written"                                                                          \
    }

/* *out is NULL where path is. */
cof_status cli_heads_load(cof_heads **out, const char *path, cof_error *err) COF_MUST_USE;

/* One backup or head: in a file of its own (heads NULL), or number i of heads. */
typedef int cli_heads_fn(void *ctx, const char *name, const cof_heads *heads, size_t i);

/*
 * Call one for a target, or, if it is a bundle, for each head in it, and return the gravest exit
 * status.  A bundle that cannot be opened is reported, as JSON too when json is set.
 */
int cli_heads_each(const char *target, bool json, cli_heads_fn *one, void *ctx);

/* What an operand names may be changed: backups and heads in place, a bundle by a new file. */
void cli_heads_confine(cli_confinement *c, const char *operand);

/* "x.cofb (head 3)", cut to cap. */
const char *cli_heads_name(char *out, size_t cap, const char *path, size_t number);

#endif
