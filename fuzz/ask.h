/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FUZZ_ASK_H
#define COF_FUZZ_ASK_H

/* Every way in which somebody answers the question for a passphrase. */

#include "crypto/passphrase.h"

#include <stdbool.h>

/*
 * First the answer with which the seeds are protected; then, if that was asked for, those that are
 * refused:
 *
 *     for (unsigned i = 0; fuzz_answer(&ask, i); i++)
 *         ... &ask ...
 */
bool fuzz_answer(cof_passphrase *ask, unsigned i);

#endif
