/* SPDX-License-Identifier: Apache-2.0 */

/* Small helpers around PEM, for the readers of certificates and keys. */

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <string.h>

#include "crypto/ossl.h"

static const char begin[] = "-----BEGIN ";

bool cof_pem_looks_like(cof_slice file)
{
    return file.len > 0 && memmem(file.data, file.len, begin, sizeof(begin) - 1) != NULL;
}

BIO *cof_pem_bio(cof_slice file)
{
    return file.len > INT32_MAX ? NULL : BIO_new_mem_buf(file.data, (int)file.len);
}

int cof_pem_no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)ctx;
    return -1;
}
