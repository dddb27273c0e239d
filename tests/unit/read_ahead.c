/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What does it cost to walk over a body that is nothing but tiny frames?  Time in proportion to its
 * size, with large reads.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "engine/ending.h"
#include "format/frame.h"
#include "scratch.h"

#define FRAMES ((size_t)100000)

static size_t preads;
static off_t bad_block = -1;

static ssize_t counting_pread(int fd, void *out, size_t len, off_t off)
{
    preads++;
    if (bad_block >= 0 && off < bad_block + 4096 && off + (off_t)len > bad_block) {
        errno = EIO;
        return -1;
    }
    return cof_os_real()->pread(fd, out, len, off);
}

/* Ancillary frames without payload, and no tail behind them. */
static cof_file *tiny_frames(void)
{
    cof_frame frame = {.kind = COF_FRAME_ANCILLARY};
    uint8_t header[COF_FRAME_SIZE], *all = malloc(FRAMES * COF_FRAME_SIZE);
    cof_file *file = NULL;
    int fd = open(in_dir("f"), O_WRONLY | O_CREAT, 0600);

    assert_non_null(all);
    cof_frame_emit(header, &frame);
    for (size_t i = 0; i < FRAMES; i++)
        memcpy(all + i * sizeof(header), header, sizeof(header));
    assert_int_equal(write(fd, all, FRAMES * COF_FRAME_SIZE), FRAMES * COF_FRAME_SIZE);
    close(fd);
    free(all);
    assert_int_equal(cof_file_open_read(&file, in_dir("f"), NULL), COF_OK);
    scratch_os.pread = counting_pread;
    cof_os_set(&scratch_os);
    preads = 0;
    return file;
}

static void tiny_frames_are_read_at_large(void **state)
{
    cof_file *file = tiny_frames();
    cof_ending ending = COF_ENDING_INIT;
    cof_body *body = NULL;

    (void)state;
    assert_int_equal(cof_body_new(&body, file, 0, NULL), COF_OK);
    assert_int_equal(cof_ending_find(&ending, body, 1, 0, COF_NO_OFFSET, NULL), COF_OK);
    assert_false(ending.found);
    assert_true(preads < FRAMES * COF_FRAME_SIZE / 65536 + 10);
    cof_ending_wipe(&ending);
    cof_body_free(body);
    cof_file_free(file);
}

/* Every byte comes from where it stands, however it is asked for; a bad block spoils only itself.
 */
static void what_is_read_is_what_is_there(void **state)
{
    static uint8_t whole[FRAMES * COF_FRAME_SIZE], part[6000];
    cof_file *file = tiny_frames();
    cof_body *body = NULL;
    uint64_t at = 0;
    int fd = open(in_dir("f"), O_RDWR);

    (void)state;
    for (size_t i = 0; i < sizeof(whole); i++)
        whole[i] = (uint8_t)(i * 2654435761U >> 13);
    assert_int_equal(pwrite(fd, whole, sizeof(whole), 0), sizeof(whole));
    assert_int_equal(cof_body_new(&body, file, 0, NULL), COF_OK);
    bad_block = 1 << 20;
    for (size_t i = 1; at + sizeof(part) < sizeof(whole); i++) {
        size_t len = i * 7919 % (i % 50 == 0 ? sizeof(part) : 100) + 1;
        bool bad = at < (uint64_t)bad_block + 4096 && at + len > (uint64_t)bad_block;

        assert_int_equal(cof_body_read(part, len, body, 1, at, NULL), bad ? COF_IO : COF_OK);
        assert_true(bad || memcmp(part, whole + at, len) == 0);
        at += i % 11 == 0 ? len / 2 : len;
    }
    bad_block = -1;
    assert_int_equal(cof_body_read(part, 100, body, 1, sizeof(whole) - 50, NULL), COF_FORMAT);
    close(fd);
    cof_body_free(body);
    cof_file_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(tiny_frames_are_read_at_large),
        IN_DIR(what_is_read_is_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
