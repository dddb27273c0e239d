/* SPDX-License-Identifier: Apache-2.0 */

#include "deeds.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/cert.h"
#include "crypto/key.h"

static char head_path[128];
static cof_signer *second;

/* ---- what is done ---- */

const char *deeds_path(const kit *k, const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%.60s/%.40s", k->dir, name);
    return path;
}

static cof_status do_backup(const kit *k, cof_error *err)
{
    const cof_backup_options o = {.output = deeds_path(k, "out.cof"),
                                  .recipients = k->recipient,
                                  .signer = k->signer,
                                  .record_size = 4096};
    cof_backup *b = NULL;
    cof_status st;

    if ((st = cof_backup_begin(&b, &o, err)) == COF_OK &&
        (st = cof_backup_write(b, k->content, k->content_len, err)) == COF_OK)
        st = cof_backup_finish(b, NULL, err);
    cof_backup_free(b);
    return st;
}

static cof_open_options to_open(const kit *k)
{
    return (cof_open_options){
        .path = k->path, .trust = k->trust, .keys = k->keys, .spool_dir = k->dir};
}

static cof_status do_restore(const kit *k, cof_error *err)
{
    const cof_open_options o = to_open(k);
    cof_reader *reader = NULL;
    cof_status st = cof_reader_open(&reader, &o, err);

    if (st == COF_OK)
        st = cof_reader_restore_file(reader, deeds_path(k, "out"), false, err);
    cof_reader_free(reader);
    return st;
}

static cof_status do_verify(const kit *k, cof_error *err)
{
    const cof_open_options o = to_open(k);
    cof_reader *reader = NULL;
    cof_status st = cof_reader_open(&reader, &o, err);

    if (st == COF_OK)
        st = cof_reader_verify(reader, COF_VERIFY_DEEP, err);
    cof_reader_free(reader);
    return st;
}

/* One person has two certificates, which is not two people. */
static cof_status do_count(const kit *k, cof_error *err)
{
    const cof_open_options o = {.path = k->path,
                                .trust = k->trust,
                                .strict_custody = true,
                                .min_custodians = 2,
                                .spool_dir = k->dir};
    cof_reader *reader = NULL;
    cof_status st = cof_reader_open(&reader, &o, err);

    if (st == COF_OK)
        st = cof_reader_verify(reader, COF_VERIFY_QUICK, err);
    cof_reader_free(reader);
    return st;
}

static cof_status do_rotate(const kit *k, cof_error *err)
{
    cof_rotate_result result = {.changed = false};
    const cof_rotate_options o = {
        .path = k->path, .trust = k->trust, .keys = k->keys, .signer = k->signer, .add = k->other};
    cof_status st = cof_rotate(&o, &result, err);

    cof_rotate_result_wipe(&result);
    return st;
}

static cof_status do_receive(const kit *k, cof_error *err)
{
    int fd = open(k->path, O_RDONLY | O_CLOEXEC);
    const cof_receive_options o = {
        .input_fd = fd, .output = deeds_path(k, "out.cof"), .trust = k->trust};
    cof_backup_result result;
    cof_status st = cof_receive(&o, &result, err);

    (void)close(fd);
    return st;
}

/* ---- heads that travel ---- */

static cof_status export_to(const kit *k, const char *path, cof_error *err)
{
    const cof_export_options o = {.output = path, .trust = k->trust};
    const cof_report silent = {.warn = NULL};
    cof_export_result result;
    cof_exporter *e = NULL;
    cof_status st;

    if ((st = cof_exporter_new(&e, &o, err)) == COF_OK &&
        (st = cof_exporter_add(e, k->path, &silent, &result, err)) == COF_OK)
        st = cof_exporter_finish(e, err);
    cof_exporter_free(e);
    return st;
}

static cof_status do_export(const kit *k, cof_error *err)
{
    return export_to(k, deeds_path(k, "out.head"), err);
}

static cof_status do_approve(const kit *k, cof_error *err)
{
    const cof_approve_options o = {.trust = k->trust, .keys = k->keys, .signer = second};
    cof_approve_result result = {.changed = false};
    cof_status st = cof_approve(k->path, &o, &result, err);

    cof_approve_result_wipe(&result);
    return st;
}

static cof_status do_import(const kit *k, cof_error *err)
{
    cof_import_options o = {.trust = k->trust, .keys = k->keys, .discard = true};
    cof_import_result result = {.changed = false};
    cof_heads *heads = NULL;
    cof_status st = cof_heads_open(&heads, head_path, err);

    o.heads = heads;
    if (st == COF_OK)
        st = cof_import(k->path, &o, &result, err);
    cof_import_result_wipe(&result);
    cof_heads_free(heads);
    return st;
}

