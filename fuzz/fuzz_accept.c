/* SPDX-License-Identifier: MIT */
/*
 * Lists with weights: the members, and what is made of them. The lines of an input are the values
 * of Accept-Encoding, Accept and Accept-Language fields.
 */
#include <torc/accept.h>

#include "base/page.h"
#include "fuzz.h"

static void check_members(torc_str list) {
    torc_str rest = list;
    torc_accept_member member;
    size_t count = 0;

    while (torc_accept_next(&rest, &member)) {
        FUZZ_CHECK(++count <= list.len);
        FUZZ_CHECK(member.weight >= 0 && member.weight <= TORC_WEIGHT_MAX);
        FUZZ_CHECK(member.name.len > 0 && fuzz_is_within(member.name, list));
        FUZZ_CHECK(fuzz_is_within(member.parameters, list));
    }
    FUZZ_CHECK(rest.len == 0);
}

/* What is chosen is liked at least as much as all else that there is. */
static void check_choice(const torc_fields *fields) {
    static const torc_str codings[] = {TORC_STR_INIT("br"), TORC_STR_INIT("zstd"),
                                       TORC_STR_INIT("gzip")};
    const int of_identity = torc_accept_encoding_weight(fields, TORC_STR("identity"));
    const ptrdiff_t chosen = torc_accept_encoding_choose(fields, codings, TORC_COUNT_OF(codings));

    FUZZ_CHECK(chosen >= -1 && chosen < (ptrdiff_t)TORC_COUNT_OF(codings));
    if (fields->count == 0) return;
    const int best =
        chosen < 0 ? of_identity : torc_accept_encoding_weight(fields, codings[chosen]);
    FUZZ_CHECK(chosen < 0 || (best > 0 && best >= of_identity));
    for (size_t i = 0; i < TORC_COUNT_OF(codings); i++)
        FUZZ_CHECK(torc_accept_encoding_weight(fields, codings[i]) <= best);
}

static void check_types(const torc_fields *fields) {
    static const char *const types[] = {
        "text/html", "text/html;level=1", "application/json", "image/*", "junk", ""};

    for (size_t i = 0; i < TORC_COUNT_OF(types); i++) {
        const int weight = torc_accept_type_weight(fields, torc_str_of(types[i]));
        FUZZ_CHECK(weight >= 0 && weight <= TORC_WEIGHT_MAX);
        if (torc_accept_names_type(fields, torc_str_of(types[i]))) FUZZ_CHECK(weight > 0);
    }
}

static void check_languages(const torc_fields *fields) {
    static const torc_str tags[] = {TORC_STR_INIT("en"), TORC_STR_INIT("de-CH"),
                                    TORC_STR_INIT("zh")};
    const ptrdiff_t chosen = torc_accept_language_choose(fields, tags, TORC_COUNT_OF(tags));

    FUZZ_CHECK(chosen >= -1 && chosen < (ptrdiff_t)TORC_COUNT_OF(tags));
    if (fields->count == 0) return;
    const int best = chosen < 0 ? 0 : torc_accept_language_weight(fields, tags[chosen]);
    FUZZ_CHECK(chosen < 0 || best > 0);
    for (size_t i = 0; i < TORC_COUNT_OF(tags); i++)
        FUZZ_CHECK(torc_accept_language_weight(fields, tags[i]) <= best);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_fields codings = {0}, types = {0}, languages = {0};
    char *const text = fuzz_copy(torc_str_make((const char *)data, size));
    torc_str rest = torc_str_make(text, size), line;

    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pages, &memory, 4);
    torc_arena_init(&arena, &pages, 1 << 24);
    for (int i = 0; i < 64 && torc_str_split(&rest, '\n', &line); i++) {
        check_members(line);
        if (!torc_field_value_is_valid(line)) continue;
        FUZZ_CHECK(!torc_fields_add_id(&codings, &arena, TORC_FIELD_ACCEPT_ENCODING, line));
        FUZZ_CHECK(!torc_fields_add_id(&types, &arena, TORC_FIELD_ACCEPT, line));
        FUZZ_CHECK(!torc_fields_add_id(&languages, &arena, TORC_FIELD_ACCEPT_LANGUAGE, line));
    }
    check_choice(&codings);
    check_types(&types);
    check_languages(&languages);
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    free(text);
    return 0;
}
