/* SPDX-License-Identifier: Apache-2.0 */

/* coffer keygen: a key pair and a self-signed certificate to open backups with. */

#include "credential.h"
#include "human.h"
#include "report.h"
#include "say.h"
#include "show.h"
#include "status.h"
#include "verb.h"

#include <coffer/credentials.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_DAYS 1096 /* three years */
#define MOST_DAYS    36500

static struct {
    const char *type, *days, *common_name;
    cli_passphrase_args passphrase;
    bool no_passphrase;
} args;

static const cli_opt options[] = {
    {.name = "type",
     .arg = "TYPE",
     .value = &args.type,
     .rules = CLI_OPT_ASKED,
     .help = "rsa-3072, rsa-4096, p256, p384 or p521; by default rsa-3072"},
    {.name = "days",
     .arg = "N",
     .value = &args.days,
     .rules = CLI_OPT_ASKED,
     .help = "how long new backups may be made for it; by default 1096, three years"},
    {.name = "cn",
     .arg = "TEXT",
     .value = &args.common_name,
     .rules = CLI_OPT_ASKED,
     .help = "the name in the certificate; by default the last part of NAME"},
    {.name = "new-passphrase-file",
     .arg = "FILE",
     .value = &args.passphrase.file,
     .group = "new-passphrase",
     .rules = CLI_OPT_EXCLUSIVE | CLI_OPT_ASKED,
     .help = "protect the key with the first line of this file, which nobody else may read"},
    {.name = "new-passphrase-fd",
     .arg = "N",
     .value = &args.passphrase.fd,
     .group = "new-passphrase",
     .rules = CLI_OPT_EXCLUSIVE | CLI_OPT_ASKED,
     .help = "protect the key with the next line of this open descriptor"},
    {.name = "key-passphrase-file",
     .arg = "FILE",
     .value = &args.passphrase.file,
     .group = "new-passphrase",
     .rules = CLI_OPT_EXCLUSIVE | CLI_OPT_ASKED,
     .help = "the same as --new-passphrase-file"},
    {.name = "no-passphrase",
     .flag = &args.no_passphrase,
     .group = "new-passphrase",
     .rules = CLI_OPT_EXCLUSIVE | CLI_OPT_ASKED,
     .help = "store the key unprotected; whoever can read the file can open the backups"},
    {.name = NULL},
};

/* NAME.key and NAME.crt, and the default for the name in the certificate. */
static cof_status make_names(char key[PATH_MAX], char cert[PATH_MAX], const char **common_name,
                             const char *name, cof_error *err)
{
    const char *slash = strrchr(name, '/');
    const char *last = slash != NULL ? slash + 1 : name;
    if (last[0] == '\0')
        return cli_error(err, COF_USAGE,
                         "NAME must be a file name without its ending, such as ops");
    int len = snprintf(key, PATH_MAX, "%s.key", name);
    if (len < 0 || len >= PATH_MAX)
        return cli_error(err, COF_USAGE, "NAME is too long");
    snprintf(cert, PATH_MAX, "%s.crt", name);
    if (*common_name == NULL)
        *common_name = last;
    return COF_OK;
}

/* Before the work of making a key: is there somebody to ask? */
static cof_status check_terminal(cof_error *err)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return cli_error(err, COF_USAGE,
                         "there is no terminal to ask for a passphrase on; give "
                         "--new-passphrase-file or --no-passphrase");
    close(fd);
    return COF_OK;
}

/* Ask a second time by opening the new key: a passphrase with a slip in it is worth nothing. */
static cof_status check_passphrase(const char *key, const char *cert,
                                   const cof_passphrase_source *source, cof_error *err)
{
    cof_keyring *keyring = NULL;
    cof_status st = cof_keyring_new(&keyring, err);
    if (st == COF_OK)
        st = cof_keyring_add(keyring, key, source, err);
    cof_keyring_free(keyring);
    if (st == COF_OK)
        return COF_OK;
    (void)unlink(key);
    (void)unlink(cert);
    if (st == COF_CERT)
        return cli_error(err, COF_USAGE,
                         "the two passphrases are not the same; nothing was written");
    return st;
}

static cof_status make(const cof_keygen_options *o, bool ask_twice, cof_cert_info *info,
                       cof_error *err)
{
    cof_status st = COF_OK;
    if (ask_twice && (st = check_terminal(err)) != COF_OK)
        return st;
    if (ask_twice)
        cli_say_note("choose a passphrase for the new key; it is asked for twice");
    if ((st = cof_keygen(o, info, err)) != COF_OK || !ask_twice)
        return st;
    return check_passphrase(o->key_path, o->cert_path, o->passphrase, err);
}

static void print_result(const cof_keygen_options *o, const cof_cert_info *info)
{
    char key[CLI_NAME_CAP];
    char cert[CLI_NAME_CAP];
    printf("%s  opens backups made for it; %s; keep a copy in a safe place\n",
           cli_safe(key, sizeof key, o->key_path),
           o->passphrase != NULL ? "protected by its passphrase" : "no passphrase");
    printf("%s  %s, %s, ", cli_safe(cert, sizeof cert, o->cert_path), info->subject, info->key);
    cli_show_expiry(stdout, info->not_after);
    printf(", %s\n", info->fingerprint);
}

static int run(const cli_call *call)
{
    char key[PATH_MAX];
    char cert[PATH_MAX];
    cof_passphrase_source source = {.terminal = false};
    cof_keygen_options o = {.key_path = key,
                            .cert_path = cert,
                            .type = args.type != NULL ? args.type : "rsa-3072",
                            .common_name = args.common_name,
                            .days = DEFAULT_DAYS,
                            .use = COF_KEY_OPENS,
                            .passphrase = args.no_passphrase ? NULL : &source};
    bool ask_twice =
        !args.no_passphrase && args.passphrase.file == NULL && args.passphrase.fd == NULL;
    cof_cert_info info;
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    uint64_t days = DEFAULT_DAYS;
    cli_report report;
    cli_report_begin(&report, NULL, call->quiet);

    if (args.days != NULL && !cli_parse_number(&days, args.days, 1, MOST_DAYS))
        st = cli_error(&err, COF_USAGE, "--days needs a number from 1 to %d", MOST_DAYS);
    o.days = (unsigned)days;
    if (st == COF_OK &&
        (st = make_names(key, cert, &o.common_name, call->operands.item[0], &err)) == COF_OK &&
        (st = cli_passphrase_source(&source, &args.passphrase, "new-passphrase-fd", false, &err)) ==
            COF_OK &&
        (st = make(&o, ask_twice, &info, &err)) == COF_OK && !call->quiet)
        print_result(&o, &info);
    return cli_report_end(&report, st, &err);
}

const cli_verb cli_verb_keygen = {
    .name = "keygen",
    .summary = "Make a key pair and a certificate to open backups with",
    .usage = "NAME [--type rsa-3072|rsa-4096|p256|p384|p521] [options]",
    .text = "Writes NAME.key, which opens backups and belongs to you alone, and NAME.crt, which "
            "goes to every host that makes backups for you. A passphrase for the key is asked for "
            "on the terminal.",
    .options = options,
    .operand = "NAME",
    .least = 1,
    .most = 1,
    .run = run,
};
