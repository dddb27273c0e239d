/* SPDX-License-Identifier: Apache-2.0 */

/* Reading attributes, by descriptor or by name; a file system without any has none. */

#include "source/attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/os.h"

#define LIST_MAX  65536 /* what the kernel gives at most */
#define VALUE_MAX 65536

/* Of what: a descriptor, or a name in a directory. */
typedef struct owner {
    int fd;
    const char *name; /* NULL: fd itself */
} owner;

static ssize_t list(const owner *o, char *out, size_t cap)
{
    const cof_os *os = cof_os_get();

    return o->name == NULL ? os->flistxattr(o->fd, out, cap)
                           : os->listxattrat(o->fd, o->name, out, cap);
}

static ssize_t get(const owner *o, const char *attribute, void *out, size_t cap)
{
    const cof_os *os = cof_os_get();

    return o->name == NULL ? os->fgetxattr(o->fd, attribute, out, cap)
                           : os->getxattrat(o->fd, o->name, attribute, out, cap);
}

void cof_attributes_wipe(cof_attributes *a)
{
    for (size_t i = 0; i < a->count; i++) {
        free(a->items[i].name);
        cof_buf_free(&a->items[i].value);
    }
    free(a->items);
    memset(a, 0, sizeof(*a));
}

cof_status cof_attributes_add(cof_attributes *a, const char *name, const void *value, size_t len,
                              cof_error *err)
{
    cof_attribute *x;
    cof_status st;

    if (a->count == a->cap) {
        size_t cap = a->cap == 0 ? 4 : 2 * a->cap;
        cof_attribute *grown = reallocarray(a->items, cap, sizeof(*grown));

        if (grown == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        a->items = grown;
        a->cap = cap;
    }
    x = &a->items[a->count];
    x->value = (cof_buf)COF_BUF_INIT;
    if ((x->name = strdup(name)) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    a->count++;
    st = cof_buf_append(&x->value, value, len, err);
    return st;
}

static int compare(const void *a, const void *b)
{
    const cof_attribute *x = a, *y = b;

    return strcmp(x->name, y->name);
}

/* One that is gone meanwhile, or that is not ours to see, is none. */
static bool is_none(int error)
{
    return error == ENODATA || error == ENOTSUP || error == ENOSYS;
}

static cof_status read_all(cof_attributes *out, const owner *o, cof_error *err)
{
    char *names = NULL, *value = NULL;
    ssize_t len = list(o, NULL, 0);
    cof_status st = COF_OK;

    cof_attributes_wipe(out);
    if (len <= 0) {
        out->error = len < 0 && !is_none(errno) ? errno : 0;
        return COF_OK;
    }
    names = malloc(LIST_MAX);
    value = malloc(VALUE_MAX);
    if (names == NULL || value == NULL) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    if ((len = list(o, names, LIST_MAX)) < 0)
        out->error = errno;
    for (const char *n = names; st == COF_OK && n < names + len; n += strlen(n) + 1) {
        ssize_t got = get(o, n, value, VALUE_MAX);

        if (got >= 0)
            st = cof_attributes_add(out, n, value, (size_t)got, err);
        else if (!is_none(errno))
            out->error = errno;
    }
    if (out->count > 1)
        qsort(out->items, out->count, sizeof(*out->items), compare);
out:
    free(names);
    free(value);
    return st;
}

cof_status cof_attributes_read_fd(cof_attributes *out, int fd, cof_error *err)
{
    return read_all(out, &(owner){fd, NULL}, err);
}

cof_status cof_attributes_read_at(cof_attributes *out, int dir, const char *name, cof_error *err)
{
    return read_all(out, &(owner){dir, name}, err);
}

/* ---- ACLs: u32 version 2, then u16 tag, u16 permissions, u32 id; little-endian ---- */

static uint32_t le(const uint8_t *p, size_t len)
{
    uint32_t v = 0;

    for (size_t i = len; i > 0; i--)
        v = v << 8 | p[i - 1];
    return v;
}

int cof_acl_count(cof_slice value)
{
    if (value.len < 4 || value.len % 8 != 4 || value.len > VALUE_MAX || le(value.data, 4) != 2)
        return -1;
    return (int)(value.len / 8);
}

cof_acl_entry cof_acl_get(cof_slice value, int i)
{
    const uint8_t *p = value.data + 4 + 8 * (size_t)i;

    return (cof_acl_entry){(cof_acl_tag)le(p, 2), le(p + 2, 2) & 7, le(p + 4, 4)};
}
