/* SPDX-License-Identifier: MIT */
/*
 * The parser of HTTP/1 as an object that is fed: what <torc/http1_reader.h> promises.
 *
 * Stages: HEAD → LENGTH, CHUNKS (→ TRAILERS) or TO_CLOSE → HEAD, or OVER behind the last message.
 * begin_body() makes the transition from a head, end_message() the one back.
 *
 *  - What a head or trailers refer to is in the arena, which is emptied when the message has ended.
 *  - Bytes of a head that comes in parts are gathered; one in a single piece is copied once.
 *  - After a callback the reader may be freed or stopped: nothing is told then any more.
 */
#include <torc/http1_reader.h>

#include "base/page.h"
#include "protocol/http1/chunked.h"
#include "protocol/http1/parse.h"

typedef enum stage {
    HEAD,
    LENGTH,
    CHUNKS,
    TRAILERS,
    TO_CLOSE,
    OVER
} stage;

enum {
    PAGES_KEPT = 2,
    ARENA_MAX = 1 << 26,
    GATHERED_MAX = 1 << 30, /* the limits of a head are narrower */
    GATHER_PART = 2048      /* since a body may follow that is not to be copied */
};

struct torc_http1_reader {
    torc_memory *memory; /* that it is itself in; NULL: uncounted */
    torc_memory own;     /* then: of what it keeps */
    const torc_http1_reader_ops *ops;
    void *context;
    torc_limits limits;
    torc_page_pool pages;
    torc_arena arena;
    torc_buf gathered;
    torc_http1_parser parser;
    torc_http1_framing framing;
    torc_chunked_decoder chunks;
    torc_head head;
    uint64_t left; /* of a body with a length */
    torc_method method;
    stage stage;
    unsigned flags;
    bool reads_responses;
    bool is_feeding, is_stopped, is_freed;
    torc_err failure;
    int status;
    const char *problem;
};

/* ---- life ---- */

static void begin_head(torc_http1_reader *self) {
    self->stage = HEAD;
    torc_buf_clear(&self->gathered);
    torc_http1_parser_init(&self->parser, &self->arena, &self->limits, self->reads_responses,
                           self->flags);
}

torc_err torc_http1_reader_new(torc_memory *memory, const torc_http1_reader_ops *ops,
                               const torc_http1_reader_options *options, void *context,
                               torc_http1_reader **reader) {
    static const torc_http1_reader_options none = {.size = sizeof(none)};
    const torc_limits defaults = torc_limits_default();
    torc_http1_reader *self = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    if (!options) options = &none;
    self->memory = memory;
    self->ops = ops;
    self->context = context;
    self->limits = torc_limits_inherit(options->limits, &defaults);
    self->reads_responses = options->reads_responses;
    self->method = TORC_METHOD_GET;
    if (options->allow_bare_lf) self->flags |= TORC_HTTP1_ALLOW_BARE_LF;
    if (options->allow_folded_fields) self->flags |= TORC_HTTP1_ALLOW_FOLD;
    torc_memory_init(&self->own, 0);
    if (!memory) memory = &self->own;
    torc_page_pool_init(&self->pages, memory, PAGES_KEPT);
    torc_arena_init(&self->arena, &self->pages, ARENA_MAX);
    torc_buf_init(&self->gathered, memory, TORC_MEMORY_INPUT, GATHERED_MAX);
    begin_head(self);
    *reader = self;
    return TORC_OK;
}

void torc_http1_reader_free(torc_http1_reader *reader) {
    if (!reader) return;
    if (reader->is_feeding) {
        reader->is_freed = reader->is_stopped = true;
        return;
    }
    torc_arena_dispose(&reader->arena);
    torc_page_pool_dispose(&reader->pages);
    torc_buf_dispose(&reader->gathered);
    torc_dealloc(reader->memory, reader);
}

void torc_http1_reader_expect(torc_http1_reader *reader, torc_method method) {
    reader->method = method;
}

void torc_http1_reader_stop(torc_http1_reader *reader) {
    reader->is_stopped = true;
}

bool torc_http1_reader_keeps_alive(const torc_http1_reader *reader) {
    return reader->framing.keeps_alive;
}

bool torc_http1_reader_is_delimited(const torc_http1_reader *reader) {
    return !reader->framing.until_close;
}

int torc_http1_reader_status(const torc_http1_reader *reader) {
    return reader->status;
}

const char *torc_http1_reader_problem(const torc_http1_reader *reader) {
    return reader->problem;
}

/* ---- events ---- */

