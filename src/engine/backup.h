/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_BACKUP_H
#define COF_ENGINE_BACKUP_H

/* The inside of a cof_backup, shared by the parts that begin, fill and finish it. */

#include <coffer/backup.h>

#include "codec/codec.h"
#include "crypto/aead.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "crypto/signed.h"
#include "engine/credentials.h"
#include "engine/pipeline.h"
#include "format/catalog_tree.h"
#include "format/schedule.h"
#include "format/superblock.h"
#include "source/tree.h"

/* A stream that has a name. */
typedef struct cof_named {
    char *name; /* owned */
    uint16_t number;
    uint64_t size; /* once it is complete */
    uint64_t begun;
} cof_named;

struct cof_backup {
    const cof_backup_options *options; /* borrowed */
    cof_sink *sink;
    cof_digest digest;
    cof_codec codec;
    int level;
    cof_cipher cipher; /* COF_CIPHER_NONE: signed only */

    cof_preamble preamble;
    uint8_t preamble_raw[COF_PREAMBLE_SIZE];
    uint8_t core[COF_SHA256_SIZE];
    cof_schedule *schedule;
    cof_cert_list recipients;
    size_t skipped;
    cof_superblock sb;
    cof_buf keys, custody;

    cof_writer writer; /* of what the pipeline has sealed */
    cof_pipeline *pipeline;
    uint8_t *plain; /* the record being filled */
    size_t fill;
    uint16_t stream;        /* of the next DATA record; 0 unless streams have names */
    uint64_t stream_bytes;  /* of that stream that were put into the pipeline, ... */
    uint64_t data_bytes;    /* ... of all streams, ... */
    uint64_t catalog_bytes; /* ... and of the catalog */
    uint64_t total;         /* bytes to come, for progress */
    uint64_t started;

    cof_catalog_writer *catalog; /* of a tree or of named streams, else NULL */
    bool tree_read;
    bool failed;        /* something could not be put in: it is never finished */
    cof_named *streams; /* in the order in which they were begun; the last is being filled */
    size_t stream_count, stream_cap;
    cof_tree_totals totals;
};

/*
 * COF_USAGE if something has failed before.  The second takes note of how a call ended, and returns
 * that: a call that was refused, COF_USAGE, has changed nothing; after any other failure what was
 * put in may lack something.
 */
cof_status cof_backup_usable(const cof_backup *backup, cof_error *err) COF_MUST_USE;
cof_status cof_backup_ended(cof_backup *backup, cof_status st) COF_MUST_USE;

/* COF_USAGE unless bytes can be appended now: no tree, and, where streams have names, one begun. */
cof_status cof_backup_need_stream(const cof_backup *backup, cof_error *err) COF_MUST_USE;

/* Complete the last of the named streams, and write the catalog of all. */
cof_status cof_backup_finish_streams(cof_backup *backup, cof_error *err) COF_MUST_USE;

/* Seal and write what has been collected of the present stream, if anything. */
cof_status cof_backup_flush(cof_backup *backup, cof_error *err) COF_MUST_USE;

/*
 * Collect bytes of the present stream, and write a record whenever one is full.  What lies already
 * where the record goes on is not copied.
 */
cof_status cof_backup_collect(cof_backup *backup, const void *data, size_t len,
                              cof_error *err) COF_MUST_USE;

/* Collect everything from a descriptor's own position on.  COF_SOURCE where it cannot be read. */
cof_status cof_backup_pump(cof_backup *backup, cof_file *in, cof_error *err) COF_MUST_USE;

/* Tell the caller how far it is. */
cof_status cof_backup_tell(const cof_backup *backup, cof_error *err) COF_MUST_USE;

/* The hook of the catalog's writer; ctx is the backup. */
cof_status cof_backup_catalog_record(void *ctx, uint64_t *number, cof_slice plain,
                                     cof_error *err) COF_MUST_USE;

#endif
