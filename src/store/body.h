/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_STORE_BODY_H
#define COF_STORE_BODY_H

/* The body of a backup, addressed by body offsets (FORMAT.md, section 1). */

#include <coffer/error.h>

#include <stddef.h>
#include <stdint.h>

#include "os/file.h"

typedef struct cof_body {
    const cof_file *file; /* borrowed */
    uint64_t base;        /* length of the head in that file */
    uint64_t len;         /* bytes of body that the file holds */
} cof_body;

/* COF_FORMAT when the file is shorter than its head. */
cof_status cof_body_init(cof_body *out, const cof_file *file, uint64_t head_len,
                         cof_error *err) COF_MUST_USE;

/* Exactly len bytes at a body offset; COF_FORMAT when the body ends before. */
cof_status cof_body_read(void *out, size_t len, const cof_body *body, uint64_t off,
                         cof_error *err) COF_MUST_USE;

#endif
