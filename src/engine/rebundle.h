/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_REBUNDLE_H
#define COF_ENGINE_REBUNDLE_H

/*
 * Writing bundles (FORMAT.md 10.2).  A bundle has one SHA-256 over all of it, so that it can be
 * seen to be whole; so it is never changed in place, where power could fail between a head and the
 * hash, but always written as a new file that gets its name in one step.
 */

#include "base/buf.h"
#include "crypto/digest.h"
#include "engine/heads.h"
#include "os/newfile.h"

/* A bundle that is being written.  Zero it first. */
typedef struct cof_bundling {
    cof_newfile *file;
    cof_sha256_ctx *sha;
    uint64_t at;
} cof_bundling;

/* Begin a bundle of so many heads that are so long together.  COF_IO, COF_USAGE, COF_NOMEM. */
cof_status cof_bundling_begin(cof_bundling *out, const char *path, mode_t mode, uint32_t count,
                              uint64_t heads_len, cof_error *err) COF_MUST_USE;

/* The next bytes of the heads, in the order of their core. */
cof_status cof_bundling_add(cof_bundling *bundling, cof_slice bytes, cof_error *err) COF_MUST_USE;

/* The hash, and the name.  With force, in place of a file that has it. */
cof_status cof_bundling_publish(cof_bundling *bundling, bool force, cof_error *err) COF_MUST_USE;
void cof_bundling_wipe(cof_bundling *bundling);

/*
 * What is to become of head number i of a bundle: append its new bytes, as many as it has, or
 * nothing.  Why nothing is between ctx and whoever gave it; the others go on.
 */
typedef void cof_rebundle_fn(void *ctx, size_t i, const cof_file *head, cof_buf *out);

/*
 * Ask for each head of the bundle in path how it is to be changed, and write the bundle anew if any
 * is: one head in memory at a time.  Locked exclusively throughout.  COF_IO, COF_BUSY and others:
 * it is as it was before, and report is told so; or, if only its directory could not be made
 * durable, it is the new one, and may become the old one again.
 */
cof_status cof_rebundle(const char *path, cof_rebundle_fn *ask, void *ctx, const cof_report *report,
                        cof_error *err) COF_MUST_USE;

#endif
