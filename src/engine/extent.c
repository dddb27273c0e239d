/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Volumes and their ends.  The head may be all that somebody needs, and later volumes may be on a
 * shelf: what is missing or wrong there is noted, and becomes a failure when a verb needs it.
 */

#include "engine/extent.h"

#include <inttypes.h>

#include "base/error.h"
#include "engine/volumes.h"
#include "format/frame.h"

static uint32_t last_volume(const cof_opened *o)
{
    return (uint32_t)o->manifest.volume_count; /* MF-3 */
}

static uint64_t bytes_of(const cof_opened *o, uint32_t volume)
{
    return o->manifest.volumes[volume - 1].bytes;
}

static cof_status find_ending(cof_opened *o, uint32_t volume, uint64_t hint, cof_error *err)
{
    return cof_ending_find(&o->ending, o->body, volume, o->head.preamble.epoch, hint, err);
}

/* Does volume 1 end as one does that is not the last? */
static bool goes_on(const cof_opened *o)
{
    uint64_t len = cof_body_len(o->body, 1), size = COF_FRAME_SIZE + COF_VOLUME_END_SIZE;
    uint8_t raw[COF_FRAME_SIZE];
    cof_frame frame;

    return len >= size && cof_body_read(raw, sizeof(raw), o->body, 1, len - size, NULL) == COF_OK &&
           cof_frame_parse(&frame, raw, NULL) == COF_OK && frame.kind == COF_FRAME_VOLUME_END;
}

static cof_status no_manifest(const cof_opened *o, bool more, cof_error *err)
{
    uint64_t end = cof_body_base(o->body, 1) + cof_body_len(o->body, 1);

    if (!more)
        return cof_fail_rule(err, COF_FORMAT, "TL-4", end,
                             "%s is incomplete: it ends without a manifest",
                             cof_file_label(o->file));
    return cof_fail_rule(err, COF_FORMAT, "VO-1", end,
                         "%.200s goes on in further volumes, and the last of them, which has the "
                         "manifest, is missing; say with --volume-dir where to look",
                         cof_file_label(o->file));
}

cof_status cof_extent_find_tail(cof_opened *o, const cof_opening *how, cof_error *err)
{
    uint32_t last = 1; /* VO-3 */
    bool more;
    cof_status st = cof_ending_find_last(&o->ending, o->body, 1, o->head.preamble.epoch, err);

    if (st != COF_OK || o->ending.found)
        return st;
    more = goes_on(o);
    if (more) {
        if ((st = cof_volumes_find(o, 0, how, err)) != COF_OK)
            return st;
        last = cof_body_highest(o->body);
    }
    if ((st = find_ending(o, last, COF_NO_OFFSET, err)) != COF_OK || o->ending.found)
        return st;
    return no_manifest(o, more, err);
}

cof_status cof_extent_find(cof_opened *o, const cof_opening *how, cof_error *err)
{
    uint32_t last = last_volume(o);
    cof_status st = COF_OK;

    if (o->ending.found && o->ending.volume != last)
        return cof_fail_rule(err, COF_FORMAT, "MF-5", COF_NO_OFFSET,
                             "the manifest names %" PRIu32
                             " volumes, but stands in volume %" PRIu32,
                             last, o->ending.volume);
    if (last > 1)
        st = cof_volumes_find(o, last, how, err);
    if (st == COF_OK && !o->ending.found && cof_body_has(o->body, last))
        st = find_ending(o, last, bytes_of(o, last), err);
    return st;
}

/* Volume 1 of several ends with its VOLUME-END. */
static cof_status check_first(const cof_opened *o, cof_error *err)
{
    uint64_t have = cof_body_len(o->body, 1), bytes = bytes_of(o, 1);

    if (have < bytes)
        return cof_fail_rule(err, COF_FORMAT, "MF-5", cof_body_base(o->body, 1) + have,
                             "%s is cut off: %" PRIu64 " bytes of its content are missing",
                             cof_file_label(o->file), bytes - have);
    if (have > bytes && last_volume(o) > 1)
        return cof_fail_rule(err, COF_FORMAT, "GE-3", cof_body_base(o->body, 1) + bytes,
                             "%s has bytes behind its end", cof_file_label(o->file));
    return COF_OK;
}

static cof_status check_last(cof_opened *o, const cof_opening *how, cof_error *err)
{
    uint32_t last = last_volume(o);
    uint64_t have = cof_body_len(o->body, last), base = cof_body_base(o->body, last);
    uint64_t bytes = bytes_of(o, last);

    if (have < bytes)
        return cof_fail_rule(err, COF_FORMAT, "MF-5", base + have,
                             "%s is cut off: %" PRIu64 " bytes of its content are missing",
                             cof_body_label(o->body, last), bytes - have);
    if (o->ending.found && o->ending.first != bytes)
        return cof_fail_rule(err, COF_FORMAT, "MF-5", base + o->ending.first,
                             "the content of %s does not have the length that was signed",
                             cof_body_label(o->body, last));
    return cof_ending_check(&o->ending, o->body, bytes, how->report, &o->damaged, err);
}

cof_status cof_extent_check(cof_opened *o, const cof_opening *how, cof_error *err)
{
    uint32_t last = last_volume(o);
    cof_error local = COF_ERROR_INIT;
    cof_status st;

    if ((st = check_first(o, err)) != COF_OK)
        return st;
    if (last == 1) {
        st = check_last(o, how, err);
        o->has_body = st == COF_OK;
        return st;
    }
    cof_volumes_measure(o);
    if (cof_body_has(o->body, last) && (st = check_last(o, how, &local)) == COF_FORMAT) {
        cof_volumes_blame(o, last, &local);
        st = COF_OK;
    }
    if (st != COF_OK && err != NULL)
        *err = local;
    o->has_body = st == COF_OK && cof_volumes_absent(o) == 0 && o->trouble.status == COF_OK;
    return st;
}
