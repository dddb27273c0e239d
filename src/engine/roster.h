/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_ROSTER_H
#define COF_ENGINE_ROSTER_H

/* From the present recipients and the change asked for to the new list. */

#include <coffer/rotate.h>

#include "engine/credentials.h"

typedef struct cof_roster {
    cof_cert_list list;    /* the whole new list: those kept, in order, then those added */
    cof_cert_list added;   /* the end of list */
    cof_cert_list removed; /* present ones that are not in list */
    char skipped[512];     /* not "": nothing is to be done, and why */
} cof_roster;

#define COF_ROSTER_INIT                                                                            \
    {                                                                                              \
        COF_CERT_LIST_INIT, COF_CERT_LIST_INIT, COF_CERT_LIST_INIT, ""                             \
    }

/*
 * Apply the change in options to the present list.  New certificates are held to the strict rules
 * (cof_recipients_accept), kept ones to none.  COF_USAGE: no change or several kinds of it are
 * asked for, or nobody would be left.  COF_CERT: one is refused, or names nobody.
 */
cof_status cof_roster_apply(cof_roster *out, const cof_cert_list *present,
                            const cof_rotate_options *options, cof_error *err) COF_MUST_USE;

void cof_roster_wipe(cof_roster *roster);

#endif
