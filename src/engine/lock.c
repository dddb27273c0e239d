/* SPDX-License-Identifier: Apache-2.0 */

/* Who may read and who may change a head, and when. */

#include "engine/lock.h"

#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "os/dir.h"
#include "os/os.h"

#define NAP_NS 10000000L

typedef cof_status lock_fn(cof_file *file, bool wait, cof_error *err);

uint64_t cof_lock_deadline(void)
{
    return cof_clock_monotonic_ns() + COF_LOCK_PATIENCE_NS;
}

static cof_status lock_patiently(cof_file *file, lock_fn *lock, uint64_t deadline, cof_error *err)
{
    const struct timespec nap = {0, NAP_NS};
    cof_status st = lock(file, false, err);

    while (st == COF_BUSY && cof_clock_monotonic_ns() < deadline) {
        (void)nanosleep(&nap, NULL);
        st = lock(file, false, err);
    }
    return st;
}

cof_status cof_lock_for_reading(cof_file *file, cof_error *err)
{
    cof_status st = lock_patiently(file, cof_lock_shared, cof_lock_deadline(), err);

    return st == COF_IO ? COF_OK : st;
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
    return lock_patiently(*out, cof_lock_exclusive, deadline, err);
}

cof_status cof_open_for_change(cof_file **out, const char *path, uint64_t deadline, cof_error *err)
{
    bool same = false;
    cof_status st;

    *out = NULL;
    do {
        cof_file_free(*out);
        *out = NULL;
        if ((st = open_and_lock(out, path, deadline, err)) == COF_OK)
            st = cof_file_still_at_path(&same, *out, path, err);
    } while (st == COF_OK && !same);
    if (st != COF_OK) {
        cof_file_free(*out);
        *out = NULL;
    }
    return st;
}
