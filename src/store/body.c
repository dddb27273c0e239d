/* SPDX-License-Identifier: Apache-2.0 */

/* Body offsets to file offsets, with every bound checked. */

#include "store/body.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/num.h"

cof_status cof_body_init(cof_body *out, const cof_file *file, uint64_t head_len, cof_error *err)
{
    uint64_t size, len;
    cof_status st = cof_file_size(&size, file, err);

    if (st != COF_OK)
        return st;
    if (!cof_sub_u64(size, head_len, &len))
        return cof_fail_rule(err, COF_FORMAT, "GE-2", size,
                             "%s is cut off: it ends inside its head", cof_file_label(file));
    *out = (cof_body){file, head_len, len};
    return COF_OK;
}

cof_status cof_body_read(void *out, size_t len, const cof_body *body, uint64_t off, cof_error *err)
{
    if (off > body->len || len > body->len - off)
        return cof_fail_rule(err, COF_FORMAT, "GE-2", body->base + body->len,
                             "%s is cut off: it ends at byte %" PRIu64 ", where more should follow",
                             cof_file_label(body->file), body->base + body->len);
    return cof_file_read_full(out, len, body->file, body->base + off, err);
}
