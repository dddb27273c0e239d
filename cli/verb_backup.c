/* SPDX-License-Identifier: Apache-2.0 */

/* coffer backup: files, or standard input, become an encrypted, signed backup. */

#include "command.h"
#include "confine.h"
#include "credential.h"
#include "effort.h"
#include "human.h"
#include "json.h"
#include "report.h"
#include "say.h"
#include "show.h"
#include "status.h"
#include "target.h"
#include "tree.h"
#include "verb.h"
#include "volume.h"

#include <coffer/backup.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *output;
    cli_list recipients;
    cli_sign_args sign;
    cli_volume_args volume;
    const char *label, *reason, *compress, *digest, *record_size, *slot_size;
    cli_tree_args tree;
    cli_command_args command;
    cli_effort_args effort;
    const char *cipher;
    bool sign_only, force, allow_empty, json;
} args;

static const cli_opt options[] = {
    {.letter = 'o',
     .name = "output",
     .arg = "FILE|DIR/|-",
     .value = &args.output,
     .group = CLI_VOLUME_GROUP,
     .rules = CLI_OPT_EXCLUSIVE,
     .help = "where to; in a directory the file is named LABEL-TIME-ID.cof; - is standard output"},
    CLI_VOLUME_OPTIONS(args.volume),
    {.letter = 'r',
     .name = "recipient",
     .arg = "CERT",
     .list = &args.recipients,
     .group = "protection",
     .rules = CLI_OPT_EXCLUSIVE,
     .help = "who can open it: certificates in a file or directory, instead of recipients/ in the "
             "home; may be repeated"},
    {.name = "sign-only",
     .flag = &args.sign_only,
     .group = "protection",
     .rules = CLI_OPT_EXCLUSIVE | CLI_OPT_ASKED,
     .help = "do not encrypt: everybody can read the backup, and nobody can change it unnoticed; "
             "recipients in the home do not count"},
    CLI_TREE_OPTIONS(args.tree),
    CLI_COMMAND_OPTIONS(args.command),
    CLI_SIGN_OPTIONS(args.sign),
    {.name = "label",
     .arg = "TEXT",
     .value = &args.label,
     .help = "a public label, part of the file's name: up to 64 of A-Z a-z 0-9 . _ -"},
    {.name = "reason",
     .arg = "TEXT",
     .value = &args.reason,
     .rules = CLI_OPT_ASKED,
     .help = "why, for the signed list of recipients"},
    {.name = "compress",
     .arg = "METHOD",
     .value = &args.compress,
     .help = "zstd, zstd:1 to zstd:19, lz4, gzip, gzip:1 to gzip:9, or none; by default zstd:3"},
    {.name = "cipher",
     .arg = "NAME",
     .value = &args.cipher,
     .help = "aes-256-gcm, aes-192-gcm, aes-128-gcm or chacha20-poly1305; by default aes-256-gcm"},
    {.name = "digest",
     .arg = "NAME",
     .value = &args.digest,
     .help = "of the signatures: sha256, sha384 or sha512; by default sha256"},
    {.name = "record-size",
     .arg = "SIZE",
     .value = &args.record_size,
     .help = "how much is compressed and encrypted at a time: 4K to 16M; by default 4M"},
    {.name = "slot-size",
     .arg = "SIZE",
     .value = &args.slot_size,
     .help = "room for recipients and their history: 16K to 16M; by default four times what is "
             "needed now"},
    CLI_EFFORT_OPTIONS(args.effort),
    {.name = "force",
     .flag = &args.force,
     .rules = CLI_OPT_ASKED,
     .help = "replace an existing file, once the new one is complete"},
    {.name = "allow-empty",
     .flag = &args.allow_empty,
     .help = "no content at all is a backup, not a failed source"},
    {.name = "json", .flag = &args.json, .rules = CLI_OPT_ASKED, .help = "print one JSON object"},
    {.name = NULL},
};

/* What the backup is made of, and with. */
typedef struct parts {
    cof_tree_options tree;
    cli_live live;
    cof_certs *recipients;
    cof_signer *signer;
    size_t expiring; /* recipients whose certificates expire soon */
} parts;

static bool is_stream(const cli_call *call)
{
    return cli_command_asked(&args.command) ||
           (call->operands.count == 1 && strcmp(call->operands.item[0], "-") == 0);
}

