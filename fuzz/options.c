/* SPDX-License-Identifier: Apache-2.0 */

/* The options file of the home. */

#include "option.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static bool flag;
static const char *value, *other;
static cli_list list;

static const cli_opt own[] = {
    {.letter = 'c', .name = "compress", .arg = "HOW", .value = &value},
    {.name = "recipient", .arg = "CERT", .list = &list, .group = "recipients"},
    {.name = "sign-only", .flag = &flag, .group = "recipients", .rules = CLI_OPT_EXCLUSIVE},
    {.name = "force", .flag = &flag, .rules = CLI_OPT_ASKED},
    {.name = NULL},
};
static const cli_opt common[] = {{.name = "label", .arg = "TEXT", .value = &other}, {.name = NULL}};

static bool known(const char *name)
{
    return cli_opt_find(own, name) != NULL || cli_opt_find(common, name) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cli_options options = {.own = own, .common = common};
    cof_error err = COF_ERROR_INIT;
    char path[32];
    int fd = memfd_create("options", 0);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        exit(1);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    value = other = NULL;
    flag = false;
    list.count = 0;
    if (cli_options_load(&options, path, known, &err) == COF_OK)
        for (size_t i = 0; i < list.count; i++)
            fuzz_require(list.item[i] != NULL && list.item[i][0] != '\0', "a value is not empty");
    (void)close(fd);
    return 0;
}
