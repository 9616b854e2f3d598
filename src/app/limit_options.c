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

static const named_limit limits_by_name[] = {
    LIMIT(request_line_bytes_max, "request-line-bytes", "length of a request line"),
    LIMIT(section_bytes_max, "section-bytes", "request line and fields together"),
    LIMIT(fields_max, "fields", "number of field lines"),
    LIMIT(chunk_line_bytes_max, "chunk-line-bytes", "a chunk's size line"),
    LIMIT(trailers_bytes_max, "trailers-bytes", "the trailers of a body"),
    LIMIT(body_bytes_max, "body-bytes", "the body of a request"),
    LIMIT(body_memory_max, "body-memory", "a whole body in memory; longer ones go to a file"),
    LIMIT(keep_alive_ms, "keep-alive-ms", "a connection without a request"),
    LIMIT(header_ms, "header-ms", "from the first byte of a head to its last"),
    LIMIT(body_stall_ms, "body-stall-ms", "without a byte of a body"),
    LIMIT(body_rate_min, "body-rate-min", "bytes a second of a body, at least"),
    LIMIT(output_stall_ms, "output-stall-ms", "without a byte taken by the peer"),
    LIMIT(output_rate_min, "output-rate-min", "bytes a second of a response, at least"),
    LIMIT(rate_grace_ms, "rate-grace-ms", "before a minimum rate counts"),
    LIMIT(half_close_ms, "half-close-ms", "for the answers after the peer's end"),
    LIMIT(linger_ms, "linger-ms", "to read on after an error reply"),
    LIMIT(drain_ms, "drain-ms", "for what is in progress when the server stops"),
    LIMIT(requests_per_connection_max, "requests-per-connection", "then it is closed"),
    LIMIT(requests_per_turn_max, "requests-per-turn", "of one connection"),
    LIMIT(output_bytes_max, "output-bytes", "unsent bytes of a response"),
    LIMIT(output_high_bytes, "output-high-bytes", "unsent bytes that pause a response"),
    LIMIT(drain_bytes_max, "drain-bytes", "of an unread body, to keep the connection"),
    LIMIT(request_memory_max, "request-memory", "of a request's own memory"),
    LIMIT(connections_max, "connections", "of a listener"),
    LIMIT(connections_per_address_max, "connections-per-address", "of a listener"),
    LIMIT(fibers_max, "fibers", "routes in progress"),
    LIMIT(memory_max, "memory", "bytes of all that the server allocates"),
};

static const named_limit *find(torc_str name) {
    for (size_t i = 0; i < TORC_COUNT_OF(limits_by_name); i++)
        if (torc_str_equals(name, torc_str_of(limits_by_name[i].name))) return &limits_by_name[i];
    return NULL;
}

static const char *unknown(torc_str name, char text[160]) {
    const char *names[TORC_COUNT_OF(limits_by_name)];

    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) names[i] = limits_by_name[i].name;
    const char *nearest = torc_nearest_name(name, names, TORC_COUNT_OF(names));
    if (nearest)
        snprintf(text, 160, "no such limit; did you mean %s?", nearest);
    else
        snprintf(text, 160, "no such limit; --help-limits lists them");
    return text;
}

static void store(torc_limits *limits, const named_limit *limit, uint64_t value) {
    char *place = (char *)limits + limit->place;
    const uint32_t narrow = (uint32_t)value;

    memcpy(place, limit->is_wide ? (const void *)&value : (const void *)&narrow,
           limit->is_wide ? sizeof(value) : sizeof(narrow));
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
        return "the value is a whole number from 1 up, or `none`";
    store(limits, limit, number);
    return NULL;
}

void torc_limit_options_write(torc_buf *text) {
    const torc_limits defaults = torc_limits_default();

    for (size_t i = 0; i < TORC_COUNT_OF(limits_by_name); i++) {
        const named_limit *limit = &limits_by_name[i];
        const char *place = (const char *)&defaults + limit->place;
        uint64_t value = 0;
        uint32_t narrow;
        char number[24] = "none";

        memcpy(&narrow, place, sizeof(narrow));
        if (limit->is_wide) memcpy(&value, place, sizeof(value));
        const bool is_none =
            limit->is_wide ? value == TORC_UNLIMITED_BYTES : narrow == TORC_UNLIMITED;
        if (!is_none)
            snprintf(number, sizeof(number), "%llu",
                     (unsigned long long)(limit->is_wide ? value : narrow));
        torc_buf_addf(text, "  %-24s %12s  %s\n", limit->name, number, limit->help);
    }
}
