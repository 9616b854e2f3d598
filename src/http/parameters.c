/* SPDX-License-Identifier: MIT */
/*
 * Parameters behind a field's value: `text/plain; charset="utf-8"` (RFC 9110 §5.6.6).
 *
 *  - A value without quotes goes up to the next `;`: some, as boundaries, have what no token has.
 *  - A backslash escapes `"` and itself alone: old browsers send paths that have others.
 */
#include "http/parameters.h"

#include <torc/fields.h>

static torc_str skip_blanks(torc_str text) {
    while (text.len > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t'))
        text = torc_str_from(text, 1);
    return text;
}

bool torc_parameter_has_escape(torc_str text, size_t at) {
    return text.bytes[at] == '\\' && at + 1 < text.len &&
           (text.bytes[at + 1] == '"' || text.bytes[at + 1] == '\\');
}

/* `*rest` begins behind the opening quote. */
static torc_err take_quoted(torc_str *rest, torc_str *value) {
    size_t len = 0;

    while (len < rest->len && rest->bytes[len] != '"')
        len += torc_parameter_has_escape(*rest, len) ? 2 : 1;
    if (len >= rest->len) return TORC_ERR_SYNTAX;
    *value = torc_str_head(*rest, len);
    *rest = skip_blanks(torc_str_from(*rest, len + 1));
    return rest->len == 0 || rest->bytes[0] == ';' ? TORC_OK : TORC_ERR_SYNTAX;
}

/* Up to the next `;`: some boundaries have what no token has. */
static torc_err take_bare(torc_str *rest, torc_str *value) {
    const ptrdiff_t end = torc_str_find_byte(*rest, ';');
    const size_t len = end < 0 ? rest->len : (size_t)end;

    *value = torc_str_trim(torc_str_head(*rest, len));
    *rest = torc_str_from(*rest, len);
    return torc_str_find_byte(*value, '"') < 0 ? TORC_OK : TORC_ERR_SYNTAX;
}

torc_err torc_parameter_next(torc_str *rest, torc_parameter *parameter) {
    *parameter = (torc_parameter){.name = {"", 0}};
    *rest = skip_blanks(*rest);
    while (rest->len > 0 && rest->bytes[0] == ';') *rest = skip_blanks(torc_str_from(*rest, 1));
    if (rest->len == 0) return TORC_OK;

    const ptrdiff_t equals = torc_str_find_byte(*rest, '=');
    if (equals < 0) return TORC_ERR_SYNTAX;
    parameter->name = torc_str_trim(torc_str_head(*rest, (size_t)equals));
    if (!torc_is_token(parameter->name)) return TORC_ERR_SYNTAX;
    *rest = skip_blanks(torc_str_from(*rest, (size_t)equals + 1));
    parameter->is_quoted = rest->len > 0 && rest->bytes[0] == '"';
    if (!parameter->is_quoted) return take_bare(rest, &parameter->value);
    *rest = torc_str_from(*rest, 1);
    return take_quoted(rest, &parameter->value);
}

torc_str torc_parameters_front(torc_str value, torc_str *rest) {
    const ptrdiff_t end = torc_str_find_byte(value, ';');
    const size_t len = end < 0 ? value.len : (size_t)end;

    *rest = torc_str_from(value, len);
    return torc_str_trim(torc_str_head(value, len));
}
