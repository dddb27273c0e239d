/* SPDX-License-Identifier: Apache-2.0 */

/* A bundle, or a head alone, and each head in it as far as it is read without trust.  Input: a
 * file. */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "engine/head.h"
#include "engine/heads.h"
#include "format/bundle.h"
#include "fuzz.h"
#include "wire/wire.h"

#define LEAST (COF_BUNDLE_HEADER_SIZE + COF_BUNDLE_DIGEST_SIZE)

static void read_head(const cof_heads *heads, size_t i)
{
    cof_file *file = NULL;
    cof_head head;

    if (cof_heads_file(&file, heads, i, NULL) != COF_OK)
        return;
    if (cof_head_load(&head, file, NULL, NULL) == COF_OK) {
        fuzz_require(memcmp(head.core, heads->items[i].core, sizeof(head.core)) == 0,
                     "it is the head that was found");
        fuzz_require(!heads->bundle || head.at_rest, "heads of a bundle are at rest");
        cof_head_wipe(&head);
    }
    cof_file_free(file);
}

static void read_header(const uint8_t *data, size_t size)
{
    uint8_t again[COF_BUNDLE_HEADER_SIZE];
    cof_bundle_header header;

    if (size < sizeof(again) || !cof_bundle_has_magic(data) ||
        cof_bundle_header_parse(&header, data, size, NULL) != COF_OK)
        return;
    cof_bundle_header_emit(again, &header);
    fuzz_require(memcmp(data, again, sizeof(again)) == 0, "what was read is written the same");
}

static void try_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("bundle", MFD_CLOEXEC);
    cof_heads *heads = NULL;
    cof_file *file = NULL;

    fuzz_require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "a file in memory");
    if (cof_file_from_fd(&file, fd, "bundle", true, NULL) != COF_OK ||
        cof_heads_take(&heads, &file, NULL) != COF_OK)
        goto out;
    for (size_t i = 0; i < heads->count; i++) {
        size_t found = heads->count;

        fuzz_require(cof_heads_find(&found, heads, heads->items[i].core) && found == i,
                     "each head is found");
        read_head(heads, i);
    }
out:
    cof_heads_free(heads);
    cof_file_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);

    read_header(copy, size);
    try_file(copy, size);
    if (size >= LEAST) {
        cof_be64_store(copy + 16, size);
        if (cof_sha256(copy + size - COF_BUNDLE_DIGEST_SIZE, copy, size - COF_BUNDLE_DIGEST_SIZE,
                       NULL) == COF_OK)
            try_file(copy, size);
    }
    free(copy);
    return 0;
}
