/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_STORE_HEAD_H
#define COF_STORE_HEAD_H

/*
 * Where the parts of a head lie in a file (FORMAT.md, section 2): raw bytes at fixed places.  What
 * they mean is the format room's business, and when they may be written the engine's.
 */

#include <coffer/error.h>

#include <stddef.h>
#include <stdint.h>

#include "os/file.h"

#define COF_HEAD_BLOCK 4096 /* one superblock copy */

/* The length of a head with slots of slot_size bytes: where the body starts. */
uint64_t cof_head_len(uint64_t slot_size);

/* Read both superblock copies; COF_FORMAT when the file is shorter than that. */
cof_status cof_head_read_superblocks(uint8_t out[2][COF_HEAD_BLOCK], const cof_file *file,
                                     cof_error *err) COF_MUST_USE;

/* Append the whole slot (0 or 1), padding included, to out.  COF_FORMAT when the file ends early. */
cof_status cof_head_read_slot(cof_buf *out, const cof_file *file, uint64_t slot_size, int slot,
                              cof_error *err) COF_MUST_USE;

/*
 * Write an envelope into a slot and fill the slot with zeros.  COF_LIMIT when it is too long for
 * it: nothing is written then.
 */
cof_status cof_head_write_slot(cof_file *file, uint64_t slot_size, int slot, cof_slice envelope,
                               cof_error *err) COF_MUST_USE;

/* Write one superblock copy (0 or 1). */
cof_status cof_head_write_superblock(cof_file *file, int copy, const uint8_t raw[COF_HEAD_BLOCK],
                                     cof_error *err) COF_MUST_USE;

#endif
