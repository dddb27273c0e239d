/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Secrets from descriptors and files.  The bytes go from the system straight into secret memory;
 * no buffer of the C library ever holds them.
 */

#include "os/secretio.h"

#include "base/error.h"
#include "base/num.h"
#include "base/text.h"
#include "os/file.h"
#include "os/tty.h"

#include <errno.h>
#include <string.h>

#define LINE_CAP    (COF_PASSPHRASE_MAX + 2) /* and a line end of two bytes */
#define POLL_MS     200
#define FIRST_GUESS 4096 /* for the length of a file that does not tell */
#define FORBIDDEN   (S_IRWXG | S_IRWXO)

/* Wait until fd is readable.  False: cancelled. */
static bool wait_readable(int fd, bool (*cancelled)(void))
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int n;
    do {
        if (cancelled != NULL && cancelled())
            return false;
        n = cof_os_get()->poll(&ready, 1, cancelled != NULL ? POLL_MS : -1);
    } while (n == 0 || (n < 0 && errno == EINTR));
    return true; /* after any other failure read() tells what is wrong */
}

/* Bytes up to and with the first newline, or to the end; *out_len of them, at most LINE_CAP. */
static cof_status fill_line(uint8_t *line, size_t *out_len, int fd, const char *label,
                            bool (*cancelled)(void), cof_error *err)
{
    const cof_os *os = cof_os_get();
    size_t len = 0;
    while (len < LINE_CAP) {
        if (!wait_readable(fd, cancelled))
            return cof_fail(err, COF_CANCELLED, "interrupted");
        ssize_t n = os->read(fd, line + len, 1);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return cof_fail_sys(err, errno, "cannot read %s", label);
        if (n > 0 && line[len++] == '\n')
            break;
    }
    *out_len = len;
    return COF_OK;
}

static size_t without_line_end(const uint8_t *line, size_t len)
{
    if (len == 0 || line[len - 1] != '\n')
        return len;
    len--;
    return len > 0 && line[len - 1] == '\r' ? len - 1 : len;
}

cof_status cof_secret_read_line(cof_secret **out, int fd, const char *label,
                                bool (*cancelled)(void), cof_error *err)
{
    *out = NULL;
    cof_secret *line = NULL;
    size_t len = 0;
    cof_status st = cof_secret_new(&line, LINE_CAP, err);
    if (st != COF_OK ||
        (st = fill_line(cof_secret_bytes(line), &len, fd, label, cancelled, err)) != COF_OK)
        goto out;
    len = without_line_end(cof_secret_bytes(line), len);
    if (len == 0) {
        st = cof_fail(err, COF_USAGE, "%s: the passphrase is empty", label);
        goto out;
    }
    if (len > COF_PASSPHRASE_MAX) {
        st = cof_fail(err, COF_LIMIT, "%s: the passphrase is longer than %d bytes", label,
                      COF_PASSPHRASE_MAX);
        goto out;
    }
    cof_secret_shrink(line, len);
    *out = line;
    line = NULL; /* transferred */

out:
    cof_secret_free(line);
    return st;
}

cof_status cof_fd_read_secret(cof_secret **out, int fd, const char *name, cof_error *err)
{
    char label[COF_TEXT_NAME_CAP];
    cof_text_safe_str(label, sizeof label, name);
    return cof_secret_read_line(out, fd, label, NULL, err);
}

static cof_status examine(struct stat *out, const cof_file *file, cof_error *err)
{
    if (cof_os_get()->fstat(cof_file_fd(file), out) != 0)
        return cof_fail_sys(err, errno, "cannot examine %s", cof_file_label(file));
    return COF_OK;
}

cof_status cof_file_read_secret(cof_secret **out, const char *path, cof_error *err)
{
    *out = NULL;
    cof_file *file = NULL;
    struct stat info;
    cof_status st = cof_file_open_read(&file, path, err);
    if (st != COF_OK || (st = examine(&info, file, err)) != COF_OK)
        goto out;
    if ((info.st_mode & FORBIDDEN) != 0) {
        st = cof_fail(err, COF_USAGE, "%s may be read by others than its owner; chmod 600 it",
                      cof_file_label(file));
        goto out;
    }
    st = cof_secret_read_line(out, cof_file_fd(file), cof_file_label(file), NULL, err);

out:
    cof_file_free(file);
    return st;
}

/* Twice the length, but not above `most`. */
static cof_status grow(cof_secret **secret, size_t most, cof_error *err)
{
    cof_secret *longer = NULL;
    size_t len = cof_secret_len(*secret);
    cof_status st = cof_secret_new(&longer, len < most / 2 ? 2 * len : most, err);
    if (st != COF_OK)
        return st;
    memcpy(cof_secret_bytes(longer), cof_secret_bytes(*secret), len);
    cof_secret_free(*secret);
    *secret = longer; /* transferred */
    return COF_OK;
}

/* All of the file, or the first `most` bytes of it, into a secret of at least 1 byte. */
static cof_status read_upto(cof_secret **secret, size_t *out_len, cof_file *file, size_t most,
                            cof_error *err)
{
    size_t len = 0;
    for (;;) {
        size_t got;
        size_t room = cof_secret_len(*secret) - len;
        cof_status st =
            cof_file_read_stream(cof_secret_bytes(*secret) + len, room, &got, file, err);
        if (st != COF_OK)
            return st;
        len += got;
        *out_len = len;
        if (got < room || len == most)
            return COF_OK;
        if ((st = grow(secret, most, err)) != COF_OK)
            return st;
    }
}

cof_status cof_file_read_whole_secret(cof_secret **out, bool *out_exposed, const char *path,
                                      size_t max, cof_error *err)
{
    *out = NULL;
    cof_file *file = NULL;
    cof_secret *secret = NULL;
    struct stat info;
    size_t most, len = 0;
    cof_status st;
    if (!cof_add_size(max, 1, &most)) /* one more than allowed, to see it */
        most = max;
    if ((st = cof_file_open_read(&file, path, err)) != COF_OK ||
        (st = examine(&info, file, err)) != COF_OK ||
        (st = cof_secret_new(&secret, cof_min_size(most, FIRST_GUESS), err)) != COF_OK ||
        (st = read_upto(&secret, &len, file, most, err)) != COF_OK)
        goto out;
    if (len > max) {
        st = cof_fail(err, COF_LIMIT, "%s is longer than the %zu bytes that it may have",
                      cof_file_label(file), max);
        goto out;
    }
    cof_secret_shrink(secret, len);
    if (out_exposed != NULL)
        *out_exposed = (info.st_mode & FORBIDDEN) != 0;
    *out = secret;
    secret = NULL; /* transferred */

out:
    cof_secret_free(secret);
    cof_file_free(file);
    return st;
}
