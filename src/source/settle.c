/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The order matters: a change of owner takes set-user-ID and capabilities away; attributes need the
 * permission to write; a change of permissions changes an ACL, and is not one as long as there is
 * an inherited one; everything changes the times.
 */

#include "source/settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "os/os.h"

typedef struct settling {
    const cof_spot *spot;
    const cof_member *member;
    const cof_settling *how;
    bool symlink;
    char *problem;
    size_t cap;
} settling;

/* Only the first problem is told. */
static void tell(const settling *s, int error, const char *what, const char *name)
{
    char safe[COF_TEXT_NAME_CAP], reason[96];

    if (s->problem[0] == '\0')
        (void)snprintf(s->problem, s->cap, "%s%s could not be set: %s", what,
                       name != NULL ? cof_text_safe_str(safe, sizeof(safe), name) : "",
                       strerror_r(error, reason, sizeof(reason)));
}

static void set_owner(const settling *s)
{
    if (s->how->same_owner &&
        cof_os_get()->fchownat(s->spot->dir, s->spot->name, s->member->user, s->member->group) != 0)
        tell(s, errno, "its owner", NULL);
}

static bool is_acl(const char *name)
{
    return strcmp(name, COF_ACL_ACCESS) == 0 || strcmp(name, COF_ACL_DEFAULT) == 0;
}

static void set_attributes(const settling *s, bool acls)
{
    for (size_t i = 0; i < s->member->attributes.count; i++) {
        const cof_attribute *a = &s->member->attributes.items[i];

        if (is_acl(a->name) != acls ||
            (!acls && !s->how->same_owner && strncmp(a->name, "user.", 5) != 0))
            continue;
        if (cof_os_get()->setxattrat(s->spot->dir, s->spot->name, a->name, a->value.data,
                                     a->value.len) != 0)
            tell(s, errno, acls ? "its access control list" : "its attribute ",
                 acls ? NULL : a->name);
    }
}

static bool has(const cof_member *member, const char *name)
{
    for (size_t i = 0; i < member->attributes.count; i++)
        if (strcmp(member->attributes.items[i].name, name) == 0)
            return true;
    return false;
}

/* What the directory that it was made in gave it, and nobody else. */
static void drop_inherited(const settling *s)
{
    static const char *const lists[] = {COF_ACL_ACCESS, COF_ACL_DEFAULT};
    size_t count = s->spot->name[0] != '\0' ? 2 : 1; /* an open file has but the first */

    for (size_t i = 0; i < count; i++)
        if (!has(s->member, lists[i]) &&
            cof_os_get()->removexattrat(s->spot->dir, s->spot->name, lists[i]) != 0 &&
            errno != ENODATA && errno != ENOTSUP && errno != EACCES)
            tell(s, errno, "the access control list that it inherited", NULL);
}

static void set_mode(const settling *s)
{
    mode_t mode = s->member->mode & ~s->how->mode_mask;
    struct stat st;

    if ((mode & (S_ISUID | S_ISGID)) != 0 &&
        (cof_os_get()->fstatat(s->spot->dir, s->spot->name, &st) != 0 ||
         st.st_uid != s->member->user || st.st_gid != s->member->group))
        mode &= ~(mode_t)(S_ISUID | S_ISGID);
    if (cof_os_get()->fchmodat(s->spot->dir, s->spot->name, mode) != 0)
        tell(s, errno, "its permissions", NULL);
}

static void set_time(const settling *s)
{
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = s->member->mtime, .tv_nsec = (long)s->member->mtime_ns},
    };

    if (cof_os_get()->utimensat(s->spot->dir, s->spot->name, times) != 0)
        tell(s, errno, "its time", NULL);
}

void cof_settle(const cof_spot *spot, const cof_member *member, const cof_settling *how,
                bool symlink, char *problem, size_t cap)
{
    const settling s = {spot, member, how, symlink, problem, cap};

    problem[0] = '\0';
    set_owner(&s);
    set_attributes(&s, false);
    if (!symlink) {
        if (how->mode_mask == 0)
            drop_inherited(&s);
        set_mode(&s);
        if (how->mode_mask == 0)
            set_attributes(&s, true);
    }
    set_time(&s);
}
