/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading strict JSON.  jansson does the parsing; what it is more generous about than signed
 * statements can afford is refused before (depth, size, minus zero) or after it (types, ranges,
 * members that nobody asked for).
 */

#include "format/json.h"

#include "base/text.h"
#include "format/limits.h"

#include <stdlib.h>
#include <string.h>

static cof_status broken(cof_error *err, const char *name, const char *problem)
{
    return cof_fail_rule(err, COF_FORMAT, "ST-3", COF_NO_OFFSET, "\"%s\" in the statement %s", name,
                         problem);
}

/* ---- the text ------------------------------------------------------------------------------- */

/* The index of the quote that ends the string which starts at i, or text.len. */
static size_t string_end(cof_slice text, size_t i)
{
    for (i++; i < text.len && text.data[i] != '"'; i++) {
        if (text.data[i] == '\\')
            i++;
    }
    return i < text.len ? i : text.len;
}

/* There are two ways to write the name x. */
static bool spells_x(cof_slice string)
{
    static const char plain[] = "x", escaped[] = "\\u0078";

    return cof_slice_equal(string, (cof_slice){(const uint8_t *)plain, strlen(plain)}) ||
           cof_slice_equal(string, (cof_slice){(const uint8_t *)escaped, strlen(escaped)});
}

/*
 * Walk over the text before the parser, which recurses, sees it.  Minus signs are refused here
 * since afterwards -0 cannot be told from 0; not in "x", whose content is nobody's business.
 */
static cof_status prescan(cof_slice text, cof_error *err)
{
    size_t depth = 0;
    bool x_is_last = false; /* the last string of the outermost object was "x" */
    bool in_x = false;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '"') {
            size_t end = string_end(text, i);
            if (depth == 1)
                x_is_last = spells_x((cof_slice){text.data + i + 1, end - i - 1});
            i = end;
        } else if (c == '{' || c == '[') {
            if (++depth > COF_JSON_DEPTH_MAX)
                return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                                     "the statement is nested too deeply");
            in_x = in_x || (depth == 2 && x_is_last);
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
            in_x = in_x && depth > 1;
        } else if (c == '-' && !in_x) {
            return cof_fail_rule(err, COF_FORMAT, "ST-3", COF_NO_OFFSET,
                                 "the statement has a negative number");
        }
    }
    return COF_OK;
}

cof_status cof_json_parse(json_t **out, cof_slice text, cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];
    json_error_t detail;
    json_t *root = NULL;
    cof_status st;

    *out = NULL;
    if (text.len > COF_STATEMENT_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET, "a statement of %zu bytes",
                             text.len);
    if ((st = prescan(text, err)) != COF_OK)
        return st;
    root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &detail);
    if (root == NULL && detail.text[0] == '\0') /* so jansson says that it got no memory */
        return cof_fail(err, COF_NOMEM, "no memory for the statement");
    if (root == NULL)
        return cof_fail_rule(err, COF_FORMAT, "ST-3", COF_NO_OFFSET,
                             "the statement is not JSON: %s",
                             cof_text_safe_str(safe, sizeof(safe), detail.text));
    if (!json_is_object(root)) {
        json_decref(root);
        return cof_fail_rule(err, COF_FORMAT, "ST-3", COF_NO_OFFSET,
                             "the statement is not one JSON object");
    }
    *out = root;
    return COF_OK;
}

/* ---- an object ------------------------------------------------------------------------------ */

cof_status cof_json_object_init(cof_json_object *o, json_t *value, cof_error *err)
{
    if (!json_is_object(value))
        return cof_fail_rule(err, COF_FORMAT, "ST-3", COF_NO_OFFSET,
                             "an element of the statement is not an object");
    *o = (cof_json_object){value, err, 0};
    return COF_OK;
}

cof_status cof_json_done(const cof_json_object *o, bool allow_x)
{
    size_t expected = o->taken;
    const json_t *x = allow_x ? json_object_get(o->object, "x") : NULL;

    if (x != NULL) {
        if (!json_is_object(x))
            return broken(o->err, "x", "is not an object");
        expected++;
    }
    /* Members are unique, and each was taken under its own name: equal counts mean equal sets. */
    if (json_object_size(o->object) != expected)
        return cof_fail_rule(o->err, COF_FORMAT, "ST-3", COF_NO_OFFSET,
                             "the statement has members that are not known");
    return COF_OK;
}

static cof_status take(cof_json_object *o, const char *name, json_t **value)
{
    json_t *v = json_object_get(o->object, name);

    if (v == NULL)
        return broken(o->err, name, "is missing");
    o->taken++;
    *value = v;
    return COF_OK;
}

static cof_status take_string(cof_json_object *o, const char *name, cof_slice *out)
{
    json_t *v = NULL;
    cof_status st;

    if ((st = take(o, name, &v)) != COF_OK)
        return st;
    if (!json_is_string(v))
        return broken(o->err, name, "is not a text");
    *out = (cof_slice){(const uint8_t *)json_string_value(v), json_string_length(v)};
    return COF_OK;
}

