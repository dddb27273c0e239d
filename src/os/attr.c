/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Carrying owner, permissions and extended attributes over to a file that takes the place of
 * another.  The rule: never give anybody more than the old file gave.
 */

#include "base/error.h"
#include "os/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAMES_MAX 65536u /* what Linux allows, for the list and for one value */

static bool is_carried_over(const char *name)
{
    static const char access_list[] = "system.posix_acl_access";
    static const char label[] = "security.selinux";
    return strncmp(name, "user.", 5) == 0 || strncmp(name, "trusted.", 8) == 0 ||
           strcmp(name, access_list) == 0 || strcmp(name, label) == 0;
}

/* As far as it goes: a file system without an attribute is no reason to fail. */
static cof_status copy_xattrs(int to, int from, cof_error *err)
{
    const cof_os *os = cof_os_get();
    cof_status st = COF_OK;
    char *names = malloc(NAMES_MAX);
    char *value = malloc(NAMES_MAX);
    if (names == NULL || value == NULL) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    ssize_t len = os->flistxattr(from, names, NAMES_MAX);
    const char *end = names + (len > 0 ? len : 0);
    for (const char *name = names; name < end; name += strlen(name) + 1) {
        if (!is_carried_over(name))
            continue;
        ssize_t n = os->fgetxattr(from, name, value, NAMES_MAX);
        if (n >= 0)
            (void)os->fsetxattr(to, name, value, (size_t)n);
    }

out:
    free(value);
    free(names);
    return st;
}

cof_status cof_file_copy_attributes(cof_file *file, const cof_file *from, cof_error *err)
{
    const cof_os *os = cof_os_get();
    int fd = cof_file_fd(file);
    struct stat info;
    if (os->fstat(cof_file_fd(from), &info) != 0)
        return cof_fail_sys(err, errno, "cannot examine %s", cof_file_label(from));
    cof_status st = copy_xattrs(fd, cof_file_fd(from), err);
    if (st != COF_OK)
        return st;

    mode_t mode = info.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
    bool group_set = os->fchown(fd, info.st_uid, info.st_gid) == 0 ||
                     os->fchown(fd, (uid_t)-1, info.st_gid) == 0;
    if (!group_set)
        mode &= ~(mode_t)S_IRWXG;
    if (os->fchmod(fd, mode) != 0)
        return cof_fail_sys(err, errno, "cannot set the permissions of %s", cof_file_label(file));
    return COF_OK;
}
