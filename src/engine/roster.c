/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who may open the backup from now on.  A list is only ever made from what the present, proven
 * statement names and from what the caller gives; nothing else in the file has a say.
 */

#include "engine/roster.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/decide.h"

void cof_roster_wipe(cof_roster *roster)
{
    cof_cert_list_wipe(&roster->list);
    cof_cert_list_wipe(&roster->added);
    cof_cert_list_wipe(&roster->removed);
}

/* Does list name this certificate, or another one of the same key? */
static bool list_has_key(const cof_cert_list *list, const cof_cert *cert)
{
    for (size_t i = 0; i < list->count; i++)
        if (cof_cert_same_key(list->certs[i], cert))
            return true;
    return false;
}

/* ---- the change asked for, as two lists: who comes, and who goes ---- */

typedef struct change {
    cof_cert_list come, go;
    bool replace_all;
} change;

/* One --remove: the file of a certificate, or the fingerprint of one or of its key. */
static cof_status find_removed(cof_cert_list *go, const cof_cert_list *present, const char *text,
                               cof_error *err)
{
    cof_cert_list named = COF_CERT_LIST_INIT;
    uint8_t sha256[32];
    bool by_hash = cof_fingerprint_parse(sha256, text);
    size_t before = go->count;
    char name[COF_TEXT_NAME_CAP];
    cof_status st = by_hash ? COF_OK : cof_certs_read(&named, text, err);

    for (size_t i = 0; st == COF_OK && i < present->count; i++) {
        cof_cert *cert = present->certs[i];
        bool match = by_hash ? memcmp(sha256, cof_cert_spki_sha256(cert), 32) == 0 ||
                                   memcmp(sha256, cof_cert_sha256(cert), 32) == 0
                             : list_has_key(&named, cert);

        if (match)
            st = cof_cert_list_add(go, cert, err);
    }
    if (st == COF_OK && go->count == before)
        st = cof_fail(err, COF_CERT, "%s is no recipient of this backup",
                      cof_text_safe_str(name, sizeof(name), text));
    cof_cert_list_wipe(&named);
    return st;
}

static cof_status append(cof_cert_list *out, const cof_certs *certs, cof_error *err)
{
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && certs != NULL && i < certs->list.count; i++)
        st = cof_cert_list_add(out, certs->list.certs[i], err);
    return st;
}

/* --replace OLD --with NEW acts only where OLD is a recipient, so that a run can be repeated. */
static cof_status plan_replace(change *c, cof_roster *out, const cof_cert_list *present,
                               const cof_rotate_options *o, cof_error *err)
{
    cof_cert_info info;
    cof_status st;

    if (o->replace_new == NULL || o->replace_old->list.count != 1 ||
        o->replace_new->list.count != 1)
        return cof_fail(err, COF_USAGE, "--replace and --with name one certificate each");
    if (!list_has_key(present, o->replace_old->list.certs[0])) {
        cof_cert_describe(&info, o->replace_old->list.certs[0]);
        (void)snprintf(out->skipped, sizeof(out->skipped), "%.480s is no recipient", info.subject);
        return COF_OK;
    }
    if ((st = append(&c->come, o->replace_new, err)) != COF_OK)
        return st;
    for (size_t i = 0; st == COF_OK && i < present->count; i++)
        if (cof_cert_same_key(present->certs[i], o->replace_old->list.certs[0]))
            st = cof_cert_list_add(&c->go, present->certs[i], err);
    return st;
}

static cof_status plan(change *c, cof_roster *out, const cof_cert_list *present,
                       const cof_rotate_options *o, cof_error *err)
{
    bool edit = o->add != NULL || o->remove_count > 0;
    cof_status st = COF_OK;

    if ((o->set != NULL) + edit + (o->replace_old != NULL) != 1)
        return cof_fail(err, COF_USAGE,
                        "a change is either a whole new list, or additions and removals, or one "
                        "replacement");
    if (o->replace_old != NULL)
        return plan_replace(c, out, present, o, err);
    c->replace_all = o->set != NULL;
    if ((st = append(&c->come, o->set, err)) != COF_OK ||
        (st = append(&c->come, o->add, err)) != COF_OK)
        return st;
    for (size_t i = 0; st == COF_OK && i < o->remove_count; i++)
        st = find_removed(&c->go, present, o->remove[i], err);
    return st;
}

/* ---- the new list ---- */

/* Present certificates that stay: the same certificate, not only the same key. */
static cof_status keep(cof_roster *out, const cof_cert_list *present, const change *c,
                       cof_error *err)
{
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < present->count; i++) {
        cof_cert *cert = present->certs[i];
        bool renewed = list_has_key(&c->come, cert) && !cof_cert_list_has(&c->come, cert);
        bool stays = cof_cert_list_has(&c->come, cert) ||
                     (!c->replace_all && !renewed && !cof_cert_list_has(&c->go, cert));

        st = cof_cert_list_add(stays ? &out->list : &out->removed, cert, err);
    }
    return st;
}

static cof_status admit(cof_roster *out, const change *c, const cof_rotate_options *o,
                        cof_error *err)
{
    cof_cert_list fresh = COF_CERT_LIST_INIT;
    size_t skipped = 0;
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < c->come.count; i++)
        if (!cof_cert_list_has(&out->list, c->come.certs[i]))
            st = cof_cert_list_add(&fresh, c->come.certs[i], err);
    if (st == COF_OK)
        st =
            cof_recipients_accept(&out->added, &fresh, o->signer, false, &o->report, &skipped, err);
    for (size_t i = 0; st == COF_OK && i < out->added.count; i++)
        st = cof_cert_list_add(&out->list, out->added.certs[i], err);
    cof_cert_list_wipe(&fresh);
    return st;
}

cof_status cof_roster_apply(cof_roster *out, const cof_cert_list *present,
                            const cof_rotate_options *options, cof_error *err)
{
    change c = {COF_CERT_LIST_INIT, COF_CERT_LIST_INIT, false};
    cof_status st = plan(&c, out, present, options, err);

    if (st != COF_OK || out->skipped[0] != '\0')
        goto out;
    if ((st = keep(out, present, &c, err)) != COF_OK ||
        (st = admit(out, &c, options, err)) != COF_OK)
        goto out;
    if (out->list.count == 0)
        st = cof_fail(err, COF_USAGE, "nobody would be left who can open the backup");
    else if (out->added.count == 0 && out->removed.count == 0)
        (void)snprintf(out->skipped, sizeof(out->skipped),
                       "the recipients are already as asked for");
out:
    cof_cert_list_wipe(&c.come);
    cof_cert_list_wipe(&c.go);
    return st;
}
