/* SPDX-License-Identifier: Apache-2.0 */

/* File names that sort by label and time, and cannot clash. */

#include "engine/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "os/dir.h"

static cof_status name_in_directory(char **out, const char *dir, const cof_preamble *p,
                                    cof_error *err)
{
    char uuid[COF_UUID_TEXT_CAP], time[COF_TIME_COMPACT_CAP];
    char name[COF_LABEL_MAX + 64];

    cof_uuid_format(uuid, p->uuid);
    (void)cof_time_format_compact(time, p->created);
    (void)snprintf(name, sizeof(name), "%s-%s-%.8s.cof", p->label[0] != '\0' ? p->label : "backup",
                   time, uuid);
    return cof_path_join(out, dir, name, err);
}

cof_status cof_name_output(char **out, const char *output, const cof_preamble *p, cof_error *err)
{
    size_t len = strlen(output);
    bool slash = len > 0 && output[len - 1] == '/';
    char name[COF_TEXT_NAME_CAP];
    cof_path_type kind;
    cof_status st;

    *out = NULL;
    if (len == 0)
        return cof_fail(err, COF_USAGE, "the output has an empty name");
    if ((st = cof_path_kind(&kind, output, err)) != COF_OK)
        return st;
    if (kind == COF_PATH_DIRECTORY)
        return name_in_directory(out, output, p, err);
    if (slash)
        return cof_fail(err, COF_USAGE, "the directory %s does not exist",
                        cof_text_safe_str(name, sizeof(name), output));
    *out = strdup(output);
    return *out != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}
