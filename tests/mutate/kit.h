/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_MUTATE_KIT_H
#define COF_TESTS_MUTATE_KIT_H

/* A small real backup with its keys, made through the public interface, in a folder of its own. */

#include <coffer/coffer.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kit {
    char dir[64];
    char path[128]; /* the backup */
    int fd;         /* open for reading and writing */
    uint8_t *bytes; /* as it was made */
    size_t len;
    uint8_t *content;
    size_t content_len;
    cof_trust *trust;   /* the maker */
    cof_keyring *keys;  /* of the recipient */
    cof_signer *signer; /* the maker's */
    cof_certs *recipient, *other;
} kit;

/* Ends the process with a message when anything goes wrong. */
void kit_make(kit *k, const char *compress, size_t content_len);
void kit_remove(kit *k);

/* One rotation, so that there is a history. */
void kit_rotate(kit *k);

typedef struct kit_outcome {
    cof_status status;
    size_t damaged; /* redundant copies that were reported */
    bool same;      /* restored to the same content; only if asked for and status is COF_OK */
} kit_outcome;

/* Open and verify the file as it is now; restore it as well if `restore`. */
kit_outcome kit_try(const kit *k, bool restore);

#endif
