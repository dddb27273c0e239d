/* SPDX-License-Identifier: Apache-2.0 */

#include "kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(cof_status st, const cof_error *err)
{
    if (st == COF_OK)
        return;
    fprintf(stderr, "%s: %s\n", cof_status_name(st), err->message);
    exit(1);
}

static void must_be(bool right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static const char *in_dir(const kit *k, const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%.60s/%.40s", k->dir, name);
    return path;
}

static void make_pair(const kit *k, const char *key, const char *cert, cof_key_use use)
{
    cof_error err = COF_ERROR_INIT;
    const cof_keygen_options o = {.key_path = in_dir(k, key),
                                  .cert_path = in_dir(k, cert),
                                  .type = "p256",
                                  .common_name = key,
                                  .days = 30,
                                  .use = use};

    must(cof_keygen(&o, NULL, &err), &err);
}

static void load_certs(cof_certs **out, const char *path)
{
    cof_error err = COF_ERROR_INIT;

    must(cof_certs_new(out, &err), &err);
    must(cof_certs_add(*out, path, &err), &err);
}

static void make_credentials(kit *k)
{
    cof_error err = COF_ERROR_INIT;

    make_pair(k, "sign.key", "sign.crt", COF_KEY_SIGNS);
    make_pair(k, "open.key", "open.crt", COF_KEY_OPENS);
    make_pair(k, "other.key", "other.crt", COF_KEY_OPENS);
    must(cof_signer_load(&k->signer, in_dir(k, "sign.key"), NULL, NULL, &err), &err);
    must(cof_trust_new(&k->trust, &err), &err);
    must(cof_trust_add(k->trust, in_dir(k, "sign.crt"), COF_ROLE_MAKER | COF_ROLE_CUSTODIAN, &err),
         &err);
    must(cof_keyring_new(&k->keys, &err), &err);
    must(cof_keyring_add(k->keys, in_dir(k, "open.key"), NULL, &err), &err);
    load_certs(&k->recipient, in_dir(k, "open.crt"));
    load_certs(&k->other, in_dir(k, "other.crt"));
}

/* Half of it compresses, half of it does not. */
static void make_content(kit *k, size_t len)
{
    uint32_t x = 1;

    k->content = malloc(len + 1);
    must_be(k->content != NULL, "malloc");
    k->content_len = len;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525u + 1013904223u;
        k->content[i] = i < len / 2 ? (uint8_t)(i / 64) : (uint8_t)(x >> 24);
    }
}

static void read_back(kit *k)
{
    struct stat s;

    free(k->bytes);
    must_be(fstat(k->fd, &s) == 0, "fstat");
    k->len = (size_t)s.st_size;
    k->bytes = malloc(k->len);
    must_be(k->bytes != NULL && pread(k->fd, k->bytes, k->len, 0) == (ssize_t)k->len, "pread");
}

void kit_make(kit *k, const char *compress, size_t content_len)
{
    cof_error err = COF_ERROR_INIT;
    cof_backup_options o = {.compress = compress, .record_size = 4096, .label = "mutate"};
    cof_backup *b = NULL;

    memset(k, 0, sizeof(*k));
    must(cof_init(&err), &err);
    snprintf(k->dir, sizeof(k->dir), "/dev/shm/coffer-mutate-XXXXXX");
    must_be(mkdtemp(k->dir) != NULL, "mkdtemp");
    snprintf(k->path, sizeof(k->path), "%s/x.cof", k->dir);
    make_credentials(k);
    make_content(k, content_len);
    o.output = k->path;
    o.recipients = k->recipient;
    o.signer = k->signer;
    must(cof_backup_begin(&b, &o, &err), &err);
    must(cof_backup_write(b, k->content, k->content_len, &err), &err);
    must(cof_backup_finish(b, NULL, &err), &err);
    cof_backup_free(b);
    k->fd = open(k->path, O_RDWR | O_CLOEXEC);
    must_be(k->fd >= 0, "open");
    read_back(k);
}

void kit_rotate(kit *k)
{
    cof_error err = COF_ERROR_INIT;
    cof_rotate_result result = {.changed = false};
    const cof_rotate_options o = {.path = k->path,
                                  .trust = k->trust,
                                  .keys = k->keys,
                                  .signer = k->signer,
                                  .add = k->other,
                                  .reason = "to have a history"};

    must(cof_rotate(&o, &result, &err), &err);
    cof_rotate_result_wipe(&result);
    read_back(k);
}

void kit_remove(kit *k)
{
    static const char *const names[] = {"x.cof",    "sign.key",  "sign.crt", "open.key",
                                        "open.crt", "other.key", "other.crt"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)unlink(in_dir(k, names[i]));
    (void)rmdir(k->dir);
    (void)close(k->fd);
    cof_signer_free(k->signer);
    cof_trust_free(k->trust);
    cof_keyring_free(k->keys);
    cof_certs_free(k->recipient);
    cof_certs_free(k->other);
    free(k->bytes);
    free(k->content);
}

typedef struct comparison {
    const kit *k;
    size_t at;
    bool same;
} comparison;

static cof_status compare(void *ctx, const void *data, size_t len, cof_error *err)
{
    comparison *c = ctx;

    (void)err;
    if (len > c->k->content_len - c->at || memcmp(c->k->content + c->at, data, len) != 0)
        c->same = false;
    else
        c->at += len;
    return COF_OK;
}

kit_outcome kit_try(const kit *k, bool restore)
{
    cof_open_options o = {.path = k->path, .trust = k->trust, .keys = restore ? k->keys : NULL};
    kit_outcome result = {COF_OK, 0, false};
    comparison c = {k, 0, true};
    cof_reader *reader = NULL;

    o.spool_dir = k->dir;
    result.status = cof_reader_open(&reader, &o, NULL);
    if (result.status == COF_OK)
        result.status = cof_reader_verify(reader, COF_VERIFY_FULL, NULL);
    if (result.status == COF_OK)
        result.damaged = cof_reader_info(reader)->damaged;
    if (result.status == COF_OK && restore) {
        result.status = cof_reader_restore(reader, compare, &c, NULL);
        result.same = c.same && c.at == k->content_len;
    }
    cof_reader_free(reader);
    return result;
}
