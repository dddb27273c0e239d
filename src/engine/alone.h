/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_ALONE_H
#define COF_ENGINE_ALONE_H

/* Making a head alone of the head of a backup (FORMAT.md, HA-1). */

#include "engine/open.h"

typedef struct cof_alone {
    cof_buf bytes; /* owned: the whole head, at rest */
    uint64_t slot_size, envelope_len;
} cof_alone;

#define COF_ALONE_INIT                                                                             \
    {                                                                                              \
        COF_BUF_INIT, 0, 0                                                                         \
    }

/*
 * The head that was opened, as role 1, with the manifest.  slot_size 0: as it is, or more where
 * that is too small.  COF_LIMIT: it does not fit into slot_size, or into any; COF_NOMEM.  The
 * caller wipes *out with cof_buf_free(&out->bytes), also after a failure.
 */
cof_status cof_alone_make(cof_alone *out, const cof_opened *opened, uint64_t slot_size,
                          cof_error *err) COF_MUST_USE;

/*
 * Write a head alone into a new file, mode 0600, which appears under its name whole and durable or
 * not at all.  Without force COF_USAGE if it exists.  COF_IO.
 */
cof_status cof_alone_write(const char *path, cof_slice head, bool force,
                           cof_error *err) COF_MUST_USE;

#endif
