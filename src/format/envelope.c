/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The envelope: a sequence of items behind a header.  Here their order, number and size are
 * checked; what is inside them is for those who can verify it.
 */

#include "format/envelope.h"

#include "base/num.h"
#include "format/internal.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <string.h>

#define MAGIC            "COFENV1\n"
#define MAGIC_SIZE       8
#define ITEM_HEADER_SIZE 8
#define FLAG_CRITICAL    0x8000

enum {
    ITEM_KEYS = 1,
    ITEM_CUSTODY,
    ITEM_HISTORY,
    ITEM_RECIPIENT,
    ITEM_SIGNER,
    ITEM_MANIFEST,
    ITEM_KINDS
};

static const struct {
    const char *name;
    uint32_t max_len;
    size_t max_count;
    cof_status too_many; /* FORMAT where section 2.3 gives the number, LIMIT where section 1 does */
    const char *rule;
} KINDS[ITEM_KINDS] = {
    [ITEM_KEYS] = {"KEYS", COF_KEYS_ITEM_MAX, 1, COF_FORMAT, "EN-2"},
    [ITEM_CUSTODY] = {"CUSTODY", COF_STATEMENT_MAX, 1, COF_FORMAT, "EN-2"},
    [ITEM_HISTORY] = {"HISTORY", COF_STATEMENT_MAX, COF_HISTORY_MAX, COF_LIMIT, "GE-2"},
    [ITEM_RECIPIENT] = {"RECIPIENT", COF_CERTIFICATE_MAX, COF_RECIPIENTS_MAX, COF_LIMIT, "GE-2"},
    [ITEM_SIGNER] = {"SIGNER", COF_CERTIFICATE_MAX, COF_SIGNERS_MAX, COF_FORMAT, "EN-2"},
    [ITEM_MANIFEST] = {"MANIFEST", COF_STATEMENT_MAX, 1, COF_FORMAT, "EN-2"},
};

uint64_t cof_envelope_slot_size(uint64_t len)
{
    uint64_t wanted;

    if (!cof_mul_u64(len, 4, &wanted) || !cof_add_u64(wanted, COF_BLOCK_SIZE / 2, &wanted))
        wanted = COF_SLOT_SIZE_MAX;
    wanted -= wanted % COF_BLOCK_SIZE;
    return cof_min_u64(cof_max_u64(wanted, COF_SLOT_SIZE_MIN), COF_SLOT_SIZE_MAX);
}

void cof_envelope_wipe(cof_envelope *env)
{
    cof_slices_wipe(&env->history);
    cof_slices_wipe(&env->recipients);
    cof_slices_wipe(&env->signers);
    *env = (cof_envelope)COF_ENVELOPE_INIT;
}

cof_status cof_envelope_peek_len(uint64_t *out, const uint8_t header[COF_ENVELOPE_HEADER_SIZE],
                                 uint64_t slot_size, cof_error *err)
{
    uint64_t len;
    cof_get g;
    cof_status st;

    cof_get_init(&g, header, COF_ENVELOPE_HEADER_SIZE);
    if ((st = cof_get_expect(&g, MAGIC, MAGIC_SIZE)) != COF_OK ||
        (st = cof_get_u64(&g, &len)) != COF_OK)
        return cof_fail_rule(err, st, "EN-1", COF_NO_OFFSET,
                             "there is no envelope where one must stand");
    if (len < COF_ENVELOPE_HEADER_SIZE || len > slot_size)
        return cof_fail_rule(err, COF_FORMAT, "EN-1", COF_NO_OFFSET,
                             "the envelope claims %" PRIu64 " bytes", len);
    *out = len;
    return COF_OK;
}

/* ---- how many of which ---------------------------------------------------------------------- */

/* Where items of a type that stands at most once live; NULL for the lists. */
static cof_slice *single_of(cof_envelope *env, unsigned type)
{
    switch (type) {
    case ITEM_KEYS:
        return &env->keys;
    case ITEM_CUSTODY:
        return &env->custody;
    case ITEM_MANIFEST:
        return &env->manifest;
    default:
        return NULL;
    }
}

static cof_slices *list_of(cof_envelope *env, unsigned type)
{
    switch (type) {
    case ITEM_HISTORY:
        return &env->history;
    case ITEM_RECIPIENT:
        return &env->recipients;
    default:
        return &env->signers;
    }
}

