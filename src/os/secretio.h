/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_SECRETIO_H
#define COF_OS_SECRETIO_H

/* Reading a line of secret bytes.  Private to this room. */

#include "base/secret.h"

#include <coffer/error.h>

#include <stdbool.h>

/*
 * One line from fd, read byte by byte so that nothing behind it is taken.  `label` names the source
 * in messages (already safe).  `cancelled`, which may be NULL, is asked several times a second
 * while waiting; when it says true, COF_CANCELLED.  Otherwise as cof_fd_read_secret().
 */
cof_status cof_secret_read_line(cof_secret **out, int fd, const char *label,
                                bool (*cancelled)(void), cof_error *err) COF_MUST_USE;

#endif
