/* SPDX-License-Identifier: MIT */
/*
 * Media types by the names of files: what was added, before what is built in.
 *
 *  - An entry is one allocation: itself, its extension in small letters, its type.
 *  - What is in a table can be sent as it is: types are valid field values.
 */
#include <torc/media_types.h>

#include <stdarg.h>
#include <stdio.h>
#include <torc/fields.h>
#include <torc/memory.h>

#include "base/ascii.h"
#include "base/map.h"
#include "message/media_type.h"

enum {
    TYPE_LEN_MAX = 127,
    EXTENSIONS_MAX = 3 /* of a name: "a.b.c.d" is asked for "b.c.d", "c.d" and "d" */
};

typedef struct entry {
    torc_str extension, type;
    char bytes[];
} entry;

struct torc_media_types {
    torc_map entries; /* by extension */
};

torc_media_types *torc_media_types_new(void) {
    torc_media_types *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (self) torc_map_init(&self->entries, NULL, TORC_MEMORY_OTHER, false);
    return self;
}

void torc_media_types_free(torc_media_types *self) {
    size_t place = 0;
    entry *each;

    if (!self) return;
    while ((each = torc_map_next(&self->entries, &place, NULL)) != NULL) torc_dealloc(NULL, each);
    torc_map_dispose(&self->entries);
    torc_dealloc(NULL, self);
}

/* ---- what is valid ---- */

bool torc_media_type_is_valid(torc_str type) {
    const ptrdiff_t semicolon = torc_str_find_byte(type, ';'),
                    slash = torc_str_find_byte(type, '/');
    const torc_str name =
        torc_str_trim(semicolon < 0 ? type : torc_str_head(type, (size_t)semicolon));

    if (slash < 0 || (size_t)slash >= name.len || type.len > TYPE_LEN_MAX) return false;
    return torc_is_token(torc_str_head(name, (size_t)slash)) &&
           torc_is_token(torc_str_from(name, (size_t)slash + 1)) && torc_field_value_is_valid(type);
}

static bool extension_is_valid(torc_str extension) {
    if (extension.len == 0 || extension.len > TORC_EXTENSION_MAX) return false;
    for (size_t i = 0; i < extension.len; i++)
        if ((unsigned char)extension.bytes[i] <= ' ' || extension.bytes[i] == '/' ||
            extension.bytes[i] == 0x7f)
            return false;
    return extension.bytes[0] != '.' && extension.bytes[extension.len - 1] != '.';
}

static torc_str without_dot(torc_str extension) {
    return torc_str_from(extension, torc_str_starts_with(extension, TORC_STR(".")) ? 1 : 0);
}

static void make_small(torc_str text, char *small) {
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.bytes[i];
        small[i] = torc_small(c);
    }
}

/* ---- adding ---- */

static entry *entry_new(torc_str extension, torc_str type) {
    entry *self = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*self) + extension.len + type.len);

    if (!self) return NULL;
    make_small(extension, self->bytes);
    memcpy(self->bytes + extension.len, type.bytes, type.len);
    self->extension = torc_str_make(self->bytes, extension.len);
    self->type = torc_str_make(self->bytes + extension.len, type.len);
    return self;
}

torc_err torc_media_types_add(torc_media_types *self, torc_str given, torc_str type) {
    const torc_str extension = without_dot(given);
    entry *added, *replaced;
    torc_err err;

    if (!extension_is_valid(extension) || !torc_media_type_is_valid(type)) return TORC_ERR_INVALID;
    added = entry_new(extension, type);
    if (!added) return TORC_ERR_NO_MEMORY;
    replaced = torc_map_find(&self->entries, added->extension);
    err = torc_map_set(&self->entries, added->extension, added);
    torc_dealloc(NULL, err ? added : replaced);
    return err;
}

torc_err torc_media_types_add_pair(torc_media_types *self, torc_str pair) {
    torc_str type = pair, extension;

    if (!torc_str_split(&type, '=', &extension) || !type.bytes) return TORC_ERR_INVALID;
    return torc_media_types_add(self, torc_str_trim(extension), torc_str_trim(type));
}

/* ---- texts ---- */

/* A word of the text as it can be shown: printable, and not too long. */
typedef struct shown {
    char text[44];
} shown;

