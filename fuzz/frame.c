/* SPDX-License-Identifier: Apache-2.0 */

/* A frame's header. */

#include "format/frame.h"

#include <string.h>

#include "fuzz.h"

static void record(const cof_frame *frame, const cof_preamble *preamble)
{
    if (cof_frame_check_record(frame, preamble, NULL) == COF_OK)
        fuzz_require(frame->plain_len <= preamble->record_size &&
                         frame->stored_len <= cof_frame_stored_max(preamble),
                     "a record is within its bounds");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t raw[COF_FRAME_SIZE] = {0}, again[COF_FRAME_SIZE];
    cof_preamble preamble = {.record_size = 4096, .protection = COF_PROTECTION_SEALED};
    cof_frame frame;

    memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));
    if (cof_frame_parse(&frame, raw, NULL) != COF_OK)
        return 0;
    if (!cof_frame_is_record(&frame)) {
        (void)!cof_frame_check_other(&frame, NULL);
        return 0;
    }
    cof_frame_emit(again, &frame);
    fuzz_require(memcmp(raw, again, sizeof(again)) == 0, "what was read is written the same");
    record(&frame, &preamble);
    preamble.epoch = 1;
    preamble.record_size = 1 << 24;
    record(&frame, &preamble);
    preamble.protection = COF_PROTECTION_SIGNED_ONLY;
    record(&frame, &preamble);
    return 0;
}
