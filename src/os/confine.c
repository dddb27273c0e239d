/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Landlock for files, seccomp for programs, sockets and rare calls, no_new_privs for both.
 *
 * seccomp here is a list of what is refused, not of what is allowed: the libraries that are used
 * make other calls with each version, and a backup that cannot be restored on the day when it is
 * needed is worse than a wider gap.  What matters of files is Landlock's.
 */

#include "os/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

#if defined(__has_include)
#if __has_include(<linux/landlock.h>)
#define HAVE_LANDLOCK 1
#include <linux/landlock.h>
#endif
#if __has_include(<linux/seccomp.h>) && __has_include(<linux/audit.h>)
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif
#endif
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BUILT_WITH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define BUILT_WITH_ASAN 1
#endif

/* ---- files ---- */

#if defined(HAVE_LANDLOCK)

/* Numbers of the kernel's interface that older headers do not have. */
#define FS_REFER     (UINT64_C(1) << 13) /* since version 2 */
#define FS_TRUNCATE  (UINT64_C(1) << 14) /* since version 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* since version 5 */

#define FOR_FILES (LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define FOR_DIRS                                                                                   \
    (LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                              \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |    \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
     LANDLOCK_ACCESS_FS_MAKE_SYM | FS_REFER)

static cof_status allow(int ruleset, const char *path, uint64_t handled, cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];
    struct landlock_path_beneath_attr rule = {.allowed_access = FOR_FILES | FOR_DIRS};
    struct stat info;
    int result = -1;

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd >= 0 && fstat(rule.parent_fd, &info) == 0) {
        if (!S_ISDIR(info.st_mode))
            rule.allowed_access = FOR_FILES;
        rule.allowed_access &= handled;
        result = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    int saved = errno;
    if (rule.parent_fd >= 0)
        (void)close(rule.parent_fd);
    if (result != 0)
        return cof_fail_sys(err, saved, "cannot keep the right to write to %s",
                            cof_text_safe_str(safe, sizeof(safe), path));
    return COF_OK;
}

static cof_status confine_files(const char **out_missing, const char *const *paths, size_t count,
                                cof_error *err)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs =
                                             LANDLOCK_ACCESS_FS_EXECUTE | FOR_FILES | FOR_DIRS};
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    cof_status st = COF_OK;
    int ruleset;

    if (version < 2) { /* the first cannot link from one directory to another */
        *out_missing = "this kernel has no Landlock of version 2 or later: files that need not be "
                       "written could be";
        return COF_OK;
    }
    if (version < 5)
        attr.handled_access_fs &= ~FS_IOCTL_DEV;
    if (version < 3)
        attr.handled_access_fs &= ~FS_TRUNCATE;
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0);
    if (ruleset < 0)
        return cof_fail_sys(err, errno, "cannot give up rights to files");
    for (size_t i = 0; st == COF_OK && i < count; i++)
        st = allow(ruleset, paths[i], attr.handled_access_fs, err);
    if (st == COF_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        st = cof_fail_sys(err, errno, "cannot give up rights to files");
    (void)close(ruleset);
    return st;
}

#else

static cof_status confine_files(const char **out_missing, const char *const *paths, size_t count,
                                cof_error *err)
{
    (void)paths;
    (void)count;
    (void)err;
    *out_missing = "built without Landlock: files that need not be written could be";
    return COF_OK;
}

#endif

/* ---- calls ---- */

#if defined(ARCH)

static const unsigned refused[] = {
    SYS_execve,
    SYS_execveat,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_open_by_handle_at,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_acct,
    SYS_quotactl,
    SYS_sethostname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_personality,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_tkill,
#if defined(SYS_pidfd_send_signal)
    SYS_pidfd_send_signal,
#endif
#if defined(SYS_io_uring_setup)
    SYS_io_uring_setup,
#endif
#if defined(SYS_move_mount)
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsmount,
#endif
#if defined(SYS_pidfd_getfd)
    SYS_pidfd_getfd,
#endif
#if !defined(BUILT_WITH_ASAN) /* the leak checker traces its own process */
    SYS_ptrace,
#endif
};

/* Newer than some headers; such numbers are the same for all. */
#define NR_FCHMODAT2     452
#define NR_SETXATTRAT    463
#define NR_REMOVEXATTRAT 466
#define NR_FILE_SETATTR  469

