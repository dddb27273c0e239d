/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The memory of libcrypto.  Private numbers live in its secure heap, which is locked and left out
 * of core dumps like a cof_secret; everything else that it allocates (keys in the contexts of
 * ciphers, encodings of keys) is wiped when it is given back, since the library itself forgets some
 * of it.
 *
 * A program that has used libcrypto before coffer keeps what it has chosen.
 */

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/ossl.h"

#define SECURE_HEAP  ((size_t)1 << 20) /* for the numbers of a few hundred keys */
#define SECURE_BLOCK 32

static void *allocate(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(len);
}

static void give_back(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p != NULL)
        cof_wipe(p, malloc_usable_size(p));
    free(p);
}

/* Never in place, so that no old bytes stay behind. */
static void *allocate_again(void *p, size_t len, const char *file, int line)
{
    size_t had = p != NULL ? malloc_usable_size(p) : 0;
    void *more;

    if (len == 0) {
        give_back(p, file, line);
        return NULL;
    }
    if (p != NULL && len <= had && len > had / 2)
        return p;
    more = malloc(len);
    if (more != NULL && p != NULL) {
        memcpy(more, p, had < len ? had : len);
        give_back(p, file, line);
    }
    return more;
}

void cof_crypto_memory_init(void)
{
    (void)CRYPTO_set_mem_functions(allocate, allocate_again, give_back);
    if (CRYPTO_secure_malloc_initialized() == 0 &&
        CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_BLOCK) != 1)
        cof_secret_not_locked();
    ERR_clear_error();
}
