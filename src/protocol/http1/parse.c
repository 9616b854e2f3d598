/* SPDX-License-Identifier: MIT */
/*
 * The lines of heads.
 *
 * Stages: FIRST (a request or status line; before a request's one empty line is skipped) → FIELDS →
 * done.
 *
 *  - A line is parsed as far as its bytes go, and goes on there: what a run was found to be is not
 *    looked at again, but for the one time when a field line was taken for a usual one and is not
 *    complete.
 *  - A line is never looked at beyond the length that it may have, so a mistake behind that is not
 *    seen, however the bytes come.
 *  - Every read of a byte is behind a comparison with the end of what came.
 *  - Offsets fit into 32 bits, because the section's bytes are limited, to SECTION_MAX at most: a
 *    line of two bytes has an end of as many.
 */
#include "protocol/http1/parse.h"

#include "message/bytes.h"
#include "message/field_find.h"
#include "protocol/http1/scan.h"

enum {
    FIRST,
    FIELDS
};

enum {
    SECTION_MAX = 1 << 30
};

typedef torc_http1_outcome outcome;

torc_http1_outcome torc_http1_bad(torc_http1_parser *parser, int status, const char *problem) {
    parser->status = parser->is_response && status != 503 ? 502 : status;
    parser->problem = problem;
    return TORC_HTTP1_BAD;
}

#define bad torc_http1_bad

static void set_section_max(torc_http1_parser *parser, uint32_t max) {
    parser->section_max = max < SECTION_MAX ? max : SECTION_MAX;
}

void torc_http1_parser_init(torc_http1_parser *parser, torc_arena *arena, const torc_limits *limits,
                            bool is_response, unsigned flags) {
    memset(parser, 0, offsetof(torc_http1_parser, inside));
    parser->arena = arena;
    parser->limits = limits;
    set_section_max(parser, limits->section_bytes_max);
    parser->is_response = is_response;
    parser->flags = (uint8_t)flags;
    parser->spans = parser->inside;
    parser->span_capacity = TORC_HTTP1_SPANS_INSIDE;
    parser->stage = FIRST;
}

void torc_http1_parser_init_trailers(torc_http1_parser *parser, torc_arena *arena,
                                     const torc_limits *limits, unsigned flags) {
    torc_http1_parser_init(parser, arena, limits, false, flags);
    set_section_max(parser, limits->trailers_bytes_max);
    parser->stage = FIELDS;
}

/* ---- the end of a line ---- */

/*
 * `at` stands where a line should end: CR LF, or LF with leave. DONE with `*next` behind it, MORE
 * when CR is the last byte, BAD.
 */
