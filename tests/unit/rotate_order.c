/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does a rotation, an approval or an import write in exactly the order of FORMAT.md, section 8
 * (CH-1, CH-2), and touch nothing else?  The system calls are recorded through the replaceable os
 * table.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>
#include <errno.h>

#include "format/envelope.h"
#include "scratch.h"
#include "world.h"

#define SLOT 16384
#define BODY (8192 + 2 * SLOT)

typedef struct event {
    char what; /* 'w' a write, 's' an fsync */
    uint64_t from, to;
} event;

static event events[64];
static size_t event_count;
static uint64_t lowest_body_read = UINT64_MAX;

static void record(char what, uint64_t from, uint64_t to)
{
    assert_true(event_count < sizeof(events) / sizeof(events[0]));
    events[event_count++] = (event){what, from, to};
}

static ssize_t recording_pwrite(int fd, const void *data, size_t len, off_t off)
{
    record('w', (uint64_t)off, (uint64_t)off + len);
    return cof_os_real()->pwrite(fd, data, len, off);
}

static ssize_t recording_pread(int fd, void *out, size_t len, off_t off)
{
    if (off + (off_t)len > BODY && (uint64_t)off < lowest_body_read)
        lowest_body_read = (uint64_t)off;
    return cof_os_real()->pread(fd, out, len, off);
}

static int recording_fsync(int fd)
{
    record('s', 0, 0);
    return cof_os_real()->fsync(fd);
}

/* ---- the rotation ---- */

static cof_status rotate_file(const world *w, const char *name, bool dry_run)
{
    cof_rotate_options o = {.trust = w->trust,
                            .keys = w->keys,
                            .signer = w->signer,
                            .add = w->second,
                            .dry_run = dry_run};
    cof_rotate_result result = {.changed = false};
    cof_status st;

    o.path = in_dir(name);
    st = cof_rotate(&o, &result, NULL);
    cof_rotate_result_wipe(&result);
    return st;
}

static cof_status rotate(const world *w, bool dry_run)
{
    return rotate_file(w, "x.cof", dry_run);
}

static void start_recording(void)
{
    event_count = 0;
    lowest_body_read = UINT64_MAX;
    scratch_os.pwrite = recording_pwrite;
    scratch_os.pread = recording_pread;
    scratch_os.fsync = recording_fsync;
    cof_os_set(&scratch_os);
}

static void assert_event(size_t i, char what, uint64_t from, uint64_t to)
{
    assert_true(i < event_count);
    assert_int_equal(events[i].what, what);
    assert_int_equal(events[i].from, from);
    assert_int_equal(events[i].to, to);
}

/* Steps 0 to 8, with slot A in use: the new envelope goes to slot B first. */
static void assert_section_8(void)
{
    assert_event(0, 's', 0, 0);
    assert_event(1, 'w', 8192 + SLOT, 8192 + 2 * SLOT);
    assert_event(2, 's', 0, 0);
    assert_event(3, 'w', 0, 4096);
    assert_event(4, 's', 0, 0);
    assert_event(5, 'w', 8192, 8192 + SLOT);
    assert_event(6, 's', 0, 0);
    assert_event(7, 'w', 4096, 8192);
    assert_event(8, 's', 0, 0);
    assert_int_equal(event_count, 9);
    assert_true(lowest_body_read == UINT64_MAX);
}

static void writes_in_the_order_of_section_8(void **state)
{
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    start_recording();
    assert_int_equal(rotate(&w, false), COF_OK);
    assert_section_8();
    free_world(&w);
}

/* CH-7: an approval goes the same way; once given, there is only the first barrier. */
static void an_approval_does_too(void **state)
{
    cof_approve_result result = {.changed = false};
    cof_signer *second = NULL;
    cof_approve_options o;
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    make_key("t.key", "t.crt", COF_KEY_SIGNS);
    assert_int_equal(cof_signer_load(&second, in_dir("t.key"), NULL, NULL, NULL), COF_OK);
    o = (cof_approve_options){.trust = w.trust, .signer = second};
    start_recording();
    assert_int_equal(cof_approve(in_dir("x.cof"), &o, &result, NULL), COF_OK);
    assert_true(result.changed);
    assert_int_equal(result.generation, 1);
    assert_section_8();
    cof_approve_result_wipe(&result);
    start_recording();
    assert_int_equal(cof_approve(in_dir("x.cof"), &o, &result, NULL), COF_OK);
    assert_false(result.changed);
    assert_int_equal(event_count, 1);
    assert_event(0, 's', 0, 0);
    cof_approve_result_wipe(&result);
    cof_signer_free(second);
    free_world(&w);
}