static cof_status check_source(const cli_call *call, cof_error *err)
{
    bool listed = cli_tree_listed(&args.tree);
    if (cli_command_asked(&args.command))
        return cli_command_check(&args.command, &call->operands, listed, err);
    if (call->operands.count == 0 && !listed)
        return cli_error(err, COF_USAGE, "backup needs a source: paths, or - for standard input");
    for (size_t i = 0; i < call->operands.count; i++)
        if (strcmp(call->operands.item[i], "-") == 0 && (call->operands.count > 1 || listed))
            return cli_error(err, COF_USAGE,
                             "standard input (-) is backed up alone; a file of that name is ./-");
    if (!is_stream(call) && args.command.name != NULL)
        return cli_error(err, COF_USAGE, "--name is for a stream; files have names of their own");
    if (!is_stream(call))
        return COF_OK;
    return cli_refuse_terminal(
        STDIN_FILENO, "standard input is a terminal; pipe in what is to be backed up", err);
}

static cof_status check_output(cof_backup_options *o, cof_error *err)
{
    cof_status st = cli_volumes_load(o, &args.volume, err);
    if (st != COF_OK || o->volume_count > 0)
        return st;
    if (args.output == NULL)
        return cli_error(err, COF_USAGE,
                         "say where the backup goes with -o FILE, -o DIR/, -o - or --volume FILE");
    if (strcmp(args.output, "-") != 0) {
        o->output = args.output;
        return COF_OK;
    }
    if (args.json) {
        args.json = false; /* nothing that is no backup goes to standard output */
        return cli_error(err, COF_USAGE, "-o - and --json both need standard output");
    }
    if (args.force)
        return cli_error(err, COF_USAGE, "-o - and --force: there is no file to replace");
    if (args.volume.size != NULL)
        return cli_error(err, COF_USAGE,
                         "-o - and --volume-size: several volumes cannot go through a pipe");
    o->output_fd = STDOUT_FILENO;
    return cli_refuse_terminal(
        STDOUT_FILENO, "standard output is a terminal; redirect it, or name a file with -o", err);
}

static cof_status check_sizes(cof_backup_options *o, cof_error *err)
{
    uint64_t size = 0;
    if (args.record_size != NULL) {
        if (!cli_parse_size(&size, args.record_size) || size == 0 || size > UINT32_MAX)
            return cli_error(err, COF_USAGE, "--record-size needs a size such as 4M or 65536");
        o->record_size = (uint32_t)size;
    }
    if (args.slot_size != NULL) {
        if (!cli_parse_size(&size, args.slot_size) || size == 0)
            return cli_error(err, COF_USAGE, "--slot-size needs a size such as 64K or 65536");
        o->slot_size = size;
    }
    return COF_OK;
}

/* Everything that can be said about the options before a key is touched. */
static cof_status check(cof_backup_options *o, const cli_call *call, cof_error *err)
{
    cof_status st = COF_OK;
    o->tree = !is_stream(call);
    if ((st = check_source(call, err)) != COF_OK || (st = check_output(o, err)) != COF_OK)
        return st;
    if ((st = cli_effort_read(&o->jobs, &args.effort, err)) != COF_OK)
        return st;
    return check_sizes(o, err);
}

/*
 * There is still time to renew them.  The warning leaves the exit status alone: a timer would fail
 * every night for two months over something that is not wrong yet.
 */
static size_t warn_expiring(const cof_certs *recipients)
{
    size_t found = 0;
    char sentence[COF_SUBJECT_TEXT_MAX + 160];
    char date[CLI_HUMAN_CAP];
    for (size_t i = 0; recipients != NULL && i < cof_certs_count(recipients); i++) {
        cof_cert_info info;
        cof_certs_info(recipients, i, &info);
        if (!cli_expires_soon(info.not_after))
            continue;
        found++;
        snprintf(sentence, sizeof sentence,
                 "the certificate of %s expires on %s; renew it, and change the locks with coffer "
                 "rotate",
                 info.subject[0] != '\0' ? info.subject : info.fingerprint,
                 cli_human_date(date, info.not_after));
        cli_say_warning(sentence);
    }
    return found;
}

static cof_status write_content(cof_backup *backup, parts *p, bool tree, cof_error *err)
{
    if (tree)
        return cof_backup_tree(backup, &p->tree, err);
    return cli_command_run(&p->live, backup, err);
}

