/* SPDX-License-Identifier: Apache-2.0 */

/* Who may change a head, and when. */

#include "engine/lock.h"

#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "os/dir.h"
#include "os/os.h"

#define NAP_NS 10000000L

uint64_t cof_lock_deadline(void)
{
    return cof_clock_monotonic_ns() + COF_LOCK_PATIENCE_NS;
}

void cof_lock_nap(void)
{
    const struct timespec nap = {0, NAP_NS};

    (void)nanosleep(&nap, NULL);
}

static cof_status lock_patiently(cof_file *file, uint64_t deadline, cof_error *err)
{
    cof_status st = cof_lock_exclusive(file, false, err);

    while (st == COF_BUSY && cof_clock_monotonic_ns() < deadline) {
        cof_lock_nap();
        st = cof_lock_exclusive(file, false, err);
    }
    return st;
}

cof_status cof_require_regular(const char *path, cof_error *err)
{
    char name[COF_TEXT_NAME_CAP];
    cof_path_type kind;
    cof_status st = cof_path_kind(&kind, path, err);

    if (st != COF_OK || kind == COF_PATH_REGULAR || kind == COF_PATH_NOTHING)
        return st;
    return cof_fail(err, COF_USAGE, "%s is %s, not a regular file; a pipe is read with -",
                    cof_text_safe_str(name, sizeof(name), path),
                    kind == COF_PATH_DIRECTORY ? "a directory" : "a pipe or device");
}

static cof_status open_and_lock(cof_file **out, const char *path, uint64_t deadline, cof_error *err)
{
    cof_status st = cof_require_regular(path, err);

    if (st != COF_OK || (st = cof_file_open_rw(out, path, err)) != COF_OK)
        return st;
    if (cof_file_kind(*out) != COF_FILE_REGULAR)
        return cof_fail(err, COF_USAGE, "%s is not a regular file", cof_file_label(*out));
    return lock_patiently(*out, deadline, err);
}

/*
 * COF_BUSY if it goes on like this: somebody replaces the file again and again.  COF_IO: the name
 * is gone, which for who has waited is another thing than a name that was never right.
 */
static cof_status replaced(const cof_file *file, const char *path, uint64_t deadline,
                           cof_error *err)
{
    cof_path_type kind;
    cof_status st = cof_path_kind(&kind, path, err);

    if (st != COF_OK)
        return st;
    if (kind == COF_PATH_NOTHING)
        return cof_fail(err, COF_IO, "%s was removed while this waited for it; nothing was changed",
                        cof_file_label(file));
    if (deadline != 0 && cof_clock_monotonic_ns() >= deadline)
        return cof_fail(err, COF_BUSY,
                        "%s is replaced again and again by another process; nothing was changed",
                        cof_file_label(file));
    return COF_OK;
}

cof_status cof_open_for_change(cof_file **out, const char *path, uint64_t deadline, cof_error *err)
{
    bool same = false;
    cof_status st;

    *out = NULL;
    do {
        cof_file_free(*out);
        *out = NULL;
        if ((st = open_and_lock(out, path, deadline, err)) != COF_OK ||
            (st = cof_file_still_at_path(&same, *out, path, err)) != COF_OK)
            break;
        if (!same)
            st = replaced(*out, path, deadline, err);
    } while (st == COF_OK && !same);
    if (st != COF_OK) {
        cof_file_free(*out);
        *out = NULL;
    }
    return st;
}

cof_status cof_require_in_place(const cof_file *file, const char *path, cof_error *err)
{
    bool same = true;
    cof_status st = cof_file_still_at_path(&same, file, path, err);

    if (st != COF_OK || same)
        return st;
    return cof_fail(err, COF_BUSY,
                    "%s was removed or replaced by another program meanwhile: whatever has this "
                    "name now was not changed; run the same command again",
                    cof_file_label(file));
}
