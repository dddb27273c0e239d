/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON: members in the order of the calls, without white space.  The text that comes out
 * is what is signed, byte for byte, and is never written again from its parts.
 */

#include "format/json.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void cof_json_begin(cof_json_builder *b)
{
    b->object = json_object();
    b->status = b->object != NULL ? COF_OK : COF_NOMEM;
}

static void fail(cof_json_builder *b, cof_status status)
{
    json_decref(b->object);
    b->object = NULL;
    if (b->status == COF_OK)
        b->status = status;
}

/* `value` is taken over in any case; NULL means that there was no memory for it. */
static void put(cof_json_builder *b, const char *name, json_t *value)
{
    if (b->object == NULL)
        json_decref(value);
    else if (json_object_set_new(b->object, name, value) != 0)
        fail(b, COF_NOMEM);
}

void cof_json_put_text(cof_json_builder *b, const char *name, const char *text)
{
    if (!cof_utf8_valid(text, strlen(text)))
        fail(b, COF_USAGE);
    else
        put(b, name, json_string(text));
}

void cof_json_put_u64(cof_json_builder *b, const char *name, uint64_t value)
{
    if (value > INT64_MAX)
        fail(b, COF_USAGE);
    else
        put(b, name, json_integer((json_int_t)value));
}

void cof_json_put_bool(cof_json_builder *b, const char *name, bool value)
{
    put(b, name, json_boolean(value));
}

void cof_json_put_time(cof_json_builder *b, const char *name, uint64_t seconds)
{
    char text[COF_TIME_CAP];

    if (!cof_time_format(text, seconds))
        fail(b, COF_USAGE);
    else
        put(b, name, json_string(text));
}

void cof_json_put_uuid(cof_json_builder *b, const char *name, const uint8_t uuid[COF_UUID_LEN])
{
    char text[COF_UUID_TEXT_CAP];

    cof_uuid_format(text, uuid);
    put(b, name, json_string(text));
}

void cof_json_put_hash(cof_json_builder *b, const char *name, const uint8_t *hash)
{
    char text[COF_HEX_CAP(COF_SHA256_SIZE)];

    if (hash == NULL) {
        put(b, name, json_null());
        return;
    }
    cof_hex_encode(text, hash, COF_SHA256_SIZE);
    put(b, name, json_string(text));
}

void cof_json_put_array(cof_json_builder *b, const char *name, json_t *items)
{
    put(b, name, items);
}

void cof_json_append(cof_json_builder *b, json_t *array, cof_json_builder *item)
{
    json_t *object = item->object;

    item->object = NULL; /* transferred */
    if (object == NULL)
        fail(b, item->status);
    else if (json_array_append_new(array, object) != 0)
        fail(b, COF_NOMEM);
}

static int append(const char *text, size_t len, void *buf)
{
    return cof_buf_append(buf, text, len, NULL) == COF_OK ? 0 : -1;
}

cof_status cof_json_finish(cof_json_builder *b, cof_buf *out, cof_error *err)
{
    size_t before = out->len;
    cof_status st = b->status;

    if (st == COF_OK &&
        json_dump_callback(b->object, append, out, JSON_COMPACT | JSON_PRESERVE_ORDER) != 0) {
        out->len = before;
        st = COF_NOMEM;
    }
    json_decref(b->object);
    b->object = NULL;
    if (st == COF_USAGE)
        return cof_fail_rule(err, st, "ST-3", COF_NO_OFFSET,
                             "a text of the statement is not UTF-8, or a number is out of range");
    if (st != COF_OK)
        return cof_fail(err, st, "no memory for the statement");
    return COF_OK;
}
