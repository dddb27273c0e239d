/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Checks what seal.c has made: without a private key that it is whole and by whom it is; with one
 * it also reads the orders back.
 *
 *     ./verify orders.cof signing.crt [ops.key]
 */

#include <coffer/coffer.h>
#include <stdio.h>

/* What was read of the orders: only bytes that are proven come here. */
typedef struct tally {
    unsigned orders;
    size_t bytes;
} tally;

static cof_status count_orders(void *ctx, const void *data, size_t len, cof_error *err)
{
    tally *t = ctx;
    const char *text = data;

    (void)err;
    for (size_t i = 0; i < len; i++)
        t->orders += text[i] == '\n';
    t->bytes += len;
    return COF_OK;
}

static void warn(void *ctx, const char *sentence)
{
    (void)ctx;
    fprintf(stderr, "verify: warning: %s\n", sentence);
}

static cof_status check(const cof_open_options *options, cof_error *err)
{
    cof_reader *reader = NULL;
    tally t = {0, 0};
    cof_status st;

    if ((st = cof_reader_open(&reader, options, err)) == COF_OK &&
        (st = cof_reader_verify(reader, COF_VERIFY_FULL, err)) == COF_OK) {
        const cof_info *info = cof_reader_info(reader);

        printf("intact, by %s\n", info->maker.subject);
        if (options->keys != NULL &&
            (st = cof_reader_restore(reader, count_orders, &t, err)) == COF_OK)
            printf("%u orders in %zu bytes\n", t.orders, t.bytes);
    }
    cof_reader_free(reader);
    return st;
}

int main(int argc, char **argv)
{
    cof_open_options options = {.path = argc > 1 ? argv[1] : NULL, .report = {.warn = warn}};
    cof_error err = COF_ERROR_INIT;
    cof_trust *trust = NULL;
    cof_keyring *keys = NULL;
    cof_status st;

    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: verify FILE CERTIFICATE [KEY]\n");
        return 2;
    }
    if ((st = cof_init(&err)) == COF_OK && (st = cof_trust_new(&trust, &err)) == COF_OK &&
        (st = cof_trust_add(trust, argv[2], COF_ROLE_MAKER | COF_ROLE_CUSTODIAN, &err)) == COF_OK &&
        argc == 4 && (st = cof_keyring_new(&keys, &err)) == COF_OK)
        st = cof_keyring_add(keys, argv[3], NULL, &err);
    options.trust = trust;
    options.keys = keys;
    if (st == COF_OK)
        st = check(&options, &err);
    if (st != COF_OK)
        fprintf(stderr, "verify: %s (%s)\n", err.message, cof_status_name(st));
    cof_keyring_free(keys);
    cof_trust_free(trust);
    return st == COF_OK ? 0 : 1;
}
