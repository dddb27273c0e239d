/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Secret memory.  The small description of a secret lives on the heap, where leak checkers see it;
 * the bytes live in pages of their own, because locking and dump protection work by pages and a
 * neighbour's munlock() would undo ours.
 *
 * Not done here: guard pages, and protection from a process that may trace us.
 */

#include "base/secret.h"

#include "base/error.h"
#include "base/num.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct cof_secret {
    uint8_t *bytes; /* owned: `mapped` bytes of whole pages */
    size_t len;
    size_t mapped;
};

static atomic_bool lock_refused;

cof_status cof_secret_new(cof_secret **out, size_t len, cof_error *err)
{
    *out = NULL;
    uint64_t mapped64;
    size_t mapped;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (!cof_round_up_u64(cof_max_u64(len, 1), page, &mapped64) ||
        !cof_size_from_u64(mapped64, &mapped))
        return cof_fail(err, COF_NOMEM, "out of memory");

    cof_secret *secret = calloc(1, sizeof *secret);
    if (secret == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    void *pages = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        free(secret);
        return cof_fail(err, COF_NOMEM, "out of memory");
    }
    if (mlock(pages, mapped) != 0)
        atomic_store(&lock_refused, true);
    /* Both are best effort: a kernel without them is no reason to make no backup. */
    (void)madvise(pages, mapped, MADV_DONTDUMP);
    (void)madvise(pages, mapped, MADV_DONTFORK);

    *secret = (cof_secret){.bytes = pages, .len = len, .mapped = mapped};
    *out = secret;
    return COF_OK;
}

cof_status cof_secret_dup(cof_secret **out, const cof_secret *secret, cof_error *err)
{
    cof_status st = cof_secret_new(out, secret->len, err);
    if (st != COF_OK)
        return st;
    memcpy((*out)->bytes, secret->bytes, secret->len);
    return COF_OK;
}

uint8_t *cof_secret_bytes(cof_secret *secret)
{
    return secret->bytes;
}

const uint8_t *cof_secret_bytes_const(const cof_secret *secret)
{
    return secret->bytes;
}

size_t cof_secret_len(const cof_secret *secret)
{
    return secret->len;
}

void cof_secret_shrink(cof_secret *secret, size_t len)
{
    assert(len <= secret->len);
    cof_wipe(secret->bytes + len, secret->len - len);
    secret->len = len;
}

void cof_secret_free(cof_secret *secret)
{
    if (secret == NULL)
        return;
    cof_wipe(secret->bytes, secret->mapped);
    (void)munmap(secret->bytes, secret->mapped);
    free(secret);
}

bool cof_secret_all_locked(void)
{
    return !atomic_load(&lock_refused);
}

void cof_secret_not_locked(void)
{
    atomic_store(&lock_refused, true);
}

void cof_wipe(void *p, size_t len)
{
    if (len != 0)
        explicit_bzero(p, len);
}

bool cof_equal_consttime(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint8_t differs = 0;
    for (size_t i = 0; i < len; i++)
        differs = (uint8_t)(differs | (x[i] ^ y[i]));
    return differs == 0;
}
