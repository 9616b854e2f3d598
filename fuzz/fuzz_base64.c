/* SPDX-License-Identifier: MIT */
/*
 * Base64: each sequence of bytes has one text, and each text that is taken is that of its bytes.
 * The first byte of an input chooses the alphabet and the padding.
 */
#include <torc/base64.h>

#include "fuzz.h"

static void check_decoded(torc_str text, torc_base64_options options) {
    torc_memory memory;
    torc_buf bytes, again;

    torc_memory_init(&memory, 0);
    torc_buf_init(&bytes, &memory, TORC_MEMORY_OTHER, 1 << 20);
    torc_buf_init(&again, &memory, TORC_MEMORY_OTHER, 1 << 20);
    torc_buf_add(&bytes, TORC_STR("x"));
    const torc_err err = torc_base64_decode(&bytes, text, options);
    FUZZ_CHECK(err == TORC_OK || (err == TORC_ERR_SYNTAX && bytes.len == 1));
    if (!err && !(options & TORC_BASE64_ANY_PADDING)) {
        torc_base64_encode(&again, torc_str_from(torc_buf_str(&bytes), 1), options);
        FUZZ_CHECK(torc_str_equals(torc_buf_str(&again), text));
    }
    torc_buf_dispose(&bytes);
    torc_buf_dispose(&again);
    FUZZ_CHECK(memory.used_total == 0);
}

static void check_encoded(torc_str bytes, torc_base64_options options) {
    torc_memory memory;
    torc_buf text, again;

    torc_memory_init(&memory, 0);
    torc_buf_init(&text, &memory, TORC_MEMORY_OTHER, 1 << 20);
    torc_buf_init(&again, &memory, TORC_MEMORY_OTHER, 1 << 20);
    torc_base64_encode(&text, bytes, options);
    FUZZ_CHECK(torc_base64_decode(&again, torc_buf_str(&text), options) == TORC_OK);
    FUZZ_CHECK(torc_str_equals(torc_buf_str(&again), bytes));
    torc_buf_dispose(&text);
    torc_buf_dispose(&again);
    FUZZ_CHECK(memory.used_total == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const torc_base64_options options = (torc_base64_options)(fuzz_byte(&input) & 7);
    char *const text = fuzz_copy(input.rest);
    const torc_str whole = torc_str_make(text, input.rest.len);

    check_decoded(whole, options);
    check_encoded(whole, options & (TORC_BASE64_URL | TORC_BASE64_NO_PADDING));
    free(text);
    return 0;
}
