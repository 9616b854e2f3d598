/* SPDX-License-Identifier: MIT */
/*
 * Cache-Control by patterns.
 *
 *  - A value is a list of directives (RFC 9111 §5.2) that can be sent; those that want a number
 *    have one.
 *  - Matching goes back to the last star only, so that it is quick for any pattern.
 */
#include "web/cache_rules.h"

#include <torc/fields.h>

bool torc_glob_matches(torc_str pattern, torc_str text) {
    size_t at = 0, in = 0, star = SIZE_MAX, from = 0;

    while (in < text.len) {
        if (at < pattern.len && pattern.bytes[at] == '*') {
            star = at++;
            from = in;
        } else if (at < pattern.len &&
                   (pattern.bytes[at] == '?' || pattern.bytes[at] == text.bytes[in])) {
            at++;
            in++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            in = ++from; /* the star takes one more */
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.bytes[at] == '*') at++;
    return at == pattern.len;
}

/* ---- rules ---- */

static bool wants_number(torc_str directive) {
    return torc_str_equals_nocase(directive, TORC_STR("max-age")) ||
           torc_str_equals_nocase(directive, TORC_STR("s-maxage")) ||
           torc_str_equals_nocase(directive, TORC_STR("stale-while-revalidate")) ||
           torc_str_equals_nocase(directive, TORC_STR("stale-if-error"));
}

/* "no-store", "max-age=60", `private="set-cookie"` */
static bool is_directive(torc_str text) {
    torc_str argument = text, name;
    uint64_t number;

    torc_str_split(&argument, '=', &name);
    if (!torc_is_token(name)) return false;
    if (wants_number(name)) return !torc_str_parse_uint(argument, INT32_MAX, &number);
    return !argument.bytes || torc_is_token(argument) ||
           (argument.len >= 2 && argument.bytes[0] == '"' &&
            argument.bytes[argument.len - 1] == '"');
}

static bool is_list_of_directives(torc_str value) {
    torc_str rest = value, member;
    size_t count = 0;

    while (torc_list_member_next(&rest, &member)) {
        if (!is_directive(member)) return false;
        count++;
    }
    return count > 0;
}

const char *torc_cache_rule_parse(torc_str text, torc_cache_rule *rule) {
    const ptrdiff_t equals = torc_str_find_byte(text, '=');

    if (equals < 0) return "is not PATTERN=VALUE";
    const torc_str pattern = torc_str_head(text, (size_t)equals);
    const torc_str value = torc_str_trim(torc_str_from(text, (size_t)equals + 1));
    if (pattern.len == 0) return "has no pattern before the =";
    if (torc_str_find_byte(pattern, '/') > 0 ||
        (pattern.bytes[0] != '/' && torc_str_find_byte(pattern, '/') >= 0))
        return "has a pattern for a path that does not begin with /";
    if (value.len == 0) return "has no value behind the =";
    if (!torc_field_value_is_valid(value) || !is_list_of_directives(value))
        return "has no Cache-Control directives behind the =, as in *.css=max-age=3600";
    *rule = (torc_cache_rule){.pattern = pattern, .value = value};
    return NULL;
}

static torc_str last_name(torc_str path) {
    size_t at = path.len;

    while (at > 0 && path.bytes[at - 1] != '/') at--;
    return torc_str_from(path, at);
}

torc_str torc_cache_rules_find(const torc_cache_rule *rules, size_t count, torc_str path) {
    const torc_str name = last_name(path);

    for (size_t i = 0; i < count; i++)
        if (torc_glob_matches(rules[i].pattern, rules[i].pattern.bytes[0] == '/' ? path : name))
            return rules[i].value;
    return torc_str_make(NULL, 0);
}
