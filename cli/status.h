/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_STATUS_H
#define COF_CLI_STATUS_H

/*
 * The exit status: one number for each class of failure that a script can act on.  This is the only
 * place that knows the numbers.
 */

#include <coffer/error.h>

enum {
    CLI_EXIT_OK = 0,
    CLI_EXIT_OTHER = 1,
    CLI_EXIT_USAGE = 2,
    CLI_EXIT_AUTH = 3,     /* not authentic, or not trusted */
    CLI_EXIT_NO_MATCH = 4, /* no key here opens it */
    CLI_EXIT_FORMAT = 5,   /* no backup, damaged, or unsupported */
    CLI_EXIT_IO = 6,
    CLI_EXIT_CERT = 7, /* a certificate or key is refused */
    CLI_EXIT_SOURCE = 8,
    CLI_EXIT_WARNED = 9, /* done, but something needs somebody's action */
    CLI_EXIT_POLICY = 10,
    CLI_EXIT_BUSY = 11
};

/* The exit status that stands for a class. */
int cli_status_exit(cof_status status);

/* Of two exit statuses the graver one: what a command over many backups ends with. */
int cli_status_graver(int a, int b);

#endif
