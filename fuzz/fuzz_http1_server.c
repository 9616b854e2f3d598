/* SPDX-License-Identifier: MIT */
/*
 * A whole server of HTTP/1 over a connection in memory. Whatever comes, what it writes are whole
 * responses, one after the other; it writes the same however the bytes are cut; and nothing of it
 * is left. The first byte of an input chooses leniencies (1, 2), small limits (4), a late poller
 * (8), the scrambler (16), whether the peer ends its side (32), or resets (64), and whether an
 * allocation fails (128); the second one the pieces, or the number of the allocation, and whether
 * the peer is slow to take the answers.
 */
#include <torc/body.h>
#include <torc/reply.h>
#include <torc/site.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>

#include "base/page.h"
#include "fuzz.h"
#include "protocol/http1/chunked.h"
#include "protocol/http1/parse.h"
#include "protocol/negotiate.h"
#include "reactor/reactor.h"

enum {
    SMALL_LIMITS = 4,
    LATE = 8,
    SCRAMBLED = 16,
    ENDS = 32,
    RESETS = 64,
    FAILS = 128,
    INPUT_MAX = 8192
};

/* ---- the site ---- */

static torc_render echo(torc_request *request) {
    torc_str body;
    const torc_err err = torc_body_read_all(request, 1 << 16, &body);

    if (err) return torc_reply_error(request, err);
    torc_response_set_length(request, body.len + 1);
    torc_request_write(request, TORC_STR("=")); /* so that no body looks like a response */
    torc_request_write(request, body);
    return torc_reply_end(request);
}

/* Answers piece by piece what comes piece by piece, with the trailers that came. */
static torc_render stream(torc_request *request) {
    torc_str chunk;
    torc_err err;

    torc_response_set(request, "X-Target", torc_request_field_id(request, TORC_FIELD_HOST));
    torc_request_write(request, TORC_STR("<"));
    while ((err = torc_body_read(request, &chunk)) == TORC_OK && chunk.len > 0)
        torc_request_write(request, chunk);
    if (err) return torc_reply_error(request, err);
    torc_request_write(request, TORC_STR(">"));
    return torc_reply_end(request);
}

static torc_render refuse(torc_request *request) {
    return torc_reply_status(request, 403, NULL);
}

static torc_render take_some(torc_request *request) {
    torc_str chunk;

    if (torc_body_read(request, &chunk)) return TORC_RENDER_DONE;
    return torc_reply_text(request, 200, "enough");
}

static torc_site *make_site(const torc_limits *limits) {
    torc_resource *root = torc_folder_new();
    const torc_site_options options = {
        .size = sizeof(options), .limits = limits, .allow_trace = true};

    FUZZ_CHECK(root);
    torc_resource_put_child(root, "", torc_data_new(TORC_STR("hello"), "text/plain"));
    torc_resource_put_child(root, "echo", torc_render_new(echo, 0, true));
    torc_resource_put_child(root, "stream", torc_render_new(stream, 0, true));
    torc_resource_put_child(root, "refuse", torc_render_new(refuse, 0, true));
    torc_resource_put_child(root, "some", torc_render_new(take_some, 0, true));
    torc_resource_route(root, "GET /users/{id}", refuse);
    torc_site *site = torc_site_new(root, &options);
    FUZZ_CHECK(site);
    return site;
}

/* ---- what was written ---- */

typedef struct reader {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_limits limits;
    torc_str rest;
    char *plain; /* heads and contents, without the chunks around these */
    size_t plain_len;
} reader;

static void keep(reader *self, torc_str bytes) {
    if (bytes.len) memcpy(self->plain + self->plain_len, bytes.bytes, bytes.len);
    self->plain_len += bytes.len;
}

/* Take a body in chunks, without trailers; false: it is cut. */
static bool read_chunks(reader *self) {
    torc_chunked_decoder decoder;
    torc_chunked_outcome outcome;
    torc_str content;
    size_t taken;

    torc_chunked_decoder_init(&decoder, 1000);
    do {
        outcome = torc_chunked_decode(&decoder, self->rest, SIZE_MAX, &taken, &content);
        if (outcome == TORC_CHUNKED_CONTENT) keep(self, content);
        self->rest = torc_str_from(self->rest, taken);
    } while (outcome == TORC_CHUNKED_CONTENT);
    FUZZ_CHECK(outcome != TORC_CHUNKED_BAD);
    if (outcome == TORC_CHUNKED_MORE || self->rest.len < 2) return false;
    FUZZ_CHECK(torc_str_starts_with(self->rest, TORC_STR("\r\n")));
    self->rest = torc_str_from(self->rest, 2);
    return true;
}

static bool read_plain(reader *self, uint64_t len) {
    if (len > self->rest.len) return false;
    keep(self, torc_str_head(self->rest, (size_t)len));
    self->rest = torc_str_from(self->rest, (size_t)len);
    return true;
}

/*
 * Take a body. Whether the answer was to HEAD is not known here: then another response stands where
 * the body would, or nothing.
 */
static bool read_body(reader *self, const torc_http1_framing *framing) {
    if (framing->until_close) return read_plain(self, self->rest.len);
    if (self->rest.len == 0 || torc_str_starts_with(self->rest, TORC_STR("HTTP/1.1 "))) return true;
    return framing->is_chunked ? read_chunks(self) : read_plain(self, (uint64_t)framing->body_len);
}

