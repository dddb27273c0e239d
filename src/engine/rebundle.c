/* SPDX-License-Identifier: Apache-2.0 */

/* New bundles, and old ones whose heads have changed. */

#include "engine/rebundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/lock.h"
#include "engine/note.h"
#include "os/dir.h"

#define COPY_STEP 65536

/* ---- writing ---- */

static cof_status put(cof_bundling *b, const void *data, size_t len, cof_error *err)
{
    cof_status st = cof_file_write_at(cof_newfile_file(b->file), b->at, data, len, err);

    b->at += len;
    return st;
}

cof_status cof_bundling_add(cof_bundling *b, cof_slice bytes, cof_error *err)
{
    cof_status st = cof_sha256_update(b->sha, bytes.data, bytes.len, err);

    return st == COF_OK ? put(b, bytes.data, bytes.len, err) : st;
}

cof_status cof_bundling_begin(cof_bundling *out, const char *path, mode_t mode, uint32_t count,
                              uint64_t heads_len, cof_error *err)
{
    const cof_bundle_header header = {count,
                                      COF_BUNDLE_HEADER_SIZE + heads_len + COF_BUNDLE_DIGEST_SIZE};
    uint8_t raw[COF_BUNDLE_HEADER_SIZE];
    cof_status st;

    cof_bundle_header_emit(raw, &header);
    if ((st = cof_newfile_create(&out->file, path, mode, err)) != COF_OK ||
        (st = cof_sha256_new(&out->sha, err)) != COF_OK ||
        (st = cof_sha256_init(out->sha, err)) != COF_OK)
        return st;
    return cof_bundling_add(out, (cof_slice){raw, sizeof(raw)}, err);
}

cof_status cof_bundling_publish(cof_bundling *b, bool force, cof_error *err)
{
    uint8_t digest[COF_BUNDLE_DIGEST_SIZE];
    cof_status st;

    if ((st = cof_sha256_final(b->sha, digest, err)) != COF_OK ||
        (st = put(b, digest, sizeof(digest), err)) != COF_OK)
        return st;
    return cof_newfile_publish(b->file, force, err);
}

void cof_bundling_wipe(cof_bundling *b)
{
    cof_sha256_free(b->sha);
    cof_newfile_free(b->file);
    *b = (cof_bundling){NULL, NULL, 0};
}

/* ---- writing anew ---- */

static cof_status copy_head(cof_bundling *out, const cof_heads *heads, size_t i, cof_error *err)
{
    const cof_heads_item *item = &heads->items[i];
    uint8_t buf[COPY_STEP];
    cof_status st = COF_OK;
    size_t step;

    for (uint64_t done = 0; st == COF_OK && done < item->len; done += step) {
        step = item->len - done < sizeof(buf) ? (size_t)(item->len - done) : sizeof(buf);
        if ((st = cof_file_read_full(buf, step, heads->file, item->at + done, err)) == COF_OK)
            st = cof_bundling_add(out, (cof_slice){buf, step}, err);
    }
    return st;
}

/* One head into the new bundle: as it is to be, or as it was.  *any becomes true with the first. */
static cof_status pass_on(cof_bundling *out, bool *any, const cof_heads *heads, size_t i,
                          cof_rebundle_fn *ask, void *ctx, cof_error *err)
{
    cof_buf changed = COF_BUF_INIT;
    cof_file *head = NULL;
    cof_status st = cof_heads_file(&head, heads, i, err);

    if (st != COF_OK)
        return st;
    ask(ctx, i, head, &changed);
    if (changed.len == 0)
        st = copy_head(out, heads, i, err);
    else if (changed.len == heads->items[i].len)
        st = cof_bundling_add(out, cof_buf_slice(&changed), err);
    else
        st = cof_fail(err, COF_INTERNAL, "a head of a bundle became longer or shorter");
    *any |= changed.len > 0;
    cof_buf_free(&changed);
    cof_file_free(head);
    return st;
}

/* The lock is on the file that was opened: nothing else may be replaced, nor what is newer. */
static cof_status still_there(const cof_heads *heads, const char *path, cof_error *err)
{
    bool same = true;
    cof_status st = cof_file_still_at_path(&same, heads->file, path, err);

    if (st != COF_OK || same)
        return st;
    return cof_fail(err, COF_BUSY,
                    "%s was removed or replaced by another program meanwhile: whatever has this "
                    "name now was not changed; run the same command again",
                    cof_file_label(heads->file));
}

/*
 * path is without symbolic links: what is replaced is the file that they lead to.  *changed: it has
 * the new bytes.
 */
static cof_status write_anew(const char *path, const cof_heads *heads, cof_rebundle_fn *ask,
                             void *ctx, bool *changed, cof_error *err)
{
    uint64_t size, frame = COF_BUNDLE_HEADER_SIZE + COF_BUNDLE_DIGEST_SIZE;
    cof_bundling out = {NULL, NULL, 0};
    bool any = false;
    cof_status st;

    if ((st = still_there(heads, path, err)) != COF_OK ||
        (st = cof_file_size(&size, heads->file, err)) != COF_OK ||
        (st = cof_bundling_begin(&out, path, COF_NEWFILE_MODE_AS_IS, (uint32_t)heads->count,
                                 size - frame, err)) != COF_OK ||
        (st = cof_file_copy_attributes(cof_newfile_file(out.file), heads->file, err)) != COF_OK)
        goto out;
    for (size_t i = 0; st == COF_OK && i < heads->count; i++)
        st = pass_on(&out, &any, heads, i, ask, ctx, err);
    if (st == COF_OK && any && (st = still_there(heads, path, err)) == COF_OK) {
        st = cof_bundling_publish(&out, true, err);
        *changed = cof_newfile_has_name(out.file);
    }
out:
    cof_bundling_wipe(&out);
    return st;
}

cof_status cof_rebundle(const char *path, cof_rebundle_fn *ask, void *ctx, const cof_report *report,
                        cof_error *err)
{
    bool changed = false;
    cof_heads *heads = NULL;
    cof_file *file = NULL;
    char *real = NULL;
    cof_status st;

    if ((st = cof_open_for_change(&file, path, cof_lock_deadline(), err)) != COF_OK ||
        (st = cof_path_real(&real, path, err)) != COF_OK ||
        (st = cof_heads_take(&heads, &file, err)) != COF_OK)
        goto out;
    if (heads->bundle)
        st = write_anew(real, heads, ask, ctx, &changed, err);
    else
        st = cof_fail(err, COF_USAGE, "%s is no bundle of heads", cof_file_label(heads->file));
out:
    if (st != COF_OK && !changed)
        cof_note(report, "the bundle is as it was: nothing in it was changed");
    free(real);
    cof_heads_free(heads);
    cof_file_free(file);
    return st;
}
