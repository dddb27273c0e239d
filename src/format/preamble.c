/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The preamble.  A cof_preamble that came out of cof_preamble_parse() breaks none of PR-1 to PR-4,
 * and emitting it gives the bytes that were parsed, so `core` can be computed from either.
 */

#include "format/preamble.h"

#include "base/text.h"
#include "format/internal.h"
#include "wire/wire.h"

#include <string.h>

static bool label_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool cof_label_valid(const char *label, size_t len)
{
    if (len == 0)
        return true;
    if (len > COF_LABEL_MAX || label[0] == '.' || label[0] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!label_char(label[i]))
            return false;
    }
    return true;
}

uint32_t cof_preamble_tag_len(const cof_preamble *p)
{
    return p->protection == COF_PROTECTION_SEALED ? COF_AEAD_TAG_SIZE : 0;
}

static cof_status check_kinds(const cof_preamble *p, cof_error *err)
{
    const char *unknown = NULL;

    if (p->cipher > COF_CIPHER_CHACHA20_POLY1305)
        unknown = "cipher";
    else if (p->tree_hash != COF_TREE_HASH_SHA256)
        unknown = "tree hash";
    else if (p->key_schedule > COF_KEY_SCHEDULE_V1)
        unknown = "key schedule";
    else if (p->content != COF_CONTENT_STREAM && p->content != COF_CONTENT_TREE)
        unknown = "kind of content";
    else if (p->protection != COF_PROTECTION_SEALED && p->protection != COF_PROTECTION_SIGNED_ONLY)
        unknown = "kind of protection";
    else if (p->body_incompat != 0)
        unknown = "feature of the body";
    if (unknown == NULL)
        return COF_OK;
    return cof_fail_rule(err, COF_UNSUPPORTED, "PR-1", COF_NO_OFFSET,
                         "the backup uses a %s that this version does not know", unknown);
}

static cof_status check_values(const cof_preamble *p, cof_error *err)
{
    bool sealed = p->protection == COF_PROTECTION_SEALED;

    if (p->record_size < COF_RECORD_SIZE_MIN || p->record_size > COF_RECORD_SIZE_MAX ||
        p->record_size % COF_BLOCK_SIZE != 0)
        return cof_fail_rule(err, COF_FORMAT, "PR-2", COF_NO_OFFSET,
                             "the preamble has an impossible record size");
    if (p->created > COF_TIME_MAX)
        return cof_fail_rule(err, COF_FORMAT, "PR-2", COF_NO_OFFSET,
                             "the preamble has an impossible time of creation");
    if (sealed != (p->cipher != COF_CIPHER_NONE) ||
        sealed != (p->key_schedule == COF_KEY_SCHEDULE_V1))
        return cof_fail_rule(err, COF_FORMAT, "PR-3", COF_NO_OFFSET,
                             "protection, cipher and key schedule contradict each other");
    if (!cof_label_valid(p->label, strnlen(p->label, sizeof(p->label))))
        return cof_fail_rule(err, COF_FORMAT, "PR-4", COF_NO_OFFSET,
                             "the label is not empty or 1 to 64 of A-Z a-z 0-9 . _ -, not starting "
                             "with . or -");
    return COF_OK;
}

cof_status cof_preamble_emit(uint8_t out[COF_PREAMBLE_SIZE], const cof_preamble *p, cof_error *err)
{
    uint8_t raw[COF_PREAMBLE_SIZE];
    cof_put w;
    cof_status st;

    if ((st = check_kinds(p, err)) != COF_OK || (st = check_values(p, err)) != COF_OK)
        return cof_format_as_usage(st, err);
    size_t label_len = strlen(p->label);
    cof_put_init(&w, raw, sizeof(raw));
    if (cof_put_bytes(&w, p->uuid, sizeof(p->uuid)) != COF_OK ||
        cof_put_u32(&w, p->epoch) != COF_OK || cof_put_u32(&w, p->record_size) != COF_OK ||
        cof_put_u64(&w, p->created) != COF_OK || cof_put_u8(&w, (uint8_t)p->cipher) != COF_OK ||
        cof_put_u8(&w, p->tree_hash) != COF_OK || cof_put_u8(&w, p->key_schedule) != COF_OK ||
        cof_put_u8(&w, (uint8_t)p->content) != COF_OK ||
        cof_put_u8(&w, (uint8_t)p->protection) != COF_OK ||
        cof_put_u8(&w, (uint8_t)label_len) != COF_OK || cof_put_zeros(&w, 2) != COF_OK ||
        cof_put_u32(&w, p->body_incompat) != COF_OK || cof_put_zeros(&w, 4) != COF_OK ||
        cof_put_bytes(&w, p->salt, sizeof(p->salt)) != COF_OK ||
        cof_put_bytes(&w, p->maker, sizeof(p->maker)) != COF_OK ||
        cof_put_bytes(&w, p->label, label_len) != COF_OK ||
        cof_put_zeros_until(&w, sizeof(raw)) != COF_OK)
        return cof_fail(err, COF_INTERNAL, "the preamble does not fit its own size");
    memcpy(out, raw, sizeof(raw));
    return COF_OK;
}

