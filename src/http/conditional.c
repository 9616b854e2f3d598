/* SPDX-License-Identifier: MIT */
/*
 * Conditional requests: one evaluation, in the order of RFC 9110 §13.2.2.
 *
 *  - If-Match and If-Range compare strongly, If-None-Match weakly.
 *  - A condition that cannot be understood is as if it were not there, but for tags: a list with
 *    junk in it names what it names besides.
 */
#include <torc/conditional.h>
#include <torc/date.h>

enum {
    STRONG_AFTER_SECONDS =
        1 /* a date this old cannot have changed twice within it (RFC 9110 §8.8.2.2) */
};

static bool is_weak(torc_str etag) {
    return torc_str_starts_with(etag, TORC_STR("W/"));
}

static torc_str opaque_part(torc_str etag) {
    return is_weak(etag) ? torc_str_from(etag, 2) : etag;
}

static bool is_etag_byte(char byte) {
    const unsigned char c = (unsigned char)byte;
    return c == 0x21 || (c >= 0x23 && c != 0x7f);
}

bool torc_etag_is_valid(torc_str etag) {
    const torc_str part = opaque_part(etag);

    if (part.len < 2 || part.bytes[0] != '"' || part.bytes[part.len - 1] != '"') return false;
    for (size_t i = 1; i + 1 < part.len; i++)
        if (!is_etag_byte(part.bytes[i])) return false;
    return true;
}

bool torc_etag_equals_weakly(torc_str a, torc_str b) {
    return torc_etag_is_valid(a) && torc_str_equals(opaque_part(a), opaque_part(b));
}

bool torc_etag_equals_strongly(torc_str a, torc_str b) {
    return !is_weak(a) && !is_weak(b) && torc_etag_equals_weakly(a, b);
}

typedef bool compare_fn(torc_str a, torc_str b);

/* Whether the fields of an id name the present version: `*`, or its tag. */
static bool names_version(const torc_fields *fields, torc_field_id id,
                          const torc_validators *validators, compare_fn *equals) {
    const torc_field *field;
    uint32_t place = 0;
    torc_str member;

    if (validators->is_missing) return false;
    while ((field = torc_fields_next_id(fields, id, &place)) != NULL) {
        torc_str rest = field->value;
        if (torc_str_equals(rest, TORC_STR("*"))) return true;
        while (torc_list_member_next(&rest, &member))
            if (equals(member, validators->etag)) return true;
    }
    return false;
}

static bool has(const torc_fields *fields, torc_field_id id) {
    return torc_fields_value_id(fields, id).bytes != NULL;
}

/* The date of a field, if there is one field of it and it can be read. */
static bool read_date(const torc_fields *fields, torc_field_id id, int64_t now, int64_t *date) {
    uint32_t place = 0;
    const torc_field *field = torc_fields_next_id(fields, id, &place);

    if (!field || torc_fields_next_id(fields, id, &place)) return false;
    return !torc_date_parse(field->value, now, date);
}

/* Steps 1 and 2: whether the version is the one that the peer wants to act on. */
static bool is_wanted(const torc_fields *fields, const torc_validators *validators, int64_t now) {
    int64_t date;

    if (has(fields, TORC_FIELD_IF_MATCH))
        return names_version(fields, TORC_FIELD_IF_MATCH, validators, torc_etag_equals_strongly);
    if (validators->last_modified == TORC_NO_DATE ||
        !read_date(fields, TORC_FIELD_IF_UNMODIFIED_SINCE, now, &date))
        return true;
    return validators->last_modified <= date;
}

/* Steps 3 and 4: whether the peer has the version already. */
static bool is_known(const torc_fields *fields, bool is_read, const torc_validators *validators,
                     int64_t now) {
    int64_t date;

    if (has(fields, TORC_FIELD_IF_NONE_MATCH))
        return names_version(fields, TORC_FIELD_IF_NONE_MATCH, validators, torc_etag_equals_weakly);
    if (!is_read || validators->last_modified == TORC_NO_DATE ||
        !read_date(fields, TORC_FIELD_IF_MODIFIED_SINCE, now, &date))
        return false;
    return validators->last_modified <= date;
}

static bool is_condition(torc_field_id id) {
    return id == TORC_FIELD_IF_MATCH || id == TORC_FIELD_IF_MODIFIED_SINCE ||
           id == TORC_FIELD_IF_NONE_MATCH || id == TORC_FIELD_IF_UNMODIFIED_SINCE;
}

/* Most requests have none. */
static bool has_conditions(const torc_fields *fields) {
    for (uint32_t i = 0; i < fields->count; i++)
        if (is_condition(fields->items[i].id)) return true;
    return false;
}

torc_condition torc_conditional_check(const torc_fields *fields, torc_method method,
                                      const torc_validators *validators, int64_t now) {
    const bool is_read = method == TORC_METHOD_GET || method == TORC_METHOD_HEAD;

    if (!has_conditions(fields)) return TORC_CONDITION_PROCEED;
    if (!is_wanted(fields, validators, now)) return TORC_CONDITION_FAILED;
    if (!is_known(fields, is_read, validators, now)) return TORC_CONDITION_PROCEED;
    return is_read ? TORC_CONDITION_NOT_MODIFIED : TORC_CONDITION_FAILED;
}

bool torc_conditional_allows_range(const torc_fields *fields, const torc_validators *validators,
                                   int64_t now) {
    const torc_str value = torc_fields_value_id(fields, TORC_FIELD_IF_RANGE);
    int64_t date;

    if (!value.bytes) return true;
    if (torc_etag_is_valid(value)) return torc_etag_equals_strongly(value, validators->etag);
    if (!read_date(fields, TORC_FIELD_IF_RANGE, now, &date)) return false;
    return date == validators->last_modified && now > date + STRONG_AFTER_SECONDS;
}
