/* SPDX-License-Identifier: MIT */
/*
 * Heads of files that are sent as they are: what is taken from one can be sent.
 */
#include <torc/reply.h>

#include "fuzz.h"
#include "web/as_is.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *const bytes = fuzz_copy(torc_str_make((const char *)data, size));
    const torc_str text = torc_str_make(bytes, size);
    torc_as_is_head head;

    if (torc_as_is_parse(text, &head)) {
        FUZZ_CHECK(head.len >= 2 && head.len <= size && text.bytes[head.len - 1] == '\n');
        FUZZ_CHECK(head.status >= 200 && head.status <= 599);
        FUZZ_CHECK(torc_field_value_is_valid(head.reason));
        FUZZ_CHECK(head.field_count <= TORC_AS_IS_FIELDS_MAX);
        for (uint32_t i = 0; i < head.field_count; i++) {
            FUZZ_CHECK(torc_response_accepts(head.names[i], head.values[i]));
            FUZZ_CHECK(!torc_str_equals_nocase(head.names[i], TORC_STR("Transfer-Encoding")));
            FUZZ_CHECK(!torc_str_equals_nocase(head.names[i], TORC_STR("Content-Length")));
        }
    }
    free(bytes);
    return 0;
}
