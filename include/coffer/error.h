/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_ERROR_H
#define COFFER_ERROR_H

/*
 * How coffer fails.
 *
 * Every function that can fail returns a cof_status, a *class* of failure that a program can act
 * on, and explains itself in an optional cof_error that the caller owns.  The same classes stand
 * behind the exit status of the command and behind the expectations of the test vectors.  The
 * library never prints, never exits, and never puts a secret into an error.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define COF_MUST_USE           __attribute__((warn_unused_result))
#define COF_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define COF_MUST_USE
#define COF_PRINTF(fmt, first)
#endif

typedef enum cof_status {
    COF_OK = 0,
    COF_USAGE,       /* the caller asked for something that makes no sense */
    COF_NOMEM,       /* no memory */
    COF_IO,          /* the operating system refused: see sys_errno */
    COF_FORMAT,      /* not a backup, or damaged */
    COF_UNSUPPORTED, /* well-formed, but of a kind that this version does not know */
    COF_NO_MATCH,    /* no private key given here opens it */
    COF_AUTH,        /* a signature, tag, hash or commitment is wrong, or its key is not trusted */
    COF_CERT,        /* a certificate or key file is refused */
    COF_SOURCE,      /* what was to be backed up failed */
    COF_LIMIT,       /* a bound of the format or of this implementation is exceeded */
    COF_BUSY,        /* another process holds the lock */
    COF_POLICY,      /* genuine, but not what the caller demanded (age, generation, ...) */
    COF_CANCELLED,   /* the caller's own callback asked to stop */
    COF_INTERNAL     /* a defect of coffer, or of a library that it uses */
} cof_status;

#define COF_NO_OFFSET UINT64_MAX

/*
 * The detail of one failure.  Fixed size, allocates nothing, may live on the stack.  Start from
 * COF_ERROR_INIT; each failing call overwrites the whole.
 */
typedef struct cof_error {
    cof_status status;
    int sys_errno;     /* errno of the failed system call, or 0 */
    uint64_t offset;   /* byte offset in the file that the failure is about, or COF_NO_OFFSET */
    char rule[16];     /* id of the broken rule of docs/FORMAT.md ("SB-3"), or "" */
    char message[464]; /* one sentence, UTF-8, without a final full stop or newline; text that came
                          from a file has been made safe for a terminal */
} cof_error;

#define COF_ERROR_INIT                                                                             \
    {                                                                                              \
        COF_OK, 0, COF_NO_OFFSET, "", ""                                                           \
    }

/* The name of a class ("AUTH"), as test vectors spell it.  Static storage; never NULL. */
const char *cof_status_name(cof_status status);

#ifdef __cplusplus
}
#endif

#endif
