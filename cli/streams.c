/* SPDX-License-Identifier: Apache-2.0 */

/* The file of named streams. */

#include "streams.h"

#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cof_status fail_line(cof_error *err, const char *path, unsigned number, const char *why)
{
    char safe[CLI_NAME_CAP];
    return cli_error(err, COF_USAGE, "%s, line %u: %s", cli_safe(safe, sizeof safe, path), number,
                     why);
}

/*
 * Take the next word out of *rest, which is changed in place; NULL at the end.  *closed is false
 * where a quotation mark has no other.
 */
static char *take_word(char **rest, bool *closed)
{
    char *from = *rest + strspn(*rest, " \t");
    char *to = from, *word = from;
    char quote = '\0';
    if (*from == '\0')
        return NULL;
    for (; *from != '\0' && (quote != '\0' || (*from != ' ' && *from != '\t')); from++) {
        if (quote == '\0' && (*from == '\'' || *from == '"'))
            quote = *from;
        else if (quote != '\0' && *from == quote)
            quote = '\0';
        else
            *to++ = *from;
    }
    *closed = quote == '\0';
    *rest = *from != '\0' ? from + 1 : from;
    *to = '\0';
    return word;
}

/* One line, which lives as long as the process if it is taken. */
static cof_status read_line(cli_streams *out, const char *path, unsigned number, char *line,
                            cof_error *err)
{
    cli_stream stream = {.name = NULL};
    bool closed = true;
    char *word;
    while (closed && (word = take_word(&line, &closed)) != NULL) {
        if (stream.name == NULL)
            stream.name = word;
        else
            cli_list_add(&stream.argv, word);
    }
    if (!closed || stream.argv.count == 0) {
        free(stream.argv.item);
        return fail_line(err, path, number,
                         closed ? "a stream needs a name and a command behind it"
                                : "a quotation mark has no other that ends it");
    }
    cli_list_add(&stream.argv, NULL);
    cli_stream *grown = realloc(out->item, (out->count + 1) * sizeof *grown);
    if (grown == NULL) {
        free(stream.argv.item);
        return cli_error(err, COF_NOMEM, "no memory");
    }
    out->item = grown;
    out->item[out->count++] = stream;
    return COF_OK;
}

cof_status cli_streams_read(cli_streams *out, const char *path, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t cap = 0;
    unsigned number = 0;
    cof_status st = COF_OK;
    if (file == NULL)
        return cli_error(err, COF_IO, "cannot read %s: %s", cli_safe(safe, sizeof safe, path),
                         strerror(errno));
    while (st == COF_OK && getline(&line, &cap, file) > 0) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        if (line[strspn(line, " \t")] == '\0' || line[0] == '#')
            continue;
        if ((st = read_line(out, path, number, line, err)) != COF_OK)
            break;
        line = NULL; /* transferred */
        cap = 0;
    }
    if (st == COF_OK && ferror(file))
        st = cli_error(err, COF_IO, "cannot read %s", cli_safe(safe, sizeof safe, path));
    if (st == COF_OK && out->count == 0)
        st = cli_error(err, COF_USAGE, "%s names no stream", cli_safe(safe, sizeof safe, path));
    free(line);
    (void)fclose(file);
    return st;
}