static void fail(torc_http1_reader *self, int status, const char *problem) {
    self->status = status;
    self->problem = problem;
    self->failure = status == 503                    ? TORC_ERR_NO_MEMORY
                    : status == 414 || status == 431 ? TORC_ERR_TOO_LARGE
                                                     : TORC_ERR_PEER;
}

static bool has_interim_status(const torc_http1_reader *self) {
    return self->head.status >= 100 && self->head.status < 200 && self->head.status != 101;
}

/* Whether another message may follow: not behind the last one, nor where another protocol begins.
 */
static bool may_follow(const torc_http1_reader *self) {
    if (has_interim_status(self)) return true;
    if (self->head.status == 101) return false;
    if (self->reads_responses && self->method == TORC_METHOD_CONNECT && self->head.status < 300)
        return false;
    return self->framing.keeps_alive;
}

static void end_message(torc_http1_reader *self, const torc_fields *trailers) {
    const bool goes_on = may_follow(self);

    /* The next response is another request's, but for what goes before the final one. */
    if (!has_interim_status(self)) self->method = TORC_METHOD_GET;
    self->stage = OVER;
    if (self->ops->message_ended) self->ops->message_ended(self, self->context, trailers);
    if (self->is_freed) return;
    torc_arena_dispose(&self->arena);
    if (goes_on) begin_head(self);
}

static void begin_body(torc_http1_reader *self) {
    if (self->framing.is_chunked) {
        self->stage = CHUNKS;
        torc_chunked_decoder_init(&self->chunks, self->limits.chunk_line_bytes_max);
    } else if (self->framing.until_close) {
        self->stage = TO_CLOSE;
    } else {
        self->stage = LENGTH;
        self->left = self->framing.body_len > 0 ? (uint64_t)self->framing.body_len : 0;
    }
    self->ops->head_received(self, self->context, &self->head);
    if (!self->is_freed && self->stage == LENGTH && self->left == 0) end_message(self, NULL);
}

static void tell_body(torc_http1_reader *self, torc_str bytes) {
    if (self->ops->body_received) self->ops->body_received(self, self->context, bytes);
}

/* ---- heads and trailers ---- */

/* A copy of the lines that may stay; NULL: no memory. */
static char *keep_lines(torc_http1_reader *self, torc_str bytes) {
    char *lines = torc_arena_bytes(&self->arena, self->parser.head_len);

    if (lines) memcpy(lines, bytes.bytes, self->parser.head_len);
    return lines;
}

static torc_http1_outcome read_head(torc_http1_reader *self, char *lines) {
    if (!self->reads_responses)
        return torc_http1_take_request(&self->parser, lines, &self->head, &self->framing);
    return torc_http1_take_response(&self->parser, lines, self->method, &self->head,
                                    &self->framing);
}

static torc_http1_outcome read_trailers(torc_http1_reader *self, char *lines,
                                        torc_fields *trailers) {
    if (self->parser.span_count == 0) return TORC_HTTP1_DONE;
    return torc_http1_take_trailers(&self->parser, lines, trailers);
}

/* The lines are complete. */
static void take_lines(torc_http1_reader *self, torc_str bytes) {
    const bool is_head = self->stage == HEAD;
    char *lines = keep_lines(self, bytes);
    torc_fields trailers = {0};
    torc_http1_outcome outcome;

    if (!lines) {
        fail(self, 503, "out of memory");
        return;
    }
    outcome = is_head ? read_head(self, lines) : read_trailers(self, lines, &trailers);
    if (outcome == TORC_HTTP1_BAD)
        fail(self, self->parser.status, self->parser.problem);
    else if (is_head)
        begin_body(self);
    else
        end_message(self, trailers.count ? &trailers : NULL);
}

/* Go on with a head or trailers; how many of the bytes are theirs. */
static size_t gather(torc_http1_reader *self, torc_str bytes) {
    const size_t before = self->gathered.len;
    const torc_str part = before ? torc_str_head(bytes, GATHER_PART) : bytes;
    torc_str lines = part;

    if (before) {
        torc_buf_add(&self->gathered, part);
        lines = torc_buf_str(&self->gathered);
    }
    if (torc_buf_err(&self->gathered)) {
        fail(self, 503, "out of memory");
        return 0;
    }
    switch (torc_http1_parse(&self->parser, lines)) {
    case TORC_HTTP1_DONE: {
        const size_t taken = self->parser.head_len - before;
        take_lines(self, lines);
        return taken;
    }
    case TORC_HTTP1_BAD:
        fail(self, self->parser.status, self->parser.problem);
        return 0;
    default:
        break;
    }
    if (!before) torc_buf_add(&self->gathered, part);
    if (torc_buf_err(&self->gathered)) fail(self, 503, "out of memory");
    return part.len;
}

