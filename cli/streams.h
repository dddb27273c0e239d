/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_STREAMS_H
#define COF_CLI_STREAMS_H

/*
 * The file of --streams: a line for each named stream, with its name and the command that writes
 * it.  Words are separated by blanks; what stands between ' or " is one word, or a part of one, as
 * it is.  Nothing else has a meaning: there is no shell.  Empty lines, and lines whose first word
 * begins with #, are skipped; the end of a line may be that of Windows.  At most 1 MiB.
 */

#include "option.h"

typedef struct cli_stream {
    const char *name;
    cli_list argv; /* NULL behind the last */
} cli_stream;

typedef struct cli_streams {
    cli_stream *item; /* lives as long as the process */
    size_t count;
    char *text; /* what names and words stand in; lives as long */
} cli_streams;

/* Read the file.  COF_IO; COF_USAGE with the number of the line, or where there is no stream. */
cof_status cli_streams_read(cli_streams *out, const char *path, cof_error *err) COF_MUST_USE;

#endif
