/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_RESEAL_H
#define COF_ENGINE_RESEAL_H

/*
 * The body of a rekey: every record of a backup, proven, decrypted and sealed again under another
 * data key, and what its lineage needs behind them (FORMAT.md, sections 3.9 and 9).
 */

#include "engine/reader.h"
#include "engine/write.h"

typedef struct cof_reseal {
    cof_reader *reader;           /* the old backup; its opened.dek is needed */
    const cof_preamble *preamble; /* the new one */
    const cof_schedule *schedule; /* of the new data key */
    cof_writer *writer;           /* stands at the start of the new body */
} cof_reseal;

/*
 * Write the records.  *manifests gets those of all earlier epochs, oldest first, count of them,
 * owned by the caller: cof_reseal_manifests_free().  COF_AUTH, COF_FORMAT, COF_IO, COF_LIMIT,
 * COF_NOMEM, COF_CANCELLED.
 */
cof_status cof_reseal_run(const cof_reseal *job, cof_buf **manifests, size_t *count,
                          cof_error *err) COF_MUST_USE;

void cof_reseal_manifests_free(cof_buf *manifests, size_t count);

#endif
