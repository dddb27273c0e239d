/* SPDX-License-Identifier: Apache-2.0 */

/* Private keys: the one that signs, with its certificate, and those that open. */

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/credentials.h"
#include "engine/passphrase.h"
#include "os/dir.h"
#include "os/os.h"
#include "os/tty.h"

typedef cof_status check_fn(const cof_key *key, const char *what, cof_error *err);

/*
 * Read the key in a file, and the certificates beside it in the same file (certs may be NULL).  A
 * kind of key that is good for nothing here is refused: what follows could only be puzzling.
 */
static cof_status read_key(cof_key **out, cof_cert_list *certs, const char *path,
                           const cof_passphrase_source *source, check_fn *check, cof_error *err)
{
    cof_passphrase ask = cof_passphrase_from(source);
    char what[COF_TEXT_NAME_CAP];
    cof_secret *file = NULL;
    cof_key *key = NULL;
    cof_status st = cof_file_read_whole_secret(&file, NULL, path, COF_KEY_FILE_MAX, err);

    *out = NULL;
    cof_text_safe_str(what, sizeof(what), path);
    if (st == COF_OK)
        st = cof_key_parse(&key, certs,
                           (cof_slice){cof_secret_bytes_const(file), cof_secret_len(file)}, &ask,
                           what, err);
    if (st == COF_OK && (st = check(key, what, err)) == COF_OK) {
        *out = key;
        key = NULL; /* transferred */
    }
    cof_key_free(key);
    cof_secret_free(file);
    return st;
}

/* NAME.crt beside NAME.key.  *out stays NULL if there is no such file. */
static cof_status sibling(char **out, const char *key_path, cof_error *err)
{
    const char *name = cof_path_name(key_path);
    const char *dot = strrchr(name, '.');
    size_t stem = dot != NULL && dot != name ? (size_t)(dot - key_path) : strlen(key_path);
    char *path = malloc(stem + sizeof(".crt"));
    cof_path_type kind;
    cof_status st;

    *out = NULL;
    if (path == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    memcpy(path, key_path, stem);
    memcpy(path + stem, ".crt", sizeof(".crt"));
    st = cof_path_kind(&kind, path, err);
    if (st == COF_OK && kind != COF_PATH_NOTHING) {
        *out = path;
        path = NULL; /* transferred */
    }
    free(path);
    return st;
}

/* The certificate of list that belongs to key; NULL if there is none. */
static cof_cert *matching(const cof_cert_list *list, const cof_key *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (cof_key_matches_cert(key, list->certs[i]))
            return list->certs[i];
    return NULL;
}

static cof_status no_certificate(const char *key_path, const char *cert_path, cof_error *err)
{
    char key[COF_TEXT_NAME_CAP / 2], cert[COF_TEXT_NAME_CAP / 2];

    cof_text_safe_str(key, sizeof(key), key_path);
    if (cert_path == NULL)
        return cof_fail(err, COF_CERT,
                        "%s comes without a certificate, and none is named; say which belongs to "
                        "the signing key",
                        key);
    return cof_fail(err, COF_CERT, "the certificate in %s does not belong to the key in %s",
                    cof_text_safe_str(cert, sizeof(cert), cert_path), key);
}

/* Put the certificate that belongs to signer->key in place: from cert_path, or from found. */
static cof_status choose_certificate(cof_signer *signer, cof_cert_list *found, const char *key_path,
                                     const char *cert_path, cof_error *err)
{
    char *beside = NULL;
    cof_cert *cert = NULL;
    cof_status st = COF_OK;

    if (cert_path != NULL)
        cof_cert_list_wipe(found);
    else if (matching(found, signer->key) == NULL &&
             (st = sibling(&beside, key_path, err)) == COF_OK)
        cert_path = beside;
    if (st == COF_OK && cert_path != NULL)
        st = cof_certs_read(found, cert_path, err);
    if (st == COF_OK && (cert = matching(found, signer->key)) == NULL)
        st = no_certificate(key_path, cert_path, err);
    if (st == COF_OK)
        signer->cert = cof_cert_ref(cert);
    free(beside);
    return st;
}

cof_status cof_signer_load(cof_signer **out, const char *key_path, const char *cert_path,
                           const cof_passphrase_source *passphrase, cof_error *err)
{
    cof_cert_list found = COF_CERT_LIST_INIT;
    cof_signer *signer = calloc(1, sizeof(*signer));
    cof_status st;

    *out = NULL;
    if (signer == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if ((st = read_key(&signer->key, &found, key_path, passphrase, cof_key_check_signs, err)) !=
            COF_OK ||
        (st = choose_certificate(signer, &found, key_path, cert_path, err)) != COF_OK ||
        (st = cof_cert_check_signer(signer->cert, cof_clock_now(), NULL, err)) != COF_OK)
        goto out;
    *out = signer;
    signer = NULL; /* transferred */
out:
    cof_cert_list_wipe(&found);
    cof_signer_free(signer);
    return st;
}

void cof_signer_free(cof_signer *signer)
{
    if (signer == NULL)
        return;
    cof_key_free(signer->key);
    cof_cert_free(signer->cert);
    free(signer);
}

void cof_signer_info(const cof_signer *signer, cof_cert_info *out)
{
    cof_cert_describe(out, signer->cert);
}

cof_status cof_keyring_new(cof_keyring **out, cof_error *err)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

void cof_keyring_free(cof_keyring *keyring)
{
    if (keyring == NULL)
        return;
    for (size_t i = 0; i < keyring->count; i++)
        cof_key_free(keyring->keys[i]);
    free(keyring->keys);
    free(keyring);
}

cof_status cof_keyring_add(cof_keyring *keyring, const char *path,
                           const cof_passphrase_source *passphrase, cof_error *err)
{
    cof_key **grown = realloc(keyring->keys, (keyring->count + 1) * sizeof(*grown));
    cof_key *key = NULL;
    cof_status st;

    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    keyring->keys = grown;
    if ((st = read_key(&key, NULL, path, passphrase, cof_key_check_opens, err)) == COF_OK)
        keyring->keys[keyring->count++] = key;
    return st;
}
