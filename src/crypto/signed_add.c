/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One signature more on a statement.
 *
 * The library would have to parse the message and write it anew, and what it makes of an RSA-PSS
 * signer that way does not encode.  So the new signature is made as a message of its own over the
 * same bytes, and its SignerInfo moves over; nothing else of the old message changes.
 */

#include <stdlib.h>
#include <string.h>

#include "crypto/der.h"
#include "crypto/signed_parts.h"

/* A message from the outside in, up to its signers. */
typedef struct parts {
    cof_slice type; /* the element that says SignedData */
    cof_slice head; /* version, digests and content, as they are */
    cof_slice signers[COF_SIGNED_SIGNERS_MAX + 1];
    size_t count;
} parts;

/* Only for what cof_signed_parse accepted. */
static bool take_apart(parts *out, cof_slice message)
{
    cof_slice outer, explicit, body, start, set;

    if (!cof_der_take(&message, COF_DER_SEQUENCE, &outer) ||
        !cof_der_take_whole(&outer, COF_DER_OID, &out->type) ||
        !cof_der_take(&outer, COF_DER_CONTEXT_0, &explicit) ||
        !cof_der_take(&explicit, COF_DER_SEQUENCE, &body))
        return false;
    start = body;
    for (int i = 0; i < 3; i++)
        if (!cof_der_next(&body, &(uint8_t){0}, &set, NULL))
            return false;
    out->head = (cof_slice){start.data, start.len - body.len};
    if (!cof_der_take(&body, COF_DER_SET, &set))
        return false;
    for (out->count = 0; set.len > 0; out->count++)
        if (out->count == COF_SIGNED_SIGNERS_MAX ||
            !cof_der_take_whole(&set, COF_DER_SEQUENCE, &out->signers[out->count]))
            return false;
    return true;
}

/* How DER sorts a SET OF. */
static int in_order(const void *left, const void *right)
{
    const cof_slice *a = left, *b = right;
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);

    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* How many bytes tag and length take before a body of so many. */
static size_t header_len(size_t len)
{
    size_t n = 2;

    for (size_t rest = len; len >= 0x80 && rest > 0; rest >>= 8)
        n++;
    return n;
}

static size_t whole_len(size_t body)
{
    return header_len(body) + body;
}

static cof_status put_header(cof_buf *out, uint8_t tag, size_t len, cof_error *err)
{
    uint8_t bytes[2 + sizeof(len)] = {tag, (uint8_t)len};
    size_t n = header_len(len);

    if (len >= 0x80)
        bytes[1] = (uint8_t)(0x80 | (n - 2));
    for (size_t i = 2; i < n; i++)
        bytes[i] = (uint8_t)(len >> 8 * (n - 1 - i));
    return cof_buf_append(out, bytes, n, err);
}

static cof_status put_together(cof_buf *out, const parts *p, cof_error *err)
{
    size_t set = 0, body, explicit, outer;
    cof_status st;

    for (size_t i = 0; i < p->count; i++)
        set += p->signers[i].len;
    body = p->head.len + whole_len(set);
    explicit = whole_len(body);
    outer = p->type.len + whole_len(explicit);
    if ((st = put_header(out, COF_DER_SEQUENCE, outer, err)) != COF_OK ||
        (st = cof_buf_append(out, p->type.data, p->type.len, err)) != COF_OK ||
        (st = put_header(out, COF_DER_CONTEXT_0, explicit, err)) != COF_OK ||
        (st = put_header(out, COF_DER_SEQUENCE, body, err)) != COF_OK ||
        (st = cof_buf_append(out, p->head.data, p->head.len, err)) != COF_OK)
        return st;
    st = put_header(out, COF_DER_SET, set, err);
    for (size_t i = 0; st == COF_OK && i < p->count; i++)
        st = cof_buf_append(out, p->signers[i].data, p->signers[i].len, err);
    return st;
}

static cof_status join(cof_buf *out, cof_slice message, cof_slice fresh, cof_error *err)
{
    parts all, one;

    if (!take_apart(&all, message) || !take_apart(&one, fresh) || one.count != 1)
        return cof_fail(err, COF_INTERNAL, "a statement that was just read cannot be read");
    all.signers[all.count++] = one.signers[0];
    qsort(all.signers, all.count, sizeof(all.signers[0]), in_order);
    return put_together(out, &all, err);
}

/* May this key add its signature? */
static cof_status admit(const cof_signed *s, const cof_cert *cert, size_t max_signers,
                        cof_error *err)
{
    cof_cert *candidate = cof_crypto_unconst(cert);
    char name[COF_CERT_DISPLAY_MAX];
    bool valid = false;
    cof_status st = cof_signed_verify(s, &candidate, 1, &valid, NULL, NULL);

    if (st == COF_NOMEM)
        return cof_fail(err, st, "out of memory");
    if (valid)
        return cof_fail(err, COF_USAGE, "%s has signed this statement already",
                        cof_cert_display(cert, name));
    if (s->count >= max_signers)
        return cof_fail_rule(err, COF_LIMIT, "SD-6", COF_NO_OFFSET,
                             "the statement carries %zu signatures, and no more are allowed",
                             s->count);
    return COF_OK;
}

/* What a reader would refuse is a defect here, but for the size. */
static cof_status check_own(cof_slice message, const char *oid, const cof_signed *old,
                            size_t max_signers, const cof_cert *cert, cof_error *err)
{
    cof_cert *candidate = cof_crypto_unconst(cert);
    cof_error inner = COF_ERROR_INIT;
    cof_signed *s = NULL;
    bool valid = false;
    cof_status st = cof_signed_parse(&s, message, oid, max_signers, &inner);

    if (st == COF_OK)
        st = cof_signed_verify(s, &candidate, 1, &valid, NULL, &inner);
    if (st == COF_OK && (!cof_slice_equal(cof_signed_content(s), old->content) ||
                         cof_signed_signer_count(s) != old->count + 1))
        st = cof_fail(&inner, COF_INTERNAL, "something else changed");
    cof_signed_free(s);
    if (st == COF_OK)
        return COF_OK;
    if (st == COF_NOMEM)
        return cof_fail(err, st, "out of memory");
    if (st == COF_LIMIT)
        return cof_fail_rule(err, COF_LIMIT, "SD-1", COF_NO_OFFSET,
                             "the statement would be too long with one more signature");
    return cof_fail(err, COF_INTERNAL, "the signature just added is not good: %.200s",
                    inner.message);
}

cof_status cof_signed_add(cof_buf *out, cof_slice message, const char *oid, size_t max_signers,
                          const cof_key *key, const cof_cert *cert, cof_error *err)
{
    cof_buf fresh = COF_BUF_INIT, joined = COF_BUF_INIT;
    cof_signed *s = NULL;
    cof_status st;

    if ((st = cof_signed_parse(&s, message, oid, max_signers, err)) != COF_OK ||
        (st = admit(s, cert, max_signers, err)) != COF_OK ||
        (st = cof_signed_make(&fresh, oid, s->content, key, cert, s->signers[0].digest, err)) !=
            COF_OK ||
        (st = join(&joined, message, cof_buf_slice(&fresh), err)) != COF_OK ||
        (st = check_own(cof_buf_slice(&joined), oid, s, max_signers, cert, err)) != COF_OK)
        goto out;
    st = cof_buf_append(out, joined.data, joined.len, err);
out:
    cof_buf_free(&fresh);
    cof_buf_free(&joined);
    cof_signed_free(s);
    return st;
}
