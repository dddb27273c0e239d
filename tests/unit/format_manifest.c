/* SPDX-License-Identifier: Apache-2.0 */

/* Does the manifest keep ST-1, ST-3, ST-4 and MF-1 to MF-3? */

#include "format_statement.h"

#include "format/manifest.h"

static const char MANIFEST[] =
    "{\"type\":\"coffer.manifest.v1\",\"backup\":\"" UUID "\",\"epoch\":0,\"core\":\"" HEX_A "\","
    "\"commitment\":\"" HEX_B "\",\"root\":\"" HEX_A "\",\"records\":30,\"data_records\":20,"
    "\"catalog_records\":10,\"lineage_records\":0,\"plain_bytes\":123,\"content\":\"stream\","
    "\"complete\":true,\"volumes\":[{\"bytes\":4567,\"first_record\":0},{\"bytes\":1,"
    "\"first_record\":30}],\"started\":\"2026-11-24T10:15:02Z\","
    "\"finished\":\"2026-11-24T10:15:03Z\",\"parents\":[],\"previous\":null,\"by\":\"" HEX_B "\","
    "\"tool\":\"coffer 0.1.0\"}";

static void manifest_comes_back(void **state)
{
    (void)state;
    cof_manifest m;
    cof_buf out = COF_BUF_INIT;

    assert_ok(cof_manifest_parse(&m, slice_of(MANIFEST), NULL));
    assert_int_equal(m.volume_count, 2);
    assert_int_equal(m.volumes[1].first_record, 30);
    assert_int_equal(m.content, COF_CONTENT_STREAM);
    assert_true(m.complete);
    assert_false(m.has_previous);
    assert_string_equal(m.tool, "coffer 0.1.0");
    assert_ok(cof_manifest_emit(&out, &m, NULL));
    assert_true(cof_slice_equal(cof_buf_slice(&out), slice_of(MANIFEST)));

    out.len = 0; /* a tree after a rekey, incomplete, signed-only */
    m.content = COF_CONTENT_TREE;
    m.complete = m.has_commitment = false;
    m.epoch = 1;
    m.has_previous = true;
    m.lineage_records = 1;
    m.records++;
    assert_ok(cof_manifest_emit(&out, &m, NULL));
    cof_manifest_wipe(&m);
    assert_ok(cof_manifest_parse(&m, cof_buf_slice(&out), NULL));
    assert_int_equal(m.content, COF_CONTENT_TREE);
    assert_false(m.has_commitment);
    assert_true(m.has_previous);
    cof_manifest_wipe(&m);
    cof_buf_free(&out);
}

static void each_broken_rule_is_refused(void **state)
{
    (void)state;
    static const change changes[] = {
        {"coffer.manifest.v1", "coffer.custody.v1", COF_FORMAT, "ST-1"},
        {"\"epoch\":0", "\"epoch\":0,\"x\":[]", COF_FORMAT, "ST-3"},
        {"\"epoch\":0", "\"epoch\":0,\"more\":1", COF_FORMAT, "ST-3"},
        {"\"records\":30", "\"records\":30.0", COF_FORMAT, "ST-3"},
        {"\"root\":\"a", "\"root\":\"A", COF_FORMAT, "ST-4"},
        {"\"root\":\"" HEX_A "\"", "\"root\":null", COF_FORMAT, "ST-3"},
        {"\"content\":\"stream\"", "\"content\":\"files\"", COF_FORMAT, "ST-4"},
        {"\"content\":\"stream\"", "\"content\":\"streamstream\"", COF_FORMAT, "ST-4"},
        {"\"complete\":true", "\"complete\":1", COF_FORMAT, "ST-3"},
        {"\"parents\":[]", "\"parents\":[1]", COF_FORMAT, "ST-4"},
        {"\"parents\":[]", "\"parents\":null", COF_FORMAT, "ST-3"},
        {"\"first_record\":30", "\"first_record\":30,\"x\":{}", COF_FORMAT, "ST-3"},
        {"{\"bytes\":4567,\"first_record\":0}", "7", COF_FORMAT, "ST-3"},
        {"coffer 0.1.0",
         "a tool with a name of more than sixty-four bytes, which nobody wants to read", COF_FORMAT,
         "ST-4"},
        {"\"records\":30", "\"records\":29", COF_FORMAT, "MF-3"},
        {"\"catalog_records\":10", "\"catalog_records\":9007199254740991", COF_FORMAT, "MF-3"},
        {"\"data_records\":20,\"catalog_records\":10,\"lineage_records\":0",
         "\"data_records\":20,\"catalog_records\":9,\"lineage_records\":1", COF_FORMAT, "MF-3"},
        {"\"epoch\":0", "\"epoch\":1", COF_FORMAT, "MF-3"},
        {"\"previous\":null", "\"previous\":\"" HEX_A "\"", COF_FORMAT, "MF-3"},
        {"\"first_record\":0", "\"first_record\":1", COF_FORMAT, "MF-3"},
        {"\"first_record\":30", "\"first_record\":31", COF_FORMAT, "MF-3"},
        {"\"first_record\":30", "\"first_record\":30},{\"bytes\":1,\"first_record\":29", COF_FORMAT,
         "MF-3"},
        {"{\"bytes\":4567,\"first_record\":0},{\"bytes\":1,\"first_record\":30}", "", COF_FORMAT,
         "MF-3"},
        {"\"records\":30,\"data_records\":20",
         "\"records\":281474976710656,\"data_records\":281474976710646", COF_LIMIT, "GE-2"},
    };
    cof_manifest m;
    cof_error err;

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char *text = changed(MANIFEST, changes[i].from, changes[i].to);
        assert_rule(cof_manifest_parse(&m, slice_of(text), &err), err, changes[i].class,
                    changes[i].rule);
        assert_null(m.volumes);
        free(text);
    }
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    cof_manifest m;

    for (size_t len = 0; len < strlen(MANIFEST); len++) {
        uint8_t *cut = malloc(len == 0 ? 1 : len);
        assert_non_null(cut);
        memcpy(cut, MANIFEST, len);
        assert_int_equal(cof_manifest_parse(&m, (cof_slice){cut, len}, NULL), COF_FORMAT);
        free(cut);
    }
}

