/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_READER_H
#define COFFER_READER_H

/*
 * Opening, describing, verifying and restoring a backup (docs/FORMAT.md, section 7).
 *
 * There is one way in, cof_reader_open, for every reader: what it returned has passed every check
 * that can be made without reading the body.
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

/* Heads alone, or a bundle of them: see <coffer/envelope.h>. */
typedef struct cof_heads cof_heads;

/* What a caller demands of a genuine backup, since an older one is as genuine. */
typedef struct cof_expectation {
    const char *uuid;           /* NULL: any */
    uint64_t min_generation;    /* 0: any */
    const char *custody_sha256; /* of the newest custody statement, 64 hex digits; NULL: any */
} cof_expectation;

typedef struct cof_open_options {
    const char *path; /* NULL: read from input_fd, or the head of heads */
    int input_fd;     /* a pipe is spooled, as ciphertext, to an unlinked file in spool_dir first */
    const char *spool_dir; /* NULL: $TMPDIR, else /var/tmp */

    /*
     * A backup of several volumes is named by the first.  The others are looked for beside it, and
     * in these directories: by what they say of themselves, whatever they are called.  While some
     * are missing the backup can be described, but neither restored nor verified in full.
     */
    const char *const *volume_dirs;
    size_t volume_dir_count;

    /*
     * Who is trusted.  With NULL or an empty set, opening ends with COF_AUTH and a sentence that
     * shows the fingerprint to compare, unless claimed is set: then the backup is opened to be
     * described only, signatures are checked against the certificates that came with it, and
     * everything it says is what it *claims*.
     */
    const cof_trust *trust;
    bool claimed;

    const cof_keyring *keys; /* NULL: no private key; then restore and a deep verify cannot work */
    bool prove_maker; /* the first maker must be trusted, and his lineage proven, although the one
                         who re-encrypted the backup is trusted as maker too */
    unsigned jobs;    /* threads that hash, decrypt and decompress; 0: as many as processors */
    bool strict_custody;   /* a bad custody verdict is COF_AUTH instead of a warning */
    cof_stats *stats;      /* NULL, or where times are added to, at the latest with the end of the
                              reader */
    size_t min_custodians; /* so many different trusted custodians must have signed the list of
                              recipients: a matter of the custody verdict; 0 counts as 1 */

    const cof_heads *envelope; /* NULL, or where the head that counts is: the one in the file is not
                                  used, but for where it ends */
    bool rescue;            /* with one head as envelope: not even that is known of the file, and is
                               found by how it ends; for cof_repair */
    bool alone;             /* a head without its body will do: to be described */
    const cof_heads *heads; /* NULL, or open number head of these, in place of path */
    size_t head;
    cof_report report;
} cof_open_options;

typedef struct cof_reader cof_reader;

/*
 * Open a backup.  options and all it points to must live as long as the reader.
 *
 * COF_FORMAT, COF_UNSUPPORTED: not a backup, damaged, of a newer kind.  COF_AUTH: not signed by
 * whom the caller trusts as maker, or changed.  COF_NO_MATCH: no key in keys opens it.  COF_IO,
 * COF_NOMEM, COF_LIMIT.  COF_USAGE: a directory, FIFO without input_fd, ...  *out is NULL then.
 */
cof_status cof_reader_open(cof_reader **out, const cof_open_options *options,
                           cof_error *err) COF_MUST_USE;
void cof_reader_free(cof_reader *reader);

/* ---- what it is ---- */

typedef enum cof_standing {
    COF_STANDING_CLAIMED, /* the signature fits a key that came with the file; not trusted */
    COF_STANDING_TRUSTED,
    COF_STANDING_BAD /* no valid signature by a key known here */
} cof_standing;

typedef struct cof_party {
    char subject[COF_SUBJECT_TEXT_MAX];         /* "" where no certificate is at hand */
    char fingerprint[COF_FINGERPRINT_TEXT_MAX]; /* of the public key */
    cof_standing standing;
} cof_party;

/* Whether a backup that was re-encrypted is known to be what its first maker signed. */
typedef enum cof_lineage_state {
    COF_LINEAGE_NONE,     /* it was never re-encrypted: its maker is its first maker */
    COF_LINEAGE_CLAIMED,  /* not looked at: whoever re-encrypted it is trusted as maker, or it is
                             only  described */
    COF_LINEAGE_REQUIRED, /* not looked at yet: needed before anything is released */
    COF_LINEAGE_PROVEN
} cof_lineage_state;

typedef struct cof_recipient_info {
    char subject[COF_SUBJECT_TEXT_MAX];
    char fingerprint[COF_FINGERPRINT_TEXT_MAX];
    char cert_sha256[65];
    uint64_t not_after;
    char key[24];
    bool opened; /* it was this one's private key that opened the backup here */
} cof_recipient_info;

typedef enum cof_volume_state {
    COF_VOLUME_HERE,
    COF_VOLUME_MISSING,
    COF_VOLUME_WRONG /* it is there, and cut off, too long, or there twice */
} cof_volume_state;

typedef struct cof_volume_info {
    const char *path; /* "" where it is missing; not made safe for a terminal */
    uint64_t bytes;   /* of content, as signed */
    uint64_t first_record;
    cof_volume_state state;
} cof_volume_info;

