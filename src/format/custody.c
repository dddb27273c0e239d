/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The custody statement as JSON.  What this file writes it has read again before it gives it out,
 * so that nothing can be signed which no reader accepts.
 */

#include "format/custody.h"

#include "base/secret.h"
#include "format/internal.h"
#include "format/json.h"

#include <stdlib.h>
#include <string.h>

void cof_custody_wipe(cof_custody *custody)
{
    for (size_t i = 0; i < custody->recipient_count; i++)
        free(custody->recipients[i].subject);
    free(custody->recipients);
    free(custody->reason);
    *custody = (cof_custody)COF_CUSTODY_INIT;
}

static cof_status dup_text(char **out, const char *text, cof_error *err)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return cof_fail(err, COF_NOMEM, "no memory for the custody statement");
    *out = copy;
    return COF_OK;
}

cof_status cof_custody_set_reason(cof_custody *custody, const char *reason, cof_error *err)
{
    char *copy = NULL;
    cof_status st;

    if ((st = dup_text(&copy, reason, err)) != COF_OK)
        return st;
    free(custody->reason);
    custody->reason = copy;
    return COF_OK;
}

cof_status cof_custody_add_recipient(cof_custody *custody, const cof_custody_recipient *recipient,
                                     cof_error *err)
{
    cof_custody_recipient copy = *recipient;
    cof_custody_recipient *grown;
    cof_status st;

    if (custody->recipient_count >= COF_RECIPIENTS_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET, "more than %d recipients",
                             COF_RECIPIENTS_MAX);
    if ((st = dup_text(&copy.subject, recipient->subject, err)) != COF_OK)
        return st;
    grown = realloc(custody->recipients, (custody->recipient_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        free(copy.subject);
        return cof_fail(err, COF_NOMEM, "no memory for the custody statement");
    }
    custody->recipients = grown;
    grown[custody->recipient_count++] = copy;
    return COF_OK;
}

cof_status cof_custody_json_sha256(uint8_t out[COF_SHA256_SIZE], cof_slice json, cof_error *err)
{
    return cof_sha256(out, json.data, json.len, err);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void put_recipients(cof_json_builder *b, const cof_custody *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->recipient_count; i++) {
        const cof_custody_recipient *r = &c->recipients[i];
        cof_json_builder item;
        cof_json_begin(&item);
        cof_json_put_hash(&item, "sha256", r->sha256);
        cof_json_put_hash(&item, "spki", r->spki);
        cof_json_put_text(&item, "subject", r->subject);
        cof_json_put_time(&item, "not_after", r->not_after);
        cof_json_put_text(&item, "key", r->key);
        cof_json_append(b, list, &item);
    }
    cof_json_put_array(b, "recipients", list);
}

static cof_status write_json(cof_buf *out, const cof_custody *c, cof_error *err)
{
    cof_json_builder b;

    cof_json_begin(&b);
    cof_json_put_text(&b, "type", COF_TYPE_CUSTODY);
    cof_json_put_uuid(&b, "backup", c->backup);
    cof_json_put_u64(&b, "epoch", c->epoch);
    cof_json_put_hash(&b, "core", c->core);
    cof_json_put_u64(&b, "generation", c->generation);
    cof_json_put_text(&b, "scheme", "any-of-n");
    cof_json_put_hash(&b, "keys", c->keys);
    cof_json_put_hash(&b, "commitment", c->commitment);
    cof_json_put_hash(&b, "proof", c->proof);
    put_recipients(&b, c);
    cof_json_put_hash(&b, "previous", c->has_previous ? c->previous : NULL);
    cof_json_put_hash(&b, "by", c->by);
    cof_json_put_text(&b, "reason", c->reason != NULL ? c->reason : "");
    cof_json_put_time(&b, "time", c->time);
    return cof_json_finish(&b, out, err);
}

cof_status cof_custody_emit(cof_buf *out, const cof_custody *custody, cof_error *err)
{
    cof_custody again = COF_CUSTODY_INIT;
    cof_buf json = COF_BUF_INIT;
    cof_status st;

    if ((st = write_json(&json, custody, err)) != COF_OK ||
        (st = cof_custody_parse(&again, cof_buf_slice(&json), err)) != COF_OK)
        goto out;
    st = cof_buf_append(out, json.data, json.len, err);
out:
    cof_custody_wipe(&again);
    cof_buf_free(&json);
    return cof_format_as_usage(st, err);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* "RSA-" and the bits, or one of the three curves (ST-4). */
static bool key_text_valid(const char *key)
{
    static const char rsa[] = "RSA-";

    if (strcmp(key, "EC-P-256") == 0 || strcmp(key, "EC-P-384") == 0 ||
        strcmp(key, "EC-P-521") == 0)
        return true;
    if (strncmp(key, rsa, strlen(rsa)) != 0)
        return false;
    const char *bits = key + strlen(rsa);
    size_t digits = strspn(bits, "0123456789");
    return digits >= 1 && digits <= 5 && bits[digits] == '\0' && bits[0] != '0';
}

static cof_status parse_recipient(cof_custody_recipient *out, json_t *value, cof_error *err)
{
    cof_json_object o;
    cof_status st;

    if ((st = cof_json_object_init(&o, value, err)) != COF_OK ||
        (st = cof_json_get_hash(&o, "sha256", out->sha256)) != COF_OK ||
        (st = cof_json_get_hash(&o, "spki", out->spki)) != COF_OK ||
        (st = cof_json_dup_text(&o, "subject", &out->subject, COF_STATEMENT_TEXT_MAX)) != COF_OK ||
        (st = cof_json_get_time(&o, "not_after", &out->not_after)) != COF_OK ||
        (st = cof_json_get_text(&o, "key", out->key, sizeof(out->key))) != COF_OK ||
        (st = cof_json_done(&o, false)) != COF_OK)
        return st;
    if (!key_text_valid(out->key))
        return cof_fail_rule(err, COF_FORMAT, "ST-4", COF_NO_OFFSET,
                             "\"key\" in the statement is not a kind of key");
    return COF_OK;
}

static cof_status parse_recipients(cof_custody *c, cof_json_object *o)
{
    json_t *list = NULL;
    cof_status st;

    if ((st = cof_json_get_array(o, "recipients", &list)) != COF_OK)
        return st;
    size_t n = json_array_size(list);
    if (n == 0)
        return cof_fail_rule(o->err, COF_FORMAT, "GE-2", COF_NO_OFFSET,
                             "the custody statement names no recipient");
    if (n > COF_RECIPIENTS_MAX)
        return cof_fail_rule(o->err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                             "the custody statement names %zu recipients", n);
    if ((c->recipients = calloc(n, sizeof(*c->recipients))) == NULL)
        return cof_fail(o->err, COF_NOMEM, "no memory for the custody statement");
    c->recipient_count = n;
    for (size_t i = 0; i < n; i++) {
        if ((st = parse_recipient(&c->recipients[i], json_array_get(list, i), o->err)) != COF_OK)
            return st;
    }
    return COF_OK;
}

static cof_status parse_members(cof_custody *c, cof_json_object *o)
{
    cof_status st;

    if ((st = cof_json_expect(o, "type", COF_TYPE_CUSTODY, COF_FORMAT, "ST-1")) != COF_OK ||
        (st = cof_json_get_uuid(o, "backup", c->backup)) != COF_OK ||
        (st = cof_json_get_u64(o, "epoch", &c->epoch)) != COF_OK ||
        (st = cof_json_get_hash(o, "core", c->core)) != COF_OK ||
        (st = cof_json_get_u64(o, "generation", &c->generation)) != COF_OK ||
        (st = cof_json_expect(o, "scheme", "any-of-n", COF_UNSUPPORTED, "CU-2")) != COF_OK ||
        (st = cof_json_get_hash(o, "keys", c->keys)) != COF_OK ||
        (st = cof_json_get_hash(o, "commitment", c->commitment)) != COF_OK ||
        (st = cof_json_get_hash(o, "proof", c->proof)) != COF_OK ||
        (st = parse_recipients(c, o)) != COF_OK ||
        (st = cof_json_get_hash_or_null(o, "previous", &c->has_previous, c->previous)) != COF_OK ||
        (st = cof_json_get_hash(o, "by", c->by)) != COF_OK ||
        (st = cof_json_dup_text(o, "reason", &c->reason, COF_STATEMENT_TEXT_MAX)) != COF_OK ||
        (st = cof_json_get_time(o, "time", &c->time)) != COF_OK)
        return st;
    return cof_json_done(o, true);
}

cof_status cof_custody_parse(cof_custody *out, cof_slice json, cof_error *err)
{
    cof_custody c = COF_CUSTODY_INIT;
    cof_json_object o;
    json_t *root = NULL;
    cof_status st;

    *out = c;
    if ((st = cof_json_parse(&root, json, err)) != COF_OK ||
        (st = cof_json_object_init(&o, root, err)) != COF_OK ||
        (st = parse_members(&c, &o)) != COF_OK)
        goto out;
    if (c.generation == 0 || c.has_previous != (c.generation > 1)) {
        st = cof_fail_rule(err, COF_FORMAT, "CU-4", COF_NO_OFFSET,
                           "the custody statement has no predecessor, or one too many");
        goto out;
    }
    *out = c;
    c = (cof_custody)COF_CUSTODY_INIT; /* transferred */
out:
    cof_custody_wipe(&c);
    json_decref(root);
    return st;
}
