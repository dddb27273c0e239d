/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_FAULT_SUBJECT_H
#define COF_TESTS_FAULT_SUBJECT_H

/*
 * A backup whose locks are changed: from two old recipients to a new one, by a custodian who is not
 * the maker.
 *
 * Judges trust the maker only.  So a reader has to find the list of recipients where the superblock
 * says that it is: what the fallback of EN-5 could still save, by believing a custodian, is lost
 * for him.
 */

#include "../mutate/kit.h"
#include "hunt.h"
#include "storage.h"

#define SUBJECT_NEEDLES 8

typedef struct subject {
    kit kit;             /* all keys, and the backup as it was made */
    char disk[80];       /* the directory that is put on the storage under test */
    char path[128];      /* the backup in it */
    char name[16];       /* its name there */
    image start;         /* what the directory holds at first */
    uint64_t generation; /* at first */
    char uuid[37];
    cof_certs *old_recipients;
    cof_keyring *all_keys, *old_keys, *new_keys;
    cof_trust *maker, *everybody;
    cof_signer *custodian;
    struct {
        uint8_t data[64];
        size_t len;
    } needles[SUBJECT_NEEDLES]; /* what the old wrapped keys consist of */
    size_t needle_count;
} subject;

/* `history` rotations among the old recipients come first.  With volumes it has three of them. */
void subject_make(subject *s, size_t history, bool volumes);
void subject_remove(subject *s);

/* The head of the backup as it is now, in a file of its own. */
void subject_export_head(const subject *s, const char *path);

/*
 * The rotation to the new recipient as a scenario, whose ctx is the subject.  For another change of
 * the head by the same custodian replace run.
 */
scenario subject_scenario(subject *s);
bool subject_rotate(void *ctx);

/* A judge who trusts the custodian too, and does not mind what is reported. */
verdict subject_judge_damaged(void *ctx, const image *i);

#endif
