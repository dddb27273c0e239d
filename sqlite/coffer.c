/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The loadable extension of SQLite: a program backs up its own database from SQL.
 *
 *     SELECT load_extension('/usr/lib/.../coffer/coffer');
 *     SELECT coffer_backup('shop.cof', 'recipient', 'ops.crt', 'sign-key', 'signing.key');
 *
 * It takes its own connection to the file, so that what is backed up is the last committed
 * transaction, and not what the caller's connection has changed since.  All that it asks of SQLite
 * it asks of the copy that has loaded it.
 */

#include <coffer/coffer.h>

#include <sqlite3ext.h>
#include <string.h>

/* As SQLITE_EXTENSION_INIT1, but for all files of the extension. */
extern const sqlite3_api_routines *sqlite3_api;
const sqlite3_api_routines *sqlite3_api = NULL;

/* Its name is given by SQLite, which derives it from that of the file. */
extern int sqlite3_coffer_init(sqlite3 *db, char **message, const sqlite3_api_routines *api);

typedef struct call {
    const char *database; /* "main" or what is attached */
    const char *sign_key, *sign_cert, *passphrase_file;
    cof_certs *recipients;
    cof_signer *signer;
    cof_backup_options options;
} call;

static cof_status fail(cof_error *err, cof_status st, const char *message)
{
    *err = (cof_error)COF_ERROR_INIT;
    err->status = st;
    (void)sqlite3_snprintf((int)sizeof err->message, err->message, "%s", message);
    return st;
}

static cof_status take_option(call *c, const char *name, const char *value, cof_error *err)
{
    const struct {
        const char *name;
        const char **value;
    } known[] = {
        {"database", &c->database},         {"sign-key", &c->sign_key},
        {"sign-cert", &c->sign_cert},       {"sign-passphrase-file", &c->passphrase_file},
        {"label", &c->options.label},       {"reason", &c->options.reason},
        {"compress", &c->options.compress}, {"cipher", &c->options.cipher},
        {"digest", &c->options.digest},
    };

    if (name == NULL || value == NULL)
        return fail(err, COF_USAGE, "coffer_backup takes a file, and names with values, not NULL");
    if (strcmp(name, "recipient") == 0)
        return cof_certs_add(c->recipients, value, err);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i].name) == 0) {
            *known[i].value = value;
            return COF_OK;
        }
    return fail(err, COF_USAGE,
                "coffer_backup knows recipient, sign-key, sign-cert, sign-passphrase-file, label, "
                "reason, compress, cipher, digest and database");
}

static cof_status take_options(call *c, int count, sqlite3_value **values, cof_error *err)
{
    cof_status st = cof_certs_new(&c->recipients, err);

    if (st == COF_OK && count % 2 == 0)
        st = fail(err, COF_USAGE, "coffer_backup takes a file, and then names with a value each");
    if (st == COF_OK && (c->options.output = (const char *)sqlite3_value_text(values[0])) == NULL)
        st = fail(err, COF_USAGE, "coffer_backup needs the name of a file");
    for (int i = 1; st == COF_OK && i < count; i += 2)
        st = take_option(c, (const char *)sqlite3_value_text(values[i]),
                         (const char *)sqlite3_value_text(values[i + 1]), err);
    if (st == COF_OK && c->sign_key == NULL)
        st = fail(err, COF_USAGE, "coffer_backup needs a key that signs: 'sign-key', 'FILE'");
    return st;
}

static cof_status load_signer(call *c, cof_error *err)
{
    const cof_passphrase_source passphrase = {.file = c->passphrase_file};

    return cof_signer_load(&c->signer, c->sign_key, c->sign_cert, &passphrase, err);
}

static cof_status make_backup(const call *c, const char *file, cof_backup_result *result,
                              cof_error *err)
{
    cof_backup *backup = NULL;
    cof_status st;

    if ((st = cof_backup_begin(&backup, &c->options, err)) == COF_OK &&
        (st = cof_backup_sqlite(backup, file, 0, err)) == COF_OK)
        st = cof_backup_finish(backup, result, err);
    cof_backup_free(backup);
    return st;
}

static void coffer_backup(sqlite3_context *context, int count, sqlite3_value **values)
{
    call c = {.database = "main"};
    cof_backup_result result;
    cof_error err = COF_ERROR_INIT;
    const char *file = NULL;
    cof_status st;

    if ((st = cof_init(&err)) != COF_OK || (st = take_options(&c, count, values, &err)) != COF_OK ||
        (st = load_signer(&c, &err)) != COF_OK)
        goto out;
    file = sqlite3_db_filename(sqlite3_context_db_handle(context), c.database);
    if (file == NULL || file[0] == '\0') {
        st = fail(&err, COF_USAGE,
                  "only a database in a file can be backed up; write this one to a file first "
                  "with VACUUM INTO");
        goto out;
    }
    c.options.recipients = c.recipients;
    c.options.signer = c.signer;
    st = make_backup(&c, file, &result, &err);
out:
    if (st == COF_OK)
        sqlite3_result_text(context, result.path, -1, SQLITE_TRANSIENT);
    else
        sqlite3_result_error(context, err.message, -1);
    cof_signer_free(c.signer);
    cof_certs_free(c.recipients);
}

int sqlite3_coffer_init(sqlite3 *db, char **message, const sqlite3_api_routines *api)
{
    const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY; /* not from triggers and views */

    (void)message;
    sqlite3_api = api;
    int code = sqlite3_create_function_v2(db, "coffer_backup", -1, flags, NULL, coffer_backup, NULL,
                                          NULL, NULL);

    /* What cleans up after a signal stays, also when this connection is closed. */
    return code == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : code;
}
