/* SPDX-License-Identifier: Apache-2.0 */

/* The backup under test, and who can open it. */

#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/envelope.h"
#include "format/limits.h"
#include "format/superblock.h"
#include "record.h"

#define WINDOW 16 /* so many bytes of a wrapped key in a row are a part of it, not chance */

static void must(bool right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* ---- making it ---- */

static bool rotate(const subject *s, const cof_certs *set, cof_signer *signer)
{
    const cof_rotate_options o = {
        .path = s->path, .trust = s->everybody, .keys = s->all_keys, .signer = signer, .set = set};
    cof_rotate_result result = {.changed = false};
    cof_status st = cof_rotate(&o, &result, NULL);

    cof_rotate_result_wipe(&result);
    return st == COF_OK;
}

static kit_outcome try_with(const subject *s, cof_keyring *keys, cof_trust *trust)
{
    kit k = s->kit; /* shares all but the path, the key and the trust */

    memcpy(k.path, s->path, sizeof(k.path));
    k.keys = keys;
    k.trust = trust;
    return kit_try(&k, true);
}

static void make_people(subject *s)
{
    const unsigned both = COF_ROLE_MAKER | COF_ROLE_CUSTODIAN;
    kit *k = &s->kit;

    kit_pair(k, "second", COF_KEY_OPENS);
    kit_pair(k, "custodian", COF_KEY_SIGNS);
    kit_signer(k, &s->custodian, "custodian");
    kit_trust(k, &s->maker, "sign", COF_ROLE_MAKER);
    kit_trust(k, &s->everybody, "sign", both);
    kit_trust(k, &s->everybody, "custodian", COF_ROLE_CUSTODIAN);
    kit_keys(k, &s->old_keys, "open");
    kit_keys(k, &s->new_keys, "other");
    kit_keys(k, &s->all_keys, "open");
    kit_keys(k, &s->all_keys, "other");
    kit_certs(k, &s->old_recipients, "open");
}

/* To two recipients, back to one, and so on. */
static void make_history(subject *s, size_t history)
{
    kit *k = &s->kit;

    if (history > 0)
        kit_certs(k, &s->old_recipients, "second");
    for (size_t i = 0; i < history; i++)
        must(rotate(s, i % 2 == 0 ? s->old_recipients : k->recipient, k->signer), "history");
    must(history % 2 == 1 || history == 0, "an even history ends with other recipients");
}

static void make_backup(subject *s, size_t history)
{
    kit_outcome o;

    kit_backup(&s->kit, s->path, "none", false);
    make_history(s, history);
    record_read(&s->start, s->disk);
    o = try_with(s, s->old_keys, s->everybody);
    must(o.status == COF_OK, "the backup");
    s->generation = o.generation;
    memcpy(s->uuid, o.uuid, sizeof(s->uuid));
}

/* ---- the old wrapped keys ---- */

static void add_needle(subject *s, const uint8_t *data, size_t len)
{
    must(s->needle_count < SUBJECT_NEEDLES && len <= sizeof(s->needles[0].data), "a wrapped key");
    memcpy(s->needles[s->needle_count].data, data, len);
    s->needles[s->needle_count++].len = len;
}

/*
 * In KEYS: an OCTET STRING of 40 bytes ends each RecipientInfo, and the next one [1] or the
 * encrypted content follows; without that, random bytes would be taken for one now and then.  The
 * wrapped data key and its tag end KEYS.
 */
static void find_wrapped_keys(subject *s, size_t recipients)
{
    cof_envelope e = COF_ENVELOPE_INIT;
    size_t file_len;
    const uint8_t *slot = image_find(&s->start, s->name, &file_len) + 2 * COF_SUPERBLOCK_SIZE;
    uint64_t len = 0;

    must(cof_envelope_peek_len(&len, slot, COF_SLOT_SIZE_MAX, NULL) == COF_OK &&
             cof_envelope_parse(&e, (cof_slice){slot, len}, COF_PROTECTION_SEALED, NULL) == COF_OK,
         "the envelope");
    for (size_t i = 0; i + 42 < e.keys.len; i++)
        if (e.keys.data[i] == 0x04 && e.keys.data[i + 1] == 40 &&
            (e.keys.data[i + 42] == 0xA1 || e.keys.data[i + 42] == 0x30))
            add_needle(s, e.keys.data + i + 2, 40);
    must(s->needle_count == recipients, "the wrapped keys are not where they are looked for");
    add_needle(s, e.keys.data + e.keys.len - 50, 32);
    add_needle(s, e.keys.data + e.keys.len - 16, 16);
    cof_envelope_wipe(&e);
}

static bool holds(const uint8_t *data, size_t len, const subject *s)
{
    for (size_t i = 0; i < s->needle_count; i++)
        for (size_t from = 0; from + WINDOW <= s->needles[i].len; from++)
            if (memmem(data, len, s->needles[i].data + from, WINDOW) != NULL)
                return true;
    return false;
}

/* In no file, under whatever name. */
static bool is_wiped(const subject *s, const image *i)
{
    for (size_t k = 0; k < i->name_count; k++)
        if (holds(i->files[i->names[k].file].data, i->files[i->names[k].file].len, s))
            return false;
    return true;
}

void subject_make(subject *s, size_t history, bool volumes)
{
    memset(s, 0, sizeof(*s));
    kit_make(&s->kit, "none", volumes ? KIT_VOLUMES_LEN : 6000);
    s->kit.volumes = volumes;
    snprintf(s->name, sizeof(s->name), "x.cof");
    snprintf(s->disk, sizeof(s->disk), "%s/disk", s->kit.dir);
    snprintf(s->path, sizeof(s->path), "%s/%s", s->disk, s->name);
    must(mkdir(s->disk, 0700) == 0, s->disk);
    make_people(s);
    make_backup(s, history);
    find_wrapped_keys(s, history > 0 ? 2 : 1);
    must(!is_wiped(s, &s->start), "the wrapped keys are not found where they are");
}

void subject_remove(subject *s)
{
    const image nothing = {.file_count = 0};

    record_lay(s->disk, &nothing);
    (void)rmdir(s->disk);
    image_wipe(&s->start);
    cof_certs_free(s->old_recipients);
    cof_keyring_free(s->all_keys);
    cof_keyring_free(s->old_keys);
    cof_keyring_free(s->new_keys);
    cof_trust_free(s->maker);
    cof_trust_free(s->everybody);
    cof_signer_free(s->custodian);
    kit_remove(&s->kit);
}

void subject_export_head(const subject *s, const char *path)
{
    const cof_export_options o = {.output = path};
    const cof_report silent = {.warn = NULL};
    cof_exporter *e = NULL;
    cof_export_result result;

    must(cof_exporter_new(&e, &o, NULL) == COF_OK &&
             cof_exporter_add(e, s->path, &silent, &result, NULL) == COF_OK &&
             cof_exporter_finish(e, NULL) == COF_OK,
         "export");
    cof_exporter_free(e);
}

/* ---- changing it ---- */

bool subject_rotate(void *ctx)
{
    const subject *s = ctx;

    return rotate(s, s->kit.other, s->custodian);
}

static bool settle(void *ctx, side at)
{
    const subject *s = ctx;

    return rotate(s, at == SIDE_AFTER ? s->kit.other : s->old_recipients, s->custodian);
}

/* ---- judging it ---- */

static bool is_at_rest(const subject *s, const image *i)
{
    size_t len;
    const uint8_t *file = image_find(i, s->name, &len), *slots;
    cof_superblock sb;
    size_t size;

    if (file == NULL || len < 2 * COF_SUPERBLOCK_SIZE ||
        memcmp(file, file + COF_SUPERBLOCK_SIZE, COF_SUPERBLOCK_SIZE) != 0 ||
        cof_superblock_choose(&sb, NULL, file, file, NULL) != COF_OK)
        return false;
    slots = file + 2 * COF_SUPERBLOCK_SIZE;
    size = (size_t)sb.slot_size;
    return len > cof_head_len(size) && memcmp(slots, slots + size, size) == 0;
}

static verdict lost(const char *why)
{
    return (verdict){SIDE_LOST, false, why};
}

/* A change of the head leaves every byte of the later volumes alone. */
static bool others_are_as_they_were(const subject *s, const image *i)
{
    for (size_t k = 0; k < s->start.name_count; k++) {
        const char *name = s->start.names[k].name;
        size_t before_len, len;
        const uint8_t *before = image_find(&s->start, name, &before_len);
        const uint8_t *now = image_find(i, name, &len);

        if (strcmp(name, s->name) != 0 &&
            (now == NULL || len != before_len || memcmp(now, before, len) != 0))
            return false;
    }
    return true;
}

/* It opens with one of the keys, and the other is told that it is not for it. */
static verdict judge_keys(kit_outcome *opened, const subject *s, const image *i, cof_trust *trust)
{
    kit_outcome old, new;
    bool at_rest = is_at_rest(s, i);

    if (!others_are_as_they_were(s, i))
        return lost("a later volume was changed");
    record_lay(s->disk, i);
    old = try_with(s, s->old_keys, trust);
    new = try_with(s, s->new_keys, trust);
    if (old.status == COF_OK && new.status == COF_OK)
        return lost("it opens with the old key and with the new one");
    if (old.status != COF_OK && new.status != COF_OK)
        return lost("it does not open any more");
    *opened = old.status == COF_OK ? old : new;
    if ((old.status == COF_OK ? new : old).status != COF_NO_MATCH)
        return lost("the key that does not open it is refused for another reason");
    if (!opened->same)
        return lost("the content is another");
    if ((opened->generation == s->generation) != (old.status == COF_OK))
        return lost("the generation does not fit who can open it");
    if (old.status == COF_OK)
        return (verdict){SIDE_BEFORE, at_rest, NULL};
    if (at_rest && !is_wiped(s, i))
        return (verdict){SIDE_AFTER, false, "old wrapped keys are still in the file"};
    return (verdict){SIDE_AFTER, at_rest, NULL};
}

static verdict judge(void *ctx, const image *i)
{
    const subject *s = ctx;
    kit_outcome opened;
    verdict v = judge_keys(&opened, s, i, s->maker);

    if (v.side != SIDE_LOST && is_at_rest(s, i) != (opened.damaged == 0 && !opened.pending))
        return lost("what is pending is not reported, or what is not is");
    return v;
}

verdict subject_judge_damaged(void *ctx, const image *i)
{
    const subject *s = ctx;
    kit_outcome opened;

    return judge_keys(&opened, s, i, s->everybody);
}

/* ---- the scenario ---- */

static bool is_superblock(const op *what)
{
    return what->kind == OP_WRITE && what->off < 8192;
}

/*
 * The fsync behind the first of the two superblocks that a rotation writes at last: what it
 * completes first, if anything, writes superblocks too.
 */
static size_t commit(const op_log *log)
{
    size_t last[2] = {0, 0}, i;

    for (i = 0; i < log->count; i++)
        if (is_superblock(&log->ops[i])) {
            last[0] = last[1];
            last[1] = i;
        }
    for (i = last[0]; i < log->count && !op_is_sync(&log->ops[i]); i++)
        continue;
    return last[1] == 0 || i == log->count ? log->count : i + 1;
}

scenario subject_scenario(subject *s)
{
    return (scenario){.dir = s->disk,
                      .start = &s->start,
                      .ctx = s,
                      .run = subject_rotate,
                      .settle = settle,
                      .judge = judge,
                      .commit = commit};
}