static void export_as(const char *output, bool bundle)
{
    const cof_report silent = {.warn = NULL};
    cof_export_options o = {.bundle = bundle, .force = true};
    cof_export_result exported;
    cof_exporter *exporter = NULL;

    o.output = in_dir(output);
    assert_int_equal(cof_exporter_new(&exporter, &o, NULL), COF_OK);
    assert_int_equal(cof_exporter_add(exporter, in_dir("x.cof"), &silent, &exported, NULL), COF_OK);
    assert_int_equal(cof_exporter_finish(exporter, NULL), COF_OK);
    cof_exporter_free(exporter);
}

/* And so does an import, after the head that it replaces is durable under its name. */
static void an_import_does_too(void **state)
{
    cof_import_options import = {.heads = NULL};
    cof_import_result result = {.changed = false};
    cof_heads *heads = NULL;
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    export_as("x.head", false);
    assert_int_equal(rotate_file(&w, "x.head", false), COF_OK);
    assert_int_equal(cof_heads_open(&heads, in_dir("x.head"), NULL), COF_OK);
    import =
        (cof_import_options){.heads = heads, .trust = w.trust, .keys = w.keys, .discard = true};
    start_recording();
    assert_int_equal(cof_import(in_dir("x.cof"), &import, &result, NULL), COF_OK);
    assert_true(result.changed && result.proven);
    assert_section_8();
    cof_import_result_wipe(&result);
    cof_heads_free(heads);
    free_world(&w);
}

/* IM-5: what a killed run has left under the name is made durable, as it may not be yet. */
static void a_head_that_is_kept_already_is_made_durable(void **state)
{
    cof_import_options import = {.heads = NULL};
    cof_import_result result = {.changed = false};
    cof_heads *heads = NULL;
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    export_as("x.head", false);
    assert_int_equal(link(in_dir("x.head"), in_dir("kept.head")), 0);
    assert_int_equal(unlink(in_dir("x.head")), 0);
    export_as("x.head", false);
    assert_int_equal(rotate_file(&w, "x.head", false), COF_OK);
    assert_int_equal(cof_heads_open(&heads, in_dir("x.head"), NULL), COF_OK);
    import = (cof_import_options){.heads = heads, .trust = w.trust, .keys = w.keys};
    import.keep = in_dir("kept.head");
    start_recording();
    assert_int_equal(cof_import(in_dir("x.cof"), &import, &result, NULL), COF_OK);
    assert_int_equal(event_count, 2 + 9);
    assert_event(0, 's', 0, 0); /* the file */
    assert_event(1, 's', 0, 0); /* its directory */
    assert_event(2, 's', 0, 0); /* step 0 */
    cof_import_result_wipe(&result);
    cof_heads_free(heads);
    free_world(&w);
}

static void never_reads_the_body(void **state)
{
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    start_recording();
    assert_int_equal(rotate(&w, false), COF_OK);
    assert_true(lowest_body_read == UINT64_MAX);
    free_world(&w);
}

static void a_dry_run_writes_nothing(void **state)
{
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    start_recording();
    assert_int_equal(rotate(&w, true), COF_OK);
    assert_int_equal(event_count, 0);
    free_world(&w);
}

/* ---- nothing of the old keys is left ---- */

/* The wrapped data key ends in its 32 encrypted bytes and a tag: both are new every time. */
static size_t count_in_head(const uint8_t *head, const uint8_t *needle, size_t len)
{
    size_t found = 0;

    for (size_t i = 0; i + len <= BODY; i++)
        found += memcmp(head + i, needle, len) == 0;
    return found;
}

static void read_head(uint8_t head[BODY])
{
    int fd = open(in_dir("x.cof"), O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, head, BODY), BODY);
    close(fd);
}

/* CH-3: KEYS is built afresh, also for who stays; P7: no byte string of the old one remains. */
static void the_old_wrapped_keys_are_gone(void **state)
{
    static uint8_t before[BODY], after[BODY];
    cof_envelope e = COF_ENVELOPE_INIT;
    uint64_t len = 0;
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    read_head(before);
    assert_int_equal(cof_envelope_peek_len(&len, before + 8192, SLOT, NULL), COF_OK);
    assert_int_equal(
        cof_envelope_parse(&e, (cof_slice){before + 8192, len}, COF_PROTECTION_SEALED, NULL),
        COF_OK);
    assert_int_equal(count_in_head(before, e.keys.data + e.keys.len - 16, 16), 2);
    assert_int_equal(rotate(&w, false), COF_OK);
    read_head(after);
    assert_int_equal(count_in_head(after, e.keys.data + e.keys.len - 16, 16), 0);
    assert_int_equal(count_in_head(after, e.keys.data + e.keys.len - 50, 32), 0);
    cof_envelope_wipe(&e);
    free_world(&w);
}

