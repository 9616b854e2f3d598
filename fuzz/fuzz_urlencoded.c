/* SPDX-License-Identifier: MIT */
/*
 * Urlencoded forms: whole and in pieces the same comes of them, and it is what splitting and
 * decoding the text by other means gives. The first byte of an input chooses the pieces.
 */
#include <torc/target.h>

#include "form_events.h"

static torc_form_event step(void *parser, torc_str *bytes, bool is_last, torc_str *content) {
    return torc_urlencoded_parse(parser, bytes, is_last, content);
}

static form_told parse(torc_reactor *reactor, const torc_limits *limits, torc_str form,
                       uint32_t seed) {
    torc_urlencoded parser;

    torc_urlencoded_init(&parser, reactor, limits);
    form_told told = form_tell(&parser.base, step, form, seed);
    torc_urlencoded_dispose(&parser);
    return told;
}

static torc_str decode(torc_str text, char *to) {
    return torc_str_make(to, text.len ? torc_percent_decode(text, true, to) : 0);
}

/* The same by the simple way. */
static form_told tell_simply(torc_str form) {
    form_told told = {.is_bad = false};
    char *const to = fuzz_copy(form);
    torc_str item;

    torc_buf_init(&told.text, NULL, TORC_MEMORY_OTHER, SIZE_MAX / 2);
    while (torc_str_split(&form, '&', &item)) {
        torc_str value = item, name;
        if (item.len == 0) continue;
        (void)torc_str_split(&value, '=', &name);
        const torc_form_part part = {.name = decode(name, to), .is_bare = !value.bytes};
        form_tell_part(&told, &part);
        torc_buf_add(&told.text, decode(value, to));
        torc_buf_add_byte(&told.text, '.');
    }
    free(to);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint32_t seed = fuzz_byte(&input) + 1u;
    torc_limits limits = torc_limits_default();
    torc_reactor *reactor;

    FUZZ_CHECK(!torc_reactor_new(NULL, &reactor));
    limits.form_name_bytes_max = TORC_UNLIMITED;
    form_told whole = parse(reactor, &limits, input.rest, 0), simple = tell_simply(input.rest);
    FUZZ_CHECK(!whole.is_bad);
    form_check_same(&whole, &simple);
    limits.form_name_bytes_max = 10;
    whole = parse(reactor, &limits, input.rest, 0);
    form_told split = parse(reactor, &limits, input.rest, seed);
    form_check_same(&whole, &split);
    torc_reactor_free(reactor);
    return 0;
}
