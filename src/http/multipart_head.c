/* SPDX-License-Identifier: MIT */
/*
 * What stands at the head of multipart content and of its parts: the boundary, and the names of
 * fields and files.
 *
 *  - Browsers write `"`, CR and LF in a name as %22, %0D and %0A and nothing else (HTML, section
 *    4.10.21.8); others write a backslash before `"` and itself. Both are read; a backslash before
 *    anything else is one, as in the paths that some old browsers send.
 *  - A part has exactly one Content-Disposition, which is form-data and has a name: a field without
 *    one would be lost without a word (RFC 7578 §4.2).
 *  - `filename*` (RFC 8187), which RFC 7578 forbids and some clients send all the same, counts
 *    where there is no `filename`; it is read in UTF-8 only. It may not have a NUL, which no field
 *    has either: as a C string the name would have another ending than was checked.
 *  - Each parameter stands once: who reads the first and who reads the last would see two forms.
 */
#include <torc/target.h>
#include <torc/utf8.h>

#include "base/ascii.h"
#include "http/form_parse.h"
#include "http/parameters.h"

/* ---- the content type ---- */

torc_form_kind torc_form_kind_of(torc_str content_type) {
    torc_str rest;
    const torc_str type = torc_parameters_front(content_type, &rest);

    if (torc_str_equals_nocase(type, TORC_STR("application/x-www-form-urlencoded")))
        return TORC_FORM_KIND_URLENCODED;
    if (torc_str_equals_nocase(type, TORC_STR("multipart/form-data")))
        return TORC_FORM_KIND_MULTIPART;
    return TORC_FORM_KIND_NONE;
}

/* bchars, RFC 2046 §5.1.1. */
static bool is_boundary_byte(char byte) {
    if (torc_is_alnum(byte)) return true;
    return byte != '\0' && strchr("'()+_,-./:=? ", byte) != NULL;
}

