/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looking for volumes.  First under the names that backup gives them; only if one of these is not
 * what it should be, or the caller says where else to look, in every file of the directories.
 */

#include "engine/volumes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/note.h"
#include "format/limits.h"
#include "os/dir.h"

typedef struct search {
    cof_opened *o;
    const cof_opening *how;
    uint32_t count; /* of volumes; 0: not known */
} search;

void cof_volumes_blame(cof_opened *o, uint32_t volume, const cof_error *why)
{
    if (o->trouble.status != COF_OK)
        return;
    o->trouble = *why;
    o->trouble_volume = volume;
}

/* ---- one file ---- */

/* What the superblocks of a file say; false: nothing that can be understood. */
static bool read_superblocks(cof_superblock *out, cof_superblock_state *state, const cof_file *file)
{
    uint8_t raw[2][COF_SUPERBLOCK_SIZE];
    bool good[2];
    size_t got;

    for (int i = 0; i < 2; i++)
        good[i] = cof_file_pread_some(raw[i], sizeof(raw[i]), &got, file,
                                      cof_head_superblock_offset(i), NULL) == COF_OK &&
                  got == sizeof(raw[i]);
    return cof_superblock_choose(out, state, good[0] ? raw[0] : NULL, good[1] ? raw[1] : NULL,
                                 NULL) == COF_OK;
}

static bool same_backup(const cof_superblock *sb, const cof_opened *o)
{
    return cof_slice_equal((cof_slice){sb->preamble, sizeof(sb->preamble)},
                           (cof_slice){o->head.sb.preamble, sizeof(o->head.sb.preamble)});
}

static bool wanted(const search *s, const cof_superblock *sb)
{
    return sb->role == COF_VOLUME_LATER && same_backup(sb, s->o) &&
           (s->count == 0 || sb->volume <= s->count);
}

/* The same volume once more: under another name of the same file that is no harm. */
static cof_status note_twice(cof_opened *o, uint32_t number, const cof_file *file, cof_error *err)
{
    cof_file_id known = cof_body_identity(o->body, number), id;
    cof_error why = COF_ERROR_INIT;
    cof_status st = cof_file_identity(&id, file, err);

    if (st != COF_OK || (id.dev == known.dev && id.ino == known.ino))
        return st;
    (void)cof_fail_rule(&why, COF_FORMAT, "VO-2", COF_NO_OFFSET,
                        "volume %" PRIu32 " is there twice, as %.150s and as %.150s; move one of "
                        "them away",
                        number, cof_body_label(o->body, number), cof_file_label(file));
    cof_volumes_blame(o, number, &why);
    return COF_OK;
}

static cof_status add(const search *s, const cof_superblock *sb, const cof_superblock_state *state,
                      cof_file **file, cof_error *err)
{
    cof_opened *o = s->o;
    cof_error why = COF_ERROR_INIT;
    cof_status st;

    if (cof_body_has(o->body, sb->volume))
        return note_twice(o, sb->volume, *file, err);
    st = cof_body_add(o->body, sb->volume, file, cof_head_len(sb->slot_size), &why);
    if (st == COF_FORMAT) { /* shorter than its head */
        cof_volumes_blame(o, sb->volume, &why);
        return COF_OK;
    }
    if (st != COF_OK && err != NULL)
        *err = why;
    if (st == COF_OK && state->copies_differ) {
        cof_note(s->how->report,
                 "a superblock of volume %" PRIu32 " (%.200s) is damaged; its copy "
                 "was used",
                 sb->volume, cof_body_label(o->body, sb->volume));
        o->damaged++;
    }
    return st;
}

/* Look at one file.  Whatever is no volume of this backup is none of our business. */
static cof_status examine(const search *s, const char *path, cof_error *err)
{
    cof_superblock_state state;
    cof_file *file = NULL;
    cof_superblock sb;
    cof_path_type kind;
    cof_status st = COF_OK;

    if (cof_path_kind(&kind, path, NULL) != COF_OK || kind != COF_PATH_REGULAR ||
        cof_file_open_regular(&file, path, NULL) != COF_OK)
        return COF_OK;
    if (read_superblocks(&sb, &state, file) && wanted(s, &sb))
        st = add(s, &sb, &state, &file, err);
    cof_file_free(file);
    return st;
}

/* ---- under their usual names ---- */