static cof_status check_item(unsigned type, size_t before, uint64_t len, cof_error *err)
{
    if (len == 0)
        return cof_fail_rule(err, COF_FORMAT, "EN-1", COF_NO_OFFSET, "an empty %s item",
                             KINDS[type].name);
    if (len > KINDS[type].max_len)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                             "a %s item of %" PRIu64 " bytes, more than %" PRIu32, KINDS[type].name,
                             len, KINDS[type].max_len);
    if (before >= KINDS[type].max_count)
        return cof_fail_rule(err, KINDS[type].too_many, KINDS[type].rule, COF_NO_OFFSET,
                             "more than %zu %s items", KINDS[type].max_count, KINDS[type].name);
    return COF_OK;
}

/* EN-2 over the whole. */
static cof_status check_counts(const cof_envelope *env, cof_protection protection, cof_error *err)
{
    bool sealed = protection == COF_PROTECTION_SEALED;

    if (sealed && (env->keys.len == 0 || env->custody.len == 0 || env->recipients.count == 0))
        return cof_fail_rule(err, COF_FORMAT, "EN-2", COF_NO_OFFSET,
                             "the envelope lacks its keys, custody statement or recipients");
    if (!sealed && (env->keys.len != 0 || env->custody.len != 0 || env->history.count != 0 ||
                    env->recipients.count != 0))
        return cof_fail_rule(err, COF_FORMAT, "EN-2", COF_NO_OFFSET,
                             "the envelope of a signed-only backup locks something");
    if (env->signers.count == 0)
        return cof_fail_rule(err, COF_FORMAT, "EN-2", COF_NO_OFFSET,
                             "the envelope names no signer");
    return COF_OK;
}

/* ---- reading -------------------------------------------------------------------------------- */

static cof_status take_item(cof_envelope *env, unsigned type, cof_slice value, cof_error *err)
{
    cof_slice *single = single_of(env, type);
    cof_status st;

    if (single == NULL) {
        cof_slices *list = list_of(env, type);
        if ((st = check_item(type, list->count, value.len, err)) != COF_OK)
            return st;
        return cof_slices_add(list, value, err);
    }
    if ((st = check_item(type, single->len == 0 ? 0 : 1, value.len, err)) != COF_OK)
        return st;
    *single = value;
    return COF_OK;
}

/* EN-3 and EN-4: may this item be taken, or only skipped? */
static cof_status check_flags(unsigned type, unsigned flags, bool *known, cof_error *err)
{
    *known = type >= ITEM_KEYS && type < ITEM_KINDS;
    if ((flags & ~(unsigned)FLAG_CRITICAL) != 0 || (*known && flags != FLAG_CRITICAL))
        return cof_fail_rule(err, COF_FORMAT, "EN-3", COF_NO_OFFSET,
                             "an item of type %u has flags 0x%04x", type, flags);
    if (!*known && flags == FLAG_CRITICAL)
        return cof_fail_rule(err, COF_UNSUPPORTED, "EN-4", COF_NO_OFFSET,
                             "the envelope has an item of unknown type %u that must be understood",
                             type);
    return COF_OK;
}

static cof_status parse_item(cof_envelope *env, cof_get *g, uint16_t *last, cof_error *err)
{
    cof_slice value = COF_SLICE_INIT;
    uint16_t type, flags;
    uint32_t len;
    bool known;
    cof_status st;

    if (cof_get_u16(g, &type) != COF_OK || cof_get_u16(g, &flags) != COF_OK ||
        cof_get_u32(g, &len) != COF_OK || cof_get_slice(g, &value, len) != COF_OK || len == 0)
        return cof_fail_rule(err, COF_FORMAT, "EN-1", COF_NO_OFFSET,
                             "an item of the envelope is cut off or empty");
    if (type < *last)
        return cof_fail_rule(err, COF_FORMAT, "EN-2", COF_NO_OFFSET,
                             "an item of type %u stands behind one of type %u", type, *last);
    *last = type;
    if ((st = check_flags(type, flags, &known, err)) != COF_OK)
        return st;
    return known ? take_item(env, type, value, err) : COF_OK;
}

