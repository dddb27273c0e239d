/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A path means itself and what is below.  So does a pattern: whatever it matches, and what is below
 * that.  Both say by what they begin with where in the catalog it can be.
 */

#include "engine/select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/treepath.h"
#include "source/roots.h"

static cof_slice slice_of(const char *text)
{
    return (cof_slice){(const uint8_t *)text, strlen(text)};
}

/* Leave of a pattern the components before the first that is one. */
static void cut_to_literal(char *path)
{
    char *special = path + strcspn(path, "*?[\\");

    while (special > path && *special != '/')
        special--;
    if (special == path)
        special[0] = '.', special++;
    *special = '\0';
}

static cof_status add_pattern(cof_wanted *w, cof_error *err)
{
    char *anchored = NULL;
    size_t len = strlen(w->given);
    cof_status st;

    if (asprintf(&anchored, "/%s%s", w->path, w->given[len - 1] == '/' ? "/" : "") < 0)
        return cof_fail(err, COF_NOMEM, "out of memory");
    st = cof_patterns_add(&w->pattern, anchored, err);
    free(anchored);
    cut_to_literal(w->path);
    return st;
}

cof_status cof_select_init(cof_select *out, const cof_tree_selection *s, cof_error *err)
{
    cof_status st = COF_OK;

    memset(out, 0, sizeof(*out));
    if (s == NULL)
        return COF_OK;
    out->wanted = calloc(s->path_count + 1, sizeof(*out->wanted));
    if (out->wanted == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; st == COF_OK && i < s->path_count; i++) {
        cof_wanted *w = &out->wanted[out->count++];

        w->given = s->paths[i];
        if (w->given[0] == '\0')
            return cof_fail(err, COF_USAGE, "an empty path names nothing in a backup");
        if ((w->path = cof_root_inside(w->given)) == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        if (w->path[strcspn(w->path, "*?[\\")] != '\0')
            st = add_pattern(w, err);
    }
    for (size_t i = 0; st == COF_OK && i < s->exclude_count; i++)
        st = cof_patterns_add(&out->exclude, s->exclude[i], err);
    return st;
}

void cof_select_wipe(cof_select *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->wanted[i].path);
        cof_patterns_wipe(&s->wanted[i].pattern);
    }
    free(s->wanted);
    cof_patterns_wipe(&s->exclude);
    memset(s, 0, sizeof(*s));
}

bool cof_select_range(const cof_select *s, cof_slice first, const cof_slice *next)
{
    for (size_t i = 0; i < s->count; i++) {
        cof_slice path = slice_of(s->wanted[i].path);
        bool begins = cof_treepath_compare(first, path) <= 0 || cof_treepath_below(first, path);

        if (begins && (next == NULL || cof_treepath_compare(path, *next) < 0))
            return true;
    }
    return s->count == 0;
}

/* Does a pattern match the path, or a directory that it lies in? */
static bool matches(const cof_patterns *patterns, cof_slice path, bool directory)
{
    if (patterns->count == 0)
        return false;
    for (size_t i = 1; i < path.len; i++)
        if (path.data[i] == '/' && cof_patterns_match(patterns, (cof_slice){path.data, i}, true))
            return true;
    return cof_patterns_match(patterns, path, directory);
}

static bool means(const cof_wanted *w, cof_slice path, bool directory)
{
    return w->pattern.count == 0 ? cof_treepath_below(path, slice_of(w->path))
                                 : matches(&w->pattern, path, directory);
}

static bool decide(cof_select *s, cof_slice path, bool directory, bool note)
{
    bool meant = s->count == 0;

    for (size_t i = 0; i < s->count; i++)
        if (means(&s->wanted[i], path, directory)) {
            meant = true;
            s->wanted[i].met |= note;
        }
    return meant && !matches(&s->exclude, path, directory);
}

bool cof_select_match(cof_select *s, const cof_catalog_entry *e)
{
    return decide(s, e->path, e->type == COF_ENTRY_DIRECTORY, true);
}

bool cof_select_covers(cof_select *s, cof_slice path)
{
    return decide(s, path, false, false);
}

cof_status cof_select_check(const cof_select *s, cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];

    for (size_t i = 0; i < s->count; i++)
        if (!s->wanted[i].met)
            return cof_fail(err, COF_USAGE, "%s is not in the backup",
                            cof_text_safe_str(safe, sizeof(safe), s->wanted[i].given));
    return COF_OK;
}
