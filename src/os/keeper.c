/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keeper: the process between this one and a command.
 *
 * It is the child of a process that may have had threads, so it calls nothing that is not
 * async-signal-safe, and allocates nothing.  As "subreaper" it becomes the parent of every process
 * below it that loses its own; so what the command has started can be found and ended, also where
 * it has gone into a session of its own.  Signals do not reach it: it is told by `life`.
 */

#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIFE = 3, NEWS, OUTPUT, SAY, FIRST_FREE };

#define ROUND_MS       20
#define KILL_ROUNDS_MS 3000 /* what does not end by SIGKILL hangs in the kernel: do not wait on */

typedef struct keeper {
    pid_t command;
    bool running; /* the command itself; others may be left */
} keeper;

/* Keep four descriptors, under known numbers, and close all others: locks and pipes are among them.
 */
static bool arrange_descriptors(const cof_keeper_task *t)
{
    int from[] = {t->life, t->news, t->output, t->say};
    int null = fcntl(open("/dev/null", O_RDWR | O_CLOEXEC), F_DUPFD, FIRST_FREE);

    for (size_t i = 0; i < 4; i++)
        from[i] = fcntl(from[i], F_DUPFD, FIRST_FREE);
    for (int i = 0; i < 4; i++)
        if (dup3(from[i], LIFE + i, O_CLOEXEC) < 0)
            return false;
    for (int i = 0; i <= 2; i++)
        if (dup2(null, i) < 0)
            return false;
    return close_range(FIRST_FREE, ~0U, 0) == 0;
}

static void tell(int to, int started, int value)
{
    const cof_keeper_news news = {started, value};
    ssize_t written;

    do
        written = write(to, &news, sizeof news);
    while (written < 0 && errno == EINTR);
}

static _Noreturn void become_command(const char *const *argv, pid_t keeper_pid)
{
    sigset_t none;

    /* execvp() takes strings that may be changed, for reasons of history; it does not. */
    union {
        const char *const *given;
        char *const *taken;
    } arguments = {argv};

    if (setsid() >= 0 && dup2(OUTPUT, STDOUT_FILENO) >= 0 && dup2(SAY, STDERR_FILENO) >= 0 &&
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == keeper_pid &&
        signal(SIGPIPE, SIG_DFL) != SIG_ERR && signal(SIGXFSZ, SIG_DFL) != SIG_ERR &&
        sigemptyset(&none) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0)
        (void)execvp(argv[0], arguments.taken);
    tell(NEWS, 0, errno);
    _exit(127);
}

/* ---- ending ---- */

static void reap(keeper *k)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != k->command)
            continue;
        k->running = false;
        tell(NEWS, 1, status);
    }
}

/* The kernel's list of our children, "123 456 "; an empty one where the kernel has none. */
static void signal_children(int number)
{
    char list[4096];
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, list, sizeof list) : -1;
    pid_t pid = 0;

    if (fd >= 0)
        (void)close(fd);
    for (ssize_t i = 0; i < len; i++) {
        if (list[i] >= '0' && list[i] <= '9') {
            pid = pid * 10 + (list[i] - '0');
        } else {
            if (pid > 1)
                (void)kill(pid, number);
            pid = 0;
        }
    }
}

static void signal_all(const keeper *k, int number, bool children)
{
    (void)kill(-k->command, number);
    (void)kill(-k->command, SIGCONT); /* what is stopped does not end */
    if (children)
        signal_children(number);
}

static bool anything_left(const keeper *k, bool children)
{
    if (kill(-k->command, 0) == 0)
        return true;
    return children && waitid(P_ALL, 0, NULL, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* children: whatever the command has started, not only what is still in its session. */
static void end_all(keeper *k, bool children)
{
    const struct timespec round = {0, ROUND_MS * 1000000L};

    for (int ms = 0; ms < COF_PROCESS_GRACE_MS + KILL_ROUNDS_MS; ms += ROUND_MS) {
        reap(k);
        if (!anything_left(k, children))
            return;
        if (ms == 0)
            signal_all(k, SIGTERM, children);
        else if (ms >= COF_PROCESS_GRACE_MS)
            signal_all(k, SIGKILL, children);
        (void)nanosleep(&round, NULL);
    }
}

/* Wait until the command is no longer wanted; what is to be done then. */
static char wait_for_word(keeper *k, int children_fd)
{
    struct pollfd fds[] = {{LIFE, POLLIN, 0}, {children_fd, POLLIN, 0}};
    struct signalfd_siginfo ignored;
    char word = COF_KEEPER_STOP;

    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return COF_KEEPER_STOP;
        if (fds[1].revents != 0)
            (void)!read(children_fd, &ignored, sizeof ignored);
        reap(k);
        if (fds[0].revents != 0)
            return read(LIFE, &word, 1) == 1 ? word : COF_KEEPER_STOP;
    }
}

static _Noreturn void give_up(int news)
{
    tell(news, 0, errno);
    _exit(1);
}

_Noreturn void cof_keeper_run(const cof_keeper_task *task)
{
    keeper k = {0, true};
    const pid_t self = getpid();
    sigset_t all, child;
    int children_fd, news;

    /* Until all is arranged, our numbers may be something else's, and others' may be ours. */
    if ((news = fcntl(task->news, F_DUPFD_CLOEXEC, FIRST_FREE)) < 0)
        give_up(task->news);

    (void)sigfillset(&all);
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)signal(SIGCHLD, SIG_DFL); /* ignored, there would be no status */
    (void)prctl(PR_SET_NAME, "coffer-keeper", 0, 0, 0);
    if (sigprocmask(SIG_SETMASK, &all, NULL) != 0 || setsid() < 0 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0 || !arrange_descriptors(task))
        give_up(news);
    if ((children_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)) < 0 ||
        (k.command = fork()) < 0)
        give_up(NEWS);
    if (k.command == 0)
        become_command(task->argv, self); /* ours, also if we have ended meanwhile */
    (void)close(OUTPUT);
    (void)close(SAY);
    end_all(&k, wait_for_word(&k, children_fd) != COF_KEEPER_FINISH);
    _exit(0);
}
