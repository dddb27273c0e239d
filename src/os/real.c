/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of the real system, and the few questions to it that no test needs to replace.  Here,
 * and nowhere else, is what differs between systems.  The functions add nothing to the system
 * calls: no retrying, no messages.
 */

#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BUILT_WITH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define BUILT_WITH_ASAN 1
#endif

static int real_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

/* Since 5.8 the kernel tells whoever syncs a file system of bytes that it could not write. */
static bool kernel_tells(void)
{
    struct utsname name;
    char *end = NULL;
    if (uname(&name) != 0)
        return false;
    unsigned long major = strtoul(name.release, &end, 10);
    unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    return major > 5 || (major == 5 && minor >= 8);
}

/*
 * Others pass the call on to nobody (FUSE), or are not known to us: they are synced file by file.
 */
static int real_syncfs_tells(int fd)
{
    static const unsigned long known[] = {
        0xEF53,     /* ext2, ext3, ext4 */
        0x58465342, /* XFS */
        0x9123683E, /* Btrfs */
        0xF2F52010, /* F2FS */
        0x01021994, /* tmpfs: nothing of it is ever durable */
    };
    struct statfs info;
    if (fstatfs(fd, &info) != 0 || !kernel_tells())
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if ((unsigned long)info.f_type == known[i])
            return 1;
    return 0;
}

/* So that who is at its other end need not wait while a record is worked on here. */
static int widen_pipe(int fd)
{
    static const int most_of_a_user = 1 << 20; /* as /proc/sys/fs/pipe-max-size is by default */

    return fcntl(fd, F_SETPIPE_SZ, most_of_a_user) < 0 ? -1 : 0;
}

static int real_fadvise(int fd, off_t off, off_t len, cof_advice advice)
{
    int error;

    if (advice == COF_ADVICE_WRITTEN)
        return sync_file_range(fd, off, len, SYNC_FILE_RANGE_WRITE);
    error = posix_fadvise(fd, off, len,
                          advice == COF_ADVICE_SOON ? POSIX_FADV_WILLNEED : POSIX_FADV_SEQUENTIAL);
    if (error == ESPIPE && advice == COF_ADVICE_SEQUENTIAL)
        return widen_pipe(fd);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

static int real_fsetxattr(int fd, const char *name, const void *data, size_t len)
{
    return fsetxattr(fd, name, data, len, 0);
}

static int real_openat(int dir, const char *name, int flags, mode_t mode)
{
    return openat(dir, name, flags | O_NOFOLLOW, mode);
}

static int real_fstatat(int dir, const char *name, struct stat *out)
{
    return fstatat(dir, name, out, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
}

/* No system call takes a directory here; the kernel's name for it does. */
static int name_below(char *out, size_t cap, int dir, const char *name)
{
    int len = dir == AT_FDCWD ? snprintf(out, cap, "%s", name)
                              : snprintf(out, cap, "/proc/self/fd/%d/%s", dir, name);
    if (len >= 0 && (size_t)len < cap)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

static ssize_t real_listxattrat(int dir, const char *name, char *out, size_t cap)
{
    char path[PATH_MAX];
    return name_below(path, sizeof path, dir, name) == 0 ? llistxattr(path, out, cap) : -1;
}

static ssize_t real_getxattrat(int dir, const char *name, const char *attribute, void *out,
                               size_t cap)
{
    char path[PATH_MAX];
    if (name_below(path, sizeof path, dir, name) != 0)
        return -1;
    return lgetxattr(path, attribute, out, cap);
}

static int real_linkat(int from_dir, const char *from, int to_dir, const char *to)
{
    return linkat(from_dir, from, to_dir, to, 0);
}

/* Only who may read everything may name a descriptor as such; others by the kernel's name for it.
 */
static int real_linkfd(int fd, int dir, const char *name)
{
    char path[64];
    if (linkat(fd, "", dir, name, AT_EMPTY_PATH) == 0)
        return 0;
    if (errno != ENOENT && errno != EPERM)
        return -1;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW);
}

static int real_unlinkat(int dir, const char *name)
{
    return unlinkat(dir, name, 0);
}

static int real_renameat(int dir, const char *from, const char *to)
{
    return renameat(dir, from, dir, to);
}

static int real_renameat_noreplace(int dir, const char *from, const char *to)
{
#if defined(RENAME_NOREPLACE)
    return renameat2(dir, from, dir, to, RENAME_NOREPLACE);
#else
    (void)dir;
    (void)from;
    (void)to;
    errno = ENOSYS;
    return -1;
#endif
}

static int real_fchownat(int dir, const char *name, uid_t uid, gid_t gid)
{
    return name[0] == '\0' ? fchown(dir, uid, gid)
                           : fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

/* The call that does not follow links is younger than this code: change what was opened. */
static int real_fchmodat(int dir, const char *name, mode_t mode)
{
    char path[64];
    struct stat info;
    int result = -1;
    if (name[0] == '\0')
        return fchmod(dir, mode);
    int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &info) == 0 && S_ISLNK(info.st_mode)) {
        errno = ELOOP;
    } else {
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        result = chmod(path, mode);
    }
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return result;
}

static int real_utimensat(int dir, const char *name, const struct timespec times[2])
{
    return name[0] == '\0' ? futimens(dir, times)
                           : utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

static int real_setxattrat(int dir, const char *name, const char *attribute, const void *data,
                           size_t len)
{
    char path[PATH_MAX];
    if (name[0] == '\0')
        return fsetxattr(dir, attribute, data, len, 0);
    if (name_below(path, sizeof path, dir, name) != 0)
        return -1;
    return lsetxattr(path, attribute, data, len, 0);
}

static int real_removexattrat(int dir, const char *name, const char *attribute)
{
    char path[PATH_MAX];
    if (name[0] == '\0')
        return fremovexattr(dir, attribute);
    if (name_below(path, sizeof path, dir, name) != 0)
        return -1;
    return lremovexattr(path, attribute);
}

static off_t real_seek_data(int fd, off_t off)
{
    return lseek(fd, off, SEEK_DATA);
}

static off_t real_seek_hole(int fd, off_t off)
{
    return lseek(fd, off, SEEK_HOLE);
}

static int real_allocate(int fd, off_t off, off_t len)
{
#if defined(FALLOC_FL_KEEP_SIZE)
    return fallocate(fd, FALLOC_FL_KEEP_SIZE, off, len);
#else
    (void)fd;
    (void)off;
    (void)len;
    errno = EOPNOTSUPP;
    return -1;
#endif
}

static int real_rename_noreplace(const char *from, const char *to)
{
#if defined(RENAME_NOREPLACE)
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
#else
    (void)from;
    (void)to;
    errno = ENOSYS;
    return -1;
#endif
}

static char *real_realpath(const char *path)
{
    return realpath(path, NULL);
}

static const short lock_types[] = {
    [COF_LOCK_NONE] = F_UNLCK,
    [COF_LOCK_SHARED] = F_RDLCK,
    [COF_LOCK_EXCLUSIVE] = F_WRLCK,
};

static int real_lock(int fd, cof_lock_kind kind, int wait)
{
    struct flock whole = {.l_type = lock_types[kind], .l_whence = SEEK_SET};
    return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &whole);
}

static int real_lock_in_the_way(int fd, cof_lock_kind wanted, cof_lock_kind *out)
{
    struct flock whole = {.l_type = lock_types[wanted], .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_GETLK, &whole) != 0)
        return -1;
    *out = whole.l_type == F_UNLCK   ? COF_LOCK_NONE
           : whole.l_type == F_RDLCK ? COF_LOCK_SHARED
                                     : COF_LOCK_EXCLUSIVE;
    return 0;
}

