/* SPDX-License-Identifier: MIT */
/*
 * Targets, authorities, percent-encoding, and what http makes of a target: segments and arguments.
 * The first byte of an input chooses the method.
 */
#include <torc/target.h>

#include "base/page.h"
#include "fuzz.h"
#include "http/request_state.h"

static void check_authority(torc_str text) {
    torc_authority authority;

    if (torc_authority_parse(text, &authority)) return;
    FUZZ_CHECK(authority.host.len > 0 && authority.host.bytes == text.bytes);
    FUZZ_CHECK(authority.port >= -1 && authority.port <= 65535);
    for (size_t i = 0; i < text.len; i++)
        FUZZ_CHECK(text.bytes[i] > ' ' && text.bytes[i] < 0x7f &&
                   !strchr("@/?#\\\"<>", text.bytes[i]));
}

/* Every byte of a target that is taken has a meaning, and its parts make the whole. */
static void check_parts(const torc_target *target, torc_str text) {
    torc_authority authority;

    FUZZ_CHECK(torc_str_equals(target->text, text));
    for (size_t i = 0; i < text.len; i++)
        FUZZ_CHECK(text.bytes[i] > ' ' && text.bytes[i] < 0x7f && text.bytes[i] != '#');
    FUZZ_CHECK(fuzz_is_within(target->query, text) && fuzz_is_within(target->authority, text));
    if (target->form == TORC_TARGET_ABSOLUTE || target->form == TORC_TARGET_AUTHORITY)
        FUZZ_CHECK(torc_authority_parse(target->authority, &authority) == TORC_OK);
    else
        FUZZ_CHECK(!target->authority.bytes);
    if (target->form == TORC_TARGET_ORIGIN)
        FUZZ_CHECK(target->path.len + (target->query.bytes ? 1 + target->query.len : 0) ==
                   text.len);
    if (target->form == TORC_TARGET_ORIGIN || target->form == TORC_TARGET_ABSOLUTE) {
        FUZZ_CHECK(target->path.len > 0 && target->path.bytes[0] == '/');
        FUZZ_CHECK(torc_str_find_byte(target->path, '?') < 0);
    }
}

/* ---- percent-encoding ---- */

static void check_percent(torc_str text, bool plus) {
    char *const decoded = malloc(text.len + 1), *const in_place = fuzz_copy(text);
    char *const encoded = malloc(TORC_PERCENT_ENCODED_MAX(text.len) + 1);

    FUZZ_CHECK(decoded && encoded);
    const size_t len = torc_percent_decode(text, plus, decoded);
    FUZZ_CHECK(len <= text.len);
    FUZZ_CHECK(torc_percent_decode(torc_str_make(in_place, text.len), plus, in_place) == len);
    FUZZ_CHECK(memcmp(decoded, in_place, len) == 0);

    const torc_str whole = torc_str_make(encoded, torc_percent_encode(text, encoded));
    FUZZ_CHECK(whole.len <= TORC_PERCENT_ENCODED_MAX(text.len));
    FUZZ_CHECK(torc_percent_decode(whole, plus, encoded) == text.len);
    FUZZ_CHECK(text.len == 0 || memcmp(encoded, text.bytes, text.len) == 0);
    free(decoded);
    free(in_place);
    free(encoded);
}

/* ---- segments and arguments ---- */

static void check_decoded(torc_str raw, bool plus, torc_str decoded) {
    char *const expected = fuzz_copy(raw);

    FUZZ_CHECK(torc_str_equals(decoded,
                               torc_str_make(expected, torc_percent_decode(raw, plus, expected))));
    free(expected);
}

static void check_segments(torc_request *request) {
    torc_str rest = torc_str_from(request->head->target.path, 1), part;
    size_t count = 0;

    if (!rest.bytes || rest.len == 0) rest = torc_str_make("", 0);
    FUZZ_CHECK(torc_request_split_path(request) == TORC_OK);
    while (torc_str_split(&rest, '/', &part)) {
        FUZZ_CHECK(torc_str_equals(torc_request_segment_raw(request, count), part));
        check_decoded(part, false, torc_request_segment(request, count++));
    }
    FUZZ_CHECK(torc_request_segment_count(request) == count);
    FUZZ_CHECK(torc_request_segment(request, count).len == 0);
}

static void check_args(torc_request *request) {
    torc_str rest = request->head->target.query, item, name, value;
    size_t place = 0;

    while (rest.bytes && torc_str_split(&rest, '&', &item)) {
        if (item.len == 0) continue;
        const ptrdiff_t equals = torc_str_find_byte(item, '=');
        FUZZ_CHECK(torc_request_arg_next(request, &place, &name, &value));
        check_decoded(equals < 0 ? item : torc_str_head(item, (size_t)equals), true, name);
        FUZZ_CHECK((equals < 0) == (value.bytes == NULL));
        if (equals >= 0) check_decoded(torc_str_from(item, (size_t)equals + 1), true, value);
    }
    FUZZ_CHECK(!torc_request_arg_next(request, &place, &name, &value));
}

static void check_request(const torc_target *target) {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_request *request = calloc(1, sizeof(*request));
    const torc_head head = {.target = *target};

    FUZZ_CHECK(request);
    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pages, &memory, 4);
    torc_arena_init(&arena, &pages, 1 << 24);
    request->arena = &arena;
    request->head = &head;
    check_segments(request);
    check_args(request);
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    FUZZ_CHECK(memory.used_total == 0);
    free(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint8_t choice = fuzz_byte(&input);
    char *const text = fuzz_copy(input.rest);
    const torc_str whole = torc_str_make(text, input.rest.len);
    torc_target target;

    check_authority(whole);
    check_percent(whole, choice & 1);
    if (torc_target_parse(whole, (torc_method)(choice % TORC_METHODS), &target) == TORC_OK) {
        check_parts(&target, whole);
        if (target.form == TORC_TARGET_ORIGIN || target.form == TORC_TARGET_ABSOLUTE)
            check_request(&target);
    }
    free(text);
    return 0;
}
