/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_EXAMINE_H
#define COF_ENGINE_EXAMINE_H

#include "engine/reader.h"

/*
 * Would all files of a backup be restored?  Reads each as restoring does, through the catalog and
 * from the archive, holds one against the other (CA-1 to CA-4), and writes nothing.  Needs a
 * private key when sealed.  Memory does not grow with the number of files.
 *
 * COF_AUTH, COF_FORMAT with the first thing that is wrong; COF_NO_MATCH, COF_IO, COF_NOMEM.
 */
cof_status cof_reader_examine(cof_reader *reader, cof_error *err) COF_MUST_USE;

#endif
