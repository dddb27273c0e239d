/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libarchive's pax writer, kept to what FORMAT.md says: names as bytes, no times but that of the
 * last modification, one kind of header for attributes, no padding behind the end.
 */

#include "source/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define MOST_ZEROS (UINT64_C(1) << 30)
#define NAME_FIELD 100 /* of a header */

/*
 * libarchive says `hdrcharset=BINARY` of every entry or of none, and has one way to write
 * attributes for all: so entries of different kinds go through writers of their own into one
 * stream.
 */
enum { WRITER_BINARY = 1, WRITER_ENCODED = 2, WRITERS = 4 };

struct cof_archive {
    struct archive *writers[WRITERS]; /* NULL: not needed so far, but for the first */
    struct archive *archive;          /* the one of the present entry */
    unsigned kind;                    /* its number */
    struct archive *names;            /* of users and groups; libarchive remembers them */
    struct archive_entry *entry;
    uint64_t position;
    uint64_t left; /* of the present entry's content */
    bool closed;   /* nothing more is to be written */
    cof_status (*write)(void *ctx, const void *data, size_t len, cof_error *err);
    void *ctx;
    cof_status st; /* what write said */
    cof_error *err;
};

static la_ssize_t on_write(struct archive *archive, void *ctx, const void *data, size_t len)
{
    cof_archive *a = ctx;

    if (a->closed)
        return (la_ssize_t)len;
    if ((a->st = a->write(a->ctx, data, len, a->err)) != COF_OK) {
        archive_set_error(archive, EIO, "the backup could not be written");
        return -1;
    }
    a->position += len;
    return (la_ssize_t)len;
}

/* What libarchive said, unless it only passes on what write said. */
static cof_status failed(const cof_archive *a, cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];
    const char *text = archive_error_string(a->archive);

    if (a->st != COF_OK)
        return a->st;
    return cof_fail(err, archive_errno(a->archive) == ENOMEM ? COF_NOMEM : COF_INTERNAL,
                    "the archive cannot be written: %s",
                    cof_text_safe_str(safe, sizeof(safe), text != NULL ? text : "no reason given"));
}

static bool set_up(cof_archive *a, struct archive *w, unsigned kind)
{
    const char *charset = kind & WRITER_BINARY ? "BINARY" : NULL; /* ASCII is the same in all */
    const char *attributes = kind & WRITER_ENCODED ? "LIBARCHIVE" : "SCHILY";

    return archive_write_set_format_pax(w) == ARCHIVE_OK &&
           (charset == NULL ||
            archive_write_set_format_option(w, "pax", "hdrcharset", charset) == ARCHIVE_OK) &&
           archive_write_set_format_option(w, "pax", "xattrheader", attributes) == ARCHIVE_OK &&
           archive_write_add_filter_none(w) == ARCHIVE_OK &&
           archive_write_set_bytes_per_block(w, 0) == ARCHIVE_OK &&
           archive_write_open(w, a, NULL, on_write, NULL) == ARCHIVE_OK;
}