/* Take the fields apart; the enumerations are checked by the caller, before anybody uses them. */
static cof_status get_fields(cof_preamble *p, const uint8_t raw[COF_PREAMBLE_SIZE], cof_error *err)
{
    uint8_t cipher, content, protection, label_len;
    cof_get g;
    cof_status st;

    cof_get_init(&g, raw, COF_PREAMBLE_SIZE);
    if ((st = cof_get_bytes(&g, p->uuid, sizeof(p->uuid))) != COF_OK ||
        (st = cof_get_u32(&g, &p->epoch)) != COF_OK ||
        (st = cof_get_u32(&g, &p->record_size)) != COF_OK ||
        (st = cof_get_u64(&g, &p->created)) != COF_OK || (st = cof_get_u8(&g, &cipher)) != COF_OK ||
        (st = cof_get_u8(&g, &p->tree_hash)) != COF_OK ||
        (st = cof_get_u8(&g, &p->key_schedule)) != COF_OK ||
        (st = cof_get_u8(&g, &content)) != COF_OK || (st = cof_get_u8(&g, &protection)) != COF_OK ||
        (st = cof_get_u8(&g, &label_len)) != COF_OK || (st = cof_get_skip_zeros(&g, 2)) != COF_OK ||
        (st = cof_get_u32(&g, &p->body_incompat)) != COF_OK ||
        (st = cof_get_skip_zeros(&g, 4)) != COF_OK ||
        (st = cof_get_bytes(&g, p->salt, sizeof(p->salt))) != COF_OK ||
        (st = cof_get_bytes(&g, p->maker, sizeof(p->maker))) != COF_OK)
        return cof_fail_rule(err, st, "PR-5", COF_NO_OFFSET,
                             "reserved bytes of the preamble are not zero");
    if (label_len > COF_LABEL_MAX)
        return cof_fail_rule(err, COF_FORMAT, "PR-4", COF_NO_OFFSET,
                             "the label claims %u bytes, more than %d", label_len, COF_LABEL_MAX);
    if ((st = cof_get_bytes(&g, p->label, label_len)) != COF_OK ||
        (st = cof_get_skip_zeros(&g, g.left)) != COF_OK)
        return cof_fail_rule(err, st, "PR-5", COF_NO_OFFSET,
                             "bytes behind the label of the preamble are not zero");
    p->cipher = (cof_cipher)cipher;
    p->content = (cof_content)content;
    p->protection = (cof_protection)protection;
    /* A NUL inside would end the text early, and what follows it would go unchecked. */
    if (strlen(p->label) != label_len)
        return cof_fail_rule(err, COF_FORMAT, "PR-4", COF_NO_OFFSET, "the label contains a NUL");
    return COF_OK;
}

cof_status cof_preamble_parse(cof_preamble *out, const uint8_t raw[COF_PREAMBLE_SIZE],
                              cof_error *err)
{
    cof_preamble p;
    cof_status st;

    memset(&p, 0, sizeof(p));
    if ((st = get_fields(&p, raw, err)) != COF_OK || (st = check_kinds(&p, err)) != COF_OK ||
        (st = check_values(&p, err)) != COF_OK)
        return st;
    *out = p;
    return COF_OK;
}

cof_status cof_preamble_core(uint8_t out[COF_SHA256_SIZE], const uint8_t raw[COF_PREAMBLE_SIZE],
                             cof_error *err)
{
    return cof_sha256(out, raw, COF_PREAMBLE_SIZE, err);
}
