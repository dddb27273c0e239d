/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_SIGNALS_H
#define COF_CLI_SIGNALS_H

/*
 * On SIGINT, SIGTERM and SIGHUP (unless ignored from the start, as under nohup): remove what is
 * unpublished, and die of the signal.  SIGPIPE and SIGXFSZ are ignored, so that a closed pipe and
 * a file that may not grow (ulimit -f) are errors like any other.
 */
void cli_signals_handle(void);

#endif
