/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Somebody who has taken over the process in the very moment in which it reads the first byte that
 * others wrote: put before the C library (LD_PRELOAD), it tries at the first read from standard
 * input, or of a file that begins as a backup does, or when a directory "tree" is opened, what it
 * must not be able to do, and writes to the file named by INTRUDER_REPORT, one a line, "WHAT done"
 * or "WHAT refused: WHY".
 */

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

int openat64(int dir, const char *name, int flags, ...);
ssize_t pread64(int fd, void *out, size_t len, off64_t off);
ssize_t pread(int fd, void *out, size_t len, off_t off);
ssize_t read(int fd, void *out, size_t len);

static int report = -1;
static bool tried;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("INTRUDER_REPORT");

    if (path != NULL)
        report = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void tell(const char *what, bool done)
{
    dprintf(report, done ? "%s done\n" : "%s refused: %s\n", what, strerror(errno));
}

static void try_exec(void)
{
    char *const argv[] = {(char *)(uintptr_t) "true", NULL};
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        (void)execve("/bin/true", argv, NULL);
        _exit(errno == EPERM || errno == EACCES ? 111 : 112);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        status = -1;
    errno = EPERM;
    tell("exec", !WIFEXITED(status) || WEXITSTATUS(status) != 111);
}

static void try_connect(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == ECONNREFUSED))
        tell("connect", true);
    else
        tell("connect", false);
    tell("datagram", socket(AF_INET6, SOCK_DGRAM, 0) >= 0);
    tell("netlink", socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
}

static void try_local(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/run/no-such-socket"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    tell("local",
         fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == ENOENT));
}

static void try_ptrace(void)
{
    int ends[2]; /* it lives as long as ours is open: it cannot be killed */
    char byte;
    pid_t child;

    if (pipe(ends) != 0)
        return;
    if ((child = fork()) == 0) {
        (void)close(ends[1]);
        (void)!syscall(SYS_read, ends[0], &byte, 1);
        _exit(0);
    }
    tell("ptrace", child > 0 && ptrace(PTRACE_SEIZE, child, 0, 0) == 0);
    tell("signal", kill(child, SIGCONT) == 0);
    tell("signal of a thread", syscall(SYS_tgkill, child, child, SIGCONT) == 0);
    tell("signal with a value", sigqueue(child, SIGCONT, (union sigval){0}) == 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)waitpid(child, NULL, 0);
}

/* Where it is not refused, there is no such descriptor. */
static void try_terminal(void)
{
    (void)ioctl(-1, TIOCSTI, "x");
    tell("terminal", errno == EBADF);
    (void)ioctl(-1, TIOCLINUX, "\3");
    tell("paste", errno == EBADF);
    (void)fcntl(-1, F_SETOWN, 1);
    tell("owner of signals", errno == EBADF);
}

static void try_attributes(const char *path)
{
    int fd = open(path, O_RDONLY);

    tell("attributes: mode", chmod(path, 0640) == 0);
    tell("attributes: mode of what is open", fchmod(fd, 0640) == 0);
    tell("attributes: mode, newest", syscall(452, AT_FDCWD, path, 0640, 0) == 0 || errno == ENOSYS);
    tell("attributes: owner", lchown(path, geteuid(), getegid()) == 0);
    tell("attributes: owner of what is open", fchown(fd, geteuid(), getegid()) == 0);
    tell("attributes: times", utimensat(AT_FDCWD, path, NULL, 0) == 0);
    tell("attributes: named", setxattr(path, "user.x", "y", 1, 0) == 0 || errno == ENOTSUP);
    (void)close(fd);
}

static void try_all(void)
{
    const char *outside = getenv("INTRUDER_OUTSIDE"); /* a folder that nobody is to write to */
    char path[4096], other[4096];

    tried = true;
    (void)snprintf(path, sizeof(path), "%s/planted", outside);
    (void)snprintf(other, sizeof(other), "%s/victim", outside);
    tell("passwd", open("/etc/passwd", O_WRONLY | O_APPEND) >= 0);
    tell("plant", open(path, O_WRONLY | O_CREAT, 0600) >= 0);
    tell("overwrite", open(other, O_WRONLY) >= 0);
    tell("truncate", truncate(other, 0) == 0);
    try_attributes(other);
    tell("remove", unlink(other) == 0);
    tell("rename", rename(other, path) == 0);
    tell("mkdir", mkdir(path, 0700) == 0);
    tell("symlink", symlink("/etc/passwd", path) == 0);
    try_exec();
    try_connect();
    try_local();
    try_ptrace();
    try_terminal();
    tell("io_uring", syscall(SYS_io_uring_setup, 1, &(struct io_uring_params){0}) >= 0);
}

static bool is_backup(int fd)
{
    static ssize_t (*real)(int, void *, size_t, off64_t);
    static const unsigned char begin_[] = {0x89, 'C', 'O', 'F'};
    unsigned char magic[4] = {0};

    if (real == NULL)
        *(void **)(void *)&real = dlsym(RTLD_NEXT, "pread64");
    return real(fd, magic, 4, 0) == 4 && memcmp(magic, begin_, 4) == 0;
}

int openat64(int dir, const char *name, int flags, ...)
{
    static int (*real)(int, const char *, int, mode_t);
    va_list more;

    if (real == NULL)
        *(void **)(void *)&real = dlsym(RTLD_NEXT, "openat64");
    if (!tried && report >= 0 && strcmp(name, "tree") == 0)
        try_all();
    va_start(more, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return real(dir, name, flags, mode);
}

ssize_t pread64(int fd, void *out, size_t len, off64_t off)
{
    static ssize_t (*real)(int, void *, size_t, off64_t);

    if (real == NULL)
        *(void **)(void *)&real = dlsym(RTLD_NEXT, "pread64");
    if (!tried && report >= 0 && is_backup(fd) && len > 8)
        try_all();
    return real(fd, out, len, off);
}

ssize_t pread(int fd, void *out, size_t len, off_t off)
{
    return pread64(fd, out, len, off);
}

ssize_t read(int fd, void *out, size_t len)
{
    static ssize_t (*real)(int, void *, size_t);

    if (real == NULL)
        *(void **)(void *)&real = dlsym(RTLD_NEXT, "read");
    if (!tried && report >= 0 && fd == STDIN_FILENO)
        try_all();
    return real(fd, out, len);
}