typedef struct cof_custody_info {
    uint64_t generation;
    cof_party by;
    const cof_party *approvals; /* who else has signed, of those known here */
    size_t approval_count;
    uint64_t time;     /* seconds since 1970 */
    char reason[4104]; /* safe for a terminal */
    size_t recipients; /* how many it named */
} cof_custody_info;

/* All strings are safe for a terminal.  Borrowed from the reader, valid until it is freed. */
typedef struct cof_info {
    char uuid[37];
    char label[65];
    uint32_t epoch;
    uint64_t created;   /* seconds since 1970 */
    bool sealed;        /* false: signed only, not encrypted */
    bool tree;          /* false: a stream */
    const char *cipher; /* "AES-256-GCM" */
    uint32_t record_size;
    cof_party maker; /* who signed the content as it is now */

    /* Who made it first, as the file claims until lineage is COF_LINEAGE_PROVEN; else the maker. */
    cof_party first_maker;
    cof_lineage_state lineage;

    /* Of the manifest. */
    uint64_t records, plain_bytes;
    uint64_t started, finished;
    bool complete;
    char root[65];
    char tool[272];

    /* Of the custody; generation 0 for signed-only. */
    uint64_t generation;
    const char *custody_problem; /* NULL: the custody verdict is good; else a sentence */
    bool custody_proven;         /* a private key showed that who wrote the list of recipients knew
                                    the data key; without one a thief's list looks as good */
    char custody_sha256[65];     /* of the newest statement */
    size_t custodians;           /* how many different trusted keys have signed it */
    const cof_recipient_info *recipients;
    size_t recipient_count;
    const cof_custody_info *custody; /* newest first */
    size_t custody_count;
    bool chain_complete;  /* back to generation 1 without a gap */
    uint64_t chain_start; /* else: without a gap from this generation on */

    /* Of the volumes: [0] is the first. */
    const cof_volume_info *volumes;
    size_t volume_count;
    size_t volumes_missing;
    const char *volume_problem; /* NULL, or a sentence: what is wrong with one that is there */

    /* Of the file. */
    bool alone;          /* it is a head without its body */
    uint64_t file_bytes; /* of all volumes that are here */
    uint64_t slot_bytes, envelope_bytes;
    bool pending;   /* an interrupted change is to be completed by the next writer */
    size_t damaged; /* redundant copies found damaged so far */
} cof_info;

const cof_info *cof_reader_info(const cof_reader *reader);

/* Is it what is expected?  COF_POLICY with a sentence if not. */
cof_status cof_expectation_check(const cof_expectation *expected, const cof_info *info,
                                 cof_error *err) COF_MUST_USE;

/* ---- reading ---- */

typedef enum cof_depth {
    COF_VERIFY_QUICK, /* what cof_reader_open did, and the redundant copies of the head */
    COF_VERIFY_FULL,  /* every byte against the signed root; needs no private key */
    COF_VERIFY_DEEP   /* and decrypt and decompress every record, and read all files as restoring
                         does, writing nothing; needs one */
} cof_depth;

/*
 * Verify.  Where the lineage has to be proven (LI-4), a private key is needed for that, and each
 * record is compared but with COF_VERIFY_QUICK.  COF_AUTH or COF_FORMAT with the first thing that
 * is wrong.  A damaged redundant copy is a warning, and counted in cof_info.damaged.
 */
cof_status cof_reader_verify(cof_reader *reader, cof_depth depth, cof_error *err) COF_MUST_USE;

/*
 * Restore the content in order.  write receives plaintext that has been proven to be under the
 * signed root before, in pieces of up to one record; a class other than COF_OK from it ends the
 * work with that class.  Needs a private key when sealed.
 */
cof_status cof_reader_restore(cof_reader *reader,
                              cof_status (*write)(void *ctx, const void *data, size_t len,
                                                  cof_error *err),
                              void *ctx, cof_error *err) COF_MUST_USE;

/*
 * Restore into a new file, mode 0600, which appears under its name whole or not at all.  COF_USAGE:
 * there is a file and not `force`, or it belongs to this backup.
 */
cof_status cof_reader_restore_file(cof_reader *reader, const char *path, bool force,
                                   cof_error *err) COF_MUST_USE;

/* Restore to a descriptor. */
cof_status cof_reader_restore_fd(cof_reader *reader, int fd, cof_error *err) COF_MUST_USE;

/* ---- many ---- */

typedef struct cof_paths {
    char **path; /* sorted */
    size_t count;
    size_t parts; /* later volumes that were passed over */
} cof_paths;

/*
 * The backups that a path stands for: itself, unless it is a directory: then every regular file
 * directly in it that begins as a backup with its body does.  A later volume is a part of the
 * backup that its first volume names, and stands for nothing by itself.  Free with cof_paths_wipe.
 * COF_IO, COF_NOMEM.
 */
cof_status cof_paths_find(cof_paths *out, const char *path, cof_error *err) COF_MUST_USE;
void cof_paths_wipe(cof_paths *paths);

#ifdef __cplusplus
}
#endif

#endif
