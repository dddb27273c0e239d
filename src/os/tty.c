/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Asking on the terminal.  While the echo is off, the signals that would end or stop the process
 * are caught, so that the terminal is put in order first; then they are sent again and take
 * whatever effect they had before.
 *
 * Two prompts at once, in two threads, are not provided for: there is one terminal.
 */

#include "os/tty.h"

#include "base/error.h"
#include "os/os.h"
#include "os/secretio.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define WIDTH_UNKNOWN 80

static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};

#define SIGNAL_COUNT (sizeof signals / sizeof signals[0])

static volatile sig_atomic_t caught[SIGNAL_COUNT];

static void note_signal(int signal_number)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        if (signals[i] == signal_number)
            caught[i] = 1;
}

static bool any_caught(void)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        if (caught[i])
            return true;
    return false;
}

static void catch_signals(struct sigaction old[SIGNAL_COUNT])
{
    struct sigaction note;
    memset(&note, 0, sizeof note);
    note.sa_handler = note_signal; /* without SA_RESTART: waiting has to end */
    sigemptyset(&note.sa_mask);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        caught[i] = 0;
        sigaction(signals[i], &note, &old[i]);
    }
}

/* True when the process was only stopped and is going on: the prompt is to be shown again. */
static bool release_signals(const struct sigaction old[SIGNAL_COUNT])
{
    bool stopped = false;
    bool other = false;
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        sigaction(signals[i], &old[i], NULL);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (!caught[i])
            continue;
        kill(getpid(), signals[i]);
        if (signals[i] == SIGTSTP || signals[i] == SIGTTIN || signals[i] == SIGTTOU)
            stopped = true;
        else
            other = true;
    }
    return stopped && !other;
}

/* Like tcsetattr(), but interrupted calls are made again unless a signal has to be dealt with. */
static int set_mode(int fd, const struct termios *mode)
{
    int result;
    do {
        result = cof_os_get()->tcsetattr(fd, TCSAFLUSH, mode);
    } while (result != 0 && errno == EINTR && !any_caught());
    return result;
}

static void show(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = cof_os_get()->write(fd, text, len);
        if (n <= 0)
            return; /* nobody can read the prompt: reading will tell */
        text += n;
        len -= (size_t)n;
    }
}

/* One prompt and one line, with the echo off in between. */
static cof_status ask(cof_secret **out, int fd, const char *prompt, cof_error *err)
{
    struct termios before, silent;
    if (cof_os_get()->tcgetattr(fd, &before) != 0)
        return cof_fail_sys(err, errno, "cannot use the terminal");
    silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    silent.c_lflag |= ICANON;
    if (set_mode(fd, &silent) != 0)
        return any_caught() ? cof_fail(err, COF_CANCELLED, "interrupted")
                            : cof_fail_sys(err, errno, "cannot use the terminal");
    show(fd, prompt);
    cof_status st = cof_secret_read_line(out, fd, "the terminal", any_caught, err);
    (void)cof_os_get()->tcsetattr(fd, TCSAFLUSH, &before);
    show(fd, "\n");
    return st;
}

cof_status cof_tty_read_secret(cof_secret **out, const char *prompt, cof_error *err)
{
    *out = NULL;
    int fd = cof_os_get()->open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
    if (fd < 0)
        return cof_fail(err, COF_USAGE,
                        "there is no terminal to ask for a passphrase on; give a file with it");
    cof_status st;
    bool again;
    do {
        struct sigaction old[SIGNAL_COUNT];
        catch_signals(old);
        st = ask(out, fd, prompt, err);
        again = release_signals(old) && st == COF_CANCELLED;
    } while (again);
    (void)cof_os_get()->close(fd);
    return st;
}

bool cof_stderr_is_tty(void)
{
    return cof_os_get()->isatty(STDERR_FILENO) == 1;
}

int cof_stderr_width(void)
{
    int columns = cof_os_get()->columns(STDERR_FILENO);
    return columns > 0 ? columns : WIDTH_UNKNOWN;
}
