/* SPDX-License-Identifier: Apache-2.0 */

/* Threads live no longer than the call that needs them, so that nothing is left to be stopped. */

#include "os/threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>

#define JOBS_MAX 64 /* more are never faster */

typedef struct job {
    void (*work)(void *ctx);
    void *ctx;
} job;

static void *run(void *arg)
{
    const job *j = arg;

    j->work(j->ctx);
    return NULL;
}

void cof_threads_run(unsigned jobs, void (*work)(void *ctx), void *ctx)
{
    job j = {work, ctx};
    pthread_t threads[JOBS_MAX];
    unsigned started = 0;
    sigset_t all, before;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started + 1 < jobs && started < JOBS_MAX &&
           pthread_create(&threads[started], NULL, run, &j) == 0)
        started++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    work(ctx);
    while (started > 0)
        (void)pthread_join(threads[--started], NULL);
}

unsigned cof_processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) < 1)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}