/* ---- another data key ---- */

static cof_status rekey(const kit *k, const char *path, const char *output, cof_error *err)
{
    cof_rekey_result result = {.changed = false};
    const cof_rekey_options o = {.path = path,
                                 .output = output,
                                 .trust = k->trust,
                                 .keys = k->keys,
                                 .signer = k->signer,
                                 .recipients = k->recipient};
    cof_status st = cof_rekey(&o, &result, err);

    cof_rekey_result_wipe(&result);
    return st;
}

static cof_status do_rekey(const kit *k, cof_error *err)
{
    return rekey(k, k->path, deeds_path(k, "out.cof"), err);
}

static const char *rekeyed(const kit *k)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s", deeds_path(k, "rekeyed.cof"));
    return path;
}

static cof_status do_rekey_again(const kit *k, cof_error *err)
{
    const char *from = rekeyed(k);

    return rekey(k, from, deeds_path(k, "out.cof"), err);
}

static cof_status do_lineage(const kit *k, cof_error *err)
{
    const cof_open_options o = {.path = rekeyed(k),
                                .trust = k->trust,
                                .keys = k->keys,
                                .spool_dir = k->dir,
                                .prove_maker = true};
    cof_reader *reader = NULL;
    cof_status st = cof_reader_open(&reader, &o, err);

    if (st == COF_OK)
        st = cof_reader_verify(reader, COF_VERIFY_FULL, err);
    cof_reader_free(reader);
    return st;
}

/* ---- keys ---- */

static cof_status do_keygen(const kit *k, cof_error *err)
{
    char key[128];
    const cof_keygen_options o = {.key_path = key,
                                  .cert_path = deeds_path(k, "out.crt"),
                                  .type = "p256",
                                  .common_name = "out",
                                  .days = 1,
                                  .use = COF_KEY_OPENS};

    (void)snprintf(key, sizeof(key), "%.100s.key", o.cert_path);
    return cof_keygen(&o, NULL, err);
}

static cof_status do_load(const kit *k, cof_error *err)
{
    cof_signer *signer = NULL;
    cof_keyring *keys = NULL;
    cof_trust *trust = NULL;
    cof_certs *certs = NULL;
    cof_status st;

    if ((st = cof_signer_load(&signer, deeds_path(k, "second.key"), NULL, NULL, err)) == COF_OK &&
        (st = cof_keyring_new(&keys, err)) == COF_OK &&
        (st = cof_keyring_add(keys, deeds_path(k, "open.key"), NULL, err)) == COF_OK &&
        (st = cof_trust_new(&trust, err)) == COF_OK &&
        (st = cof_trust_add(trust, deeds_path(k, "sign.crt"), COF_ROLE_MAKER, err)) == COF_OK &&
        (st = cof_certs_new(&certs, err)) == COF_OK &&
        (st = cof_certs_add(certs, deeds_path(k, "other.crt"), err)) == COF_OK)
        st = cof_certs_check_recipient(certs, 0, NULL, err);
    cof_signer_free(signer);
    cof_keyring_free(keys);
    cof_trust_free(trust);
    cof_certs_free(certs);
    return st;
}

/* ---- repair ---- */

#define SPOILED                                                                                    \
    64 /* bytes at both ends: a copy of the superblock, and one of the closing record              \
        */

static cof_status do_repair(const kit *k, cof_error *err)
{
    static const uint8_t rubbish[SPOILED];
    const cof_repair_options o = {.path = k->path, .trust = k->trust};
    cof_repair_result result = {.changed = false};

    if (pwrite(k->fd, rubbish, SPOILED, 0) != SPOILED ||
        pwrite(k->fd, rubbish, SPOILED, (off_t)(k->len - SPOILED)) != SPOILED)
        return cof_fail(err, COF_IO, "the backup could not be spoiled");
    return cof_repair(&o, &result, err);
}

/* ---- for whom nothing may be done, whatever fails ---- */

static kit stranger, keyless, changed, doubled; /* share all but what is said here */

static void write_file(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) != 0)
        exit(1);
}

/* A record, between the head and the end, is another than was signed. */
static void make_changed(const kit *k)
{
    changed = *k;
    (void)snprintf(changed.path, sizeof(changed.path), "%s", deeds_path(k, "changed.cof"));
    k->bytes[k->len - 4000] ^= 1;
    write_file(changed.path, k->bytes, k->len);
    k->bytes[k->len - 4000] ^= 1;
}

