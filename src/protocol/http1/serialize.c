/* SPDX-License-Identifier: MIT */
/*
 * Writing heads.
 *
 *  - What is written was checked when it was set; here only lengths are added up.
 */
#include "protocol/http1/serialize.h"

#include <torc/status.h>

enum {
    LINE_AND_FRAMING = 192
}; /* the first line without a reason or target of its own, and the fields of framing */

/* A text that is mostly short: in two moves that may overlap, where a call would cost more. */
static inline char *put(char *to, torc_str str) {
    const size_t len = str.len;

    if (len > 32) {
        memcpy(to, str.bytes, len);
    } else if (len >= 16) {
        memmove(to, str.bytes, 16);
        memmove(to + len - 16, str.bytes + len - 16, 16);
    } else if (len >= 8) {
        memmove(to, str.bytes, 8);
        memmove(to + len - 8, str.bytes + len - 8, 8);
    } else if (len >= 4) {
        memmove(to, str.bytes, 4);
        memmove(to + len - 4, str.bytes + len - 4, 4);
    } else {
        for (size_t i = 0; i < len; i++) to[i] = str.bytes[i];
    }
    return to + len;
}

static char *put_number(char *to, uint64_t number) {
    if (number >= 100) {
        to = put_number(to, number / 100);
        number %= 100;
        *to++ = (char)('0' + number / 10);
    } else if (number >= 10) {
        *to++ = (char)('0' + number / 10);
    }
    *to++ = (char)('0' + number % 10);
    return to;
}

size_t torc_http1_fields_size(const torc_fields *fields) {
    size_t size = 2;

    for (uint32_t i = 0; i < fields->count; i++)
        size += fields->items[i].name.len + fields->items[i].value.len + 4;
    return size;
}

size_t torc_http1_head_size(const torc_head *head) {
    const size_t line =
        head->status ? head->reason.len : head->method_text.len + head->target.text.len;
    return LINE_AND_FRAMING + line + torc_http1_fields_size(&head->fields);
}

static char *put_field(char *to, const torc_field *field) {
    to = put(to, field->name);
    *to++ = ':';
    *to++ = ' ';
    to = put(to, field->value);
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

/* What the wire alone says, and what Connection does. */
enum {
    OF_FRAMING = 1,
    OF_CONNECTION = 2
};

static const uint8_t kinds[TORC_FIELDS] = {
    [TORC_FIELD_CONTENT_LENGTH] = OF_FRAMING,
    [TORC_FIELD_TRANSFER_ENCODING] = OF_FRAMING,
    [TORC_FIELD_KEEP_ALIVE] = OF_FRAMING,
    [TORC_FIELD_CONNECTION] = OF_CONNECTION,
};

static char *put_connection(char *to, torc_http1_connection_field connection, bool has_connection) {
    if (connection == TORC_HTTP1_CONNECTION_CLOSE)
        return put(to, TORC_STR("Connection: close\r\n"));
    if (connection == TORC_HTTP1_CONNECTION_KEEP_ALIVE)
        return put(to, TORC_STR("Connection: keep-alive\r\n"));
    return has_connection ? to : put(to, TORC_STR("Connection: Upgrade\r\n"));
}

/* A Connection field goes out as it is only beside an upgrade. */
static char *put_fields(char *to, const torc_fields *fields,
                        const torc_http1_framing_out *framing) {
    const bool is_upgrade = framing->connection == TORC_HTTP1_CONNECTION_UPGRADE;
    const torc_field *field = fields->items, *const end = field + fields->count;
    bool has_connection = false;

    for (; field < end; field++) {
        const uint8_t kind = kinds[field->id];
        if (kind) {
            if (kind == OF_FRAMING || !is_upgrade) continue;
            has_connection = true;
        }
        to = put_field(to, field);
    }
    return framing->connection ? put_connection(to, framing->connection, has_connection) : to;
}

static char *put_framing(char *to, const torc_http1_framing_out *framing) {
    if (framing->body == TORC_HTTP1_BODY_LENGTH) {
        to = put(to, TORC_STR("Content-Length: "));
        to = put_number(to, framing->length);
        to = put(to, TORC_STR("\r\n"));
    } else if (framing->body == TORC_HTTP1_BODY_CHUNKED) {
        to = put(to, TORC_STR("Transfer-Encoding: chunked\r\n"));
    }
    return put(to, TORC_STR("\r\n"));
}

static char *put_status_line(char *to, const torc_head *head) {
    const torc_str line =
        head->reason.bytes ? torc_str_make(NULL, 0) : torc_status_line(head->status);

    if (line.bytes) return put(to, line);
    to = put(to, TORC_STR("HTTP/1.1 "));
    to = put_number(to, (uint64_t)head->status);
    *to++ = ' ';
    to = put(to, head->reason);
    return put(to, TORC_STR("\r\n"));
}

size_t torc_http1_write_response(const torc_head *head, const torc_http1_framing_out *framing,
                                 char *to) {
    char *at = put_status_line(to, head);

    at = put_fields(at, &head->fields, framing);
    at = put_framing(at, framing);
    return (size_t)(at - to);
}

size_t torc_http1_write_request(const torc_head *head, const torc_http1_framing_out *framing,
                                char *to) {
    char *at = put(to, head->method_text);

    *at++ = ' ';
    at = put(at, head->target.text);
    at = put(at, TORC_STR(" HTTP/1.1\r\n"));
    at = put_fields(at, &head->fields, framing);
    at = put_framing(at, framing);
    return (size_t)(at - to);
}

size_t torc_http1_write_trailers(const torc_fields *fields, char *to) {
    char *at = to;

    for (uint32_t i = 0; i < fields->count; i++) at = put_field(at, &fields->items[i]);
    at = put(at, TORC_STR("\r\n"));
    return (size_t)(at - to);
}
