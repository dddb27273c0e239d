/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_JSON_H
#define COF_FORMAT_JSON_H

/*
 * Strict JSON for signed statements (FORMAT.md ST-3, ST-4): inside this room only.
 *
 * A reader of an object takes its members one by one and then demands that none is left:
 *
 *     cof_json_object o = COF_JSON_OBJECT_INIT(root, err);
 *     if ((st = cof_json_get_uuid(&o, "backup", out->backup)) != COF_OK ||
 *         (st = cof_json_get_u64(&o, "epoch", &out->epoch)) != COF_OK ||
 *         (st = cof_json_done(&o, true)) != COF_OK)
 *         goto out;
 *
 * Each getter takes a member that must be there and have its type: COF_FORMAT (ST-3 or ST-4)
 * otherwise, explained in err; outputs are then untouched.
 */

#include "base/buf.h"
#include "base/error.h"
#include "base/uuid.h"
#include "crypto/digest.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cof_json_object {
    json_t *object; /* borrowed */
    cof_error *err;
    size_t taken; /* members got so far, each under its own name */
} cof_json_object;

/*
 * Parse one JSON object: at most 1 MiB, at most 8 deep (COF_LIMIT, GE-2), no member twice, no
 * minus sign before a number outside the member "x".  The caller owns *out (json_decref); NULL on
 * failure.  COF_FORMAT (ST-3), COF_NOMEM.
 */
cof_status cof_json_parse(json_t **out, cof_slice text, cof_error *err) COF_MUST_USE;

/* Read `value` (an element of an array) as an object.  COF_FORMAT (ST-3) if it is none. */
cof_status cof_json_object_init(cof_json_object *o, json_t *value, cof_error *err) COF_MUST_USE;

/* Demand that all members were taken, except, if allow_x, an object "x". */
cof_status cof_json_done(const cof_json_object *o, bool allow_x) COF_MUST_USE;

/* The member must be exactly this text; a failure names `rule` and is of class `st`. */
cof_status cof_json_expect(cof_json_object *o, const char *name, const char *text, cof_status st,
                           const char *rule) COF_MUST_USE;

cof_status cof_json_get_u64(cof_json_object *o, const char *name, uint64_t *out) COF_MUST_USE;
cof_status cof_json_get_bool(cof_json_object *o, const char *name, bool *out) COF_MUST_USE;
cof_status cof_json_get_hash(cof_json_object *o, const char *name,
                             uint8_t out[COF_SHA256_SIZE]) COF_MUST_USE;
cof_status cof_json_get_uuid(cof_json_object *o, const char *name,
                             uint8_t out[COF_UUID_LEN]) COF_MUST_USE;
cof_status cof_json_get_time(cof_json_object *o, const char *name, uint64_t *out) COF_MUST_USE;

/* A hash, or null: then *has is false and out is zeroed. */
cof_status cof_json_get_hash_or_null(cof_json_object *o, const char *name, bool *has,
                                     uint8_t out[COF_SHA256_SIZE]) COF_MUST_USE;

/* Text of at most cap - 1 bytes into out, NUL-terminated. */
cof_status cof_json_get_text(cof_json_object *o, const char *name, char *out,
                             size_t cap) COF_MUST_USE;

/* A copy of text of at most max bytes, which the caller frees.  Also COF_NOMEM. */
cof_status cof_json_dup_text(cof_json_object *o, const char *name, char **out,
                             size_t max) COF_MUST_USE;

/* Borrow an array. */
cof_status cof_json_get_array(cof_json_object *o, const char *name, json_t **out) COF_MUST_USE;

/*
 * Builds an object member by member.  A failure is remembered and later calls do nothing, so that
 * a statement is written like its description; cof_json_finish() reports it.
 */
typedef struct cof_json_builder {
    json_t *object;    /* owned; NULL after a failure */
    cof_status status; /* COF_NOMEM, or COF_USAGE for text that is not UTF-8 */
} cof_json_builder;

void cof_json_begin(cof_json_builder *b);
void cof_json_put_text(cof_json_builder *b, const char *name, const char *text);
void cof_json_put_u64(cof_json_builder *b, const char *name, uint64_t value);
void cof_json_put_bool(cof_json_builder *b, const char *name, bool value);
void cof_json_put_time(cof_json_builder *b, const char *name, uint64_t seconds);
void cof_json_put_uuid(cof_json_builder *b, const char *name, const uint8_t uuid[COF_UUID_LEN]);

/* hash may be NULL: the member is then null. */
void cof_json_put_hash(cof_json_builder *b, const char *name, const uint8_t *hash);

/* An array of the objects appended to it; `items` is taken over, also on failure. */
void cof_json_put_array(cof_json_builder *b, const char *name, json_t *items);

/* Append the object of *item to array; both are taken care of on failure (b remembers it). */
void cof_json_append(cof_json_builder *b, json_t *array, cof_json_builder *item);

/* Append the object's text to out, without white space, and free it.  out is as it was on failure.
 */
cof_status cof_json_finish(cof_json_builder *b, cof_buf *out, cof_error *err) COF_MUST_USE;

#endif
