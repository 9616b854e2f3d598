/* SPDX-License-Identifier: MIT */
#ifndef TORC_JSON_VALUE_H
#define TORC_JSON_VALUE_H

#include <torc/arena.h>
#include <torc/json.h>

/**
 * Reading JSON (RFC 8259): a whole document becomes a tree of values in an arena.
 *
 *     const torc_json_value *order;
 *     torc_json_error error;
 *     torc_str name;
 *
 *     if (torc_json_parse(arena, text, NULL, &order, &error)) … error.line, error.text …
 *     if (torc_json_as_str(torc_json_find(order, "name"), &name)) …
 *
 * Each valid text is accepted, and each other one is refused with its place and with what was
 * expected there: also a byte order mark, what is not UTF-8, and an escape of half a surrogate pair
 * ("\ud800", of which RFC 8259 §8.2 says that nobody knows what it means). Names that come twice
 * are kept, in their order; I-JSON (RFC 7493) refuses them, by an option.
 *
 * Strings without an escape, and the texts of numbers, are slices of the input, which must live as
 * long as the values (or TORC_JSON_COPY). All else is in the arena. A value takes 24 bytes, and a
 * member two. Reading does not recurse. Values never change, and any thread may read them.
 */
typedef struct torc_json_value torc_json_value;

typedef enum torc_json_kind {
    TORC_JSON_NONE, /* of no value at all: NULL */
    TORC_JSON_NULL,
    TORC_JSON_BOOL,
    TORC_JSON_INT,    /* a number without point and exponent that an int64_t holds */
    TORC_JSON_UINT,   /* another that a uint64_t holds */
    TORC_JSON_DOUBLE, /* any other number */
    TORC_JSON_STR,
    TORC_JSON_ARRAY,
    TORC_JSON_OBJECT
} torc_json_kind;

/** What reading does otherwise than it would. */
typedef enum torc_json_rules {
    TORC_JSON_UNIQUE_NAMES = 1,       /* refuse an object in which a name comes twice */
    TORC_JSON_REPLACE_SURROGATES = 2, /* U+FFFD for an escape of half a surrogate pair */
    TORC_JSON_COPY = 4,               /* copy strings into the arena: the input may go */
    /* RFC 7493: names once only, no noncharacters, no number beyond the largest double */
    TORC_JSON_I_JSON = 8 | TORC_JSON_UNIQUE_NAMES
} torc_json_rules;

/** Limits of a document; 0 stands for the default. */
typedef struct torc_json_limits {
    uint32_t depth_max;        /* levels: 64, at most TORC_JSON_LEVELS_MAX */
    uint32_t bytes_max;        /* of the document: 4 GiB less a byte, the arena being limited */
    uint32_t value_count_max;  /* values and names: 1,000,000, which take 24 MB */
    uint32_t number_bytes_max; /* of the text of a number: 1024 */
    uint32_t token_bytes_max;  /* of a string or a name, to torc_json_reader: 65,536 */
    unsigned rules;            /* of torc_json_rules */
} torc_json_limits;

enum {
    TORC_JSON_LEVELS_MAX = 1024
};

/** Where a document goes wrong and how; of a mapping (<torc/json_struct.h>) which field does. */
typedef struct torc_json_error {
    torc_err err; /* SYNTAX, UTF8, TRUNCATED, LIMIT, EXISTS, INVALID (mappings), NO_MEMORY */
    uint32_t line, column; /* from 1, the column in characters; 0 in the errors of mappings */
    size_t offset;         /* in bytes */
    char pointer[256];     /* of mappings: the field as a JSON pointer, "/items/3/price" */
    char text[256];        /* "expected `,` or `}` after the member \"a\", found `5`" */
} torc_json_error;

/** Goes through the members of an object, or the elements of an array. */
typedef struct torc_json_cursor {
    const torc_json_value *next; /* private, as all of it */
    uint32_t left;
    bool is_object;
} torc_json_cursor;

TORC_BEGIN_DECLS

/**
 * Read a whole document. `limits` may be NULL: the defaults; `error`, too. When it fails the arena
 * is as it was before. TORC_ERR_TRUNCATED: more could have made it a document.
 */
TORC_API torc_err torc_json_parse(torc_arena *arena, torc_str text, const torc_json_limits *limits,
                                  const torc_json_value **value,
                                  torc_json_error *error) TORC_MUST_CHECK;

/** What kind of value it is. `value` may be NULL here and below: it is none then. */
TORC_API torc_json_kind torc_json_kind_of(const torc_json_value *value);
/** "a string", "an array": for messages. Static. */
TORC_API const char *torc_json_kind_text(torc_json_kind kind);
TORC_API bool torc_json_is_null(const torc_json_value *value);
TORC_API bool torc_json_is_number(const torc_json_value *value);

/**
 * The value as a C value; false, and nothing written, if it is another. Integers may be written
 * with point or exponent (1.0, 2e3) below 2^53. Any number that is not beyond the largest double is
 * a double.
 */
TORC_API bool torc_json_as_bool(const torc_json_value *value, bool *is_true);
TORC_API bool torc_json_as_int(const torc_json_value *value, int64_t *number);
TORC_API bool torc_json_as_uint(const torc_json_value *value, uint64_t *number);
TORC_API bool torc_json_as_double(const torc_json_value *value, double *number);
/** Decoded; may hold NUL bytes. */
TORC_API bool torc_json_as_str(const torc_json_value *value, torc_str *str);
/** A number as it was written; `.bytes` is NULL if it is no number. */
TORC_API torc_str torc_json_number_text(const torc_json_value *value);

/** The number of members or elements; 0 of what has none. */
TORC_API size_t torc_json_count(const torc_json_value *value);
/**
 * The member of that name (the last of them, as most readers have it), or NULL: also if it is no
 * object. Looks at all members.
 */
TORC_API const torc_json_value *torc_json_find(const torc_json_value *object, const char *name);
TORC_API const torc_json_value *torc_json_find_str(const torc_json_value *object, torc_str name);
/** The element at a place from 0 on, or NULL. To see them all, use a cursor. */
TORC_API const torc_json_value *torc_json_find_at(const torc_json_value *array, size_t place);
/** What a JSON pointer (RFC 6901) leads to, "/items/3/price", or NULL. "" is the value itself. */
TORC_API const torc_json_value *torc_json_find_pointer(const torc_json_value *value,
                                                       torc_str pointer);

/** Before the first member or element; of other values there are none. */
TORC_API torc_json_cursor torc_json_cursor_of(const torc_json_value *value);
/** The next member in the order of the text; false after the last, and in arrays. */
TORC_API bool torc_json_next_member(torc_json_cursor *cursor, torc_str *name,
                                    const torc_json_value **value);
/** The next element; false after the last, and in objects. */
TORC_API bool torc_json_next_element(torc_json_cursor *cursor, const torc_json_value **value);

/** Write a value: members in their order, numbers as they were read. */
TORC_API void torc_json_write_value(torc_json *json, const torc_json_value *value);

TORC_END_DECLS

#endif
