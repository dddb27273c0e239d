/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FUZZ_FUZZ_H
#define COF_FUZZ_FUZZ_H

/*
 * What the targets share.  A target is one function over hostile bytes; libFuzzer drives it, or, in
 * every build, replay.c, which runs it over files.
 *
 * Where a parser compares a hash of its input, the target hands it the bytes twice: as they are,
 * and with the hash put right.  So no mutation gets stuck in front of a hash, in either driver.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * What must hold for every input; ends the process, which is a finding.  Not asked while memory is
 * made to fail (replay -starve).
 */
void fuzz_require(bool holds, const char *what);

/* Copy size bytes to a block of exactly that size, so that reading past it is seen. */
uint8_t *fuzz_copy(const uint8_t *data, size_t size);

extern bool fuzz_starved;

#endif
