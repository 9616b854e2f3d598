/* SPDX-License-Identifier: MIT */
/*
 * URLs: the first line of an input is taken apart and put together, then each further line is
 * resolved against it; and all of it is read as a query.
 */
#include <torc/url.h>

#include "fuzz.h"

enum {
    ROOM = 1 << 16
};

static void check_parts(torc_str text) {
    char *const bytes = malloc(ROOM);
    torc_url url;
    torc_buf buf;

    FUZZ_CHECK(bytes);
    torc_buf_init_fixed(&buf, bytes, ROOM);
    if (torc_url_parse(text, &url) == TORC_OK) {
        torc_url_format(&url, &buf);
        FUZZ_CHECK(torc_buf_err(&buf) || torc_str_equals(torc_buf_str(&buf), text));
        FUZZ_CHECK(fuzz_is_within(url.authority, text) && fuzz_is_within(url.query, text));
        FUZZ_CHECK(url.port >= -1 && url.port <= 65535);
    }
    free(bytes);
}

static void check_resolved(torc_str base, torc_str reference) {
    char *const bytes = malloc(ROOM), *const again = malloc(ROOM);
    torc_buf first, second;
    torc_url url;

    FUZZ_CHECK(bytes && again);
    torc_buf_init_fixed(&first, bytes, ROOM);
    torc_buf_init_fixed(&second, again, ROOM);
    if (torc_url_resolve(base, reference, &first) == TORC_OK) {
        const torc_str whole = torc_buf_str(&first);
        FUZZ_CHECK(torc_url_parse(whole, &url) == TORC_OK && url.scheme.bytes);
        if (reference.len && torc_url_resolve(base, whole, &second) == TORC_OK)
            FUZZ_CHECK(second.len <= first.len);
    }
    free(bytes);
    free(again);
}

static void check_query(torc_str text) {
    torc_str rest = text, name, value;
    size_t count = 0;

    while (torc_query_next(&rest, &name, &value)) {
        FUZZ_CHECK(++count <= text.len);
        FUZZ_CHECK(fuzz_is_within(name, text) && fuzz_is_within(value, text));
    }
    FUZZ_CHECK(!rest.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *const text = fuzz_copy(torc_str_make((const char *)data, size));
    torc_str rest = torc_str_make(text, size), base, line;

    check_query(rest);
    if (torc_str_split(&rest, '\n', &base)) {
        check_parts(base);
        for (int i = 0; i < 32 && torc_str_split(&rest, '\n', &line); i++) {
            check_parts(line);
            check_resolved(base, line);
        }
    }
    free(text);
    return 0;
}
