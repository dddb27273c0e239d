/* SPDX-License-Identifier: Apache-2.0 */

/*
 * coffer init: make the home of a host.  Everything that can be refused is refused before the first
 * directory is made; if something fails later, what was made is removed again.
 */

#include "credential.h"
#include "human.h"
#include "report.h"
#include "say.h"
#include "show.h"
#include "status.h"
#include "verb.h"

#include <coffer/credentials.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_DAYS 1096 /* three years */
#define MOST_DAYS    36500
#define MADE_MAX     600 /* a home, its two directories, 256 recipients, and room */

static struct {
    cli_list recipients;
    const char *type, *name, *days;
} args;

static const cli_opt options[] = {
    {.letter = 'r',
     .name = "recipient",
     .arg = "CERT",
     .list = &args.recipients,
     .rules = CLI_OPT_ASKED,
     .help = "who can open this host's backups: certificates in a file or directory; may be "
             "repeated"},
    {.name = "type",
     .arg = "TYPE",
     .value = &args.type,
     .rules = CLI_OPT_ASKED,
     .help = "of the signing key: p256, p384 or rsa-3072; by default p256"},
    {.name = "name",
     .arg = "TEXT",
     .value = &args.name,
     .rules = CLI_OPT_ASKED,
     .help = "the name in its certificate; by default the name of this host"},
    {.name = "days",
     .arg = "N",
     .value = &args.days,
     .rules = CLI_OPT_ASKED,
     .help = "how long the certificate can sign; by default 1096, three years"},
    {.name = NULL},
};

/* ---- what was made, to be removed again if the rest fails ---- */

static struct {
    char *path[MADE_MAX];
    size_t count;
} made;

static void remember(const char *path)
{
    char *copy = made.count < MADE_MAX ? strdup(path) : NULL;
    if (copy != NULL)
        made.path[made.count++] = copy;
}

static void forget_all(bool remove_them)
{
    while (made.count > 0) {
        char *path = made.path[--made.count];
        if (remove_them)
            (void)remove(path);
        free(path);
    }
}

/* ---- the steps ---- */

/* A directory for us alone, with those above it. */
static cof_status make_directory(const char *path, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    char above[PATH_MAX];
    size_t len = 0;
    do {
        len += strspn(path + len, "/");
        len += strcspn(path + len, "/");
        snprintf(above, sizeof above, "%.*s", (int)len, path);
        if (access(above, F_OK) == 0)
            continue; /* not every file system says EEXIST first where nothing may be made */
        if (mkdir(above, 0700) == 0)
            remember(above);
        else if (errno != EEXIST)
            return cli_error_sys(err, errno, "cannot make %s", cli_safe(safe, 280, above));
    } while (path[len] != '\0');
    return COF_OK;
}

/* A file name from the CN of a subject: letters, digits and a few signs. */
static void name_from_subject(char out[64], const char *subject)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const char *cn = strstr(subject, "CN=");
    size_t used = 0;
    for (cn = cn != NULL ? cn + 3 : subject; *cn != '\0' && *cn != ',' && used < 60; cn++)
        out[used++] = strchr(fine, *cn) != NULL ? *cn : '_';
    out[used] = '\0';
    if (used == 0 || out[0] == '.')
        snprintf(out, 64, "certificate");
}

/* Save certificate i in a directory of the home, under a name that is not taken. */
static cof_status save_certificate(const cof_certs *certs, size_t i, const char *dir,
                                   cof_error *err)
{
    char path[PATH_MAX];
    char stem[64];
    cof_cert_info info;
    struct stat s;
    cof_certs_info(certs, i, &info);
    name_from_subject(stem, info.subject);
    for (unsigned n = 1; n < 1000; n++) {
        char number[16] = "";
        if (n > 1)
            snprintf(number, sizeof number, "-%u", n);
        int len = snprintf(path, sizeof path, "%s/%s%s.crt", dir, stem, number);
        if (len < 0 || len >= (int)sizeof path)
            break;
        if (lstat(path, &s) == 0)
            continue;
        cof_status st = cof_certs_save(certs, i, path, err);
        if (st == COF_OK)
            remember(path);
        return st;
    }
    return cli_error(err, COF_USAGE, "there is no name left for a certificate of %.100s", stem);
}

static cof_status save_all(const cof_certs *certs, const char *dir, cof_error *err)
{
    cof_status st = COF_OK;
    for (size_t i = 0; certs != NULL && st == COF_OK && i < cof_certs_count(certs); i++)
        st = save_certificate(certs, i, dir, err);
    return st;
}

static cof_status load_recipients(cof_certs **out, cof_error *err)
{
    cof_status st = cli_certs_load(out, &args.recipients, err);
    for (size_t i = 0; st == COF_OK && *out != NULL && i < cof_certs_count(*out); i++)
        st = cof_certs_check_recipient(*out, i, NULL, err);
    return st;
}

