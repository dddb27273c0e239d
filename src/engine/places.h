/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_PLACES_H
#define COF_ENGINE_PLACES_H

/* Where the volumes of a new backup go. */

#include <coffer/backup.h>

#include "format/preamble.h"
#include "store/sink.h"

/*
 * What the options say, checked and opened.  head_len is the length of the head of volume 1.
 * COF_USAGE: a place that cannot be, or a limit below what a volume needs; COF_IO, COF_NOMEM.
 */
cof_status cof_places_open(cof_sink **out, const cof_backup_options *options,
                           const cof_preamble *preamble, uint64_t head_len,
                           cof_error *err) COF_MUST_USE;

/* Will there, or may there, be several volumes? */
bool cof_places_several(const cof_backup_options *options);

#endif
