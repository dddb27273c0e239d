/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does the pool hand out work to several threads and give it back in order, whoever is slow, fails
 * or cannot be had?  The cases are also what the thread sanitizer looks at.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "os/os.h"
#include "os/pool.h"

#define JOBS  5
#define MANY  400
#define NEVER UINT64_MAX

typedef struct job {
    uint64_t in, out;
    unsigned worker;
} job;

static struct {
    job jobs[JOBS];
    uint64_t fails_from;        /* jobs fail from this number on */
    uint64_t slow;              /* the job that is done only after ... */
    unsigned calls_first;       /* ... so many have begun; those behind it wait until ... */
    atomic_bool slow_begun;     /* ... it has begun, so that it is they who go on beside it */
    atomic_uint running[8];     /* in each worker */
    atomic_uint peak, together; /* that worked at the same time */
    atomic_uint calls;
} t;

static unsigned threads_allowed, threads_asked;

static int rationed_thread(pthread_t *out, void *(*run)(void *), void *arg)
{
    if (threads_asked++ >= threads_allowed)
        return EAGAIN;
    return cof_os_real()->thread(out, run, arg);
}

static void pause_for(long microseconds)
{
    const struct timespec time = {0, microseconds * 1000};

    (void)nanosleep(&time, NULL);
}

static void raise_peak(unsigned together)
{
    unsigned peak = atomic_load(&t.peak);

    while (together > peak && !atomic_compare_exchange_weak(&t.peak, &peak, together)) {
    }
}

static cof_status work(void *ctx, unsigned who, void *arg, cof_error *err)
{
    unsigned together = atomic_fetch_add(&t.together, 1) + 1;
    job *j = arg;

    assert_ptr_equal(ctx, &t);
    assert_int_equal(atomic_fetch_add(&t.running[who], 1), 0);
    raise_peak(together);
    atomic_fetch_add(&t.calls, 1);
    if (j->in == t.slow)
        atomic_store(&t.slow_begun, true);
    for (int i = 0; j->in == t.slow && i < 10000 && atomic_load(&t.calls) < t.calls_first; i++)
        pause_for(1000);
    for (int i = 0; j->in > t.slow && i < 10000 && !atomic_load(&t.slow_begun); i++)
        pause_for(1000);
    if (j->in % 7 == 0)
        pause_for(100);
    j->out = j->in * j->in;
    j->worker = who;
    atomic_fetch_sub(&t.running[who], 1);
    atomic_fetch_sub(&t.together, 1);
    return j->in >= t.fails_from ? cof_fail(err, COF_FORMAT, "job %d failed", (int)j->in) : COF_OK;
}

static cof_pool *make_pool(unsigned workers, size_t jobs)
{
    const cof_pool_plan plan = {workers, t.jobs, sizeof(t.jobs[0]), jobs, work, &t};
    cof_pool *pool = NULL;

    assert_int_equal(cof_pool_new(&pool, &plan, NULL), COF_OK);
    return pool;
}

/* Take one, which must be number n. */
static cof_status take(cof_pool *pool, uint64_t n, cof_error *err)
{
    void *arg = NULL;
    job *j;
    cof_status st;

    cof_pool_help(pool);
    st = cof_pool_take(&arg, pool, err);
    j = arg;
    assert_int_equal(j->in, n);
    assert_int_equal(j->out, n * n);
    assert_ptr_equal(j, &t.jobs[(size_t)(j - t.jobs)]);
    cof_pool_give_back(pool);
    return st;
}

static void put(cof_pool *pool, uint64_t n)
{
    job *j = cof_pool_get(pool);

    assert_non_null(j);
    j->in = n;
    cof_pool_put(pool);
}

/* Pump `count` through; how many came out until one had failed. */
static uint64_t pump(cof_pool *pool, uint64_t count, cof_error *err)
{
    uint64_t next = 0;

    for (uint64_t n = 0; n < count; n++) {
        while (cof_pool_get(pool) == NULL)
            if (take(pool, next, err) != COF_OK)
                return next;
            else
                next++;
        put(pool, n);
    }
    for (; next < count; next++)
        if (take(pool, next, err) != COF_OK)
            return next;
    assert_int_equal(cof_pool_pending(pool), 0);
    return next;
}

