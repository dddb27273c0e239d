/* SPDX-License-Identifier: Apache-2.0 */

/* Do secrets come in as promised, and is the terminal in order afterwards? */

#include "os/tty.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "scratch.h"

static unsigned calls;

static ssize_t slow_read(int fd, void *out, size_t len)
{
    if (calls++ % 2 == 0) {
        errno = calls % 4 == 1 ? EAGAIN : EINTR;
        return -1;
    }
    return read(fd, out, len > 0 ? 1 : 0);
}

/* ---- secrets ------------------------------------------------------------------------------- */

static void assert_secret(cof_secret *secret, const char *text)
{
    assert_non_null(secret);
    assert_int_equal(cof_secret_len(secret), strlen(text));
    assert_memory_equal(cof_secret_bytes(secret), text, strlen(text));
    cof_secret_free(secret);
}

static void lines_are_read_one_by_one(void **state)
{
    (void)state;
    cof_secret *secret = NULL;
    make("f", "first\r\nsecond\n\nlast\r", 0600);
    scratch_os.read = slow_read;
    cof_os_set(&scratch_os);
    int fd = open(in_dir("f"), O_RDONLY);
    assert_int_equal(cof_fd_read_secret(&secret, fd, "descriptor 3", NULL), COF_OK);
    assert_secret(secret, "first");
    assert_int_equal(cof_fd_read_secret(&secret, fd, "descriptor 3", NULL), COF_OK);
    assert_secret(secret, "second");
    cof_error err = COF_ERROR_INIT;
    assert_int_equal(cof_fd_read_secret(&secret, fd, "descriptor 3", &err), COF_USAGE);
    assert_string_equal(err.message, "descriptor 3: the passphrase is empty");
    assert_null(secret);
    assert_int_equal(cof_fd_read_secret(&secret, fd, "descriptor 3", NULL), COF_OK);
    assert_secret(secret, "last\r");
    assert_int_equal(cof_fd_read_secret(&secret, fd, "descriptor 3", NULL), COF_USAGE);
    close(fd);
    assert_int_equal(cof_fd_read_secret(&secret, fd, "descriptor 3", NULL), COF_IO);
}

static void long_lines_are_refused(void **state)
{
    (void)state;
    cof_secret *secret = NULL;
    char text[COF_PASSPHRASE_MAX + 4];
    memset(text, 'x', sizeof text);
    memcpy(text + COF_PASSPHRASE_MAX, "\r\n", 3);
    make("f", text, 0600);
    assert_int_equal(cof_file_read_secret(&secret, in_dir("f"), NULL), COF_OK);
    assert_int_equal(cof_secret_len(secret), COF_PASSPHRASE_MAX);
    cof_secret_free(secret);
    memcpy(text + COF_PASSPHRASE_MAX, "x\n", 3);
    make("f", text, 0600);
    assert_int_equal(cof_file_read_secret(&secret, in_dir("f"), NULL), COF_LIMIT);
    assert_null(secret);
}

static void open_passphrase_files_are_refused(void **state)
{
    (void)state;
    static const mode_t bad[] = {0640, 0604, 0620, 0601, 0644};
    cof_secret *secret = NULL;
    cof_error err = COF_ERROR_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        make("f", "pass\n", bad[i]);
        assert_int_equal(cof_file_read_secret(&secret, in_dir("f"), &err), COF_USAGE);
        assert_non_null(strstr(err.message, "chmod 600"));
        assert_null(secret);
    }
    make("f", "pass\n", 0400);
    assert_int_equal(cof_file_read_secret(&secret, in_dir("f"), NULL), COF_OK);
    assert_secret(secret, "pass");
}

static void key_files_are_read_whole(void **state)
{
    (void)state;
    cof_secret *secret = NULL;
    bool exposed = true;
    char *big = malloc(20001);
    assert_non_null(big);
    memset(big, 'k', 20000);
    big[20000] = '\0';
    make("f", big, 0600);
    assert_int_equal(cof_file_read_whole_secret(&secret, &exposed, in_dir("f"), 19999, NULL),
                     COF_LIMIT);
    assert_null(secret);
    assert_int_equal(cof_file_read_whole_secret(&secret, &exposed, in_dir("f"), 20000, NULL),
                     COF_OK);
    assert_false(exposed);
    assert_secret(secret, big);
    make("f", "short", 0644);
    assert_int_equal(cof_file_read_whole_secret(&secret, &exposed, in_dir("f"), 20000, NULL),
                     COF_OK);
    assert_true(exposed);
    assert_secret(secret, "short");
    make("f", "", 0600);
    assert_int_equal(cof_file_read_whole_secret(&secret, NULL, in_dir("f"), 5, NULL), COF_OK);
    assert_secret(secret, "");
    free(big);
}