static cof_status usual_name(char **out, const char *first, uint32_t number, cof_error *err)
{
    size_t cap = strlen(first) + 16;

    if ((*out = malloc(cap)) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    (void)snprintf(*out, cap, "%s.%03" PRIu32, first, number);
    return COF_OK;
}

/* Until the first one that is not as it should be; then all files have to be looked at anyway. */
static cof_status try_usual_names(const search *s, const char *first, cof_error *err)
{
    cof_status st = COF_OK;

    for (uint32_t n = 2; st == COF_OK && n <= s->count; n++) {
        char *path;

        if ((st = usual_name(&path, first, n, err)) == COF_OK)
            st = examine(s, path, err);
        free(path);
        if (!cof_body_has(s->o->body, n))
            break;
    }
    return st;
}

/* ---- in directories ---- */

static cof_status scan(const search *s, const char *dir, cof_error *err)
{
    cof_names names = COF_NAMES_INIT;
    cof_status st = cof_dir_list(&names, dir, err);

    for (size_t i = 0; st == COF_OK && i < names.count; i++) {
        char *path = NULL;

        if ((st = cof_path_join(&path, dir, names.names[i], err)) == COF_OK)
            st = examine(s, path, err);
        free(path);
    }
    cof_names_free(&names);
    return st;
}

static cof_status scan_beside(const search *s, const char *first, cof_error *err)
{
    char *dir = NULL;
    cof_status st = cof_path_parent(&dir, first, err);

    if (st == COF_OK)
        st = scan(s, dir, err);
    free(dir);
    return st;
}

static cof_status scan_all(const search *s, const char *first, const char *real, cof_error *err)
{
    const cof_volume_search *where = &s->how->volumes;
    cof_status st = first != NULL ? scan_beside(s, first, err) : COF_OK;

    if (st == COF_OK && real != NULL && strcmp(real, first) != 0)
        st = scan_beside(s, real, err);
    for (size_t i = 0; st == COF_OK && i < where->dir_count; i++)
        st = scan(s, where->dirs[i], err);
    return st;
}

size_t cof_volumes_absent(const cof_opened *o)
{
    size_t absent = 0;

    for (uint32_t n = 2; n <= o->manifest.volume_count; n++)
        absent += !cof_body_has(o->body, n);
    return absent;
}

static bool all_found(const search *s)
{
    for (uint32_t n = 2; n <= s->count; n++)
        if (!cof_body_has(s->o->body, n))
            return false;
    return s->count > 0;
}

cof_status cof_volumes_find(cof_opened *o, uint32_t count, const cof_opening *how, cof_error *err)
{
    const search s = {o, how, count};
    const char *first = how->volumes.first;
    char *real = NULL;
    cof_status st = COF_OK;

    /* Volume 1 may be reached through a link: then the others are beside what it leads to. */
    if (first != NULL && cof_path_real(&real, first, NULL) == COF_NOMEM)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (first != NULL)
        st = try_usual_names(&s, first, err);
    if (st == COF_OK && real != NULL && !all_found(&s))
        st = try_usual_names(&s, real, err);
    if (st == COF_OK && (!all_found(&s) || how->volumes.dir_count > 0))
        st = scan_all(&s, first, real, err);
    free(real);
    return st;
}

/* ---- what is wrong ---- */

void cof_volumes_measure(cof_opened *o)
{
    for (uint32_t n = 2; n < o->manifest.volume_count; n++) {
        uint64_t have = cof_body_len(o->body, n), bytes = o->manifest.volumes[n - 1].bytes;
        uint64_t base = cof_body_base(o->body, n);
        cof_error why = COF_ERROR_INIT;

        if (!cof_body_has(o->body, n) || have == bytes)
            continue;
        if (have < bytes)
            (void)cof_fail_rule(&why, COF_FORMAT, "MF-5", base + have,
                                "%.200s is cut off: %" PRIu64
                                " bytes of its content are missing (volume %" PRIu32 ")",
                                cof_body_label(o->body, n), bytes - have, n);
        else
            (void)cof_fail_rule(&why, COF_FORMAT, "GE-3", base + bytes,
                                "%.200s has bytes behind its end (volume %" PRIu32 ")",
                                cof_body_label(o->body, n), n);
        cof_volumes_blame(o, n, &why);
    }
}

/* "2, 4 to 7 and others" */
static void list_missing(char *out, size_t cap, const cof_opened *o)
{
    uint32_t count = (uint32_t)o->manifest.volume_count;
    size_t used = 0;

    out[0] = '\0';
    for (uint32_t n = 2; n <= count; n++) {
        uint32_t from = n;

        if (cof_body_has(o->body, n))
            continue;
        while (n < count && !cof_body_has(o->body, n + 1))
            n++;
        if (used + 40 > cap) {
            (void)snprintf(out + used, cap - used, " and others");
            return;
        }
        used += (size_t)snprintf(out + used, cap - used, "%s%" PRIu32, used > 0 ? ", " : "", from);
        if (n > from)
            used += (size_t)snprintf(out + used, cap - used, " to %" PRIu32, n);
    }
}

/* What stands where a missing volume would be looked for first; "" if nothing does. */
static void describe_stranger(char *out, size_t cap, const cof_opened *o, uint32_t number)
{
    cof_error why = COF_ERROR_INIT;
    cof_superblock_state state;
    cof_file *file = NULL;
    char *path = NULL;
    cof_superblock sb;

    out[0] = '\0';
    if (o->first_path == NULL || usual_name(&path, o->first_path, number, NULL) != COF_OK)
        return;
    if (cof_file_open_regular(&file, path, &why) != COF_OK) {
        if (why.sys_errno != ENOENT)
            (void)snprintf(out, cap, "; %.150s", why.message);
    } else if (!read_superblocks(&sb, &state, file)) {
        (void)snprintf(out, cap, "; %.100s is no volume, or its head is damaged",
                       cof_file_label(file));
    } else if (!same_backup(&sb, o)) {
        (void)snprintf(out, cap, "; %.100s belongs to another backup", cof_file_label(file));
    } else {
        (void)snprintf(out, cap, "; %.100s is volume %" PRIu32, cof_file_label(file), sb.volume);
    }
    cof_file_free(file);
    free(path);
}

bool cof_volumes_beheaded(const cof_opened *o, uint32_t number)
{
    uint8_t magic[2][8] = {{0}};
    cof_superblock_state state;
    cof_file *file = NULL;
    char *path = NULL;
    cof_superblock sb;
    size_t got;
    bool yes = false;

    if (o->first_path == NULL || usual_name(&path, o->first_path, number, NULL) != COF_OK)
        return false;
    if (cof_file_open_regular(&file, path, NULL) == COF_OK &&
        !read_superblocks(&sb, &state, file)) {
        for (int i = 0; i < 2; i++)
            if (cof_file_pread_some(magic[i], sizeof(magic[i]), &got, file,
                                    cof_head_superblock_offset(i), NULL) != COF_OK)
                memset(magic[i], 0, sizeof(magic[i]));
        yes = cof_superblock_has_magic(magic[0]) || cof_superblock_has_magic(magic[1]);
    }
    cof_file_free(file);
    free(path);
    return yes;
}

static uint32_t first_missing(const cof_opened *o)
{
    uint32_t n = 2;

    while (cof_body_has(o->body, n))
        n++;
    return n;
}

cof_status cof_volumes_require(const cof_opened *o, bool all, cof_error *err)
{
    size_t absent = cof_volumes_absent(o);
    char numbers[120], stranger[200];

    if (o->trouble.status != COF_OK) {
        if (err != NULL)
            *err = o->trouble;
        return o->trouble.status;
    }
    if (absent == 0 || !all)
        return COF_OK;
    list_missing(numbers, sizeof(numbers), o);
    describe_stranger(stranger, sizeof(stranger), o, first_missing(o));
    return cof_fail_rule(err, COF_FORMAT, "VO-1", COF_NO_OFFSET,
                         "volume%s %s of %.100s %s missing%s; say with --volume-dir where to look",
                         absent == 1 ? "" : "s", numbers, cof_file_label(o->file),
                         absent == 1 ? "is" : "are", stranger);
}

cof_status cof_volumes_locate(const cof_opened *o, uint32_t volume, cof_status st, cof_error *err)
{
    char sentence[sizeof(err->message)];

    if (st == COF_OK || err == NULL || volume < 2 || !cof_body_has(o->body, volume))
        return st;
    memcpy(sentence, err->message, sizeof(sentence));
    (void)snprintf(err->message, sizeof(err->message), "in %.120s, volume %" PRIu32 ": %.300s",
                   cof_body_label(o->body, volume), volume, sentence);
    return st;
}
