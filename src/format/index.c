/* SPDX-License-Identifier: Apache-2.0 */
/* The payload of INDEX frames.  It repeats what the records before it say, and proves nothing. */

#include "format/index.h"

#include "format/internal.h"
#include "wire/wire.h"

#include <inttypes.h>

bool cof_index_range_valid(uint64_t first, uint64_t count)
{
    return count >= 1 && count <= COF_INDEX_RECORDS - first % COF_INDEX_RECORDS;
}

static cof_status check(const cof_index *index, cof_error *err)
{
    if (!cof_index_range_valid(index->first_record, index->count))
        return cof_fail_rule(err, COF_FORMAT, "IX-2", COF_NO_OFFSET,
                             "an index of %" PRIu32 " records from %" PRIu64 " on", index->count,
                             index->first_record);
    if (index->first_record > COF_RECORDS_MAX - index->count)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                             "an index of records from %" PRIu64 " on", index->first_record);
    if (index->volume == 0 || index->volume > COF_VOLUMES_MAX)
        return cof_fail_rule(err, COF_FORMAT, "IX-2", COF_NO_OFFSET, "an index of volume %" PRIu32,
                             index->volume);
    return COF_OK;
}

cof_status cof_index_emit(cof_buf *out, const cof_index *index, cof_error *err)
{
    size_t before = out->len;
    cof_put w;
    cof_status st;

    if ((st = check(index, err)) != COF_OK)
        return cof_format_as_usage(st, err);
    cof_put_init_buf(&w, out);
    if ((st = cof_put_u32(&w, index->volume)) != COF_OK ||
        (st = cof_put_u32(&w, index->count)) != COF_OK ||
        (st = cof_put_u64(&w, index->first_offset)) != COF_OK ||
        (st = cof_put_u64(&w, index->first_record)) != COF_OK ||
        (st = cof_put_bytes(&w, index->entries, (size_t)index->count * COF_ENTRY_SIZE)) != COF_OK) {
        out->len = before;
        return cof_fail(err, st, "no memory for an index");
    }
    return COF_OK;
}

cof_status cof_index_parse(cof_index *out, const uint8_t header[COF_INDEX_HEADER_SIZE],
                           uint64_t len, cof_error *err)
{
    cof_index index = {cof_be32_load(header), cof_be32_load(header + 4), cof_be64_load(header + 8),
                       cof_be64_load(header + 16), NULL};
    cof_status st;

    if ((st = check(&index, err)) != COF_OK)
        return st;
    if (len != COF_INDEX_HEADER_SIZE + (uint64_t)index.count * COF_ENTRY_SIZE)
        return cof_fail_rule(err, COF_FORMAT, "GE-3", COF_NO_OFFSET,
                             "an index of %" PRIu32 " records has the wrong length", index.count);
    *out = index;
    return COF_OK;
}
