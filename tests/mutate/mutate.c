/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is any flipped bit, any cut, any byte too much ever accepted in silence?
 *
 * A changed file is either refused, or only a redundant copy was hit: then that is reported, and
 * what is restored is the same.  There is no exception.
 *
 * Usage: mutate PART PARTS STEP ZEROS: positions PART, PART + PARTS ... of every STEP-th bit.  Run
 * in several processes to use several cores; a step of more than 1 is for slow builds.  Of the bits
 * of a byte amid zeros, which is padding, only ZEROS are tried (1 to 8; which, goes round with the
 * byte): nine tenths of a small backup are padding, and readers compare it byte by byte.  With 1
 * and 8 nothing is left out.
 */

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit.h"

static unsigned part, parts, step, zeros;
static bool thorough; /* nothing is left out */
static int test_number;
static int failures;

typedef struct tally {
    uint64_t tried, refused, reported, wrong;
    size_t first_wrong;
} tally;

static void tell(const char *what, const tally *t)
{
    bool good = t->wrong == 0 && t->tried > 0;

    printf("%sok %d - %s: %" PRIu64 " tried, %" PRIu64 " refused, %" PRIu64
           " in a redundant copy and reported\n",
           good ? "" : "not ", ++test_number, what, t->tried, t->refused, t->reported);
    if (!good) {
        printf("# %" PRIu64 " wrong, the first at %zu\n", t->wrong, t->first_wrong);
        failures++;
    }
    fflush(stdout);
}

/* Refusals name a class that says so; anything else would be a defect. */
static bool is_refusal(cof_status st)
{
    return st == COF_FORMAT || st == COF_UNSUPPORTED || st == COF_AUTH || st == COF_LIMIT;
}

static void judge(tally *t, kit_outcome outcome, bool restored, size_t where)
{
    t->tried++;
    if (is_refusal(outcome.status)) {
        t->refused++;
    } else if (outcome.status == COF_OK && outcome.damaged > 0 && (!restored || outcome.same)) {
        t->reported++;
    } else if (t->wrong++ == 0) {
        t->first_wrong = where;
    }
}

static void put(const kit *k, size_t at, uint8_t byte)
{
    if (pwrite(k->fd, &byte, 1, (off_t)at) != 1)
        exit(1);
}

/* Is it a byte of a long run of zeros? */
static bool is_padding(const kit *k, size_t at)
{
    static const uint8_t none[65];

    return at >= 32 && at + 32 < k->len && memcmp(k->bytes + at - 32, none, sizeof(none)) == 0;
}

static bool is_left_out(const kit *k, size_t bit)
{
    return bit % parts != part || (bit / parts) % step != 0 ||
           ((bit + bit / 8) % 8 >= zeros && is_padding(k, bit / 8));
}

/* Every bit from byte `from` to byte `to`. */
static void flip(const kit *k, const char *what, size_t from, size_t to)
{
    tally t = {0};

    for (size_t bit = from * 8; bit < to * 8; bit++) {
        size_t at = bit / 8;
        bool restore = bit % 11 == 0;

        if (is_left_out(k, bit))
            continue;
        put(k, at, k->bytes[at] ^ (uint8_t)(1u << (bit % 8)));
        judge(&t, kit_try(k, restore), restore, bit);
        put(k, at, k->bytes[at]);
    }
    tell(what, &t);
}

/* Every length from 0 to one byte less than the whole. */
static void cut(const kit *k)
{
    tally t = {0};

    for (size_t len = part; len < k->len; len += (size_t)parts * (step > 1 ? 31 : 1)) {
        if (ftruncate(k->fd, (off_t)len) != 0)
            exit(1);
        judge(&t, kit_try(k, true), true, len);
        if (pwrite(k->fd, k->bytes + len, k->len - len, (off_t)len) != (ssize_t)(k->len - len))
            exit(1);
    }
    tell("every truncation", &t);
}

