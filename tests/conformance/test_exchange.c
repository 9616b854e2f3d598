/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of the exchange: each case over every wire, in both roles; and over the
 * fast wires with each allocation failing in turn.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pair.h"
#include "probe.h"
#include "reactor/reactor.h"
#include "testing/mux.h"

/* ---- bodies ---- */

static void check_answered(const pair *p, const end *client, const end *server) {
    expect_int(p, client->heads, 1);
    expect_int(p, client->ends, 1);
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_OK);
    expect_int(p, server->closes, 1);
    expect_int(p, server->reason, TORC_OK);
}

static void empty_bodies(pair *p) {
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    expect_int(p, server->heads, 1);
    expect_int(p, server->method, TORC_METHOD_GET);
    expect_text(p, server->path, "/0");
    expect_int(p, server->length, 0);
    expect_int(p, server->ends, 1);
    expect_int(p, client->heads, 0);
    expect_int(p, end_answer(server, 200, NULL, 0), TORC_OK);
    expect_int(p, end_finish(server, NULL), TORC_OK);
    pair_run(p);
    expect_int(p, client->status, 200);
    expect_int(p, client->length, 0);
    expect_int(p, client->got, 0);
    check_answered(p, client, server);
}

/* A request with a body and an answer with another; lengths -1: not known. */
static void exchange_texts(pair *p, int64_t request_len, int64_t response_len) {
    end *client = pair_ask(p, "POST /0", NULL, request_len);
    end_want(client, SIZE_MAX);
    (void)!end_send(client, TORC_STR("hello "));
    pair_run(p);
    end *server = pair_server(p, 0);
    end_want(server, SIZE_MAX);
    (void)!end_send(client, TORC_STR("world"));
    (void)!end_finish(client, NULL);
    pair_run(p);
    expect_int(p, server->length, request_len);
    expect_text(p, server->text, "hello world");
    expect_int(p, server->ends, 1);
    (void)!end_answer(server, 201, NULL, response_len);
    (void)!end_send(server, TORC_STR("what "));
    pair_run(p);
    expect_int(p, client->heads, 1);
    (void)!end_send(server, TORC_STR("is new?"));
    expect_int(p, end_finish(server, NULL), TORC_OK);
    pair_run(p);
    expect_int(p, client->status, 201);
    expect_int(p, client->length, response_len);
    expect_text(p, client->text, "what is new?");
    check_answered(p, client, server);
}

static void known_lengths(pair *p) {
    exchange_texts(p, 11, 12);
}

static void unknown_lengths(pair *p) {
    exchange_texts(p, -1, -1);
}

/* Whether the test can take the connection away. */
static bool can_break(const pair *p) {
    return p->kind != WIRE_HTTP1_EPOLL && p->kind != WIRE_HTTP1_LATE;
}

static void want_more(end *self) {
    if (self->wanted == 0) end_want(self, 1500);
}

static void large_body_up(pair *p) {
    p->at_server.body = want_more;
    end *client = pair_ask(p, "PUT /0", NULL, (int64_t)p->large);
    end_want(client, SIZE_MAX);
    end_pump(client, p->large, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    expect_int(p, server->got, 0);
    if (!client->request) expect(p, client->to_send > 0);
    end_want(server, 1500);
    pair_run(p);
    expect_int(p, server->got, p->large);
    expect(p, !server->is_pattern_broken);
    expect_int(p, server->ends, 1);
    if (!client->request) expect(p, client->drains > 0);
    (void)!end_answer(server, 204, NULL, 0);
    (void)!end_finish(server, NULL);
    pair_run(p);
    check_answered(p, client, server);
}

static void answer_large(pair *p, int64_t length) {
    p->at_client.body = want_more;
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_answer(server, 200, NULL, length);
    end_pump(server, p->large, NULL);
    pair_run(p);
    expect_int(p, client->heads, 1);
    expect_int(p, client->got, 0);
    expect(p, server->to_send > 0);
    end_want(client, client->request ? SIZE_MAX : 1500);
    pair_run(p);
    expect(p, server->drains > 0);
    expect_int(p, client->got, p->large);
    expect(p, !client->is_pattern_broken);
    check_answered(p, client, server);
}

static void large_body_down(pair *p) {
    answer_large(p, (int64_t)p->large);
}

static void large_body_down_of_unknown_length(pair *p) {
    answer_large(p, -1);
}

static void demand_is_exact(pair *p) {
    end *client = pair_ask(p, "POST /0", NULL, -1);
    (void)!end_send(client, TORC_STR("0123456789"));
    (void)!end_send(client, TORC_STR("abcdefghij"));
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    expect_int(p, server->heads, 1);
    expect_int(p, server->got, 0);
    end_want(server, 0);
    pair_run(p);
    expect_int(p, server->got, 0);
    end_want(server, 3);
    pair_run(p);
    expect_text(p, server->text, "012");
    end_want(server, 4);
    end_want(server, 5);
    pair_run(p);
    expect_text(p, server->text, "0123456789ab");
    expect_int(p, server->ends, 0);
    end_want(server, 8); /* all of it, and the end needs no more */
    pair_run(p);
    expect_int(p, server->got, 20);
    expect_int(p, server->ends, 1);
    (void)!end_answer(server, 200, NULL, 5);
    (void)!end_send(server, TORC_STR("12345"));
    (void)!end_finish(server, NULL);
    pair_run(p);
    expect_int(p, client->got, 0);
    end_want(client, 2);
    pair_run(p);
    expect_int(p, client->got, 2);
    end_want(client, 3);
    pair_run(p);
    expect_text(p, client->text, "12345");
    check_answered(p, client, server);
}

static void trailers_both_ways(pair *p) {
    end *client = pair_ask(p, "POST /0", "TE: trailers\nConnection: TE", -1);
    end_want(client, SIZE_MAX);
    (void)!end_send(client, TORC_STR("up"));
    (void)!end_finish(client, "17");
    pair_run(p);
    end *server = pair_server(p, 0);
    end_want(server, 2);
    pair_run(p);
    expect_text(p, server->text, "up");
    expect_text(p, server->trailer, "17");
    (void)!end_answer(server, 200, NULL, -1);
    (void)!end_send(server, TORC_STR("down"));
    (void)!end_finish(server, "42");
    pair_run(p);
    expect_text(p, client->text, "down");
    expect_text(p, client->trailer, "42");
    check_answered(p, client, server);
}

/* What has no body gets none, whatever is sent. */
static void check_dropped(pair *p, const char *line, int status, int64_t length) {
    end *client = pair_ask(p, line, NULL, 0);
    end_want(client, SIZE_MAX);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, p->server_count ? p->server_count - 1 : 0);
    expect_int(p, end_answer(server, status, NULL, length), TORC_OK);
    expect_int(p, end_send(server, TORC_STR("12345")), TORC_OK);
    expect_int(p, end_finish(server, NULL), TORC_OK);
    pair_run(p);
    expect_int(p, client->status, status);
    expect_int(p, client->got, 0);
    check_answered(p, client, server);
}

