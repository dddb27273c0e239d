/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_SCOUTS_H
#define COF_SOURCE_SCOUTS_H

/*
 * Threads that go ahead of who reads many files from a disk: they open and look at what comes next,
 * and ask the system for its content, so that it is in memory when its turn comes.  Nothing that
 * they find is used: whoever reads sees everything for himself.  Where all is in memory already
 * they have nothing to do, and stay at home.
 */

#include <coffer/error.h>

#include <stdbool.h>

typedef struct cof_scouts cof_scouts;

/* How many files they are ahead at most. */
#define COF_SCOUTS_AHEAD 64

/* COF_NOMEM; *out is NULL then. */
cof_status cof_scouts_new(cof_scouts **out, cof_error *err) COF_MUST_USE;

/* Is it worth sending one?  Only while this process reads from disks; to be asked for each file. */
bool cof_scouts_needed(cof_scouts *s);

/* Send one to a name in an open directory, which must stay open until they are called back. */
void cof_scouts_send(cof_scouts *s, int dir, const char *name);

/* Wait until all have come back. */
void cof_scouts_call_back(cof_scouts *s);

/* The same, and no more.  NULL is fine. */
void cof_scouts_free(cof_scouts *s);

#endif
