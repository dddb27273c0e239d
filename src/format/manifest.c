/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest as JSON, and what it must have in common with the preamble. */

#include "format/manifest.h"

#include "base/secret.h"
#include "format/internal.h"
#include "format/json.h"

#include <stdlib.h>
#include <string.h>

void cof_manifest_wipe(cof_manifest *manifest)
{
    free(manifest->volumes);
    *manifest = (cof_manifest)COF_MANIFEST_INIT;
}

cof_status cof_manifest_add_volume(cof_manifest *manifest, const cof_manifest_volume *volume,
                                   cof_error *err)
{
    void *volumes = manifest->volumes;
    cof_status st;

    if (manifest->volume_count >= COF_VOLUMES_MAX)
        return cof_fail_rule(err, COF_LIMIT, "MF-3", COF_NO_OFFSET, "too many volumes");
    if ((st = cof_format_grow(&volumes, &manifest->volume_cap, manifest->volume_count,
                              sizeof(*volume), err)) != COF_OK)
        return st;
    manifest->volumes = volumes;
    manifest->volumes[manifest->volume_count++] = *volume;
    return COF_OK;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void put_volumes(cof_json_builder *b, const cof_manifest *m)
{
    json_t *list = json_array();

    for (size_t i = 0; i < m->volume_count; i++) {
        cof_json_builder item;
        cof_json_begin(&item);
        cof_json_put_u64(&item, "bytes", m->volumes[i].bytes);
        cof_json_put_u64(&item, "first_record", m->volumes[i].first_record);
        cof_json_append(b, list, &item);
    }
    cof_json_put_array(b, "volumes", list);
}

static cof_status write_json(cof_buf *out, const cof_manifest *m, cof_error *err)
{
    cof_json_builder b;

    cof_json_begin(&b);
    cof_json_put_text(&b, "type", COF_TYPE_MANIFEST);
    cof_json_put_uuid(&b, "backup", m->backup);
    cof_json_put_u64(&b, "epoch", m->epoch);
    cof_json_put_hash(&b, "core", m->core);
    cof_json_put_hash(&b, "commitment", m->has_commitment ? m->commitment : NULL);
    cof_json_put_hash(&b, "root", m->root);
    cof_json_put_u64(&b, "records", m->records);
    cof_json_put_u64(&b, "data_records", m->data_records);
    cof_json_put_u64(&b, "catalog_records", m->catalog_records);
    cof_json_put_u64(&b, "lineage_records", m->lineage_records);
    cof_json_put_u64(&b, "plain_bytes", m->plain_bytes);
    cof_json_put_text(&b, "content", m->content == COF_CONTENT_TREE ? "tree" : "stream");
    cof_json_put_bool(&b, "complete", m->complete);
    put_volumes(&b, m);
    cof_json_put_time(&b, "started", m->started);
    cof_json_put_time(&b, "finished", m->finished);
    cof_json_put_array(&b, "parents", json_array());
    cof_json_put_hash(&b, "previous", m->has_previous ? m->previous : NULL);
    cof_json_put_hash(&b, "by", m->by);
    cof_json_put_text(&b, "tool", m->tool);
    return cof_json_finish(&b, out, err);
}

cof_status cof_manifest_emit(cof_buf *out, const cof_manifest *manifest, cof_error *err)
{
    cof_manifest again = COF_MANIFEST_INIT;
    cof_buf json = COF_BUF_INIT;
    cof_status st;

    if ((st = write_json(&json, manifest, err)) != COF_OK ||
        (st = cof_manifest_parse(&again, cof_buf_slice(&json), err)) != COF_OK)
        goto out;
    st = cof_buf_append(out, json.data, json.len, err);
out:
    cof_manifest_wipe(&again);
    cof_buf_free(&json);
    return cof_format_as_usage(st, err);
}

/* ---- reading -------------------------------------------------------------------------------- */

static cof_status parse_content(cof_manifest *m, cof_json_object *o)
{
    char text[8];
    cof_status st;

    if ((st = cof_json_get_text(o, "content", text, sizeof(text))) != COF_OK)
        return st;
    if (strcmp(text, "stream") == 0)
        m->content = COF_CONTENT_STREAM;
    else if (strcmp(text, "tree") == 0)
        m->content = COF_CONTENT_TREE;
    else
        return cof_fail_rule(o->err, COF_FORMAT, "ST-4", COF_NO_OFFSET,
                             "\"content\" in the statement is not stream or tree");
    return COF_OK;
}

static cof_status parse_volume(cof_manifest_volume *out, json_t *value, cof_error *err)
{
    cof_json_object o;
    cof_status st;

    if ((st = cof_json_object_init(&o, value, err)) != COF_OK ||
        (st = cof_json_get_u64(&o, "bytes", &out->bytes)) != COF_OK ||
        (st = cof_json_get_u64(&o, "first_record", &out->first_record)) != COF_OK)
        return st;
    return cof_json_done(&o, false);
}

static cof_status parse_volumes(cof_manifest *m, cof_json_object *o)
{
    json_t *list = NULL;
    cof_status st;

    if ((st = cof_json_get_array(o, "volumes", &list)) != COF_OK)
        return st;
    size_t n = json_array_size(list);
    if (n == 0 || n > COF_VOLUMES_MAX)
        return cof_fail_rule(o->err, COF_FORMAT, "MF-3", COF_NO_OFFSET,
                             "the manifest names %zu volumes", n);
    if ((m->volumes = calloc(n, sizeof(*m->volumes))) == NULL)
        return cof_fail(o->err, COF_NOMEM, "no memory for the manifest");
    m->volume_count = m->volume_cap = n;
    for (size_t i = 0; i < n; i++) {
        if ((st = parse_volume(&m->volumes[i], json_array_get(list, i), o->err)) != COF_OK)
            return st;
    }
    return COF_OK;
}

static cof_status parse_parents(cof_json_object *o)
{
    json_t *list = NULL;
    cof_status st;

    if ((st = cof_json_get_array(o, "parents", &list)) != COF_OK)
        return st;
    if (json_array_size(list) != 0)
        return cof_fail_rule(o->err, COF_FORMAT, "ST-4", COF_NO_OFFSET,
                             "\"parents\" in the statement is not empty");
    return COF_OK;
}

static cof_status parse_members(cof_manifest *m, cof_json_object *o)
{
    cof_status st;

    if ((st = cof_json_expect(o, "type", COF_TYPE_MANIFEST, COF_FORMAT, "ST-1")) != COF_OK ||
        (st = cof_json_get_uuid(o, "backup", m->backup)) != COF_OK ||
        (st = cof_json_get_u64(o, "epoch", &m->epoch)) != COF_OK ||
        (st = cof_json_get_hash(o, "core", m->core)) != COF_OK ||
        (st = cof_json_get_hash_or_null(o, "commitment", &m->has_commitment, m->commitment)) !=
            COF_OK ||
        (st = cof_json_get_hash(o, "root", m->root)) != COF_OK ||
        (st = cof_json_get_u64(o, "records", &m->records)) != COF_OK ||
        (st = cof_json_get_u64(o, "data_records", &m->data_records)) != COF_OK ||
        (st = cof_json_get_u64(o, "catalog_records", &m->catalog_records)) != COF_OK ||
        (st = cof_json_get_u64(o, "lineage_records", &m->lineage_records)) != COF_OK ||
        (st = cof_json_get_u64(o, "plain_bytes", &m->plain_bytes)) != COF_OK ||
        (st = parse_content(m, o)) != COF_OK ||
        (st = cof_json_get_bool(o, "complete", &m->complete)) != COF_OK ||
        (st = parse_volumes(m, o)) != COF_OK ||
        (st = cof_json_get_time(o, "started", &m->started)) != COF_OK ||
        (st = cof_json_get_time(o, "finished", &m->finished)) != COF_OK ||
        (st = parse_parents(o)) != COF_OK ||
        (st = cof_json_get_hash_or_null(o, "previous", &m->has_previous, m->previous)) != COF_OK ||
        (st = cof_json_get_hash(o, "by", m->by)) != COF_OK ||
        (st = cof_json_get_text(o, "tool", m->tool, sizeof(m->tool))) != COF_OK)
        return st;
    return cof_json_done(o, true);
}

static cof_status contradiction(cof_error *err, const char *what)
{
    return cof_fail_rule(err, COF_FORMAT, "MF-3", COF_NO_OFFSET,
                         "the manifest contradicts itself in its %s", what);
}

/* MF-3; the sum cannot overflow, each part is below 2^53. */
static cof_status check_counts(const cof_manifest *m, cof_error *err)
{
    if (m->records >= COF_RECORDS_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                             "the manifest claims too many records");
    if (m->records != m->data_records + m->catalog_records + m->lineage_records)
        return contradiction(err, "numbers of records");
    if ((m->lineage_records == 0) != (m->epoch == 0))
        return contradiction(err, "lineage");
    if (m->has_previous != (m->epoch > 0))
        return contradiction(err, "predecessor");
    if (m->volumes[0].first_record != 0)
        return contradiction(err, "first volume");
    for (size_t i = 1; i < m->volume_count; i++) {
        if (m->volumes[i].first_record < m->volumes[i - 1].first_record)
            return contradiction(err, "order of volumes");
    }
    if (m->volumes[m->volume_count - 1].first_record > m->records)
        return contradiction(err, "last volume");
    return COF_OK;
}

cof_status cof_manifest_parse(cof_manifest *out, cof_slice json, cof_error *err)
{
    cof_manifest m = COF_MANIFEST_INIT;
    cof_json_object o;
    json_t *root = NULL;
    cof_status st;

    *out = m;
    if ((st = cof_json_parse(&root, json, err)) != COF_OK ||
        (st = cof_json_object_init(&o, root, err)) != COF_OK ||
        (st = parse_members(&m, &o)) != COF_OK || (st = check_counts(&m, err)) != COF_OK)
        goto out;
    *out = m;
    m = (cof_manifest)COF_MANIFEST_INIT; /* transferred */
out:
    cof_manifest_wipe(&m);
    json_decref(root);
    return st;
}

/* ---- with the preamble ---------------------------------------------------------------------- */

static bool commitment_fits(const cof_manifest *m, const uint8_t *commitment)
{
    if (commitment == NULL)
        return !m->has_commitment;
    return m->has_commitment && cof_equal_consttime(m->commitment, commitment, COF_SHA256_SIZE);
}

cof_status cof_manifest_check(const cof_manifest *m, const cof_preamble *p,
                              const uint8_t core[COF_SHA256_SIZE], const uint8_t *commitment,
                              cof_error *err)
{
    if ((commitment == NULL) != (p->protection == COF_PROTECTION_SIGNED_ONLY))
        return cof_fail(err, COF_INTERNAL, "a commitment without keys, or keys without one");
    if (!cof_equal_consttime(m->backup, p->uuid, sizeof(m->backup)) || m->epoch != p->epoch ||
        !cof_equal_consttime(m->core, core, COF_SHA256_SIZE) || m->content != p->content)
        return cof_fail_rule(err, COF_AUTH, "MF-1", COF_NO_OFFSET,
                             "the manifest belongs to another backup");
    if (!commitment_fits(m, commitment))
        return cof_fail_rule(err, COF_AUTH, "MF-1", COF_NO_OFFSET,
                             "the manifest commits to another key than the custody statement");
    if (m->epoch == 0 && !cof_equal_consttime(m->by, p->maker, COF_SHA256_SIZE))
        return cof_fail_rule(err, COF_AUTH, "MF-2", COF_NO_OFFSET,
                             "the manifest is not by the maker that the backup names");
    return COF_OK;
}
