/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading and writing whole amounts: interrupted and partial calls are carried on, descriptors
 * that do not block are waited for, and a call that makes no progress is a failure rather than an
 * endless loop.
 */

#include "base/error.h"
#include "base/num.h"
#include "os/file.h"

#include <errno.h>

#define READ_WHOLE_STEP 65536
#define RESERVE_STEP    65536

static cof_status fail_at(cof_error *err, int errno_value, const char *verb, const cof_file *file,
                          uint64_t off)
{
    cof_status st = cof_fail_sys(err, errno_value, "cannot %s %s", verb, cof_file_label(file));
    if (err != NULL)
        err->offset = off;
    return st;
}

/* Does every byte of the range have an offset that the system can express? */
static bool is_addressable(uint64_t off, size_t len)
{
    uint64_t end;
    return cof_add_u64(off, len, &end) && end <= INT64_MAX;
}

/*
 * May a call that failed with this errno be made again?  Standard input and output are shared with
 * programs that switch them to non-blocking; then this waits until there is something to do.
 */
static bool may_retry(int fd, int errno_value, short events)
{
    if (errno_value == EINTR)
        return true;
    if (errno_value != EAGAIN && errno_value != EWOULDBLOCK)
        return false;
    struct pollfd ready = {.fd = fd, .events = events};
    return cof_os_get()->poll(&ready, 1, -1) >= 0 || errno == EINTR;
}

cof_status cof_file_pread_some(void *out, size_t len, size_t *out_got, const cof_file *file,
                               uint64_t off, cof_error *err)
{
    const cof_os *os = cof_os_get();
    uint8_t *to = out;
    int fd = cof_file_fd(file);
    size_t got = 0;
    *out_got = 0;
    if (!cof_file_place(file, &off, &len) || !is_addressable(off, len))
        return COF_OK; /* no file reaches that far */
    while (got < len) {
        ssize_t n = os->pread(fd, to + got, len - got, (off_t)(off + got));
        if (n == 0)
            break;
        if (n > 0)
            got += (size_t)n;
        else if (errno != EINTR)
            return fail_at(err, errno, "read", file, off + got);
    }
    *out_got = got;
    return COF_OK;
}

cof_status cof_file_read_full(void *out, size_t len, const cof_file *file, uint64_t off,
                              cof_error *err)
{
    size_t got;
    cof_status st = cof_file_pread_some(out, len, &got, file, off, err);
    if (st == COF_OK && got < len)
        st = cof_fail_rule(err, COF_FORMAT, "", off + got,
                           "%s ends too early: it is cut off or damaged", cof_file_label(file));
    return st;
}

cof_status cof_file_read_stream(void *out, size_t len, size_t *out_got, cof_file *file,
                                cof_error *err)
{
    const cof_os *os = cof_os_get();
    uint8_t *to = out;
    int fd = cof_file_fd(file);
    size_t got = 0;
    *out_got = 0;
    while (got < len) {
        ssize_t n = os->read(fd, to + got, len - got);
        if (n == 0)
            break;
        if (n > 0)
            got += (size_t)n;
        else if (!may_retry(fd, errno, POLLIN))
            return cof_fail_sys(err, errno, "cannot read %s", cof_file_label(file));
    }
    *out_got = got;
    return COF_OK;
}

void cof_file_advise(const cof_file *file, uint64_t off, uint64_t len, cof_advice advice)
{
    if (off <= INT64_MAX && len <= INT64_MAX && !cof_file_is_window(file))
        (void)cof_os_get()->fadvise(cof_file_fd(file), (off_t)off, (off_t)len, advice);
}

cof_status cof_file_write_at(cof_file *file, uint64_t off, const void *data, size_t len,
                             cof_error *err)
{
    const cof_os *os = cof_os_get();
    const uint8_t *from = data;
    int fd = cof_file_fd(file);
    size_t done = 0;
    if (cof_file_is_window(file))
        return cof_fail(err, COF_INTERNAL, "%s is only to be read", cof_file_label(file));
    if (!is_addressable(off, len))
        return fail_at(err, EFBIG, "write to", file, off);
    while (done < len) {
        ssize_t n = os->pwrite(fd, from + done, len - done, (off_t)(off + done));
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            return fail_at(err, n == 0 ? EIO : errno, "write to", file, off + done);
    }
    return COF_OK;
}

cof_status cof_file_write_stream(cof_file *file, const void *data, size_t len, cof_error *err)
{
    const cof_os *os = cof_os_get();
    const uint8_t *from = data;
    int fd = cof_file_fd(file);
    size_t done = 0;
    while (done < len) {
        ssize_t n = os->write(fd, from + done, len - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || !may_retry(fd, errno, POLLOUT))
            return cof_fail_sys(err, n == 0 ? EIO : errno, "cannot write to %s",
                                cof_file_label(file));
    }
    return COF_OK;
}

