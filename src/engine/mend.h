/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_MEND_H
#define COF_ENGINE_MEND_H

/*
 * Places of a backup that are not as they must be, with the bytes that belong there, collected
 * while it is read and written when all of it has been judged.  The bytes wait in an unlinked file.
 */

#include <coffer/repair.h>

#include "store/body.h"

#define COF_MENDS_MAX ((size_t)1 << 16)

/* What of stream 0 a record holds; plain_len 0: nothing of it. */
typedef struct cof_lost {
    uint64_t offset;
    uint32_t plain_len;
} cof_lost;

typedef struct cof_mend {
    cof_repair_item item;
    cof_lost lost;    /* with a record that stays damaged */
    uint64_t spooled; /* where its bytes are, if it is repairable */
} cof_mend;

typedef struct cof_mends {
    cof_mend *list;
    size_t count, cap;
    cof_file *spool; /* NULL until it is needed */
    uint64_t used;
} cof_mends;

#define COF_MENDS_INIT                                                                             \
    {                                                                                              \
        .list = NULL                                                                               \
    }

/*
 * Note a place; bytes are what belongs there, empty if nobody knows.  item.repairable is set here,
 * and item.length if there are bytes.  COF_LIMIT beyond COF_MENDS_MAX, COF_IO, COF_NOMEM.
 */
cof_status cof_mends_add(cof_mends *mends, const cof_repair_item *item, cof_slice bytes,
                         cof_error *err) COF_MUST_USE;

/* Forget all from number `from` on. */
void cof_mends_cut(cof_mends *mends, size_t from);

/*
 * Write the bytes of every repairable one, in order, each durable before the next; first is volume
 * 1, opened for writing, the others are opened by the paths that body knows.  COF_IO; COF_FORMAT if
 * a volume is not the file any more that it was.
 */
cof_status cof_mends_write(const cof_mends *mends, cof_file *first, const cof_body *body,
                           cof_error *err) COF_MUST_USE;

void cof_mends_wipe(cof_mends *mends);

#endif
