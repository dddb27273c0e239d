/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_PASSPHRASE_H
#define COF_ENGINE_PASSPHRASE_H

#include <coffer/credentials.h>

#include "crypto/passphrase.h"

/*
 * The crypto room's way of asking for a passphrase, on top of the caller's source, which it
 * borrows.  NULL gives a question that nobody answers.
 */
cof_passphrase cof_passphrase_from(const cof_passphrase_source *source);

#endif
