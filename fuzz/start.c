/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Before libFuzzer begins: the random number generators of libcrypto.  They live as long as the
 * process, in its secure heap, where the leak detector does not look for pointers.
 */

#include <openssl/rand.h>
#include <sanitizer/lsan_interface.h>

#include "crypto/crypto.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    uint8_t byte;

    (void)argc;
    (void)argv;
    __lsan_disable();
    fuzz_require(cof_crypto_init(NULL) == COF_OK && RAND_bytes(&byte, 1) == 1 &&
                     RAND_priv_bytes(&byte, 1) == 1,
                 "there are random numbers");
    __lsan_enable();
    return 0;
}
