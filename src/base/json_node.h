/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_JSON_NODE_H
#define TORC_BASE_JSON_NODE_H

#include <assert.h>
#include <torc/json_value.h>

/*
 * The values of a document, one after the other in the order of the text: an object is followed by
 * the name and the value of each of its members, an array by its elements. They stand in pieces of
 * memory, each of which but the last ends with a jump to the next.
 */
enum {
    TORC_JSON_JUMP = 64 /* a kind, that only stands here: `next` is the first of the next piece */
};

struct torc_json_value {
    uint32_t kind;
    uint32_t len;     /* of the text; or the number of elements or members */
    const char *text; /* of strings, decoded; of numbers as they were read */
    union {
        bool is_true;
        int64_t signed_;
        uint64_t unsigned_;
        double real;
        torc_json_value *next;   /* of an object or array: what follows it, perhaps a jump */
        torc_json_value *parent; /* of one that is not closed yet */
    } as;
};

static_assert(sizeof(torc_json_value) <= 24, "a value takes 24 bytes");

static inline bool torc_json_is_container(const torc_json_value *value) {
    return value->kind >= TORC_JSON_ARRAY;
}

/* The value that a place stands for. */
static inline const torc_json_value *torc_json_landed(const torc_json_value *place) {
    return place->kind == TORC_JSON_JUMP ? place->as.next : place;
}

/* The place behind a value and all that is in it; nothing may stand there. */
static inline const torc_json_value *torc_json_behind(const torc_json_value *value) {
    return torc_json_is_container(value) ? value->as.next : value + 1;
}

static inline torc_str torc_json_text_of(const torc_json_value *value) {
    return torc_str_make(value->text, value->len);
}

#endif
