/* SPDX-License-Identifier: MIT */
/*
 * What a peer would like to get, by lists with weights.
 *
 *  - Nothing is kept or copied: each question walks the list, which is short and bounded.
 *  - What is malformed has no say; it never makes something acceptable that was not, nor the
 *    reverse.
 */
#include <torc/accept.h>

/* ---- members ---- */

/* What stands before the next semicolon that is not in a quoted string, without blanks. */
static bool next_part(torc_str *rest, torc_str *part) {
    bool is_quoted = false;
    size_t at = 0;

    if (!rest->bytes) return false;
    for (; at < rest->len; at++) {
        const char c = rest->bytes[at];
        if (c == '"') is_quoted = !is_quoted;
        if (is_quoted && c == '\\') at++;
        if (!is_quoted && c == ';') break;
    }
    *part = torc_str_trim(torc_str_head(*rest, at));
    *rest = at < rest->len ? torc_str_from(*rest, at + 1) : (torc_str){0};
    return true;
}

/* "0", "0.5", "1.000": at most three digits behind the point (RFC 9110 §12.4.2). */
static bool read_weight(torc_str text, int *weight) {
    int thousandths = 0, place = 100;

    if (text.len < 1 || text.len > 5 || (text.bytes[0] != '0' && text.bytes[0] != '1'))
        return false;
    if (text.len > 1 && text.bytes[1] != '.') return false;
    for (size_t i = 2; i < text.len; i++, place /= 10) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') return false;
        thousandths += (text.bytes[i] - '0') * place;
    }
    if (text.bytes[0] == '1' && thousandths > 0) return false;
    *weight = text.bytes[0] == '1' ? TORC_WEIGHT_MAX : thousandths;
    return true;
}

static bool is_weight(torc_str parameter) {
    return torc_str_starts_with(parameter, TORC_STR("q=")) ||
           torc_str_starts_with(parameter, TORC_STR("Q="));
}

/* A token, or two with a slash between them; `*` is a token's byte. */
static bool is_name(torc_str name) {
    const ptrdiff_t slash = torc_str_find_byte(name, '/');

    if (slash < 0) return torc_is_token(name);
    return torc_is_token(torc_str_head(name, (size_t)slash)) &&
           torc_is_token(torc_str_from(name, (size_t)slash + 1));
}

/* Name, parameters, weight; what may stand behind the weight (RFC 7231 §5.3.2) means nothing. */
static bool read_member(torc_str text, torc_accept_member *member) {
    torc_str rest = text, part;
    const char *end;

    if (!next_part(&rest, &part) || !is_name(part)) return false;
    *member = (torc_accept_member){.name = part, .weight = TORC_WEIGHT_MAX};
    end = part.bytes + part.len;
    while (next_part(&rest, &part)) {
        if (is_weight(part)) return read_weight(torc_str_from(part, 2), &member->weight);
        if (part.len == 0) continue;
        if (torc_str_find_byte(part, '=') <= 0) return false;
        member->parameters = torc_str_make(end, (size_t)(part.bytes + part.len - end));
    }
    return true;
}

bool torc_accept_next(torc_str *rest, torc_accept_member *member) {
    torc_str text;

    while (torc_list_member_next(rest, &text))
        if (read_member(text, member)) return true;
    return false;
}

bool torc_accept_fields_next(const torc_fields *fields, torc_field_id id, torc_accept_place *place,
                             torc_accept_member *member) {
    while (place->seen < TORC_ACCEPT_MEMBERS_MAX) {
        const torc_field *field;
        place->seen++;
        if (torc_accept_next(&place->rest, member)) return true;
        field = torc_fields_next_id(fields, id, &place->field);
        if (!field) return false;
        place->rest = field->value;
    }
    return false;
}

/* ---- codings ---- */

static torc_str plain_coding(torc_str coding) {
    if (torc_str_equals_nocase(coding, TORC_STR("x-gzip"))) return TORC_STR("gzip");
    if (torc_str_equals_nocase(coding, TORC_STR("x-compress"))) return TORC_STR("compress");
    return coding;
}

