/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The files of a rekey: where the new volumes go, and which files are nobody's any more.
 *
 * The new set is cut where the old one was, so that each disk gets back what it had; what the
 * lineage adds goes into the last volume.  Publishing sets old later volumes aside, gives the new
 * ones their names, then volume 1 its own, which is the commit, and removes what was set aside.
 */

#include <coffer/prune.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/text.h"
#include "engine/name.h"
#include "engine/note.h"
#include "engine/rekeying.h"
#include "os/dir.h"
#include "os/newfile.h"
#include "os/os.h"

/* ---- names ---- */

static cof_status check_name(const cof_rekeying *r, const char *path, cof_error *err)
{
    size_t len = 0;
    const char *name = cof_path_name(path);
    char safe[COF_TEXT_NAME_CAP];

    if (r->options->output != NULL || strlen(name) <= COF_NEWFILE_NAME_MAX ||
        cof_newfile_is_aside(name, &len))
        return COF_OK;
    return cof_fail(err, COF_LIMIT,
                    "the name %s is too long to be replaced as one of several: give it one of at "
                    "most %d bytes, or write the new backup elsewhere (-o)",
                    cof_text_safe_str(safe, sizeof(safe), name), COF_NEWFILE_NAME_MAX);
}

cof_status cof_rekeying_locate(cof_rekeying *r, cof_error *err)
{
    size_t count = (size_t)r->old.opened.manifest.volume_count - 1;
    cof_status st = COF_OK;

    if (count == 0)
        return COF_OK;
    if ((r->later = calloc(count, sizeof(*r->later))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    r->later_count = count;
    for (uint32_t i = 0; st == COF_OK && i < count; i++) {
        st = cof_path_real(&r->later[i], cof_body_path(r->old.opened.body, i + 2), err);
        if (st == COF_OK)
            st = check_name(r, r->later[i], err);
    }
    return st;
}

void cof_rekeying_wipe_located(cof_rekeying *r)
{
    for (size_t i = 0; i < r->later_count; i++)
        free(r->later[i]);
    free(r->later);
    r->later = NULL;
    r->later_count = 0;
}

static const char *old_path(const cof_rekeying *r, uint32_t volume)
{
    return volume == 1 ? r->path : r->later[volume - 2];
}

/* What an old volume is called, or was before a run that was killed set it aside. */
static cof_status name_of(char **out, const cof_rekeying *r, uint32_t volume, cof_error *err)
{
    const char *path = old_path(r, volume), *name = cof_path_name(path);
    char *dir = NULL, *plain = NULL;
    size_t len = 0;
    cof_status st;

    *out = NULL;
    if (volume == 1 || !cof_newfile_is_aside(name, &len)) {
        *out = strdup(path);
        return *out != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
    }
    plain = strndup(name + 1, len);
    st = plain != NULL ? cof_path_parent(&dir, path, err)
                       : cof_fail(err, COF_NOMEM, "out of memory");
    if (st == COF_OK)
        st = cof_path_join(out, dir, plain, err);
    free(dir);
    free(plain);
    return st;
}

/* ---- where it goes ---- */

typedef struct places {
    cof_sink_place *items;
    char **paths;
    size_t count;
} places;

static void places_free(places *p)
{
    for (size_t i = 0; p->paths != NULL && i < p->count; i++)
        free(p->paths[i]);
    free(p->paths);
    free(p->items);
}

/* As long as it was; the last one takes what comes. */
static uint64_t limit_of(const cof_rekeying *r, uint32_t volume)
{
    const cof_opened *o = &r->old.opened;
    uint64_t head = volume == 1 ? cof_head_len(r->sb.slot_size) : cof_body_base(o->body, volume);

    return volume == o->manifest.volume_count ? 0 : head + cof_body_len(o->body, volume);
}

static cof_status plan_places(places *out, const cof_rekeying *r, cof_error *err)
{
    const char *output = r->options->output;
    cof_status st = COF_OK;

    out->count = r->old.opened.manifest.volume_count;
    out->items = calloc(out->count, sizeof(*out->items));
    out->paths = calloc(out->count, sizeof(*out->paths));
    if (out->items == NULL || out->paths == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (uint32_t i = 0; st == COF_OK && i < out->count; i++) {
        st = output != NULL ? cof_name_output(&out->paths[i], output, &r->preamble, err)
                            : name_of(&out->paths[i], r, i + 1, err);
        out->items[i] = (cof_sink_place){.path = out->paths[i],
                                         .limit = limit_of(r, i + 1),
                                         .numbered = output != NULL && i > 0,
                                         .like = output != NULL ? NULL : r->old.file};
    }
    return st;
}

/* Has `found` been set aside from what is called `name`? */
static bool is_aside_of(const char *found, const char *name)
{
    size_t len = 0;

    return cof_newfile_is_aside(found, &len) && len == strlen(name) &&
           strncmp(found + 1, name, len) == 0;
}

/* How many names the file has that are `path`, or were given to set it aside by a run that was
 * killed. */
static uint64_t names_of_ours(const cof_file *file, const char *path)
{
    const char *name = cof_path_name(path);
    cof_names names = COF_NAMES_INIT;
    cof_file_id known;
    uint64_t count = 0;
    char *dir = NULL;
    bool listed = cof_file_identity(&known, file, NULL) == COF_OK &&
                  cof_path_parent(&dir, path, NULL) == COF_OK &&
                  cof_dir_list(&names, dir, NULL) == COF_OK;

    for (size_t i = 0; listed && i < names.count; i++) {
        const char *found = names.names[i];
        char *other = NULL;
        struct stat there;

        if ((strcmp(found, name) == 0 || is_aside_of(found, name)) &&
            cof_path_join(&other, dir, found, NULL) == COF_OK &&
            cof_os_get()->lstat(other, &there) == 0 && there.st_dev == known.dev &&
            there.st_ino == known.ino)
            count++;
        free(other);
    }
    cof_names_free(&names);
    free(dir);
    return count;
}

/* Those that were set aside go with this run; of any other somebody should know. */
static void note_names_of(const cof_rekeying *r, uint32_t volume, const cof_file *file)
{
    uint64_t names = 1;
    char *path = NULL;

    if (cof_file_link_count(&names, file, NULL) == COF_OK && names > 1 &&
        name_of(&path, r, volume, NULL) == COF_OK && names > names_of_ours(file, path))
        cof_note(&r->options->report,
                 "%s has further names (hard links): what these name stays encrypted as it is, "
                 "under the old data key",
                 cof_file_label(file));
    free(path);
}

static void note_names(const cof_rekeying *r)
{
    note_names_of(r, 1, r->old.file);
    for (uint32_t v = 2; v <= r->old.opened.manifest.volume_count; v++) {
        cof_file *file = NULL;

        if (cof_file_open_regular(&file, old_path(r, v), NULL) == COF_OK)
            note_names_of(r, v, file);
        cof_file_free(file);
    }
}

cof_status cof_rekeying_open_sink(cof_rekeying *r, cof_error *err)
{
    bool in_place = r->options->output == NULL;
    places p = {NULL, NULL, 0};
    cof_status st = plan_places(&p, r, err);

    if (st == COF_OK) {
        const cof_sink_plan plan = {p.items, p.count, false, in_place};

        if (in_place)
            note_names(r);
        st = cof_sink_volumes(&r->sink, &plan, err);
    }
    places_free(&p);
    return st;
}

/* ---- what killed runs have left ---- */

/* Is it a volume of this backup from before the rekey that led to this preamble? */
static bool is_outdated(const char *path, const cof_preamble *now)
{
    uint8_t raw[2 * COF_SUPERBLOCK_SIZE];
    cof_file *file = NULL;
    cof_superblock sb;
    cof_preamble p;
    bool outdated =
        cof_file_open_regular(&file, path, NULL) == COF_OK &&
        cof_file_read_full(raw, sizeof(raw), file, 0, NULL) == COF_OK &&
        cof_superblock_choose(&sb, NULL, raw, raw + COF_SUPERBLOCK_SIZE, NULL) == COF_OK &&
        cof_preamble_parse(&p, sb.preamble, NULL) == COF_OK && sb.role == COF_VOLUME_LATER &&
        p.epoch < now->epoch && cof_equal_consttime(p.uuid, now->uuid, sizeof(p.uuid));

    cof_file_free(file);
    return outdated;
}

/*
 * Only who has the lock of a backup writes a new one in its place, and that is this process: files
 * on their way to a name of it that nobody has locked are nobody's any more.
 */
static bool remove_one(const char *path, const char *name, const cof_preamble *now)
{
    const char *found = cof_path_name(path);

    if (cof_newfile_is_temporary_of(found, name))
        return cof_leftover_remove(path, 0, NULL) == COF_OK;
    return is_aside_of(found, name) && is_outdated(path, now) && cof_os_get()->unlink(path) == 0;
}

static cof_status remove_around(const char *path, const cof_preamble *now, size_t *count,
                                cof_error *err)
{
    cof_names names = COF_NAMES_INIT;
    char *dir = NULL, *other = NULL;
    cof_status st;

    if ((st = cof_path_parent(&dir, path, err)) == COF_OK)
        st = cof_dir_list(&names, dir, err);
    for (size_t i = 0; st == COF_OK && i < names.count; i++) {
        if (names.names[i][0] != '.')
            continue;
        if ((st = cof_path_join(&other, dir, names.names[i], err)) == COF_OK &&
            remove_one(other, cof_path_name(path), now))
            ++*count;
        free(other);
    }
    cof_names_free(&names);
    free(dir);
    return st;
}

static cof_status remove_all(const cof_rekeying *r, const cof_preamble *now, size_t *count,
                             cof_error *err)
{
    cof_status st = COF_OK;

    for (uint32_t v = 1; st == COF_OK && v <= r->old.opened.manifest.volume_count; v++) {
        char *path = NULL;

        if ((st = name_of(&path, r, v, err)) == COF_OK)
            st = remove_around(path, now, count, err);
        free(path);
    }
    return st;
}

cof_status cof_rekeying_remove_leftovers(const cof_rekeying *r, size_t *count, cof_error *err)
{
    return remove_all(r, &r->old.opened.head.preamble, count, err);
}

/* ---- what is left of the old set ---- */

static bool is_new(const cof_rekeying *r, const char *path)
{
    for (size_t v = 1; v <= cof_sink_count(r->sink); v++)
        if (strcmp(path, cof_sink_path(r->sink, v)) == 0)
            return true;
    return false;
}

/* It opens with the old keys, and has a name that nobody sees. */
static void note_left_aside(const cof_rekeying *r)
{
    for (size_t v = 2; v <= cof_sink_count(r->sink); v++) {
        const char *path = cof_sink_left_aside(r->sink, v);
        char name[COF_TEXT_NAME_CAP];

        if (path != NULL)
            cof_note(&r->options->report,
                     "volume %zu of the old backup, under the old data key, may still be there; "
                     "see that %s is removed",
                     v, cof_text_safe_str(name, sizeof(name), path));
    }
}

/* Does the path still name the volume that was read? */
static bool is_old(const cof_rekeying *r, uint32_t volume)
{
    cof_file_id known = cof_body_identity(r->old.opened.body, volume);
    struct stat there;

    return cof_os_get()->lstat(old_path(r, volume), &there) == 0 && there.st_dev == known.dev &&
           there.st_ino == known.ino;
}

cof_status cof_rekeying_require_old(const cof_rekeying *r, cof_error *err)
{
    for (uint32_t v = 2; v <= r->old.opened.manifest.volume_count; v++)
        if (!is_old(r, v))
            return cof_fail(err, COF_BUSY, "%s is another file now; it was not replaced",
                            cof_body_label(r->old.opened.body, v));
    return COF_OK;
}

/*
 * Publishing has replaced those whose name a new volume got.  One that was aside already, or that
 * has no successor, has to go by itself.  The new set is there whatever becomes of this.
 */
void cof_rekeying_remove_old(const cof_rekeying *r)
{
    size_t count = r->old.opened.manifest.volume_count, more = 0;

    for (uint32_t v = 2; v <= count; v++) {
        const char *path = old_path(r, v);

        if (!is_new(r, path) && (!is_old(r, v) || cof_os_get()->unlink(path) != 0))
            cof_note(&r->options->report, "volume %u of the old backup could not be removed: %s",
                     (unsigned)v, cof_body_label(r->old.opened.body, v));
    }
    (void)!remove_all(r, &r->preamble, &more, NULL);
    note_left_aside(r);
}
