/* SPDX-License-Identifier: Apache-2.0 */

/* The process as a whole. */

#include <coffer/coffer.h>

#include "base/secret.h"
#include "crypto/crypto.h"
#include "os/confine.h"
#include "os/newfile.h"
#include "os/os.h"

const char *cof_version(void)
{
    return COFFER_VERSION;
}

cof_status cof_init(cof_error *err)
{
    (void)cof_no_core_dumps(); /* a system that refuses it still gets its backup */
    return cof_crypto_init(err);
}

bool cof_secrets_locked(void)
{
    return cof_secret_all_locked();
}

void cof_cleanup_on_signal(void)
{
    cof_newfile_abandon_all();
}

cof_status cof_confine(const char **out_missing, const char *const *paths, size_t count,
                       unsigned keep, cof_error *err)
{
    return cof_os_confine(out_missing, paths, count, (keep & COF_KEEP_NAMES) != 0,
                          (keep & COF_KEEP_ATTRIBUTES) != 0, err);
}