static cof_status write_backup(const cof_backup_options *o, parts *p, cof_backup_result *result,
                               cof_error *err)
{
    cof_backup *backup = NULL;
    cof_status st = COF_OK;
    if ((st = cof_backup_begin(&backup, o, err)) == COF_OK &&
        (st = write_content(backup, p, o->tree, err)) == COF_OK)
        st = cof_backup_finish(backup, result, err);
    cof_backup_free(backup);
    return st;
}

/* The recipients that the library kept: it left out expired ones while another remained. */
static void print_kept(FILE *out, const cof_certs *recipients)
{
    size_t shown = 0;
    for (size_t i = 0; i < cof_certs_count(recipients); i++) {
        cof_error ignored = COF_ERROR_INIT;
        cof_cert_info info;
        bool expired = false;
        if (cof_certs_check_recipient(recipients, i, &expired, &ignored) != COF_OK && expired)
            continue;
        cof_certs_info(recipients, i, &info);
        if (shown++ > 0)
            fputs(", ", out);
        cli_show_certs(out, &info, 1);
    }
}

/* "71,204 files, ", and a word about what nobody asked to leave out. */
static void print_files(FILE *out, const cof_backup_result *result)
{
    char sentence[160];
    char count[CLI_HUMAN_CAP];
    fprintf(out, "%s file%s, ", cli_human_count(count, result->files),
            result->files == 1 ? "" : "s");
    if (result->sockets == 0)
        return;
    (void)snprintf(sentence, sizeof sentence, "%s socket%s left out: %s",
                   cli_human_count(count, result->sockets),
                   result->sockets == 1 ? " was" : "s were",
                   "they are nothing without their processes");
    cli_say_note(sentence);
}

/* "db1-….cof: 5.2 GiB as 1.9 GiB, 14 s, by CN=db1, opens for CN=ops, CN=recovery" */
static void print_summary(const parts *p, bool tree, const cof_backup_result *result, uint64_t time)
{
    char safe[4 * CLI_NAME_CAP];
    char plain[CLI_HUMAN_CAP];
    char stored[CLI_HUMAN_CAP];
    char took[CLI_HUMAN_CAP];
    cof_cert_info signer;
    bool to_pipe = result->path[0] == '\0';
    FILE *out = to_pipe ? stderr : stdout;
    cof_signer_info(p->signer, &signer);
    fprintf(out, "%s: ", to_pipe ? "standard output" : cli_safe(safe, sizeof safe, result->path));
    if (tree)
        print_files(out, result);
    if (result->streams > 0)
        fprintf(out, "%s stream%s, ", cli_human_count(plain, result->streams),
                result->streams == 1 ? "" : "s");
    fprintf(out, "%s as %s, ", cli_human_size(plain, result->plain_bytes),
            cli_human_size(stored, result->stored_bytes));
    if (result->volumes > 1)
        fprintf(out, "in %zu volumes, ", result->volumes);
    fprintf(out, "%s, by ", cli_human_time(took, time));
    cli_show_certs(out, &signer, 1);
    if (p->recipients == NULL) {
        fputs(", " CLI_SIGNED_ONLY "\n", out);
        return;
    }
    fputs(", opens for ", out);
    print_kept(out, p->recipients);
    fputc('\n', out);
}

static void print_json(const parts *p, bool tree, const cof_backup_result *result,
                       const cli_report *report)
{
    json_t *object = cli_json_new(result->path);
    cof_cert_info signer;
    cof_signer_info(p->signer, &signer);
    cli_json_text(object, "uuid", result->uuid);
    cli_json_number(object, "plain_bytes", result->plain_bytes);
    cli_json_number(object, "stored_bytes", result->stored_bytes);
    cli_json_number(object, "volumes", result->volumes);
    cli_json_number(object, "records", result->records);
    cli_json_flag(object, "sealed", p->recipients != NULL);
    cli_json_number(object, "recipients", result->recipients);
    cli_json_number(object, "skipped_recipients", result->skipped);
    cli_json_number(object, "expiring_recipients", p->expiring);
    if (result->streams > 0)
        cli_json_number(object, "streams", result->streams);
    if (tree) {
        json_object_set_new(object, "complete", json_boolean(result->complete));
        cli_json_number(object, "files", result->files);
        cli_json_number(object, "directories", result->directories);
        cli_json_number(object, "others", result->others);
        cli_json_number(object, "hard_links", result->hard_links);
        cli_json_number(object, "sockets", result->sockets);
        cli_json_number(object, "excluded", result->excluded);
    }
    cli_json_text(object, "maker", signer.subject);
    cli_json_text(object, "maker_fingerprint", signer.fingerprint);
    cli_json_number(object, "milliseconds", cli_report_time(report) / 1000000);
    cli_json_print(object, report);
}

