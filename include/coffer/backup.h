/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_BACKUP_H
#define COFFER_BACKUP_H

/*
 * Making a backup (docs/FORMAT.md, sections 2 to 6).
 *
 *     cof_backup_begin  →  cof_backup_write | cof_backup_read_fd …  →  cof_backup_finish
 *     cof_backup_begin  →  cof_backup_tree  →  cof_backup_finish
 *     cof_backup_begin  →  (cof_backup_stream  →  cof_backup_write | …) …  →  cof_backup_finish
 *
 * Until finish has returned COF_OK there is no file under the final name; cof_backup_free before
 * that leaves nothing behind.
 */

#include <coffer/credentials.h>
#include <coffer/error.h>
#include <coffer/report.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A file for one volume of a backup. */
typedef struct cof_volume_place {
    const char *path; /* as output of cof_backup_options */
    uint64_t limit;   /* most bytes of the file; 0: as many as the disk takes */
} cof_volume_place;

typedef struct cof_backup_options {
    /*
     * Where: a file that does not exist; an existing directory, or a path ending in '/', in which
     * the file is named LABEL-YYYYMMDDTHHMMSSZ-UUID8.cof ("backup-…" without a label); or NULL to
     * write to output_fd, which stays the caller's and may be a pipe.
     */
    const char *output;
    int output_fd;
    bool force; /* replace an existing file, at the moment of publishing */

    /*
     * Several volumes.  Either a list of places instead of output: when the file at one of them has
     * reached its limit, or its disk is full, the next goes on.  Or output and volume_size: the
     * files are then called output, output.002, output.003, …, each of that many bytes at most.
     * Each must at least take the head and one record: COF_USAGE otherwise.
     */
    const cof_volume_place *volumes;
    size_t volume_count;
    uint64_t volume_size; /* 0: no limit */

    /*
     * Sign, and do not encrypt: everybody can read the backup, and whoever trusts the signer knows
     * that nothing was changed.  recipients, cipher and reason are then NULL (recipients may also
     * be empty): COF_USAGE otherwise.
     */
    bool sign_only;
    const cof_certs *recipients; /* 1 to 256 */
    bool skip_expired;           /* leave expired recipients out with a warning while one remains */
    const cof_signer *signer;
    const char *label;  /* NULL, or 1-64 of [A-Za-z0-9._-]; public */
    const char *reason; /* NULL, or why, for the custody statement; at most 1024 bytes */

    const char *compress; /* "zstd" (level 3), "zstd:N" (1-19), "lz4", "gzip" (level 6), "gzip:N"
                             (1-9), "none"; NULL: "zstd" */
    const char *cipher;   /* "aes-256-gcm", "aes-192-gcm", "aes-128-gcm", "chacha20-poly1305";
                             NULL: "aes-256-gcm" */
    const char *digest;   /* of the signatures: "sha256", "sha384", "sha512"; NULL: "sha256".  A DSA
                             key signs with sha256 only: COF_UNSUPPORTED */
    uint32_t record_size; /* bytes, a multiple of 4096 up to 16 MiB; 0: 4 MiB */
    uint64_t slot_size;   /* bytes, a multiple of 4096, 16 KiB to 16 MiB; 0: by the envelope */
    unsigned jobs;    /* threads that compress and seal; 0: as many as there are processors.  The
                         backup is the same whatever their number */
    bool allow_empty; /* no content at all is a backup, not COF_SOURCE; not for trees */
    bool tree;        /* the content is files and directories; record_size is then at least
                         256 KiB */
    bool named;       /* the content is streams with names: cof_backup_stream; record_size as
                         for a tree */
    cof_stats *stats; /* NULL, or where times are added to in the end */
    cof_report report;
} cof_backup_options;

typedef struct cof_backup_result {
    char path[4096]; /* of the published file, of several volumes the first; "" for a descriptor */
    size_t volumes;  /* how many files there are */
    char uuid[37];
    uint64_t plain_bytes;  /* read */
    uint64_t stored_bytes; /* of all files */
    uint64_t records;
    size_t recipients; /* how many can open it; 0: signed only, everybody can read it */
    size_t skipped;    /* expired ones that were left out */
    size_t streams;    /* that have names */

    /* Of a tree. */
    bool complete;     /* nothing was missing, unreadable or changed; true for a stream */
    uint64_t problems; /* how many such things were reported */
    uint64_t files;    /* names of regular files */
    uint64_t directories;
    uint64_t others;     /* symbolic links, devices, FIFOs */
    uint64_t hard_links; /* names of what has another name too; also counted above */
    uint64_t sockets;    /* left out: a socket is nothing without its process */
    uint64_t excluded;   /* left out on request; what lies below them is not counted */
} cof_backup_result;

typedef struct cof_backup cof_backup;

/*
 * Check whatever can fail (certificates, signing key, place), make the key, and write the head.
 * options and all it points to must live until cof_backup_free.
 * COF_USAGE, COF_IO, COF_CERT, COF_UNSUPPORTED, COF_LIMIT, COF_NOMEM; *out is NULL then.
 */
cof_status cof_backup_begin(cof_backup **out, const cof_backup_options *options,
                            cof_error *err) COF_MUST_USE;

/* Append len bytes of content.  After a failure only cof_backup_free is left to call. */
cof_status cof_backup_write(cof_backup *backup, const void *data, size_t len,
                            cof_error *err) COF_MUST_USE;

/*
 * Append everything that can be read from a descriptor; the total for the progress is its size
 * where it is a regular file.  COF_SOURCE where reading fails.
 */
cof_status cof_backup_read_fd(cof_backup *backup, int fd, cof_error *err) COF_MUST_USE;

