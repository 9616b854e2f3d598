/* SPDX-License-Identifier: MIT */
/*
 * Multipart content: boundaries, and what stands between them (RFC 2046 §5.1).
 *
 *  - A delimiter is a line break, "--" and the boundary, and white space or a line break or "--"
 *    behind it; anything else behind it makes it content, as for who wrote it.
 *  - Line breaks are CR LF, and nothing else is.
 *  - Bytes that may be the beginning of a delimiter are not kept: they are counted (`matched`), and
 *    if they turn out to be content, they are given from the parser's own delimiter. CR is its
 *    first byte and no other, so a new delimiter never begins within one that was not complete.
 *  - In front of the content of a part, and of the whole, a line break counts as matched without
 *    having been there (`unreal`): the delimiter may stand right behind the head.
 *  - States: SEEK (in content, or in front of the first boundary) → BEHIND → PADDING → LINE_END →
 *    HEAD → SEEK; BEHIND → DASH → ENDED. BAD from anywhere.
 */
#include "http/form_parse.h"
#include "message/bytes.h"

typedef enum state {
    SEEK,
    BEHIND, /* a delimiter */
    DASH,   /* and one more: the last one, with another */
    PADDING,
    LINE_END, /* CR was seen behind a delimiter */
    HEAD,
    ENDED, /* what is left is of no interest */
    BAD
} state;

void torc_multipart_init(torc_multipart *parser, torc_reactor *reactor, const torc_limits *limits,
                         torc_str boundary) {
    *parser = (torc_multipart){
        .base = {.head_bytes_max = limits->form_part_head_bytes_max,
                 .fields_max = limits->form_part_fields_max,
                 .name_bytes_max = limits->form_name_bytes_max},
        .state = SEEK,
        .matched = 2,
        .unreal = 2,
        .delimiter_len = (uint8_t)(boundary.len + 4),
    };
    memcpy(parser->delimiter, "\r\n--", 4);
    memcpy(parser->delimiter + 4, boundary.bytes, boundary.len);
    parser->delimiter[parser->delimiter_len] = '-';
    torc_buf_init(&parser->head, &reactor->memory, TORC_MEMORY_INPUT,
                  limits->form_part_head_bytes_max);
    torc_arena_init(&parser->arena, &reactor->pages, SIZE_MAX / 2);
}

void torc_multipart_dispose(torc_multipart *parser) {
    torc_buf_dispose(&parser->head);
    torc_arena_dispose(&parser->arena);
}

static torc_form_event fail(torc_multipart *self, torc_err err, const char *problem) {
    self->state = BAD;
    self->base.err = err;
    if (!self->base.problem) self->base.problem = problem;
    return TORC_FORM_BAD;
}

/* ---- looking for delimiters ---- */

/* Where one of 16 places begins "\r\n-". */
static bool block_has_candidate(const char *at, size_t *place) {
    const torc_bytes16 first = torc_bytes16_of(at, at + 8);
    const torc_bytes16 second = torc_bytes16_of(at + 1, at + 9);
    const torc_bytes16 third = torc_bytes16_of(at + 2, at + 10);
    const torc_bytes16 hits = (torc_bytes16)((first == '\r') & (second == '\n') & (third == '-'));

    if (!torc_bytes16_any(hits)) return false;
    for (*place = 0; !hits[*place];) ++*place;
    return true;
}

/* The next place that may begin a delimiter, or a part of one at the end. NULL: none. */
static const char *next_candidate(const char *at, const char *end) {
    size_t place;

    for (; end - at >= 18; at += 16)
        if (block_has_candidate(at, &place)) return at + place;
    return at < end ? memchr(at, '\r', (size_t)(end - at)) : NULL;
}

/* Where the delimiter is, or begins at the end; how much of it is there. */
static size_t find_delimiter(const torc_multipart *self, torc_str bytes, size_t *len) {
    const char *at = bytes.bytes, *const end = at + bytes.len;

    for (; (at = next_candidate(at, end)); at++) {
        *len = (size_t)(end - at);
        if (*len > self->delimiter_len) *len = self->delimiter_len;
        if (memcmp(at, self->delimiter, *len) == 0) return (size_t)(at - bytes.bytes);
    }
    *len = 0;
    return bytes.len;
}

/* ---- the states ---- */

/* In front of the first boundary content is of no interest. */
static torc_form_event give(const torc_multipart *self, torc_str bytes, torc_str *content) {
    if (!self->is_in_part || bytes.len == 0) return TORC_FORM_MORE;
    *content = bytes;
    return TORC_FORM_CONTENT;
}

/* What looked like a delimiter is content; `extra` bytes behind it, too. */
static torc_form_event give_matched(torc_multipart *self, size_t extra, torc_str *content) {
    const torc_str matched =
        torc_str_make(self->delimiter + self->unreal, self->matched + extra - self->unreal);

    self->state = SEEK;
    self->matched = 0;
    self->unreal = 0;
    return give(self, matched, content);
}

static torc_form_event go_on_matching(torc_multipart *self, torc_str *bytes, torc_str *content) {
    size_t len = 0;

    while (len < bytes->len && self->matched < self->delimiter_len &&
           bytes->bytes[len] == self->delimiter[self->matched]) {
        self->matched++;
        len++;
    }
    *bytes = torc_str_from(*bytes, len);
    if (self->matched == self->delimiter_len)
        self->state = BEHIND;
    else if (bytes->len > 0)
        return give_matched(self, 0, content);
    return TORC_FORM_MORE;
}

