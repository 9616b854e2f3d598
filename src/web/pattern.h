/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_PATTERN_H
#define TORC_WEB_PATTERN_H

#include <torc/buf.h>
#include <torc/route.h>

/*
 * The segments of a route's pattern: what they say, and whether a segment of a path fits them.
 */
typedef enum torc_part_kind {
    TORC_PART_LITERAL,
    TORC_PART_PARAM, /* one segment, or a part of it */
    TORC_PART_REST   /* all that is left */
} torc_part_kind;

/* What a parameter takes, and what stands around it in its segment. */
typedef struct torc_shape {
    torc_param_kind kind;
    torc_str before, after;
    torc_str choices; /* of TORC_PARAM_ANY: "en|de" */
} torc_shape;

typedef struct torc_part {
    torc_part_kind kind;
    torc_str text; /* the literal, or the parameter's name; empty of `*` */
    torc_shape shape;
} torc_part;

enum {
    TORC_PART_BYTES_MAX = 1000 /* of a literal, or a shape's texts together */
};

/* Read one segment; the slices point into it. NULL, or what is wrong with it, as a static text. */
const char *torc_part_read(torc_str text, torc_part *segment);
/* Write the segment of a parameter as a pattern has it, under this name. */
void torc_shape_write(const torc_shape *shape, torc_str name, torc_buf *text);
/* Whether any segment that is not empty fits it. */
bool torc_shape_is_plain(const torc_shape *shape);
bool torc_shape_equals(const torc_shape *a, const torc_shape *b);
/* Whether `a` is tried before `b`: what says more of the segment goes first. */
bool torc_shape_goes_before(const torc_shape *a, const torc_shape *b);
/* Whether a decoded segment fits; `value` is the part of it that the parameter takes. */
bool torc_shape_fits(const torc_shape *shape, torc_str segment, torc_str *value);
/* Whether a value alone is of a kind. */
bool torc_shape_takes(const torc_shape *shape, torc_str value);

/* The kinds by name: "int", "uuid". */
const char *torc_param_kind_name(torc_param_kind kind);

#endif