/* ---- the terminal -------------------------------------------------------------------------- */

/* Open a terminal that nobody sees; *out_fd is the end of the one who types. */
static void open_terminal(int *out_fd, char *name, size_t cap)
{
    *out_fd = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*out_fd >= 0);
    assert_int_equal(grantpt(*out_fd), 0);
    assert_int_equal(unlockpt(*out_fd), 0);
    assert_int_equal(ptsname_r(*out_fd, name, cap), 0);
}

static char *self; /* the path of this program */

/*
 * What the child does, which is this program again in a session of its own: ask on that terminal
 * (none: without one), and leave with a status that tells what happened.
 */
static int ask_as_child(const char *terminal)
{
    cof_secret *secret = NULL;
    struct termios mode;
    if (terminal == NULL)
        return (int)cof_tty_read_secret(&secret, "? ", NULL);
    int fd = open(terminal, O_RDWR); /* becomes the controlling terminal */
    signal(SIGTERM, SIG_IGN);
    cof_status st = cof_tty_read_secret(&secret, "Passphrase: ", NULL);
    if (tcgetattr(fd, &mode) != 0 || (mode.c_lflag & ECHO) == 0)
        return 99;
    if (st == COF_OK &&
        (cof_secret_len(secret) != 6 || memcmp(cof_secret_bytes(secret), "sesame", 6) != 0))
        return 98;
    cof_secret_free(secret);
    return (int)st;
}

static pid_t start_child(char *terminal)
{
    static char option[] = "--ask";
    char *args[] = {self, option, terminal, NULL};
    pid_t child = -1;
    posix_spawnattr_t attr;
    assert_int_equal(posix_spawnattr_init(&attr), 0);
    assert_int_equal(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID), 0);
    assert_int_equal(posix_spawn(&child, self, NULL, &attr, args, environ), 0);
    posix_spawnattr_destroy(&attr);
    return child;
}

/* Type `keys` once the prompt is there and the echo is off; then send `signal_number` if not 0. */
static int converse(const char *keys, int signal_number, char *screen, size_t cap)
{
    int fd, status = 0;
    char name[64];
    size_t len = 0;
    open_terminal(&fd, name, sizeof name);
    pid_t child = start_child(name);
    while (len + 1 < cap) {
        ssize_t n = read(fd, screen + len, cap - 1 - len);
        if (n <= 0)
            break; /* the child has closed the terminal */
        len += (size_t)n;
        screen[len] = '\0';
        if (keys != NULL && strstr(screen, "Passphrase: ") != NULL) {
            assert_int_equal(write(fd, keys, strlen(keys)), (ssize_t)strlen(keys));
            keys = NULL;
            if (signal_number != 0)
                kill(child, signal_number);
        }
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    close(fd);
    return status;
}

static void the_terminal_does_not_show_secrets(void **state)
{
    (void)state;
    char screen[256] = "";
    int status = converse("sesame\n", 0, screen, sizeof screen);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), COF_OK);
    assert_non_null(strstr(screen, "Passphrase: "));
    assert_null(strstr(screen, "sesame"));

    screen[0] = '\0';
    status = converse("\n", 0, screen, sizeof screen);
    assert_int_equal(WEXITSTATUS(status), COF_USAGE);
}

static void signals_put_the_terminal_in_order(void **state)
{
    (void)state;
    char screen[256] = "";
    int status = converse("ses", SIGTERM, screen, sizeof screen); /* ignored by the child */
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), COF_CANCELLED);
    screen[0] = '\0';
    status = converse("\x03", 0, screen, sizeof screen); /* interrupt: takes its usual effect */
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

static void no_terminal_is_explained(void **state)
{
    (void)state;
    pid_t child = start_child(NULL);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), COF_USAGE);
    assert_true(cof_stderr_width() > 0);
    (void)cof_stderr_is_tty();
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return ask_as_child(argv[2]);
    self = argv[0];
    alarm(60); /* a conversation in which nobody speaks any more */

    const struct CMUnitTest tests[] = {
        IN_DIR(lines_are_read_one_by_one),          IN_DIR(long_lines_are_refused),
        IN_DIR(open_passphrase_files_are_refused),  IN_DIR(key_files_are_read_whole),
        IN_DIR(the_terminal_does_not_show_secrets), IN_DIR(signals_put_the_terminal_in_order),
        IN_DIR(no_terminal_is_explained),
    };
    return cmocka_run_group_tests_name("os_secret", tests, NULL, NULL);
}
