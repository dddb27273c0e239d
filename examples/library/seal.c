/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An application that seals its own objects through libcoffer, without a file or a pipe in between:
 * a till that backs up its orders.  Each becomes a line; what a line means is the application's
 * own.
 *
 *     cc seal.c -o seal $(pkg-config --cflags --libs libcoffer)
 *     ./seal orders.cof ops.crt signing.key 1000
 */

#include <coffer/coffer.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct order {
    unsigned number;
    const char *article;
    unsigned cents;
} order;

/* The objects of the application; a real one would walk its tables. */
static order next_order(unsigned number)
{
    static const char *const articles[] = {"tea", "coffee", "cocoa"};

    return (order){number, articles[number % 3], 250 + number * 7 % 400};
}

static cof_status seal_orders(cof_backup *backup, unsigned count, cof_error *err)
{
    char line[64];
    cof_status st = COF_OK;

    for (unsigned i = 1; st == COF_OK && i <= count; i++) {
        const order o = next_order(i);
        int len = snprintf(line, sizeof(line), "%u\t%s\t%u\n", o.number, o.article, o.cents);

        st = cof_backup_write(backup, line, (size_t)len, err);
    }
    return st;
}

static cof_status make_backup(const char *path, const cof_certs *recipients,
                              const cof_signer *signer, unsigned count, cof_error *err)
{
    const cof_backup_options options = {
        .output = path, .recipients = recipients, .signer = signer, .label = "orders"};
    cof_backup *backup = NULL;
    cof_status st;

    /* Until finish has returned COF_OK there is no file under that name. */
    if ((st = cof_backup_begin(&backup, &options, err)) == COF_OK &&
        (st = seal_orders(backup, count, err)) == COF_OK)
        st = cof_backup_finish(backup, NULL, err);
    cof_backup_free(backup);
    return st;
}

int main(int argc, char **argv)
{
    cof_error err = COF_ERROR_INIT;
    cof_certs *recipients = NULL;
    cof_signer *signer = NULL;
    cof_status st;

    if (argc != 5) {
        fprintf(stderr, "usage: seal FILE RECIPIENT SIGNING-KEY COUNT\n");
        return 2;
    }
    if ((st = cof_init(&err)) == COF_OK && (st = cof_certs_new(&recipients, &err)) == COF_OK &&
        (st = cof_certs_add(recipients, argv[2], &err)) == COF_OK &&
        (st = cof_signer_load(&signer, argv[3], NULL, NULL, &err)) == COF_OK)
        st = make_backup(argv[1], recipients, signer, (unsigned)strtoul(argv[4], NULL, 10), &err);
    if (st != COF_OK)
        fprintf(stderr, "seal: %s\n", err.message);
    cof_signer_free(signer);
    cof_certs_free(recipients);
    return st == COF_OK ? 0 : 1;
}
