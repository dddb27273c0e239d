/* SPDX-License-Identifier: Apache-2.0 */

/* A head that leaves its body takes the manifest along, so that whoever gets it sees what it is. */

#include "engine/alone.h"

#include <inttypes.h>

#include "base/error.h"
#include "engine/envelope.h"
#include "format/limits.h"
#include "os/newfile.h"

/* Room for the envelope: as asked for, else as it is, and if need be more, with some to grow. */
static cof_status choose_slot_size(uint64_t *out, const cof_opened *o, uint64_t asked, size_t need,
                                   cof_error *err)
{
    *out = asked != 0 ? asked : o->head.sb.slot_size;
    if (asked == 0 && need > *out)
        *out = cof_envelope_slot_size((need + 2) / 3);
    if (need <= *out)
        return COF_OK;
    return cof_fail_rule(
        err, COF_LIMIT, "EN-1", COF_NO_OFFSET,
        "the envelope, with the manifest that a head alone needs, takes %zu bytes, "
        "and there would be room for %" PRIu64,
        need, *out);
}

cof_status cof_alone_make(cof_alone *out, const cof_opened *o, uint64_t slot_size, cof_error *err)
{
    cof_superblock sb = o->head.sb;
    cof_buf envelope = COF_BUF_INIT;
    cof_status st;

    sb.role = COF_VOLUME_HEAD_ALONE;
    sb.active_slot = 0;
    if ((st = cof_envelope_with_manifest(&envelope, &o->head.locks.envelope, o->manifest_cms,
                                         UINT64_MAX, o->head.preamble.protection, err)) == COF_OK &&
        (st = choose_slot_size(&sb.slot_size, o, slot_size, envelope.len, err)) == COF_OK &&
        (st = cof_head_describe(&sb, cof_buf_slice(&envelope), err)) == COF_OK)
        st = cof_head_emit(&out->bytes, &sb, cof_buf_slice(&envelope), err);
    out->slot_size = sb.slot_size;
    out->envelope_len = envelope.len;
    cof_buf_free(&envelope);
    return st;
}

cof_status cof_alone_write(const char *path, cof_slice head, bool force, cof_error *err)
{
    cof_newfile *file = NULL;
    cof_status st = cof_newfile_create(&file, path, 0600, err);

    if (st == COF_OK &&
        (st = cof_file_write_at(cof_newfile_file(file), 0, head.data, head.len, err)) == COF_OK)
        st = cof_newfile_publish(file, force, err);
    cof_newfile_free(file);
    return st;
}
