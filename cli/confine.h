/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_CONFINE_H
#define COF_CLI_CONFINE_H

/*
 * What a verb may still do once it has its keys and begins to read what others wrote.
 *
 * Not for backup --stdin-from-command and --sqlite: the first starts a program after this, and a
 * program that makes a dump needs the network and files of its own; the second lets SQLite write
 * beside the database.
 */

#include "target.h"
#include "verb.h"

#define CLI_CONFINE_PATHS 64

/* Start from zero. */
typedef struct cli_confinement {
    char *path[CLI_CONFINE_PATHS]; /* owned */
    size_t count;
    bool names;    /* users and groups are looked up by name */
    bool too_many; /* more than fit: files are then not confined */
} cli_confinement;

/* What is below this directory may be written; where it does not exist, its parent. */
void cli_confine_below(cli_confinement *c, const char *dir);

/*
 * A file of this name may be made, replaced or changed: in its directory, and where a link leads;
 * or files in it, if it is a directory.
 */
void cli_confine_file(cli_confinement *c, const char *path);

/* Backups named by an operand may be changed: a file, or those in a directory, links included. */
void cli_confine_target(cli_confinement *c, const char *path);

/*
 * Give up the rest, but for temporary files without a name in $TMPDIR or /var/tmp: what comes from
 * a pipe is spooled there, and a damaged index is rebuilt.  What the system does not offer is told
 * under --verbose.  Frees what c owns.
 */
cof_status cli_confine(cli_confinement *c, const cli_call *call, cof_error *err) COF_MUST_USE;

#endif
