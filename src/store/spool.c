/* SPDX-License-Identifier: Apache-2.0 */

/* Spooling.  Only ciphertext and public hashes ever come here, so the place needs no protection. */

#include "store/spool.h"

#include <stdlib.h>

#include "base/buf.h"

#define SPOOL_PIECE ((size_t)1 << 20)

cof_status cof_spool_new(cof_file **out, const char *dir, cof_error *err)
{
    const char *tmp = dir;

    if (tmp == NULL)
        tmp = getenv("TMPDIR");
    if (tmp == NULL || tmp[0] == '\0')
        tmp = "/var/tmp";
    return cof_file_create_unlinked(out, tmp, err);
}

cof_status cof_spool_pipe(cof_file **out, cof_file *pipe, const char *dir, cof_error *err)
{
    cof_buf piece = COF_BUF_INIT;
    cof_file *file = NULL;
    size_t got = 0;
    cof_status st;

    *out = NULL;
    if ((st = cof_buf_reserve(&piece, SPOOL_PIECE, err)) != COF_OK ||
        (st = cof_spool_new(&file, dir, err)) != COF_OK)
        goto out;
    do {
        if ((st = cof_file_read_stream(piece.data, SPOOL_PIECE, &got, pipe, err)) != COF_OK ||
            (st = cof_file_write_stream(file, piece.data, got, err)) != COF_OK)
            goto out;
    } while (got == SPOOL_PIECE);
    *out = file;
    file = NULL; /* transferred */
out:
    cof_file_free(file);
    cof_buf_free(&piece);
    return st;
}
