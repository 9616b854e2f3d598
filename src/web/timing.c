/* SPDX-License-Identifier: MIT */
/*
 * Server-Timing: the parts of a request's time.
 *
 *  - Parts are written as text when they are added, into one list in the request's arena, and told
 *    in that order.
 *  - A description is a quoted string (RFC 9110 §5.6.4); what cannot stand in one becomes `?`.
 */
#include <torc/timing.h>

#include <stdio.h>
#include <torc/reply.h>

#include "base/alloc.h"
#include "base/options.h"

enum {
    NAME_MAX_LEN = 64,
    DESCRIPTION_MAX = 100,
    NUMBER_MAX = 32,
    PART_MAX = NAME_MAX_LEN + NUMBER_MAX + 2 * DESCRIPTION_MAX + 16,
    VALUE_MAX = 4096
};

typedef struct part part;
struct part {
    part *next;
    torc_str text;
};

typedef struct parts {
    part *first, **last;
    uint32_t count;
} parts;

typedef struct timing {
    torc_middleware base;
    torc_timing_options options;
} timing;

static const char key;

/* Milliseconds with as many digits as there are microseconds. */
static int format_ms(char text[NUMBER_MAX], uint64_t us) {
    return snprintf(text, NUMBER_MAX, "%llu.%03u", (unsigned long long)(us / 1000),
                    (unsigned)(us % 1000));
}

static void add_description(torc_buf *to, const char *description) {
    torc_buf_add(to, TORC_STR(";desc=\""));
    for (size_t i = 0; description[i] && i < DESCRIPTION_MAX; i++) {
        const char byte = description[i];
        if (byte == '"' || byte == '\\') torc_buf_add_byte(to, '\\');
        torc_buf_add_byte(to, byte >= ' ' && byte <= '~' ? byte : '?');
    }
    torc_buf_add_byte(to, '"');
}

static void write_part(torc_buf *to, torc_str name, uint64_t us, const char *description) {
    char number[NUMBER_MAX];

    torc_buf_add(to, name);
    torc_buf_add(to, TORC_STR(";dur="));
    torc_buf_add(to, torc_str_make(number, (size_t)format_ms(number, us)));
    if (description) add_description(to, description);
}

static parts *parts_of(torc_request *request) {
    parts *self = torc_request_value(request, &key);

    if (self) return self;
    self = torc_arena_alloc_zero(torc_request_arena(request), 1, sizeof(*self));
    if (!self || torc_request_set_value(request, &key, self)) return NULL;
    self->last = &self->first;
    return self;
}

void torc_request_timing_add(torc_request *request, const char *name, uint64_t us,
                             const char *description) {
    const torc_str of = torc_str_of(name);
    char bytes[PART_MAX];
    torc_buf text;

    if (torc_request_is_gone(request) || torc_response_is_started(request)) return;
    if (!torc_is_token(of) || of.len > NAME_MAX_LEN) return;
    parts *self = parts_of(request);
    if (!self || self->count == TORC_TIMING_PARTS_MAX) return;
    torc_buf_init_fixed(&text, bytes, sizeof(bytes));
    write_part(&text, of, us, description);
    part *added = torc_arena_alloc_zero(torc_request_arena(request), 1, sizeof(*added));
    if (!added || torc_arena_copy(torc_request_arena(request), torc_buf_str(&text), &added->text))
        return;
    *self->last = added;
    self->last = &added->next;
    self->count++;
}

static void response_starting(torc_middleware *middleware, torc_request *request) {
    const timing *self = torc_container_of(middleware, timing, base);
    const uint64_t us = torc_request_duration_us(request);
    const parts *all = torc_request_value(request, &key);
    char bytes[VALUE_MAX], number[NUMBER_MAX];
    torc_buf value;

    torc_buf_init_fixed(&value, bytes, sizeof(bytes));
    if (!self->options.hides_total) write_part(&value, TORC_STR("total"), us, NULL);
    for (const part *at = all ? all->first : NULL; at; at = at->next) {
        if (value.len + 2 + at->text.len > sizeof(bytes)) break;
        if (value.len) torc_buf_add(&value, TORC_STR(", "));
        torc_buf_add(&value, at->text);
    }
    if (value.len) torc_response_add(request, "Server-Timing", torc_buf_str(&value));
    if (!self->options.has_x_response_time) return;
    const size_t len = (size_t)format_ms(number, us);
    memcpy(number + len, "ms", 2);
    torc_response_set(request, "X-Response-Time", torc_str_make(number, len + 2));
}

static void dispose(torc_middleware *middleware) {
    torc_dealloc(NULL, torc_container_of(middleware, timing, base));
}

static const torc_middleware_ops ops = {
    .response_starting = response_starting,
    .dispose = dispose,
    .name = "timing",
};

torc_middleware *torc_timing_new(const torc_timing_options *given) {
    timing *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    TORC_OPTIONS_READ(&self->options, given);
    self->base.ops = &ops;
    return &self->base;
}
