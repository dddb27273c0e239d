/* SPDX-License-Identifier: Apache-2.0 */

/* From options and home to keys, certificates and trust. */

#include "credential.h"

#include "human.h"
#include "say.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

/* How messages call a home that may not exist. */
static const char *home_name(char out[CLI_NAME_CAP], const cli_home *home)
{
    return home->path[0] != '\0' ? cli_safe(out, 200, home->path) : "the home";
}

/* ---- passphrases ---- */

cof_status cli_passphrase_source(cof_passphrase_source *out, const cli_passphrase_args *args,
                                 const char *option, bool stdin_taken, cof_error *err)
{
    *out = (cof_passphrase_source){.file = args->file, .terminal = true};
    if (args->fd == NULL)
        return COF_OK;
    uint64_t fd = 0;
    if (!cli_parse_number(&fd, args->fd, 0, 1 << 20))
        return cli_error(err, COF_USAGE, "--%s needs the number of an open descriptor", option);
    if (fcntl((int)fd, F_GETFD) < 0)
        return cli_error(err, COF_USAGE, "--%s: descriptor %d is not open", option, (int)fd);
    if (fd == STDIN_FILENO && stdin_taken)
        return cli_error(err, COF_USAGE,
                         "--%s 0: standard input is the data already; use another descriptor",
                         option);
    out->use_fd = true;
    out->fd = (int)fd;
    return COF_OK;
}

/* ---- keys ---- */

cof_status cli_keyring_load(cof_keyring **out, const cli_key_args *args, bool stdin_taken,
                            cof_error *err)
{
    cof_passphrase_source source;
    cof_keyring *keyring = NULL;
    cof_status st = COF_OK;

    *out = NULL;
    if ((st = cli_passphrase_source(&source, &args->passphrase, "key-passphrase-fd", stdin_taken,
                                    err)) != COF_OK ||
        args->keys.count == 0 || (st = cof_keyring_new(&keyring, err)) != COF_OK)
        return st;
    for (size_t i = 0; st == COF_OK && i < args->keys.count; i++)
        st = cof_keyring_add(keyring, args->keys.item[i], &source, err);
    if (st == COF_OK) {
        *out = keyring;
        keyring = NULL; /* transferred */
    }
    cof_keyring_free(keyring);
    return st;
}

cof_status cli_signer_load(cof_signer **out, const cli_sign_args *args, const cli_home *home,
                           bool stdin_taken, cof_error *err)
{
    char key[PATH_MAX];
    char cert[PATH_MAX];
    char name[CLI_NAME_CAP];
    cof_passphrase_source source;
    cof_status st = COF_OK;

    *out = NULL;
    if ((st = cli_passphrase_source(&source, &args->passphrase, "sign-passphrase-fd", stdin_taken,
                                    err)) != COF_OK)
        return st;
    if (args->key != NULL)
        return cof_signer_load(out, args->key, args->cert, &source, err);
    if ((st = cli_home_find(key, home, "signing.key", err)) != COF_OK ||
        (st = cli_home_find(cert, home, "signing.crt", err)) != COF_OK)
        return st;
    if (key[0] == '\0')
        return cli_error(err, COF_USAGE,
                         "there is no signing key: name one with --sign-key, or make one in %s "
                         "with coffer init",
                         home_name(name, home));
    return cof_signer_load(out, key, args->cert, &source, err);
}

/* ---- trust ---- */

static cof_status trust_all(cof_trust *trust, const cli_list *names, unsigned roles, cof_error *err)
{
    cof_status st = COF_OK;
    for (size_t i = 0; st == COF_OK && i < names->count; i++)
        st = cof_trust_add(trust, names->item[i], roles, err);
    return st;
}

cof_status cli_trust_load(cof_trust **out, const cli_trust_args *args, const cli_home *home,
                          cof_error *err)
{
    const unsigned both = COF_ROLE_MAKER | COF_ROLE_CUSTODIAN;
    char trusted[PATH_MAX] = "";
    cof_trust *trust = NULL;
    cof_status st = COF_OK;
    bool named = args->both.count + args->maker.count + args->custodian.count > 0;

    *out = NULL;
    if (!named && (st = cli_home_find(trusted, home, "trusted", err)) != COF_OK)
        return st;
    if ((st = cof_trust_new(&trust, err)) != COF_OK ||
        (st = trust_all(trust, &args->both, both, err)) != COF_OK ||
        (st = trust_all(trust, &args->maker, COF_ROLE_MAKER, err)) != COF_OK ||
        (st = trust_all(trust, &args->custodian, COF_ROLE_CUSTODIAN, err)) != COF_OK ||
        (trusted[0] != '\0' && (st = cof_trust_add(trust, trusted, both, err)) != COF_OK))
        goto out;
    if (cof_trust_count(trust) > 0) {
        *out = trust;
        trust = NULL; /* transferred */
    }
out:
    cof_trust_free(trust);
    return st;
}

/* ---- certificates ---- */

cof_status cli_certs_load(cof_certs **out, const cli_list *paths, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    cof_certs *certs = NULL;
    cof_status st = COF_OK;

    *out = NULL;
    if (paths->count == 0 || (st = cof_certs_new(&certs, err)) != COF_OK)
        return st;
    for (size_t i = 0; st == COF_OK && i < paths->count; i++)
        st = cof_certs_add(certs, paths->item[i], err);
    if (st == COF_OK && cof_certs_count(certs) == 0)
        st = cli_error(err, COF_CERT, "%s holds no certificate",
                       cli_safe(safe, sizeof safe, paths->item[0]));
    if (st == COF_OK) {
        *out = certs;
        certs = NULL; /* transferred */
    }
    cof_certs_free(certs);
    return st;
}

cof_status cli_cert_load(cof_certs **out, const char *path, const char *option, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    cli_list paths = {.item = &path, .count = path != NULL ? 1 : 0};
    cof_status st = cli_certs_load(out, &paths, err);
    if (st != COF_OK || path == NULL || cof_certs_count(*out) == 1)
        return st;
    cof_certs_free(*out);
    *out = NULL;
    return cli_error(err, COF_USAGE, "--%s takes one certificate, and %s holds several", option,
                     cli_safe(safe, sizeof safe, path));
}

cof_status cli_recipients_load(cof_certs **out, const cli_list *paths, const cli_home *home,
                               cof_error *err)
{
    char dir[PATH_MAX];
    char name[CLI_NAME_CAP];
    *out = NULL;
    if (paths->count > 0)
        return cli_certs_load(out, paths, err);
    cof_status st = cli_home_find(dir, home, "recipients", err);
    if (st != COF_OK)
        return st;
    if (dir[0] == '\0')
        return cli_error(err, COF_USAGE,
                         "there are no recipients: name certificates with -r, or put them into "
                         "%s/recipients",
                         home_name(name, home));
    const char *found = dir;
    return cli_certs_load(out, &(cli_list){.item = &found, .count = 1}, err);
}
