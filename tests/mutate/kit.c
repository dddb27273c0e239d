/* SPDX-License-Identifier: Apache-2.0 */

#include "kit.h"

#include <dirent.h>
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

static const char *in_dir(const kit *k, const char *name, const char *ending)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%.60s/%.40s%.4s", k->dir, name, ending);
    return path;
}

void kit_pair(const kit *k, const char *name, cof_key_use use)
{
    cof_error err = COF_ERROR_INIT;
    const cof_keygen_options o = {.key_path = in_dir(k, name, ".key"),
                                  .cert_path = in_dir(k, name, ".crt"),
                                  .type = "p256",
                                  .common_name = name,
                                  .days = 30,
                                  .use = use};

    must(cof_keygen(&o, NULL, &err), &err);
}

void kit_certs(const kit *k, cof_certs **certs, const char *name)
{
    cof_error err = COF_ERROR_INIT;

    if (*certs == NULL)
        must(cof_certs_new(certs, &err), &err);
    must(cof_certs_add(*certs, in_dir(k, name, ".crt"), &err), &err);
}

void kit_keys(const kit *k, cof_keyring **keys, const char *name)
{
    cof_error err = COF_ERROR_INIT;

    if (*keys == NULL)
        must(cof_keyring_new(keys, &err), &err);
    must(cof_keyring_add(*keys, in_dir(k, name, ".key"), NULL, &err), &err);
}

void kit_signer(const kit *k, cof_signer **out, const char *name)
{
    cof_error err = COF_ERROR_INIT;

    must(cof_signer_load(out, in_dir(k, name, ".key"), NULL, NULL, &err), &err);
}

void kit_trust(const kit *k, cof_trust **trust, const char *name, unsigned roles)
{
    cof_error err = COF_ERROR_INIT;

    if (*trust == NULL)
        must(cof_trust_new(trust, &err), &err);
    must(cof_trust_add(*trust, in_dir(k, name, ".crt"), roles, &err), &err);
}

static void make_credentials(kit *k)
{
    kit_pair(k, "sign", COF_KEY_SIGNS);
    kit_pair(k, "open", COF_KEY_OPENS);
    kit_pair(k, "other", COF_KEY_OPENS);
    kit_signer(k, &k->signer, "sign");
    kit_trust(k, &k->trust, "sign", COF_ROLE_MAKER | COF_ROLE_CUSTODIAN);
    kit_keys(k, &k->keys, "open");
    kit_certs(k, &k->recipient, "open");
    kit_certs(k, &k->other, "other");
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

/* A head, and one record of 4096 bytes with all that may have to close the volume behind it. */
#define ONE_RECORD (32 + 4096 + 4 + 16 + 32 + 24 + 64 + 48)
#define FIRST_HEAD (2 * 4096 + 2 * 16384)
#define LATER_HEAD (2 * 4096)

void kit_backup(const kit *k, const char *path, const char *compress, bool force)
{
    cof_error err = COF_ERROR_INIT;
    char second[160], third[160];
    const cof_volume_place places[] = {
        {path, FIRST_HEAD + ONE_RECORD}, {second, LATER_HEAD + ONE_RECORD}, {third, 0}};
    cof_backup_options o = {.output = path,
                            .force = force,
                            .recipients = k->recipient,
                            .signer = k->signer,
                            .compress = compress,
                            .record_size = 4096,
                            .label = "kit"};
    cof_backup *b = NULL;

    snprintf(second, sizeof(second), "%s.002", path);
    snprintf(third, sizeof(third), "%s.003", path);
    if (k->volumes) {
        o.output = NULL;
        o.volumes = places;
        o.volume_count = 3;
        o.slot_size = 16384;
    }
    must(cof_backup_begin(&b, &o, &err), &err);
    must(cof_backup_write(b, k->content, k->content_len, &err), &err);
    must(cof_backup_finish(b, NULL, &err), &err);
    cof_backup_free(b);
}

void kit_make(kit *k, const char *compress, size_t content_len)
{
    cof_error err = COF_ERROR_INIT;

    memset(k, 0, sizeof(*k));
    must(cof_init(&err), &err);
    snprintf(k->dir, sizeof(k->dir), "/dev/shm/coffer-kit-XXXXXX");
    must_be(mkdtemp(k->dir) != NULL, "mkdtemp");
    snprintf(k->path, sizeof(k->path), "%s/x.cof", k->dir);
    make_credentials(k);
    make_content(k, content_len);
    kit_backup(k, k->path, compress, false);
    k->fd = open(k->path, O_RDWR | O_CLOEXEC);
    must_be(k->fd >= 0, "open");
    read_back(k);
}

void kit_make_volumes(kit *k, unsigned which)
{
    char path[160];

    if (!k->volumes) {
        k->volumes = true;
        snprintf(k->path, sizeof(k->path), "%s/v.cof", k->dir);
        kit_backup(k, k->path, "none", false);
    }
    snprintf(path, sizeof(path), "%s.%03u", k->path, which);
    (void)close(k->fd);
    k->fd = open(path, O_RDWR | O_CLOEXEC);
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
    DIR *dir = opendir(k->dir);
    struct dirent *entry;

    must_be(dir != NULL, "the directory of the test");
    while ((entry = readdir(dir)) != NULL)
        (void)unlink(in_dir(k, entry->d_name, ""));
    (void)closedir(dir);
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

static void describe(kit_outcome *out, const cof_info *info)
{
    out->damaged = info->damaged;
    out->pending = info->pending;
    out->generation = info->generation;
    snprintf(out->uuid, sizeof(out->uuid), "%s", info->uuid);
}

kit_outcome kit_try(const kit *k, bool restore)
{
    cof_open_options o = {.path = k->path, .trust = k->trust, .keys = restore ? k->keys : NULL};
    kit_outcome result = {.status = COF_OK};
    comparison c = {k, 0, true};
    cof_reader *reader = NULL;

    o.spool_dir = k->dir;
    o.jobs = restore ? 2 : 1; /* a thread started for each of a million tries takes the most time */
    result.status = cof_reader_open(&reader, &o, NULL);
    if (result.status == COF_OK)
        result.status = cof_reader_verify(reader, COF_VERIFY_FULL, NULL);
    if (result.status == COF_OK)
        describe(&result, cof_reader_info(reader));
    if (result.status == COF_OK && restore) {
        result.status = cof_reader_restore(reader, compare, &c, NULL);
        result.same = c.same && c.at == k->content_len;
    }
    cof_reader_free(reader);
    return result;
}
