/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_TREE_H
#define COFFER_TREE_H

/*
 * What a backup of files, or of named streams, holds: listing it, and putting it back into a
 * directory, the whole or a part (docs/FORMAT.md, sections 3.7 and 3.8).
 *
 * Only the records that are needed are read.  Each is proven to be under the signed root before
 * anything of it is used; a catalog that is wrong about the content is refused (COF_AUTH).
 */

#include <coffer/error.h>
#include <coffer/reader.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cof_tree_type {
    COF_TREE_UNKNOWN, /* never seen but by name */
    COF_TREE_FILE,
    COF_TREE_DIRECTORY,
    COF_TREE_SYMLINK,
    COF_TREE_HARDLINK, /* a further name of an earlier entry */
    COF_TREE_CHAR_DEVICE,
    COF_TREE_BLOCK_DEVICE,
    COF_TREE_FIFO,
    COF_TREE_STREAM /* a named stream */
} cof_tree_type;

typedef enum cof_tree_state {
    COF_TREE_OK,
    COF_TREE_CHANGED,    /* while it was read: its content may be of different moments */
    COF_TREE_UNREADABLE, /* it, or a part of it, is missing */
    COF_TREE_VANISHED    /* gone when it was to be read */
} cof_tree_state;

/* All of it is borrowed, until the callback returns. */
typedef struct cof_tree_entry {
    const char *path; /* bytes, not text, and not safe for a terminal; NUL-terminated */
    size_t path_len;
    const char *target; /* of links, else ""; NUL-terminated */
    size_t target_len;
    cof_tree_type type;
    cof_tree_state state;
    bool stored;   /* false: there is nothing of it but its name */
    uint16_t mode; /* lower 12 bits */
    uint32_t user, group;
    uint64_t size;         /* of a file, holes included */
    uint32_t major, minor; /* of a device */
    int64_t mtime;         /* seconds since 1970 */
    uint32_t mtime_ns;
} cof_tree_entry;

/*
 * Which entries.  A path stands for what has that name in the backup and all that is below it;
 * slashes at its ends do not matter.  One with "*", "?", "[" or a backslash in it is a pattern that
 * is matched from the beginning of the names: "*" stands for any part of a name, "?" for a
 * character, "[a-z]" and "[!a-z]" for one of a set, "**" as a component for any number of
 * directories; a backslash takes the meaning from what follows.  exclude is as in cof_tree_options.
 */
typedef struct cof_tree_selection {
    const char *const *paths; /* none: everything */
    size_t path_count;
    const char *const *exclude;
    size_t exclude_count;
} cof_tree_selection;

/*
 * Call entry for all that is selected, in the order of the catalog.  selection may be NULL.
 *
 * COF_USAGE: it is no backup of files, a pattern cannot be used, or, after all others were handed
 * out, a path is not in the backup.  COF_NO_MATCH without a private key.  COF_AUTH, COF_FORMAT,
 * COF_IO, COF_NOMEM, or what entry returned.
 */
cof_status cof_reader_list(cof_reader *reader, const cof_tree_selection *selection,
                           cof_status (*entry)(void *ctx, const cof_tree_entry *entry,
                                               cof_error *err),
                           void *ctx, cof_error *err) COF_MUST_USE;

typedef struct cof_extract_options {
    cof_tree_selection selection;
    const char *target;      /* the directory to restore into; created if it does not exist */
    size_t strip_components; /* leave so many out at the beginning of each name; what has no more
                                than these is left out */

    bool same_owner;    /* give owner and group, and the attributes that go with them; for root */
    bool numeric_owner; /* by number, not by name */
    uint16_t mode_mask; /* permissions to take away from what is restored; 0: none */

    bool skip_old_files; /* what is there already stays, without being told */
    bool force;          /* what is there already is replaced; a directory never is */
    bool keep_going;     /* leave out what cannot be restored, with a warning, and do the rest */
} cof_extract_options;

typedef struct cof_extract_result {
    uint64_t files, directories;
    uint64_t others;     /* symbolic links, devices, FIFOs */
    uint64_t hard_links; /* further names; also counted as files */
    uint64_t bytes;      /* content of files */
    uint64_t skipped;    /* were there already */
    uint64_t missing;    /* were not in the backup when it was made */
    uint64_t lost;       /* could not be restored */
    uint64_t problems;   /* restored, but not with all that belongs to them */
} cof_extract_result;

/*
 * Restore files and directories.
 *
 * Nothing outside the target is touched, whatever the backup holds and whatever is in the target:
 * no symbolic link is followed, but for those in the path of the target itself.  A file appears
 * under its name whole, with its permissions and times, or not at all.  A directory that is there
 * is used, and gets the permissions and times of the backup, unless skip_old_files is set.
 * Set-user-ID and set-group-ID are given only together with owner and group.
 *
 * A warning for each thing that is incomplete in the backup, that is restored without its owner, an
 * attribute or the like, or, with keep_going, that is not restored: a record that holds it is
 * damaged, its place is taken or cannot be reached.  Without keep_going the first of the latter is
 * COF_AUTH, COF_FORMAT, COF_IO or COF_USAGE, and what was restored before it stays.
 *
 * Other classes as in cof_reader_list.  result may be NULL, and is filled in any case.
 */
cof_status cof_reader_extract(cof_reader *reader, const cof_extract_options *options,
                              cof_extract_result *result, cof_error *err) COF_MUST_USE;

/*
 * Write the contents of the selected regular files to a descriptor, one behind the other.  A hard
 * link stands for the file that it is one with.  Holes become zeros.  COF_USAGE: there is none.
 * Else as above, without keep_going.
 */
cof_status cof_reader_extract_fd(cof_reader *reader, const cof_tree_selection *selection, int fd,
                                 cof_extract_result *result, cof_error *err) COF_MUST_USE;

/*
 * Restore one named stream, whose name is taken literally, into a new file of mode 0600, which
 * appears under its name whole or not at all, or to a descriptor.  COF_USAGE: there is no such
 * stream.  Else as above.
 */
cof_status cof_reader_stream_file(cof_reader *reader, const char *name, const char *path,
                                  bool force, cof_error *err) COF_MUST_USE;
cof_status cof_reader_stream_fd(cof_reader *reader, const char *name, int fd,
                                cof_error *err) COF_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
