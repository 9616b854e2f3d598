/* SPDX-License-Identifier: MIT */
/*
 * Limits by name, for --limit NAME=VALUE.
 */
#include <stddef.h>
#include <stdio.h>

#include "app/options.h"

typedef struct named_limit {
    const char *name;
    const char *help;
    size_t place;
    bool is_wide; /* 64 bits */
} named_limit;

#define LIMIT(member, name, help)                                                                  \
    { name, help, offsetof(torc_limits, member), sizeof(((torc_limits *)0)->member) == 8 }

static const named_limit of_requests[] = {
    LIMIT(request_line_bytes_max, "request-line-bytes", "length of a request line"),
    LIMIT(section_bytes_max, "section-bytes", "request line and fields together"),
    LIMIT(fields_max, "fields", "number of field lines"),
    LIMIT(chunk_line_bytes_max, "chunk-line-bytes", "a chunk's size line"),
    LIMIT(trailers_bytes_max, "trailers-bytes", "the trailers of a body"),
    LIMIT(body_bytes_max, "body-bytes", "the body of a request"),
    LIMIT(body_memory_max, "body-memory", "a whole body in memory; longer: a file"),
    LIMIT(request_memory_max, "request-memory", "of a request's own memory"),
    LIMIT(requests_per_connection_max, "requests-per-connection", "then it is closed"),
    LIMIT(requests_per_turn_max, "requests-per-turn", "of one connection"),
    LIMIT(drain_bytes_max, "drain-bytes", "of an unread body, to keep connected"),
    LIMIT(output_bytes_max, "output-bytes", "unsent bytes of a response"),
    LIMIT(output_high_bytes, "output-high-bytes", "unsent bytes that pause a response"),
};

static const named_limit of_forms[] = {
    LIMIT(form_parts_max, "form-parts", "fields and files of a form"),
    LIMIT(form_files_max, "form-files", "files of a form"),
    LIMIT(form_part_head_bytes_max, "form-part-head-bytes", "the head of a part"),
    LIMIT(form_part_fields_max, "form-part-fields", "field lines of that head"),
    LIMIT(form_name_bytes_max, "form-name-bytes", "the name of a field"),
    LIMIT(form_value_bytes_max, "form-value-bytes", "a field that is no file"),
    LIMIT(form_values_bytes_max, "form-values-bytes", "all of these together, kept"),
    LIMIT(form_file_bytes_max, "form-file-bytes", "a file of a form"),
};

static const named_limit of_times[] = {
    LIMIT(keep_alive_ms, "keep-alive-ms", "a connection without a request"),
    LIMIT(header_ms, "header-ms", "from first to last byte of a head"),
    LIMIT(body_stall_ms, "body-stall-ms", "without a byte of a body"),
    LIMIT(body_rate_min, "body-rate-min", "bytes a second of a body, at least"),
    LIMIT(body_ms, "body-ms", "of a body, from its first read on"),
    LIMIT(output_stall_ms, "output-stall-ms", "without a byte taken by the peer"),
    LIMIT(output_rate_min, "output-rate-min", "bytes a second of a response, at least"),
    LIMIT(rate_grace_ms, "rate-grace-ms", "before a minimum rate counts"),
    LIMIT(half_close_ms, "half-close-ms", "for the answers after the peer's end"),
    LIMIT(linger_ms, "linger-ms", "to read on after an error reply"),
    LIMIT(answer_ms, "answer-ms", "of all that a route waits for"),
    LIMIT(drain_ms, "drain-ms", "for what is in progress at the end"),
};

static const named_limit of_shares[] = {
    LIMIT(connections_max, "connections", "of a listener"),
    LIMIT(connections_per_address_max, "connections-per-address", "of a listener"),
    LIMIT(fibers_max, "fibers", "routes in progress"),
    LIMIT(memory_max, "memory", "bytes of all that the server allocates"),
};

typedef struct limit_group {
    const char *title;
    const named_limit *limits;
    size_t count;
} limit_group;

/* Each within a screen. */
static const limit_group groups[] = {
    {"Limits of requests", of_requests, TORC_COUNT_OF(of_requests)},
    {"Limits of forms", of_forms, TORC_COUNT_OF(of_forms)},
    {"Limits of time", of_times, TORC_COUNT_OF(of_times)},
    {"Limits of the machine", of_shares, TORC_COUNT_OF(of_shares)},
};

