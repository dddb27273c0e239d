/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_BASE_TREEENTRY_H
#define COF_BASE_TREEENTRY_H

/* What the catalog says about one thing in a tree (FORMAT.md section 3.8). */

#include "base/buf.h"

#include <stdint.h>

typedef enum cof_entry_type {
    COF_ENTRY_UNKNOWN = 0,
    COF_ENTRY_FILE = 1,
    COF_ENTRY_DIRECTORY = 2,
    COF_ENTRY_SYMLINK = 3,
    COF_ENTRY_HARDLINK = 4,
    COF_ENTRY_CHAR_DEVICE = 5,
    COF_ENTRY_BLOCK_DEVICE = 6,
    COF_ENTRY_FIFO = 7,
    COF_ENTRY_NAMED_STREAM = 9
} cof_entry_type;

typedef enum cof_entry_state {
    COF_ENTRY_OK = 0,
    COF_ENTRY_CHANGED = 1,
    COF_ENTRY_UNREADABLE = 2,
    COF_ENTRY_VANISHED = 3
} cof_entry_state;

/* Start from zero. */
typedef struct cof_catalog_entry {
    cof_entry_type type;
    cof_entry_state state;
    uint16_t stream;
    uint16_t mode; /* lower 12 bits */
    uint32_t user, group;
    uint64_t size; /* of a file its length; of a device major << 32 | minor; of a named stream */
    int64_t mtime; /* seconds since 1970 */
    uint32_t mtime_ns;
    uint64_t position; /* in stream 0: where its pax headers begin */
    uint64_t length;   /* in the stream, headers and padding included; 0: it is not there */
    cof_slice path;    /* borrowed; bytes, not text */
    cof_slice target;  /* borrowed; of links */
} cof_catalog_entry;

#endif