static void bodies_that_are_dropped(pair *p) {
    check_dropped(p, "HEAD /0", 200, 5);
    check_dropped(p, "HEAD /1", 200, -1);
    check_dropped(p, "HEAD /2", 200, 1000);
    check_dropped(p, "GET /3", 204, 0);
    check_dropped(p, "GET /4", 304, 5);
    check_dropped(p, "GET /5", 304, -1);
}

/* ---- heads ---- */

static void interim_heads(pair *p) {
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    expect_int(p, end_answer(server, 103, "Link: </a>", 0), TORC_OK);
    expect_int(p, end_answer(server, 103, "Link: </b>", 0), TORC_OK);
    pair_run(p);
    expect_int(p, client->interims, 2);
    expect_int(p, client->interim_status, 103);
    expect_int(p, client->heads, 0);
    (void)!end_answer(server, 200, NULL, 0);
    (void)!end_finish(server, NULL);
    pair_run(p);
    expect_int(p, client->status, 200);
    check_answered(p, client, server);
}

static void continue_on_the_first_want(pair *p) {
    end *client = pair_ask(p, "POST /0", "Expect: 100-continue", 4);
    pair_run(p);
    end *server = pair_server(p, 0);
    expect_int(p, client->interims, 0);
    end_want(server, 2);
    end_want(server, 2);
    pair_run(p);
    expect_int(p, client->interims, 1);
    expect_int(p, client->interim_status, 100);
    (void)!end_send(client, TORC_STR("body"));
    (void)!end_finish(client, NULL);
    pair_run(p);
    expect_text(p, server->text, "body");
    (void)!end_answer(server, 200, NULL, 0);
    (void)!end_finish(server, NULL);
    pair_run(p);
    expect_int(p, client->interims, 1);
    check_answered(p, client, server);
}

static void refused_before_continue(pair *p) {
    end *client = pair_ask(p, "POST /0", "Expect: 100-continue", 4);
    pair_run(p);
    end *server = pair_server(p, 0);
    end_stop(server);
    (void)!end_answer(server, 413, NULL, 0);
    (void)!end_finish(server, NULL);
    pair_run(p);
    expect_int(p, client->interims, 0);
    expect_int(p, client->status, 413);
    expect_int(p, server->closes, 1);
    expect_int(p, server->reason, TORC_OK);
}

static void early_answer(pair *p, bool stops_first) {
    end *client = pair_ask(p, "POST /0", NULL, 10);
    (void)!end_send(client, TORC_STR("01234"));
    pair_run(p);
    end *server = pair_server(p, 0);
    if (stops_first) end_stop(server);
    (void)!end_answer(server, 403, NULL, 0);
    (void)!end_finish(server, NULL);
    pair_run(p);
    if (!stops_first) end_stop(server);
    pair_run(p);
    expect_int(p, client->status, 403);
    (void)!end_send(client, TORC_STR("56789"));
    (void)!end_finish(client, NULL);
    pair_run(p);
    expect_int(p, server->got, 0);
    expect_int(p, server->ends, 0);
    check_answered(p, client, server);
}

static void answer_before_the_body_which_is_dropped(pair *p) {
    early_answer(p, true);
}

static void body_is_dropped_after_the_answer(pair *p) {
    early_answer(p, false);
}

/* More than is dropped: the answer arrives, and the exchange ends without the body. */
static void refuse_large(pair *p, bool stops_first) {
    end *client = pair_ask(p, "POST /0", NULL, (int64_t)p->limits.drain_bytes_max * 4);
    (void)!end_send(client, TORC_STR("01234"));
    pair_run(p);
    end *server = pair_server(p, 0);
    if (stops_first) end_stop(server);
    (void)!end_answer(server, 413, NULL, 0);
    (void)!end_finish(server, NULL);
    if (!stops_first) {
        pair_run(p);
        end_stop(server);
    }
    pair_run(p);
    expect_int(p, client->status, 413);
    if (pair_is_http1(p)) expect_int(p, server->closes, 1);
    end_reset(client, TORC_ERR_CANCELLED);
    pair_run(p);
    expect_int(p, server->closes, 1);
    if (pair_is_http1(p)) expect_int(p, server->reason, TORC_OK);
}

