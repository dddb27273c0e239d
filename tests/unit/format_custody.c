/* SPDX-License-Identifier: Apache-2.0 */

/* Does the custody statement keep ST-1, ST-3, ST-4 and CU-1, CU-2, CU-4, CU-7, CU-8? */

#include "format_statement.h"

#include "format/custody.h"

#define RECIPIENT                                                                                  \
    "{\"sha256\":\"" HEX_A "\",\"spki\":\"" HEX_B "\",\"subject\":\"CN=ops,O=\xC3\x84\","          \
    "\"not_after\":\"2029-11-24T00:00:00Z\",\"key\":\"RSA-3072\"}"

static const char STATEMENT[] =
    "{\"type\":\"coffer.custody.v1\",\"backup\":\"" UUID "\",\"epoch\":0,\"core\":\"" HEX_A "\","
    "\"generation\":3,\"scheme\":\"any-of-n\",\"keys\":\"" HEX_B "\",\"commitment\":\"" HEX_A "\","
    "\"proof\":\"" HEX_B "\",\"recipients\":[" RECIPIENT "],\"previous\":\"" HEX_A
    "\",\"by\":\"" HEX_B "\",\"reason\":\"yearly renewal\",\"time\":\"2026-11-24T10:15:02Z\"}";

static void statement_comes_back(void **state)
{
    (void)state;
    cof_custody c;
    cof_buf out = COF_BUF_INIT;

    assert_ok(cof_custody_parse(&c, slice_of(STATEMENT), NULL));
    assert_int_equal(c.generation, 3);
    assert_true(c.has_previous);
    assert_int_equal(c.recipient_count, 1);
    assert_string_equal(c.recipients[0].subject, "CN=ops,O=\xC3\x84");
    assert_string_equal(c.recipients[0].key, "RSA-3072");
    assert_string_equal(c.reason, "yearly renewal");
    assert_int_equal(c.time, 1795515302);
    assert_ok(cof_custody_emit(&out, &c, NULL));
    assert_true(cof_slice_equal(cof_buf_slice(&out), slice_of(STATEMENT)));
    cof_custody_wipe(&c);
    cof_custody_wipe(&c); /* twice is fine */
    cof_buf_free(&out);
}

static void statement_is_built(void **state)
{
    (void)state;
    cof_custody c = COF_CUSTODY_INIT, got;
    char subject[] = "CN=a";
    cof_custody_recipient r = {.subject = subject, .key = "EC-P-384", .not_after = 1};
    cof_buf out = COF_BUF_INIT;

    c.generation = 1;
    for (size_t i = 0; i < COF_RECIPIENTS_MAX; i++)
        assert_ok(cof_custody_add_recipient(&c, &r, NULL));
    assert_int_equal(cof_custody_add_recipient(&c, &r, NULL), COF_LIMIT);
    assert_ok(cof_custody_emit(&out, &c, NULL)); /* without a reason */
    assert_ok(cof_custody_parse(&got, cof_buf_slice(&out), NULL));
    assert_string_equal(got.reason, "");
    assert_int_equal(got.recipient_count, COF_RECIPIENTS_MAX);
    assert_ok(cof_custody_set_reason(&c, "because", NULL));
    assert_ok(cof_custody_set_reason(&c, "\"", NULL));
    cof_custody_wipe(&got);
    cof_custody_wipe(&c);
    cof_buf_free(&out);
}