cof_status cof_file_truncate(cof_file *file, uint64_t size, cof_error *err)
{
    if (size > INT64_MAX)
        return fail_at(err, EFBIG, "set the size of", file, size);
    int result;
    do {
        result = cof_os_get()->ftruncate(cof_file_fd(file), (off_t)size);
    } while (result != 0 && errno == EINTR);
    if (result != 0)
        return fail_at(err, errno, "set the size of", file, size);
    return COF_OK;
}

bool cof_file_is_full(cof_status st, const cof_error *err)
{
    return st == COF_IO &&
           (err->sys_errno == ENOSPC || err->sys_errno == EDQUOT || err->sys_errno == EFBIG);
}

static cof_status write_zeros(cof_file *file, uint64_t off, uint64_t len, cof_error *err)
{
    static const uint8_t zeros[RESERVE_STEP];
    cof_status st = COF_OK;
    while (st == COF_OK && len > 0) {
        size_t step = len < RESERVE_STEP ? (size_t)len : RESERVE_STEP;
        st = cof_file_write_at(file, off, zeros, step, err);
        off += step;
        len -= step;
    }
    return st;
}

cof_status cof_file_reserve(cof_file *file, uint64_t off, uint64_t len, cof_error *err)
{
    int result;
    if (len == 0)
        return COF_OK;
    if (off > INT64_MAX || len > INT64_MAX - off)
        return fail_at(err, EFBIG, "write to", file, off);
    do {
        result = cof_os_get()->allocate(cof_file_fd(file), (off_t)off, (off_t)len);
    } while (result != 0 && errno == EINTR);
    if (result == 0)
        return COF_OK;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO)
        return fail_at(err, errno, "write to", file, off);
    return write_zeros(file, off, len, err);
}

cof_status cof_file_sync(cof_file *file, cof_error *err)
{
    if (cof_os_get()->fsync(cof_file_fd(file)) != 0)
        return cof_fail_sys(err, errno, "cannot write %s safely to disk", cof_file_label(file));
    return COF_OK;
}

cof_status cof_file_sync_fs(cof_file *file, cof_error *err)
{
    if (cof_os_get()->syncfs(cof_file_fd(file)) != 0)
        return cof_fail_sys(err, errno, "cannot write the file system of %s safely to disk",
                            cof_file_label(file));
    return COF_OK;
}

cof_status cof_lock_obstacle(cof_lock_kind *out, const cof_file *file, cof_lock_kind wanted,
                             cof_error *err)
{
    *out = COF_LOCK_NONE;
    if (cof_os_get()->lock_in_the_way(cof_file_fd(file), wanted, out) != 0)
        return cof_fail_sys(err, errno, "cannot tell whether %s is in use", cof_file_label(file));
    return COF_OK;
}

/* Nobody has to keep a shared lock for longer than a moment: whoever does is to be found. */
static cof_status in_use(const cof_file *file, cof_error *err)
{
    cof_lock_kind other;
    if (cof_lock_obstacle(&other, file, COF_LOCK_EXCLUSIVE, NULL) == COF_OK &&
        other == COF_LOCK_SHARED)
        return cof_fail(err, COF_BUSY,
                        "%s is kept locked by a program that reads it, which coffer itself never "
                        "does; fuser(1) names it: end it, then run the same command again",
                        cof_file_label(file));
    return cof_fail(err, COF_BUSY,
                    "%s is being changed by another process; try again when that has ended",
                    cof_file_label(file));
}

cof_status cof_lock_exclusive(cof_file *file, bool wait, cof_error *err)
{
    int result;
    do {
        result = cof_os_get()->lock(cof_file_fd(file), COF_LOCK_EXCLUSIVE, wait);
    } while (result != 0 && errno == EINTR);
    if (result == 0)
        return COF_OK;
    if (errno == EAGAIN || errno == EACCES)
        return in_use(file, err);
    return cof_fail_sys(err, errno,
                        "cannot lock %s, and without a lock two changes at once could destroy it",
                        cof_file_label(file));
}

void cof_lock_release(cof_file *file)
{
    (void)cof_os_get()->lock(cof_file_fd(file), COF_LOCK_NONE, 0);
}

cof_status cof_file_read_whole(cof_buf *out, const char *path, size_t max, cof_error *err)
{
    size_t before = out->len;
    cof_file *file = NULL;
    cof_status st = cof_file_open_read(&file, path, err);
    while (st == COF_OK) {
        size_t got;
        size_t step = cof_min_size(READ_WHOLE_STEP, max - (out->len - before));
        step += step < READ_WHOLE_STEP ? 1 : 0; /* one more byte than allowed, to see it */
        if ((st = cof_buf_reserve(out, step, err)) != COF_OK ||
            (st = cof_file_read_stream(out->data + out->len, step, &got, file, err)) != COF_OK)
            break;
        out->len += got;
        if (out->len - before > max)
            st = cof_fail(err, COF_LIMIT, "%s is longer than the %zu bytes that it may have",
                          cof_file_label(file), max);
        if (got < step)
            break;
    }
    if (st != COF_OK)
        out->len = before;
    cof_file_free(file);
    return st;
}
