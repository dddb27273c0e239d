/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_PROCESS_H
#define COF_OS_PROCESS_H

/*
 * A command whose standard output is read, and of which nothing is left when it is no longer
 * wanted.
 *
 * Between this process and the command stands the *keeper*, a child of this process that does
 * nothing but wait.  It adopts whatever the command starts, and ends all of it when it is told to,
 * or when this process is gone, however it went: killed with SIGKILL as well.  First SIGTERM, and
 * SIGKILL to what is still there COF_PROCESS_GRACE_MS later.
 *
 * The command has no terminal, /dev/null as standard input, and a session of its own.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COF_PROCESS_GRACE_MS 2000
#define COF_PROCESS_SAID_MAX 8192 /* bytes of its standard error that are kept, the last ones */

typedef struct cof_process cof_process;

/*
 * Start argv[0], found as execvp() does, with these arguments (NULL behind the last).  The caller
 * owns *out, NULL on failure.  COF_IO, COF_NOMEM.  That there is no such program is told by
 * cof_process_finish().
 */
cof_status cof_process_start(cof_process **out, const char *const *argv,
                             cof_error *err) COF_MUST_USE;

/*
 * The next of its output: some of len bytes, *got of them; 0 at the end.  What it says on standard
 * error is collected meanwhile.  COF_SOURCE when nothing came for silence_ms milliseconds (0: wait
 * as long as it takes), or when the command has ended and what it left behind holds the output
 * open.  COF_IO.
 */
cof_status cof_process_read(void *out, size_t len, size_t *got, cof_process *process,
                            uint64_t silence_ms, cof_error *err) COF_MUST_USE;

/*
 * After the end of its output: wait until it has ended, as above.  COF_OK exactly if its exit
 * status is 0; COF_SOURCE and what became of it; COF_IO.  What is left in its session is ended;
 * what it has put into a session of its own stays.
 */
cof_status cof_process_finish(cof_process *process, uint64_t silence_ms,
                              cof_error *err) COF_MUST_USE;

/* The last that it said on standard error, up to now; bytes, not text.  Borrowed. */
const char *cof_process_said(const cof_process *process, size_t *len);

/* Unless it was finished: end the command and everything that it has started.  NULL is fine. */
void cof_process_free(cof_process *process);

/* What the keeper is given; it never returns.  For process.c; only async-signal-safe inside. */
typedef struct cof_keeper_task {
    const char *const *argv;
    int life;        /* read end: a byte or its end says that the command is no longer wanted */
    int news;        /* write end: cof_keeper_news */
    int output, say; /* write ends: standard output and standard error of the command */
} cof_keeper_task;

typedef struct cof_keeper_news {
    int started; /* 0: it could not be started, and value is errno; 1: value is its wait status */
    int value;
} cof_keeper_news;

#define COF_KEEPER_FINISH 'f' /* end what is left in the session */
#define COF_KEEPER_STOP   's' /* end everything; also what the end of `life` means */

_Noreturn void cof_keeper_run(const cof_keeper_task *task);

#endif
