/* SPDX-License-Identifier: Apache-2.0 */

/* From options to a plan for the sink: one file, a list of them, or as many as it takes. */

#include "engine/places.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/name.h"
#include "engine/write.h"
#include "format/superblock.h"
#include "os/dir.h"

bool cof_places_several(const cof_backup_options *o)
{
    return o->volume_count > 0 || o->volume_size > 0;
}

/* Volume 1 is that of index 0; a later one has a small head. */
static cof_status check_limit(uint64_t limit, size_t index, const cof_preamble *preamble,
                              uint64_t head_len, cof_error *err)
{
    uint64_t least = cof_writer_least(preamble, index == 0 ? head_len : cof_head_len(0));

    if (limit == 0 || limit >= least)
        return COF_OK;
    return cof_fail(err, COF_USAGE,
                    "a volume of %" PRIu64 " bytes has no room for its head and a record: let it "
                    "have %" PRIu64 " or more, or choose smaller records",
                    limit, least);
}

/* In a directory the name is made, and a later volume has its number behind it. */
static cof_status make_place(cof_sink_place *out, char **path, const char *given, uint64_t limit,
                             const cof_preamble *preamble, cof_error *err)
{
    cof_path_type kind;
    cof_status st;

    if (given == NULL || given[0] == '\0')
        return cof_fail(err, COF_USAGE, "a volume has an empty name");
    if ((st = cof_path_kind(&kind, given, err)) != COF_OK ||
        (st = cof_name_output(path, given, preamble, err)) != COF_OK)
        return st;
    *out = (cof_sink_place){.path = *path, .limit = limit, .numbered = kind == COF_PATH_DIRECTORY};
    return COF_OK;
}

static cof_status open_list(cof_sink **out, const cof_backup_options *o,
                            const cof_preamble *preamble, uint64_t head_len, cof_error *err)
{
    cof_sink_place *places = calloc(o->volume_count, sizeof(*places));
    char **paths = calloc(o->volume_count, sizeof(*paths));
    const cof_sink_plan plan = {places, o->volume_count, false, o->force};
    cof_status st = COF_OK;

    if (places == NULL || paths == NULL)
        st = cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; st == COF_OK && i < o->volume_count; i++) {
        const cof_volume_place *v = &o->volumes[i];
        uint64_t limit = v->limit != 0 ? v->limit : o->volume_size;

        if ((st = check_limit(limit, i, preamble, head_len, err)) == COF_OK)
            st = make_place(&places[i], &paths[i], v->path, limit, preamble, err);
    }
    if (st == COF_OK)
        st = cof_sink_volumes(out, &plan, err);
    for (size_t i = 0; paths != NULL && i < o->volume_count; i++)
        free(paths[i]);
    free(paths);
    free(places);
    return st;
}

static cof_status open_repeated(cof_sink **out, const cof_backup_options *o,
                                const cof_preamble *preamble, uint64_t head_len, cof_error *err)
{
    cof_sink_place place;
    const cof_sink_plan plan = {&place, 1, true, o->force};
    char *path = NULL;
    cof_status st;

    if ((st = check_limit(o->volume_size, 0, preamble, head_len, err)) == COF_OK &&
        (st = make_place(&place, &path, o->output, o->volume_size, preamble, err)) == COF_OK) {
        place.numbered = true;
        st = cof_sink_volumes(out, &plan, err);
    }
    free(path);
    return st;
}

cof_status cof_places_open(cof_sink **out, const cof_backup_options *o,
                           const cof_preamble *preamble, uint64_t head_len, cof_error *err)
{
    char *path = NULL;
    cof_status st;

    *out = NULL;
    if (o->output != NULL && o->volume_count > 0)
        return cof_fail(err, COF_USAGE, "a backup goes to one output or to a list of volumes");
    if (o->volume_count > 0)
        return open_list(out, o, preamble, head_len, err);
    if (o->output == NULL && o->volume_size > 0)
        return cof_fail(err, COF_USAGE, "several volumes cannot go through a pipe");
    if (o->output == NULL)
        return cof_sink_fd(out, o->output_fd, err);
    if (o->volume_size > 0)
        return open_repeated(out, o, preamble, head_len, err);
    if ((st = cof_name_output(&path, o->output, preamble, err)) == COF_OK)
        st = cof_sink_file(out, path, o->force, err);
    free(path);
    return st;
}
