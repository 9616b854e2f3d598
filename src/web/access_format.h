/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_ACCESS_FORMAT_H
#define TORC_WEB_ACCESS_FORMAT_H

#include <torc/access_log.h>
#include <torc/fields.h>

/*
 * The format of an access log, as steps.
 *
 *  - The steps of a format never write more than TORC_LOG_LINE_MAX bytes: every one has a budget.
 */
typedef enum torc_access_kind {
    TORC_ACCESS_LITERAL,
    TORC_ACCESS_CLIENT,
    TORC_ACCESS_PEER,
    TORC_ACCESS_USER, /* always `-`: nothing here knows users */
    TORC_ACCESS_TIME_CLF,
    TORC_ACCESS_TIME_ISO,
    TORC_ACCESS_TIME_S,
    TORC_ACCESS_TIME_MS,
    TORC_ACCESS_TIME_US,
    TORC_ACCESS_LINE,
    TORC_ACCESS_METHOD,
    TORC_ACCESS_TARGET,
    TORC_ACCESS_PATH,
    TORC_ACCESS_QUERY,
    TORC_ACCESS_PROTOCOL,
    TORC_ACCESS_HOST,
    TORC_ACCESS_PORT,
    TORC_ACCESS_STATUS,
    TORC_ACCESS_BODY_BYTES,
    TORC_ACCESS_BODY_BYTES_OR_DASH,
    TORC_ACCESS_SENT_BYTES,
    TORC_ACCESS_DURATION_S,
    TORC_ACCESS_DURATION_MS,
    TORC_ACCESS_DURATION_US,
    TORC_ACCESS_STATE,  /* X or + */
    TORC_ACCESS_REASON, /* why it is not whole */
    TORC_ACCESS_REQUEST_ID,
    TORC_ACCESS_FIELD_IN,
    TORC_ACCESS_FIELD_OUT,
    TORC_ACCESS_PROCESS
} torc_access_kind;

typedef enum torc_access_style {
    TORC_ACCESS_TEXT,
    TORC_ACCESS_JSON,
    TORC_ACCESS_LOGFMT
} torc_access_style;

typedef struct torc_access_step {
    torc_access_kind kind;
    torc_field_id field; /* of a field that is known by a number */
    torc_str text;       /* a literal; a field's name */
} torc_access_step;

typedef struct torc_access_format {
    torc_access_style style;
    size_t budget; /* bytes that each step but a literal may write */
    uint32_t count;
    torc_access_step steps[];
} torc_access_format;

/* Read a format, or a name of one. */
torc_err torc_access_format_parse(torc_str text, torc_access_format_error *error,
                                  torc_access_format **format) TORC_MUST_CHECK;
void torc_access_format_free(torc_access_format *format);

#endif
