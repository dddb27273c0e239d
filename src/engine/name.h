/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_NAME_H
#define COF_ENGINE_NAME_H

#include <coffer/error.h>

#include "format/preamble.h"

/*
 * The path of a new backup: output itself, or, where it is a directory or ends in '/', a file in it
 * named LABEL-YYYYMMDDTHHMMSSZ-UUID8.cof.  COF_USAGE where such a directory is not there.  The
 * caller frees *out.
 */
cof_status cof_name_output(char **out, const char *output, const cof_preamble *preamble,
                           cof_error *err) COF_MUST_USE;

#endif
