/* SPDX-License-Identifier: Apache-2.0 */

/* Where passphrases come from: the caller's own function, a file, a descriptor, the terminal. */

#include "engine/passphrase.h"

#include <stdio.h>

#include "base/error.h"
#include "os/tty.h"

static cof_status ask_caller(const cof_passphrase_source *source, const char *what,
                             cof_secret **out, cof_error *err)
{
    cof_secret *secret = NULL;
    size_t len = 0;
    cof_status st = cof_secret_new(&secret, COF_PASSPHRASE_MAX, err);

    if (st == COF_OK)
        st = source->ask(source->ctx, what, (char *)cof_secret_bytes(secret), COF_PASSPHRASE_MAX,
                         &len, err);
    if (st == COF_OK && len > COF_PASSPHRASE_MAX)
        st = cof_fail(err, COF_LIMIT, "the passphrase for %s is too long", what);
    if (st == COF_OK) {
        cof_secret_shrink(secret, len);
        *out = secret;
        secret = NULL; /* transferred */
    }
    cof_secret_free(secret);
    return st;
}

static cof_status ask(void *ctx, const char *what, cof_secret **out, cof_error *err)
{
    const cof_passphrase_source *source = ctx;
    char prompt[512];

    *out = NULL;
    if (source != NULL && source->ask != NULL)
        return ask_caller(source, what, out, err);
    if (source != NULL && source->file != NULL)
        return cof_file_read_secret(out, source->file, err);
    if (source != NULL && source->use_fd)
        return cof_fd_read_secret(out, source->fd, "the passphrase descriptor", err);
    if (source != NULL && source->terminal) {
        (void)snprintf(prompt, sizeof(prompt), "Passphrase for %s: ", what);
        return cof_tty_read_secret(out, prompt, err);
    }
    return cof_fail(err, COF_CERT, "%s is protected by a passphrase, and none was given", what);
}

cof_passphrase cof_passphrase_from(const cof_passphrase_source *source)
{
    union {
        const cof_passphrase_source *in;
        void *out;
    } ctx = {source}; /* the room hands it back to ask(), which only reads it */

    return (cof_passphrase){ask, ctx.out};
}