static shown show(torc_str word) {
    const size_t len = word.len < 40 ? word.len : 40;
    shown self = {0};

    for (size_t i = 0; i < len; i++) {
        const char c = word.bytes[i];
        self.text[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    if (len < word.len) memcpy(self.text + len, "...", 3);
    return self;
}

TORC_PRINTF(2, 3)
static torc_err explain(torc_media_types_error *error, const char *format, ...) {
    va_list arguments;

    if (!error) return TORC_ERR_INVALID;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return TORC_ERR_INVALID;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static torc_str trim(torc_str text) {
    while (text.len && is_blank(text.bytes[0])) text = torc_str_from(text, 1);
    while (text.len && is_blank(text.bytes[text.len - 1])) text = torc_str_head(text, text.len - 1);
    return text;
}

static bool next_word(torc_str *rest, torc_str *word) {
    size_t len = 0;

    *rest = trim(*rest);
    while (len < rest->len && !is_blank(rest->bytes[len])) len++;
    *word = torc_str_head(*rest, len);
    *rest = torc_str_from(*rest, len);
    return len > 0;
}

static torc_err parse_pair(torc_media_types *self, torc_str line, torc_media_types_error *error) {
    const torc_err err = torc_media_types_add_pair(self, line);

    if (err != TORC_ERR_INVALID) return err;
    return explain(error, "\"%s\" is not EXTENSION=TYPE/SUBTYPE", show(line).text);
}

static torc_err parse_types(torc_media_types *self, torc_str line, torc_media_types_error *error) {
    torc_str type, extension;

    if (!next_word(&line, &type)) return TORC_OK;
    if (!torc_media_type_is_valid(type))
        return explain(error, "\"%s\" is no media type (TYPE/SUBTYPE)", show(type).text);
    while (next_word(&line, &extension)) {
        const torc_err err = torc_media_types_add(self, extension, type);
        if (err == TORC_ERR_INVALID)
            return explain(error, "\"%s\" is no extension", show(extension).text);
        if (err) return err;
    }
    return TORC_OK;
}

static torc_err parse_line(torc_media_types *self, torc_str line, torc_media_types_error *error) {
    const ptrdiff_t comment = torc_str_find_byte(line, '#');
    const torc_str text = trim(comment < 0 ? line : torc_str_head(line, (size_t)comment));
    const ptrdiff_t equals = torc_str_find_byte(text, '='), slash = torc_str_find_byte(text, '/');

    if (equals >= 0 && (slash < 0 || equals < slash)) return parse_pair(self, text, error);
    return parse_types(self, text, error);
}

torc_err torc_media_types_parse(torc_media_types *self, torc_str text,
                                torc_media_types_error *error) {
    torc_str line;
    torc_err err = TORC_OK;

    if (error) *error = (torc_media_types_error){0};
    for (size_t number = 1; !err && torc_str_split(&text, '\n', &line); number++) {
        if (error) error->line = number;
        err = parse_line(self, line, error);
    }
    if (error && !err) error->line = 0;
    if (error && err && err != TORC_ERR_INVALID) explain(error, "%s", torc_err_text(err));
    return err;
}

/* ---- asking ---- */

/* The extension that begins behind the n-th dot from the end; false: there is none, or it is longer
 * than any that is known. */
static bool read_extension(torc_str name, int dots, char small[TORC_EXTENSION_MAX],
                           torc_str *extension) {
    size_t start = name.len;

    while (start > 0 && name.len - start <= TORC_EXTENSION_MAX) {
        if (name.bytes[--start] != '.' || --dots > 0) continue;
        const torc_str text = torc_str_from(name, start + 1);
        if (text.len > TORC_EXTENSION_MAX) return false;
        make_small(text, small);
        *extension = torc_str_make(small, text.len);
        return true;
    }
    return false;
}

torc_str torc_media_types_find(const torc_media_types *self, torc_str name) {
    char small[TORC_EXTENSION_MAX];
    torc_str extension;

    if (self && torc_map_count(&self->entries) > 0)
        for (int dots = EXTENSIONS_MAX; dots > 0; dots--) {
            if (!read_extension(name, dots, small, &extension)) continue;
            const entry *found = torc_map_find(&self->entries, extension);
            if (found) return found->type;
        }
    if (!read_extension(name, 1, small, &extension)) return torc_str_make(NULL, 0);
    return torc_media_type_of_extension(extension);
}