static const change BROKEN[] = {
    {"coffer.custody.v1", "coffer.manifest.v1", COF_FORMAT, "ST-1"},
    {"coffer.custody.v1", "coffer.custody.v2", COF_FORMAT, "ST-1"},
    {"\"type\":\"coffer.custody.v1\"", "\"type\":1", COF_FORMAT, "ST-3"},
    {"\"type\"", "\"typ\"", COF_FORMAT, "ST-3"},
    {"\"epoch\":0,", "", COF_FORMAT, "ST-3"},
    {"\"epoch\":0", "\"epoch\":0,\"epoch\":0", COF_FORMAT, "ST-3"},
    {"\"epoch\":0", "\"epoch\":0,\"y\":0", COF_FORMAT, "ST-3"},
    {"\"epoch\":0", "\"epoch\":0,\"x\":0", COF_FORMAT, "ST-3"},
    {"\"epoch\":0", "\"epoch\":0.0", COF_FORMAT, "ST-3"},
    {"\"epoch\":0", "\"epoch\":-0", COF_FORMAT, "ST-3"},
    {"\"epoch\":0", "\"epoch\":-1", COF_FORMAT, "ST-3"},
    {"\"epoch\":0", "\"epoch\":0e0", COF_FORMAT, "ST-3"},
    {"\"epoch\":0", "\"epoch\":\"0\"", COF_FORMAT, "ST-3"},
    {"\"epoch\":0", "\"epoch\":null", COF_FORMAT, "ST-3"},
    {"\"generation\":3", "\"generation\":9007199254740992", COF_FORMAT, "ST-3"},
    {"\"generation\":3", "\"generation\":0", COF_FORMAT, "CU-4"},
    {"\"generation\":3", "\"generation\":1", COF_FORMAT, "CU-4"},
    {"\"previous\":\"" HEX_A "\"", "\"previous\":null", COF_FORMAT, "CU-4"},
    {"\"previous\":\"" HEX_A "\"", "\"previous\":\"null\"", COF_FORMAT, "ST-4"},
    {"\"previous\":\"" HEX_A "\",", "", COF_FORMAT, "ST-3"},
    {"any-of-n", "two-of-n", COF_UNSUPPORTED, "CU-2"},
    {"any-of-n", "any-of-n\\n", COF_UNSUPPORTED, "CU-2"},
    {UUID, "7C9E6679-7425-40de-944b-e07fc1f90ae7", COF_FORMAT, "ST-4"},
    {UUID, "7c9e6679742540de944be07fc1f90ae7", COF_FORMAT, "ST-4"},
    {"\"core\":\"" HEX_A "\"", "\"core\":\"" HEX_A "a\"", COF_FORMAT, "ST-4"},
    {"\"core\":\"a", "\"core\":\"A", COF_FORMAT, "ST-4"},
    {"\"core\":\"a", "\"core\":\"", COF_FORMAT, "ST-4"},
    {"\"core\":\"a", "\"core\":\" ", COF_FORMAT, "ST-4"},
    {"\"core\":\"" HEX_A "\"", "\"core\":null", COF_FORMAT, "ST-3"},
    {"\"keys\":\"b", "\"keys\":\"g", COF_FORMAT, "ST-4"},
    {"\"proof\":\"b", "\"proof\":\"\\u0000", COF_FORMAT, "ST-3"},
    {"2026-11-24T10:15:02Z", "2026-11-24T10:15:60Z", COF_FORMAT, "ST-4"},
    {"2026-11-24T10:15:02Z", "2026-02-29T10:15:02Z", COF_FORMAT, "ST-4"},
    {"2026-11-24T10:15:02Z", "2026-11-24T10:15:02+00:00", COF_FORMAT, "ST-4"},
    {"2026-11-24T10:15:02Z", "2026-11-24 10:15:02Z", COF_FORMAT, "ST-4"},
    {"\"recipients\":[" RECIPIENT "]", "\"recipients\":[]", COF_FORMAT, "GE-2"},
    {"\"recipients\":[" RECIPIENT "]", "\"recipients\":{}", COF_FORMAT, "ST-3"},
    {RECIPIENT, RECIPIENT ",1", COF_FORMAT, "ST-3"},
    {RECIPIENT, "{}", COF_FORMAT, "ST-3"},
    {"\"spki\"", "\"x\":{},\"spki\"", COF_FORMAT, "ST-3"},
    {"RSA-3072", "RSA-", COF_FORMAT, "ST-4"},
    {"RSA-3072", "RSA-03072", COF_FORMAT, "ST-4"},
    {"RSA-3072", "RSA-307200", COF_FORMAT, "ST-4"},
    {"RSA-3072", "RSA-3072 ", COF_FORMAT, "ST-4"},
    {"RSA-3072", "RSA-PSS-3072", COF_FORMAT, "ST-4"},
    {"RSA-3072", "EC-P-192", COF_FORMAT, "ST-4"},
    {"RSA-3072", "Ed25519", COF_FORMAT, "ST-4"},
    {"RSA-3072", "a key of a very long name", COF_FORMAT, "ST-4"},
    {"\"reason\":\"yearly renewal\"", "\"reason\":null", COF_FORMAT, "ST-3"},
    {"}", "} ]", COF_FORMAT, "ST-3"},
};

static void each_broken_rule_is_refused(void **state)
{
    (void)state;
    cof_custody c;
    cof_error err;

    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        char *text = changed(STATEMENT, BROKEN[i].from, BROKEN[i].to);
        assert_rule(cof_custody_parse(&c, slice_of(text), &err), err, BROKEN[i].class,
                    BROKEN[i].rule);
        assert_null(c.recipients);
        assert_null(c.reason);
        free(text);
    }
}