static outcome line_end(torc_http1_parser *parser, const char *at, const char *end,
                        const char **next) {
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

/* The bytes of "HTTP/1.1" one by one, so that each is refused as soon as it has come. */
static outcome check_version(torc_http1_parser *parser, const char *at, const char *end) {
    static const char name[] = "HTTP/";

    for (size_t i = 0; i < 8; i++) {
        if (at + i == end) return TORC_HTTP1_MORE;
        if (i < 5 && at[i] != name[i])
            return bad(parser, 400, "no version where one belongs (RFC 9112 2.3)");
        if (i == 6 && at[i] != '.') return bad(parser, 400, "a malformed version (RFC 9112 2.3)");
        if ((i == 5 || i == 7) && (at[i] < '0' || at[i] > '9'))
            return bad(parser, 400, "a malformed version (RFC 9112 2.3)");
    }
    if (at[5] != '1') return bad(parser, 505, "a version other than 1 (RFC 9110 15.6.6)");
    return TORC_HTTP1_DONE;
}

/* A version at `at`: MORE, DONE, BAD. */
static inline outcome read_version(torc_http1_parser *parser, const char *at, const char *end) {
    if (end - at >= 8 && memcmp(at, "HTTP/1.1", 8) == 0) {
        parser->version = 11;
        return TORC_HTTP1_DONE;
    }
    const outcome checked = check_version(parser, at, end);
    if (checked == TORC_HTTP1_DONE) parser->version = at[7] == '0' ? 10 : 11;
    return checked;
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
    const char *at = torc_scan_token(resume(parser, base, line), end);

    if (at == end) return run_on(parser, base, end);
    if (at == line || *at != ' ') return bad(parser, 400, "a method that is no token (RFC 9112 3)");
    if (at - line > UINT16_MAX) return bad(parser, 400, "a method that is too long");
    parser->method_len = (uint16_t)(at - line);
    parser->target = (uint32_t)(at + 1 - base);
    return TORC_HTTP1_DONE;
}

static outcome request_line(torc_http1_parser *parser, const char *base, const char *end,
                            const char **next) {
    if (!parser->target) {
        const outcome method = read_method(parser, base, end);
        if (method != TORC_HTTP1_DONE) return method;
    }
    const char *target = base + parser->target;
    const char *at = torc_scan_target(resume(parser, base, target), end);
    if (at == end) return run_on(parser, base, end);
    if (at == target)
        return bad(parser, 400, "an empty target, or more than one space before it (RFC 9112 3)");
    if (*at == '\r' || *at == '\n')
        return bad(parser, 400, "a request line without a version (RFC 9112 3)");
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

/* Up to where the reason begins. */
static outcome read_status(torc_http1_parser *parser, const char *base, const char *end) {
    const char *at = base + parser->line;
    const outcome version = read_version(parser, at, end);

    if (version != TORC_HTTP1_DONE) return version;
    at += 8;
    for (int i = 0; i < 4; i++) {
        if (at + i == end) return TORC_HTTP1_MORE;
        if (i == 0 ? at[0] != ' ' : at[i] < (i == 1 ? '1' : '0') || at[i] > '9')
            return bad(parser, 400, "no status from 100 to 999 in the status line (RFC 9112 4)");
    }
    parser->status_of_response =
        (uint16_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
    at += 4;
    if (at == end) return TORC_HTTP1_MORE;
    /* The space before an empty reason is left out by some servers. */
    if (*at == ' ')
        at++;
    else if (*at != '\r' && *at != '\n')
        return bad(parser, 400, "junk behind the status (RFC 9112 4)");
    parser->target = (uint32_t)(at - base);
    return TORC_HTTP1_DONE;
}

static outcome status_line(torc_http1_parser *parser, const char *base, const char *end,
                           const char **next) {
    if (!parser->target) {
        const outcome status = read_status(parser, base, end);
        if (status != TORC_HTTP1_DONE) return status;
    }
    const char *at = torc_scan_value(resume(parser, base, base + parser->target), end);
    if (at == end) return run_on(parser, base, end);
    parser->scanned = (uint32_t)(at - base);
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

/* Skip the blanks from `start` on; false: there are only blanks so far. */
static bool find_value(torc_http1_parser *parser, const char *base, const char *start,
                       const char *end) {
    const char *at = resume(parser, base, start);

    while (at < end && is_blank(*at)) at++;
    if (at == end) return false;
    parser->value = (uint32_t)(at - base);
    return true;
}

static const char *trim_end(const char *start, const char *at) {
    while (at > start && is_blank(at[-1])) at--;
    return at;
}

/* A line that begins with a blank goes on with the value before it, with leave. */
static outcome folded_line(torc_http1_parser *parser, const char *base, const char *end,
                           const char **next) {
    const char *const line = base + parser->line;

    if (parser->span_count == 0)
        return bad(parser, 400, "white space before the first field (RFC 9112 2.2)");
    if (!(parser->flags & TORC_HTTP1_ALLOW_FOLD))
        return bad(parser, 400, "a folded field line (RFC 9112 5.2)");
    if (!parser->value && !find_value(parser, base, line, end)) return run_on(parser, base, end);
    const char *const start = base + parser->value;
    const char *at = torc_scan_value(resume(parser, base, start), end);
    if (at == end) return run_on(parser, base, end);
    parser->scanned = (uint32_t)(at - base);
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
    const char *colon = torc_scan_token(resume(parser, base, name), end);

    if (colon == end) return run_on(parser, base, end);
    if (*colon != ':' && is_blank(*colon))
        return bad(parser, 400, "white space before the colon (RFC 9112 5.1)");
    if (*colon != ':') return bad(parser, 400, "a field name that is no token (RFC 9110 5.1)");
    if (colon == name) return bad(parser, 400, "an empty field name (RFC 9110 5.1)");
    if (colon - name > UINT16_MAX) return bad(parser, 431, "a field name that is too long");
    parser->colon = (uint32_t)(colon - base);
    return TORC_HTTP1_DONE;
}

static outcome add_field(torc_http1_parser *parser, const char *base, const char *value_end) {
    if (parser->span_count >= parser->limits->fields_max)
        return bad(parser, 431, "too many fields");

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

static outcome field_line(torc_http1_parser *parser, const char *base, const char *end,
                          const char **next) {
    if (is_blank(base[parser->line])) return folded_line(parser, base, end, next);
    if (!parser->colon) {
        const outcome name = read_name(parser, base, end);
        if (name != TORC_HTTP1_DONE) return name;
    }
    if (!parser->value && !find_value(parser, base, base + parser->colon + 1, end))
        return run_on(parser, base, end);
    const char *at = torc_scan_value(resume(parser, base, base + parser->value), end);
    if (at == end) return run_on(parser, base, end);
    parser->scanned = (uint32_t)(at - base);
    const outcome ended = line_end(parser, at, end, next);
    return ended == TORC_HTTP1_DONE ? add_field(parser, base, at) : ended;
}

/* ---- lines together ---- */

/* Bytes that the line may have, without its end. */
static size_t line_max(const torc_http1_parser *parser) {
    const size_t section_left = parser->section_max - parser->section_bytes;
    const size_t line = parser->limits->request_line_bytes_max;

    return parser->stage == FIRST && !parser->is_response && line < section_left ? line
                                                                                 : section_left;
}

static outcome too_long(torc_http1_parser *parser) {
    if (parser->stage == FIRST && !parser->is_response)
        return bad(parser, 414, "a request line that is too long");
    return bad(parser, 431, "a head that is too large");
}

static size_t len_without_end(const char *line, const char *next) {
    const size_t len = (size_t)(next - line) - 1; /* LF */
    return len > 0 && line[len - 1] == '\r' ? len - 1 : len;
}

/* One line, as far as it goes: its outcome, and `*next` behind it. */
static outcome read_line(torc_http1_parser *parser, const char *base, const char *end,
                         const char **next) {
    if (parser->stage == FIELDS) return field_line(parser, base, end, next);
    if (parser->is_response) return status_line(parser, base, end, next);
    return request_line(parser, base, end, next);
}

/*
 * How far a line may be looked at: one byte beyond its longest, which has to be its end, and the LF
 * behind a CR there. So it makes no difference whether more has come already.
 */
static const char *cut(const char *line, const char *end, size_t max) {
    const size_t len = (size_t)(end - line);

    if (len <= max + 1) return end;
    return line + max + 1 + (line[max] == '\r');
}

/* A line that is not empty: DONE when it was read, and the next one begins. */
__attribute__((noinline)) static outcome full_line(torc_http1_parser *parser, const char *base,
                                                   const char *end) {
    const char *const line = base + parser->line, *next;
    const size_t max = line_max(parser);
    const outcome result = read_line(parser, base, cut(line, end, max), &next);

    if (result == TORC_HTTP1_MORE && (size_t)(end - line) > max && line[max] != '\r')
        return too_long(parser);
    if (result != TORC_HTTP1_DONE) return result;
    parser->section_bytes += (uint32_t)len_without_end(line, next);
    parser->line = (uint32_t)(next - base);
    parser->scanned = parser->colon = parser->value = 0;
    parser->stage = FIELDS;
    return TORC_HTTP1_DONE;
}

/* An empty line: before a request line one is skipped (RFC 9112 §2.2); behind the fields it ends
 * the head. */
static outcome empty_line(torc_http1_parser *parser, const char *base, const char *end,
                          bool *is_end) {
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

enum {
    USUAL_BYTES = 40 /* that a usual line may look at: two vectors, a colon, a space, CR LF */
};

/*
 * The length of a field line as most are: a name of up to 15 letters, digits and `-`, a colon, a
 * space or none, a value, CR LF; and where its parts are. There are USUAL_BYTES. 0: it is something
 * else, or wrong, or incomplete.
 */
static inline size_t usual_field(const char *base, const char *line, const char *end,
                                 torc_http1_span *span) {
    const unsigned name_len = torc_scan_name16(line);
    if (name_len - 1 >= 15 || line[name_len] != ':') return 0;

    const char *const value = line + name_len + 1 + (line[name_len + 1] == ' ');
    const unsigned first = torc_scan_value16(value);
    const char *const at = first < 16 ? value + first : torc_scan_value(value + 16, end);
    if (end - at < 2 || at[0] != '\r' || at[1] != '\n') return 0;
    if (*value <= ' ' || at[-1] <= ' ') return 0; /* empty, blanks around it, or not ASCII there */
    span->name = (uint32_t)(line - base);
    span->name_len = (uint16_t)name_len;
    span->value = (uint32_t)(value - base);
    span->value_len = (uint32_t)(at - value);
    span->id = (uint16_t)torc_field_find_usual(line, name_len);
    return (size_t)(at - line);
}

/*
 * The same for a line so near to the end of what came that vectors would reach beyond it, as the
 * last ones of most requests: in a copy of the last bytes that goes on with zeros, which are no
 * part of a line.
 */
static inline size_t last_field(const char *base, const char *line, const char *end,
                                torc_http1_span *span) {
    char copy[2 * USUAL_BYTES];

    if (end - base < USUAL_BYTES) return 0;
    const char *const start = end - USUAL_BYTES;
    memcpy(copy, start, USUAL_BYTES);
    memset(copy + USUAL_BYTES, 0, USUAL_BYTES);
    const size_t len = usual_field(copy, copy + (line - start), copy + USUAL_BYTES, span);
    if (len == 0) return 0;
    span->name += (uint32_t)(start - base);
    span->value += (uint32_t)(start - base);
    return len;
}

/* The same for all lines that are there as a whole, however short and whatever their names. Apart
 * from the quick path, whose registers it would take. */
__attribute__((noinline)) static size_t
short_or_long_field(const char *base, const char *line, const char *end, torc_http1_span *span) {
    const char *const colon = torc_scan_token(line, end);

    if (colon == end || *colon != ':' || colon == line || colon - line > UINT16_MAX) return 0;
    const char *value = colon + 1;
    while (value < end && is_blank(*value)) value++;
    const char *const at = torc_scan_value(value, end);
    if (end - at < 2 || at[0] != '\r' || at[1] != '\n') return 0;
    span->name = (uint32_t)(line - base);
    span->name_len = (uint16_t)(colon - line);
    span->value = (uint32_t)(value - base);
    span->value_len = (uint32_t)(trim_end(value, at) - value);
    span->id = (uint16_t)torc_field_find(torc_str_make(line, span->name_len));
    return (size_t)(at - line);
}

/*
 * Take a request line that is there as a whole and as most are: a method of up to 15 letters, a
 * target, HTTP/1.1 and CR LF, within the limits. False: nothing was done.
 */
static inline bool usual_request_line(torc_http1_parser *parser, const char *base,
                                      const char *end) {
    const char *const line = base + parser->line;

    if (end - line < USUAL_BYTES) return false;
    const unsigned method_len = torc_scan_name16(line);
    if (method_len - 1 >= 15 || line[method_len] != ' ') return false;
    const char *const target = line + method_len + 1, *const at = torc_scan_target(target, end);
    if (at == target || end - at < 11) return false;
    if (memcmp(at, " HTTP/1.", 8) != 0 || memcmp(at + 7, ".1\r\n", 4) != 0) return false;
    const size_t len = (size_t)(at + 9 - line);
    if (len > line_max(parser)) return false;
    parser->method_len = (uint16_t)method_len;
    parser->target = (uint32_t)(target - base);
    parser->target_len = (uint32_t)(at - target);
    parser->version = 11;
    parser->section_bytes += (uint32_t)len;
    parser->line += (uint32_t)len + 2;
    parser->stage = FIELDS;
    return true;
}

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/*
 * Take field lines as long as they are usual and within the limits: the short way for nearly all of
 * them. The first other one, or the first that is not complete, is left to full_line().
 */
static void usual_fields(torc_http1_parser *parser, const char *base, const char *end) {
    const uint32_t max = smaller(parser->limits->fields_max, parser->span_capacity);
    uint32_t left = parser->section_max - parser->section_bytes, count = parser->span_count;
    const char *line = base + parser->line;

    while (count < max && line < end && *line != '\r') {
        torc_http1_span *const span = &parser->spans[count];
        size_t len = end - line >= USUAL_BYTES ? usual_field(base, line, end, span)
                                               : last_field(base, line, end, span);
        if (len == 0) len = short_or_long_field(base, line, end, span);
        if (len == 0 || len > left) break;
        count++;
        left -= (uint32_t)len;
        line += len + 2;
    }
    parser->span_count = count;
    parser->line = (uint32_t)(line - base);
    parser->section_bytes = parser->section_max - left;
}

torc_http1_outcome torc_http1_parse(torc_http1_parser *parser, torc_str bytes) {
    const char *const base = bytes.bytes, *const end = base + bytes.len;

    if (parser->stage == FIRST && !parser->is_response && !parser->target && !parser->scanned)
        (void)usual_request_line(parser, base, end);
    while (base + parser->line < end) {
        if (parser->stage == FIELDS && parser->scanned == 0) usual_fields(parser, base, end);
        if (base + parser->line == end) break;
        const char first = base[parser->line];
        bool is_end = false;
        const outcome result = first == '\r' || first == '\n'
                                   ? empty_line(parser, base, end, &is_end)
                                   : full_line(parser, base, end);
        if (result != TORC_HTTP1_DONE || is_end) return result;
    }
    return TORC_HTTP1_MORE;
}
