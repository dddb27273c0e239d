/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_HOME_H
#define COF_CLI_HOME_H

/*
 * The home: where a host or a person keeps what coffer uses when nothing else is said.
 *
 *     recipients/   certificates that new backups are encrypted for
 *     trusted/      certificates whose keys are trusted as maker and custodian
 *     signing.key, signing.crt
 *     options       long options, one on a line
 *
 * Whoever can write there decides who reads future backups and who is believed, so a home that
 * somebody else can write is refused, as is one in a directory that somebody else can write.
 */

#include <coffer/error.h>
#include <limits.h>
#include <stdbool.h>

typedef struct cli_home {
    char path[PATH_MAX]; /* "" where there is none to be had (no $HOME) */
    bool exists;
} cli_home;

/*
 * Find the home: dir (of --home), else $COFFER_HOME, else /etc/coffer for root and ~/.config/coffer
 * for others.  One that exists is checked.  COF_USAGE: --home names no directory, unless may_miss;
 * COF_CERT: others can write it; COF_IO.
 */
cof_status cli_home_open(cli_home *out, const char *dir, bool may_miss,
                         cof_error *err) COF_MUST_USE;

/* Check an existing home, as cli_home_open does. */
cof_status cli_home_check(const cli_home *home, cof_error *err) COF_MUST_USE;

/* The path of something in the home, whether it exists or not. */
cof_status cli_home_path(char out[PATH_MAX], const cli_home *home, const char *name,
                         cof_error *err) COF_MUST_USE;

/*
 * The path of a file, or of a directory that is not empty, in the home; "" where there is no such
 * thing.  It, and what is directly in it, is checked.  COF_CERT, COF_IO.
 */
cof_status cli_home_find(char out[PATH_MAX], const cli_home *home, const char *name,
                         cof_error *err) COF_MUST_USE;

#endif
