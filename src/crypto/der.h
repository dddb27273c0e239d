/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_DER_H
#define COF_CRYPTO_DER_H

/*
 * Private to the crypto room: reading DER (X.690) strictly, without copying.  Readers follow the
 * grammar element by element; every function leaves its cursor as it was when it returns false.
 * Only tags of one byte exist here.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define COF_DER_INTEGER     0x02
#define COF_DER_BIT_STRING  0x03
#define COF_DER_OCTETS      0x04
#define COF_DER_NULL        0x05
#define COF_DER_OID         0x06
#define COF_DER_UTC_TIME    0x17
#define COF_DER_GEN_TIME    0x18
#define COF_DER_SEQUENCE    0x30
#define COF_DER_SET         0x31
#define COF_DER_PRIMITIVE_0 0x80 /* [0] IMPLICIT of something primitive */
#define COF_DER_CONTEXT_0   0xA0 /* [0], constructed */
#define COF_DER_CONTEXT_1   0xA1
#define COF_DER_CONTEXT_2   0xA2

#define COF_DER_DEPTH_MAX 32

/*
 * Is this exactly one element of strict DER: lengths minimal and definite, nothing behind it, SET
 * sorted, BOOLEAN, INTEGER, BIT STRING, NULL and OBJECT IDENTIFIER in their only form, strings of
 * the universal class never constructed, nested at most COF_DER_DEPTH_MAX deep?  What is inside
 * primitive elements of other classes is not looked at.
 */
bool cof_der_strict(cof_slice in);

/* Are the elements of this body (of a set under an implicit tag) in the order that DER demands? */
bool cof_der_sorted(cof_slice body);

/*
 * Take the next element whatever it is; body and whole (may be NULL) are parts of *in.  Here and
 * below body may be the cursor itself, which then enters the element and forgets what follows.
 */
bool cof_der_next(cof_slice *in, uint8_t *tag, cof_slice *body, cof_slice *whole);

/* Take the next element if it has this tag: its body, or the whole with tag and length. */
bool cof_der_take(cof_slice *in, uint8_t tag, cof_slice *body);
bool cof_der_take_whole(cof_slice *in, uint8_t tag, cof_slice *whole);

/* Has the next element this tag? */
bool cof_der_at(cof_slice in, uint8_t tag);

/* Take an INTEGER of this small value (0..127). */
bool cof_der_take_small(cof_slice *in, uint8_t value);

/* Take this OBJECT IDENTIFIER; oid is the body of its encoding. */
bool cof_der_take_oid(cof_slice *in, cof_slice oid);

/* Take an AlgorithmIdentifier of this algorithm with absent or, if allowed, NULL parameters. */
bool cof_der_take_algorithm(cof_slice *in, cof_slice oid, bool null_allowed);

/* A slice over a static array of bytes. */
#define COF_DER_BYTES(array) ((cof_slice){(array), sizeof(array)})

#endif
