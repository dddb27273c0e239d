/* SPDX-License-Identifier: Apache-2.0 */

/* A key pair with a self-signed certificate, for those who have no authority to ask for one. */

#include "base/error.h"
#include "base/text.h"
#include "engine/credentials.h"
#include "engine/passphrase.h"
#include "os/dir.h"
#include "os/newfile.h"
#include "os/os.h"

#define NEVER_REPLACED ", and a key is never overwritten"

static cof_status stage(cof_newfile **out, const char *path, mode_t mode, const void *data,
                        size_t len, cof_error *err)
{
    cof_status st = cof_newfile_create(out, path, mode, err);

    if (st == COF_OK)
        st = cof_file_write_stream(cof_newfile_file(*out), data, len, err);
    return st;
}

/* A certificate without its key must not be found: somebody could make backups for it. */
static cof_status write_both(const cof_keygen_options *o, const cof_secret *key_pem,
                             const cof_buf *cert_pem, cof_error *err)
{
    cof_newfile *both[] = {NULL, NULL}; /* the key, whose name comes last; the certificate */
    cof_status st;

    if ((st = stage(&both[0], o->key_path, 0600, cof_secret_bytes_const(key_pem),
                    cof_secret_len(key_pem), err)) == COF_OK &&
        (st = stage(&both[1], o->cert_path, 0644, cert_pem->data, cert_pem->len, err)) == COF_OK)
        st = cof_newfile_publish_set(both, 2, false, err);
    cof_newfile_free(both[0]);
    cof_newfile_free(both[1]);
    return st;
}

static cof_status get_passphrase(cof_secret **out, const cof_keygen_options *o, cof_error *err)
{
    cof_passphrase ask = cof_passphrase_from(o->passphrase);
    char what[COF_TEXT_NAME_CAP];

    *out = NULL;
    if (o->passphrase == NULL)
        return COF_OK;
    return ask.fn(ask.ctx, cof_text_safe_str(what, sizeof(what), o->key_path), out, err);
}

cof_status cof_keygen(const cof_keygen_options *o, cof_cert_info *info, cof_error *err)
{
    cof_cert_purpose purpose =
        o->use == COF_KEY_SIGNS ? COF_CERT_FOR_SIGNER : COF_CERT_FOR_RECIPIENT;
    cof_secret *passphrase = NULL, *key_pem = NULL;
    cof_buf cert_pem = COF_BUF_INIT;
    cof_cert *cert = NULL;
    cof_key *key = NULL;
    cof_status st;

    if ((st = cof_path_must_be_free(o->key_path, NEVER_REPLACED, err)) != COF_OK ||
        (st = cof_path_must_be_free(o->cert_path, NEVER_REPLACED, err)) != COF_OK ||
        (st = cof_key_generate(&key, o->type, err)) != COF_OK ||
        (st = get_passphrase(&passphrase, o, err)) != COF_OK ||
        (st = cof_cert_self_sign(&cert, key, o->common_name, o->days, purpose, err)) != COF_OK ||
        (st = cof_key_to_pem(&key_pem, key, passphrase, err)) != COF_OK ||
        (st = cof_cert_to_pem(cert, &cert_pem, err)) != COF_OK ||
        (st = write_both(o, key_pem, &cert_pem, err)) != COF_OK)
        goto out;
    if (info != NULL)
        cof_cert_describe(info, cert);
out:
    cof_secret_free(passphrase);
    cof_secret_free(key_pem);
    cof_buf_free(&cert_pem);
    cof_cert_free(cert);
    cof_key_free(key);
    return st;
}
