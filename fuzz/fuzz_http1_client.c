/* SPDX-License-Identifier: MIT */
/*
 * A client of HTTP/1 over a connection in memory, whose server sends anything. What it is told is
 * the same however the bytes are cut, and nothing of it is left. The first byte of an input chooses
 * the method (1, 2), a body of the request (4), a late poller (8), the scrambler (16), whether the
 * server ends its side (32), or resets (64), and whether an allocation fails (128); the second one
 * the pieces, or the number of the allocation.
 */
#include <torc/testing.h>
#include <torc/testing_transport.h>

#include "fuzz.h"
#include "protocol/http1/client.h"
#include "reactor/reactor.h"

enum {
    HAS_BODY = 4,
    LATE = 8,
    SCRAMBLED = 16,
    ENDS = 32,
    RESETS = 64,
    FAILS = 128,
    INPUT_MAX = 8192,
    TOLD_MAX = 1 << 16,
    EXCHANGES_MAX = 20
};

/* What the client was told, as text. */
typedef struct told {
    char *text; /* TOLD_MAX bytes, freed by the caller */
    size_t len;
    uint8_t choice;
    int exchanges;
    bool is_lost;
} told;

static void tell(told *self, const char *what, torc_str str) {
    const size_t room = TOLD_MAX - self->len;
    const int len = snprintf(self->text + self->len, room, "%s", what);

    FUZZ_CHECK(len >= 0 && (size_t)len + str.len < room);
    self->len += (size_t)len;
    if (str.len) memcpy(self->text + self->len, str.bytes, str.len);
    self->len += str.len;
}

static told *told_of(torc_exchange *exchange) {
    return exchange->above;
}

static void tell_fields(told *self, const torc_fields *fields) {
    for (uint32_t i = 0; i < fields->count; i++) {
        FUZZ_CHECK(torc_field_name_is_valid(fields->items[i].name));
        FUZZ_CHECK(torc_field_value_is_valid(fields->items[i].value));
        tell(self, "\nfield ", fields->items[i].name);
        tell(self, " ", fields->items[i].value);
    }
}

static void head_received(torc_exchange *exchange, const torc_head *head) {
    char line[64];

    FUZZ_CHECK(head->status >= 100 && head->status <= 999);
    snprintf(line, sizeof(line), "\nhead %d %d %lld ", head->version, head->status,
             (long long)head->body_len);
    tell(told_of(exchange), line, head->reason);
    tell_fields(told_of(exchange), &head->fields);
    tell(told_of(exchange), "\nbody ", torc_str_make(NULL, 0));
    if (head->status == 101) FUZZ_CHECK(exchange->wire->tunnel(exchange) != TORC_ERR_GONE);
}

static void body_received(torc_exchange *exchange, torc_str bytes) {
    FUZZ_CHECK(bytes.len > 0);
    tell(told_of(exchange), "", bytes);
    exchange->wire->want_body(exchange, bytes.len);
}

static void body_ended(torc_exchange *exchange, const torc_fields *trailers) {
    tell(told_of(exchange), "\nended", torc_str_make(NULL, 0));
    if (trailers) tell_fields(told_of(exchange), trailers);
}

static void closed(torc_exchange *exchange, torc_err reason) {
    tell(told_of(exchange), "\nclosed ", torc_str_of(torc_err_name(reason)));
    torc_exchange_let_go(exchange);
}

static void nothing(torc_exchange *exchange) {
    (void)exchange;
}

static const torc_exchange_events events = {
    .head_received = head_received,
    .body_received = body_received,
    .body_ended = body_ended,
    .drained = nothing,
    .draining = nothing,
    .closed = closed,
};

static torc_err send_request(torc_exchange *exchange, uint8_t choice) {
    static const torc_method methods[] = {TORC_METHOD_GET, TORC_METHOD_HEAD, TORC_METHOD_POST,
                                          TORC_METHOD_CONNECT};
    static torc_field host = {TORC_STR_INIT("Host"), TORC_STR_INIT("a"), TORC_FIELD_HOST};
    const torc_method method = methods[choice & 3];
    const torc_head head = {
        .method = method,
        .method_text = torc_method_text(method),
        .target = {.text = TORC_STR("/")},
        .fields = {&host, 1, 0},
    };
    torc_chain chain;

    torc_chain_init(&chain, &exchange->reactor->chains);
    torc_err err = exchange->wire->send_head(exchange, &head, choice & HAS_BODY ? 5 : 0);
    if (!err && (choice & HAS_BODY)) err = torc_chain_add_bytes(&chain, TORC_STR("hello"));
    if (!err && (choice & HAS_BODY)) err = exchange->wire->send_body(exchange, &chain);
    torc_chain_clear(&chain);
    return err ? err : exchange->wire->send_end(exchange, NULL);
}

