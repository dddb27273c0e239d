/* SPDX-License-Identifier: Apache-2.0 */

/* The side of this process: starting the keeper, reading, and judging what became of the command.
 */

#include "os/process.h"

#include "base/error.h"
#include "base/text.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEFT_OPEN_MS 10000 /* how long an output may stay open that nobody writes to any more */

struct cof_process {
    char name[COF_TEXT_NAME_CAP]; /* of the command, safe for messages */
    pid_t keeper;
    int life, news, output, say; /* our ends; -1: closed */
    bool ended;                  /* news came */
    cof_keeper_news became;
    char said[2 * COF_PROCESS_SAID_MAX]; /* its standard error, the last of it */
    size_t said_len;
};

static void close_end(int *fd)
{
    if (*fd >= 0)
        (void)cof_os_get()->close(*fd);
    *fd = -1;
}

/* ---- starting ---- */

typedef struct ends {
    int life[2], news[2], output[2], say[2]; /* each: to read, to write */
} ends;

static void close_ends(ends *e)
{
    int *all[] = {e->life, e->news, e->output, e->say};

    for (size_t i = 0; i < 4; i++) {
        close_end(&all[i][0]);
        close_end(&all[i][1]);
    }
}

static cof_status fork_keeper(cof_process *p, const ends *e, const char *const *argv,
                              cof_error *err)
{
    const cof_keeper_task task = {argv, e->life[0], e->news[1], e->output[1], e->say[1]};

    p->keeper = fork();
    if (p->keeper == 0)
        cof_keeper_run(&task);
    return p->keeper > 0 ? COF_OK : cof_fail_sys(err, errno, "cannot start a process");
}

static int take_end(int *end)
{
    int fd = *end;

    *end = -1; /* transferred */
    return fd;
}