static bool is_boundary(torc_str text) {
    if (text.len == 0 || text.len > TORC_BOUNDARY_MAX || text.bytes[text.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_boundary_byte(text.bytes[i])) return false;
    return true;
}

bool torc_multipart_boundary(torc_str content_type, char *bytes, torc_str *boundary) {
    torc_parameter parameter;
    torc_str rest, found = {NULL, 0};

    (void)torc_parameters_front(content_type, &rest);
    do {
        if (torc_parameter_next(&rest, &parameter)) return false;
        if (!torc_str_equals_nocase(parameter.name, TORC_STR("boundary"))) continue;
        if (found.bytes || !is_boundary(parameter.value)) return false;
        found = parameter.value;
    } while (parameter.name.len > 0);
    if (!found.bytes) return false;
    memcpy(bytes, found.bytes, found.len);
    *boundary = torc_str_make(bytes, found.len);
    return true;
}

/* ---- names of fields and files ---- */

static char byte_of_escape(torc_str text, size_t at) {
    static const struct {
        char text[4], byte;
    } escapes[] = {{"%22", '"'}, {"%0d", '\r'}, {"%0a", '\n'}};
    const torc_str escape = torc_str_head(torc_str_from(text, at), 3);

    for (size_t i = 0; i < TORC_COUNT_OF(escapes); i++)
        if (torc_str_equals_nocase(escape, torc_str_make(escapes[i].text, 3)))
            return escapes[i].byte;
    return '\0';
}

/* Decode a name where it stands: it only gets shorter. */
static torc_str decode_name(torc_parameter parameter) {
    const torc_str text = parameter.value;
    char *to = (char *)(uintptr_t)text.bytes; /* within the head, which is the parser's */
    size_t len = 0;

    for (size_t at = 0; at < text.len; at++) {
        const char byte = text.bytes[at] == '%' ? byte_of_escape(text, at) : '\0';
        if (byte)
            at += 2;
        else if (parameter.is_quoted && torc_parameter_has_escape(text, at))
            at++;
        to[len++] = byte ? byte : text.bytes[at];
    }
    return torc_str_make(to, len);
}

/* `UTF-8'en'a%20b`, RFC 8187. */
static bool decode_extended(torc_parameter parameter, torc_str *decoded) {
    torc_str rest = parameter.value, charset, language;

    if (parameter.is_quoted || !torc_str_split(&rest, '\'', &charset) || !rest.bytes) return false;
    if (!torc_str_split(&rest, '\'', &language) || !rest.bytes) return false;
    if (!torc_str_equals_nocase(charset, TORC_STR("utf-8"))) return false;
    char *to = (char *)(uintptr_t)rest.bytes; /* as above */
    *decoded = torc_str_make(to, torc_percent_decode(rest, false, to));
    return torc_utf8_is_valid(*decoded) && torc_str_find_byte(*decoded, '\0') < 0;
}

static torc_err bad(torc_multipart *self, torc_err err, const char *problem) {
    self->base.problem = problem;
    return err;
}

/* What the disposition says, each once. */
typedef struct disposition {
    torc_str name, filename, extended;
} disposition;

static torc_err set_once(torc_str *place, torc_str value) {
    if (place->bytes) return TORC_ERR_SYNTAX;
    *place = value;
    return TORC_OK;
}

static torc_err take_parameter(disposition *told, torc_parameter parameter) {
    torc_str decoded;

    if (torc_str_equals_nocase(parameter.name, TORC_STR("name")))
        return set_once(&told->name, decode_name(parameter));
    if (torc_str_equals_nocase(parameter.name, TORC_STR("filename")))
        return set_once(&told->filename, decode_name(parameter));
    if (!torc_str_equals_nocase(parameter.name, TORC_STR("filename*"))) return TORC_OK;
    return decode_extended(parameter, &decoded) ? set_once(&told->extended, decoded)
                                                : TORC_ERR_SYNTAX;
}

static torc_err read_disposition(torc_multipart *self, torc_str value) {
    disposition told = {.name = {NULL, 0}};
    torc_parameter parameter;
    torc_str rest;
    torc_err err;

    if (!torc_str_equals_nocase(torc_parameters_front(value, &rest), TORC_STR("form-data")))
        return bad(self, TORC_ERR_SYNTAX, "the Content-Disposition of a part is not form-data");
    do {
        err = torc_parameter_next(&rest, &parameter);
        if (!err) err = take_parameter(&told, parameter);
        if (err) return bad(self, err, "the Content-Disposition of a part is malformed");
    } while (parameter.name.len > 0);
    if (!told.name.bytes) return bad(self, TORC_ERR_SYNTAX, "a part has no name");
    if (told.name.len > self->base.name_bytes_max)
        return bad(self, TORC_ERR_TOO_LARGE, "the name of a field is too long");
    self->base.part.name = told.name;
    self->base.part.filename = told.filename.bytes ? told.filename : told.extended;
    return TORC_OK;
}

/* ---- the head ---- */

/* Lines that begin with white space belong to those before them (RFC 822 folding). */
static void unfold(torc_str head) {
    char *bytes = (char *)(uintptr_t)head.bytes;

    for (size_t at = 2; at < head.len; at++)
        if (bytes[at - 1] == '\n' && (bytes[at] == ' ' || bytes[at] == '\t'))
            bytes[at - 2] = bytes[at - 1] = ' ';
}

static torc_err add_line(torc_multipart *self, torc_str line) {
    const ptrdiff_t colon = torc_str_find_byte(line, ':');
    torc_err err;

    if (colon < 0) return bad(self, TORC_ERR_SYNTAX, "a line of a part's head has no colon");
    if (self->fields.count >= self->base.fields_max)
        return bad(self, TORC_ERR_TOO_LARGE, "the head of a part has too many fields");
    err = torc_fields_add(&self->fields, &self->arena, torc_str_head(line, (size_t)colon),
                          torc_str_trim(torc_str_from(line, (size_t)colon + 1)));
    if (err == TORC_ERR_INVALID)
        return bad(self, TORC_ERR_SYNTAX, "a line of a part's head is no field");
    return err;
}

static torc_err add_lines(torc_multipart *self, torc_str head) {
    torc_err err = TORC_OK;

    while (!err && head.len > 2) {
        const torc_str line = torc_str_head(head, (size_t)torc_str_find(head, TORC_STR("\r\n")));
        head = torc_str_from(head, line.len + 2);
        err = add_line(self, line);
    }
    return err;
}

/* The value as sent, before its names are decoded in it. */
static torc_err find_disposition(torc_multipart *self, torc_str *value) {
    uint32_t place = 0;
    const torc_field *field =
        torc_fields_next_id(&self->fields, TORC_FIELD_CONTENT_DISPOSITION, &place);

    if (!field) return bad(self, TORC_ERR_SYNTAX, "a part has no Content-Disposition");
    if (torc_fields_next_id(&self->fields, TORC_FIELD_CONTENT_DISPOSITION, &place))
        return bad(self, TORC_ERR_SYNTAX, "a part has two Content-Dispositions");
    return torc_arena_copy(&self->arena, field->value, value);
}

torc_err torc_multipart_read_head(torc_multipart *parser, torc_str head) {
    torc_str value;
    torc_err err;

    torc_arena_dispose(&parser->arena); /* of the part before */
    parser->fields = (torc_fields){.items = NULL};
    parser->base.part = (torc_form_part){.fields = &parser->fields};
    unfold(head);
    err = add_lines(parser, head);
    if (!err) err = find_disposition(parser, &value);
    if (!err) err = read_disposition(parser, value);
    if (!err)
        parser->base.part.content_type =
            torc_fields_value_id(&parser->fields, TORC_FIELD_CONTENT_TYPE);
    return err;
}
