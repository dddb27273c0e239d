/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_HUMAN_H
#define COF_CLI_HUMAN_H

/* Sizes, counts, durations and dates: as people read them, and as they type them. */

#include <coffer/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_HUMAN_CAP 32 /* room that suffices for each of these */

/* Each fills out and returns it, so that it can stand among the arguments of printf. */
const char *cli_human_size(char out[CLI_HUMAN_CAP], uint64_t bytes);       /* "5.2 GiB" */
const char *cli_human_count(char out[CLI_HUMAN_CAP], uint64_t n);          /* "71,204" */
const char *cli_human_time(char out[CLI_HUMAN_CAP], uint64_t nanoseconds); /* "14 s" */
const char *cli_human_date(char out[CLI_HUMAN_CAP], uint64_t seconds);     /* "2029-11-24" */
const char *cli_human_moment(char out[CLI_HUMAN_CAP], uint64_t seconds);   /* "… 10:15:02 UTC" */
const char *cli_human_iso(char out[CLI_HUMAN_CAP], uint64_t seconds);      /* RFC 3339, for JSON */

/* Now, from a clock that never jumps, in nanoseconds; and by the calendar, in seconds since 1970.
 */
uint64_t cli_clock(void);
uint64_t cli_today(void);

/* A decimal number in [least, most], nothing else.  *out is untouched on failure. */
bool cli_parse_number(uint64_t *out, const char *text, uint64_t least, uint64_t most);

/* A size: a number of bytes, or with K, M or G of 1024, 1024² or 1024³ bytes. */
bool cli_parse_size(uint64_t *out, const char *text);

/* A duration in seconds: a number with s, m, h, d or w behind it, up to some thousand years. */
bool cli_parse_duration(uint64_t *out, const char *text);

#endif
