/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Each entry is read by a reader of its own, which sees the bytes of that entry and nothing else:
 * so no header can reach beyond its place, and what is damaged in one entry ends with it.  That
 * costs two fifths of what is done for a small file outside of the kernel, and is not saved: a
 * reader that goes on skips, in the next entry, what the one before said to be longer than it was,
 * and keeps some of what its headers said (sparse maps, the format).
 */

#include "source/unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/num.h"
#include "base/text.h"
#include "source/unpack_member.h"

struct cof_unpack {
    cof_status (*read)(void *ctx, cof_slice *out, uint64_t offset, cof_error *err);
    void *ctx;
    struct archive *names; /* looks up owners; NULL: by number */
    struct archive *archive;
    struct archive_entry *item;     /* libarchive would not ask whether it got one of its own */
    const cof_catalog_entry *entry; /* borrowed from the caller of begin */
    uint64_t at;                    /* of the entry's length, how much was read */
    cof_status st;                  /* what read said */
    cof_error *err;
};

cof_status cof_unpack_new(cof_unpack **out,
                          cof_status (*read)(void *ctx, cof_slice *out, uint64_t offset,
                                             cof_error *err),
                          void *ctx, bool numeric, cof_error *err)
{
    cof_unpack *u = calloc(1, sizeof(*u));
    cof_status st = COF_OK;

    *out = NULL;
    if (u == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    u->read = read;
    u->ctx = ctx;
    if (!numeric && ((u->names = archive_write_disk_new()) == NULL ||
                     archive_write_disk_set_standard_lookup(u->names) != ARCHIVE_OK)) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    *out = u;
    u = NULL; /* transferred */
out:
    cof_unpack_free(u);
    return st;
}

void cof_unpack_free(cof_unpack *u)
{
    if (u == NULL)
        return;
    archive_entry_free(u->item);
    if (u->archive != NULL)
        (void)archive_read_free(u->archive);
    if (u->names != NULL)
        (void)archive_write_free(u->names);
    free(u);
}

/* ---- the bytes of one entry ---- */

static la_ssize_t on_read(struct archive *archive, void *ctx, const void **out)
{
    cof_unpack *u = ctx;
    uint64_t left = u->entry->length - u->at;
    cof_slice bytes = COF_SLICE_INIT;

    if (left == 0)
        return 0;
    if ((u->st = u->read(u->ctx, &bytes, u->entry->position + u->at, u->err)) != COF_OK) {
        archive_set_error(archive, EIO, "the backup could not be read");
        return -1;
    }
    if (bytes.len > left)
        bytes.len = (size_t)left;
    u->at += bytes.len;
    *out = bytes.data;
    return (la_ssize_t)bytes.len;
}

/* ---- comparing ---- */

static cof_status lie(const cof_unpack *u, const char *what, cof_error *err)
{
    char path[COF_TEXT_NAME_CAP];

    cof_text_safe(path, sizeof(path), (const char *)u->entry->path.data, u->entry->path.len);
    return cof_fail_rule(err, COF_AUTH, "CA-2", COF_NO_OFFSET, "the catalog is wrong about %s: %s",
                         path, what);
}

/* Something else than OK from libarchive: what read said, or a header that is none. */
static cof_status failed(const cof_unpack *u, cof_error *err)
{
    if (u->st != COF_OK)
        return u->st;
    if (archive_errno(u->archive) == ENOMEM)
        return cof_fail(err, COF_NOMEM, "out of memory");
    return lie(u, "what stands in its place in the content is not one whole entry", err);
}

static cof_entry_type type_of(struct archive_entry *x)
{
    if (archive_entry_hardlink(x) != NULL || archive_entry_hardlink_utf8(x) != NULL)
        return COF_ENTRY_HARDLINK;
    switch (archive_entry_filetype(x)) {
    case AE_IFREG:
        return COF_ENTRY_FILE;
    case AE_IFDIR:
        return COF_ENTRY_DIRECTORY;
    case AE_IFLNK:
        return COF_ENTRY_SYMLINK;
    case AE_IFCHR:
        return COF_ENTRY_CHAR_DEVICE;
    case AE_IFBLK:
        return COF_ENTRY_BLOCK_DEVICE;
    case AE_IFIFO:
        return COF_ENTRY_FIFO;
    default:
        return COF_ENTRY_UNKNOWN;
    }
}

typedef const char *text_of(struct archive_entry *);

/* To ask for UTF-8 has libarchive convert it: only for what it has in no other form. */
static bool same_text(struct archive_entry *x, text_of *plain, text_of *utf8, cof_slice expected,
                      bool slash)
{
    const char *text = plain(x);
    const char *t = text != NULL ? text : utf8(x);
    size_t len = t != NULL ? strlen(t) : 0;

    if (slash && len > 1 && t[len - 1] == '/')
        len--;
    return t != NULL && cof_slice_equal((cof_slice){(const uint8_t *)t, len}, expected);
}

static uint64_t size_of(struct archive_entry *x, cof_entry_type type)
{
    if (type == COF_ENTRY_FILE)
        return (uint64_t)archive_entry_size(x);
    if (type == COF_ENTRY_CHAR_DEVICE || type == COF_ENTRY_BLOCK_DEVICE)
        return (uint64_t)archive_entry_rdevmajor(x) << 32 | (uint32_t)archive_entry_rdevminor(x);
    return 0;
}

/* CA-2 */
static cof_status compare(const cof_unpack *u, struct archive_entry *x, cof_error *err)
{
    const cof_catalog_entry *e = u->entry;
    cof_entry_type type = type_of(x);

    if (!same_text(x, archive_entry_pathname, archive_entry_pathname_utf8, e->path,
                   type == COF_ENTRY_DIRECTORY))
        return lie(u, "something with another name stands in its place", err);
    if (type != e->type)
        return lie(u, "it is of another type", err);
    if (size_of(x, type) != e->size)
        return lie(u, "it is of another size", err);
    if (type == COF_ENTRY_SYMLINK &&
        !same_text(x, archive_entry_symlink, archive_entry_symlink_utf8, e->target, false))
        return lie(u, "it is a link to something else", err);
    if (type == COF_ENTRY_HARDLINK &&
        !same_text(x, archive_entry_hardlink, archive_entry_hardlink_utf8, e->target, false))
        return lie(u, "it is a link to something else", err);
    return COF_OK;
}

/* ---- one entry ---- */

static cof_status restart(cof_unpack *u, cof_error *err)
{
    archive_entry_free(u->item);
    u->item = NULL;
    if (u->archive != NULL)
        (void)archive_read_free(u->archive);
    u->at = 0;
    u->st = COF_OK;
    u->err = err;
    u->archive = archive_read_new();
    if (u->archive == NULL || archive_read_support_format_tar(u->archive) != ARCHIVE_OK ||
        (u->item = archive_entry_new2(u->archive)) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    /* This reads already, and fails where there is no header. */
    return archive_read_open(u->archive, u, NULL, on_read, NULL) == ARCHIVE_OK ? COF_OK
                                                                               : failed(u, err);
}

/* A named stream has no header: it is its content, and becomes a file of whoever restores it. */
static void begin_stream(cof_unpack *u, cof_member *out)
{
    *out = (cof_member){
        .mode = u->entry->mode,
        .user = (uint32_t)geteuid(),
        .group = (uint32_t)getegid(),
        .mtime = u->entry->mtime,
        .mtime_ns = u->entry->mtime_ns,
    };
    u->at = 0;
}

static cof_status stream_data(cof_unpack *u, cof_slice *out, uint64_t *offset, bool *end,
                              cof_error *err)
{
    uint64_t left = u->entry->length - u->at;
    cof_status st;

    *offset = u->at;
    *out = (cof_slice)COF_SLICE_INIT;
    *end = left == 0;
    if (*end)
        return COF_OK;
    if ((st = u->read(u->ctx, out, u->entry->position + u->at, err)) != COF_OK)
        return st;
    if (out->len > left)
        out->len = (size_t)left;
    u->at += out->len;
    return COF_OK;
}

static bool is_stream(const cof_unpack *u)
{
    return u->entry->type == COF_ENTRY_NAMED_STREAM;
}

cof_status cof_unpack_begin(cof_unpack *u, cof_member *out, const cof_catalog_entry *entry,
                            cof_error *err)
{
    int result;
    cof_status st;

    memset(out, 0, sizeof(*out));
    u->entry = entry;
    if (is_stream(u)) {
        begin_stream(u, out);
        return COF_OK;
    }
    if ((st = restart(u, err)) != COF_OK)
        return st;
    result = archive_read_next_header2(u->archive, u->item);
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
        return failed(u, err);
    if ((st = compare(u, u->item, err)) != COF_OK)
        return st;
    return cof_member_read(out, u->item, u->names, err);
}

cof_status cof_unpack_data(cof_unpack *u, cof_slice *out, uint64_t *offset, bool *end,
                           cof_error *err)
{
    const void *data = NULL;
    size_t len = 0;
    la_int64_t at = 0;
    int result;

    if (is_stream(u))
        return stream_data(u, out, offset, end, err);
    u->err = err;
    result = archive_read_data_block(u->archive, &data, &len, &at);
    *end = result == ARCHIVE_EOF;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN && !*end)
        return failed(u, err);
    if (*end)
        len = 0;
    if (at < 0 || (uint64_t)at > u->entry->size || len > u->entry->size - (uint64_t)at)
        return lie(u, "its content is longer than its size", err);
    *out = (cof_slice){data, len};
    *offset = (uint64_t)at;
    return COF_OK;
}

cof_status cof_unpack_end(cof_unpack *u, cof_error *err)
{
    int result;

    if (is_stream(u))
        return COF_OK; /* its length was compared with its records */
    u->err = err;
    result = archive_read_next_header2(u->archive, u->item);
    if (u->st != COF_OK)
        return u->st;
    if (result != ARCHIVE_EOF || archive_read_header_position(u->archive) < 0 ||
        (uint64_t)archive_read_header_position(u->archive) != u->entry->length)
        return lie(u, "it does not end where it should", err);
    return COF_OK;
}