/* By path and also by a descriptor that is only read: nothing of it is Landlock's. */
static const unsigned attributes[] = {
    SYS_fchmod,      SYS_fchmodat,     NR_FCHMODAT2,     SYS_fchown,       SYS_fchownat,
    SYS_utimensat,   SYS_setxattr,     SYS_lsetxattr,    SYS_fsetxattr,    NR_SETXATTRAT,
    SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, NR_REMOVEXATTRAT, NR_FILE_SETATTR,
#if defined(SYS_chmod)
    SYS_chmod,       SYS_chown,        SYS_lchown,       SYS_utime,        SYS_utimes,
    SYS_futimesat,
#endif
};

/* Refused if the low word of an argument is this, or (only) unless it is. */
typedef struct condition {
    uint32_t call, argument;
    uint32_t value;
    bool only;
} condition;

#define SET_FLAGS   0x40086602u /* FS_IOC_SETFLAGS: attributes again */
#define SET_FLAGS32 0x40046602u
#define SET_XFLAGS  0x401c5820u /* FS_IOC_FSSETXATTR */
#define TIOCSTI_    0x5412u /* types into the terminal, and so into the shell that comes after */
#define TIOCLINUX_  0x541cu /* pastes into it */
#define REFUSE      (SECCOMP_RET_ERRNO | EPERM)
#define COUNT       (sizeof(refused) / sizeof(refused[0]))
#define ATTRIBUTES  (sizeof(attributes) / sizeof(attributes[0]))
#define CONDITIONS  16 /* at most */
#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))

static size_t refuse_calls(struct sock_filter *out, const unsigned *calls, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
        out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE);
    }
    return n;
}

/* The number of the call is loaded, before and after. */
static size_t refuse_argument(struct sock_filter *out, const condition *c)
{
    uint32_t low = FIELD(args) + 8 * c->argument; /* both architectures are little-endian */
    size_t n = 0;

    out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, c->call, 0, 4);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low);
    out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, c->value, c->only ? 1 : 0,
                                            c->only ? 0 : 1);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr));
    return n;
}

static size_t refuse_arguments(struct sock_filter *out)
{
    const uint32_t self = (uint32_t)getpid();
    const condition conditions[] = {
        {SYS_ioctl, 1, TIOCSTI_, false},
        {SYS_ioctl, 1, TIOCLINUX_, false},
        {SYS_ioctl, 1, SET_FLAGS, false},
        {SYS_ioctl, 1, SET_FLAGS32, false},
        {SYS_ioctl, 1, SET_XFLAGS, false},
        {SYS_fcntl, 1, F_SETOWN, false}, /* whom a signal goes to when there is input */
        {SYS_fcntl, 1, F_SETOWN_EX, false},
        {SYS_tgkill, 0, self, true},
        {SYS_kill, 0, self, true},
    };
    size_t count = sizeof(conditions) / sizeof(conditions[0]), n = 0;

    _Static_assert(sizeof(conditions) / sizeof(conditions[0]) <= CONDITIONS, "room in the filter");
    for (size_t i = 0; i < count; i++)
        n += refuse_argument(out + n, &conditions[i]);
    return n;
}

/*
 * The program: another architecture's calls have other numbers, so they are refused altogether
 * (as are those of x32, which have a high bit); then the list, then what depends on an argument;
 * then connect(), and socket() by its family.
 */
static size_t write_filter(struct sock_filter *out, bool names, bool changes)
{
    size_t n = 0;

    out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(arch));
    out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr));
    out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    n += refuse_calls(out + n, refused, COUNT);
    if (!changes)
        n += refuse_calls(out + n, attributes, ATTRIBUTES);
    n += refuse_arguments(out + n);
    if (!names) {
        out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 0, 1);
        out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE);
    }
    out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(args[0]));
    out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, names ? AF_UNIX : ~0u, 1, 0);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return n;
}

static void confine_calls(const char **out_missing, bool names, bool changes)
{
    struct sock_filter filter[2 * (COUNT + ATTRIBUTES) + 5 * CONDITIONS + 16];
    struct sock_fprog program = {.filter = filter};

    program.len = (unsigned short)write_filter(filter, names, changes);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0 &&
        *out_missing == NULL)
        *out_missing =
            "this kernel has no seccomp: programs could be started, and the network used";
}

#else

static void confine_calls(const char **out_missing, bool names, bool changes)
{
    (void)names;
    (void)changes;
    if (*out_missing == NULL)
        *out_missing = "no seccomp on this system: programs could be started, and the network used";
}

#endif

cof_status cof_os_confine(const char **out_missing, const char *const *paths, size_t count,
                          bool names, bool changes, cof_error *err)
{
    cof_status st;

    *out_missing = NULL;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        *out_missing = "this kernel lets no process give up rights for good";
        return COF_OK;
    }
    if ((st = confine_files(out_missing, paths, count, err)) == COF_OK)
        confine_calls(out_missing, names, changes);
    return st;
}
