/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_ENVELOPE_H
#define COF_FORMAT_ENVELOPE_H

/* The envelope (FORMAT.md section 2.3): wrapped keys, statements and certificates, as items. */

#include "base/buf.h"
#include "base/error.h"
#include "format/preamble.h"

#include <stddef.h>
#include <stdint.h>

#define COF_ENVELOPE_HEADER_SIZE 16

/* A growing list of borrowed slices; start from COF_SLICES_INIT. */
typedef struct cof_slices {
    cof_slice *items; /* owned; the bytes that the slices show are not */
    size_t count;
    size_t cap;
} cof_slices;

#define COF_SLICES_INIT                                                                            \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/* Append one slice; its bytes are not copied.  COF_NOMEM; the list is then unchanged. */
cof_status cof_slices_add(cof_slices *list, cof_slice item, cof_error *err) COF_MUST_USE;

/* Free the list, not the bytes; it is empty and usable again. */
void cof_slices_wipe(cof_slices *list);

/*
 * All slices borrow the bytes that were parsed, or those that the caller put in for emitting.
 * An absent item has len 0.  Start from COF_ENVELOPE_INIT.
 */
typedef struct cof_envelope {
    cof_slice keys;        /* CMS */
    cof_slice custody;     /* CMS */
    cof_slices history;    /* CMS each, oldest first */
    cof_slices recipients; /* DER each, in the order of the custody statement */
    cof_slices signers;    /* DER each */
    cof_slice manifest;    /* CMS */
} cof_envelope;

#define COF_ENVELOPE_INIT                                                                          \
    {                                                                                              \
        COF_SLICE_INIT, COF_SLICE_INIT, COF_SLICES_INIT, COF_SLICES_INIT, COF_SLICES_INIT,         \
            COF_SLICE_INIT                                                                         \
    }

/*
 * The total length that the first bytes of a slot claim: 16 to slot_size.  COF_FORMAT (EN-1);
 * *out is then untouched.
 */
cof_status cof_envelope_peek_len(uint64_t *out, const uint8_t header[COF_ENVELOPE_HEADER_SIZE],
                                 uint64_t slot_size, cof_error *err) COF_MUST_USE;

/*
 * Read an envelope that fills `raw` exactly (cut the slot by cof_envelope_peek_len() or the
 * superblock's length first): EN-1 to EN-4 and the bounds of section 1.  Statements and
 * certificates are not looked into.
 *
 * The caller wipes *out with cof_envelope_wipe(); raw must live as long.  COF_FORMAT, COF_LIMIT,
 * COF_UNSUPPORTED (EN-4), COF_NOMEM; *out is then empty.
 */
cof_status cof_envelope_parse(cof_envelope *out, cof_slice raw, cof_protection protection,
                              cof_error *err) COF_MUST_USE;

/*
 * Append the envelope to out.  COF_USAGE if items are missing or stand where the protection has
 * none (EN-2), COF_LIMIT above a bound of section 1, COF_NOMEM; out is then as it was.
 */
cof_status cof_envelope_emit(cof_buf *out, const cof_envelope *env, cof_protection protection,
                             cof_error *err) COF_MUST_USE;

/* Free the lists and leave an empty envelope. */
void cof_envelope_wipe(cof_envelope *env);

/*
 * The slot size to choose for a first envelope of `len` bytes: four times as much, to the
 * nearest block, within the bounds.  Where even the largest slot is too small, that one: the caller
 * compares.
 */
uint64_t cof_envelope_slot_size(uint64_t len);

#endif
