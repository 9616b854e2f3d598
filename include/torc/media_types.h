/* SPDX-License-Identifier: MIT */
#ifndef TORC_MEDIA_TYPES_H
#define TORC_MEDIA_TYPES_H

#include <torc/str.h>

/**
 * Media types by the names of files.
 *
 * The library knows some 340 extensions: what the web is made of (HTML, CSS, JavaScript, fonts,
 * pictures, sound, video, documents, archives, data). A torc_media_types knows more, or other ones:
 * what was added to it goes before what is built in. Extensions are compared without regard to
 * case. A table belongs to who makes it, and must outlive the resources that use it; while nobody
 * changes it any thread may ask it.
 */
typedef struct torc_media_types torc_media_types;

/** Where a file of types could not be used, and why. */
typedef struct torc_media_types_error {
    size_t line;    /* the first is 1; 0: it is about the file itself */
    char text[200]; /* a sentence part; what is quoted in it is made printable */
} torc_media_types_error;

TORC_BEGIN_DECLS

/** Make a table that knows what is built in. NULL when out of memory. */
TORC_API torc_media_types *torc_media_types_new(void);
/** NULL is fine. */
TORC_API void torc_media_types_free(torc_media_types *types);
/**
 * Add a type, for names that end in a dot and `extension` ("md", ".md", "tar.gz"); one that is
 * known gets the new type. TORC_ERR_INVALID for what is no extension or no media type.
 */
TORC_API torc_err torc_media_types_add(torc_media_types *types, torc_str extension,
                                       torc_str type) TORC_MUST_CHECK;
/** The same of a pair, "md=text/markdown; charset=utf-8". */
TORC_API torc_err torc_media_types_add_pair(torc_media_types *types, torc_str pair) TORC_MUST_CHECK;
/**
 * Add what a text says, in the format of mime.types: in each line a type and its extensions
 * ("text/html  html htm"), or a pair as above; `#` begins a comment. TORC_ERR_INVALID with the line
 * in `error`, which may be NULL: then the lines before it have been added.
 */
TORC_API torc_err torc_media_types_parse(torc_media_types *types, torc_str text,
                                         torc_media_types_error *error) TORC_MUST_CHECK;
/**
 * The same of a file, of a megabyte at most. Blocks: for the set-up of a program. The errors are
 * those of parsing and of the system, TORC_ERR_TOO_LARGE.
 */
TORC_API torc_err torc_media_types_load(torc_media_types *types, const char *path,
                                        torc_media_types_error *error) TORC_MUST_CHECK;

/**
 * The type of a name, by the longest of its extensions that is known: of "a.tar.gz", "tar.gz"
 * before "gz". `types` NULL: what is built in. `.bytes` NULL: not known. What was added lives as
 * long as the table, or until it gets another type.
 */
TORC_API torc_str torc_media_types_find(const torc_media_types *types, torc_str name);
/** Whether it is a media type, perhaps with parameters, that can be sent as a field's value. */
TORC_API bool torc_media_type_is_valid(torc_str type);

TORC_END_DECLS

#endif
