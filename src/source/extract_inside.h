/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_EXTRACT_INSIDE_H
#define COF_SOURCE_EXTRACT_INSIDE_H

/* What the files of extract share. */

#include "base/text.h"
#include "os/pending.h"
#include "source/extract.h"

/* A directory that is not settled yet. */
typedef struct cof_open_dir {
    size_t path_len; /* its path is so much of dir_path */
    cof_member member;
} cof_open_dir;

#define COF_TEMP_CAP      40
#define COF_CREW_FILE_MAX 65536

typedef struct cof_crew cof_crew;

struct cof_extract {
    cof_extract_request request;
    bool no_tmpfile;    /* the file system knows no files without a name */
    cof_target target;  /* root -1 until the first thing */
    cof_target links;   /* the same once more: where hard links point to */
    cof_open_dir *dirs; /* owned: each in the one before it */
    size_t dir_count, dir_cap;
    cof_buf dir_path; /* owned: of the last of them */
    cof_crew *crew;   /* owned */
    cof_extract_totals totals;
};

/* What is being put, and where: all but directories. */
typedef struct cof_piece {
    cof_extract *x;
    const cof_catalog_entry *entry;
    cof_member *member;
    cof_slice name; /* below the target */
    cof_spot spot;
    cof_slice content; /* of a file, where it is not to be unpacked */
    bool put_off;      /* another thread does it: of x, only the request is looked at */

    char temp[COF_TEMP_CAP];
    cof_pending *pending; /* of the temporary name; NULL: there is none */
    int fd;               /* the file that is being made; -1: none */
    bool nameless;        /* it has no name so far */
    bool needs_name;      /* the file system knows no files without one, and it was put off */
    char problem[512];    /* how it is not as it was, or "" */
} cof_piece;

/*
 * Choose the temporary name.  It is registered for the handler of a signal, which knows paths only;
 * one that is too long stays behind then.
 */
void cof_piece_register(cof_piece *p);

/*
 * Make it, settle it, name it; or leave nothing.  The content of a file comes from unpack, NULL:
 * from the piece.  *local and classes as cof_extract_put().
 */
cof_status cof_piece_put(cof_piece *p, bool *local, cof_slice link, cof_unpack *unpack,
                         cof_error *err) COF_MUST_USE;

/* Its name for a message, in out[COF_TEXT_NAME_CAP], which is returned. */
const char *cof_piece_label(char *out, const cof_piece *p);

/* COF_USAGE: there is something of that name. */
cof_status cof_piece_taken(const cof_piece *p, cof_error *err) COF_MUST_USE;

/* It is there: count it, and tell what is not as it was. */
void cof_extract_count(cof_extract *x, const cof_piece *p);

/* Tell that the thing called name is restored, but not as it was. */
void cof_extract_problem(cof_extract *x, cof_slice name, const char *what);

/* Settle every directory that `next` does not lie in; next empty: all.  COF_NOMEM. */
cof_status cof_extract_leave(cof_extract *x, cof_slice next, cof_error *err) COF_MUST_USE;

/* Make a directory, and remember it to be settled; takes *member. */
cof_status cof_extract_directory(cof_extract *x, const cof_spot *spot, cof_member *member,
                                 cof_slice name, cof_error *err) COF_MUST_USE;

/*
 * The crew: threads that make small files while their owner reads on.  What the owner hears of them
 * comes in the order in which they were put off.
 */
cof_status cof_crew_new(cof_crew **out, cof_extract *x,
                        cof_error *err) COF_MUST_USE; /* COF_NOMEM */
void cof_crew_free(cof_crew *c);

/*
 * Read a file of at most COF_CREW_FILE_MAX bytes to its end, and put it off; its member is taken
 * over.  The spot's directory must stay open until all is finished.  What reading says, COF_NOMEM,
 * or what became of an earlier one.
 */
cof_status cof_crew_add(cof_crew *c, const cof_piece *piece, cof_unpack *unpack,
                        cof_error *err) COF_MUST_USE;

/* Does the name stand behind all that were put off, and so is none of theirs? */
bool cof_crew_comes_after(const cof_crew *c, cof_slice name);

/* Have all of them made.  What request.failed says of one that could not be. */
cof_status cof_crew_finish(cof_crew *c, cof_error *err) COF_MUST_USE;

#endif
