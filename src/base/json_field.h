/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_JSON_FIELD_H
#define TORC_BASE_JSON_FIELD_H

#include <assert.h>
#include <torc/json_struct.h>

/*
 * What reading, writing and the schema of structs share: how a field is looked at.
 */

/* The integers that a field may be. */
typedef struct torc_json_range {
    int64_t min;  /* of unsigned ones not below 0 */
    uint64_t max; /* of signed ones at most INT64_MAX, and to be taken as signed below 0 */
} torc_json_range;

/* The numbers of elements or characters that may be. */
typedef struct torc_json_bounds {
    uint64_t min, max; /* `max` UINT64_MAX: no bound */
} torc_json_bounds;

torc_json_range torc_json_field_range(const torc_json_field *field);
torc_json_bounds torc_json_field_bounds(const torc_json_field *field);
/* Append what a value of the field must be: "an integer from 0 to 150, or null". */
void torc_json_field_describe(const torc_json_field *field, torc_buf *text);

/* Write the member of a struct at `from` that a field tells; nothing, if it is to be left out. */
void torc_json_write_member(torc_json *json, const torc_json_field *field, const void *from);

/* An integer of the field's width. */
int64_t torc_json_field_signed(const torc_json_field *field, const void *at);
uint64_t torc_json_field_unsigned(const torc_json_field *field, const void *at);

static inline const char *torc_json_field_name(const torc_json_field *field) {
    return field->name ? field->name : field->member;
}

static inline const void *torc_json_field_at(const torc_json_field *field, const void *within) {
    return (const char *)within + field->offset;
}

static inline bool torc_json_has_low(const torc_json_field *field) {
    return field->low != 0 || field->high != 0;
}

static inline bool torc_json_has_high(const torc_json_field *field) {
    return torc_json_has_low(field) && field->high >= field->low;
}

#endif