static void idle(torc_http1_client *client, void *context) {
    told *self = context;
    torc_exchange *exchange;

    if (++self->exchanges > EXCHANGES_MAX || torc_http1_client_open(client, &exchange)) {
        torc_http1_client_close(client);
        return;
    }
    exchange->events = &events;
    exchange->above = self;
    exchange->wire->want_body(exchange, 1000);
    const torc_err err = send_request(exchange, self->choice);
    if (err && err != TORC_ERR_GONE) exchange->wire->reset(exchange, err);
}

static void lost(torc_http1_client *client, void *context, torc_err reason) {
    told *self = context;

    (void)client;
    (void)reason;
    FUZZ_CHECK(!self->is_lost);
    self->is_lost = true;
}

static const torc_http1_client_ops client_ops = {.idle = idle, .lost = lost};

static void converse(torc_reactor *reactor, torc_test_connection *peer, torc_str bytes,
                     uint8_t choice, size_t piece) {
    if (choice & SCRAMBLED) FUZZ_CHECK(torc_test_connection_scramble(peer, piece) == TORC_OK);
    torc_test_settle(reactor); /* the request goes first */
    torc_test_connection_set_pieces(peer, piece);
    torc_test_connection_send(peer, bytes);
    if (choice & FAILS) torc_test_fail_allocation(reactor, piece);
    if (choice & RESETS)
        torc_test_connection_reset(peer);
    else if (choice & ENDS)
        torc_test_connection_send_end(peer);
    torc_test_settle(reactor);
    torc_test_fail_allocation(reactor, 0);
    torc_test_advance(reactor, 200000); /* whatever it waits for does not come */
}

/* What is written are requests, and nothing before them. */
static void check_requests(torc_str written, uint8_t choice) {
    static const char *const lines[] = {"GET / HTTP/1.1\r\n", "HEAD / HTTP/1.1\r\n",
                                        "POST / HTTP/1.1\r\n", "CONNECT / HTTP/1.1\r\n"};

    FUZZ_CHECK(written.len == 0 || torc_str_starts_with(written, torc_str_of(lines[choice & 3])));
}

static told ask(torc_str bytes, uint8_t choice, size_t piece) {
    told self = {.choice = choice, .text = malloc(TOLD_MAX)};
    torc_reactor *reactor;
    torc_http1_client *client;

    FUZZ_CHECK(self.text);
    FUZZ_CHECK((choice & LATE ? torc_test_reactor_new_late
                              : torc_test_reactor_new)(NULL, &reactor) == TORC_OK);
    FUZZ_CHECK(torc_http1_client_new(reactor, NULL, &client_ops, &self, &client) == TORC_OK);
    torc_test_connection *peer =
        torc_test_connection_new_over(reactor, torc_http1_client_protocol(client));
    FUZZ_CHECK(peer);
    converse(reactor, peer, bytes, choice, piece);
    check_requests(torc_test_connection_written(peer), choice);
    torc_test_connection_free(peer);
    FUZZ_CHECK(self.is_lost);
    torc_reactor_free(reactor);
    return self;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint8_t choice = fuzz_byte(&input);
    const size_t piece = fuzz_byte(&input) + 1u;

    if (input.rest.len > INPUT_MAX) return 0;
    const told whole = ask(input.rest, choice & (uint8_t) ~(SCRAMBLED | FAILS), 0);
    const told pieces = ask(input.rest, choice, piece);
    /*
     * Bytes behind a response are answers that nobody asked for, if they come with it; later they
     * are those to the next request. How much is received before a reset is a matter of time.
     */
    if (!(choice & (FAILS | RESETS)))
        FUZZ_CHECK(torc_str_starts_with(torc_str_make(pieces.text, pieces.len),
                                        torc_str_make(whole.text, whole.len)));
    free(whole.text);
    free(pieces.text);
    return 0;
}
