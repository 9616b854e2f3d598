/* SPDX-License-Identifier: MIT */
/*
 * The lines of heads.
 *
 * Stages: FIRST (a request or status line; before a request's one empty line is skipped) → FIELDS → done.
 *
 *  - A line is parsed as far as its bytes go, and goes on there: what a run was found to be is not looked at again.
 *  - A line is never looked at beyond the length that it may have, so a mistake behind that is not seen, however
 *    the bytes come.
 *  - Every read of a byte is behind a comparison with the end of what came.
 *  - Offsets fit into 32 bits, because the section's bytes are limited.
 */
#include "protocol/http1/parse.h"

#include "message/bytes.h"
#include "protocol/http1/scan.h"

enum { FIRST, FIELDS };

typedef torc_http1_outcome outcome;

static outcome bad(torc_http1_parser *parser, int status, const char *problem) {
    parser->status = status;
    parser->problem = problem;
    return TORC_HTTP1_BAD;
}

void torc_http1_parser_init(torc_http1_parser *parser, torc_arena *arena, const torc_limits *limits,
                            bool is_response, unsigned flags) {
    memset(parser, 0, offsetof(torc_http1_parser, inside));
    parser->arena = arena;
    parser->limits = limits;
    parser->is_response = is_response;
    parser->flags = (uint8_t)flags;
    parser->spans = parser->inside;
    parser->span_capacity = TORC_HTTP1_SPANS_INSIDE;
    parser->stage = FIRST;
}

void torc_http1_parser_init_trailers(torc_http1_parser *parser, torc_arena *arena,
                                     const torc_limits *limits, unsigned flags) {
    torc_http1_parser_init(parser, arena, limits, false, flags);
    parser->stage = FIELDS;
}

/* ---- the end of a line ---- */

/*
 * `at` stands where a line should end: CR LF, or LF with leave. DONE with `*next` behind it, MORE when CR is the
 * last byte, BAD.
 */
static outcome line_end(torc_http1_parser *parser, const char *at, const char *end, const char **next) {
    if (at == end) return TORC_HTTP1_MORE;
    if (*at == '\r') {
        if (at + 1 == end) return TORC_HTTP1_MORE;
        if (at[1] != '\n') return bad(parser, 400, "a CR without LF (RFC 9112 2.2)");
        *next = at + 2;
        return TORC_HTTP1_DONE;
    }
    if (*at == '\n' && (parser->flags & TORC_HTTP1_ALLOW_BARE_LF)) {
        *next = at + 1;
        return TORC_HTTP1_DONE;
    }
    if (*at == '\n') return bad(parser, 400, "a line that ends in LF alone (RFC 9112 2.2)");
    return bad(parser, 400, "a control byte (RFC 9110 5.5)");
}

/* ---- the request line ---- */

/* A version's digits at `at`, "HTTP/1.1": MORE, DONE, BAD. */
static outcome read_version(torc_http1_parser *parser, const char *at, const char *end) {
    static const char name[] = "HTTP/";

    for (size_t i = 0; i < 5; i++) {
        if (at + i == end) return TORC_HTTP1_MORE;
        if (at[i] != name[i]) return bad(parser, 400, "no version at the end of the request line (RFC 9112 2.3)");
    }
    if (end - at < 8) return TORC_HTTP1_MORE;
    if (at[5] < '0' || at[5] > '9' || at[6] != '.' || at[7] < '0' || at[7] > '9')
        return bad(parser, 400, "a malformed version (RFC 9112 2.3)");
    if (at[5] != '1') return bad(parser, 505, "a version other than 1 (RFC 9110 15.6.6)");
    parser->version = at[7] == '0' ? 10 : 11;
    return TORC_HTTP1_DONE;
}

static const char *scan_token(const char *at, const char *end) {
    while (at < end && torc_byte_is(*at, TORC_BYTE_TOKEN)) at++;
    return at;
}

/* Where the scan of a run that began at `start` goes on. */
static const char *resume(const torc_http1_parser *parser, const char *base, const char *start) {
    const char *scanned = base + parser->scanned;
    return scanned > start ? scanned : start;
}

/* A run goes on behind the last byte that came. */
static outcome run_on(torc_http1_parser *parser, const char *base, const char *end) {
    parser->scanned = (uint32_t)(end - base);
    return TORC_HTTP1_MORE;
}

static outcome read_method(torc_http1_parser *parser, const char *base, const char *end) {
    const char *line = base + parser->line;
    const char *at = scan_token(resume(parser, base, line), end);

    if (at == end) return run_on(parser, base, end);
    if (at == line || *at != ' ') return bad(parser, 400, "a method that is no token (RFC 9112 3)");
    if (at - line > UINT16_MAX) return bad(parser, 400, "a method that is too long");
    parser->method_len = (uint16_t)(at - line);
    parser->target = (uint32_t)(at + 1 - base);
    return TORC_HTTP1_DONE;
}