cof_status cof_envelope_parse(cof_envelope *out, cof_slice raw, cof_protection protection,
                              cof_error *err)
{
    cof_envelope env = COF_ENVELOPE_INIT;
    uint16_t last = 0;
    uint64_t len;
    cof_get g;
    cof_status st;

    *out = env;
    if (raw.len < COF_ENVELOPE_HEADER_SIZE)
        return cof_fail_rule(err, COF_FORMAT, "EN-1", COF_NO_OFFSET, "the envelope is cut off");
    if ((st = cof_envelope_peek_len(&len, raw.data, COF_SLOT_SIZE_MAX, err)) != COF_OK)
        return st;
    if (len != raw.len)
        return cof_fail_rule(err, COF_FORMAT, "EN-1", COF_NO_OFFSET,
                             "the envelope claims %" PRIu64 " bytes but has %zu", len, raw.len);
    cof_get_init(&g, raw.data + COF_ENVELOPE_HEADER_SIZE, raw.len - COF_ENVELOPE_HEADER_SIZE);
    while (g.left > 0) {
        if ((st = parse_item(&env, &g, &last, err)) != COF_OK)
            goto out;
    }
    if ((st = check_counts(&env, protection, err)) != COF_OK)
        goto out;
    *out = env;
    env = (cof_envelope)COF_ENVELOPE_INIT; /* transferred */
out:
    cof_envelope_wipe(&env);
    return st;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* The items of one type, whether it is a list or stands once. */
static const cof_slice *items_of(const cof_envelope *env, unsigned type, size_t *count)
{
    const cof_slice *const singles[ITEM_KINDS] = {
        [ITEM_KEYS] = &env->keys, [ITEM_CUSTODY] = &env->custody, [ITEM_MANIFEST] = &env->manifest};
    const cof_slices *const lists[ITEM_KINDS] = {[ITEM_HISTORY] = &env->history,
                                                 [ITEM_RECIPIENT] = &env->recipients,
                                                 [ITEM_SIGNER] = &env->signers};

    if (singles[type] != NULL) {
        *count = singles[type]->len == 0 ? 0 : 1;
        return singles[type];
    }
    *count = lists[type]->count;
    return lists[type]->items;
}

static cof_status measure(uint64_t *total, const cof_envelope *env, cof_error *err)
{
    uint64_t sum = COF_ENVELOPE_HEADER_SIZE;
    cof_status st;

    for (unsigned type = ITEM_KEYS; type < ITEM_KINDS; type++) {
        size_t n;
        const cof_slice *items = items_of(env, type, &n);
        for (size_t i = 0; i < n; i++) {
            if ((st = check_item(type, i, items[i].len, err)) != COF_OK)
                return st;
            sum += ITEM_HEADER_SIZE + items[i].len; /* both bounds are small */
        }
    }
    if (sum > COF_SLOT_SIZE_MAX)
        return cof_fail_rule(err, COF_LIMIT, "EN-1", COF_NO_OFFSET,
                             "the envelope would be %" PRIu64 " bytes, more than any slot holds",
                             sum);
    *total = sum;
    return COF_OK;
}

static cof_status put_item(cof_put *w, unsigned type, cof_slice item)
{
    cof_status st;

    if ((st = cof_put_u16(w, (uint16_t)type)) != COF_OK ||
        (st = cof_put_u16(w, FLAG_CRITICAL)) != COF_OK ||
        (st = cof_put_u32(w, (uint32_t)item.len)) != COF_OK)
        return st;
    return cof_put_slice(w, item);
}

static cof_status put_envelope(cof_put *w, const cof_envelope *env, uint64_t total)
{
    cof_status st;

    if ((st = cof_put_bytes(w, MAGIC, MAGIC_SIZE)) != COF_OK ||
        (st = cof_put_u64(w, total)) != COF_OK)
        return st;
    for (unsigned type = ITEM_KEYS; type < ITEM_KINDS; type++) {
        size_t n;
        const cof_slice *items = items_of(env, type, &n);
        for (size_t i = 0; i < n; i++) {
            if ((st = put_item(w, type, items[i])) != COF_OK)
                return st;
        }
    }
    return COF_OK;
}

cof_status cof_envelope_emit(cof_buf *out, const cof_envelope *env, cof_protection protection,
                             cof_error *err)
{
    size_t before = out->len;
    uint64_t total = 0;
    cof_put w;
    cof_status st;

    if ((st = check_counts(env, protection, err)) != COF_OK ||
        (st = measure(&total, env, err)) != COF_OK)
        return cof_format_as_usage(st, err);
    cof_put_init_buf(&w, out);
    if ((st = put_envelope(&w, env, total)) != COF_OK) {
        out->len = before;
        return cof_fail(err, st, "no memory for the envelope");
    }
    return COF_OK;
}
