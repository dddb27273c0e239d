/* SPDX-License-Identifier: Apache-2.0 */

/* Threads live no longer than the call that needs them, so that nothing is left to be stopped. */

#include "os/threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>

#include "os/os.h"

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

bool cof_thread_start(pthread_t *out, void *(*start)(void *arg), void *arg)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    started = cof_os_get()->thread(out, start, arg) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void cof_threads_run(unsigned jobs, void (*work)(void *ctx), void *ctx)
{
    job j = {work, ctx};
    pthread_t threads[JOBS_MAX];
    unsigned started = 0;

    while (started + 1 < jobs && started < JOBS_MAX && cof_thread_start(&threads[started], run, &j))
        started++;
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

unsigned cof_threads_for(unsigned asked, unsigned most)
{
    unsigned threads = asked != 0 ? asked : cof_processors();

    return threads < most ? threads : most;
}
