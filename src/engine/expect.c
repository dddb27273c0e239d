/* SPDX-License-Identifier: Apache-2.0 */

/* Genuine is not enough: is it the one that is meant, and not an older one? */

#include <inttypes.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "engine/open.h"

cof_status cof_expectation_check(const cof_expectation *expected, const cof_info *info,
                                 cof_error *err)
{
    if (expected->uuid != NULL && strcasecmp(expected->uuid, info->uuid) != 0)
        return cof_fail(err, COF_POLICY, "it is the backup %s, not the expected one", info->uuid);
    if (info->generation < expected->min_generation)
        return cof_fail(err, COF_POLICY,
                        "its list of recipients is of generation %" PRIu64
                        ", older than the %" PRIu64 " that is demanded",
                        info->generation, expected->min_generation);
    if (expected->custody_sha256 != NULL && info->custody_sha256[0] == '\0')
        return cof_fail(err, COF_POLICY,
                        "it is signed only: it has no custody statement, let alone the expected "
                        "one");
    if (expected->custody_sha256 != NULL &&
        strcasecmp(expected->custody_sha256, info->custody_sha256) != 0)
        return cof_fail(
            err, COF_POLICY,
            "its custody statement (generation %" PRIu64 ") has the hash %s, not the expected one",
            info->generation, info->custody_sha256[0] != '\0' ? info->custody_sha256 : "of none");
    return COF_OK;
}

cof_status cof_locks_expect(const cof_locks *locks, const cof_preamble *preamble,
                            const cof_expectation *expected, cof_error *err)
{
    const cof_link *newest = cof_locks_newest(locks);
    cof_info info = {.generation = newest == NULL ? 0 : newest->custody.generation};

    if (expected == NULL)
        return COF_OK;
    cof_uuid_format(info.uuid, preamble->uuid);
    if (newest != NULL)
        cof_hex_encode(info.custody_sha256, newest->json_sha256, 32);
    return cof_expectation_check(expected, &info, err);
}

cof_status cof_opened_expect(const cof_opened *o, const cof_expectation *expected, cof_error *err)
{
    return cof_locks_expect(&o->head.locks, &o->head.preamble, expected, err);
}
