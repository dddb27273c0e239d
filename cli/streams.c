/* SPDX-License-Identifier: Apache-2.0 */

/* The file of named streams. */

#include "streams.h"

#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)1 << 20)

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

/* One line; its words live where they stand. */
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
    if (!closed || stream.argv.count == 0 || stream.argv.item[0][0] == '\0') {
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

static bool read_all(size_t *len, char *out, FILE *file)
{
    *len = fread(out, 1, FILE_MAX + 1, file);
    return ferror(file) == 0;
}

/* What the file holds, with a zero behind it; whatever else it is, it is not read without end. */
static cof_status load(char **out, size_t *len, const char *path, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    FILE *file = fopen(path, "re");
    char *text = file != NULL ? malloc(FILE_MAX + 2) : NULL;
    cof_status st = COF_OK;
    *out = NULL;
    if (file != NULL && text == NULL)
        st = cli_error(err, COF_NOMEM, "no memory");
    else if (file == NULL || !read_all(len, text, file))
        st = cli_error_sys(err, errno, "cannot read %s", cli_safe(safe, sizeof safe, path));
    else if (*len > FILE_MAX)
        st = cli_error(err, COF_USAGE, "%s is larger than 1 MiB: no list of streams",
                       cli_safe(safe, sizeof safe, path));
    if (st == COF_OK) {
        text[*len] = '\0';
        *out = text;
        text = NULL; /* transferred */
    }
    free(text);
    if (file != NULL)
        (void)fclose(file);
    return st;
}

/* A line without its end; false where there is nothing in it to be read. */
static bool means_something(char *line)
{
    size_t len = strlen(line);
    if (len > 0 && line[len - 1] == '\r')
        line[len - 1] = '\0';
    line += strspn(line, " \t");
    return *line != '\0' && *line != '#';
}

cof_status cli_streams_read(cli_streams *out, const char *path, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    char *rest, *line;
    size_t len = 0;
    unsigned number = 0;
    cof_status st = load(&out->text, &len, path, err);
    rest = out->text;
    while (st == COF_OK && (line = strsep(&rest, "\n")) != NULL) {
        number++;
        if (rest == NULL && line + strlen(line) < out->text + len)
            st = fail_line(err, path, number, "a zero byte: this is no text in UTF-8");
        else if (means_something(line))
            st = read_line(out, path, number, line, err);
    }
    if (st == COF_OK && out->count == 0)
        st = cli_error(err, COF_USAGE, "%s names no stream", cli_safe(safe, sizeof safe, path));
    return st;
}
