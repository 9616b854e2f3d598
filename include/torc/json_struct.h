/* SPDX-License-Identifier: MIT */
#ifndef TORC_JSON_STRUCT_H
#define TORC_JSON_STRUCT_H

#include <torc/json_value.h>

/**
 * JSON objects to structs of C and back, by a table that says which member goes where.
 *
 *     typedef struct user {
 *         torc_str name;
 *         uint8_t age;
 *         torc_str *tags;
 *         size_t tag_count;
 *     } user;
 *
 *     static const torc_json_field user_fields[] = {
 *         TORC_JSON_FIELD_STR(user, name, .min = 1, .max = 40),
 *         TORC_JSON_FIELD_INT(user, age, .optional = true, .max = 150),
 *         TORC_JSON_FIELD_ARRAY(user, tags, tag_count, TORC_JSON_ITEM_STR(.max = 20),
 *                               .optional = true, .max = 10),
 *     };
 *     static const torc_json_struct user_json = TORC_JSON_STRUCT(user, user_fields);
 *
 *     err = torc_json_parse_struct(arena, text, NULL, &user_json, &somebody, &error);
 *     torc_json_write_struct(json, &user_json, &somebody);
 *     torc_json_write_schema(json, &user_json, NULL);
 *
 * A member is required unless it is `optional`; one that the table does not know is a mistake,
 * unless the table ignores those; one that comes twice always is. Each mistake is told with the
 * JSON pointer of the member ("/items/3/price") and what it must be ("must be an integer from 0 to
 * 150"). The C names are the members' names, unless `.name` gives another. Everything that is read
 * is in the arena, or where torc_json_parse() left it.
 */
typedef enum torc_json_field_kind {
    TORC_JSON_FIELD_IS_BOOL = 1, /* bool */
    TORC_JSON_FIELD_IS_INT,      /* a signed integer of any width */
    TORC_JSON_FIELD_IS_UINT,     /* an unsigned one */
    TORC_JSON_FIELD_IS_DOUBLE,   /* double, or float: what that cannot hold is refused */
    TORC_JSON_FIELD_IS_STR,      /* torc_str */
    TORC_JSON_FIELD_IS_TEXT,     /* an array of char in the struct, ended by NUL */
    TORC_JSON_FIELD_IS_ENUM,     /* an integer or enum: the place of the string in `names` */
    TORC_JSON_FIELD_IS_STRUCT,   /* another struct within this one */
    TORC_JSON_FIELD_IS_ARRAY,    /* a pointer and a count; or an array in the struct and a count */
    TORC_JSON_FIELD_IS_VALUE     /* const torc_json_value *: any JSON, NULL if there is none */
} torc_json_field_kind;

typedef struct torc_json_struct torc_json_struct;
typedef struct torc_json_field torc_json_field;

/** Where a member goes, and what it may be. Made by the macros below; zero is no limit. */
struct torc_json_field {
    const char *member; /* its name in C */
    torc_json_field_kind kind;
    uint32_t offset, size;
    uint32_t count_offset;       /* of arrays: where the size_t is that counts the elements */
    uint32_t fixed_count;        /* of arrays in the struct: how many elements have room; else 0 */
    const torc_json_struct *of;  /* of structs */
    const torc_json_field *item; /* of arrays: what the elements are */
    const char *const *names;    /* of enums */
    uint32_t name_count;
    /* for the caller to set: */
    uint32_t has;            /* TORC_JSON_HAS(): a bool that tells whether the member was there */
    const char *name;        /* in JSON; NULL: as in C */
    const char *description; /* for the schema */
    bool optional;
    bool nullable; /* null is taken as if it were not there; of elements: it is all zeros */
    /* Of integers the smallest and the largest, of strings the number of characters, of arrays the
     * number of elements. Both 0: no bound; a `max` below `min`: no upper bound. */
    int64_t min, max;
    double low, high; /* the same of doubles */
};

struct torc_json_struct {
    const char *name; /* of the struct: also of its schema, where that is referred to */
    size_t size;
    const torc_json_field *fields;
    size_t field_count;   /* at most TORC_JSON_FIELDS_MAX */
    const void *defaults; /* a struct of this kind with what optional members are; NULL: zeros */
    bool ignores_unknown; /* members that no field is for are passed over */
};

enum {
    TORC_JSON_FIELDS_MAX = 256,
    TORC_JSON_MISTAKES_MAX = 16,
    TORC_JSON_ELEMENTS_DEFAULT = 1000 /* the bound of an array in the arena that names none */
};

/** What is wrong with a member. */
typedef struct torc_json_mistake {
    torc_str pointer; /* "/items/3/price"; empty: the document itself */
    torc_str text;    /* "must be a number of at least 0" */
} torc_json_mistake;

