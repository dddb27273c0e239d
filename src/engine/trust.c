/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Trust is a set of public keys with roles, chosen by the person at the keyboard.  Certificates
 * that come with a backup are only compared with it; they never add to it.
 */

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/credentials.h"

cof_status cof_trust_new(cof_trust **out, cof_error *err)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

void cof_trust_free(cof_trust *trust)
{
    if (trust == NULL)
        return;
    for (size_t i = 0; i < trust->count; i++)
        cof_cert_free(trust->items[i].cert);
    free(trust->items);
    free(trust);
}

size_t cof_trust_count(const cof_trust *trust)
{
    return trust == NULL ? 0 : trust->count;
}

/* Append an item; takes over its certificate on success only. */
static cof_status add_item(cof_trust *trust, const cof_trust_item *item, cof_error *err)
{
    cof_trust_item *grown = realloc(trust->items, (trust->count + 1) * sizeof(*grown));

    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    trust->items = grown;
    trust->items[trust->count++] = *item;
    return COF_OK;
}

static cof_status add_certs(cof_trust *trust, const char *path, unsigned roles, cof_error *err)
{
    cof_certs *certs = NULL;
    size_t before = trust->count;
    cof_status st;

    if ((st = cof_certs_new(&certs, err)) == COF_OK)
        st = cof_certs_add(certs, path, err);
    for (size_t i = 0; st == COF_OK && i < certs->list.count; i++) {
        cof_trust_item item = {cof_cert_ref(certs->list.certs[i]), {0}, roles};

        if ((st = add_item(trust, &item, err)) != COF_OK)
            cof_cert_free(item.cert);
    }
    while (st != COF_OK && trust->count > before)
        cof_cert_free(trust->items[--trust->count].cert);
    cof_certs_free(certs);
    return st;
}

cof_status cof_trust_add(cof_trust *trust, const char *text, unsigned roles, cof_error *err)
{
    cof_trust_item item = {NULL, {0}, roles};

    if (roles == 0 || (roles & ~(unsigned)(COF_ROLE_MAKER | COF_ROLE_CUSTODIAN)) != 0)
        return cof_fail(err, COF_USAGE, "trust needs a role");
    if (cof_fingerprint_parse(item.sha256, text))
        return add_item(trust, &item, err);
    return add_certs(trust, text, roles, err);
}

static bool item_names(const cof_trust_item *item, const cof_cert *cert)
{
    if (item->cert != NULL)
        return cof_cert_same_key(item->cert, cert);
    return memcmp(item->sha256, cof_cert_spki_sha256(cert), 32) == 0 ||
           memcmp(item->sha256, cof_cert_sha256(cert), 32) == 0;
}

bool cof_trust_has(const cof_trust *trust, const cof_cert *cert, cof_role role)
{
    for (size_t i = 0; i < cof_trust_count(trust); i++)
        if ((trust->items[i].roles & (unsigned)role) != 0 && item_names(&trust->items[i], cert))
            return true;
    return false;
}

bool cof_trust_names(const cof_trust *trust, const cof_cert *cert)
{
    for (size_t i = 0; i < cof_trust_count(trust); i++)
        if (trust->items[i].cert == NULL &&
            memcmp(trust->items[i].sha256, cof_cert_sha256(cert), 32) == 0)
            return true;
    return false;
}
