/* SPDX-License-Identifier: MIT */
/*
 * Multipart forms: whole and in pieces the same comes of them; what a plain search for the last
 * boundary does not find, the parser does not, either. The first byte of an input chooses the
 * pieces, the first line is the Content-Type, the rest the form.
 */
#include "form_events.h"

static torc_form_event step(void *parser, torc_str *bytes, bool is_last, torc_str *content) {
    return torc_multipart_parse(parser, bytes, is_last, content);
}

static form_told parse(torc_reactor *reactor, torc_str boundary, torc_str form, uint32_t seed) {
    torc_limits limits = torc_limits_default();
    torc_multipart parser;

    limits.form_part_head_bytes_max = 200;
    limits.form_part_fields_max = 3;
    limits.form_name_bytes_max = 20;
    torc_multipart_init(&parser, reactor, &limits, boundary);
    form_told told = form_tell(&parser.base, step, form, seed);
    torc_multipart_dispose(&parser);
    return told;
}

static void check_last_boundary(const form_told *told, torc_str boundary, torc_str form) {
    char last[TORC_BOUNDARY_MAX + 5];

    snprintf(last, sizeof(last), "--%.*s--", TORC_STR_ARGS(boundary));
    FUZZ_CHECK(told->is_bad || torc_str_find(form, torc_str_of(last)) >= 0);
    FUZZ_CHECK(told->parts <= form.len / 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint32_t seed = fuzz_byte(&input) + 1u;
    torc_str form = input.rest, type, boundary;
    char bytes[TORC_BOUNDARY_MAX];
    torc_reactor *reactor;

    if (!torc_str_split(&form, '\n', &type)) return 0;
    char *const shown = fuzz_copy(type);
    const bool has_boundary =
        torc_multipart_boundary(torc_str_make(shown, type.len), bytes, &boundary);
    free(shown);
    if (!has_boundary || !form.bytes) return 0;
    FUZZ_CHECK(boundary.len > 0 && boundary.len <= TORC_BOUNDARY_MAX);
    FUZZ_CHECK(!torc_reactor_new(NULL, &reactor));
    form_told whole = parse(reactor, boundary, form, 0);
    form_told split = parse(reactor, boundary, form, seed);
    check_last_boundary(&whole, boundary, form);
    form_check_same(&whole, &split);
    torc_reactor_free(reactor);
    return 0;
}
