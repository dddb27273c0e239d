/* SPDX-License-Identifier: Apache-2.0 */

/* Opening for reading: the file or the pipe, the open procedure, the verdicts. */

#include "engine/reader.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/heads.h"
#include "engine/lock.h"
#include "engine/note.h"
#include "os/os.h"
#include "store/spool.h"

static cof_status open_input(cof_reader *r, cof_error *err)
{
    cof_file *pipe = NULL;
    cof_status st;

    if (r->options->heads != NULL)
        return cof_heads_file(&r->file, r->options->heads, r->options->head, err);
    if (r->options->path != NULL) {
        if ((st = cof_require_regular(r->options->path, err)) != COF_OK)
            return st;
        return cof_file_open_read(&r->file, r->options->path, err);
    }
    if ((st = cof_file_from_fd(&pipe, r->options->input_fd, "standard input", false, err)) !=
        COF_OK)
        return st;
    if (cof_file_kind(pipe) == COF_FILE_DIRECTORY)
        st = cof_fail(err, COF_USAGE, "standard input is a directory");
    else
        st = cof_spool_pipe(&r->file, pipe, r->options->spool_dir, err);
    cof_file_free(pipe);
    return st;
}

static cof_status load(cof_reader *r, cof_error *err)
{
    const cof_opening how = {
        .trust = r->options->trust,
        .claimed = r->options->claimed,
        .prove_maker = r->options->prove_maker,
        .keys = r->options->keys,
        .volumes = {r->options->path, r->options->volume_dirs, r->options->volume_dir_count},
        .alone = r->options->alone,
        .envelope = r->options->envelope,
        .rescue = r->options->rescue,
        .min_custodians = r->options->min_custodians,
        .report = &r->options->report,
    };

    return cof_opened_load(&r->opened, r->file, &how, err);
}

/* The custody verdict is apart from the content's: it warns, unless the caller is strict. */
static cof_status pronounce(cof_reader *r, cof_error *err)
{
    const cof_opened *o = &r->opened;

    r->opened.damaged += cof_head_report(&o->head, &r->options->report);
    if (o->custody_problem[0] == '\0')
        return COF_OK;
    if (r->options->strict_custody)
        return cof_fail_rule(err, COF_AUTH, "CU-5", COF_NO_OFFSET, "%s", o->custody_problem);
    cof_note(&r->options->report, "%s; the content is not affected", o->custody_problem);
    return COF_OK;
}

cof_status cof_reader_open(cof_reader **out, const cof_open_options *options, cof_error *err)
{
    cof_reader *r = calloc(1, sizeof(*r));
    cof_status st;

    *out = NULL;
    if (r == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    r->options = options;
    if ((st = open_input(r, err)) != COF_OK || (st = load(r, err)) != COF_OK ||
        (st = pronounce(r, err)) != COF_OK || (st = cof_reader_describe(r, err)) != COF_OK)
        goto out;
    *out = r;
    r = NULL; /* transferred */
out:
    cof_reader_free(r);
    return st;
}

static bool is_file(const cof_file *file, const struct stat *there)
{
    cof_file_id id;

    return file != NULL && cof_file_identity(&id, file, NULL) == COF_OK &&
           id.dev == there->st_dev && id.ino == there->st_ino;
}

/* Standard input may be a backup that has a name. */
static bool is_input(const cof_reader *r, const struct stat *there)
{
    struct stat input;

    return r->options->path == NULL && r->options->heads == NULL &&
           cof_os_get()->fstat(r->options->input_fd, &input) == 0 &&
           input.st_dev == there->st_dev && input.st_ino == there->st_ino;
}

static bool is_later_volume(const cof_body *body, const struct stat *there)
{
    for (uint32_t n = 2; body != NULL && n <= cof_body_highest(body); n++) {
        cof_file_id id = cof_body_identity(body, n);

        if (cof_body_has(body, n) && id.dev == there->st_dev && id.ino == there->st_ino)
            return true;
    }
    return false;
}

cof_status cof_reader_spares(const cof_reader *reader, const char *path, cof_error *err)
{
    const cof_heads *envelope = reader->options->envelope;
    char name[COF_TEXT_NAME_CAP];
    struct stat there;

    if (cof_os_get()->stat(path, &there) != 0)
        return COF_OK; /* whoever makes the file finds out what is wrong with that */
    if (!is_file(reader->file, &there) && !is_input(reader, &there) &&
        !is_later_volume(reader->opened.body, &there) &&
        (envelope == NULL || !is_file(envelope->file, &there)))
        return COF_OK;
    return cof_fail(err, COF_USAGE,
                    "%s belongs to the backup that is read, and is not replaced by what comes out "
                    "of it; name another file",
                    cof_text_safe_str(name, sizeof(name), path));
}

void cof_reader_free(cof_reader *reader)
{
    if (reader == NULL)
        return;
    free(reader->recipients);
    for (size_t i = 0; i < reader->approval_lists; i++)
        free(reader->approvals[i]);
    free(reader->approvals);
    free(reader->custody);
    free(reader->volumes);
    cof_opened_wipe(&reader->opened);
    cof_file_free(reader->file);
    free(reader);
}

void cof_reader_damaged(cof_reader *reader, size_t count)
{
    reader->opened.damaged += count;
    reader->info.damaged = reader->opened.damaged;
}

void cof_reader_proven(cof_reader *reader)
{
    reader->info.lineage = COF_LINEAGE_PROVEN;
    reader->info.first_maker.standing = COF_STANDING_TRUSTED;
}

const cof_info *cof_reader_info(const cof_reader *reader)
{
    return &reader->info;
}