/* Make the writer of this kind the present one. */
static cof_status choose(cof_archive *a, unsigned kind, cof_error *err)
{
    struct archive *w = a->writers[kind];

    if (w == NULL) {
        a->writers[kind] = w = archive_write_new();
        if (w == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        a->archive = w;
        if (!set_up(a, w, kind))
            return failed(a, err);
    }
    a->archive = w;
    return COF_OK;
}

cof_status cof_archive_new(cof_archive **out,
                           cof_status (*write)(void *ctx, const void *data, size_t len,
                                               cof_error *err),
                           void *ctx, cof_error *err)
{
    cof_archive *a = calloc(1, sizeof(*a));
    cof_status st = COF_OK;

    *out = NULL;
    if (a == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    a->write = write;
    a->ctx = ctx;
    a->err = err;
    a->names = archive_read_disk_new();
    a->entry = archive_entry_new();
    if (a->names == NULL || a->entry == NULL ||
        archive_read_disk_set_standard_lookup(a->names) != ARCHIVE_OK) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    if ((st = choose(a, 0, err)) != COF_OK)
        goto out;
    *out = a;
    a = NULL; /* transferred */
out:
    cof_archive_free(a);
    return st;
}

void cof_archive_free(cof_archive *a)
{
    if (a == NULL)
        return;
    archive_entry_free(a->entry);
    /*
     * libarchive ends what it frees, with all the zeros that an entry lacks.  They go nowhere, but
     * for terabytes of them it is better to give up what it then does not free: some 40 bytes.
     */
    a->closed = true;
    if (a->left > MOST_ZEROS)
        (void)archive_write_fail(a->archive);
    for (size_t i = 0; i < WRITERS; i++)
        if (a->writers[i] != NULL)
            (void)archive_write_free(a->writers[i]);
    if (a->names != NULL)
        (void)archive_read_free(a->names);
    free(a);
}

uint64_t cof_archive_position(const cof_archive *a)
{
    return a->position;
}

/* ---- the header ---- */

static unsigned file_type(const cof_catalog_entry *e)
{
    switch (e->type) {
    case COF_ENTRY_DIRECTORY:
        return AE_IFDIR;
    case COF_ENTRY_SYMLINK:
        return AE_IFLNK;
    case COF_ENTRY_CHAR_DEVICE:
        return AE_IFCHR;
    case COF_ENTRY_BLOCK_DEVICE:
        return AE_IFBLK;
    case COF_ENTRY_FIFO:
        return AE_IFIFO;
    default:
        return AE_IFREG;
    }
}

/* Note that a name goes into the header. */
static const char *name(cof_archive *a, const char *text)
{
    for (const char *p = text; p != NULL && *p != '\0'; p++)
        if ((unsigned char)*p >= 0x80)
            a->kind |= WRITER_BINARY;
    return text;
}

static const char *user_name(cof_archive *a, uint32_t id)
{
    return name(a, archive_read_disk_uname(a->names, id));
}

static const char *group_name(cof_archive *a, uint32_t id)
{
    return name(a, archive_read_disk_gname(a->names, id));
}

static void describe(cof_archive *a, const cof_catalog_entry *e)
{
    struct archive_entry *x = archive_entry_clear(a->entry);
    const char *target = (const char *)e->target.data;

    a->kind = 0;
    archive_entry_copy_pathname(x, name(a, (const char *)e->path.data));
    archive_entry_set_filetype(x, file_type(e));
    archive_entry_set_perm(x, e->mode);
    archive_entry_set_uid(x, e->user);
    archive_entry_set_gid(x, e->group);
    archive_entry_copy_uname(x, user_name(a, e->user));
    archive_entry_copy_gname(x, group_name(a, e->group));
    archive_entry_set_mtime(x, e->mtime, (long)e->mtime_ns);
    archive_entry_set_size(x, e->type == COF_ENTRY_FILE ? (la_int64_t)e->size : 0);
    if (e->type == COF_ENTRY_SYMLINK)
        archive_entry_copy_symlink(x, name(a, target));
    if (e->type == COF_ENTRY_HARDLINK)
        archive_entry_copy_hardlink(x, name(a, target));
    if (e->type == COF_ENTRY_CHAR_DEVICE || e->type == COF_ENTRY_BLOCK_DEVICE) {
        archive_entry_set_rdevmajor(x, (dev_t)(e->size >> 32));
        archive_entry_set_rdevminor(x, (dev_t)(e->size & UINT32_MAX));
    }
}

/* The kernel's tag of an ACL entry as libarchive's; 0: unknown. */
static int acl_tag(cof_acl_tag tag)
{
    switch (tag) {
    case COF_ACL_USER_OBJ:
        return ARCHIVE_ENTRY_ACL_USER_OBJ;
    case COF_ACL_USER:
        return ARCHIVE_ENTRY_ACL_USER;
    case COF_ACL_GROUP_OBJ:
        return ARCHIVE_ENTRY_ACL_GROUP_OBJ;
    case COF_ACL_GROUP:
        return ARCHIVE_ENTRY_ACL_GROUP;
    case COF_ACL_MASK:
        return ARCHIVE_ENTRY_ACL_MASK;
    case COF_ACL_OTHER:
        return ARCHIVE_ENTRY_ACL_OTHER;
    }
    return 0;
}

static bool add_acl(cof_archive *a, int type, cof_slice value)
{
    int count = cof_acl_count(value);

    for (int i = 0; i < count; i++) {
        cof_acl_entry e = cof_acl_get(value, i);
        bool named = e.tag == COF_ACL_USER || e.tag == COF_ACL_GROUP;
        const char *who = e.tag == COF_ACL_USER    ? user_name(a, e.id)
                          : e.tag == COF_ACL_GROUP ? group_name(a, e.id)
                                                   : NULL;

        if (acl_tag(e.tag) == 0 ||
            archive_entry_acl_add_entry(a->entry, type, (int)e.permissions, acl_tag(e.tag),
                                        named ? (int)e.id : -1, who) != ARCHIVE_OK)
            return false;
    }
    return count >= 0;
}

static const char *add_attributes(cof_archive *a, const cof_attributes *attributes)
{
    const char *refused = NULL;

    for (size_t i = 0; i < attributes->count; i++) {
        const cof_attribute *x = &attributes->items[i];
        cof_slice value = cof_buf_slice(&x->value);

        if (strcmp(x->name, COF_ACL_ACCESS) == 0) {
            if (!add_acl(a, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, value))
                refused = "its access control list is of an unknown kind";
        } else if (strcmp(x->name, COF_ACL_DEFAULT) == 0) {
            if (!add_acl(a, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, value))
                refused = "its access control list is of an unknown kind";
        } else {
            if (strchr(x->name, '=') != NULL)
                a->kind |= WRITER_ENCODED;
            archive_entry_xattr_add_entry(a->entry, name(a, x->name), value.data, value.len);
        }
    }
    return refused;
}

static cof_status write_header(cof_archive *a, const char **refused, cof_error *err)
{
    uint64_t before = a->position;
    int result = archive_write_header(a->archive, a->entry);

    if (result == ARCHIVE_OK)
        return COF_OK;
    if (result == ARCHIVE_WARN) {
        *refused = "it could not be described completely";
        return COF_OK;
    }
    if (result != ARCHIVE_FAILED || a->st != COF_OK || a->position != before)
        return failed(a, err);
    return cof_fail(err, COF_SOURCE, "it cannot be described in an archive");
}

/*
 * Of a file with holes libarchive up to 3.6 shortens a long name that is not ASCII, in the field
 * that readers go by.  The holes of such a file are stored as zeros.
 */
static bool can_have_holes(const cof_archive *a, const cof_catalog_entry *entry)
{
    return (a->kind & WRITER_BINARY) == 0 || entry->path.len < NAME_FIELD;
}

cof_status cof_archive_begin(cof_archive *a, const char **refused, const cof_catalog_entry *entry,
                             const cof_attributes *attributes, const cof_extents *extents,
                             cof_error *err)
{
    cof_status st;

    a->err = err;
    describe(a, entry);
    *refused = attributes != NULL ? add_attributes(a, attributes) : NULL;
    if (extents != NULL && extents->sparse && can_have_holes(a, entry)) {
        for (size_t i = 0; i < extents->count; i++)
            archive_entry_sparse_add_entry(a->entry, (la_int64_t)extents->items[i].offset,
                                           (la_int64_t)extents->items[i].len);
        if (extents->count == 0)
            archive_entry_sparse_add_entry(a->entry, 0, 0); /* nothing but a hole */
    }
    a->left = entry->type == COF_ENTRY_FILE ? entry->size : 0;
    st = choose(a, a->kind, err);
    return st == COF_OK ? write_header(a, refused, err) : st;
}

/* ---- the rest ---- */

cof_status cof_archive_data(cof_archive *a, const void *data, size_t len, cof_error *err)
{
    la_ssize_t done;

    a->err = err;
    done = archive_write_data(a->archive, data, len);
    a->left -= len;
    return done >= 0 && (size_t)done == len ? COF_OK : failed(a, err);
}

cof_status cof_archive_end(cof_archive *a, cof_error *err)
{
    a->err = err;
    a->left = 0;
    return archive_write_finish_entry(a->archive) == ARCHIVE_OK ? COF_OK : failed(a, err);
}

cof_status cof_archive_close(cof_archive *a, cof_error *err)
{
    a->err = err;
    a->archive = a->writers[0];
    return archive_write_close(a->archive) == ARCHIVE_OK ? COF_OK : failed(a, err);
}
