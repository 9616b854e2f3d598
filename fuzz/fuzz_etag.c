/* SPDX-License-Identifier: MIT */
/*
 * Entity tags and conditions. The first byte of an input chooses which fields its lines are the
 * values of; the first line is the present tag.
 */
#include <torc/conditional.h>

#include "base/page.h"
#include "fuzz.h"

enum {
    NOW = 784111777
};

static void check_tags(torc_str a, torc_str b) {
    const bool weakly = torc_etag_equals_weakly(a, b), strongly = torc_etag_equals_strongly(a, b);

    FUZZ_CHECK(weakly == torc_etag_equals_weakly(b, a));
    FUZZ_CHECK(strongly == torc_etag_equals_strongly(b, a));
    FUZZ_CHECK(!strongly || weakly);
    FUZZ_CHECK(!weakly || (torc_etag_is_valid(a) && torc_etag_is_valid(b)));
    FUZZ_CHECK(torc_etag_equals_weakly(a, a) == torc_etag_is_valid(a));
}

/* What is read is never answered as if it were to be changed, and the reverse. */
static void check_conditions(const torc_fields *fields, torc_str etag, uint8_t choice) {
    const torc_validators validators = {
        .etag = torc_etag_is_valid(etag) ? etag : torc_str_make(NULL, 0),
        .last_modified = choice & 1 ? NOW : TORC_NO_DATE,
        .is_missing = (choice & 2) != 0,
    };

    if (fields->count == 0) {
        FUZZ_CHECK(torc_conditional_check(fields, TORC_METHOD_GET, &validators, NOW) ==
                   TORC_CONDITION_PROCEED);
        FUZZ_CHECK(torc_conditional_allows_range(fields, &validators, NOW));
    }
    FUZZ_CHECK(torc_conditional_check(fields, TORC_METHOD_PUT, &validators, NOW) !=
               TORC_CONDITION_NOT_MODIFIED);
    FUZZ_CHECK(torc_conditional_check(fields, TORC_METHOD_HEAD, &validators, NOW) ==
               torc_conditional_check(fields, TORC_METHOD_GET, &validators, NOW));
    if (!validators.etag.len && !(choice & 1) && torc_fields_has(fields, TORC_STR("If-Range")))
        FUZZ_CHECK(!torc_conditional_allows_range(fields, &validators, NOW));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const torc_field_id ids[] = {TORC_FIELD_IF_NONE_MATCH, TORC_FIELD_IF_MATCH,
                                        TORC_FIELD_IF_MODIFIED_SINCE,
                                        TORC_FIELD_IF_UNMODIFIED_SINCE, TORC_FIELD_IF_RANGE};
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_fields fields = {0};
    fuzz_input input = fuzz_begin(data, size);
    const uint8_t choice = fuzz_byte(&input);
    char *const text = fuzz_copy(input.rest);
    torc_str rest = torc_str_make(text, input.rest.len), etag = {0}, line;

    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pages, &memory, 4);
    torc_arena_init(&arena, &pages, 1 << 24);
    torc_str_split(&rest, '\n', &etag);
    for (unsigned i = 0; i < 64 && torc_str_split(&rest, '\n', &line); i++) {
        check_tags(etag, line);
        (void)!torc_fields_add_id(&fields, &arena, ids[(i + choice / 4) % TORC_COUNT_OF(ids)],
                                  line);
    }
    check_conditions(&fields, etag, choice);
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    free(text);
    return 0;
}
