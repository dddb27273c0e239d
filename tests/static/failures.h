/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_STATIC_FAILURES_H
#define COF_TESTS_STATIC_FAILURES_H

/*
 * For analysers only, which see one file at a time: what records a failure returns the class that
 * it was given, so that nobody goes on after it as if nothing had failed.
 */

#include "../../cli/say.h"
#include "../../src/base/error.h"

#define cof_fail(err, status, ...) (cof_fail(err, status, __VA_ARGS__), (cof_status)(status))
#define cof_fail_rule(err, status, ...)                                                            \
    (cof_fail_rule(err, status, __VA_ARGS__), (cof_status)(status))
#define cof_fail_sys(err, ...)      (cof_fail_sys(err, __VA_ARGS__), (cof_status)COF_IO)
#define cli_error(err, status, ...) (cli_error(err, status, __VA_ARGS__), (cof_status)(status))
#define cli_error_sys(err, ...)     (cli_error_sys(err, __VA_ARGS__), (cof_status)COF_IO)

#endif
