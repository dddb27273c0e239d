/* SPDX-License-Identifier: Apache-2.0 */

/* The exit status of a class of failure, and which of two is the graver. */

#include "status.h"

#include <stddef.h>

int cli_status_exit(cof_status status)
{
    switch (status) {
    case COF_OK:
        return CLI_EXIT_OK;
    case COF_USAGE:
        return CLI_EXIT_USAGE;
    case COF_AUTH:
        return CLI_EXIT_AUTH;
    case COF_NO_MATCH:
        return CLI_EXIT_NO_MATCH;
    case COF_FORMAT:
    case COF_UNSUPPORTED:
    case COF_LIMIT:
        return CLI_EXIT_FORMAT;
    case COF_IO:
        return CLI_EXIT_IO;
    case COF_CERT:
        return CLI_EXIT_CERT;
    case COF_SOURCE:
        return CLI_EXIT_SOURCE;
    case COF_POLICY:
        return CLI_EXIT_POLICY;
    case COF_BUSY:
        return CLI_EXIT_BUSY;
    case COF_NOMEM:
    case COF_CANCELLED:
    case COF_INTERNAL:
        break;
    }
    return CLI_EXIT_OTHER;
}

/* How grave an exit status is: 0 is the gravest. */
static size_t rank(int exit_status)
{
    static const int gravest_first[] = {
        CLI_EXIT_AUTH,   CLI_EXIT_FORMAT, CLI_EXIT_IO,    CLI_EXIT_NO_MATCH,
        CLI_EXIT_CERT,   CLI_EXIT_SOURCE, CLI_EXIT_BUSY,  CLI_EXIT_POLICY,
        CLI_EXIT_WARNED, CLI_EXIT_OTHER,  CLI_EXIT_USAGE, CLI_EXIT_OK,
    };
    size_t i = 0;
    while (i < sizeof gravest_first / sizeof gravest_first[0] && gravest_first[i] != exit_status)
        i++;
    return i;
}

int cli_status_graver(int a, int b)
{
    return rank(b) < rank(a) ? b : a;
}