/** The first mistakes; the texts are in the arena. */
typedef struct torc_json_mistakes {
    torc_json_mistake items[TORC_JSON_MISTAKES_MAX];
    size_t count;
} torc_json_mistakes;

/** A table: `TORC_JSON_STRUCT(user, user_fields, .ignores_unknown = true)`. */
#define TORC_JSON_STRUCT(...) TORC_JSON_STRUCT_(__VA_ARGS__, )
#define TORC_JSON_STRUCT_(type, table, ...)                                                        \
    {                                                                                              \
        .name = #type, .size = sizeof(type), .fields = (table),                                    \
        .field_count = sizeof(table) / sizeof((table)[0]), __VA_ARGS__                             \
    }

/** Fields: the struct, the member in C, and what else is to be said, as in `.max = 150`. */
#define TORC_JSON_FIELD_BOOL(type, ...) TORC_JSON_PLAIN_(IS_BOOL, type, __VA_ARGS__, )
#define TORC_JSON_FIELD_INT(type, ...) TORC_JSON_INT_(type, __VA_ARGS__, )
#define TORC_JSON_FIELD_DOUBLE(type, ...) TORC_JSON_PLAIN_(IS_DOUBLE, type, __VA_ARGS__, )
#define TORC_JSON_FIELD_STR(type, ...) TORC_JSON_PLAIN_(IS_STR, type, __VA_ARGS__, )
#define TORC_JSON_FIELD_TEXT(type, ...) TORC_JSON_PLAIN_(IS_TEXT, type, __VA_ARGS__, )
#define TORC_JSON_FIELD_VALUE(type, ...) TORC_JSON_PLAIN_(IS_VALUE, type, __VA_ARGS__, )
/** `TORC_JSON_FIELD_ENUM(user, role, role_names)`, of an array of texts. */
#define TORC_JSON_FIELD_ENUM(type, member, ...) TORC_JSON_ENUM_(type, member, __VA_ARGS__, )
/** `TORC_JSON_FIELD_STRUCT(user, address, &address_json)`. */
#define TORC_JSON_FIELD_STRUCT(type, member, ...) TORC_JSON_OF_(type, member, __VA_ARGS__, )
/** A pointer and a size_t: `TORC_JSON_FIELD_ARRAY(user, tags, tag_count, TORC_JSON_ITEM_STR())`. */
#define TORC_JSON_FIELD_ARRAY(type, items, count, ...)                                             \
    TORC_JSON_ARRAY_(type, items, count, 0, __VA_ARGS__, )
/** The same of an array in the struct, which bounds the number. */
#define TORC_JSON_FIELD_FIXED_ARRAY(type, items, count, ...)                                       \
    TORC_JSON_ARRAY_(type, items, count,                                                           \
                     sizeof(((type *)0)->items) / sizeof(((type *)0)->items[0]), __VA_ARGS__, )
/** Of an optional or nullable field: which bool of the struct tells that it was there. */
#define TORC_JSON_HAS(type, flag) .has = (uint32_t)offsetof(type, flag) + 1

/** Elements of arrays; of integers and structs with their type. */
#define TORC_JSON_ITEM_BOOL() TORC_JSON_ITEM_(IS_BOOL, sizeof(bool), )
#define TORC_JSON_ITEM_INT(...) TORC_JSON_ITEM_INT_(__VA_ARGS__, )
#define TORC_JSON_ITEM_DOUBLE(...) TORC_JSON_ITEM_(IS_DOUBLE, sizeof(double), __VA_ARGS__)
#define TORC_JSON_ITEM_STR(...) TORC_JSON_ITEM_(IS_STR, sizeof(torc_str), __VA_ARGS__)
#define TORC_JSON_ITEM_VALUE() TORC_JSON_ITEM_(IS_VALUE, sizeof(const torc_json_value *), )
#define TORC_JSON_ITEM_ENUM(type, texts)                                                           \
    TORC_JSON_ITEM_(IS_ENUM, sizeof(type), .names = (texts),                                       \
                    .name_count = sizeof(texts) / sizeof((texts)[0]))
#define TORC_JSON_ITEM_STRUCT(type, mapping)                                                       \
    TORC_JSON_ITEM_(IS_STRUCT, sizeof(type), .of = (mapping))

/* What the macros are made of: private. */
#define TORC_JSON_PLACE_(field_kind, type, c_name)                                                 \
    .member = #c_name, .kind = field_kind, .offset = (uint32_t)offsetof(type, c_name),             \
    .size = (uint32_t)sizeof(((type *)0)->c_name)
