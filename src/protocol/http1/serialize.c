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
}; /* status line without its reason, and the fields of framing */

static char *put(char *to, torc_str str) {
    if (str.len) memcpy(to, str.bytes, str.len);
    return to + str.len;
}

static char *put_number(char *to, uint64_t number) {
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    memcpy(to, digits + at, sizeof(digits) - at);
    return to + (sizeof(digits) - at);
}

size_t torc_http1_fields_size(const torc_fields *fields) {
    size_t size = 2;

    for (uint32_t i = 0; i < fields->count; i++)
        size += fields->items[i].name.len + fields->items[i].value.len + 4;
    return size;
}

static torc_str reason_of(const torc_head *head) {
    return head->reason.bytes ? head->reason : torc_status_phrase(head->status);
}

size_t torc_http1_head_size(const torc_head *head) {
    const size_t line =
        head->status ? reason_of(head).len : head->method_text.len + head->target.text.len;
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

/* Whether the wire alone says it. */
static bool is_wires(torc_field_id id, const torc_http1_framing_out *framing) {
    if (id == TORC_FIELD_CONTENT_LENGTH || id == TORC_FIELD_TRANSFER_ENCODING ||
        id == TORC_FIELD_KEEP_ALIVE)
        return true;
    return id == TORC_FIELD_CONNECTION && framing->connection != TORC_HTTP1_CONNECTION_UPGRADE;
}

static char *put_fields(char *to, const torc_fields *fields,
                        const torc_http1_framing_out *framing) {
    bool has_connection = false;

    for (uint32_t i = 0; i < fields->count; i++) {
        const torc_field *field = &fields->items[i];
        if (is_wires(field->id, framing)) continue;
        has_connection |= field->id == TORC_FIELD_CONNECTION;
        to = put_field(to, field);
    }
    if (framing->connection == TORC_HTTP1_CONNECTION_CLOSE)
        to = put(to, TORC_STR("Connection: close\r\n"));
    else if (framing->connection == TORC_HTTP1_CONNECTION_KEEP_ALIVE)
        to = put(to, TORC_STR("Connection: keep-alive\r\n"));
    else if (framing->connection == TORC_HTTP1_CONNECTION_UPGRADE && !has_connection)
        to = put(to, TORC_STR("Connection: Upgrade\r\n"));
    return to;
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
