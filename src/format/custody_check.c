/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a custody statement belong here: to this backup, and to the statements before it?  Nothing
 * below looks at signatures; a chain that holds together may still be somebody's invention.
 */

#include "format/custody.h"

#include "base/secret.h"

#include <inttypes.h>

static cof_status foreign(cof_error *err, const char *what)
{
    return cof_fail_rule(err, COF_AUTH, "CU-1", COF_NO_OFFSET,
                         "the custody statement is for other %s", what);
}

cof_status cof_custody_check_preamble(const cof_custody *custody, const cof_preamble *preamble,
                                      const uint8_t core[COF_SHA256_SIZE],
                                      const uint8_t keys_sha256[COF_SHA256_SIZE], cof_error *err)
{
    if (!cof_equal_consttime(custody->backup, preamble->uuid, sizeof(preamble->uuid)) ||
        custody->epoch != preamble->epoch ||
        !cof_equal_consttime(custody->core, core, COF_SHA256_SIZE))
        return foreign(err, "content than this backup's");
    if (!cof_equal_consttime(custody->keys, keys_sha256, COF_SHA256_SIZE))
        return foreign(err, "wrapped keys than the envelope's");
    return COF_OK;
}

/* CU-7: the only gap that is allowed lies between generation 1 and the run. */
static cof_status check_order(const cof_custody_link *links, size_t i, cof_error *err)
{
    uint64_t before = links[i - 1].statement->generation;
    uint64_t now = links[i].statement->generation;

    if (now > before && (now - before == 1 || (i == 1 && before == 1)))
        return COF_OK;
    return cof_fail_rule(err, COF_FORMAT, "CU-7", COF_NO_OFFSET,
                         "generation %" PRIu64 " stands behind generation %" PRIu64, now, before);
}

static cof_status check_link(const cof_custody_link *before, const cof_custody_link *now,
                             cof_error *err)
{
    const cof_custody *a = before->statement, *b = now->statement;

    if (!cof_equal_consttime(a->backup, b->backup, sizeof(a->backup)))
        return cof_fail_rule(err, COF_AUTH, "CU-8", COF_NO_OFFSET,
                             "generation %" PRIu64 " belongs to another backup", a->generation);
    if (b->epoch < a->epoch)
        return cof_fail_rule(err, COF_AUTH, "CU-8", COF_NO_OFFSET,
                             "generation %" PRIu64 " goes back to an earlier epoch", b->generation);
    if (b->generation - a->generation == 1 &&
        !cof_equal_consttime(b->previous, before->json_sha256, COF_SHA256_SIZE))
        return cof_fail_rule(err, COF_AUTH, "CU-8", COF_NO_OFFSET,
                             "generation %" PRIu64 " does not follow from the statement before it",
                             b->generation);
    return COF_OK;
}

cof_status cof_custody_check_chain(const cof_custody_link *links, size_t n, cof_error *err)
{
    cof_status st;

    for (size_t i = 1; i < n; i++) {
        if ((st = check_order(links, i, err)) != COF_OK ||
            (st = check_link(&links[i - 1], &links[i], err)) != COF_OK)
            return st;
    }
    return COF_OK;
}

uint64_t cof_custody_chain_start(const cof_custody_link *links, size_t n)
{
    size_t i = n - 1;

    while (i > 0 && links[i].statement->generation - links[i - 1].statement->generation == 1)
        i--;
    return links[i].statement->generation;
}
