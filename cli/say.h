/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_SAY_H
#define COF_CLI_SAY_H

/*
 * What the command says on standard error: one sentence for each thing, led by its name.  Sentences
 * of the library are safe for a terminal already; names that come from the command line are made so
 * with cli_safe before they get into a sentence.
 */

#include <coffer/error.h>
#include <stddef.h>

#define CLI_NAME_CAP 320 /* room for a name in a sentence */

/*
 * Make a name safe for a terminal: control characters, invisible and direction-changing ones, bytes
 * that are no UTF-8, and backslashes are escaped; what does not fit is cut.  Returns out.
 */
const char *cli_safe(char *out, size_t cap, const char *name);

/* Fill err (class and sentence) and return the class, for failures that the command itself finds.
 */
cof_status cli_error(cof_error *err, cof_status status, const char *format, ...) COF_PRINTF(3, 4);

/* The same for a failed system call: appends ": " and the text of errno_value.  Always COF_IO. */
cof_status cli_error_sys(cof_error *err, int errno_value, const char *format, ...) COF_PRINTF(3, 4);

void cli_say(const char *sentence); /* why something failed */
void cli_say_warning(const char *sentence);
void cli_say_note(const char *sentence); /* worth knowing, nothing to be done */

/* What cli_say says, for a signal handler: on standard error only. */
void cli_say_interrupted(const char *sentence);

#endif