/* ---- a failed fsync stops everything ---- */

static size_t fsyncs_until_failure;

static int failing_fsync(int fd)
{
    record('s', 0, 0);
    if (fsyncs_until_failure-- == 0) {
        errno = EIO;
        return -1;
    }
    return cof_os_real()->fsync(fd);
}

static void nothing_is_written_after_a_failed_fsync(void **state)
{
    world w;

    (void)state;
    make_world(&w);
    for (size_t n = 0; n < 5; n++) {
        cof_os_set(NULL);
        make_backup(&w);
        start_recording();
        scratch_os.fsync = failing_fsync;
        fsyncs_until_failure = n;
        assert_int_equal(rotate(&w, false), COF_IO);
        assert_int_equal(event_count, 2 * n + 1); /* and the last one is the fsync that failed */
        assert_int_equal(events[event_count - 1].what, 's');
        cof_os_set(NULL);
        assert_int_equal(unlink(in_dir("x.cof")), 0);
    }
    free_world(&w);
}

/* ---- bundles ---- */

static bool told_unchanged;

static void on_warning(void *ctx, const char *sentence)
{
    (void)ctx;
    told_unchanged |= strcmp(sentence, "the bundle is as it was: nothing in it was changed") == 0;
}

static void on_head(void *ctx, size_t number, const cof_rotate_result *result, cof_status st,
                    const cof_error *err)
{
    (void)number;
    (void)err;
    assert_int_equal(st, COF_OK);
    assert_true(result->changed);
    if (ctx != NULL) /* another program gives the name to something else */
        assert_int_equal(rename(in_dir(ctx), in_dir("x.cofb")), 0);
}

static cof_status rotate_bundle(const world *w, char *replace_by)
{
    cof_rotate_options o = {.trust = w->trust,
                            .keys = w->keys,
                            .signer = w->signer,
                            .add = w->second,
                            .report = {.warn = on_warning}};

    o.path = in_dir("x.cofb");
    told_unchanged = false;
    return cof_rotate_bundle(&o, on_head, replace_by, NULL);
}

/* Only what was opened and locked is replaced. */
static void a_bundle_that_is_another_meanwhile_stays(void **state)
{
    static char other[] = "other";
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    export_as("x.cofb", true);
    make(other, "a newer bundle", 0600);
    assert_int_equal(rotate_bundle(&w, other), COF_BUSY);
    assert_true(told_unchanged);
    assert_content("x.cofb", "a newer bundle");
    free_world(&w);
}

static int fsync_but_of_directories(int fd)
{
    struct stat info;

    if (fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode))
        return cof_os_real()->fsync(fd);
    errno = EIO;
    return -1;
}

static int fsync_nothing(int fd)
{
    (void)fd;
    errno = EIO;
    return -1;
}

static ino_t inode_of(const char *name)
{
    struct stat info;

    assert_int_equal(stat(in_dir(name), &info), 0);
    return info.st_ino;
}

/* It is told to be as it was only if it is. */
static void a_bundle_that_has_its_name_is_not_as_it_was(void **state)
{
    ino_t before;
    world w;

    (void)state;
    make_world(&w);
    make_backup(&w);
    export_as("x.cofb", true);
    before = inode_of("x.cofb");
    scratch_os.fsync = fsync_nothing;
    cof_os_set(&scratch_os);
    assert_int_equal(rotate_bundle(&w, NULL), COF_IO);
    assert_true(told_unchanged && inode_of("x.cofb") == before);
    scratch_os.fsync = fsync_but_of_directories;
    assert_int_equal(rotate_bundle(&w, NULL), COF_IO);
    assert_true(!told_unchanged && inode_of("x.cofb") != before);
    free_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_in_the_order_of_section_8, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(an_approval_does_too, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(an_import_does_too, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_head_that_is_kept_already_is_made_durable, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(never_reads_the_body, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_dry_run_writes_nothing, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(the_old_wrapped_keys_are_gone, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_bundle_that_is_another_meanwhile_stays, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_bundle_that_has_its_name_is_not_as_it_was, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_written_after_a_failed_fsync, scratch_set_up,
                                        scratch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
