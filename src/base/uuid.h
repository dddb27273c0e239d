/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_BASE_UUID_H
#define COF_BASE_UUID_H

/* UUIDs: 16 bytes, and their one canonical spelling: lower case, 8-4-4-4-12. */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COF_UUID_LEN      16
#define COF_UUID_TEXT_LEN 36
#define COF_UUID_TEXT_CAP 37

/* "7c9e6679-7425-40de-944b-e07fc1f90ae7", NUL-terminated. */
void cof_uuid_format(char out[COF_UUID_TEXT_CAP], const uint8_t uuid[COF_UUID_LEN]);

/* Only the canonical spelling; false for anything else, out is then untouched. */
bool cof_uuid_parse(uint8_t out[COF_UUID_LEN], const char *in, size_t len) COF_MUST_USE;

/* Turn 16 random bytes into a random UUID: set version 4 and the RFC 9562 variant. */
void cof_uuid_from_random(uint8_t uuid[COF_UUID_LEN]);

#endif