static void large_body_is_refused(pair *p) {
    refuse_large(p, true);
}

static void large_body_is_refused_after_the_answer(pair *p) {
    refuse_large(p, false);
}

/* The end of what nobody wants is not told. */
static void stopped_before_the_end_came(pair *p) {
    end *client = pair_ask(p, "POST /0", NULL, -1);
    (void)!end_send(client, TORC_STR("abc"));
    pair_run(p);
    end *server = pair_server(p, 0);
    end_want(server, 2);
    pair_run(p);
    expect_text(p, server->text, "ab");
    end_stop(server);
    end_stop(server);
    end_want(server, 10); /* too late */
    (void)!end_send(client, TORC_STR("def"));
    (void)!end_finish(client, NULL);
    pair_run(p);
    expect_int(p, server->got, 2);
    expect_int(p, server->ends, 0);
    (void)!end_send_whole(server, 200, TORC_STR("x"));
    end_want(client, 1);
    pair_run(p);
    check_answered(p, client, server);
}

static void stop_inside(end *self) {
    end_stop(self);
}

static void client_stops_the_answer(pair *p) {
    if (p->kind == WIRE_MEMORY) return;
    p->at_client.body = stop_inside;
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    end_want(client, SIZE_MAX);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_answer(server, 200, NULL, 6);
    (void)!end_send(server, TORC_STR("abc"));
    pair_run(p);
    (void)!end_send(server, TORC_STR("def"));
    (void)!end_finish(server, NULL);
    pair_run(p);
    expect(p, client->got > 0 && client->got < 6);
    expect_int(p, client->ends, 0);
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_OK);
    expect_int(p, server->reason, TORC_OK);
}

static void refused_without_a_byte(pair *p) {
    end *client = pair_ask(p, "POST /0", NULL, (int64_t)p->limits.drain_bytes_max * 4);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_answer(server, 413, NULL, 0);
    (void)!end_finish(server, NULL);
    pair_run(p);
    end_stop(server);
    pair_run(p);
    expect_int(p, client->status, 413);
    if (pair_is_http1(p)) expect_int(p, server->closes, 1);
    end_reset(client, TORC_ERR_CANCELLED);
    pair_run(p);
    expect_int(p, server->closes, 1);
}

static void long_heads(pair *p) {
    static char lines[6020];

    memset(lines, 'a', sizeof(lines) - 1);
    memcpy(lines, "X-Long: ", 8);
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_answer(server, 103, lines, 0);
    (void)!end_answer(server, 200, lines, 0);
    (void)!end_finish(server, NULL);
    pair_run(p);
    expect_int(p, client->long_len, sizeof(lines) - 9);
    check_answered(p, client, server);
}

static torc_err send_file(end *self, uint64_t offset, uint64_t len) {
    char path[] = "/tmp/torc_test_XXXXXX";
    const int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    torc_shared_file *file = torc_shared_file_new(&self->pair->reactor->memory, fd);
    if (!file) {
        close(fd);
        end_reset(self, TORC_ERR_NO_MEMORY);
        return TORC_ERR_NO_MEMORY;
    }
    const torc_err err = end_send_file(self, file, offset, len);
    torc_shared_file_unref(file);
    return err;
}

static void ranges_of_files(pair *p) {
    for (unsigned i = 0; i < 2; i++) {
        end *client = pair_ask(p, "GET /0", NULL, 0);
        end_want(client, SIZE_MAX);
        (void)!end_finish(client, NULL);
        pair_run(p);
        end *server = pair_server(p, i);
        (void)!end_answer(server, 200, NULL, i ? -1 : 8);
        (void)!end_send(server, TORC_STR("<"));
        expect_int(p, send_file(server, 3, 6), TORC_OK);
        (void)!end_send(server, TORC_STR(">"));
        (void)!end_finish(server, NULL);
        pair_run(p);
        torc_test_finish_jobs(p->reactor);
        pair_run(p);
        expect_text(p, client->text, "<345678>");
        check_answered(p, client, server);
    }
}

static void pump_answer(end *self) {
    end_want(self, 1500);
    (void)!end_answer(self, 200, NULL, -1);
    end_pump(self, self->pair->large, NULL);
}