static outcome request_line(torc_http1_parser *parser, const char *base, const char *end, const char **next) {
    if (!parser->target) {
        const outcome method = read_method(parser, base, end);
        if (method != TORC_HTTP1_DONE) return method;
    }
    const char *target = base + parser->target;
    const char *at = torc_scan_target(resume(parser, base, target), end);
    if (at == end) return run_on(parser, base, end);
    if (at == target) return bad(parser, 400, "an empty target, or more than one space before it (RFC 9112 3)");
    if (*at == '\r' || *at == '\n') return bad(parser, 400, "a request line without a version (RFC 9112 3)");
    if (*at != ' ') return bad(parser, 400, "a byte that no target has (RFC 9112 3.2)");
    parser->target_len = (uint32_t)(at - target);
    parser->scanned = (uint32_t)(at - base);

    const outcome version = read_version(parser, ++at, end);
    if (version != TORC_HTTP1_DONE) return version;
    at += 8;
    if (at < end && *at != '\r' && *at != '\n')
        return bad(parser, 400, "more than a version at the end of the request line (RFC 9112 3)");
    return line_end(parser, at, end, next);
}

/* ---- the status line ---- */

static outcome status_line(torc_http1_parser *parser, const char *base, const char *end, const char **next) {
    const char *at = base + parser->line;
    const outcome version = read_version(parser, at, end);

    if (version != TORC_HTTP1_DONE) return version;
    at += 8;
    for (int i = 0; i < 4; i++) {
        if (at + i == end) return TORC_HTTP1_MORE;
        if (i == 0 ? at[0] != ' ' : at[i] < '0' || at[i] > '9')
            return bad(parser, 502, "a malformed status line (RFC 9112 4)");
    }
    parser->status_of_response = (uint16_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
    if (at[1] == '0') return bad(parser, 502, "a status below 100 (RFC 9110 15)");
    at += 4;
    if (at == end) return TORC_HTTP1_MORE;
    /* The space before an empty reason is left out by some servers. */
    if (*at == ' ')
        at++;
    else if (*at != '\r' && *at != '\n')
        return bad(parser, 502, "a malformed status line (RFC 9112 4)");
    parser->target = (uint32_t)(at - base);
    at = torc_scan_value(at, end);
    parser->target_len = (uint32_t)(at - base) - parser->target;
    return line_end(parser, at, end, next);
}

/* ---- field lines ---- */

static torc_http1_span *add_span(torc_http1_parser *parser) {
    if (parser->span_count == parser->span_capacity) {
        const uint32_t capacity = 2 * parser->span_capacity;
        torc_http1_span *spans = torc_arena_alloc(parser->arena, capacity * sizeof(*spans));
        if (!spans) return NULL;
        memcpy(spans, parser->spans, parser->span_count * sizeof(*spans));
        parser->spans = spans;
        parser->span_capacity = capacity;
    }
    return &parser->spans[parser->span_count++];
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && is_blank(*at)) at++;
    return at;
}

static const char *trim_end(const char *start, const char *at) {
    while (at > start && is_blank(at[-1])) at--;
    return at;
}

/* A line that begins with a blank goes on with the value before it, with leave. */
static outcome folded_line(torc_http1_parser *parser, const char *base, const char *end, const char **next) {
    const char *const line = base + parser->line;

    if (parser->span_count == 0) return bad(parser, 400, "white space before the first field (RFC 9112 2.2)");
    if (!(parser->flags & TORC_HTTP1_ALLOW_FOLD)) return bad(parser, 400, "a folded field line (RFC 9112 5.2)");
    const char *start = skip_blanks(line, end), *at = torc_scan_value(start, end);
    const outcome ended = line_end(parser, at, end, next);
    if (ended != TORC_HTTP1_DONE) return ended;

    torc_http1_span *span = &parser->spans[parser->span_count - 1];
    at = trim_end(start, at);
    if (at > start) span->value_len = (uint32_t)(at - base) - span->value;
    parser->has_fold = true;
    return TORC_HTTP1_DONE;
}

static outcome read_name(torc_http1_parser *parser, const char *base, const char *end) {
    const char *const name = base + parser->line;
    const char *colon = scan_token(resume(parser, base, name), end);

    if (colon == end) return run_on(parser, base, end);
    if (*colon != ':' && is_blank(*colon)) return bad(parser, 400, "white space before the colon (RFC 9112 5.1)");
    if (*colon != ':') return bad(parser, 400, "a field name that is no token (RFC 9110 5.1)");
    if (colon == name) return bad(parser, 400, "an empty field name (RFC 9110 5.1)");
    if (colon - name > UINT16_MAX) return bad(parser, 431, "a field name that is too long");
    parser->colon = (uint32_t)(colon - base);
    return TORC_HTTP1_DONE;
}