static int real_thread(pthread_t *out, void *(*run)(void *arg), void *arg)
{
    return pthread_create(out, NULL, run, arg);
}

static uint64_t real_token(void)
{
    static atomic_uint_fast64_t count;
    uint64_t token;
    if (getrandom(&token, sizeof token, GRND_NONBLOCK) == (ssize_t)sizeof token)
        return token;
    /* Early in a boot: being unlike others has to do. */
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    token = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return token ^ (uint64_t)getpid() << 40 ^ atomic_fetch_add(&count, 1) << 32;
}

static uint64_t real_input(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_inblock : 0;
}

static int real_columns(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static const cof_os real = {
    .open = real_open,
    .close = close,
    .read = read,
    .write = write,
    .pread = pread,
    .pwrite = pwrite,
    .poll = poll,
    .fsync = fsync,
    .syncfs = syncfs,
    .syncfs_tells = real_syncfs_tells,
    .ftruncate = ftruncate,
    .allocate = real_allocate,
    .fadvise = real_fadvise,
    .fstat = fstat,
    .stat = stat,
    .lstat = lstat,
    .statvfs = statvfs,
    .fchmod = fchmod,
    .fchown = fchown,
    .flistxattr = flistxattr,
    .fgetxattr = fgetxattr,
    .fsetxattr = real_fsetxattr,
    .openat = real_openat,
    .fstatat = real_fstatat,
    .readlinkat = readlinkat,
    .listxattrat = real_listxattrat,
    .getxattrat = real_getxattrat,
    .fdopendir = fdopendir,
    .seek_data = real_seek_data,
    .seek_hole = real_seek_hole,
    .mkdirat = mkdirat,
    .mknodat = mknodat,
    .symlinkat = symlinkat,
    .linkat = real_linkat,
    .linkfd = real_linkfd,
    .unlinkat = real_unlinkat,
    .renameat = real_renameat,
    .renameat_noreplace = real_renameat_noreplace,
    .fchownat = real_fchownat,
    .fchmodat = real_fchmodat,
    .utimensat = real_utimensat,
    .setxattrat = real_setxattrat,
    .removexattrat = real_removexattrat,
    .rename = rename,
    .rename_noreplace = real_rename_noreplace,
    .link = link,
    .unlink = unlink,
    .mkdir = mkdir,
    .realpath = real_realpath,
    .opendir = opendir,
    .readdir = readdir,
    .closedir = closedir,
    .lock = real_lock,
    .lock_in_the_way = real_lock_in_the_way,
    .thread = real_thread,
    .clock_gettime = clock_gettime,
    .input = real_input,
    .token = real_token,
    .isatty = isatty,
    .columns = real_columns,
    .tcgetattr = tcgetattr,
    .tcsetattr = tcsetattr,
};

static const cof_os *_Atomic current = &real;

const cof_os *cof_os_real(void)
{
    return &real;
}

const cof_os *cof_os_get(void)
{
    return atomic_load(&current);
}

void cof_os_set(const cof_os *os)
{
    atomic_store(&current, os != NULL ? os : &real);
}

uint64_t cof_clock_now(void)
{
    struct timespec now;
    if (cof_os_get()->clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < 0)
        return 0;
    return (uint64_t)now.tv_sec;
}

uint64_t cof_clock_monotonic_ns(void)
{
    struct timespec now;
    if (cof_os_get()->clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int cof_no_core_dumps(void)
{
    struct rlimit none = {0, 0};
    int result = setrlimit(RLIMIT_CORE, &none);
#if !defined(BUILT_WITH_ASAN) /* the leak checker has to trace its own process */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        result = -1;
#endif
    return result;
}