/* Large bodies, each while the other one is under way. */
static void both_ways_at_once(pair *p) {
    p->at_server.head = pump_answer;
    p->at_server.body = p->at_client.body = want_more;
    end *client = pair_ask(p, "POST /0", NULL, -1);
    end_want(client, client->request ? SIZE_MAX : 1500);
    end_pump(client, p->large, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    expect_int(p, server->got, p->large);
    expect_int(p, client->got, p->large);
    expect(p, !server->is_pattern_broken && !client->is_pattern_broken);
    check_answered(p, client, server);
}

static void lost_while_held_back(pair *p) {
    if (!can_break(p)) return;
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_answer(server, 200, NULL, -1);
    end_pump(server, p->large, NULL);
    pair_run(p);
    pair_break(p);
    pair_run(p);
    expect_int(p, server->closes, 1);
    expect_int(p, server->reason, TORC_ERR_LOST);
    if (!client->request) expect_int(p, client->closes, 1);
}

static void answer_from_inside_the_head(end *self) {
    (void)!end_send_whole(self, 200, TORC_STR("quick"));
}

static void answer_inside_the_head(pair *p) {
    p->at_server.head = answer_from_inside_the_head;
    end *client = pair_ask(p, "GET /0", NULL, 0);
    end_want(client, SIZE_MAX);
    (void)!end_finish(client, NULL);
    pair_run(p);
    expect_text(p, client->text, "quick");
    check_answered(p, client, pair_server(p, 0));
}

static void answer_long_from_inside(end *self) {
    static char body[10000];

    for (size_t i = 0; i < sizeof(body); i++) body[i] = pattern_at(i);
    (void)!end_send_whole(self, 200, torc_str_make(body, sizeof(body)));
}

static void long_answer_inside_the_end(pair *p) {
    p->at_server.ended = answer_long_from_inside;
    end *client = pair_ask(p, "POST /0", NULL, 3);
    end_want(client, SIZE_MAX);
    (void)!end_send(client, TORC_STR("abc"));
    (void)!end_finish(client, NULL);
    pair_run(p);
    end_want(pair_server(p, 0), 3);
    pair_run(p);
    expect_int(p, client->got, 10000);
    expect(p, !client->is_pattern_broken);
    check_answered(p, client, pair_server(p, 0));
}

/* ---- mistakes ---- */

static void calls_out_of_order(pair *p) {
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    if (!client->request) {
        expect_int(p, end_send(client, TORC_STR("x")), TORC_ERR_STATE);
        expect_int(p, end_finish(client, NULL), TORC_ERR_STATE);
    }
    pair_run(p);
    end *server = pair_server(p, 0);
    end_want(client, SIZE_MAX);
    expect_int(p, end_send(server, TORC_STR("x")), TORC_ERR_STATE);
    expect_int(p, end_finish(server, NULL), TORC_ERR_STATE);
    expect_int(p, end_answer(server, 200, NULL, -1), TORC_OK);
    expect_int(p, end_answer(server, 200, NULL, -1), TORC_ERR_STATE);
    expect_int(p, end_answer(server, 103, NULL, 0), TORC_ERR_STATE);
    (void)!end_send(server, TORC_STR("ok"));
    expect_int(p, end_finish(server, NULL), TORC_OK);
    expect_int(p, end_send(server, TORC_STR("x")), TORC_ERR_STATE);
    expect_int(p, end_finish(server, NULL), TORC_ERR_STATE);
    pair_run(p);
    expect_text(p, client->text, "ok");
    check_answered(p, client, server);
}

static void answer_wrongly(pair *p, torc_str body, bool ends) {
    end *client = pair_ask(p, "GET /0", NULL, 0);
    end_want(client, SIZE_MAX);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_answer(server, 200, NULL, 5);
    const torc_err err = end_send(server, body);
    server->was_reset = true;
    expect_int(p, ends ? end_finish(server, NULL) : err, TORC_ERR_STATE);
    expect_int(p, end_send(server, TORC_STR("x")), TORC_ERR_GONE);
    pair_run(p);
    expect_int(p, client->ends, 0);
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_ERR_LOST);
    expect_int(p, server->closes, 1);
    expect_int(p, server->reason, TORC_ERR_STATE);
}

static void answer_longer_than_announced(pair *p) {
    answer_wrongly(p, TORC_STR("123456"), false);
}

static void answer_shorter_than_announced(pair *p) {
    answer_wrongly(p, TORC_STR("1234"), true);
}

static void ask_wrongly(pair *p, torc_str body, bool ends) {
    if (p->kind == WIRE_MEMORY) return;
    end *client = pair_ask(p, "POST /0", NULL, 5);
    pair_run(p);
    const torc_err err = end_send(client, body);
    client->was_reset = true;
    expect_int(p, ends ? end_finish(client, NULL) : err, TORC_ERR_STATE);
    pair_run(p);
    end *server = pair_server(p, 0);
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_ERR_STATE);
    expect_int(p, server->ends, 0);
    expect_int(p, server->closes, 1);
    expect_int(p, server->reason, TORC_ERR_LOST);
}

static void request_longer_than_announced(pair *p) {
    ask_wrongly(p, TORC_STR("123456"), false);
}

static void request_shorter_than_announced(pair *p) {
    ask_wrongly(p, TORC_STR("1234"), true);
}

static void beyond_the_hard_mark(pair *p) {
    static char bytes[16384];
    uint64_t sent = 0;
    torc_err err = TORC_OK;

    memset(bytes, 'x', sizeof(bytes));
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_answer(server, 200, NULL, -1);
    for (int i = 0; i < 1000 && !err; i++) {
        err = end_send(server, torc_str_make(bytes, sizeof(bytes)));
        if (!err) sent += sizeof(bytes);
    }
    expect_int(p, err, TORC_ERR_LIMIT);
    expect_int(p, end_room(server), 0);
    expect(p, sent >= p->limits.output_bytes_max - sizeof(bytes));
    expect(p, sent <= p->limits.output_bytes_max + sizeof(bytes));
    end_want(client, SIZE_MAX);
    pair_run(p);
    expect_int(p, client->got, sent);
    expect_int(p, server->drains, 1);
    expect_int(p, end_finish(server, NULL), TORC_OK);
    pair_run(p);
    check_answered(p, client, server);
}

/* ---- ends that are none ---- */

static void reset_by_the_server(pair *p) {
    end *client = pair_ask(p, "GET /0", NULL, 0);
    end_want(client, SIZE_MAX);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_answer(server, 200, NULL, 100);
    (void)!end_send(server, TORC_STR("some"));
    pair_run(p);
    expect_text(p, client->text, "some");
    end_reset(server, TORC_ERR_TIMEOUT);
    end_reset(server, TORC_ERR_CANCELLED); /* the first counts */
    expect_int(p, end_send(server, TORC_STR("x")), TORC_ERR_GONE);
    expect_int(p, server->closes, 0);
    pair_run(p);
    expect_int(p, server->closes, 1);
    expect_int(p, server->reason, TORC_ERR_TIMEOUT);
    expect_int(p, client->closes, 1);
    expect_int(p, client->ends, 0);
    expect_int(p, client->reason, TORC_ERR_LOST);
}