static int set_up(void **state)
{
    static cof_os os;

    (void)state;
    memset(&t, 0, sizeof(t));
    t.fails_from = t.slow = NEVER;
    threads_allowed = UINT32_MAX;
    threads_asked = 0;
    os = *cof_os_real();
    os.thread = rationed_thread;
    cof_os_set(&os);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cof_os_set(NULL);
    return 0;
}

static void test_order_whatever_the_number_of_workers(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 8; workers++)
        for (size_t jobs = 1; jobs <= JOBS; jobs++) {
            cof_pool *pool = make_pool(workers, jobs);

            assert_int_equal(pump(pool, MANY / 4, NULL), MANY / 4);
            cof_pool_free(pool);
        }
}

static void test_one_worker_is_no_thread(void **state)
{
    cof_pool *pool = make_pool(1, 2);

    (void)state;
    assert_int_equal(pump(pool, MANY, NULL), MANY);
    assert_int_equal(threads_asked, 0);
    assert_int_equal(atomic_load(&t.peak), 1);
    cof_pool_free(pool);
}

static void test_work_goes_on_beside_a_slow_job(void **state)
{
    cof_pool *pool = make_pool(2, JOBS);

    (void)state;
    t.slow = 0;
    t.calls_first = JOBS;
    for (uint64_t n = 0; n < JOBS; n++)
        put(pool, n);
    assert_null(cof_pool_get(pool)); /* bounded */
    assert_int_equal(take(pool, 0, NULL), COF_OK);
    assert_int_equal(atomic_load(&t.calls), JOBS); /* all others were done meanwhile */
    for (uint64_t n = 1; n < JOBS; n++)
        assert_int_equal(take(pool, n, NULL), COF_OK);
    assert_int_equal(atomic_load(&t.peak), 2);
    assert_int_equal(threads_asked, 1); /* the other is the owner */
    cof_pool_free(pool);
}

/* The first in order is the cause, also when a later one fails long before it. */
static void test_the_first_failure_in_order_is_reported(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers++) {
        cof_pool *pool = make_pool(workers, JOBS);
        cof_error err = COF_ERROR_INIT;

        t.fails_from = t.slow = 11;
        t.calls_first = workers > 1 ? 13 : 0;
        atomic_store(&t.calls, 0);
        assert_int_equal(pump(pool, MANY, &err), 11);
        assert_int_equal(err.status, COF_FORMAT);
        assert_string_equal(err.message, "job 11 failed");
        cof_pool_free(pool); /* with jobs in it */
    }
}

static void test_reset_forgets_and_goes_on(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers++) {
        cof_pool *pool = make_pool(workers, JOBS);

        for (unsigned round = 0; round < 50; round++) {
            for (uint64_t n = 0; n < round % JOBS; n++)
                put(pool, 1000 + n);
            cof_pool_reset(pool);
            assert_int_equal(cof_pool_pending(pool), 0);
            assert_int_equal(atomic_load(&t.together), 0);
            put(pool, round);
            assert_int_equal(take(pool, round, NULL), COF_OK);
        }
        cof_pool_free(pool);
    }
}

static void test_free_ends_all_at_any_moment(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 100; round++) {
        cof_pool *pool = make_pool(4, JOBS);

        for (uint64_t n = 0; n < round % (JOBS + 1); n++)
            put(pool, n);
        cof_pool_free(pool);
        assert_int_equal(atomic_load(&t.together), 0);
    }
    cof_pool_free(NULL);
}

/* None, or too few threads: slower, and right. */
static void test_threads_that_cannot_be_had(void **state)
{
    (void)state;
    for (unsigned allowed = 0; allowed <= 4; allowed++) {
        cof_pool *pool;

        threads_allowed = allowed;
        threads_asked = 0;
        pool = make_pool(4, JOBS);
        assert_int_equal(threads_asked, allowed < 3 ? allowed + 1 : 3);
        assert_int_equal(pump(pool, MANY, NULL), MANY);
        cof_pool_free(pool);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_order_whatever_the_number_of_workers),
        CASE(test_one_worker_is_no_thread),
        CASE(test_work_goes_on_beside_a_slow_job),
        CASE(test_the_first_failure_in_order_is_reported),
        CASE(test_reset_forgets_and_goes_on),
        CASE(test_free_ends_all_at_any_moment),
        CASE(test_threads_that_cannot_be_had),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