enum {
    LIMITS_MAX = 100
};

static const named_limit *find(torc_str name) {
    for (size_t g = 0; g < TORC_COUNT_OF(groups); g++)
        for (size_t i = 0; i < groups[g].count; i++)
            if (torc_str_equals(name, torc_str_of(groups[g].limits[i].name)))
                return &groups[g].limits[i];
    return NULL;
}

static const char *unknown(torc_str name, char text[160]) {
    const char *names[LIMITS_MAX];
    size_t count = 0;

    for (size_t g = 0; g < TORC_COUNT_OF(groups); g++)
        for (size_t i = 0; i < groups[g].count && count < LIMITS_MAX; i++)
            names[count++] = groups[g].limits[i].name;
    const char *nearest = torc_str_nearest(name, names, count);
    if (nearest)
        snprintf(text, 160, "no such limit; did you mean %s?", nearest);
    else
        snprintf(text, 160, "no such limit; --help=limits lists them");
    return text;
}

static void store(torc_limits *limits, const named_limit *limit, uint64_t value) {
    char *place = (char *)limits + limit->place;
    const uint32_t narrow = (uint32_t)value;

    memcpy(place, limit->is_wide ? (const void *)&value : (const void *)&narrow,
           limit->is_wide ? sizeof(value) : sizeof(narrow));
}

/* It is too large, or no number that a limit may have. */
static const char *wrong_value(const char *value, uint64_t max, char text[160]) {
    const size_t digits = strspn(value, "0123456789");

    if (digits == 0 || value[digits] || strspn(value, "0") == digits)
        return "the value is a whole number from 1 up, or `none`";
    snprintf(text, 160, "the value is at most %llu, or `none`", (unsigned long long)max);
    return text;
}

const char *torc_limit_option_apply(torc_limits *limits, const char *value, char text[160]) {
    const char *equals = strchr(value, '=');
    uint64_t number;

    if (!equals) return "write NAME=VALUE, for example body-bytes=1048576";

    const torc_str name = torc_str_make(value, (size_t)(equals - value));
    const named_limit *limit = find(name);
    if (!limit) return unknown(name, text);

    const uint64_t unlimited = limit->is_wide ? TORC_UNLIMITED_BYTES : TORC_UNLIMITED;
    if (strcmp(equals + 1, "none") == 0) {
        store(limits, limit, unlimited);
        return NULL;
    }
    if (torc_str_parse_uint(torc_str_of(equals + 1), unlimited - 1, &number) || number == 0)
        return wrong_value(equals + 1, unlimited - 1, text);
    store(limits, limit, number);
    return NULL;
}

/* The default of a limit, in `text`. */
static const char *default_text(const named_limit *limit, char text[24]) {
    const torc_limits defaults = torc_limits_default();
    const char *place = (const char *)&defaults + limit->place;
    uint64_t value = 0;
    uint32_t narrow;

    memcpy(&narrow, place, sizeof(narrow));
    if (limit->is_wide) memcpy(&value, place, sizeof(value));
    if (limit->is_wide ? value == TORC_UNLIMITED_BYTES : narrow == TORC_UNLIMITED) return "none";
    snprintf(text, 24, "%llu", (unsigned long long)(limit->is_wide ? value : narrow));
    return text;
}

void torc_limit_options_write(torc_buf *text) {
    char number[24];

    for (size_t g = 0; g < TORC_COUNT_OF(groups); g++) {
        torc_buf_addf(text, "\n%s:\n", groups[g].title);
        for (size_t i = 0; i < groups[g].count; i++) {
            const named_limit *limit = &groups[g].limits[i];
            torc_buf_addf(text, "  %-24s %11s  %s\n", limit->name, default_text(limit, number),
                          limit->help);
        }
    }
}

void torc_limit_options_write_json(torc_json *json) {
    char number[24];

    torc_json_member_array(json, "limits");
    for (size_t g = 0; g < TORC_COUNT_OF(groups); g++)
        for (size_t i = 0; i < groups[g].count; i++) {
            const named_limit *limit = &groups[g].limits[i];
            torc_json_open_object(json);
            torc_json_member_text(json, "group", groups[g].title);
            torc_json_member_text(json, "name", limit->name);
            torc_json_member_text(json, "default", default_text(limit, number));
            torc_json_member_text(json, "help", limit->help);
            torc_json_close_object(json);
        }
    torc_json_close_array(json);
}