cof_status cof_process_start(cof_process **out, const char *const *argv, cof_error *err)
{
    ends e = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    cof_process *p = calloc(1, sizeof *p);
    cof_status st = COF_OK;

    *out = NULL;
    if (p == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    p->life = p->news = p->output = p->say = -1;
    (void)cof_text_safe_str(p->name, sizeof p->name, argv[0]);
    if (pipe2(e.life, O_CLOEXEC) != 0 || pipe2(e.news, O_CLOEXEC) != 0 ||
        pipe2(e.output, O_CLOEXEC) != 0 || pipe2(e.say, O_CLOEXEC) != 0)
        st = cof_fail_sys(err, errno, "cannot make a pipe");
    if (st != COF_OK || (st = fork_keeper(p, &e, argv, err)) != COF_OK)
        goto out;
    p->life = take_end(&e.life[1]);
    p->news = take_end(&e.news[0]);
    p->output = take_end(&e.output[0]);
    (void)cof_os_get()->fadvise(p->output, 0, 0, COF_ADVICE_SEQUENTIAL);
    p->say = take_end(&e.say[0]);
    *out = p;
    p = NULL; /* transferred */
out:
    close_ends(&e);
    free(p);
    return st;
}

/* ---- reading ---- */

static ssize_t read_some(int fd, void *out, size_t len)
{
    ssize_t got;

    do
        got = cof_os_get()->read(fd, out, len);
    while (got < 0 && errno == EINTR);
    return got;
}

/* Keep the last of what it says. */
static void take_said(cof_process *p)
{
    ssize_t got;

    if (p->said_len >= COF_PROCESS_SAID_MAX) {
        size_t surplus = p->said_len - COF_PROCESS_SAID_MAX;

        memmove(p->said, p->said + surplus, COF_PROCESS_SAID_MAX);
        p->said_len = COF_PROCESS_SAID_MAX;
    }
    got = read_some(p->say, p->said + p->said_len, sizeof p->said - p->said_len);
    if (got > 0)
        p->said_len += (size_t)got;
    else
        close_end(&p->say);
}

static void take_news(cof_process *p)
{
    if (read_some(p->news, &p->became, sizeof p->became) == (ssize_t)sizeof p->became) {
        p->ended = true;
    } else {
        /* Nobody is left who could tell. */
        p->became = (cof_keeper_news){0, ECHILD};
        p->ended = true;
    }
    close_end(&p->news);
}

static cof_status too_silent(const cof_process *p, uint64_t silence_ms, cof_error *err)
{
    if (p->ended && p->output >= 0)
        return cof_fail(err, COF_SOURCE,
                        "%s has ended and left a process behind that holds its output open",
                        p->name);
    return cof_fail(err, COF_SOURCE, "%s has neither written anything nor ended for %llu.%03llu s",
                    p->name, (unsigned long long)(silence_ms / 1000),
                    (unsigned long long)(silence_ms % 1000));
}

/*
 * Wait until output can be read, or, where its end was seen, for the news.  *ready says that it
 * can.  What comes on the other pipes is dealt with; it is no sign of work.
 */
static cof_status wait_for_output(cof_process *p, uint64_t silence_ms, cof_error *err)
{
    uint64_t begun = cof_clock_monotonic_ns() / 1000000;

    while (p->output >= 0 || !p->ended) {
        struct pollfd fds[] = {{p->output, POLLIN, 0}, {p->say, POLLIN, 0}, {p->news, POLLIN, 0}};
        uint64_t passed = cof_clock_monotonic_ns() / 1000000 - begun;
        uint64_t limit = silence_ms;
        int wait = -1;

        if (p->ended && (limit == 0 || limit > LEFT_OPEN_MS))
            limit = LEFT_OPEN_MS;
        if (limit != 0 && passed >= limit)
            return too_silent(p, silence_ms, err);
        if (limit != 0)
            wait = limit - passed < 60000 ? (int)(limit - passed) : 60000;
        if (cof_os_get()->poll(fds, 3, wait) < 0 && errno != EINTR)
            return cof_fail_sys(err, errno, "cannot wait for %s", p->name);
        if (fds[1].revents != 0)
            take_said(p);
        if (fds[2].revents != 0)
            take_news(p);
        if (fds[0].revents != 0)
            return COF_OK;
    }
    return COF_OK;
}

cof_status cof_process_read(void *out, size_t len, size_t *got, cof_process *p, uint64_t silence_ms,
                            cof_error *err)
{
    ssize_t n;
    cof_status st;

    *got = 0;
    if (p->output < 0)
        return COF_OK;
    if ((st = wait_for_output(p, silence_ms, err)) != COF_OK)
        return st;
    n = read_some(p->output, out, len);
    if (n < 0)
        return cof_fail_sys(err, errno, "cannot read what %s writes", p->name);
    if (n == 0)
        close_end(&p->output);
    *got = (size_t)n;
    return COF_OK;
}

/* ---- the end ---- */

static void dismiss(cof_process *p, char word)
{
    const struct timespec pause = {0, 1000000};
    int status;

    if (p->keeper <= 0)
        return;
    (void)cof_os_get()->write(p->life, &word, 1);
    close_end(&p->life);
    close_end(&p->output); /* a command that waits to write gets SIGPIPE */
    while (waitpid(p->keeper, &status, 0) < 0 && errno == EINTR)
        (void)nanosleep(&pause, NULL);
    p->keeper = 0;
}

static cof_status judge(const cof_process *p, cof_error *err)
{
    int value = p->became.value;
    const char *signal_name;
    char reason[96];

    if (p->became.started == 0)
        return cof_fail(err, COF_SOURCE, "cannot run %s: %s", p->name,
                        strerror_r(value, reason, sizeof reason));
    if (WIFEXITED(value) && WEXITSTATUS(value) == 0)
        return COF_OK;
    if (WIFEXITED(value))
        return cof_fail(err, COF_SOURCE, "%s failed with exit status %d", p->name,
                        WEXITSTATUS(value));
    signal_name = sigabbrev_np(WTERMSIG(value));
    return cof_fail(err, COF_SOURCE, "%s was killed by the signal %s%s (%d)", p->name,
                    signal_name != NULL ? "SIG" : "", signal_name != NULL ? signal_name : "",
                    WTERMSIG(value));
}

/* What it said before it ended is in the pipe already. */
static void drain_said(cof_process *p)
{
    struct pollfd fd = {p->say, POLLIN, 0};

    while (p->say >= 0 && cof_os_get()->poll(&fd, 1, 0) > 0)
        take_said(p);
}

cof_status cof_process_finish(cof_process *p, uint64_t silence_ms, cof_error *err)
{
    cof_status st = wait_for_output(p, silence_ms, err);

    drain_said(p);
    if (st != COF_OK || (st = judge(p, err)) != COF_OK)
        return st;
    dismiss(p, COF_KEEPER_FINISH);
    return COF_OK;
}

const char *cof_process_said(const cof_process *p, size_t *len)
{
    *len = p->said_len < COF_PROCESS_SAID_MAX ? p->said_len : COF_PROCESS_SAID_MAX;
    return p->said + (p->said_len - *len);
}

void cof_process_free(cof_process *p)
{
    if (p == NULL)
        return;
    dismiss(p, COF_KEEPER_STOP);
    close_end(&p->life);
    close_end(&p->news);
    close_end(&p->output);
    close_end(&p->say);
    free(p);
}