/* A program that makes a dump, or SQLite beside its database, need what is given up here. */
static cof_status confine(const cli_call *call, const cof_backup_options *o, cof_error *err)
{
    cli_confinement c = {.names = o->tree};
    if (cli_command_asked(&args.command))
        return COF_OK;
    if (o->output != NULL)
        cli_confine_file(&c, o->output);
    for (size_t i = 0; i < o->volume_count; i++)
        cli_confine_file(&c, o->volumes[i].path);
    return cli_confine(&c, call, err);
}

static int run(const cli_call *call)
{
    cof_backup_options o = {.label = args.label,
                            .reason = args.reason,
                            .compress = args.compress,
                            .cipher = args.cipher,
                            .sign_only = args.sign_only,
                            .digest = args.digest,
                            .force = args.force,
                            .allow_empty = args.allow_empty,
                            .skip_expired = true};
    parts p = {.recipients = NULL};
    cof_error err = COF_ERROR_INIT;
    cof_backup_result result;
    cof_stats stats;
    cof_status st = COF_OK;
    cli_report report;
    cli_report_begin(&report, args.label != NULL ? args.label : "backup", call->quiet);

    if ((st = check(&o, call, &err)) != COF_OK ||
        (st = cli_command_load(&p.live, &args.command, &call->operands, call->quiet, &err)) !=
            COF_OK ||
        (o.tree && (st = cli_tree_load(&p.tree, &args.tree, &call->operands, &err)) != COF_OK) ||
        (!args.sign_only &&
         (st = cli_recipients_load(&p.recipients, &args.recipients, call->home, &err)) != COF_OK) ||
        (st = cli_signer_load(&p.signer, &args.sign, call->home, true, &err)) != COF_OK)
        goto out;
    o.named = cli_command_named(&p.live);
    o.recipients = p.recipients;
    o.signer = p.signer;
    o.report = cli_report_hooks(&report);
    o.stats = cli_effort_stats(&args.effort, &stats);
    p.expiring = warn_expiring(p.recipients);
    if ((st = confine(call, &o, &err)) != COF_OK ||
        (st = write_backup(&o, &p, &result, &err)) != COF_OK)
        goto out;
    cli_report_pause(&report);
    if (args.json)
        print_json(&p, o.tree, &result, &report);
    else if (!call->quiet)
        print_summary(&p, o.tree, &result, cli_report_time(&report));
    cli_effort_show(&args.effort, &stats, cli_report_time(&report));
out:
    cof_signer_free(p.signer);
    cof_certs_free(p.recipients);
    return cli_json_end(&report, o.volume_count > 0 ? o.volumes[0].path : o.output, args.json, st,
                        &err);
}

const cli_verb cli_verb_backup = {
    .name = "backup",
    .summary = "Make an encrypted, signed backup of files, or of what a command writes",
    .usage = "(-o FILE|DIR/|- | --volume FILE[:SIZE]...) [-r CERT... | --sign-only] [options] "
             "SOURCE...|- | --sqlite FILE | --streams FILE | --stdin-from-command -- PROGRAM "
             "ARGUMENT...",
    .text =
        "The backup can be opened with the private key of any one of the recipients, and by "
        "nobody else; this host needs none of these keys. It appears under its name when it is "
        "complete and safely on disk, or not at all.\n"
        "What vanishes, changes or cannot be read while it is backed up is named in a warning and "
        "in the backup, which is then marked as incomplete, and the exit status is 9.\n"
        "For example: coffer backup -o /backup/ --label db1 /etc /srv\n"
        "or: coffer backup -o /backup/ --label db1 --stdin-from-command -- pg_dump db1",
    .options = options,
    .operand = "source",
    .least = 0,
    .most = SIZE_MAX,
    .run = run,
};