static void harmless_changes_are_accepted(void **state)
{
    (void)state;
    static const change changes[] = {
        {"\"epoch\":0", "\"x\":{\"n\":-1.5,\"m\":[{}]},\"epoch\":0", COF_OK, ""},
        {"\"epoch\":0", "\"epoch\" : 4294967296", COF_OK, ""}, /* CU-1 decides */
        {"yearly renewal", "", COF_OK, ""},
        {"CN=ops,O=\xC3\x84", "", COF_OK, ""},
        {"RSA-3072", "EC-P-521", COF_OK, ""},
        {"yearly renewal", "\\u001b[31m", COF_OK, ""},
    };
    cof_custody c;

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char *text = changed(STATEMENT, changes[i].from, changes[i].to);
        assert_ok(cof_custody_parse(&c, slice_of(text), NULL));
        cof_custody_wipe(&c);
        free(text);
    }
}

static void texts_and_numbers_are_bounded(void **state)
{
    (void)state;
    char *longest = repeated("r", 1024), *longer = repeated("r", 1025);
    char *many = repeated(RECIPIENT ",", 256);
    cof_custody c;
    cof_error err;

    char *text = changed(STATEMENT, "yearly renewal", longest);
    assert_ok(cof_custody_parse(&c, slice_of(text), NULL));
    cof_custody_wipe(&c);
    free(text);
    text = changed(STATEMENT, "yearly renewal", longer);
    assert_rule(cof_custody_parse(&c, slice_of(text), &err), err, COF_FORMAT, "ST-4");
    free(text);
    text = changed(STATEMENT, "CN=ops", longer);
    assert_rule(cof_custody_parse(&c, slice_of(text), &err), err, COF_FORMAT, "ST-4");
    free(text);
    text = changed(STATEMENT, RECIPIENT, many); /* a comma too many */
    assert_int_equal(cof_custody_parse(&c, slice_of(text), NULL), COF_FORMAT);
    char *full = changed(text, ",]", "]");
    assert_ok(cof_custody_parse(&c, slice_of(full), NULL));
    assert_int_equal(c.recipient_count, 256);
    cof_custody_wipe(&c);
    free(full);
    full = changed(text, ",]", "," RECIPIENT "]");
    assert_rule(cof_custody_parse(&c, slice_of(full), &err), err, COF_LIMIT, "GE-2");
    free(full);
    free(text);
    free(many);
    free(longest);
    free(longer);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    cof_custody c;

    for (size_t len = 0; len < strlen(STATEMENT); len++) {
        uint8_t *cut = malloc(len == 0 ? 1 : len);
        assert_non_null(cut);
        memcpy(cut, STATEMENT, len);
        assert_int_equal(cof_custody_parse(&c, (cof_slice){cut, len}, NULL), COF_FORMAT);
        free(cut);
    }
}

static void writers_refuse_what_readers_would(void **state)
{
    (void)state;
    char *longer = repeated("r", 1025);
    cof_custody c;
    cof_buf out = COF_BUF_INIT;
    cof_error err;

    assert_ok(cof_custody_parse(&c, slice_of(STATEMENT), NULL));
    assert_ok(cof_custody_set_reason(&c, longer, NULL));
    assert_rule(cof_custody_emit(&out, &c, &err), err, COF_USAGE, "ST-4");
    assert_ok(cof_custody_set_reason(&c, "\xC3", NULL));
    assert_rule(cof_custody_emit(&out, &c, &err), err, COF_USAGE, "ST-3");
    assert_ok(cof_custody_set_reason(&c, "", NULL));
    c.time = UINT64_MAX;
    assert_rule(cof_custody_emit(&out, &c, &err), err, COF_USAGE, "ST-3");
    c.time = 0;
    c.generation = UINT64_MAX;
    assert_rule(cof_custody_emit(&out, &c, &err), err, COF_USAGE, "ST-3");
    c.generation = 1;
    assert_rule(cof_custody_emit(&out, &c, &err), err, COF_USAGE, "CU-4");
    assert_int_equal(out.len, 0);
    cof_custody_wipe(&c);
    cof_buf_free(&out);
    free(longer);
}

/* ---- checks --------------------------------------------------------------------------------- */

