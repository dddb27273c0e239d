/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_SCRATCH_H
#define COF_TESTS_SCRATCH_H

/*
 * A directory for each test, and a table of system calls to replace.  Use the two functions as
 * set-up and tear-down of a test; cmocka's headers come before this one.
 */

#include "os/dir.h"
#include "os/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_dir[64];
static cof_os scratch_os; /* the real one at first; used after cof_os_set() */

/* A path in the directory; the last four of them stay valid. */
static inline const char *in_dir(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_dir, name);
    return path;
}

static inline int scratch_set_up(void **state)
{
    (void)state;
    scratch_os = *cof_os_real();
    snprintf(scratch_dir, sizeof scratch_dir, "/tmp/coffer-unit-XXXXXX");
    return mkdtemp(scratch_dir) == NULL;
}

static inline int scratch_tear_down(void **state)
{
    (void)state;
    cof_os_set(NULL);
    cof_names names = COF_NAMES_INIT;
    if (cof_dir_list(&names, scratch_dir, NULL) != COF_OK)
        return 1;
    for (size_t i = 0; i < names.count; i++)
        if (unlink(in_dir(names.names[i])) != 0)
            rmdir(in_dir(names.names[i]));
    cof_names_free(&names);
    return rmdir(scratch_dir);
}

/* A file with this text and these permissions. */
static inline void make(const char *name, const char *text, mode_t mode)
{
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static inline void assert_content(const char *name, const char *text)
{
    cof_buf buf = COF_BUF_INIT;
    assert_int_equal(cof_file_read_whole(&buf, in_dir(name), 1000, NULL), COF_OK);
    assert_int_equal(buf.len, strlen(text));
    assert_memory_equal(buf.data, text, buf.len);
    cof_buf_free(&buf);
}

/* How many names there are in the directory. */
static inline size_t count_names(void)
{
    cof_names names = COF_NAMES_INIT;
    assert_int_equal(cof_dir_list(&names, scratch_dir, NULL), COF_OK);
    size_t count = names.count;
    cof_names_free(&names);
    return count;
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, scratch_set_up, scratch_tear_down)

#endif
