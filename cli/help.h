/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_HELP_H
#define COF_CLI_HELP_H

#include "verb.h"

/* Help on standard output, made from the tables: about everything, and about one verb. */
void cli_help(void);
void cli_help_verb(const cli_verb *verb);

#endif
