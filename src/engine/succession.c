/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The order of custody statements.
 *
 * A generation is a number that its author chose; what shows an order is `previous`, which nobody
 * can make before he has seen what it is the hash of.
 */

#include "engine/succession.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/secret.h"
#include "engine/unlock.h"
#include "format/limits.h"

/* No honest chain gets there: that would be a rotation each second for 136 years. */
#define IMPLAUSIBLE (UINT64_C(1) << 32)

/* Is this the word of somebody trusted who knew the data key? */
static cof_status is_sound(bool *out, const cof_opened *o, const cof_link *link, cof_error *err)
{
    *out = false;
    if (link->judgement.standing != COF_STANDING_TRUSTED)
        return COF_OK;
    return cof_unlock_check_proof(out, o->schedule, &link->custody, err);
}

static cof_status highest_sound(uint64_t *out, cof_opened *o, cof_error *err)
{
    cof_locks *locks = &o->head.locks;
    cof_status st = cof_locks_judge_history(locks, err);

    *out = 1; /* there was a first generation, whether it is here or not */
    for (size_t i = 0; st == COF_OK && i < locks->chain_count; i++) {
        bool sound;

        st = is_sound(&sound, o, &locks->chain[i], err);
        if (st == COF_OK && sound && locks->chain[i].custody.generation > *out)
            *out = locks->chain[i].custody.generation;
    }
    return st;
}

cof_status cof_succession_next(uint64_t *out, cof_opened *o, cof_error *err)
{
    uint64_t last = cof_locks_newest(&o->head.locks)->custody.generation;
    bool believed = o->custody_problem[0] == '\0';
    cof_status st = COF_OK;

    if (!believed && last >= IMPLAUSIBLE)
        st = highest_sound(&last, o, err);
    if (st == COF_OK && last >= COF_JSON_INTEGER_MAX)
        st = cof_fail_rule(err, COF_LIMIT, "CH-8", COF_NO_OFFSET,
                           "its list of recipients is of generation %" PRIu64
                           ", after which there is no other: whoever wrote it could open the "
                           "backup and had the key of a custodian; make the data a new backup",
                           last);
    *out = last + 1;
    return st;
}

static bool equal(const uint8_t a[32], const uint8_t b[32])
{
    return cof_equal_consttime(a, b, 32);
}

/* From statement i on, are all of consecutive generations? */
static bool is_run(const cof_locks *locks, size_t i)
{
    for (; i + 1 < locks->chain_count; i++)
        if (locks->chain[i + 1].custody.generation != locks->chain[i].custody.generation + 1)
            return false;
    return true;
}

static bool links(const cof_opened *present, const cof_locks *next)
{
    const cof_link *last = cof_locks_newest(&present->head.locks);
    bool believed = present->custody_problem[0] == '\0';

    for (size_t i = 0; i < next->chain_count; i++) {
        const cof_custody *c = &next->chain[i].custody;

        if (c->has_previous && equal(c->previous, last->json_sha256))
            return is_run(next, i) && (!believed || c->generation == last->custody.generation + 1);
    }
    return false;
}

static bool holds(const cof_locks *locks, const uint8_t json_sha256[32])
{
    for (size_t i = 0; i < locks->chain_count; i++)
        if (equal(locks->chain[i].json_sha256, json_sha256))
            return true;
    return false;
}

/* Does the chain lead back to this statement, be it in it or not? */
static bool follows(const cof_locks *locks, const uint8_t json_sha256[32])
{
    const cof_custody *first = &locks->chain[0].custody;

    return holds(locks, json_sha256) ||
           (first->has_previous && equal(first->previous, json_sha256));
}

cof_succession cof_succession_judge(const cof_opened *present, const cof_locks *next)
{
    const cof_link *a = cof_locks_newest(&present->head.locks), *b = cof_locks_newest(next);

    if (equal(a->json_sha256, b->json_sha256))
        return COF_SUCCESSION_SAME;
    if (links(present, next))
        return COF_SUCCESSION_NEXT;
    if (present->custody_problem[0] != '\0' && follows(&present->head.locks, b->json_sha256))
        return COF_SUCCESSION_BACK;
    if (holds(&present->head.locks, b->json_sha256) ||
        b->custody.generation < a->custody.generation)
        return COF_SUCCESSION_OLDER;
    return b->custody.generation == a->custody.generation ? COF_SUCCESSION_FORK
                                                          : COF_SUCCESSION_UNLINKED;
}
