/* SPDX-License-Identifier: Apache-2.0 */

/* Roots: named, sorted, and each thing only once. */

#include "source/roots.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/treepath.h"
#include "os/os.h"

static cof_slice slice_of(const char *text)
{
    return (cof_slice){(const uint8_t *)text, strlen(text)};
}

/* Components without "" and ".", and nothing up to the last ".."; "." if none is left. */
char *cof_root_inside(const char *given)
{
    char *out = calloc(1, strlen(given) + 2);
    size_t len = 0;

    for (const char *p = given; out != NULL && *p != '\0';) {
        size_t n = strcspn(p, "/");

        if (n == 2 && memcmp(p, "..", 2) == 0) {
            len = 0;
        } else if (n != 0 && !(n == 1 && *p == '.')) {
            if (len != 0)
                out[len++] = '/';
            memcpy(out + len, p, n);
            len += n;
        }
        p += n;
        p += strspn(p, "/");
    }
    if (out != NULL && len == 0)
        out[len++] = '.';
    if (out != NULL)
        out[len] = '\0';
    return out;
}

static int compare_roots(const void *a, const void *b)
{
    const cof_root *x = a, *y = b;
    int order = cof_treepath_compare(slice_of(x->inside), slice_of(y->inside));

    return order != 0 ? order : strcmp(x->given, y->given);
}

static cof_status add_root(cof_roots *roots, const char *given, cof_error *err)
{
    cof_root *r = &roots->items[roots->count];

    if (given[0] == '\0')
        return cof_fail(err, COF_USAGE, "an empty path cannot be backed up");
    *r = (cof_root){strdup(given), cof_root_inside(given), false};
    roots->count++;
    if (r->given == NULL || r->inside == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (!cof_treepath_valid(slice_of(r->inside)))
        return cof_fail(err, COF_USAGE, "a path is longer than 65,535 bytes");
    return COF_OK;
}

/* Is inner what the walk of outer will find under its name?  *missing: inner does not exist. */
static cof_status same_thing(bool *same, bool *missing, const cof_root *outer,
                             const cof_root *inner, cof_error *err)
{
    const cof_os *os = cof_os_get();
    size_t skip = strcmp(outer->inside, ".") == 0 ? 0 : strlen(outer->inside);
    struct stat a, b;
    char *path = NULL;

    *same = false;
    *missing = os->fstatat(AT_FDCWD, inner->given, &a) != 0;
    if (*missing)
        return COF_OK;
    if (strcmp(inner->inside, outer->inside) == 0)
        skip = strlen(inner->inside);
    if (asprintf(&path, "%s%s%s", outer->given, inner->inside[skip] == '\0' ? "" : "/",
                 inner->inside + skip) < 0)
        return cof_fail(err, COF_NOMEM, "out of memory");
    *same = os->fstatat(AT_FDCWD, path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    free(path);
    return COF_OK;
}

static cof_status clash(const cof_root *a, const cof_root *b, cof_error *err)
{
    char x[160], y[160];

    return cof_fail(err, COF_USAGE,
                    "%s and %s would have the same names inside the backup: back them up apart, or "
                    "by their full paths",
                    cof_text_safe_str(x, sizeof(x), a->given),
                    cof_text_safe_str(y, sizeof(y), b->given));
}

static void free_root(cof_root *root)
{
    free(root->given);
    free(root->inside);
}

/* Keep what does not lie in a root before it.  Sorted, so the last one kept is the only candidate.
 */
static cof_status drop_nested(cof_roots *roots, cof_error *err)
{
    cof_root *outer = NULL;
    size_t kept = 0;
    cof_status st = COF_OK;

    for (size_t i = 0; i < roots->count; i++) {
        cof_root r = roots->items[i];
        bool same = false, missing = false;

        if (st == COF_OK && outer != NULL &&
            cof_treepath_below(slice_of(r.inside), slice_of(outer->inside))) {
            if ((st = same_thing(&same, &missing, outer, &r, err)) == COF_OK && !same && !missing)
                st = clash(outer, &r, err);
            r.nested = missing;
        }
        if (same) {
            free_root(&r);
            continue;
        }
        roots->items[kept++] = r;
        if (!r.nested)
            outer = &roots->items[kept - 1];
    }
    roots->count = kept;
    return st;
}

cof_status cof_roots_make(cof_roots *out, const char *const *paths, size_t count, cof_error *err)
{
    cof_roots roots = COF_ROOTS_INIT;
    cof_status st = COF_OK;

    *out = (cof_roots)COF_ROOTS_INIT;
    roots.items = calloc(count + 1, sizeof(*roots.items));
    if (roots.items == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; st == COF_OK && i < count; i++)
        st = add_root(&roots, paths[i], err);
    if (st != COF_OK)
        goto out;
    qsort(roots.items, roots.count, sizeof(*roots.items), compare_roots);
    if ((st = drop_nested(&roots, err)) != COF_OK)
        goto out;
    *out = roots;
    roots = (cof_roots)COF_ROOTS_INIT; /* transferred */
out:
    cof_roots_wipe(&roots);
    return st;
}

void cof_roots_wipe(cof_roots *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        free_root(&roots->items[i]);
    free(roots->items);
    *roots = (cof_roots)COF_ROOTS_INIT;
}
