/* SPDX-License-Identifier: Apache-2.0 */

/* Lists of certificates, read from files and folders. */

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/credentials.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/newfile.h"
#include "os/os.h"

bool cof_fingerprint_parse(uint8_t out[32], const char *text)
{
    char digits[64];
    size_t n = 0;

    if (strncmp(text, "SHA256:", 7) == 0)
        text += 7;
    for (; *text != '\0'; text++) {
        if (*text == ':')
            continue;
        if (n == sizeof(digits))
            return false;
        digits[n++] = *text;
    }
    return n == sizeof(digits) && cof_hex_decode(out, 32, digits, n, COF_HEX_ANY);
}

void cof_fingerprint_format(char out[COF_FINGERPRINT_TEXT_MAX], const uint8_t sha256[32])
{
    static const char digits[] = "0123456789ABCDEF";
    char *p = out;

    memcpy(p, "SHA256", 6);
    p += 6;
    for (size_t i = 0; i < 32; i++) {
        *p++ = ':';
        *p++ = digits[sha256[i] >> 4];
        *p++ = digits[sha256[i] & 15];
    }
    *p = '\0';
}

void cof_cert_describe(cof_cert_info *out, const cof_cert *cert)
{
    char subject[COF_CERT_SUBJECT_MAX + 1];

    memset(out, 0, sizeof(*out));
    cof_text_safe_str(out->subject, sizeof(out->subject),
                      cof_cert_subject(cert, subject, sizeof(subject)));
    memcpy(out->spki_sha256, cof_cert_spki_sha256(cert), 32);
    memcpy(out->cert_sha256, cof_cert_sha256(cert), 32);
    cof_fingerprint_format(out->fingerprint, out->spki_sha256);
    out->not_before = cof_cert_not_before(cert);
    out->not_after = cof_cert_not_after(cert);
    cof_text_safe_str(out->key, sizeof(out->key), cof_cert_key_text(cert));
}

cof_status cof_certs_read(cof_cert_list *out, const char *path, cof_error *err)
{
    char what[COF_TEXT_NAME_CAP];
    cof_buf file = COF_BUF_INIT;
    cof_status st = cof_file_read_whole(&file, path, COF_CERT_FILE_MAX, err);

    cof_text_safe_str(what, sizeof(what), path);
    if (st == COF_OK)
        st = cof_cert_parse_all(out, cof_buf_slice(&file), NULL, what, err);
    /* A file of certificates may hold a private key as well. */
    if (file.data != NULL)
        cof_wipe(file.data, file.len);
    cof_buf_free(&file);
    return st;
}

static bool names_certificate(const char *name)
{
    static const char *const suffixes[] = {".pem", ".crt", ".cer", ".der"};
    const char *dot = strrchr(name, '.');

    if (name[0] == '.' || dot == NULL)
        return false;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(dot, suffixes[i]) == 0)
            return true;
    return false;
}

static cof_status read_directory(cof_cert_list *out, const char *path, cof_error *err)
{
    cof_names names = COF_NAMES_INIT;
    cof_status st = cof_dir_list(&names, path, err);

    for (size_t i = 0; st == COF_OK && i < names.count; i++) {
        cof_path_type kind = COF_PATH_NOTHING;
        char *file = NULL;

        if (!names_certificate(names.names[i]))
            continue;
        if ((st = cof_path_join(&file, path, names.names[i], err)) == COF_OK &&
            (st = cof_path_kind(&kind, file, err)) == COF_OK && kind == COF_PATH_REGULAR)
            st = cof_certs_read(out, file, err);
        free(file);
    }
    cof_names_free(&names);
    return st;
}

/* Move into list what it does not have yet; on failure list is as it was. */
static cof_status merge(cof_cert_list *list, const cof_cert_list *more, cof_error *err)
{
    size_t before = list->count;
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < more->count; i++)
        if (!cof_cert_list_has(list, more->certs[i]))
            st = cof_cert_list_add(list, more->certs[i], err);
    while (st != COF_OK && list->count > before)
        cof_cert_free(list->certs[--list->count]);
    return st;
}

cof_status cof_certs_new(cof_certs **out, cof_error *err)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

void cof_certs_free(cof_certs *certs)
{
    if (certs == NULL)
        return;
    cof_cert_list_wipe(&certs->list);
    free(certs);
}

cof_status cof_certs_add(cof_certs *certs, const char *path, cof_error *err)
{
    cof_cert_list found = COF_CERT_LIST_INIT;
    cof_path_type kind;
    cof_status st = cof_path_kind(&kind, path, err);

    if (st == COF_OK)
        st = kind == COF_PATH_DIRECTORY ? read_directory(&found, path, err)
                                        : cof_certs_read(&found, path, err);
    if (st == COF_OK)
        st = merge(&certs->list, &found, err);
    cof_cert_list_wipe(&found);
    return st;
}

size_t cof_certs_count(const cof_certs *certs)
{
    return certs->list.count;
}

void cof_certs_info(const cof_certs *certs, size_t i, cof_cert_info *out)
{
    cof_cert_describe(out, certs->list.certs[i]);
}

cof_status cof_certs_save(const cof_certs *certs, size_t i, const char *path, cof_error *err)
{
    cof_buf pem = COF_BUF_INIT;
    cof_newfile *nf = NULL;
    cof_status st;

    if ((st = cof_cert_to_pem(certs->list.certs[i], &pem, err)) == COF_OK &&
        (st = cof_newfile_create(&nf, path, 0644, err)) == COF_OK &&
        (st = cof_file_write_stream(cof_newfile_file(nf), pem.data, pem.len, err)) == COF_OK)
        st = cof_newfile_publish(nf, false, err);
    cof_newfile_free(nf);
    cof_buf_free(&pem);
    return st;
}

cof_status cof_certs_check_recipient(const cof_certs *certs, size_t i, bool *expired,
                                     cof_error *err)
{
    cof_cert_reason reason = COF_CERT_FINE;
    cof_status st = cof_cert_check_recipient(certs->list.certs[i], cof_clock_now(), &reason, err);

    if (expired != NULL)
        *expired = reason == COF_CERT_EXPIRED;
    return st;
}

cof_status cof_cert_list_describe(cof_cert_info **out, size_t *count, const cof_cert_list *list,
                                  cof_error *err)
{
    cof_cert_info *infos = calloc(list->count + 1, sizeof(*infos));

    if (infos == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; i < list->count; i++)
        cof_cert_describe(&infos[i], list->certs[i]);
    *out = infos;
    *count = list->count;
    return COF_OK;
}
