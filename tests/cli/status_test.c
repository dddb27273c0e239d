/* SPDX-License-Identifier: Apache-2.0 */

/* The exit status of every class, and the order of gravity, as the manual promises them. */

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

static int cases;
static int failures;

static void ok(bool good, const char *name)
{
    cases++;
    failures += good ? 0 : 1;
    printf("%s %d - %s\n", good ? "ok" : "not ok", cases, name);
}

static void test_classes(void)
{
    static const struct {
        cof_status status;
        int exit_status;
        const char *name;
    } expected[] = {
        {COF_OK, 0, "done is 0"},
        {COF_USAGE, 2, "usage is 2"},
        {COF_NOMEM, 1, "no memory is 1"},
        {COF_IO, 6, "I/O is 6"},
        {COF_FORMAT, 5, "no backup is 5"},
        {COF_UNSUPPORTED, 5, "unsupported is 5"},
        {COF_NO_MATCH, 4, "no key opens it is 4"},
        {COF_AUTH, 3, "not authentic is 3"},
        {COF_CERT, 7, "a refused certificate is 7"},
        {COF_SOURCE, 8, "a failed source is 8"},
        {COF_LIMIT, 5, "over a bound is 5"},
        {COF_BUSY, 11, "busy is 11"},
        {COF_POLICY, 10, "policy is 10"},
        {COF_CANCELLED, 1, "cancelled is 1"},
        {COF_INTERNAL, 1, "a defect is 1"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        ok(cli_status_exit(expected[i].status) == expected[i].exit_status, expected[i].name);
    ok(sizeof expected / sizeof expected[0] == COF_INTERNAL + 1, "every class has one");
    ok(cli_status_exit((cof_status)99) == 1, "an unknown class is 1");
}

static void test_gravity(void)
{
    static const int gravest_first[] = {3, 5, 6, 4, 7, 8, 11, 10, 9, 1, 2, 0};
    const size_t count = sizeof gravest_first / sizeof gravest_first[0];
    bool good = true;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            int graver = gravest_first[i < j ? i : j];
            good &= cli_status_graver(gravest_first[i], gravest_first[j]) == graver;
        }
    ok(good, "3 5 6 4 7 8 11 10 9 1 2 0 is the order of gravity");
    ok(count == 12, "every exit status has its place in it");
}

int main(void)
{
    test_classes();
    test_gravity();
    printf("1..%d\n", cases);
    return failures == 0 ? 0 : 1;
}
