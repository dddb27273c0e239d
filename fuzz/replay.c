/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A target without libFuzzer, for every compiler: run over each file that is named, and over all
 * files of each folder, as they are, cut, and with a byte changed here and there.
 *
 * usage: replay-TARGET [-plain|-starve] FILE|DIR...
 * -plain: only as they are; -starve: as they are, each allocation failing in turn, once and from
 * then on.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "starve.h"

#define FILE_MAX ((size_t)4 << 20)
#define TRIES    24
#define STARVED  6   /* files of a folder that are starved, spread over it */
#define FAILURES 300 /* allocations of a run that fail in turn, spread over it */

static uint64_t runs;
static bool plain, starve;
static uint32_t state = 1;

static uint32_t draw(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static void run(const uint8_t *data, size_t size)
{
    (void)LLVMFuzzerTestOneInput(data, size);
    runs++;
}

static void vary(uint8_t *data, size_t size)
{
    for (int i = 0; i < TRIES && size > 0; i++) {
        size_t at = draw() % size;
        uint8_t was = data[at];

        data[at] = (uint8_t)(i % 3 == 0 ? was ^ (1u << draw() % 8) : draw());
        run(data, size);
        data[at] = was;
        run(data, at);
    }
}

/* How many allocations a run makes. */
static size_t count_allocations(const uint8_t *data, size_t size)
{
    size_t n;

    fuzz_starved = true;
    for (n = 1; n < (size_t)1 << 24; n *= 2) {
        starve_begin(n, false);
        run(data, size);
        if (starve_end() == 0)
            break;
    }
    return n;
}

static void starve_it(const uint8_t *data, size_t size)
{
    size_t n = count_allocations(data, size);
    size_t step = n / FAILURES + 1;

    for (size_t i = 0; i < n; i += step) {
        starve_begin(i, false);
        run(data, size);
        (void)starve_end();
        starve_begin(i, true);
        run(data, size);
        (void)starve_end();
    }
    fuzz_starved = false;
}

static void one(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(FILE_MAX);
    size_t size;

    if (file == NULL || data == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    size = fread(data, 1, FILE_MAX, file);
    (void)fclose(file);
    run(data, size);
    if (starve)
        starve_it(data, size);
    else if (!plain)
        vary(data, size);
    free(data);
}

static void many(const char *path)
{
    char below[4096];
    struct dirent *entry;
    DIR *dir = opendir(path);
    size_t count = 0, number = 0;

    if (dir == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    while (readdir(dir) != NULL)
        count++;
    rewinddir(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.' || (starve && number++ % (count / STARVED + 1) != 0))
            continue;
        snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
        one(below);
    }
    (void)closedir(dir);
}

int main(int argc, char **argv)
{
    struct stat info;

    starve_install(false);
    run((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-plain") == 0)
            plain = true;
        else if (strcmp(argv[i], "-starve") == 0)
            starve = true;
        else if (stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode))
            many(argv[i]);
        else
            one(argv[i]);
    }
    printf("%llu runs\n", (unsigned long long)runs);
    return 0;
}
