/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_THREADS_H
#define COF_OS_THREADS_H

/* Work that several processors share. */

#include <pthread.h>
#include <stdbool.h>

/*
 * Run work(ctx) in `jobs` threads at once, this one among them, and return when all have ended.
 * They share the work out among themselves; where no more threads can be had, fewer do it.  Signals
 * are left to the threads that were there before.
 */
void cof_threads_run(unsigned jobs, void (*work)(void *ctx), void *ctx);

/*
 * Start run(arg) in a thread that must be joined; it is never disturbed by a signal.  False where
 * no more threads can be had.
 */
bool cof_thread_start(pthread_t *out, void *(*run)(void *arg), void *arg);

/* How many processors this process may use; at least 1. */
unsigned cof_processors(void);

/* How many threads are to do it: as many as asked, 0: as there are processors; at most `most`. */
unsigned cof_threads_for(unsigned asked, unsigned most);

#endif