/*
 * Begin a stream with a name, for a backup that was begun with named: what is appended from now on
 * is of that stream.  It is listed and restored as a file of that name: parts separated by single
 * slashes, none of them "." or "..", at most 1024 bytes; no two equal, and none a folder of
 * another. COF_USAGE: a name that cannot be used.  COF_SOURCE: the stream before is empty, and
 * allow_empty is not set.  COF_LIMIT, COF_NOMEM, and as cof_backup_write.
 */
cof_status cof_backup_stream(cof_backup *backup, const char *name, cof_error *err) COF_MUST_USE;

/* A command whose standard output is the content. */
typedef struct cof_command {
    const char *const *argv; /* the program, found as a shell finds it, and its arguments; NULL
                                behind the last.  No shell sees them */
    uint64_t min_size;       /* bytes; less is COF_SOURCE */
    uint64_t silence_ms; /* give up when it has neither written nor ended for so long; 0: wait */

    /*
     * Called for each of the last lines of its standard error, once it has ended, failed or not:
     * safe for a terminal, valid during the call only.  May be NULL.
     */
    void (*said)(void *ctx, bool failed, const char *line);
    void *ctx;
} cof_command;

/*
 * Append what a command writes to its standard output, to its end.
 *
 * COF_SOURCE: it could not be started, ended with another exit status than 0, was killed, went
 * silent, or wrote too little.  Then, and when this process ends in whatever way, it is ended
 * together with all that it has started: SIGTERM, and two seconds later SIGKILL.  It has no
 * terminal, and nothing on standard input.  COF_IO, COF_CANCELLED, COF_NOMEM.  After a failure only
 * cof_backup_free is left to call.
 */
cof_status cof_backup_command(cof_backup *backup, const cof_command *command,
                              cof_error *err) COF_MUST_USE;

/*
 * Append a database of SQLite as it was after one committed transaction, while others go on writing
 * to it; what is restored is a database in one file.  It is copied under one read transaction into
 * a file without a name in the database's own folder, which needs as much room, and from there into
 * the backup; with a rollback journal writers wait while it is copied, with a WAL they do not.
 * wait_ms: how long to wait for others' locks; 0: a minute.
 *
 * COF_SOURCE: there is no such database, it cannot be read, or it stayed locked.  COF_IO: no room,
 * or no right to write in that folder.  COF_CANCELLED, COF_NOMEM.  After a failure only
 * cof_backup_free is left to call.
 */
cof_status cof_backup_sqlite(cof_backup *backup, const char *path, uint64_t wait_ms,
                             cof_error *err) COF_MUST_USE;

/* What a tree consists of. */
typedef struct cof_tree_options {
    /*
     * At least one.  Relative ones begin in the working directory.  A symbolic link is stored as a
     * link, unless a slash follows it.  Inside the backup a path has its name without what leads to
     * the root ("/etc" is "etc", "../x" is "x"); of two paths of which one lies in the other, the
     * inner one is not read twice.
     */
    const char *const *paths;
    size_t path_count;

    /*
     * Patterns of what is left out, with all that is below it.  A pattern is matched against the
     * path inside the backup, and, unless it begins with a slash, against each end of it that
     * begins behind a slash.  "*" is any part of a name, "?" a character, "[a-z]" and "[!a-z]" one
     * of a set, "**" as a component any number of directories, a backslash takes the meaning from
     * what follows; a slash at the end means directories only.
     */
    const char *const *exclude;
    size_t exclude_count;
    bool exclude_caches;  /* of directories with a valid CACHEDIR.TAG, all but that file */
    bool one_file_system; /* do not go into other file systems below a path; the directories that
                             they are mounted on are stored */
    bool strict;          /* whatever makes the backup incomplete is COF_SOURCE */
} cof_tree_options;

/*
 * Back up files and directories; once, for a backup that was begun with tree.  options may go after
 * the call.
 *
 * What vanishes, changes, cannot be read or does not exist is named in a warning, has its state in
 * the catalog, and makes the backup incomplete in its signed manifest.  A file is stored as long as
 * it was when it was opened, whatever happens to it meanwhile.  The backup itself is left out.
 *
 * COF_USAGE: a pattern that cannot be used, two things that would have one name inside, no path.
 * COF_SOURCE: with strict, or where nothing is there at all.  COF_IO, COF_LIMIT, COF_NOMEM.  After
 * a failure only cof_backup_free is left to call.
 */
cof_status cof_backup_tree(cof_backup *backup, const cof_tree_options *options,
                           cof_error *err) COF_MUST_USE;

/*
 * Write index, tail and signature, make everything durable, and publish it under its final name.
 * COF_SOURCE: there was no content, and allow_empty was not set.  result may be NULL.
 * COF_USAGE: what was to be put in has failed before, so that it would not be whole.
 */
cof_status cof_backup_finish(cof_backup *backup, cof_backup_result *result,
                             cof_error *err) COF_MUST_USE;

void cof_backup_free(cof_backup *backup);

/* What receive needs to know. */
typedef struct cof_receive_options {
    int input_fd;
    const char *output;     /* as in cof_backup_options; never NULL */
    const cof_trust *trust; /* must name the maker */
    bool force;
    bool strict_custody; /* an untrusted custodian is an error, not a warning */
    cof_report report;
} cof_receive_options;

/*
 * Take a backup from a pipe: every record is hashed on the way, no private key is needed, both
 * superblocks and slots are written anew with the manifest in them, and the file is published once
 * the manifest verifies under the trusted maker.  Nothing is left on failure.
 * COF_AUTH, COF_FORMAT, COF_UNSUPPORTED, COF_IO, COF_USAGE.
 */
cof_status cof_receive(const cof_receive_options *options, cof_backup_result *result,
                       cof_error *err) COF_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
