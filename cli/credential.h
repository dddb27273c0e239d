/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_CREDENTIAL_H
#define COF_CLI_CREDENTIAL_H

/*
 * Keys, certificates and trust: the options that several verbs share, and how they and the home
 * become the library's objects.  Whatever is named on the command line stands alone; only where
 * nothing is named does the home count.
 */

#include "home.h"
#include "option.h"

#include <coffer/credentials.h>
#include <stdbool.h>

/* ---- where a passphrase comes from ---- */

typedef struct cli_passphrase_args {
    const char *file, *fd;
} cli_passphrase_args;

/*
 * A passphrase source: the file, the descriptor, else the terminal.  COF_USAGE: the descriptor (of
 * option) is no number, not open, or standard input while that is the data (stdin_taken).
 */
cof_status cli_passphrase_source(cof_passphrase_source *out, const cli_passphrase_args *args,
                                 const char *option, bool stdin_taken, cof_error *err) COF_MUST_USE;

/* ---- private keys that open ---- */

typedef struct cli_key_args {
    cli_list keys;
    cli_passphrase_args passphrase;
} cli_key_args;

#define CLI_KEY_OPTIONS(a)                                                                         \
    {.name = "key",                                                                                \
     .arg = "KEY",                                                                                 \
     .list = &(a).keys,                                                                            \
     .help = "a private key that opens the backup; may be repeated"},                              \
        {.name = "key-passphrase-file",                                                            \
         .arg = "FILE",                                                                            \
         .value = &(a).passphrase.file,                                                            \
         .group = "key-passphrase",                                                                \
         .rules = CLI_OPT_EXCLUSIVE,                                                               \
         .help = "its passphrase is the first line of this file, which nobody else may read"},     \
    {                                                                                              \
        .name = "key-passphrase-fd", .arg = "N", .value = &(a).passphrase.fd,                      \
        .group = "key-passphrase", .rules = CLI_OPT_EXCLUSIVE | CLI_OPT_ASKED,                     \
        .help = "its passphrase is the next line of this open descriptor"                          \
    }

/* *out is NULL where no key is named. */
cof_status cli_keyring_load(cof_keyring **out, const cli_key_args *args, bool stdin_taken,
                            cof_error *err) COF_MUST_USE;

/* ---- the signing key ---- */

typedef struct cli_sign_args {
    const char *key, *cert;
    cli_passphrase_args passphrase;
} cli_sign_args;

#define CLI_SIGN_OPTIONS(a)                                                                        \
    {.name = "sign-key",                                                                           \
     .arg = "KEY",                                                                                 \
     .value = &(a).key,                                                                            \
     .group = "signer",                                                                            \
     .help = "the private key that signs, instead of signing.key in the home"},                    \
        {.name = "sign-cert",                                                                      \
         .arg = "CERT",                                                                            \
         .value = &(a).cert,                                                                       \
         .group = "signer",                                                                        \
         .help = "its certificate; by default the one in the key's file, or NAME.crt beside it"},  \
        {.name = "sign-passphrase-file",                                                           \
         .arg = "FILE",                                                                            \
         .value = &(a).passphrase.file,                                                            \
         .group = "sign-passphrase",                                                               \
         .rules = CLI_OPT_EXCLUSIVE,                                                               \
         .help = "its passphrase is the first line of this file, which nobody else may read"},     \
    {                                                                                              \
        .name = "sign-passphrase-fd", .arg = "N", .value = &(a).passphrase.fd,                     \
        .group = "sign-passphrase", .rules = CLI_OPT_EXCLUSIVE | CLI_OPT_ASKED,                    \
        .help = "its passphrase is the next line of this open descriptor"                          \
    }

/* COF_USAGE where neither the options nor the home have one. */
cof_status cli_signer_load(cof_signer **out, const cli_sign_args *args, const cli_home *home,
                           bool stdin_taken, cof_error *err) COF_MUST_USE;

/* ---- trust ---- */

typedef struct cli_trust_args {
    cli_list both, maker, custodian;
} cli_trust_args;

#define CLI_TRUST_OPTIONS(a)                                                                       \
    {.name = "trust",                                                                              \
     .arg = "CERT|DIR|FINGERPRINT",                                                                \
     .list = &(a).both,                                                                            \
     .group = "trust",                                                                             \
     .help = "whose signature counts, for content and for recipients, instead of trusted/ in the " \
             "home; may be repeated"},                                                             \
        {.name = "trust-maker",                                                                    \
         .arg = "CERT|DIR|FINGERPRINT",                                                            \
         .list = &(a).maker,                                                                       \
         .group = "trust",                                                                         \
         .help = "whose signature counts for content only"},                                       \
    {                                                                                              \
        .name = "trust-custodian", .arg = "CERT|DIR|FINGERPRINT", .list = &(a).custodian,          \
        .group = "trust", .help = "whose signature counts for the list of recipients only"         \
    }

/* *out is NULL where nobody is trusted: what that means is for the library to say. */
cof_status cli_trust_load(cof_trust **out, const cli_trust_args *args, const cli_home *home,
                          cof_error *err) COF_MUST_USE;

/* ---- certificates ---- */

/* All certificates of some files and directories; *out is NULL where none is named. */
cof_status cli_certs_load(cof_certs **out, const cli_list *paths, cof_error *err) COF_MUST_USE;

/* Exactly one certificate from a file; *out is NULL where path is. */
cof_status cli_cert_load(cof_certs **out, const char *path, const char *option,
                         cof_error *err) COF_MUST_USE;

/* The recipients named, else those of the home.  COF_USAGE where there is none. */
cof_status cli_recipients_load(cof_certs **out, const cli_list *paths, const cli_home *home,
                               cof_error *err) COF_MUST_USE;

#endif
