/* SPDX-License-Identifier: Apache-2.0 */

/* Owners by name, extended attributes, and ACLs in the form that the kernel wants. */

#include "source/unpack_member.h"

#include <string.h>

#include "base/error.h"

#define ACL_VERSION 2

void cof_member_wipe(cof_member *m)
{
    cof_attributes_wipe(&m->attributes);
    memset(m, 0, sizeof(*m));
}

static uint32_t user_id(struct archive *names, const char *name, int64_t id)
{
    return (uint32_t)(names != NULL && name != NULL ? archive_write_disk_uid(names, name, id) : id);
}

static uint32_t group_id(struct archive *names, const char *name, int64_t id)
{
    return (uint32_t)(names != NULL && name != NULL ? archive_write_disk_gid(names, name, id) : id);
}

static cof_status read_xattrs(cof_member *m, struct archive_entry *entry, cof_error *err)
{
    const char *name;
    const void *value;
    size_t len;
    cof_status st = COF_OK;

    (void)archive_entry_xattr_reset(entry);
    while (st == COF_OK && archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK)
        if (name != NULL)
            st = cof_attributes_add(&m->attributes, name, value, len, err);
    return st;
}

/* ---- ACLs: u32 version, then u16 tag, u16 permissions, u32 id; little-endian ---- */

/* The kernel wants the entries in the order of their tags. */
static const struct {
    int theirs;
    cof_acl_tag ours;
} tags[] = {
    {ARCHIVE_ENTRY_ACL_USER_OBJ, COF_ACL_USER_OBJ},   {ARCHIVE_ENTRY_ACL_USER, COF_ACL_USER},
    {ARCHIVE_ENTRY_ACL_GROUP_OBJ, COF_ACL_GROUP_OBJ}, {ARCHIVE_ENTRY_ACL_GROUP, COF_ACL_GROUP},
    {ARCHIVE_ENTRY_ACL_MASK, COF_ACL_MASK},           {ARCHIVE_ENTRY_ACL_OTHER, COF_ACL_OTHER},
};

static cof_status put(cof_buf *out, uint32_t value, size_t len, cof_error *err)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 24)};

    return cof_buf_append(out, bytes, len, err);
}

static cof_status put_entry(cof_buf *out, cof_acl_tag tag, int permissions, uint32_t id,
                            cof_error *err)
{
    cof_status st = put(out, (uint32_t)tag, 2, err);

    if (st == COF_OK)
        st = put(out, (uint32_t)permissions & 7, 2, err);
    return st == COF_OK ? put(out, id, 4, err) : st;
}

/* Those with one tag. */
static cof_status put_tag(cof_buf *out, struct archive_entry *entry, int want, size_t t,
                          struct archive *names, cof_error *err)
{
    int type, permissions, tag, id;
    const char *name;
    cof_status st = COF_OK;

    (void)archive_entry_acl_reset(entry, want);
    while (st == COF_OK && archive_entry_acl_next(entry, want, &type, &permissions, &tag, &id,
                                                  &name) == ARCHIVE_OK) {
        uint32_t who = UINT32_MAX;

        if (tag != tags[t].theirs)
            continue;
        if (tags[t].ours == COF_ACL_USER)
            who = user_id(names, name, id);
        else if (tags[t].ours == COF_ACL_GROUP)
            who = group_id(names, name, id);
        st = put_entry(out, tags[t].ours, permissions, who, err);
    }
    return st;
}

static cof_status read_acl(cof_member *m, struct archive_entry *entry, int want,
                           const char *attribute, struct archive *names, cof_error *err)
{
    cof_buf value = COF_BUF_INIT;
    cof_status st = COF_OK;

    if (archive_entry_acl_reset(entry, want) <= 0)
        return COF_OK;
    st = put(&value, ACL_VERSION, 4, err);
    for (size_t t = 0; st == COF_OK && t < sizeof(tags) / sizeof(tags[0]); t++)
        st = put_tag(&value, entry, want, t, names, err);
    if (st == COF_OK)
        st = cof_attributes_add(&m->attributes, attribute, value.data, value.len, err);
    cof_buf_free(&value);
    return st;
}

cof_status cof_member_read(cof_member *out, struct archive_entry *entry, struct archive *names,
                           cof_error *err)
{
    cof_status st;

    out->mode = (uint16_t)(archive_entry_perm(entry) & 07777);
    out->user = user_id(names, archive_entry_uname(entry), archive_entry_uid(entry));
    out->group = group_id(names, archive_entry_gname(entry), archive_entry_gid(entry));
    out->mtime = archive_entry_mtime(entry);
    out->mtime_ns = (uint32_t)archive_entry_mtime_nsec(entry);
    out->sparse = archive_entry_sparse_count(entry) > 0;
    if ((st = read_xattrs(out, entry, err)) != COF_OK ||
        (st = read_acl(out, entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, COF_ACL_ACCESS, names, err)) !=
            COF_OK)
        return st;
    return read_acl(out, entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, COF_ACL_DEFAULT, names, err);
}
