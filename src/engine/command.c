/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The output of a command as content.  A command that failed after it had written something has
 * written something wrong: nothing of it may look like a backup (P11).
 */

#include "base/error.h"
#include "base/text.h"
#include "engine/backup.h"
#include "engine/note.h"
#include "os/process.h"

#include <string.h>

#define SAID_LINES 10
#define SAID_BYTES 240 /* of one line */

static void tell_line(const cof_command *c, bool failed, const char *line, size_t len)
{
    char safe[COF_TEXT_SAFE_CAP(SAID_BYTES)];

    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (len > 0)
        c->said(c->ctx, failed, cof_text_safe(safe, SAID_BYTES, line, len));
}

/* The last lines, in their order. */
static void tell_said(const cof_command *c, bool failed, const cof_process *process)
{
    size_t len, begin, lines = 0;
    const char *said = cof_process_said(process, &len);

    if (c->said == NULL)
        return;
    while (len > 0 && said[len - 1] == '\n')
        len--;
    for (begin = len; begin > 0 && lines < SAID_LINES; begin--)
        if (said[begin - 1] == '\n' && ++lines == SAID_LINES)
            break;
    while (begin < len) {
        const char *end = memchr(said + begin, '\n', len - begin);
        size_t next = end != NULL ? (size_t)(end - said) : len;

        tell_line(c, failed, said + begin, next - begin);
        begin = next + 1;
    }
}

static cof_status read_output(cof_backup *b, cof_process *process, const cof_command *c,
                              uint64_t *total, cof_error *err)
{
    size_t got;
    cof_status st;

    do {
        size_t room = b->preamble.record_size - b->fill;

        if ((st = cof_process_read(b->plain + b->fill, room, &got, process, c->silence_ms, err)) !=
            COF_OK)
            return st;
        b->fill += got;
        *total += got;
        st =
            b->fill == b->preamble.record_size ? cof_backup_flush(b, err) : cof_backup_tell(b, err);
    } while (st == COF_OK && got > 0);
    return st;
}

static cof_status check_size(const cof_command *c, uint64_t total, cof_error *err)
{
    char name[COF_TEXT_NAME_CAP];

    if (total >= c->min_size)
        return COF_OK;
    return cof_fail(err, COF_SOURCE, "%s wrote %llu bytes, fewer than the %llu that are demanded",
                    cof_text_safe_str(name, sizeof(name), c->argv[0]), (unsigned long long)total,
                    (unsigned long long)c->min_size);
}

cof_status cof_backup_command(cof_backup *b, const cof_command *command, cof_error *err)
{
    cof_process *process = NULL;
    uint64_t total = 0;
    cof_status st;

    if ((st = cof_backup_need_stream(b, err)) != COF_OK)
        return st;
    if (command->argv == NULL || command->argv[0] == NULL)
        return cof_fail(err, COF_USAGE, "no command was given to back up");
    if ((st = cof_process_start(&process, command->argv, err)) != COF_OK)
        return cof_backup_ended(b, st);
    if ((st = read_output(b, process, command, &total, err)) == COF_OK)
        st = cof_process_finish(process, command->silence_ms, err);
    if (st == COF_OK)
        st = check_size(command, total, err);
    tell_said(command, st != COF_OK, process);
    cof_process_free(process);
    return cof_backup_ended(b, st);
}
