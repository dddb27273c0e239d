/* SPDX-License-Identifier: Apache-2.0 */

/* Volumes, in options and in words. */

#include "volume.h"

#include "human.h"
#include "say.h"
#include "show.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

/*
 * FILE[:SIZE].  What stands behind the last colon is a size if it begins with a digit and has no
 * slash in it: then it must be one.  The strings live as long as the process.
 */
static cof_status parse_volume(cof_volume_place *out, const char *text, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    const char *colon = strrchr(text, ':');
    *out = (cof_volume_place){text, 0};
    if (colon == NULL || !isdigit((unsigned char)colon[1]) || strchr(colon, '/') != NULL)
        return COF_OK;
    if (!cli_parse_size(&out->limit, colon + 1) || out->limit == 0 || colon == text)
        return cli_error(err, COF_USAGE,
                         "--volume needs a file and perhaps a size, such as /backup/db1.cof:100G, "
                         "not %s",
                         cli_safe(safe, sizeof safe, text));
    if ((out->path = strndup(text, (size_t)(colon - text))) == NULL)
        return cli_error(err, COF_NOMEM, "out of memory");
    return COF_OK;
}

cof_status cli_volumes_load(cof_backup_options *out, const cli_volume_args *args, cof_error *err)
{
    size_t count = args->volumes.count;
    static cof_volume_place *places; /* for the life of the process */
    cof_status st = COF_OK;
    if (args->size != NULL &&
        (!cli_parse_size(&out->volume_size, args->size) || out->volume_size == 0))
        return cli_error(err, COF_USAGE, "--volume-size needs a size such as 100G or 4700M");
    if (count == 0)
        return COF_OK;
    if ((places = calloc(count, sizeof *places)) == NULL)
        return cli_error(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; st == COF_OK && i < count; i++) {
        st = parse_volume(&places[i], args->volumes.item[i], err);
        if (st == COF_OK && strcmp(places[i].path, "-") == 0)
            st = cli_error(err, COF_USAGE,
                           "a volume is a file: several cannot go through a pipe; a file of that "
                           "name is ./-");
    }
    out->volumes = places;
    out->volume_count = count;
    return st;
}

/* ---- reading ---- */

void cli_volumes_print_count(FILE *out, const cof_info *info)
{
    if (info->volume_count < 2)
        return;
    fprintf(out, " in %zu volumes", info->volume_count);
    if (info->volumes_missing > 0)
        fprintf(out, " (%zu of them not here, and not looked at)", info->volumes_missing);
}

static const char *state_name(cof_volume_state state)
{
    return state == COF_VOLUME_HERE ? "here" : state == COF_VOLUME_MISSING ? "missing" : "wrong";
}

/* The end of a run of missing volumes that begins at i; they are many where a disk is missing. */
static size_t missing_end(const cof_info *info, size_t i)
{
    while (i < info->volume_count && info->volumes[i].state == COF_VOLUME_MISSING)
        i++;
    return i;
}

static void print_missing(size_t first, size_t last, uint64_t bytes)
{
    char label[64];
    char size[CLI_HUMAN_CAP];
    if (first == last)
        (void)snprintf(label, sizeof label, "volume %zu", first);
    else
        (void)snprintf(label, sizeof label, "volume %zu-%zu", first, last);
    printf(CLI_LABEL "%s, not found here\n", label, cli_human_size(size, bytes));
}

void cli_volumes_print(const cof_info *info)
{
    char safe[4 * CLI_NAME_CAP];
    char label[64];
    char size[CLI_HUMAN_CAP];
    for (size_t i = 0; info->volume_count > 1 && i < info->volume_count; i++) {
        const cof_volume_info *v = &info->volumes[i];
        size_t end = missing_end(info, i);
        uint64_t bytes = v->bytes;
        if (end > i) {
            for (size_t k = i + 1; k < end; k++)
                bytes += info->volumes[k].bytes;
            print_missing(i + 1, end, bytes);
            i = end - 1;
            continue;
        }
        (void)snprintf(label, sizeof label, "volume %zu", i + 1);
        printf(CLI_LABEL "%s, %s\n", label, cli_human_size(size, v->bytes),
               i == 0 ? "this file" : cli_show_path(safe, sizeof safe, v->path));
    }
    if (info->volume_problem != NULL)
        printf(CLI_LABEL "NOT AS THEY SHOULD BE: %s\n", "volumes", info->volume_problem);
}

void cli_volumes_json(json_t *object, const cof_info *info)
{
    json_t *array = json_array();
    for (size_t i = 0; i < info->volume_count; i++) {
        const cof_volume_info *v = &info->volumes[i];
        json_t *one = cli_json_new(v->path[0] != '\0' ? v->path : NULL);
        cli_json_number(one, "bytes", v->bytes);
        cli_json_number(one, "first_record", v->first_record);
        cli_json_text(one, "state", state_name(v->state));
        (void)json_array_append_new(array, one);
    }
    (void)json_object_set_new(object, "volumes", array);
    cli_json_number(object, "volumes_missing", info->volumes_missing);
    if (info->volume_problem != NULL)
        cli_json_text(object, "volume_problem", info->volume_problem);
}
