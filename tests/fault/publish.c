/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is there ever less than a whole backup under the final name, whenever power is lost while one is
 * made or received (P4)?  And does the harness see it when there would be?
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hunt.h"
#include "record.h"
#include "subject.h"

typedef struct publication {
    subject *s;
    bool receive;
    image start;
    char sent[128];    /* the backup that is received */
    char replaced[37]; /* the UUID of the backup that is there before; "": none */
} publication;

static bool make_backup(const publication *p)
{
    kit_backup(&p->s->kit, p->s->path, "none", p->replaced[0] != '\0');
    return true;
}

static bool receive_backup(const publication *p)
{
    cof_receive_options o = {.trust = p->s->everybody, .force = p->replaced[0] != '\0'};
    cof_status st;

    o.output = p->s->path;
    o.input_fd = open(p->sent, O_RDONLY);
    st = cof_receive(&o, NULL, NULL);
    close(o.input_fd);
    return st == COF_OK;
}

static bool publish(void *ctx)
{
    const publication *p = ctx;

    return p->receive ? receive_backup(p) : make_backup(p);
}

/* What has the name is whole, and either the backup that was there or the new one. */
static verdict judge(void *ctx, const image *i)
{
    const publication *p = ctx;
    bool replaces = p->replaced[0] != '\0';
    size_t names = p->s->kit.volumes ? 3 : 1;
    kit k = p->s->kit;
    kit_outcome o;
    size_t len;

    if (image_find(i, p->s->name, &len) == NULL)
        return replaces ? (verdict){SIDE_LOST, false, "the backup that was there is gone"}
                        : (verdict){SIDE_BEFORE, i->name_count == 0, NULL};
    record_lay(p->s->disk, i);
    memcpy(k.path, p->s->path, sizeof(k.path));
    o = kit_try(&k, true);
    if (o.status != COF_OK || !o.same || o.damaged > 0 || o.pending)
        return (verdict){SIDE_LOST, false, "half a backup has the final name"};
    return (verdict){replaces && strcmp(o.uuid, p->replaced) == 0 ? SIDE_BEFORE : SIDE_AFTER,
                     i->name_count == names, NULL};
}

static tally hunt_for(publication *p, const cof_os *os, void (*plant)(op_log *log, bool finishing))
{
    static const effort usual = {{9, 64}, {0, 0}, {0, 0}, 0, 0},
                        thorough = {{10, 128}, {0, 0}, {0, 0}, 0, 0};
    const scenario c = {.dir = p->s->disk,
                        .start = &p->start,
                        .os = os,
                        .ctx = p,
                        .run = publish,
                        .judge = judge,
                        .plant = plant};

    return hunt(&c, hunt_effort(&usual, &thorough));
}

/* ---- as it is ---- */

static void survives(publication *p, const cof_os *os, const char *what)
{
    tally t = hunt_for(p, os, NULL);

    hunt_tell(what, &t, false);
}

static int cannot_rename(const char *from, const char *to)
{
    (void)from;
    (void)to;
    errno = EINVAL;
    return -1;
}

/* ---- with faults ---- */

static op_kind victim;

static void leave_out(op_log *log, bool finishing)
{
    (void)finishing;
    for (size_t i = log->count; i-- > 0;)
        if (log->ops[i].kind == victim)
            op_log_remove(log, i);
}

static void catches(publication *p, op_kind which, const char *what)
{
    tally t;

    victim = which;
    t = hunt_for(p, NULL, leave_out);
    hunt_tell(what, &t, true);
}

/* ---- several volumes ---- */

static int cannot_link(const char *from, const char *to)
{
    (void)from;
    (void)to;
    errno = EPERM;
    return -1;
}

/* All volumes are there before volume 1 is; and what they replace goes only then. */
static void publish_volumes(void)
{
    cof_os no_links = *cof_os_real();
    publication p = {.receive = false};
    subject s;

    subject_make(&s, 0, true);
    p.s = &s;
    survives(&p, NULL, "a new backup of three volumes");
    catches(&p, OP_SYNC, "planted: three names before the bytes are on the disk");
    catches(&p, OP_SYNC_NAMES, "planted: the first volume has its name before the others");
    snprintf(p.replaced, sizeof(p.replaced), "%s", s.uuid);
    image_copy(&p.start, &s.start);
    survives(&p, NULL, "a new backup of three volumes in place of another");
    no_links.link = cannot_link;
    survives(&p, &no_links, "the same where there are no hard links");
    image_wipe(&p.start);
    subject_remove(&s);
}

int main(void)
{
    cof_os old_system = *cof_os_real();
    publication p = {.receive = false};
    subject s;

    subject_make(&s, 0, false);
    p.s = &s;
    snprintf(p.sent, sizeof(p.sent), "%s/sent.cof", s.kit.dir);
    kit_backup(&s.kit, p.sent, "none", false);
    old_system.rename_noreplace = cannot_rename;
    survives(&p, NULL, "a new backup");
    survives(&p, &old_system, "a new backup where only links keep from replacing");
    catches(&p, OP_SYNC, "planted: the name before the bytes are on the disk");
    catches(&p, OP_SYNC_NAMES, "planted: success before the name is on the disk");
    p.receive = true;
    survives(&p, NULL, "a received backup");
    snprintf(p.replaced, sizeof(p.replaced), "%s", s.uuid);
    image_copy(&p.start, &s.start);
    survives(&p, NULL, "a received backup in place of another");
    p.receive = false;
    survives(&p, NULL, "a new backup in place of another");
    image_wipe(&p.start);
    subject_remove(&s);
    publish_volumes();
    return hunt_end();
}