/* ---- bodies ---- */

static size_t take_length(torc_http1_reader *self, torc_str bytes) {
    const size_t len = bytes.len < self->left ? bytes.len : (size_t)self->left;

    self->left -= len;
    tell_body(self, torc_str_head(bytes, len));
    if (!self->is_freed && self->left == 0) end_message(self, NULL);
    return len;
}

static size_t take_chunks(torc_http1_reader *self, torc_str bytes) {
    torc_str content;
    size_t taken;

    switch (torc_chunked_decode(&self->chunks, bytes, SIZE_MAX, &taken, &content)) {
    case TORC_CHUNKED_CONTENT:
        tell_body(self, content);
        break;
    case TORC_CHUNKED_LAST:
        self->stage = TRAILERS;
        torc_buf_clear(&self->gathered);
        torc_http1_parser_init_trailers(&self->parser, &self->arena, &self->limits, self->flags);
        break;
    case TORC_CHUNKED_BAD:
        fail(self, self->reads_responses ? 502 : 400, self->chunks.problem);
        break;
    case TORC_CHUNKED_MORE:
        break;
    }
    return taken;
}

static size_t take(torc_http1_reader *self, torc_str bytes) {
    switch (self->stage) {
    case LENGTH:
        return take_length(self, bytes);
    case CHUNKS:
        return take_chunks(self, bytes);
    case TO_CLOSE:
        tell_body(self, bytes);
        return bytes.len;
    default:
        return gather(self, bytes);
    }
}

torc_err torc_http1_reader_feed(torc_http1_reader *reader, torc_str bytes, size_t *taken) {
    *taken = 0;
    if (reader->failure) return reader->failure;
    reader->is_feeding = true;
    reader->is_stopped = false;
    while (*taken < bytes.len && !reader->is_stopped && !reader->failure && reader->stage != OVER)
        *taken += take(reader, torc_str_from(bytes, *taken));
    reader->is_feeding = false;

    const torc_err err = reader->failure;
    if (reader->is_freed) torc_http1_reader_free(reader);
    return err;
}

torc_err torc_http1_reader_end(torc_http1_reader *reader) {
    if (reader->failure) return reader->failure;
    switch (reader->stage) {
    case OVER:
        return TORC_OK;
    case HEAD:
        return reader->gathered.len ? TORC_ERR_LOST : TORC_OK;
    case TO_CLOSE:
        reader->is_feeding = true;
        end_message(reader, NULL);
        reader->is_feeding = false;
        if (reader->is_freed) torc_http1_reader_free(reader);
        return TORC_OK;
    default:
        return TORC_ERR_LOST;
    }
}

/* ---- chunks ---- */

void torc_chunk_encode(torc_buf *buf, torc_str bytes) {
    char line[TORC_CHUNKED_LINE_MAX];

    if (bytes.len == 0) {
        torc_buf_add(buf, TORC_STR("0\r\n\r\n"));
        return;
    }
    torc_buf_add(buf, torc_str_make(line, torc_chunked_write_line(bytes.len, line)));
    torc_buf_add(buf, bytes);
    torc_buf_add(buf, TORC_STR("\r\n"));
}

torc_err torc_chunk_decode(torc_str *rest, torc_str *content) {
    const torc_limits limits = torc_limits_default();
    torc_chunked_decoder decoder;
    torc_str found = {0}, ignored;
    size_t taken, behind;

    torc_chunked_decoder_init(&decoder, limits.chunk_line_bytes_max);
    switch (torc_chunked_decode(&decoder, *rest, SIZE_MAX, &taken, &found)) {
    case TORC_CHUNKED_LAST:
        *content = torc_str_make(rest->bytes + taken, 0);
        *rest = torc_str_from(*rest, taken);
        return TORC_OK;
    case TORC_CHUNKED_CONTENT:
        break;
    case TORC_CHUNKED_BAD:
        return TORC_ERR_SYNTAX;
    default:
        return TORC_ERR_AGAIN;
    }
    /* Its end, as far as that is there: two bytes, with nothing of the next chunk. */
    const torc_str end = torc_str_head(torc_str_from(*rest, taken), 2);
    if (decoder.left > 0) return TORC_ERR_AGAIN;
    if (torc_chunked_decode(&decoder, end, SIZE_MAX, &behind, &ignored) == TORC_CHUNKED_BAD)
        return TORC_ERR_SYNTAX;
    if (end.len < 2) return TORC_ERR_AGAIN;
    *content = found;
    *rest = torc_str_from(*rest, taken + 2);
    return TORC_OK;
}
