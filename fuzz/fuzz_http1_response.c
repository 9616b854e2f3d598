/* SPDX-License-Identifier: MIT */
/*
 * Heads of responses, see http1_head.h.
 */
#include "http1_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_head(data, size, true);
}
