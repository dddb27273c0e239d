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
    bool volumes; /* backups are cut into three: content of three records, one in each */
} kit;

#define KIT_VOLUMES_LEN 10000 /* of content in three records */

/* Each ends the process with a message when anything goes wrong. */
void kit_make(kit *k, const char *compress, size_t content_len);

/*
 * From here on the backup is one of three volumes, and fd, bytes and len are of one of them (2, 3).
 * For a kit whose content has KIT_VOLUMES_LEN bytes.
 */
void kit_make_volumes(kit *k, unsigned which);
void kit_remove(kit *k); /* with all files in the folder */

/* Make another backup of the same content and recipient. */
void kit_backup(const kit *k, const char *path, const char *compress, bool force);

/* What else a test needs in the folder: a pair NAME.key and NAME.crt, and what is made of it. */
void kit_pair(const kit *k, const char *name, cof_key_use use);
void kit_certs(const kit *k, cof_certs **certs, const char *name); /* made if NULL, else added to */
void kit_keys(const kit *k, cof_keyring **keys, const char *name); /* the same */
void kit_signer(const kit *k, cof_signer **out, const char *name);
void kit_trust(const kit *k, cof_trust **trust, const char *name, unsigned roles); /* the same */

/* One rotation, so that there is a history. */
void kit_rotate(kit *k);

typedef struct kit_outcome {
    cof_status status;
    bool same; /* restored to the same content; only if asked for and status is COF_OK */

    /* What was reported, if status is COF_OK. */
    size_t damaged; /* redundant copies */
    bool pending;
    uint64_t generation;
    char uuid[37];
} kit_outcome;

/* Open and verify the file as it is now; restore it as well if `restore`. */
kit_outcome kit_try(const kit *k, bool restore);

#endif
