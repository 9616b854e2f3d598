/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_PARAMETERS_H
#define TORC_HTTP_PARAMETERS_H

#include <torc/str.h>

/* A parameter of a field's value; its value is as sent, within its quotes if it `is_quoted`. */
typedef struct torc_parameter {
    torc_str name, value;
    bool is_quoted;
} torc_parameter;

/* What stands in front of the first parameter, without blanks; `*rest` begins behind it. */
torc_str torc_parameters_front(torc_str value, torc_str *rest);
/*
 * Take the next `; name=value` from the front of `*rest`. TORC_OK with an empty name at the end;
 * TORC_ERR_SYNTAX.
 */
torc_err torc_parameter_next(torc_str *rest, torc_parameter *parameter) TORC_MUST_CHECK;
/* Whether a backslash at this place of a quoted value escapes what follows it. */
bool torc_parameter_has_escape(torc_str text, size_t at);

#endif
