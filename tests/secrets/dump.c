/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is in the memory of a process, seen from inside it: put before the C library (LD_PRELOAD),
 * it writes every page that the process can write to, to the file that SECRETS_DUMP names: at the
 * first calls of fsync ("work"), and when everything was given back ("end").  From inside, since
 * the process cannot be traced by others; and no root is needed.
 *
 * For each mapping a line "MAP LENGTH HIDDEN POINT", HIDDEN being 1 if core dumps leave it out, and
 * its bytes.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORK_DUMPS 4

int fsync(int fd);

static int out = -1;
static int dumps;
static char text[1 << 20]; /* of /proc/self/smaps */

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SECRETS_DUMP");

    if (path != NULL)
        out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static size_t read_maps(void)
{
    size_t len = 0;
    ssize_t n = 1;
    int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && n > 0 && len < sizeof(text) - 1) {
        n = read(fd, text + len, sizeof(text) - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        (void)close(fd);
    text[len] = '\0';
    return len;
}

static void write_all(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(out, data, len);

        if (n <= 0)
            _exit(99);
        data += n;
        len -= (size_t)n;
    }
}

static void put_mapping(unsigned long from, unsigned long to, bool hidden, const char *point)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "MAP %lu %d %s\n", to - from, hidden, point);
    write_all(line, strlen(line));
    write_all((const char *)from, to - from);
}

static void dump(const char *point)
{
    unsigned long from = 0, to = 0;
    bool writable = false;
    char *save = NULL;

    if (out < 0 || read_maps() == 0)
        return;
    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char *end = NULL;
        unsigned long start = strtoul(line, &end, 16);

        if (end != line && *end == '-') {
            from = start;
            to = strtoul(end + 1, &end, 16);
            writable = strncmp(end, " rw", 3) == 0;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && writable) {
            bool ours = from <= (unsigned long)text && (unsigned long)text < to;

            if (!ours && strstr(line, " io") == NULL)
                put_mapping(from, to, strstr(line, " dd") != NULL, point);
        }
    }
}

int fsync(int fd)
{
    static int (*real)(int);

    if (real == NULL)
        *(void **)(void *)&real = dlsym(RTLD_NEXT, "fsync");
    if (dumps++ < WORK_DUMPS)
        dump("work");
    return real(fd);
}

__attribute__((destructor)) static void end(void)
{
    dump("end");
}