static void append(const kit *k)
{
    tally t = {0};

    for (size_t extra = 1; extra <= 4096; extra += 63) {
        if (ftruncate(k->fd, (off_t)(k->len + extra)) != 0)
            exit(1);
        judge(&t, kit_try(k, true), true, extra);
    }
    if (ftruncate(k->fd, (off_t)k->len) != 0)
        exit(1);
    t.wrong += t.reported; /* bytes behind the end are no redundant copy */
    tell("bytes appended", &t);
}

/* A whole 4 KiB block of the head is lost: nothing else may be. */
static void lose_blocks(const kit *k, size_t head)
{
    tally t = {0};
    uint8_t junk[4096];

    memset(junk, 0xA5, sizeof(junk));
    for (size_t at = 0; at < head; at += sizeof(junk)) {
        if (pwrite(k->fd, junk, sizeof(junk), (off_t)at) != (ssize_t)sizeof(junk))
            exit(1);
        judge(&t, kit_try(k, true), true, at);
        if (pwrite(k->fd, k->bytes + at, sizeof(junk), (off_t)at) != (ssize_t)sizeof(junk))
            exit(1);
    }
    t.wrong += t.refused;
    tell("any one block of the head lost", &t);
}

static void check_whole(const kit *k)
{
    kit_outcome o = kit_try(k, true);
    bool good = o.status == COF_OK && o.damaged == 0 && o.same;

    printf("%sok %d - unchanged it is whole (%zu bytes)\n", good ? "" : "not ", ++test_number,
           k->len);
    failures += !good;
}

/* Of so many bits one, where those that differ were all tried elsewhere. */
static unsigned less(unsigned every)
{
    return thorough ? 1 : every;
}

static void mutate(kit *k, const char *name)
{
    size_t slots = 8192, second = slots + 16384, body = second + 16384;
    char what[128];

    printf("# %s\n", name);
    check_whole(k);
    snprintf(what, sizeof(what), "%s: every bit of the superblocks", name);
    flip(k, what, 0, slots);
    snprintf(what, sizeof(what), "%s: every bit of a slot", name);
    flip(k, what, slots, second);
    snprintf(what, sizeof(what), "%s: the other slot, which holds the same bytes", name);
    step *= less(4);
    flip(k, what, second, body);
    step /= less(4);
    snprintf(what, sizeof(what), "%s: every bit of the body", name);
    flip(k, what, body, k->len);
    cut(k);
    append(k);
    lose_blocks(k, body);
    check_whole(k);
}

/* A later volume: two superblocks, and its part of the body. */
static void mutate_volume(kit *k, unsigned which)
{
    char what[128];

    kit_make_volumes(k, which);
    printf("# volume %u of three\n", which);
    check_whole(k);
    snprintf(what, sizeof(what), "volume %u: every bit of the superblocks", which);
    flip(k, what, 0, 8192);
    snprintf(what, sizeof(what), "volume %u: every bit of the body", which);
    flip(k, what, 8192, k->len);
    cut(k);
    append(k);
    lose_blocks(k, 8192);
    check_whole(k);
}

static void mutate_volumes(void)
{
    kit k;

    kit_make(&k, "none", KIT_VOLUMES_LEN);
    step *= less(4); /* what differs from a single one is the closing of the volume */
    mutate_volume(&k, 2);
    step *= less(2); /* the last one has the tail, as a single one has */
    mutate_volume(&k, 3);
    kit_remove(&k);
}

int main(int argc, char **argv)
{
    kit k;

    if (argc != 5)
        return 2;
    /* Hundreds of thousands of tries: memory stays in the process from one to the next. */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 28);
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 28);
    part = (unsigned)atoi(argv[1]);
    parts = (unsigned)atoi(argv[2]);
    step = (unsigned)atoi(argv[3]);
    zeros = (unsigned)atoi(argv[4]);
    thorough = step == 1 && zeros == 8;
    printf("# every bit is one in %u, and in padding %u of the 8 of a byte\n", step, zeros);
    mutate_volumes();
    step /= less(4) * less(2);
    kit_make(&k, "zstd", 6000);
    mutate(&k, "zstd");
    kit_rotate(&k);
    step *= less(8); /* the same places, with a history in the slots */
    mutate(&k, "rotated");
    kit_remove(&k);
    printf("1..%d\n", test_number);
    return failures != 0;
}
