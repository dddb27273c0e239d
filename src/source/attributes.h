/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_ATTRIBUTES_H
#define COF_SOURCE_ATTRIBUTES_H

/* Extended attributes and POSIX ACLs of one thing, as Linux has them: an ACL is an attribute. */

#include "base/buf.h"

#include <coffer/error.h>

#include <stddef.h>
#include <stdint.h>

typedef struct cof_attribute {
    char *name; /* owned */
    cof_buf value;
} cof_attribute;

typedef struct cof_attributes {
    cof_attribute *items; /* owned, sorted by name */
    size_t count, cap;
    int error; /* errno with which one could not be read, or 0 */
} cof_attributes;

/* Read those of an open file or directory.  COF_NOMEM; *out is emptied first. */
cof_status cof_attributes_read_fd(cof_attributes *out, int fd, cof_error *err) COF_MUST_USE;

/* Read those of `name` in an open directory, without following a symbolic link. */
cof_status cof_attributes_read_at(cof_attributes *out, int dir, const char *name,
                                  cof_error *err) COF_MUST_USE;

/* Append one; both are copied.  COF_NOMEM. */
cof_status cof_attributes_add(cof_attributes *attributes, const char *name, const void *value,
                              size_t len, cof_error *err) COF_MUST_USE;

void cof_attributes_wipe(cof_attributes *attributes);

/* ---- ACLs ---- */

#define COF_ACL_ACCESS  "system.posix_acl_access"
#define COF_ACL_DEFAULT "system.posix_acl_default"

typedef enum cof_acl_tag {
    COF_ACL_USER_OBJ = 0x01,
    COF_ACL_USER = 0x02,
    COF_ACL_GROUP_OBJ = 0x04,
    COF_ACL_GROUP = 0x08,
    COF_ACL_MASK = 0x10,
    COF_ACL_OTHER = 0x20
} cof_acl_tag;

typedef struct cof_acl_entry {
    cof_acl_tag tag;
    unsigned permissions; /* 4 read, 2 write, 1 execute */
    uint32_t id;          /* of COF_ACL_USER and COF_ACL_GROUP */
} cof_acl_entry;

/* How many entries the value of an ACL attribute has; -1 if it is none that is known. */
int cof_acl_count(cof_slice value);

/* Entry i of such a value. */
cof_acl_entry cof_acl_get(cof_slice value, int i);

#endif
