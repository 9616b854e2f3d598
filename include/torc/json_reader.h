/* SPDX-License-Identifier: MIT */
#ifndef TORC_JSON_READER_H
#define TORC_JSON_READER_H

#include <torc/json_value.h>

/**
 * Reading JSON that comes in pieces, in bounded memory: each part is told as it comes.
 *
 *     static torc_err part(torc_json_reader *reader, const torc_json_part *part) { … }
 *
 *     torc_json_reader_init(&reader, memory, NULL, part, context);
 *     err = torc_json_reader_feed(&reader, piece);      // again and again
 *     err = torc_json_reader_finish(&reader);
 *     torc_json_reader_dispose(&reader);
 *
 * The parts are the same however the text is cut, and the texts that are accepted are those of
 * torc_json_parse(), but that names which come twice are not noticed. What is held is at most one
 * string or number (`token_bytes_max`). With TORC_JSON_READER_LINES, a text is any number of
 * documents, as in NDJSON; with a record separator (0x1E) before each (RFC 7464), that is passed
 * over, too. Belongs to one thread.
 */
typedef struct torc_json_reader torc_json_reader;

typedef enum torc_json_part_kind {
    TORC_JSON_PART_OBJECT, /* an object begins */
    TORC_JSON_PART_ARRAY,  /* an array begins */
    TORC_JSON_PART_CLOSE,  /* the innermost of them ends */
    TORC_JSON_PART_NAME,   /* of the member whose value comes next */
    TORC_JSON_PART_VALUE,  /* a string, a number, true, false or null */
    TORC_JSON_PART_END     /* a document is complete */
} torc_json_part_kind;

/** What was read. Lent for the call: also the value, and the bytes of strings and numbers. */
typedef struct torc_json_part {
    torc_json_part_kind kind;
    torc_str name;                /* of NAME */
    const torc_json_value *value; /* of VALUE, for torc_json_kind_of() and torc_json_as_int() … */
    uint32_t depth;               /* the levels that are open around it */
} torc_json_part;

/** Take a part. An error ends the reading, and is what feeding returns. */
typedef torc_err torc_json_part_fn(torc_json_reader *reader, const torc_json_part *part);

/** How texts are read. */
typedef enum torc_json_reader_mode {
    TORC_JSON_READER_ONE,  /* one document */
    TORC_JSON_READER_LINES /* documents one after the other, each ended by a line feed */
} torc_json_reader_mode;

struct torc_json_reader {
    void *context;           /* the caller's */
    torc_json_error error;   /* once feeding or finishing has failed */
    torc_json_part_fn *part; /* private, as all of the rest */
    torc_json_limits limits;
    torc_buf token;   /* what has come of a string, number or word that was cut */
    torc_buf decoded; /* a string whose escapes were decoded */
    uint64_t objects[TORC_JSON_LEVELS_MAX / 64]; /* a bit per level: an object */
    uint32_t depth;
    uint8_t state, mode;
    bool is_in_token;
    bool is_escaped; /* the string that was cut ends with a backslash that escapes */
    size_t offset;   /* of the first byte that is not behind us, or of the token */
    uint32_t line, column;
};

TORC_BEGIN_DECLS

/** Make a reader. `limits` may be NULL; of it `bytes_max` and `value_count_max` are not for here.
 */
TORC_API void torc_json_reader_init(torc_json_reader *reader, torc_memory *memory,
                                    const torc_json_limits *limits, torc_json_part_fn *part,
                                    void *context);
/** Set how documents follow each other; before the first piece. */
TORC_API void torc_json_reader_set_mode(torc_json_reader *reader, torc_json_reader_mode mode);
/**
 * Read the next piece, of any length. An error is final, and `error` says more: TORC_ERR_SYNTAX,
 * TORC_ERR_UTF8, TORC_ERR_LIMIT (levels, a token), TORC_ERR_NO_MEMORY, or what `part` returned.
 */
TORC_API torc_err torc_json_reader_feed(torc_json_reader *reader, torc_str piece) TORC_MUST_CHECK;
/** The text has ended: TORC_ERR_TRUNCATED if that is too soon. */
TORC_API torc_err torc_json_reader_finish(torc_json_reader *reader) TORC_MUST_CHECK;
/** Free what is held. */
TORC_API void torc_json_reader_dispose(torc_json_reader *reader);

TORC_END_DECLS

#endif