static void statement_and_preamble_agree(void **state)
{
    (void)state;
    uint8_t core[32], keys[32], other[32] = {0};
    cof_preamble p = sample_preamble();
    cof_custody c;
    cof_error err;

    memset(core, 0xAA, sizeof(core));
    memset(keys, 0xBB, sizeof(keys));
    assert_ok(cof_custody_parse(&c, slice_of(STATEMENT), NULL));
    memcpy(p.uuid, c.backup, sizeof(p.uuid));
    assert_ok(cof_custody_check_preamble(&c, &p, core, keys, NULL));
    assert_rule(cof_custody_check_preamble(&c, &p, other, keys, &err), err, COF_AUTH, "CU-1");
    assert_rule(cof_custody_check_preamble(&c, &p, core, other, &err), err, COF_AUTH, "CU-1");
    p.epoch = 1;
    assert_rule(cof_custody_check_preamble(&c, &p, core, keys, &err), err, COF_AUTH, "CU-1");
    c.epoch = UINT64_C(0x100000001); /* not cut to 32 bits */
    assert_rule(cof_custody_check_preamble(&c, &p, core, keys, &err), err, COF_AUTH, "CU-1");
    c.epoch = 1;
    assert_ok(cof_custody_check_preamble(&c, &p, core, keys, NULL));
    p.uuid[15] ^= 1;
    assert_rule(cof_custody_check_preamble(&c, &p, core, keys, &err), err, COF_AUTH, "CU-1");
    cof_custody_wipe(&c);
}

#define CHAIN 6

/* Statements of generations g[0], g[1], ... whose hash is their generation, linked rightly. */
typedef struct chain {
    cof_custody statements[CHAIN];
    uint8_t hashes[CHAIN][32];
    cof_custody_link links[CHAIN];
} chain;

static void make_chain(chain *c, const unsigned *generations, size_t n)
{
    memset(c, 0, sizeof(*c));
    for (size_t i = 0; i < n; i++) {
        c->statements[i].generation = generations[i];
        c->statements[i].has_previous = generations[i] > 1;
        memset(c->statements[i].previous, (int)generations[i] - 1, 32);
        memset(c->hashes[i], (int)generations[i], 32);
        c->links[i] = (cof_custody_link){&c->statements[i], c->hashes[i]};
    }
}

static void orders_of_a_chain(void **state)
{
    (void)state;
    static const struct {
        unsigned generations[CHAIN];
        size_t n;
        unsigned start; /* 0: refused by CU-7 */
    } cases[] = {
        {{1}, 1, 1},       {{7}, 1, 7},       {{1, 2, 3}, 3, 1},       {{1, 5}, 2, 5},
        {{1, 4, 5}, 3, 4}, {{3, 4, 5}, 3, 3}, {{1, 2, 4}, 3, 0},       {{1, 3, 5}, 3, 0},
        {{2, 4}, 2, 0},    {{2, 4, 5}, 3, 0}, {{1, 1}, 2, 0},          {{2, 1}, 2, 0},
        {{3, 3}, 2, 0},    {{1, 4, 3}, 3, 0}, {{1, 2, 3, 5, 6}, 5, 0},
    };
    chain c;
    cof_error err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make_chain(&c, cases[i].generations, cases[i].n);
        if (cases[i].start == 0) {
            assert_rule(cof_custody_check_chain(c.links, cases[i].n, &err), err, COF_FORMAT,
                        "CU-7");
            continue;
        }
        assert_ok(cof_custody_check_chain(c.links, cases[i].n, NULL));
        assert_int_equal(cof_custody_chain_start(c.links, cases[i].n), cases[i].start);
    }
}

static void links_of_a_chain(void **state)
{
    (void)state;
    static const unsigned generations[] = {1, 3, 4};
    chain c;
    cof_error err;

    make_chain(&c, generations, 3);
    c.statements[1].previous[0] ^= 1; /* generation 2 is gone: nothing to compare with */
    assert_ok(cof_custody_check_chain(c.links, 3, NULL));
    c.statements[2].previous[31] ^= 1;
    assert_rule(cof_custody_check_chain(c.links, 3, &err), err, COF_AUTH, "CU-8");
    make_chain(&c, generations, 3);
    c.statements[0].backup[0] = 1;
    assert_rule(cof_custody_check_chain(c.links, 3, &err), err, COF_AUTH, "CU-8");
    make_chain(&c, generations, 3);
    c.statements[1].epoch = 1;
    assert_rule(cof_custody_check_chain(c.links, 3, &err), err, COF_AUTH, "CU-8");
    c.statements[2].epoch = 1;
    c.statements[2].core[0] = 9; /* cores and keys may differ */
    assert_ok(cof_custody_check_chain(c.links, 3, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statement_comes_back),
        cmocka_unit_test(statement_is_built),
        cmocka_unit_test(each_broken_rule_is_refused),
        cmocka_unit_test(harmless_changes_are_accepted),
        cmocka_unit_test(texts_and_numbers_are_bounded),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(writers_refuse_what_readers_would),
        cmocka_unit_test(statement_and_preamble_agree),
        cmocka_unit_test(orders_of_a_chain),
        cmocka_unit_test(links_of_a_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
