/* SPDX-License-Identifier: MIT */
#ifndef TORC_JSON_H
#define TORC_JSON_H

#include <torc/buf.h>

/**
 * Writing JSON (RFC 8259), piece by piece, to a buffer or a function.
 *
 *     torc_json_open_object(json);
 *     torc_json_member_str(json, "id", id);
 *     torc_json_member_array(json, "tags");
 *     torc_json_text(json, "new");
 *     torc_json_close_array(json);
 *     torc_json_close_object(json);
 *     err = torc_json_end(json);
 *
 * Nothing returns an error but torc_json_end(): what goes wrong on the way stays (invalid UTF-8,
 * TORC_ERR_UTF8; a number that JSON cannot say, TORC_ERR_INVALID; more than TORC_JSON_DEPTH_MAX
 * levels, TORC_ERR_LIMIT; calls out of order, TORC_ERR_STATE; what the sink says), and nothing more
 * is written. The structure is checked: members in objects only, values elsewhere, one value in
 * all. That names differ is the caller's care. Allocates nothing, and belongs to one thread.
 */
enum {
    TORC_JSON_DEPTH_MAX = 64
};

typedef enum torc_json_options {
    TORC_JSON_PLAIN = 0,
    TORC_JSON_FOR_HTML = 1,        /* escape <, >, &, U+2028, U+2029: safe within <script> */
    TORC_JSON_REPLACE_INVALID = 2, /* write U+FFFD for what is not UTF-8, instead of failing */
    TORC_JSON_PRETTY = 4           /* a line for each member and element, indented by two spaces */
} torc_json_options;

/** Takes the next bytes of the document. An error ends the writing. */
typedef torc_err torc_json_write_fn(void *context, torc_str bytes);

/**
 * Counts the first `used` bytes of the room that it gave last (0 at first), and gives the next:
 * `len` bytes at `*room`, at least one, and `wanted` where that is possible; none if `wanted` is 0.
 * An error ends the writing.
 */
typedef torc_err torc_json_room_fn(void *context, size_t used, size_t wanted, char **room,
                                   size_t *len);

/** Stays where it was made. */
struct torc_json {
    char *next, *end; /* private, as all of it: the room that is free */
    char *start;      /* where that room began */
    torc_json_room_fn *room;
    torc_json_write_fn *write; /* of a document that goes to a function: its room is `stage` */
    void *context;
    uint64_t objects; /* a bit per open level, the outermost lowest: an object, not an array */
    int16_t err;
    uint8_t options;
    uint8_t depth;
    bool is_in_object; /* the innermost open level is one */
    bool has_items;    /* the innermost open level, or the document */
    bool has_key;      /* a member's name was written, its value was not */
    char stage[240];
};

TORC_BEGIN_DECLS

/** Begin a document that is written through a function. Needs no counterpart. */
TORC_API void torc_json_init(torc_json *json, torc_json_write_fn *write, void *context,
                             torc_json_options options);
/** Begin a document that is written to where `room` says, without a copy. */
TORC_API void torc_json_init_room(torc_json *json, torc_json_room_fn *room, void *context,
                                  torc_json_options options);
/** Begin a document that is appended to a buffer. It is all there after torc_json_end() only. */
TORC_API void torc_json_init_buf(torc_json *json, torc_buf *buf, torc_json_options options);

TORC_API void torc_json_open_object(torc_json *json);
TORC_API void torc_json_close_object(torc_json *json);
TORC_API void torc_json_open_array(torc_json *json);
TORC_API void torc_json_close_array(torc_json *json);

/** The name of the member whose value comes next. */
TORC_API void torc_json_key(torc_json *json, const char *name);
/** The same, for a name that is not ended by NUL. */
TORC_API void torc_json_key_str(torc_json *json, torc_str name);

TORC_API void torc_json_str(torc_json *json, torc_str value);
/** A string, or null for NULL. */
TORC_API void torc_json_text(torc_json *json, const char *value);
TORC_API void torc_json_int(torc_json *json, int64_t value);
TORC_API void torc_json_uint(torc_json *json, uint64_t value);
/** The shortest number that reads back as `value`. NaN and the infinities are TORC_ERR_INVALID. */
TORC_API void torc_json_double(torc_json *json, double value);
TORC_API void torc_json_bool(torc_json *json, bool value);
TORC_API void torc_json_null(torc_json *json);
/** A value that is JSON already; it is not looked at. */
TORC_API void torc_json_raw(torc_json *json, torc_str value);

/** A member: its name and its value at once. */
TORC_API void torc_json_member_str(torc_json *json, const char *name, torc_str value);
TORC_API void torc_json_member_text(torc_json *json, const char *name, const char *value);
TORC_API void torc_json_member_int(torc_json *json, const char *name, int64_t value);
TORC_API void torc_json_member_uint(torc_json *json, const char *name, uint64_t value);
TORC_API void torc_json_member_double(torc_json *json, const char *name, double value);
TORC_API void torc_json_member_bool(torc_json *json, const char *name, bool value);
TORC_API void torc_json_member_null(torc_json *json, const char *name);
TORC_API void torc_json_member_raw(torc_json *json, const char *name, torc_str value);
/** A member that is an object or an array, which is then open. */
TORC_API void torc_json_member_object(torc_json *json, const char *name);
TORC_API void torc_json_member_array(torc_json *json, const char *name);

/** Make the writing fail with `err`, unless it has failed. */
TORC_API void torc_json_fail(torc_json *json, torc_err err);
/** The first failure so far, or TORC_OK. */
TORC_API torc_err torc_json_err(const torc_json *json);
/**
 * End the document: pass on what is left of it. Returns the first failure; TORC_ERR_STATE when
 * something is still open or nothing was written. Repeating it is fine.
 */
TORC_API torc_err torc_json_end(torc_json *json) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
