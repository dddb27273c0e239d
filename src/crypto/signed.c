/* SPDX-License-Identifier: Apache-2.0 */

/* What a parsed statement shows. */

#include "crypto/signed.h"

#include <stdlib.h>

#include "crypto/signed_parts.h"

void cof_signed_free(cof_signed *s)
{
    if (s == NULL)
        return;
    cof_buf_free(&s->bytes);
    free(s);
}

cof_slice cof_signed_content(const cof_signed *s)
{
    return s->content;
}

size_t cof_signed_signer_count(const cof_signed *s)
{
    return s->count;
}

cof_slice cof_signed_signer_id(const cof_signed *s, size_t i)
{
    if (i >= s->count)
        return (cof_slice)COF_SLICE_INIT;
    return s->signers[i].id;
}
