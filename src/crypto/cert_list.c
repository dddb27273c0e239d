/* SPDX-License-Identifier: Apache-2.0 */

/* A list of certificates that owns a reference to each. */

#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "crypto/digest.h"

cof_status cof_cert_list_add(cof_cert_list *list, cof_cert *cert, cof_error *err)
{
    cof_cert **grown;

    if (list->count >= COF_CERT_LIST_MAX)
        return cof_fail(err, COF_LIMIT, "more than %d certificates", COF_CERT_LIST_MAX);
    grown = realloc(list->certs, (list->count + 1) * sizeof(cof_cert *));
    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    list->certs = grown;
    list->certs[list->count++] = cof_cert_ref(cert);
    return COF_OK;
}

cof_status cof_cert_list_append(cof_cert_list *list, const cof_cert_list *more, cof_error *err)
{
    size_t before = list->count;
    cof_status st = COF_OK;

    for (size_t i = 0; i < more->count && st == COF_OK; i++)
        st = cof_cert_list_add(list, more->certs[i], err);
    while (st != COF_OK && list->count > before)
        cof_cert_free(list->certs[--list->count]);
    return st;
}

bool cof_cert_list_has(const cof_cert_list *list, const cof_cert *cert)
{
    for (size_t i = 0; i < list->count; i++)
        if (memcmp(cof_cert_sha256(list->certs[i]), cof_cert_sha256(cert), COF_SHA256_SIZE) == 0)
            return true;
    return false;
}

void cof_cert_list_wipe(cof_cert_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        cof_cert_free(list->certs[i]);
    free(list->certs);
    *list = (cof_cert_list)COF_CERT_LIST_INIT;
}
