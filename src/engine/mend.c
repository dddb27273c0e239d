/* SPDX-License-Identifier: Apache-2.0 */

/* Collecting and writing (CH-6).  Nothing here decides anything. */

#include "engine/mend.h"

#include <stdlib.h>

#include "base/error.h"
#include "store/spool.h"

static cof_status spool(cof_mends *m, cof_slice bytes, cof_error *err)
{
    cof_status st = COF_OK;

    if (m->spool == NULL && (st = cof_spool_new(&m->spool, NULL, err)) != COF_OK)
        return st;
    if ((st = cof_file_write_at(m->spool, m->used, bytes.data, bytes.len, err)) == COF_OK)
        m->used += bytes.len;
    return st;
}

cof_status cof_mends_add(cof_mends *m, const cof_repair_item *item, cof_slice bytes, cof_error *err)
{
    size_t cap = m->cap == 0 ? 16 : 2 * m->cap;
    cof_mend *more;
    cof_status st;

    if (m->count >= COF_MENDS_MAX)
        return cof_fail(err, COF_LIMIT, "more than %zu places of the backup are damaged",
                        COF_MENDS_MAX);
    if (m->count == m->cap) {
        if ((more = reallocarray(m->list, cap, sizeof(*more))) == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        m->list = more;
        m->cap = cap;
    }
    m->list[m->count] = (cof_mend){.item = *item, .spooled = m->used};
    m->list[m->count].item.repairable = bytes.len > 0;
    if (bytes.len > 0)
        m->list[m->count].item.length = bytes.len;
    if (bytes.len > 0 && (st = spool(m, bytes, err)) != COF_OK)
        return st;
    m->count++;
    return COF_OK;
}

void cof_mends_cut(cof_mends *m, size_t from)
{
    m->count = from < m->count ? from : m->count;
}

/* The file of a volume, opened for writing; *owned says that it is to be closed. */
static cof_status open_volume(cof_file **out, bool *owned, cof_file *first, const cof_body *body,
                              uint32_t volume, cof_error *err)
{
    const cof_file_id known = cof_body_identity(body, volume);
    cof_file_id id;
    cof_status st;

    *owned = volume != 1;
    *out = first;
    if (volume == 1)
        return COF_OK;
    if ((st = cof_file_open_rw(out, cof_body_path(body, volume), err)) != COF_OK ||
        (st = cof_file_identity(&id, *out, err)) != COF_OK)
        return st;
    if (id.dev != known.dev || id.ino != known.ino)
        return cof_fail(err, COF_FORMAT, "%s is another file now than the one that was looked at",
                        cof_file_label(*out));
    return COF_OK;
}

static cof_status write_one(const cof_mends *m, const cof_mend *mend, cof_file *file,
                            cof_error *err)
{
    cof_buf bytes = COF_BUF_INIT;
    cof_status st = cof_buf_append_zeros(&bytes, (size_t)mend->item.length, err);

    if (st == COF_OK &&
        (st = cof_file_read_full(bytes.data, bytes.len, m->spool, mend->spooled, err)) == COF_OK &&
        (st = cof_file_write_at(file, mend->item.offset, bytes.data, bytes.len, err)) == COF_OK)
        st = cof_file_sync(file, err);
    cof_buf_free(&bytes);
    return st;
}

cof_status cof_mends_write(const cof_mends *m, cof_file *first, const cof_body *body,
                           cof_error *err)
{
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < m->count; i++) {
        const cof_mend *mend = &m->list[i];
        cof_file *file = NULL;
        bool owned = false;

        if (!mend->item.repairable)
            continue;
        if ((st = open_volume(&file, &owned, first, body, mend->item.volume, err)) == COF_OK)
            st = write_one(m, mend, file, err);
        if (owned)
            cof_file_free(file);
    }
    return st;
}

void cof_mends_wipe(cof_mends *m)
{
    free(m->list);
    cof_file_free(m->spool);
    *m = (cof_mends)COF_MENDS_INIT;
}
