/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_OS_H
#define COF_OS_OS_H

/*
 * The operating system as one table of calls, so that tests can replace it as a whole: record what
 * is done and in which order, let the n-th call fail, cut a write short.  All other files of this
 * room, and everything above it, reach files only through the current table.
 *
 * Every call behaves like the system call of its name: -1 (NULL) and errno on failure, EINTR
 * included, which the callers deal with.  A test usually copies *cof_os_real(), replaces some
 * members and keeps its state in static variables.
 */

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <termios.h>
#include <time.h>

typedef enum cof_lock_kind { COF_LOCK_NONE, COF_LOCK_SHARED, COF_LOCK_EXCLUSIVE } cof_lock_kind;

typedef enum cof_advice {
    COF_ADVICE_SEQUENTIAL, /* will be read from front to back; a pipe gets more room */
    COF_ADVICE_SOON,       /* will be read next: begin now */
    COF_ADVICE_WRITTEN     /* will not be written to again: begin to bring it to the disk */
} cof_advice;

typedef struct cof_os {
    int (*open)(const char *path, int flags, mode_t mode);
    int (*close)(int fd);
    ssize_t (*read)(int fd, void *out, size_t len);
    ssize_t (*write)(int fd, const void *data, size_t len);
    ssize_t (*pread)(int fd, void *out, size_t len, off_t off);
    ssize_t (*pwrite)(int fd, const void *data, size_t len, off_t off);
    int (*poll)(struct pollfd *fds, nfds_t count, int timeout_ms);
    int (*fsync)(int fd);
    int (*syncfs)(int fd);
    int (*syncfs_tells)(int fd); /* 1: here syncfs waits for the disk, and says if that failed */
    int (*ftruncate)(int fd, off_t len);
    int (*allocate)(int fd, off_t off, off_t len); /* space, not size; EOPNOTSUPP: not possible */
    int (*fadvise)(int fd, off_t off, off_t len, cof_advice advice);

    int (*fstat)(int fd, struct stat *out);
    int (*stat)(const char *path, struct stat *out);
    int (*lstat)(const char *path, struct stat *out);
    int (*statvfs)(const char *path, struct statvfs *out);
    int (*fchmod)(int fd, mode_t mode);
    int (*fchown)(int fd, uid_t uid, gid_t gid);
    ssize_t (*flistxattr)(int fd, char *out, size_t cap);
    ssize_t (*fgetxattr)(int fd, const char *name, void *out, size_t cap);
    int (*fsetxattr)(int fd, const char *name, const void *data, size_t len);

    /* Below an open directory, for whoever walks a tree; the last component is not followed. */
    int (*openat)(int dir, const char *name, int flags, mode_t mode);
    int (*fstatat)(int dir, const char *name, struct stat *out);
    ssize_t (*readlinkat)(int dir, const char *name, char *out, size_t cap);
    ssize_t (*listxattrat)(int dir, const char *name, char *out, size_t cap);
    ssize_t (*getxattrat)(int dir, const char *name, const char *attribute, void *out, size_t cap);
    DIR *(*fdopendir)(int fd);
    off_t (*seek_data)(int fd, off_t off); /* the next byte that is no hole; ENXIO: none */
    off_t (*seek_hole)(int fd, off_t off); /* EINVAL: the file system knows no holes */

    /*
     * The same, for whoever makes a tree.  The last five, and fstatat, take an empty name as what
     * `dir` itself is open to, whatever that is.
     */
    int (*mkdirat)(int dir, const char *name, mode_t mode);
    int (*mknodat)(int dir, const char *name, mode_t mode, dev_t device);
    int (*symlinkat)(const char *target, int dir, const char *name);
    int (*linkat)(int from_dir, const char *from, int to_dir, const char *to);
    int (*linkfd)(int fd, int dir, const char *name); /* a file opened with O_TMPFILE: its name */
    int (*unlinkat)(int dir, const char *name);
    int (*renameat)(int dir, const char *from, const char *to);
    int (*renameat_noreplace)(int dir, const char *from, const char *to); /* as rename_noreplace */
    int (*fchownat)(int dir, const char *name, uid_t uid, gid_t gid);
    int (*fchmodat)(int dir, const char *name, mode_t mode); /* ELOOP: a symbolic link */
    int (*utimensat)(int dir, const char *name, const struct timespec times[2]);
    int (*setxattrat)(int dir, const char *name, const char *attribute, const void *data,
                      size_t len);
    int (*removexattrat)(int dir, const char *name, const char *attribute); /* ENODATA: none */

    int (*rename)(const char *from, const char *to);
    int (*rename_noreplace)(const char *from, const char *to); /* EINVAL, ENOSYS: not possible */
    int (*link)(const char *from, const char *to);
    int (*unlink)(const char *path); /* must be async-signal-safe */
    int (*mkdir)(const char *path, mode_t mode);
    char *(*realpath)(const char *path); /* result is the caller's to free() */
    DIR *(*opendir)(const char *path);
    struct dirent *(*readdir)(DIR *dir);
    int (*closedir)(DIR *dir);

    /* A lock of the open file description on the whole file; EAGAIN or EACCES when held. */
    int (*lock)(int fd, cof_lock_kind kind, int wait);
    /* Which kind of lock, of another opening, keeps one of this kind from being taken now. */
    int (*lock_in_the_way)(int fd, cof_lock_kind wanted, cof_lock_kind *out);

    /* 0, or the error itself, as pthread_create. */
    int (*thread)(pthread_t *out, void *(*run)(void *arg), void *arg);

    int (*clock_gettime)(clockid_t clock, struct timespec *out);
    uint64_t (*input)(void); /* blocks that this process has read from disks, or the like */
    uint64_t (*token)(void); /* unpredictable, for the names of temporary files */
    int (*isatty)(int fd);
    int (*columns)(int fd); /* width of a terminal, 0 if unknown */
    int (*tcgetattr)(int fd, struct termios *out);
    int (*tcsetattr)(int fd, int when, const struct termios *mode);
} cof_os;

/* The table of the real system.  Static storage. */
const cof_os *cof_os_real(void);

/* The table in use by the whole process: the real one unless a test has replaced it. */
const cof_os *cof_os_get(void);

/*
 * Replace the table for the whole process, NULL: back to the real one.  Borrows os until it is
 * replaced.  For tests; not while another thread is inside the library.
 */
void cof_os_set(const cof_os *os);

/* Seconds since the epoch; 0 if the clock is before it or cannot be read. */
uint64_t cof_clock_now(void);

/* Nanoseconds since some fixed moment, never going back: for durations. */
uint64_t cof_clock_monotonic_ns(void);

/*
 * For the command: no core dumps of this process, no debugger attached by others of the same user.
 * Returns 0, or -1 where the system refuses a part of it (errno says why).
 */
int cof_no_core_dumps(void);

#endif
