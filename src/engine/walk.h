/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_WALK_H
#define COF_ENGINE_WALK_H

/*
 * Walking a body frame by frame, hashing every payload into the tree (FORMAT.md, section 3).
 *
 * Where INDEX frames stand follows from the records before them, so a walk knows each byte of them
 * in advance: a damaged one, also one that the disk does not give back, is stepped over and
 * reported, and never needed.  The same holds for the VOLUME-END frames, once the manifest says
 * where volumes end.
 *
 * Payloads are hashed by several threads.  Whatever is told, hooks and failures, comes in order and
 * in the caller's thread.
 *
 * Used by verify, by receive, and to rebuild an index.
 */

#include <coffer/report.h>

#include "format/frame.h"
#include "format/merkle.h"
#include "format/preamble.h"
#include "format/tail.h"
#include "store/body.h"

/* Where a frame stands. */
typedef struct cof_place {
    uint32_t volume;
    uint64_t offset; /* in its body */
} cof_place;

typedef struct cof_walk_hooks {
    /* len bytes of the body, always the next ones: a pipe has no places.  COF_FORMAT at its end. */
    cof_status (*read)(void *ctx, void *out, size_t len, cof_place from, cof_error *err);

    /* Every byte that was read, in order, before the next read; for a copy.  May be NULL. */
    cof_status (*copy)(void *ctx, const void *data, size_t len, cof_error *err);

    /*
     * A record whose payload has been hashed; payload may be overwritten; it is NULL with
     * hash_only. May be NULL.
     */
    cof_status (*record)(void *ctx, const cof_frame *frame, const uint8_t *entry, uint8_t *payload,
                         cof_place at, cof_error *err);

    /*
     * What else is to be done with each payload, which may be overwritten, before `record` is told
     * of it.  In any thread, and in several at once: worker is a number below `threads`, and
     * belongs to one of them.  May be NULL.
     */
    cof_status (*work)(void *ctx, unsigned worker, const cof_frame *frame, const uint8_t *header,
                       uint8_t *payload, cof_error *err);

    unsigned threads; /* that hash; 0 counts as 1 */
    cof_body *body;   /* what read() reads, so that these threads can read it, too; NULL: a pipe */
    cof_stats *stats; /* NULL, or where times are added to in the end */
    bool hash_only;   /* neither `record` nor `work` looks at payloads */

    /* An INDEX frame, intact or not.  May be NULL. */
    cof_status (*index)(void *ctx, const cof_index_ref *ref, cof_error *err);

    /*
     * What must stand at a place where something else does, if the records before it are those that
     * were signed: an INDEX or VOLUME-END frame.  May be NULL.
     */
    cof_status (*differs)(void *ctx, cof_place at, cof_slice expected, cof_error *err);

    void *ctx;
} cof_walk_hooks;

struct cof_manifest;

/* Where the next record must go on. */
typedef struct cof_order {
    uint64_t next;
    uint64_t data; /* bytes of all DATA records so far, whatever their streams */
    uint16_t stream;
    uint64_t begin; /* what data was when the present stream of DATA began */
    uint64_t catalog_end, lineage_end;
    uint64_t of_kind[4]; /* records of each kind */
    bool lineage;
} cof_order;

/* RC-1, RC-2, RC-4, RC-10: does the record follow those before it?  Counts it if so. */
cof_status cof_order_check(cof_order *order, const cof_frame *frame, const cof_preamble *preamble,
                           uint64_t at, cof_error *err) COF_MUST_USE;

/* RC-10, after the last record. */
cof_status cof_order_finish(const cof_order *order, const struct cof_manifest *manifest,
                            cof_error *err) COF_MUST_USE;

/* What a walk has seen; the totals are compared with the manifest by cof_walk_check(). */
typedef struct cof_walk {
    const cof_preamble *preamble; /* borrowed */
    cof_walk_hooks hooks;
    const struct cof_manifest *manifest; /* borrowed: says how long each volume is; or NULL: what is
                                            walked is one volume, up to TAIL */
    const cof_report *report;

    uint32_t volume;
    uint64_t at;     /* offset of the next frame in its body */
    uint64_t before; /* bytes of the volumes before it */
    cof_order order;
    uint64_t by_kind[4];  /* records of each kind */
    uint64_t plain_bytes; /* of DATA records */
    size_t damaged;       /* INDEX frames that are not those of the records; whose fault it is, only
                             the root says */
    size_t damaged_ends;  /* VOLUME-END frames that are not as they must be */
    cof_merkle tree;
    cof_frame tail; /* the header that ended a walk whose end was not known */

    /* Inside the walk. */
    uint8_t *pending; /* entries since the last INDEX */
    size_t pending_count;
    uint64_t pending_first; /* number of the first of them */
    uint64_t pending_at;    /* body offset of the first of their frames */
    uint64_t end;     /* body offset at which the frames of this volume end, its VOLUME-END apart;
                         or COF_NO_OFFSET: with TAIL */
    bool after_index; /* ancillary frames may stand here */
    bool closing;     /* and nothing else but the end */
    uint8_t *payload; /* the largest that a record can have */
    bool broken;      /* something was wrong with a record */
    struct cof_payloads *payloads; /* those of records, on their way into the tree */
} cof_walk;

/*
 * Get ready; manifest is that of the backup, or NULL for one volume whose length is not known.
 * COF_NOMEM.  The caller wipes *out, also after a failure.
 */
cof_status cof_walk_init(cof_walk *out, const cof_preamble *preamble, const cof_walk_hooks *hooks,
                         const struct cof_manifest *manifest, const cof_report *report,
                         cof_error *err) COF_MUST_USE;

/* Walk to the end.  COF_FORMAT, COF_UNSUPPORTED, COF_LIMIT, or what a hook returned. */
cof_status cof_walk_run(cof_walk *walk, cof_error *err) COF_MUST_USE;

/* MF-5, MF-6: is what was walked what the manifest says?  COF_AUTH, COF_FORMAT. */
cof_status cof_walk_check(const cof_walk *walk, const struct cof_manifest *manifest,
                          cof_error *err) COF_MUST_USE;

void cof_walk_wipe(cof_walk *walk);

#endif