/* Another certificate of the maker's key. */
static void make_twin(const kit *k)
{
    cof_buf file = COF_BUF_INIT, pem = COF_BUF_INIT;
    cof_key *key = NULL;
    cof_cert *cert = NULL;
    uint8_t bytes[4096];
    int fd = open(deeds_path(k, "sign.key"), O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, bytes, sizeof(bytes));

    if (len <= 0 || cof_buf_append(&file, bytes, (size_t)len, NULL) != COF_OK ||
        cof_key_parse(&key, NULL, cof_buf_slice(&file), NULL, "sign.key", NULL) != COF_OK ||
        cof_cert_self_sign(&cert, key, "twin", 30, COF_CERT_FOR_SIGNER, NULL) != COF_OK ||
        cof_cert_to_pem(cert, &pem, NULL) != COF_OK)
        exit(1);
    write_file(deeds_path(k, "twin.crt"), pem.data, pem.len);
    (void)close(fd);
    cof_buf_free(&file);
    cof_buf_free(&pem);
    cof_key_free(key);
    cof_cert_free(cert);
}

static void make_others(const kit *k)
{
    stranger = keyless = doubled = *k;
    stranger.trust = NULL;
    kit_trust(k, &stranger.trust, "second", COF_ROLE_MAKER | COF_ROLE_CUSTODIAN);
    keyless.keys = NULL;
    kit_keys(k, &keyless.keys, "other");
    make_changed(k);
    make_twin(k);
    doubled.trust = NULL;
    kit_trust(k, &doubled.trust, "sign", COF_ROLE_MAKER | COF_ROLE_CUSTODIAN);
    kit_trust(k, &doubled.trust, "twin", COF_ROLE_MAKER | COF_ROLE_CUSTODIAN);
}

/* A head that was rotated elsewhere, and somebody who approves. */
static void make_travel(const kit *k)
{
    cof_rotate_options o = {
        .trust = k->trust, .keys = k->keys, .signer = k->signer, .add = k->other};
    cof_rotate_result result = {.changed = false};

    (void)snprintf(head_path, sizeof(head_path), "%s", deeds_path(k, "h.head"));
    o.path = head_path;
    kit_pair(k, "second", COF_KEY_SIGNS);
    kit_signer(k, &second, "second");
    if (export_to(k, head_path, NULL) != COF_OK || cof_rotate(&o, &result, NULL) != COF_OK)
        exit(1);
    cof_rotate_result_wipe(&result);
}

/* ---- all of them ---- */

const deed deeds[] = {{"backup", do_backup, NULL, false},
                      {"restore", do_restore, NULL, false},
                      {"verify", do_verify, NULL, false},
                      {"rotate", do_rotate, NULL, true},
                      {"receive", do_receive, NULL, false},
                      {"export", do_export, NULL, false},
                      {"approve", do_approve, NULL, true},
                      {"import", do_import, NULL, true},
                      {"rekey", do_rekey, NULL, false},
                      {"rekey again", do_rekey_again, NULL, false},
                      {"lineage", do_lineage, NULL, false},
                      {"repair", do_repair, NULL, true},
                      {"keygen", do_keygen, NULL, false},
                      {"load keys", do_load, NULL, false},
                      {"restore of an unknown maker's", do_restore, &stranger, false},
                      {"verify of an unknown maker's", do_verify, &stranger, false},
                      {"rotate of an unknown maker's", do_rotate, &stranger, true},
                      {"receive of an unknown maker's", do_receive, &stranger, false},
                      {"import of an unknown custodian's", do_import, &stranger, true},
                      {"rekey of an unknown maker's", do_rekey, &stranger, false},
                      {"lineage of an unknown maker's", do_lineage, &stranger, false},
                      {"repair of an unknown maker's", do_repair, &stranger, true},
                      {"restore without a key", do_restore, &keyless, false},
                      {"rotate without a key", do_rotate, &keyless, true},
                      {"rekey without a key", do_rekey, &keyless, false},
                      {"restore of a changed record", do_restore, &changed, false},
                      {"verify of a changed record", do_verify, &changed, false},
                      {"receive of a changed record", do_receive, &changed, false},
                      {"rekey of a changed record", do_rekey, &changed, false},
                      {"verify of two custodians who are one", do_count, &doubled, false}};

const size_t deed_count = sizeof(deeds) / sizeof(deeds[0]);

void deeds_begin(kit *k)
{
    kit_make(k, "zstd", 20000);
    make_travel(k);
    if (rekey(k, k->path, rekeyed(k), NULL) != COF_OK)
        exit(1);
    make_others(k);
}

void deeds_end(kit *k)
{
    cof_signer_free(second);
    cof_trust_free(stranger.trust);
    cof_trust_free(doubled.trust);
    cof_keyring_free(keyless.keys);
    kit_remove(k);
}