int torc_accept_encoding_weight(const torc_fields *fields, torc_str coding) {
    const bool is_identity = torc_str_equals(coding, TORC_STR("identity"));
    torc_accept_place list = {0};
    torc_accept_member member;
    int of_all = -1;

    if (!torc_fields_value_id(fields, TORC_FIELD_ACCEPT_ENCODING).bytes) return TORC_WEIGHT_MAX;
    while (torc_accept_fields_next(fields, TORC_FIELD_ACCEPT_ENCODING, &list, &member)) {
        if (member.parameters.len) continue;
        if (torc_str_equals_nocase(plain_coding(member.name), coding)) return member.weight;
        if (of_all < 0 && torc_str_equals(member.name, TORC_STR("*"))) of_all = member.weight;
    }
    if (of_all >= 0) return of_all;
    return is_identity ? 1 : 0;
}

ptrdiff_t torc_accept_encoding_choose(const torc_fields *fields, const torc_str *codings,
                                      size_t count) {
    ptrdiff_t chosen = -1;
    int best = 0;

    if (!torc_fields_value_id(fields, TORC_FIELD_ACCEPT_ENCODING).bytes) return -1;
    for (size_t i = 0; i < count; i++) {
        const int weight = torc_accept_encoding_weight(fields, codings[i]);
        if (weight <= best) continue;
        best = weight;
        chosen = (ptrdiff_t)i;
    }
    if (chosen < 0 || torc_accept_encoding_weight(fields, TORC_STR("identity")) > best) return -1;
    return chosen;
}

/* ---- media types ---- */

/* Whether the parameters have this one, blanks and case aside. */
static bool has_parameter(torc_str parameters, torc_str wanted) {
    torc_str part;

    while (next_part(&parameters, &part))
        if (torc_str_equals_nocase(part, wanted)) return true;
    return false;
}

static bool has_parameters(torc_str parameters, torc_str wanted) {
    torc_str part;

    while (next_part(&wanted, &part))
        if (part.len && !has_parameter(parameters, part)) return false;
    return true;
}

enum {
    NOT_IN = -1,
    IN_ALL,  /* both wildcards */
    IN_KIND, /* the second one */
    BY_NAME, /* itself */
    BY_PARAMETERS
};

/* How closely a range describes a type. */
static int closeness(const torc_accept_member *range, torc_str name, torc_str parameters) {
    const ptrdiff_t slash = torc_str_find_byte(name, '/');

    if (slash < 0) return NOT_IN;
    if (torc_str_equals_nocase(range->name, name)) {
        if (!range->parameters.len) return BY_NAME;
        return has_parameters(parameters, range->parameters) ? BY_PARAMETERS : NOT_IN;
    }
    if (range->parameters.len) return NOT_IN;
    if (torc_str_equals(range->name, TORC_STR("*/*"))) return IN_ALL;
    if (range->name.len != (size_t)slash + 2 || range->name.bytes[slash + 1] != '*') return NOT_IN;
    return torc_str_equals_nocase(torc_str_head(range->name, (size_t)slash + 1),
                                  torc_str_head(name, (size_t)slash + 1))
               ? IN_KIND
               : NOT_IN;
}

/* The weight that the closest range gives, and how close it is. */
static int weigh_type(const torc_fields *fields, torc_str type, int *closest) {
    torc_accept_place list = {0};
    torc_accept_member range;
    torc_str rest = type, name = {0};
    int weight = 0;

    *closest = NOT_IN;
    next_part(&rest, &name);
    while (torc_accept_fields_next(fields, TORC_FIELD_ACCEPT, &list, &range)) {
        const int close = closeness(&range, name, rest);
        if (close <= *closest) continue;
        *closest = close;
        weight = range.weight;
    }
    return weight;
}

int torc_accept_type_weight(const torc_fields *fields, torc_str type) {
    int closest;

    if (!torc_fields_value_id(fields, TORC_FIELD_ACCEPT).bytes) return TORC_WEIGHT_MAX;
    return weigh_type(fields, type, &closest);
}

bool torc_accept_names_type(const torc_fields *fields, torc_str type) {
    int closest;

    return weigh_type(fields, type, &closest) > 0 && closest >= IN_KIND;
}

ptrdiff_t torc_accept_type_choose(const torc_fields *fields, const torc_str *types, size_t count) {
    ptrdiff_t chosen = -1;
    int best = 0, closest = NOT_IN;

    if (!torc_fields_value_id(fields, TORC_FIELD_ACCEPT).bytes) return count ? 0 : -1;
    for (size_t i = 0; i < count; i++) {
        int close;
        const int weight = weigh_type(fields, types[i], &close);
        if (weight < best || weight == 0 || (weight == best && close <= closest)) continue;
        best = weight;
        closest = close;
        chosen = (ptrdiff_t)i;
    }
    return chosen;
}
