/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_DIR_H
#define COF_OS_DIR_H

/* Directories and paths: what is there, how much room, who else may write. */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct cof_names {
    char **names; /* count strings, sorted by byte value */
    size_t count;
} cof_names;

#define COF_NAMES_INIT                                                                             \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/* All names in a directory but "." and "..".  COF_IO, COF_NOMEM; *out is then empty. */
cof_status cof_dir_list(cof_names *out, const char *path, cof_error *err) COF_MUST_USE;

/* Leaves an empty list.  NULL is fine. */
void cof_names_free(cof_names *names);

/* Create a directory (umask applies).  One that is already there is fine.  COF_IO. */
cof_status cof_dir_make(const char *path, mode_t mode, cof_error *err) COF_MUST_USE;

/*
 * Make names created, renamed or removed in the directory survive a power loss.  A file system that
 * knows no syncing of directories is taken to need none.  COF_IO.
 */
cof_status cof_dir_sync(const char *path, cof_error *err) COF_MUST_USE;

/* Bytes that this process may still write to the file system that `path` is on.  COF_IO. */
cof_status cof_dir_space(uint64_t *out, const char *path, cof_error *err) COF_MUST_USE;

typedef enum cof_path_type {
    COF_PATH_NOTHING,
    COF_PATH_REGULAR,
    COF_PATH_DIRECTORY,
    COF_PATH_OTHER /* FIFO, socket, device */
} cof_path_type;

/* What does the path name, through symbolic links?  A dangling link is COF_PATH_NOTHING.  COF_IO.
 */
cof_status cof_path_kind(cof_path_type *out, const char *path, cof_error *err) COF_MUST_USE;

/*
 * COF_USAGE if the path names anything: "NAME exists already", and what the advice adds to it.  To
 * be asked before hours of work; whoever creates the file asks again.
 */
cof_status cof_path_must_be_free(const char *path, const char *advice, cof_error *err) COF_MUST_USE;

/*
 * COF_USAGE if the path names something that is neither a regular file nor a symbolic link: what
 * replaces files must not put one in the place of a device such as /dev/null, of a FIFO or socket.
 */
cof_status cof_path_may_be_replaced(const char *path, cof_error *err) COF_MUST_USE;

/*
 * May anybody but root and the user of this process change the file or directory: does another own
 * it, or do its permissions let group or others write?  COF_IO.
 */
cof_status cof_path_others_can_write(bool *out, const char *path, cof_error *err) COF_MUST_USE;

/* Do two paths lead to the same thing?  What leads nowhere is like nothing else.  COF_IO. */
cof_status cof_path_same(bool *out, const char *a, const char *b, cof_error *err) COF_MUST_USE;

/* The absolute path without symbolic links; the caller frees *out, NULL on failure.  COF_IO. */
cof_status cof_path_real(char **out, const char *path, cof_error *err) COF_MUST_USE;

/*
 * The directory part ("." if there is none, "/" for the root).  The caller frees *out.  COF_NOMEM.
 */
cof_status cof_path_parent(char **out, const char *path, cof_error *err) COF_MUST_USE;

/* The part after the last slash.  Borrowed from path. */
const char *cof_path_name(const char *path);

/* dir and name with one slash between them.  The caller frees *out.  COF_NOMEM. */
cof_status cof_path_join(char **out, const char *dir, const char *name,
                         cof_error *err) COF_MUST_USE;

#endif
