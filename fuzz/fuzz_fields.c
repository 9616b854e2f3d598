/* SPDX-License-Identifier: MIT */
/*
 * Fields and the lists in their values, and dates. The lines of an input are names and values in
 * turn.
 */
#include <torc/date.h>
#include <torc/fields.h>

#include "base/page.h"
#include "fuzz.h"
#include "message/bytes.h"

static bool all_are(torc_str text, unsigned class_) {
    for (size_t i = 0; i < text.len; i++)
        if (!torc_byte_is(text.bytes[i], class_)) return false;
    return true;
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

static bool may_be_value(torc_str value) {
    if (value.len && (is_blank(value.bytes[0]) || is_blank(value.bytes[value.len - 1])))
        return false;
    return all_are(value, TORC_BYTE_VALUE);
}

static torc_field_id find_slowly(torc_str name) {
    for (int id = 1; id < TORC_FIELDS; id++)
        if (torc_str_equals_nocase(name, torc_field_name((torc_field_id)id)))
            return (torc_field_id)id;
    return TORC_FIELD_OTHER;
}

static void check_add(torc_fields *fields, torc_arena *arena, torc_str name, torc_str value) {
    const bool is_fine = name.len > 0 && all_are(name, TORC_BYTE_TOKEN) && may_be_value(value);
    const uint32_t before = fields->count;

    FUZZ_CHECK(torc_field_value_is_valid(value) == may_be_value(value));
    FUZZ_CHECK(torc_field_find(name) == find_slowly(name));
    FUZZ_CHECK(torc_fields_add(fields, arena, name, value) ==
               (is_fine ? TORC_OK : TORC_ERR_INVALID));
    FUZZ_CHECK(fields->count == before + is_fine);
    if (is_fine) FUZZ_CHECK(torc_fields_has(fields, name));
}

static void check_list(torc_str list) {
    torc_str rest = list, member;
    size_t count = 0;

    while (torc_list_member_next(&rest, &member)) {
        FUZZ_CHECK(member.len > 0 && fuzz_is_within(member, list));
        FUZZ_CHECK(!is_blank(member.bytes[0]) && !is_blank(member.bytes[member.len - 1]));
        FUZZ_CHECK(torc_list_has_member(list, member));
        FUZZ_CHECK(++count <= list.len);
    }
    FUZZ_CHECK(rest.len == 0);
}

static void check_date(torc_str text) {
    char again[TORC_DATE_LEN];
    int64_t seconds, same;

    if (torc_date_parse(text, 784111777, &seconds)) return;
    torc_date_format(seconds, again);
    /* A leap second at the end of the last year that has four digits has no other form. */
    if (seconds > INT64_C(253402300799)) return;
    FUZZ_CHECK(torc_date_parse(torc_str_make(again, sizeof(again)), 784111777, &same) == TORC_OK);
    FUZZ_CHECK(seconds == same);
}

static void check_all(torc_fields *fields, torc_arena *arena, torc_str rest) {
    torc_str name, value;

    while (torc_str_split(&rest, '\n', &name)) {
        check_list(name);
        check_date(name);
        if (!torc_str_split(&rest, '\n', &value)) return;
        check_list(value);
        check_date(value);
        check_add(fields, arena, name, value);
        if (name.len % 3 == 0) {
            const uint32_t before = fields->count, removed = torc_fields_remove(fields, name);
            FUZZ_CHECK(removed + fields->count == before && !torc_fields_has(fields, name));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_fields fields = {0};
    char *const text = fuzz_copy(torc_str_make((const char *)data, size));

    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pages, &memory, 4);
    torc_arena_init(&arena, &pages, 1 << 24);
    check_all(&fields, &arena, torc_str_make(text, size));
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    FUZZ_CHECK(memory.used_total == 0);
    free(text);
    return 0;
}