static outcome add_field(torc_http1_parser *parser, const char *base, const char *value_end) {
    if (parser->span_count >= parser->limits->fields_max) return bad(parser, 431, "too many fields");

    torc_http1_span *span = add_span(parser);
    if (!span) return bad(parser, 503, "out of memory");
    const char *const value = base + parser->value;
    span->name = parser->line;
    span->name_len = (uint16_t)(parser->colon - parser->line);
    span->value = parser->value;
    span->value_len = (uint32_t)(trim_end(value, value_end) - value);
    span->id = (uint16_t)torc_field_find(torc_str_make(base + span->name, span->name_len));
    return TORC_HTTP1_DONE;
}

static outcome field_line(torc_http1_parser *parser, const char *base, const char *end, const char **next) {
    if (is_blank(base[parser->line])) return folded_line(parser, base, end, next);
    if (!parser->colon) {
        const outcome name = read_name(parser, base, end);
        if (name != TORC_HTTP1_DONE) return name;
    }
    if (!parser->value) {
        const char *value = skip_blanks(resume(parser, base, base + parser->colon + 1), end);
        if (value == end) return run_on(parser, base, end);
        parser->value = (uint32_t)(value - base);
    }
    const char *at = torc_scan_value(resume(parser, base, base + parser->value), end);
    if (at == end) return run_on(parser, base, end);
    parser->scanned = (uint32_t)(at - base);
    const outcome ended = line_end(parser, at, end, next);
    return ended == TORC_HTTP1_DONE ? add_field(parser, base, at) : ended;
}

/* ---- lines together ---- */

/* Bytes that the line may have, without its end. */
static size_t line_max(const torc_http1_parser *parser) {
    const size_t section_left = parser->limits->section_bytes_max - parser->section_bytes;
    const size_t line = parser->limits->request_line_bytes_max;

    return parser->stage == FIRST && !parser->is_response && line < section_left ? line : section_left;
}

static outcome too_long(torc_http1_parser *parser) {
    if (parser->stage == FIRST && !parser->is_response) return bad(parser, 414, "a request line that is too long");
    return bad(parser, 431, "a head that is too large");
}

static size_t len_without_end(const char *line, const char *next) {
    const size_t len = (size_t)(next - line) - 1; /* LF */
    return len > 0 && line[len - 1] == '\r' ? len - 1 : len;
}

/* One line, as far as it goes: its outcome, and `*next` behind it. */
static outcome read_line(torc_http1_parser *parser, const char *base, const char *end, const char **next) {
    if (parser->stage == FIELDS) return field_line(parser, base, end, next);
    if (parser->is_response) return status_line(parser, base, end, next);
    return request_line(parser, base, end, next);
}

/* A line that is not empty: DONE when it was read, and the next one begins. */
static outcome full_line(torc_http1_parser *parser, const char *base, const char *end) {
    const char *const line = base + parser->line, *next;
    const size_t max = line_max(parser);
    const bool is_cut = (size_t)(end - line) > max + 2; /* CR LF */

    const outcome result = read_line(parser, base, is_cut ? line + max + 2 : end, &next);
    if (result == TORC_HTTP1_BAD) return result;
    const size_t len = result == TORC_HTTP1_DONE ? len_without_end(line, next) : (size_t)(end - line);
    if (len > max && (result == TORC_HTTP1_DONE || is_cut || len > max + (end[-1] == '\r')))
        return too_long(parser);
    if (result == TORC_HTTP1_MORE) return result;
    parser->section_bytes += (uint32_t)len;
    parser->line = (uint32_t)(next - base);
    parser->scanned = parser->colon = parser->value = 0;
    parser->stage = FIELDS;
    return TORC_HTTP1_DONE;
}

/* An empty line: before a request line one is skipped (RFC 9112 §2.2); behind the fields it ends the head. */
static outcome empty_line(torc_http1_parser *parser, const char *base, const char *end, bool *is_end) {
    const char *next;
    const outcome result = line_end(parser, base + parser->line, end, &next);

    if (result != TORC_HTTP1_DONE) return result;
    parser->line = (uint32_t)(next - base);
    *is_end = parser->stage == FIELDS;
    if (*is_end) {
        parser->head_len = parser->line;
        return TORC_HTTP1_DONE;
    }
    if (parser->is_response || parser->start > 0)
        return bad(parser, 400, "empty lines before the first line (RFC 9112 2.2)");
    parser->start = parser->line;
    return TORC_HTTP1_DONE;
}

torc_http1_outcome torc_http1_parse(torc_http1_parser *parser, torc_str bytes) {
    const char *const base = bytes.bytes, *const end = base + bytes.len;

    while (base + parser->line < end) {
        const char first = base[parser->line];
        bool is_end = false;
        const outcome result = first == '\r' || first == '\n' ? empty_line(parser, base, end, &is_end)
                                                               : full_line(parser, base, end);
        if (result != TORC_HTTP1_DONE || is_end) return result;
    }
    return TORC_HTTP1_MORE;
}