/* One response; false: it is not whole. */
static bool read_response(reader *self) {
    torc_http1_parser parser;
    torc_http1_framing framing;
    torc_head head;
    char *const bytes = fuzz_copy(self->rest);

    torc_http1_parser_init(&parser, &self->arena, &self->limits, true, 0);
    torc_http1_outcome outcome = torc_http1_parse(&parser, self->rest);
    if (outcome == TORC_HTTP1_DONE)
        outcome = torc_http1_take_response(&parser, bytes, TORC_METHOD_GET, &head, &framing);
    free(bytes);
    FUZZ_CHECK(outcome != TORC_HTTP1_BAD);
    if (outcome == TORC_HTTP1_MORE) return false;
    return read_plain(self, parser.head_len) && read_body(self, &framing);
}

/* Check that all of it are responses, the last of which may be cut; what they say goes to `plain`.
 */
static size_t read_responses(torc_str written, bool is_cut, char *plain) {
    reader self = {.rest = written, .plain = plain};

    torc_memory_init(&self.memory, 0);
    torc_page_pool_init(&self.pages, &self.memory, 16);
    torc_arena_init(&self.arena, &self.pages, 1 << 26);
    self.limits = torc_limits_default();
    self.limits.section_bytes_max = TORC_UNLIMITED;
    while (self.rest.len > 0 && read_response(&self)) continue;
    FUZZ_CHECK(self.rest.len == 0 || is_cut);
    torc_arena_dispose(&self.arena);
    torc_page_pool_dispose(&self.pages);
    return self.plain_len;
}

/* ---- the connection ---- */

typedef struct served {
    char *plain; /* of what was written; freed by the caller */
    size_t len;
    bool is_cut; /* the connection was reset */
} served;

static void converse(torc_reactor *reactor, torc_test_connection *peer, torc_str bytes,
                     uint8_t choice, size_t piece) {
    if (choice & SCRAMBLED) FUZZ_CHECK(torc_test_connection_scramble(peer, piece) == TORC_OK);
    torc_test_connection_set_pieces(peer, piece);
    if (piece % 3 == 2) torc_test_connection_hold_back(peer);
    torc_test_connection_send(peer, bytes);
    if (choice & FAILS) torc_test_fail_allocation(reactor, piece);
    if (choice & RESETS)
        torc_test_connection_reset(peer);
    else if (choice & ENDS)
        torc_test_connection_send_end(peer);
    torc_test_settle(reactor);
    for (int i = 0; piece % 3 == 2 && i < 30; i++) {
        torc_test_connection_take(peer, i < 29 ? piece : SIZE_MAX);
        torc_test_settle(reactor);
    }
    torc_test_fail_allocation(reactor, 0);
}

static served serve(torc_str bytes, uint8_t choice, size_t piece) {
    torc_limits limits = torc_limits_default();
    const torc_http_server_options options = {
        .limits = &limits, .allow_bare_lf = choice & 1, .allow_folded_fields = choice & 2};
    torc_reactor *reactor;
    torc_factory *factory;
    served result = {0};

    if (choice & SMALL_LIMITS) {
        limits.section_bytes_max = limits.request_line_bytes_max = limits.trailers_bytes_max = 200;
        limits.body_bytes_max = 50;
        limits.drain_bytes_max = 20;
        limits.requests_per_connection_max = 5;
    }
    FUZZ_CHECK((choice & LATE ? torc_test_reactor_new_late
                              : torc_test_reactor_new)(NULL, &reactor) == TORC_OK);
    torc_site *site = make_site(&limits);
    FUZZ_CHECK(torc_http_server_new(reactor, torc_site_acceptor(site), &options, &factory) ==
               TORC_OK);
    torc_test_connection *peer = torc_test_connection_new(reactor, factory);
    FUZZ_CHECK(peer);
    converse(reactor, peer, bytes, choice, piece);
    torc_test_advance(reactor, 200000); /* whatever it waits for does not come */
    FUZZ_CHECK(torc_test_connection_is_over(peer) || torc_test_connection_has_ended(peer));

    const torc_str written = torc_test_connection_written(peer);
    result.plain = malloc(written.len + 1);
    FUZZ_CHECK(result.plain);
    result.is_cut = torc_test_connection_was_reset(peer) || (choice & RESETS);
    result.len = read_responses(written, result.is_cut, result.plain);
    torc_test_connection_free(peer);
    torc_http_server_free(factory);
    torc_site_free(site);
    torc_reactor_free(reactor);
    return result;
}

/*
 * Whether 100 is sent depends on whether the body is there by then, and what is left of the
 * connection as well; and who has answered before the end of a body comes is not told of that.
 */
static bool depends_on_time(torc_str plain) {
    return torc_str_find(plain, TORC_STR("HTTP/1.1 100 ")) >= 0 ||
           torc_str_find(plain, TORC_STR("the connection ended before")) >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint8_t choice = fuzz_byte(&input);
    const size_t piece = fuzz_byte(&input) + 1u;

    if (input.rest.len > INPUT_MAX) return 0;
    const served whole = serve(input.rest, choice & (uint8_t) ~(SCRAMBLED | FAILS), 0);
    const served pieces = serve(input.rest, choice, piece);
    const torc_str one = torc_str_make(whole.plain, whole.len),
                   other = torc_str_make(pieces.plain, pieces.len);

    if (!(choice & FAILS) && !whole.is_cut && !pieces.is_cut && !depends_on_time(one) &&
        !depends_on_time(other) && torc_str_find(input.rest, TORC_STR("100-")) < 0)
        FUZZ_CHECK(torc_str_equals(one, other));
    free(whole.plain);
    free(pieces.plain);
    return 0;
}