/* ST-4: the text is there, but not in its one spelling. */
static cof_status misspelt(const cof_json_object *o, const char *name, const char *what)
{
    return cof_fail_rule(o->err, COF_FORMAT, "ST-4", COF_NO_OFFSET,
                         "\"%s\" in the statement is not %s", name, what);
}

cof_status cof_json_expect(cof_json_object *o, const char *name, const char *text, cof_status st,
                           const char *rule)
{
    cof_slice s = COF_SLICE_INIT;
    cof_slice wanted = {(const uint8_t *)text, strlen(text)};
    cof_status taken;

    if ((taken = take_string(o, name, &s)) != COF_OK)
        return taken;
    if (!cof_slice_equal(s, wanted))
        return cof_fail_rule(o->err, st, rule, COF_NO_OFFSET,
                             "\"%s\" in the statement is not \"%s\"", name, text);
    return COF_OK;
}

cof_status cof_json_get_u64(cof_json_object *o, const char *name, uint64_t *out)
{
    json_t *v = NULL;
    cof_status st;

    if ((st = take(o, name, &v)) != COF_OK)
        return st;
    if (!json_is_integer(v))
        return broken(o->err, name, "is not an integer");
    json_int_t n = json_integer_value(v);
    if (n < 0 || (uint64_t)n > COF_JSON_INTEGER_MAX)
        return broken(o->err, name, "is out of range");
    *out = (uint64_t)n;
    return COF_OK;
}

cof_status cof_json_get_bool(cof_json_object *o, const char *name, bool *out)
{
    json_t *v = NULL;
    cof_status st;

    if ((st = take(o, name, &v)) != COF_OK)
        return st;
    if (!json_is_boolean(v))
        return broken(o->err, name, "is not true or false");
    *out = json_is_true(v);
    return COF_OK;
}

cof_status cof_json_get_hash(cof_json_object *o, const char *name, uint8_t out[COF_SHA256_SIZE])
{
    cof_slice s = COF_SLICE_INIT;
    cof_status st;

    if ((st = take_string(o, name, &s)) != COF_OK)
        return st;
    if (!cof_hex_decode(out, COF_SHA256_SIZE, (const char *)s.data, s.len, COF_HEX_LOWER))
        return misspelt(o, name, "a hash of 64 lower-case digits");
    return COF_OK;
}

cof_status cof_json_get_hash_or_null(cof_json_object *o, const char *name, bool *has,
                                     uint8_t out[COF_SHA256_SIZE])
{
    cof_status st;

    if (!json_is_null(json_object_get(o->object, name))) {
        if ((st = cof_json_get_hash(o, name, out)) != COF_OK)
            return st;
        *has = true;
        return COF_OK;
    }
    o->taken++;
    *has = false;
    memset(out, 0, COF_SHA256_SIZE);
    return COF_OK;
}

cof_status cof_json_get_uuid(cof_json_object *o, const char *name, uint8_t out[COF_UUID_LEN])
{
    cof_slice s = COF_SLICE_INIT;
    cof_status st;

    if ((st = take_string(o, name, &s)) != COF_OK)
        return st;
    if (!cof_uuid_parse(out, (const char *)s.data, s.len))
        return misspelt(o, name, "a UUID");
    return COF_OK;
}

cof_status cof_json_get_time(cof_json_object *o, const char *name, uint64_t *out)
{
    cof_slice s = COF_SLICE_INIT;
    cof_status st;

    if ((st = take_string(o, name, &s)) != COF_OK)
        return st;
    if (!cof_time_parse(out, (const char *)s.data, s.len))
        return misspelt(o, name, "a time in UTC");
    return COF_OK;
}

cof_status cof_json_get_text(cof_json_object *o, const char *name, char *out, size_t cap)
{
    cof_slice s = COF_SLICE_INIT;
    cof_status st;

    if ((st = take_string(o, name, &s)) != COF_OK)
        return st;
    if (s.len >= cap)
        return misspelt(o, name, "short enough");
    memcpy(out, s.data, s.len);
    out[s.len] = '\0';
    return COF_OK;
}

cof_status cof_json_dup_text(cof_json_object *o, const char *name, char **out, size_t max)
{
    cof_slice s = COF_SLICE_INIT;
    char *copy;
    cof_status st;

    if ((st = take_string(o, name, &s)) != COF_OK)
        return st;
    if (s.len > max)
        return misspelt(o, name, "short enough");
    if ((copy = strndup((const char *)s.data, s.len)) == NULL)
        return cof_fail(o->err, COF_NOMEM, "no memory for the statement");
    *out = copy;
    return COF_OK;
}

cof_status cof_json_get_array(cof_json_object *o, const char *name, json_t **out)
{
    json_t *v = NULL;
    cof_status st;

    if ((st = take(o, name, &v)) != COF_OK)
        return st;
    if (!json_is_array(v))
        return broken(o->err, name, "is not an array");
    *out = v;
    return COF_OK;
}