#define TORC_JSON_PLAIN_(field_kind, type, c_name, ...)                                            \
    { TORC_JSON_PLACE_(TORC_JSON_FIELD_##field_kind, type, c_name), __VA_ARGS__ }
#define TORC_JSON_SIGN_(value)                                                                     \
    _Generic((value), signed char                                                                  \
             : TORC_JSON_FIELD_IS_INT, short                                                       \
             : TORC_JSON_FIELD_IS_INT, int                                                         \
             : TORC_JSON_FIELD_IS_INT, long                                                        \
             : TORC_JSON_FIELD_IS_INT, long long                                                   \
             : TORC_JSON_FIELD_IS_INT, unsigned char                                               \
             : TORC_JSON_FIELD_IS_UINT, unsigned short                                             \
             : TORC_JSON_FIELD_IS_UINT, unsigned                                                   \
             : TORC_JSON_FIELD_IS_UINT, unsigned long                                              \
             : TORC_JSON_FIELD_IS_UINT, unsigned long long                                         \
             : TORC_JSON_FIELD_IS_UINT)
#define TORC_JSON_INT_(type, c_name, ...)                                                          \
    { TORC_JSON_PLACE_(TORC_JSON_SIGN_(((type *)0)->c_name), type, c_name), __VA_ARGS__ }
#define TORC_JSON_ENUM_(type, c_name, texts, ...)                                                  \
    {                                                                                              \
        TORC_JSON_PLACE_(TORC_JSON_FIELD_IS_ENUM, type, c_name),                                   \
            .names = (texts), .name_count = (uint32_t)(sizeof(texts) / sizeof((texts)[0])),        \
            __VA_ARGS__                                                                            \
    }
#define TORC_JSON_OF_(type, c_name, mapping, ...)                                                  \
    { TORC_JSON_PLACE_(TORC_JSON_FIELD_IS_STRUCT, type, c_name), .of = (mapping), __VA_ARGS__ }
#define TORC_JSON_ARRAY_(type, items, count, fixed, element, ...)                                  \
    {                                                                                              \
        TORC_JSON_PLACE_(TORC_JSON_FIELD_IS_ARRAY, type, items),                                   \
            .count_offset = (uint32_t)offsetof(type, count), .fixed_count = (uint32_t)(fixed),     \
            .item = (element), __VA_ARGS__                                                         \
    }
#define TORC_JSON_ITEM_(field_kind, width, ...)                                                    \
    (&(const torc_json_field){                                                                     \
        .kind = TORC_JSON_FIELD_##field_kind, .size = (uint32_t)(width), __VA_ARGS__})
#define TORC_JSON_ITEM_INT_(type, ...)                                                             \
    (&(const torc_json_field){                                                                     \
        .kind = TORC_JSON_SIGN_((type)0), .size = (uint32_t)sizeof(type), __VA_ARGS__})

TORC_BEGIN_DECLS

/**
 * Fill a struct from an object that was read: first with the defaults, then with what is there.
 * `mistakes` (may be NULL) tells what is wrong with TORC_ERR_INVALID; the struct is then of no use.
 * Other errors: TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_json_to_struct(torc_arena *arena, const torc_json_value *value,
                                      const torc_json_struct *mapping, void *into,
                                      torc_json_mistakes *mistakes) TORC_MUST_CHECK;
/**
 * Read a document into a struct. `error` (may be NULL) tells the mistake of the text, or with
 * TORC_ERR_INVALID the first one by `pointer` and `text`.
 */
TORC_API torc_err torc_json_parse_struct(torc_arena *arena, torc_str text,
                                         const torc_json_limits *limits,
                                         const torc_json_struct *mapping, void *into,
                                         torc_json_error *error) TORC_MUST_CHECK;
/**
 * Write a struct as an object. Left out are optional members whose `has` is false, strings without
 * bytes (`.bytes` NULL) and values that are NULL; the same is null where that is not optional but
 * nullable. An enum beyond its names, and a double that JSON cannot say, make the writing fail.
 */
TORC_API void torc_json_write_struct(torc_json *json, const torc_json_struct *mapping,
                                     const void *from);
/**
 * Write the table as a JSON Schema (2020-12, so also for OpenAPI 3.1): an object with the types,
 * bounds, defaults and required members. With `refs` ("#/components/schemas/") a struct within it
 * is referred to by its name; without (NULL) it is written where it stands, so that one that
 * contains itself makes the writing fail (TORC_ERR_LIMIT).
 */
TORC_API void torc_json_write_schema(torc_json *json, const torc_json_struct *mapping,
                                     const char *refs);

TORC_END_DECLS

#endif
