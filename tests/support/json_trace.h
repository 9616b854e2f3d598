/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_JSON_TRACE_H
#define TORC_TESTS_JSON_TRACE_H

#include <torc/json_reader.h>

/*
 * The parts of a text as one line of text, as a reader tells them or as a tree of values holds
 * them: the two are to be the same. "{k"a" s"x" n1 }" is {"a":"x"…
 */
typedef struct json_trace {
    torc_json_reader reader;
    torc_buf text;
} json_trace;

static inline void json_trace_scalar(torc_buf *text, const torc_json_value *value) {
    torc_str str;
    bool is_true;

    if (torc_json_as_str(value, &str)) {
        torc_buf_addf(text, " s%zu:", str.len);
        torc_buf_add(text, str);
    } else if (torc_json_is_number(value)) {
        torc_buf_addf(text, " %d:", torc_json_kind_of(value));
        torc_buf_add(text, torc_json_number_text(value));
    } else if (torc_json_as_bool(value, &is_true)) {
        torc_buf_addf(text, " %s", is_true ? "true" : "false");
    } else {
        torc_buf_addf(text, " null");
    }
}

static inline torc_err json_trace_part(torc_json_reader *reader, const torc_json_part *part) {
    torc_buf *text = &torc_container_of(reader, json_trace, reader)->text;

    switch (part->kind) {
    case TORC_JSON_PART_OBJECT:
        torc_buf_addf(text, " {%u", part->depth);
        break;
    case TORC_JSON_PART_ARRAY:
        torc_buf_addf(text, " [%u", part->depth);
        break;
    case TORC_JSON_PART_CLOSE:
        torc_buf_addf(text, " /%u", part->depth);
        break;
    case TORC_JSON_PART_NAME:
        torc_buf_addf(text, " k%zu:", part->name.len);
        torc_buf_add(text, part->name);
        break;
    case TORC_JSON_PART_VALUE:
        json_trace_scalar(text, part->value);
        break;
    case TORC_JSON_PART_END:
        torc_buf_addf(text, " .");
    }
    return torc_buf_err(text);
}

static inline void json_trace_init(json_trace *trace, torc_memory *memory,
                                   const torc_json_limits *limits) {
    torc_json_reader_init(&trace->reader, memory, limits, json_trace_part, NULL);
    torc_buf_init(&trace->text, memory, TORC_MEMORY_OTHER, 1 << 24);
}

static inline void json_trace_dispose(json_trace *trace) {
    torc_json_reader_dispose(&trace->reader);
    torc_buf_dispose(&trace->text);
}

/* The same of values that were read as a whole. */
static inline void json_trace_value(torc_buf *text, const torc_json_value *value, unsigned depth) {
    torc_json_cursor cursor = torc_json_cursor_of(value);
    const torc_json_value *part;
    torc_str name;

    if (torc_json_kind_of(value) < TORC_JSON_ARRAY) {
        json_trace_scalar(text, value);
        return;
    }
    torc_buf_addf(text, " %c%u", torc_json_kind_of(value) == TORC_JSON_OBJECT ? '{' : '[', depth);
    while (torc_json_next_element(&cursor, &part)) json_trace_value(text, part, depth + 1);
    while (torc_json_next_member(&cursor, &name, &part)) {
        torc_buf_addf(text, " k%zu:", name.len);
        torc_buf_add(text, name);
        json_trace_value(text, part, depth + 1);
    }
    torc_buf_addf(text, " /%u", depth);
}

#endif