static void writers_refuse_what_readers_would(void **state)
{
    (void)state;
    cof_manifest m = COF_MANIFEST_INIT;
    cof_manifest_volume volume = {UINT64_C(123456789012), 0};
    cof_buf out = COF_BUF_INIT;
    cof_error err;

    m.content = COF_CONTENT_TREE;
    assert_rule(cof_manifest_emit(&out, &m, &err), err, COF_USAGE, "MF-3"); /* no volume */
    assert_ok(cof_manifest_add_volume(&m, &volume, NULL));
    assert_ok(cof_manifest_emit(&out, &m, NULL));
    out.len = 0;
    m.records = 1;
    assert_rule(cof_manifest_emit(&out, &m, &err), err, COF_USAGE, "MF-3");
    m.records = 0;
    while (m.volume_count < COF_VOLUMES_MAX)
        assert_ok(cof_manifest_add_volume(&m, &volume, NULL));
    assert_rule(cof_manifest_add_volume(&m, &volume, &err), err, COF_LIMIT, "MF-3");
    assert_rule(cof_manifest_emit(&out, &m, &err), err, COF_LIMIT, "GE-2"); /* over a mebibyte */
    assert_int_equal(out.len, 0);
    cof_manifest_wipe(&m);
    cof_buf_free(&out);
}

static void manifest_and_preamble_agree(void **state)
{
    (void)state;
    uint8_t core[32], commitment[32];
    cof_preamble p = sample_preamble(), q;
    cof_manifest m;
    cof_error err;

    memset(core, 0xAA, sizeof(core));
    memset(commitment, 0xBB, sizeof(commitment));
    assert_ok(cof_manifest_parse(&m, slice_of(MANIFEST), NULL));
    memcpy(p.uuid, m.backup, sizeof(p.uuid));
    memset(p.maker, 0xBB, sizeof(p.maker));
    assert_ok(cof_manifest_check(&m, &p, core, commitment, NULL));

    q = p;
    q.uuid[0] ^= 1;
    assert_rule(cof_manifest_check(&m, &q, core, commitment, &err), err, COF_AUTH, "MF-1");
    q = p;
    q.epoch = 1;
    assert_rule(cof_manifest_check(&m, &q, core, commitment, &err), err, COF_AUTH, "MF-1");
    q = p;
    q.content = COF_CONTENT_TREE;
    assert_rule(cof_manifest_check(&m, &q, core, commitment, &err), err, COF_AUTH, "MF-1");
    assert_rule(cof_manifest_check(&m, &p, commitment, commitment, &err), err, COF_AUTH, "MF-1");
    assert_rule(cof_manifest_check(&m, &p, core, core, &err), err, COF_AUTH, "MF-1");
    q = p;
    q.maker[0] ^= 1;
    assert_rule(cof_manifest_check(&m, &q, core, commitment, &err), err, COF_AUTH, "MF-2");
    q.epoch = 1;
    m.epoch = 1; /* after a rekey the signer may be another */
    assert_ok(cof_manifest_check(&m, &q, core, commitment, NULL));
    m.epoch = 0;

    assert_int_equal(cof_manifest_check(&m, &p, core, NULL, NULL), COF_INTERNAL);
    p.protection = COF_PROTECTION_SIGNED_ONLY;
    assert_rule(cof_manifest_check(&m, &p, core, NULL, &err), err, COF_AUTH, "MF-1");
    m.has_commitment = false;
    assert_ok(cof_manifest_check(&m, &p, core, NULL, NULL));
    p.protection = COF_PROTECTION_SEALED;
    assert_rule(cof_manifest_check(&m, &p, core, commitment, &err), err, COF_AUTH, "MF-1");
    cof_manifest_wipe(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest_comes_back),
        cmocka_unit_test(each_broken_rule_is_refused),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(writers_refuse_what_readers_would),
        cmocka_unit_test(manifest_and_preamble_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