static cof_status make_signing_key(const char *key, const char *cert, cof_cert_info *info,
                                   cof_error *err)
{
    char host[65] = ""; /* as long as a CN may be */
    uint64_t days = DEFAULT_DAYS;
    if (args.days != NULL && !cli_parse_number(&days, args.days, 1, MOST_DAYS))
        return cli_error(err, COF_USAGE, "--days needs a number from 1 to %d", MOST_DAYS);
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof host, "localhost");
    const cof_keygen_options o = {.key_path = key,
                                  .cert_path = cert,
                                  .type = args.type != NULL ? args.type : "p256",
                                  .common_name = args.name != NULL ? args.name : host,
                                  .days = (unsigned)days,
                                  .use = COF_KEY_SIGNS};
    cof_status st = cof_keygen(&o, info, err);
    if (st == COF_OK) {
        remember(key);
        remember(cert);
    }
    return st;
}

typedef struct paths {
    char key[PATH_MAX], cert[PATH_MAX], recipients[PATH_MAX], trusted[PATH_MAX];
} paths;

static cof_status find_paths(paths *p, const cli_home *home, cof_error *err)
{
    cof_status st = COF_OK;
    char safe[CLI_NAME_CAP];
    struct stat s;
    if ((st = cli_home_path(p->key, home, "signing.key", err)) != COF_OK ||
        (st = cli_home_path(p->cert, home, "signing.crt", err)) != COF_OK ||
        (st = cli_home_path(p->recipients, home, "recipients", err)) != COF_OK ||
        (st = cli_home_path(p->trusted, home, "trusted", err)) != COF_OK)
        return st;
    if (lstat(p->key, &s) == 0)
        return cli_error(err, COF_USAGE,
                         "%s exists already, and is never overwritten; to add recipients, put "
                         "their certificates into recipients/ beside it",
                         cli_safe(safe, 200, p->key));
    return COF_OK;
}

static cof_status make_home(const cli_home *home, const paths *p, const cof_certs *recipients,
                            cof_cert_info *signer, cof_error *err)
{
    cof_certs *own = NULL;
    cof_status st = COF_OK;
    const char *cert = p->cert;
    if ((st = make_directory(home->path, err)) == COF_OK &&
        (st = cli_home_check(home, err)) == COF_OK &&
        (st = make_directory(p->recipients, err)) == COF_OK &&
        (st = make_directory(p->trusted, err)) == COF_OK &&
        (st = save_all(recipients, p->recipients, err)) == COF_OK &&
        (st = make_signing_key(p->key, p->cert, signer, err)) == COF_OK &&
        (st = cli_certs_load(&own, &(cli_list){&cert, 1}, err)) == COF_OK)
        st = save_all(own, p->trusted, err);
    cof_certs_free(own);
    return st;
}

static void print_line(const char *path, int width)
{
    char safe[CLI_NAME_CAP];
    printf("%-*s  ", width, cli_safe(safe, sizeof safe, path));
}

static void print_result(const paths *p, const cof_certs *recipients, const cof_cert_info *signer)
{
    int width = (int)strlen(p->key);
    print_line(p->key, width);
    printf("signs this host's backups; no passphrase, %s only\n",
           geteuid() == 0 ? "root" : "readable by you");
    print_line(p->cert, width);
    printf("%s, ", signer->subject);
    cli_show_expiry(stdout, signer->not_after);
    printf(", %s  (write this down)\n", signer->fingerprint);
    print_line(p->recipients, width);
    for (size_t i = 0; recipients != NULL && i < cof_certs_count(recipients); i++) {
        cof_cert_info info;
        cof_certs_info(recipients, i, &info);
        printf("%s%s", i > 0 ? ", " : "", info.subject);
    }
    puts(recipients != NULL ? ""
                            : "nobody yet: put the certificates of those who shall open "
                              "backups into it");
    print_line(p->trusted, width);
    printf("%s\n", signer->subject);
}

static int run(const cli_call *call)
{
    paths p;
    cof_certs *recipients = NULL;
    cof_cert_info signer;
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    cli_report report;
    cli_report_begin(&report, NULL, call->quiet);

    if ((st = find_paths(&p, call->home, &err)) == COF_OK &&
        (st = load_recipients(&recipients, &err)) == COF_OK)
        st = make_home(call->home, &p, recipients, &signer, &err);
    forget_all(st != COF_OK);
    if (st == COF_OK && !call->quiet)
        print_result(&p, recipients, &signer);
    cof_certs_free(recipients);
    return cli_report_end(&report, st, &err);
}

const cli_verb cli_verb_init = {
    .name = "init",
    .summary = "Make this host's home: signing key, recipients, trust",
    .usage = "[-r CERT]... [options]",
    .text = "The home is the directory of --home, else $COFFER_HOME, else ~/.config/coffer, for "
            "root /etc/coffer. Backups are signed with signing.key, encrypted for the certificates "
            "in recipients/, and believed when they are signed by one of those in trusted/. A file "
            "named options may hold long options, one on a line, for every run.",
    .options = options,
    .operand = "",
    .least = 0,
    .most = 0,
    .rules = CLI_VERB_NO_HOME,
    .run = run,
};