static void reset_inside(end *self) {
    end_reset(self, TORC_ERR_TIMEOUT);
}

static void reset_inside_the_head(pair *p) {
    p->at_server.head = reset_inside;
    end *client = pair_ask(p, "POST /0", NULL, 3);
    (void)!end_send(client, TORC_STR("abc"));
    (void)!end_finish(client, NULL);
    pair_run(p);
    expect_int(p, pair_server(p, 0)->reason, TORC_ERR_TIMEOUT);
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_ERR_LOST);
}

static void reset_inside_the_body(pair *p) {
    p->at_server.body = reset_inside;
    end *client = pair_ask(p, "POST /0", NULL, 3);
    pair_run(p);
    end_want(pair_server(p, 0), SIZE_MAX);
    (void)!end_send(client, TORC_STR("abc"));
    (void)!end_finish(client, NULL);
    pair_run(p);
    expect_int(p, pair_server(p, 0)->ends, 0);
    expect_int(p, pair_server(p, 0)->reason, TORC_ERR_TIMEOUT);
    expect_int(p, client->reason, TORC_ERR_LOST);
}

static void reset_by_the_client(pair *p) {
    end *client = pair_ask(p, "POST /0", NULL, 100);
    (void)!end_send(client, TORC_STR("some"));
    pair_run(p);
    end *server = pair_server(p, 0);
    end_want(server, SIZE_MAX);
    pair_run(p);
    expect_text(p, server->text, "some");
    end_reset(client, TORC_ERR_CANCELLED);
    pair_run(p);
    expect_int(p, server->closes, 1);
    expect_int(p, server->ends, 0);
    expect_int(p, server->reason, TORC_ERR_LOST);
    if (client->request) return;
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_ERR_CANCELLED);
}

static void lost_inside_the_request(pair *p) {
    if (!can_break(p)) return;
    end *client = pair_ask(p, "POST /0", NULL, 100);
    (void)!end_send(client, TORC_STR("some"));
    pair_run(p);
    end_want(pair_server(p, 0), SIZE_MAX);
    pair_run(p);
    pair_break(p);
    pair_run(p);
    expect_int(p, pair_server(p, 0)->closes, 1);
    expect_int(p, pair_server(p, 0)->reason, TORC_ERR_LOST);
    if (client->request) return;
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_ERR_LOST);
}

static void lost_inside_the_answer(pair *p) {
    if (!can_break(p)) return;
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_answer(server, 200, NULL, 100);
    (void)!end_send(server, TORC_STR("some"));
    pair_run(p);
    pair_break(p);
    pair_run(p);
    expect_int(p, server->closes, 1);
    expect_int(p, server->reason, TORC_ERR_LOST);
    if (client->request) return;
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_ERR_LOST);
}

/* What was opened and never sent may be asked for again. */
static void lost_before_a_byte_left(pair *p) {
    if (!can_break(p) || p->kind == WIRE_MEMORY) return;
    end *client = pair_ask(p, "GET /0", NULL, 0);
    pair_break(p);
    pair_run(p);
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_ERR_UNPROCESSED);
    expect_int(p, p->server_count, 0);
}

static void answer_and_let_go(end *self) {
    end_stop(self);
    (void)!end_answer(self, 200, NULL, -1);
    (void)!end_send(self, TORC_STR("bye"));
    (void)!end_finish(self, NULL);
    end_let_go(self);
}

static void let_go_before_closed(pair *p) {
    p->at_server.head = answer_and_let_go;
    end *client = pair_ask(p, "POST /0", NULL, 3);
    end_want(client, SIZE_MAX);
    (void)!end_send(client, TORC_STR("abc"));
    (void)!end_finish(client, NULL);
    pair_run(p);
    expect_text(p, client->text, "bye");
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_OK);
}

static void client_lets_go_before_closed(pair *p) {
    if (p->kind == WIRE_MEMORY) return;
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    end_stop(client);
    end_let_go(client);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_send_whole(server, 200, TORC_STR("nobody listens"));
    pair_run(p);
    expect_int(p, server->closes, 1);
    expect_int(p, server->reason, TORC_OK);
}

static void kept_after_closed(pair *p) {
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    server->is_kept = true;
    (void)!end_answer(server, 200, NULL, 0);
    (void)!end_finish(server, NULL);
    pair_run(p);
    expect_int(p, server->closes, 1);
    expect_int(p, end_send(server, TORC_STR("x")), TORC_ERR_GONE);
    end_let_go(server);
    pair_run(p);
}

static void refused_by_the_acceptor(pair *p) {
    p->refuses = true;
    end *client = pair_ask(p, "POST /0", NULL, 3);
    (void)!end_send(client, TORC_STR("abc"));
    (void)!end_finish(client, NULL);
    end_want(client, SIZE_MAX);
    pair_run(p);
    expect_int(p, client->status, 503);
    expect_int(p, client->ends, 1);
    expect_int(p, p->server_count, 0);
}