static torc_form_event seek(torc_multipart *self, torc_str *bytes, torc_str *content) {
    if (self->matched > 0) return go_on_matching(self, bytes, content);

    size_t len;
    const torc_str found = torc_str_head(*bytes, find_delimiter(self, *bytes, &len));
    *bytes = torc_str_from(*bytes, found.len + len);
    self->matched = (uint8_t)len;
    if (len == self->delimiter_len) self->state = BEHIND;
    return give(self, found, content);
}

/* It was a delimiter: the part that stood before it has ended. */
static torc_form_event leave_part(torc_multipart *self, state next) {
    const bool was_in_part = self->is_in_part;

    self->state = (uint8_t)next;
    self->is_in_part = false;
    return was_in_part ? TORC_FORM_PART_END : TORC_FORM_MORE;
}

static torc_form_event behind(torc_multipart *self, torc_str *bytes, torc_str *content) {
    const char byte = bytes->bytes[0];

    if (byte != ' ' && byte != '\t' && byte != '\r' && byte != '-')
        return give_matched(self, 0, content);
    *bytes = torc_str_from(*bytes, 1);
    if (byte == '-') {
        self->state = DASH;
        return TORC_FORM_MORE;
    }
    return leave_part(self, byte == '\r' ? LINE_END : PADDING);
}

static torc_form_event dash(torc_multipart *self, torc_str *bytes, torc_str *content) {
    if (bytes->bytes[0] != '-') return give_matched(self, 1, content);
    *bytes = torc_str_from(*bytes, 1);
    return leave_part(self, ENDED);
}

static torc_form_event padding(torc_multipart *self, torc_str *bytes, torc_str *content) {
    const char byte = bytes->bytes[0];

    (void)content;
    if (byte == '\r')
        self->state = LINE_END;
    else if (byte != ' ' && byte != '\t')
        return fail(self, TORC_ERR_SYNTAX, "something stands behind a boundary");
    *bytes = torc_str_from(*bytes, 1);
    return TORC_FORM_MORE;
}

static torc_form_event line_end(torc_multipart *self, torc_str *bytes, torc_str *content) {
    (void)content;
    if (bytes->bytes[0] != '\n')
        return fail(self, TORC_ERR_SYNTAX, "the line of a boundary is not ended by CR LF");
    *bytes = torc_str_from(*bytes, 1);
    self->state = HEAD;
    self->line_start = 0;
    torc_buf_clear(&self->head);
    return TORC_FORM_MORE;
}

static torc_form_event begin_part(torc_multipart *self) {
    const torc_err err = torc_multipart_read_head(self, torc_buf_str(&self->head));

    if (err) return fail(self, err, torc_err_text(err));
    self->state = SEEK;
    self->is_in_part = true;
    self->matched = 2;
    self->unreal = 2;
    return TORC_FORM_PART;
}

/* Take the head of a part, line by line. */
static torc_form_event head(torc_multipart *self, torc_str *bytes, torc_str *content) {
    const char *feed = memchr(bytes->bytes, '\n', bytes->len);
    const torc_str piece = feed ? torc_str_head(*bytes, (size_t)(feed + 1 - bytes->bytes)) : *bytes;

    (void)content;
    if (piece.len > self->base.head_bytes_max - self->head.len)
        return fail(self, TORC_ERR_TOO_LARGE, "the head of a part is too long");
    torc_buf_add(&self->head, piece);
    if (torc_buf_err(&self->head))
        return fail(self, TORC_ERR_NO_MEMORY, torc_err_text(TORC_ERR_NO_MEMORY));
    *bytes = torc_str_from(*bytes, piece.len);
    if (!feed) return TORC_FORM_MORE;

    const torc_str line = torc_str_from(torc_buf_str(&self->head), self->line_start);
    if (!torc_str_ends_with(line, TORC_STR("\r\n")))
        return fail(self, TORC_ERR_SYNTAX, "a line of a part's head is not ended by CR LF");
    if (line.len == 2) return begin_part(self);
    self->line_start = self->head.len;
    return TORC_FORM_MORE;
}

static torc_form_event skip(torc_multipart *self, torc_str *bytes, torc_str *content) {
    (void)self;
    (void)content;
    *bytes = torc_str_from(*bytes, bytes->len);
    return TORC_FORM_MORE;
}

static torc_form_event stay_bad(torc_multipart *self, torc_str *bytes, torc_str *content) {
    (void)self;
    (void)bytes;
    (void)content;
    return TORC_FORM_BAD;
}

typedef torc_form_event state_fn(torc_multipart *self, torc_str *bytes, torc_str *content);

torc_form_event torc_multipart_parse(torc_multipart *parser, torc_str *bytes, bool is_last,
                                     torc_str *content) {
    static state_fn *const states[] = {
        [SEEK] = seek,         [BEHIND] = behind, [DASH] = dash,  [PADDING] = padding,
        [LINE_END] = line_end, [HEAD] = head,     [ENDED] = skip, [BAD] = stay_bad,
    };

    while (bytes->len > 0) {
        const torc_form_event event = states[parser->state](parser, bytes, content);
        if (event != TORC_FORM_MORE) return event;
    }
    if (parser->state == BAD) return TORC_FORM_BAD;
    if (!is_last) return TORC_FORM_MORE;
    if (parser->state == ENDED) return TORC_FORM_END;
    return fail(parser, TORC_ERR_TRUNCATED, "the form ends before its last boundary");
}
