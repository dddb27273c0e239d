/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_BACKUP_H
#define COFFER_BACKUP_H

/*
 * Making a backup (docs/FORMAT.md, sections 2 to 6).
 *
 *     cof_backup_begin  →  cof_backup_write | cof_backup_read_fd …  →  cof_backup_finish
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

typedef struct cof_backup_options {
    /*
     * Where: a file that does not exist; an existing directory, or a path ending in '/', in which
     * the file is named LABEL-YYYYMMDDTHHMMSSZ-UUID8.cof ("backup-…" without a label); or NULL to
     * write to output_fd, which stays the caller's and may be a pipe.
     */
    const char *output;
    int output_fd;
    bool force; /* replace an existing file, at the moment of publishing */

    const cof_certs *recipients; /* 1 to 256 */
    bool skip_expired;           /* leave expired recipients out with a warning while one remains */
    const cof_signer *signer;
    const char *label;  /* NULL, or 1-64 of [A-Za-z0-9._-]; public */
    const char *reason; /* NULL, or why, for the custody statement; at most 1024 bytes */

    const char *compress; /* "zstd", "zstd:N" (1-19), "none"; NULL: "zstd" (level 3) */
    const char *digest;   /* of the signatures: "sha256", "sha384", "sha512"; NULL: "sha256" */
    uint32_t record_size; /* bytes, a multiple of 4096 up to 16 MiB; 0: 4 MiB */
    uint64_t slot_size;   /* bytes, a multiple of 4096, 16 KiB to 16 MiB; 0: by the envelope */
    bool allow_empty;     /* no content at all is a backup, not COF_SOURCE */
    cof_report report;
} cof_backup_options;

typedef struct cof_backup_result {
    char path[4096]; /* of the published file; "" for a descriptor */
    char uuid[37];
    uint64_t plain_bytes;  /* read */
    uint64_t stored_bytes; /* of the whole file */
    uint64_t records;
    size_t recipients; /* how many can open it */
    size_t skipped;    /* expired ones that were left out */
} cof_backup_result;

typedef struct cof_backup cof_backup;

/*
 * Check whatever can fail (certificates, signing key, place), make the key, and write the head.
 * options and all it points to must live until cof_backup_free.
 * COF_USAGE, COF_IO, COF_CERT, COF_LIMIT, COF_NOMEM; *out is NULL then.
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
 * Write index, tail and signature, make everything durable, and publish it under its final name.
 * COF_SOURCE: there was no content, and allow_empty was not set.  result may be NULL.
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