static void told_that_the_server_stops(pair *p) {
    if (p->kind == WIRE_MEMORY) return;
    end *client = pair_ask(p, "GET /0", NULL, 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    expect_int(p, server->drainings, 0);
    pair_drain(p);
    pair_run(p);
    expect_int(p, server->drainings, 1);
    (void)!end_answer(server, 200, NULL, 0);
    (void)!end_finish(server, NULL);
    pair_run(p);
    check_answered(p, client, server);
}

/* ---- one after the other, and at once ---- */

static void several_in_sequence(pair *p) {
    for (unsigned i = 0; i < 4; i++) {
        end *client = pair_ask(p, i % 2 ? "POST /0" : "GET /0", NULL, i % 2 ? 3 : 0);
        end_want(client, SIZE_MAX);
        if (i % 2) (void)!end_send(client, TORC_STR("abc"));
        (void)!end_finish(client, NULL);
        pair_run(p);
        end *server = pair_server(p, i);
        end_want(server, SIZE_MAX);
        pair_run(p);
        (void)!end_answer(server, 200, NULL, i < 2 ? 5 : -1);
        (void)!end_send(server, TORC_STR("12345"));
        (void)!end_finish(server, NULL);
        pair_run(p);
        expect_text(p, client->text, "12345");
        check_answered(p, client, server);
    }
}

static void pump_back(end *self) {
    if (self->pair->mux) assert_true(torc_test_mux_queued_max(self->pair->mux) <= 10000);
    end_want(self, SIZE_MAX);
    (void)!end_answer(self, 200, NULL, -1);
    end_pump(self, self->pair->large, NULL);
}

/* Several bodies both ways, over one connection that has less credit than one of them. */
static void several_at_once(pair *p) {
    if (pair_is_http1(p)) return;
    p->at_server.head = pump_back;
    for (unsigned i = 0; i < 5; i++) {
        end *client = pair_ask(p, "POST /0", NULL, -1);
        end_want(client, SIZE_MAX);
        end_pump(client, p->large, NULL);
    }
    pair_run(p);
    for (unsigned i = 0; i < 5; i++) {
        expect_int(p, pair_server(p, i)->got, p->large);
        expect_int(p, p->clients[i].got, p->large);
        expect(p, !p->clients[i].is_pattern_broken);
        check_answered(p, &p->clients[i], pair_server(p, i));
    }
}

/* One that is not read does not hold up the others. */
static void one_is_held_back(pair *p) {
    if (p->kind != WIRE_MUX) return;
    end *slow = pair_ask(p, "POST /0", NULL, -1);
    end_pump(slow, p->large, NULL);
    pair_run(p);
    p->at_server.head = pump_back;
    end *quick = pair_ask(p, "POST /1", NULL, -1);
    end_want(quick, SIZE_MAX);
    end_pump(quick, p->large, NULL);
    pair_run(p);
    expect_int(p, pair_server(p, 0)->got, 0);
    expect_int(p, quick->got, p->large);
    check_answered(p, quick, pair_server(p, 1));
    end_reset(slow, TORC_ERR_CANCELLED);
    pair_run(p);
    expect_int(p, pair_server(p, 0)->reason, TORC_ERR_LOST);
}

/* ---- tunnels ---- */

static void enter_tunnel(end *self) {
    pair *p = self->pair;

    if (!self->is_client) {
        expect_int(p, end_tunnel(self), TORC_ERR_STATE); /* the answer comes first */
        (void)!end_answer(self, self->method == TORC_METHOD_CONNECT ? 200 : 101,
                          self->method == TORC_METHOD_CONNECT ? NULL : "Upgrade: test", 0);
    }
    expect_int(p, end_tunnel(self), TORC_OK);
    end_want(self, SIZE_MAX);
}

static void talk_through_a_tunnel(pair *p, const char *line, const char *fields) {
    p->at_server.head = p->at_client.head = enter_tunnel;
    end *client = pair_ask(p, line, fields, 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    expect_int(p, client->heads, 1);
    (void)!end_send(server, TORC_STR("hello, "));
    (void)!end_send(client, TORC_STR("ping"));
    pair_run(p);
    (void)!end_send(server, TORC_STR("client"));
    pair_run(p);
    expect_text(p, client->text, "hello, client");
    expect_text(p, server->text, "ping");
    expect_int(p, end_finish(client, NULL), TORC_OK); /* one way, and the other goes on */
    pair_run(p);
    expect_int(p, server->ends, 1);
    expect_int(p, client->ends, 0);
    expect_int(p, client->closes, 0);
    (void)!end_send(server, TORC_STR("!"));
    (void)!end_finish(server, NULL);
    pair_run(p);
    expect_text(p, client->text, "hello, client!");
    check_answered(p, client, server);
}

static void tunnel_by_connect(pair *p) {
    if (p->kind == WIRE_MEMORY) return;
    talk_through_a_tunnel(p, "CONNECT a.example:443", NULL);
}

static void tunnel_by_upgrade(pair *p) {
    if (!pair_is_http1(p)) return;
    talk_through_a_tunnel(p, "GET /0", "Connection: Upgrade\nUpgrade: test");
}

/* Without a head that says so the connection goes on as it is. */
static void no_tunnel_without_a_head_for_it(pair *p) {
    end *client = pair_ask(p, "GET /0", NULL, 0);
    end_want(client, SIZE_MAX);
    (void)!end_finish(client, NULL);
    pair_run(p);
    end *server = pair_server(p, 0);
    (void)!end_answer(server, 200, NULL, -1);
    const torc_err err = end_tunnel(server);
    expect(p, err == TORC_ERR_STATE || err == TORC_ERR_UNSUPPORTED);
    if (pair_is_http1(p)) expect_int(p, end_hand_over(server, NULL), TORC_ERR_STATE);
    (void)!end_send(server, TORC_STR("still here"));
    (void)!end_finish(server, NULL);
    pair_run(p);
    expect_text(p, client->text, "still here");
    check_answered(p, client, server);
}

static probe near_probe, far_probe;

static void go_over(end *self) {
    if (!self->is_client) (void)!end_answer(self, 101, "Upgrade: test", 0);
    (void)!end_hand_over(self, self->is_client ? &far_probe.factory : &near_probe.factory);
}

static void hand_over_to_another_protocol(pair *p) {
    if (!pair_is_http1(p)) return;
    probe_init(&near_probe);
    probe_init(&far_probe);
    p->at_server.head = p->at_client.head = go_over;
    end *client = pair_ask(p, "GET /0", "Connection: Upgrade\nUpgrade: test", 0);
    (void)!end_finish(client, NULL);
    pair_run(p);
    expect_int(p, pair_server(p, 0)->closes, 1);
    expect_int(p, pair_server(p, 0)->reason, TORC_OK);
    expect_int(p, client->closes, 1);
    expect_int(p, client->reason, TORC_OK);
    expect_int(p, near_probe.mades, 1);
    expect_int(p, far_probe.mades, 1);
    if (near_probe.mades && !near_probe.losts)
        torc_transport_write(near_probe.base.transport, TORC_STR("to the client"));
    if (far_probe.mades && !far_probe.losts)
        torc_transport_write(far_probe.base.transport, TORC_STR("to the server"));
    pair_run(p);
    expect_int(p, far_probe.len, 13);
    expect_int(p, near_probe.len, 13);
    if (near_probe.mades && !near_probe.losts) torc_transport_abort(near_probe.base.transport);
    if (far_probe.mades && !far_probe.losts) torc_transport_abort(far_probe.base.transport);
    pair_run(p);
    assert_int_equal(near_probe.losts, near_probe.mades);
    assert_int_equal(far_probe.losts, far_probe.mades);
    probe_dispose(&near_probe);
    probe_dispose(&far_probe);
}

/* ---- anything in any order ---- */

static uint32_t next_number(uint32_t *seed) {
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Let go in order: the other end is not left waiting. */
static void abandon(end *self) {
    end_stop(self);
    if (end_finish(self, NULL)) end_reset(self, TORC_ERR_CANCELLED);
    end_let_go(self);
}

/* One call, whether it is allowed now or not. Rarely one that ends it. */
static void call_something(end *self, uint32_t number) {
    static const char bytes[3000];
    const size_t len = number / 64 % sizeof(bytes);

    switch (number % 32) {
    case 0:
    case 1:
    case 2:
        (void)!end_finish(self, number % 64 < 32 ? "1" : NULL);
        break;
    case 3:
    case 4:
    case 5:
        end_want(self, len);
        break;
    case 6:
        if (len < 300) end_stop(self);
        break;
    case 7:
        if (len < 150) end_reset(self, TORC_ERR_TIMEOUT);
        break;
    case 8:
        if (len < 150) abandon(self);
        break;
    case 9:
        (void)!end_tunnel(self);
        break;
    case 10:
    case 11:
    case 12:
        if (!self->is_client) (void)!end_answer(self, number % 64 < 32 ? 200 : 103, NULL, -1);
        break;
    case 13:
        if (!self->is_client) (void)!end_send_whole(self, 200, torc_str_make(bytes, len));
        break;
    default:
        (void)!end_send(self, torc_str_make(bytes, len));
        break;
    }
}

static void ask_something(pair *p, uint32_t number) {
    if (number % 4 == 0 && p->kind != WIRE_MEMORY)
        (void)pair_ask(p, "CONNECT a.example:1", NULL, 0);
    else
        (void)pair_ask(p, number % 3 ? "POST /0" : "GET /0",
                       number % 5 ? NULL : "Expect: 100-continue", -1);
}

static bool may_ask(const pair *p) {
    if (p->client_count == PAIR_MAX) return false;
    return !pair_is_http1(p) || (p->client && p->is_idle);
}

static void any_order(pair *p, uint32_t seed) {
    p->may_be_closed = true;
    for (int step = 0; step < 300; step++) {
        const uint32_t number = next_number(&seed);
        if (number % 16 == 0 && may_ask(p)) ask_something(p, number / 16);
        for (unsigned i = 0; i < p->client_count; i++)
            if (p->clients[i].exchange) call_something(&p->clients[i], next_number(&seed));
        for (unsigned i = 0; i < p->server_count; i++)
            call_something(&p->servers[i], next_number(&seed));
        if (number % 4) pair_turn(p);
    }
}

/* ---- the table ---- */

typedef struct scenario {
    const char *name;
    void (*run)(pair *p);
} scenario;

#define SCENARIO(name)                                                                             \
    { #name, name }

static const scenario scenarios[] = {
    SCENARIO(empty_bodies),
    SCENARIO(known_lengths),
    SCENARIO(unknown_lengths),
    SCENARIO(large_body_up),
    SCENARIO(large_body_down),
    SCENARIO(large_body_down_of_unknown_length),
    SCENARIO(demand_is_exact),
    SCENARIO(trailers_both_ways),
    SCENARIO(bodies_that_are_dropped),
    SCENARIO(interim_heads),
    SCENARIO(continue_on_the_first_want),
    SCENARIO(refused_before_continue),
    SCENARIO(answer_before_the_body_which_is_dropped),
    SCENARIO(body_is_dropped_after_the_answer),
    SCENARIO(large_body_is_refused),
    SCENARIO(large_body_is_refused_after_the_answer),
    SCENARIO(stopped_before_the_end_came),
    SCENARIO(client_stops_the_answer),
    SCENARIO(refused_without_a_byte),
    SCENARIO(long_heads),
    SCENARIO(ranges_of_files),
    SCENARIO(both_ways_at_once),
    SCENARIO(lost_while_held_back),
    SCENARIO(answer_inside_the_head),
    SCENARIO(long_answer_inside_the_end),
    SCENARIO(calls_out_of_order),
    SCENARIO(answer_longer_than_announced),
    SCENARIO(answer_shorter_than_announced),
    SCENARIO(request_longer_than_announced),
    SCENARIO(request_shorter_than_announced),
    SCENARIO(beyond_the_hard_mark),
    SCENARIO(reset_by_the_server),
    SCENARIO(reset_inside_the_head),
    SCENARIO(reset_inside_the_body),
    SCENARIO(reset_by_the_client),
    SCENARIO(lost_inside_the_request),
    SCENARIO(lost_inside_the_answer),
    SCENARIO(lost_before_a_byte_left),
    SCENARIO(let_go_before_closed),
    SCENARIO(client_lets_go_before_closed),
    SCENARIO(kept_after_closed),
    SCENARIO(refused_by_the_acceptor),
    SCENARIO(told_that_the_server_stops),
    SCENARIO(several_in_sequence),
    SCENARIO(several_at_once),
    SCENARIO(one_is_held_back),
    SCENARIO(tunnel_by_connect),
    SCENARIO(tunnel_by_upgrade),
    SCENARIO(no_tunnel_without_a_head_for_it),
    SCENARIO(hand_over_to_another_protocol),
};

enum {
    SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]),
    TESTS_MAX = (SCENARIOS + 1) * (WIRES + 4),
    FAULTS_MAX = 400,
    CALLS_MAX = 12 /* of a kind: those of bodies are all alike */
};

static const char *const wire_names[WIRES] = {
    [WIRE_MEMORY] = "memory",
    [WIRE_MUX] = "mux",
    [WIRE_HTTP1] = "http1",
    [WIRE_HTTP1_SCRAMBLED] = "http1_scrambled",
    [WIRE_HTTP1_BYTEWISE] = "http1_bytewise",
    [WIRE_HTTP1_EPOLL] = "http1_epoll",
    [WIRE_HTTP1_LATE] = "http1_late",
};

typedef struct conformance_case {
    const scenario *scenario;
    wire_kind wire;
    char name[96];
} conformance_case;

static bool run_once(const conformance_case *self, uint64_t fail_at, bool all_from) {
    pair p;

    pair_open(&p, self->wire, fail_at, all_from);
    self->scenario->run(&p);
    return pair_close(&p);
}

static void run_case(void **state) {
    assert_false(run_once(*state, 0, false));
}

/* Whatever fails: nothing is told twice, nothing leaks, nothing hangs. */
static void run_case_with_faults(void **state) {
    uint64_t fail_at = 1;

    while (run_once(*state, fail_at, false)) assert_true(++fail_at < FAULTS_MAX);
    for (fail_at = 1; run_once(*state, fail_at, true);) assert_true(++fail_at < FAULTS_MAX);
}

/* What holds whatever is called when: no more than pair.h says. */
static void run_any_order(void **state) {
    const conformance_case *self = *state;

    for (uint32_t seed = 1; seed <= 60; seed++) {
        pair p;
        pair_open(&p, self->wire, 0, false);
        any_order(&p, seed);
        (void)pair_close(&p);
    }
}

/* Over sockets, with one system call failing. */
static void run_case_with_failing_calls(void **state) {
    static const torc_test_call calls[] = {TORC_TEST_RECEIVE, TORC_TEST_SEND};
    const conformance_case *self = *state;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        bool is_whole = false;
        for (uint64_t n = 1; n <= CALLS_MAX && !is_whole; n++) {
            pair p;
            pair_open(&p, self->wire, 0, false);
            pair_fail_call(&p, calls[i], n, ECONNRESET);
            self->scenario->run(&p);
            is_whole = !pair_close(&p);
        }
    }
}

typedef struct suite {
    struct CMUnitTest tests[TESTS_MAX];
    conformance_case cases[TESTS_MAX];
    size_t count;
} suite;

static void add(suite *self, wire_kind wire, const scenario *of, const char *how,
                CMUnitTestFunction run) {
    conformance_case *added = &self->cases[self->count];

    assert_true(self->count < TESTS_MAX);
    added->scenario = of;
    added->wire = wire;
    snprintf(added->name, sizeof(added->name), "%s: %s%s", wire_names[wire], of->name, how);
    self->tests[self->count++] =
        (struct CMUnitTest){.name = added->name, .test_func = run, .initial_state = added};
}

int main(void) {
    static const scenario anything = {"anything_in_any_order", NULL};
    static suite all;

    for (wire_kind wire = 0; wire < WIRES; wire++) {
        for (size_t i = 0; i < SCENARIOS; i++) add(&all, wire, &scenarios[i], "", run_case);
        add(&all, wire, &anything, "", run_any_order);
    }
    for (wire_kind wire = 0; wire <= WIRE_HTTP1; wire++)
        for (size_t i = 0; i < SCENARIOS; i++)
            add(&all, wire, &scenarios[i], ", allocations fail", run_case_with_faults);
    for (size_t i = 0; i < SCENARIOS; i++)
        add(&all, WIRE_HTTP1_EPOLL, &scenarios[i], ", a call fails", run_case_with_failing_calls);
    return _cmocka_run_group_tests("exchange", all.tests, all.count, NULL, NULL);
}
