/* SPDX-License-Identifier: MIT */
/* Routes on fibers: waiting for bodies, for slow peers, for time; and losing the client meanwhile.
 */
#include <stdio.h>
#include <torc/dump.h>
#include <torc/fiber.h>
#include <torc/log.h>
#include <torc/testing.h>
#include <unistd.h>

#include "http_fixture.h"
#include "reactor/reactor.h"

/* What a route did, and the errors that it saw. */
static struct {
    torc_err err;
    int steps;
    char bytes[8192];
    size_t len;
    torc_str whole;
    bool is_gone;
} seen;

static int set_up(void **state) {
    memset(&seen, 0, sizeof(seen));
    if (http_set_up(state)) return -1;
    ((http_fixture *)*state)->on_fiber = true;
    return 0;
}

static torc_render read_to_the_end(torc_request *request, void *context) {
    torc_str chunk;

    (void)context;
    while (!(seen.err = torc_body_read(request, &chunk)) && chunk.len > 0) {
        assert_true(seen.len + chunk.len <= sizeof(seen.bytes));
        memcpy(seen.bytes + seen.len, chunk.bytes, chunk.len);
        seen.len += chunk.len;
        seen.steps++;
    }
    if (seen.err) return torc_reply_error(request, seen.err);
    return torc_reply_bytes(request, 200, "a/b", torc_str_make(seen.bytes, seen.len));
}

static void a_route_reads_its_body(void **state) {
    http_fixture *self = *state;
    torc_test_request *test =
        http_begin(self, read_to_the_end, "POST /\nTransfer-Encoding: chunked");

    torc_test_request_run(test);
    assert_int_equal(seen.steps, 0);
    torc_test_request_send(test, TORC_STR("one "));
    torc_test_request_run(test);
    assert_int_equal(seen.steps, 1);
    torc_test_request_send(test, TORC_STR("two"));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    check_str(torc_test_request_body(test), "one two");
    torc_test_request_free(test);
}

static void every_split_gives_the_same_body(void **state) {
    const torc_str whole = TORC_STR("0123456789");

    for (size_t split = 0; split <= whole.len; split++)
        for (int late = 0; late < 2; late++) {
            memset(&seen, 0, sizeof(seen));
            torc_test_request *test =
                http_begin(*state, read_to_the_end, "POST /\nContent-Length: 10");
            torc_test_request_send(test, torc_str_head(whole, split));
            if (late) torc_test_request_run(test);
            torc_test_request_send(test, torc_str_from(whole, split));
            if (late) torc_test_request_run(test);
            torc_test_request_send_end(test);
            torc_test_request_run(test);
            check_str(torc_test_request_body(test), "0123456789");
            torc_test_request_free(test);
        }
}

static void a_chunk_lives_until_the_next_read(void **state) {
    static char block[5000];
    torc_test_request *test = http_begin(*state, read_to_the_end, "POST /\nContent-Length: 5000");

    for (size_t i = 0; i < sizeof(block); i++) block[i] = (char)('a' + i % 26);
    torc_test_request_send(test, torc_str_make(block, sizeof(block)));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_int_equal(seen.steps, 2); /* a page and the rest */
    assert_memory_equal(seen.bytes, block, sizeof(block));
    torc_test_request_free(test);
}

static void a_route_answers_413(void **state) {
    http_fixture *self = *state;
    torc_limits limits = {.size = sizeof(limits), .body_bytes_max = 5};

    self->handler.limits = &limits;
    torc_test_request *test = http_ask(self, read_to_the_end, "POST /\nContent-Length: 6");
    assert_int_equal(torc_test_request_status(test), 413);
    assert_false(torc_test_request_was_continued(test));
    torc_test_request_free(test);

    test = http_begin(self, read_to_the_end, "POST /\nTransfer-Encoding: chunked");
    torc_test_request_send(test, TORC_STR("123456"));
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_status(test), 413);
    assert_true(torc_test_request_is_complete(test));
    torc_test_request_free(test);
}

static void losing_while_reading(void **state) {
    static const struct {
        torc_err reason, seen;
    } cases[] = {
        {TORC_ERR_LOST, TORC_ERR_LOST},
        {TORC_ERR_STALLED, TORC_ERR_STALLED},
        {TORC_ERR_STOPPING, TORC_ERR_STOPPING},
    };
    http_fixture *self = *state;

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = http_ask(self, read_to_the_end, "POST /\nContent-Length: 6");
        torc_test_request_send(test, TORC_STR("abc"));
        torc_test_request_run(test);
        torc_test_request_break(test, cases[i].reason);
        torc_test_request_run(test);
        check_err(seen.err, cases[i].seen);
        check_err(self->reason, cases[i].reason);
        assert_int_equal(self->ended, (int)i + 1);
        torc_test_request_free(test);
    }
}

/* ---- whole ---- */

static torc_render read_all(torc_request *request, void *context) {
    const size_t max = context ? *(size_t *)context : 100;

    seen.err = torc_body_read_all(request, max, &seen.whole);
    if (seen.err) return torc_reply_error(request, seen.err);
    torc_str again;
    check_ok(torc_body_read_all(request, max, &again));
    assert_true(torc_str_equals(seen.whole, again));
    return torc_reply_bytes(request, 200, "a/b", seen.whole);
}

static void a_route_reads_all(void **state) {
    http_fixture *self = *state;
    static size_t max; /* the route reads it */

    self->context = &max;
    for (max = 5; max <= 7; max++)
        for (int announced = 0; announced < 2; announced++) {
            torc_test_request *test = http_begin(self, read_all,
                                                 announced ? "POST /\nContent-Length: 6"
                                                           : "POST /\nTransfer-Encoding: chunked");
            torc_test_request_send(test, TORC_STR("abc"));
            torc_test_request_run(test);
            torc_test_request_send(test, TORC_STR("def"));
            torc_test_request_send_end(test);
            torc_test_request_run(test);
            assert_int_equal(torc_test_request_status(test), max < 6 ? 413 : 200);
            if (max >= 6) check_str(torc_test_request_body(test), "abcdef");
            torc_test_request_free(test);
        }
}

static torc_render read_then_all(torc_request *request, void *context) {
    torc_str chunk, rest;

    (void)context;
    check_ok(torc_body_read(request, &chunk));
    seen.len = chunk.len;
    check_ok(torc_body_read_all(request, 100, &rest));
    return torc_reply_bytes(request, 200, "a/b", rest);
}

static void all_is_all_that_was_not_read(void **state) {
    torc_test_request *test = http_ask(*state, read_then_all, "POST /\nContent-Length: 6");

    torc_test_request_send(test, TORC_STR("abc"));
    torc_test_request_run(test);
    torc_test_request_send(test, TORC_STR("def"));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    check_str(torc_test_request_body(test), "def");
    torc_test_request_free(test);
}

/* ---- spooled ---- */

static torc_render spool(torc_request *request, void *context) {
    torc_body body, again;

    (void)context;
    torc_request_limits(request)->body_memory_max = 1000;
    seen.err = torc_body_spool(request, &body);
    if (seen.err) return torc_reply_error(request, seen.err);
    check_ok(torc_body_spool(request, &again));
    assert_int_equal(again.len, body.len);
    seen.steps = body.fd >= 0 ? 2 : 1;
    if (body.fd < 0) return torc_reply_bytes(request, 200, "a/b", body.bytes);
    assert_null(body.bytes.bytes);
    assert_true(body.len <= sizeof(seen.bytes));
    assert_int_equal(pread(body.fd, seen.bytes, sizeof(seen.bytes), 0), body.len);
    return torc_reply_bytes(request, 200, "a/b", torc_str_make(seen.bytes, body.len));
}

/* Turn, waiting for threads, until the response is complete. */
static void run_with_threads(http_fixture *self, torc_test_request *test) {
    torc_test_request_run(test);
    for (int i = 0; i < 1000 && !torc_test_request_is_complete(test) && self->ended == 0; i++)
        check_ok(torc_reactor_turn(self->reactor, 10));
    torc_test_request_run(test);
}

static void a_long_body_is_spooled_to_a_file(void **state) {
    static const size_t sizes[] = {0, 999, 1000, 1001, 2000, 5000, 8000};
    static char bytes[8000];
    http_fixture *self = *state;

    for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < TORC_COUNT_OF(sizes); i++)
        for (size_t piece = 300; piece <= 4000; piece += 1850) {
            memset(&seen, 0, sizeof(seen));
            self->ended = self->received = 0;
            torc_test_request *test = http_begin(self, spool, "POST /\nTransfer-Encoding: chunked");
            for (size_t at = 0; at < sizes[i]; at += piece)
                torc_test_request_send(
                    test, torc_str_head(torc_str_make(bytes + at, sizes[i] - at), piece));
            torc_test_request_send_end(test);
            run_with_threads(self, test);
            assert_int_equal(torc_test_request_status(test), 200);
            assert_int_equal(torc_test_request_body(test).len, sizes[i]);
            if (sizes[i]) assert_memory_equal(torc_test_request_body(test).bytes, bytes, sizes[i]);
            assert_int_equal(seen.steps, sizes[i] > 1000 ? 2 : 1);
            torc_test_request_free(test);
        }
}

static void losing_while_spooling(void **state) {
    static char bytes[8000];
    http_fixture *self = *state;

    for (int turns = 1; turns < 8; turns++) {
        memset(&seen, 0, sizeof(seen));
        self->ended = self->received = 0;
        torc_test_request *test = http_begin(self, spool, "POST /\nTransfer-Encoding: chunked");
        torc_test_request_send(test, torc_str_make(bytes, sizeof(bytes)));
        for (int i = 0; i < turns; i++) check_ok(torc_reactor_turn(self->reactor, 1));
        torc_test_request_disconnect(test);
        run_with_threads(self, test);
        /* GONE: it was lost between two waits, and the next read began too late. */
        assert_true(seen.err == TORC_ERR_LOST || seen.err == TORC_ERR_GONE);
        assert_int_equal(self->ended, 1);
        torc_test_request_free(test);
    }
}

/* ---- writing ---- */

static char block[30000];

static torc_render write_much(torc_request *request, void *context) {
    (void)context;
    for (seen.steps = 0; seen.steps < 20; seen.steps++)
        torc_request_write(request, torc_str_make(block, sizeof(block)));
    seen.is_gone = torc_request_is_gone(request);
    return torc_reply_end(request);
}

static void a_write_waits_for_a_slow_peer(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_begin(self, write_much, "GET /");

    torc_test_request_hold_back(test);
    torc_test_request_run(test);
    assert_in_range(seen.steps, 2, 3);
    assert_in_range(torc_test_request_body(test).len, 65536, 65536 + 2 * 16384);
    torc_test_request_take(test, 60000);
    torc_test_request_run(test);
    assert_in_range(torc_test_request_body(test).len, 100000, 150000);
    torc_test_request_take(test, SIZE_MAX);
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_body(test).len, 20 * sizeof(block));
    assert_true(torc_test_request_is_complete(test));
    torc_test_request_free(test);
}

static torc_render write_once(torc_request *request, void *context) {
    static char megabytes[3 * 1024 * 1024];

    (void)context;
    torc_request_write(request, torc_str_make(megabytes, sizeof(megabytes)));
    seen.steps++;
    return torc_reply_end(request);
}

static void a_long_write_goes_in_pieces(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_begin(self, write_once, "GET /");

    torc_test_request_hold_back(test);
    torc_test_request_run(test);
    assert_int_equal(seen.steps, 0);
    assert_in_range(torc_test_request_body(test).len, 65536, 65536 + 16384);
    torc_test_request_take(test, SIZE_MAX);
    torc_test_request_run(test);
    assert_int_equal(seen.steps, 1);
    assert_int_equal(torc_test_request_body(test).len, 3 * 1024 * 1024);
    assert_true(torc_test_request_is_complete(test));
    torc_test_request_free(test);
}

static void losing_while_writing(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_begin(self, write_much, "GET /");

    torc_test_request_hold_back(test);
    torc_test_request_run(test);
    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    assert_int_equal(seen.steps, 20); /* the rest did nothing */
    assert_true(seen.is_gone);
    check_err(self->reason, TORC_ERR_LOST);
    torc_test_request_free(test);
}

static void a_client_may_leave_at_any_byte(void **state) {
    http_fixture *self = *state;

    for (uint64_t after = 0; after < 600000; after += 50000) {
        torc_test_request *test = http_begin(self, write_much, "GET /");
        torc_test_request_disconnect_after(test, after);
        torc_test_request_run(test);
        check_err(self->reason, TORC_ERR_LOST);
        torc_test_request_free(test);
    }
}

/* ---- the order of a loss ---- */

static char order[16];

static void add_to_order(char what) {
    order[strlen(order)] = what;
}

static void watch_ended(torc_request_watch *watch, torc_request *request, torc_err reason) {
    (void)watch;
    (void)request;
    add_to_order('w');
    seen.err = reason;
}

static torc_render sleep_long(torc_request *request, void *context) {
    torc_request_watch watch;
    torc_err err;

    (void)context;
    torc_request_watch_end(request, &watch, watch_ended);
    err = torc_sleep(torc_request_reactor(request), 1000000);
    add_to_order(err == TORC_ERR_LOST ? 'l' : '?');
    assert_true(torc_request_is_gone(request));
    assert_int_equal(torc_sleep(torc_request_reactor(request), 1), TORC_ERR_LOST);
    assert_int_equal(torc_request_finish(request), TORC_ERR_GONE);
    add_to_order('r');
    return torc_reply_error(request, err);
}

static void a_lost_client_cancels_what_its_route_waits_for(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(self, sleep_long, "GET /");

    memset(order, 0, sizeof(order));
    assert_int_equal(self->ended, 0);
    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    assert_string_equal(order, "wlr");
    check_err(seen.err, TORC_ERR_LOST);
    assert_int_equal(self->ended, 1);
    torc_test_request_free(test);
}

static torc_render shield(torc_request *request, void *context) {
    torc_reactor *reactor = torc_request_reactor(request);

    (void)context;
    seen.err = torc_sleep(reactor, 1000000);
    torc_shield_begin(reactor);
    check_ok(torc_sleep(reactor, 1)); /* cleaning up */
    torc_shield_end(reactor);
    seen.steps = 1;
    /* The request is still there, though it is long over. */
    assert_true(torc_request_is_gone(request));
    assert_int_equal(torc_request_method(request), TORC_METHOD_GET);
    return TORC_RENDER_DONE;
}

static void a_request_stays_until_its_route_returns(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(self, shield, "GET /");

    torc_test_request_disconnect(test);
    while (self->ended == 0) check_ok(torc_reactor_turn(self->reactor, 10));
    check_err(seen.err, TORC_ERR_LOST);
    assert_int_equal(seen.steps, 1);
    torc_test_request_free(test);
}

static torc_render finish_and_go_on(torc_request *request, void *context) {
    (void)context;
    torc_reply_text(request, 200, "done");
    seen.err = torc_yield(torc_request_reactor(request));
    assert_true(torc_request_is_gone(request));
    assert_int_equal(torc_request_segment_count(request), 1);
    seen.steps++;
    return TORC_RENDER_DONE;
}

static void a_route_may_go_on_after_its_reply(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(self, finish_and_go_on, "GET /");

    check_ok(seen.err);
    assert_int_equal(seen.steps, 1);
    assert_int_equal(self->ended, 1);
    check_str(torc_test_request_body(test), "done");
    torc_test_request_free(test);
}

static torc_render finish_and_leave(torc_request *request, void *context) {
    (void)context;
    torc_reply_text(request, 200, "done");
    seen.err = torc_yield(torc_request_reactor(request));
    seen.steps++;
    return TORC_RENDER_DONE;
}

static void a_client_that_leaves_after_the_reply_is_no_loss(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(self, finish_and_leave, "GET /");

    while (seen.steps == 0 || self->ended == 0) check_ok(torc_reactor_turn(self->reactor, 10));
    check_ok(seen.err);
    check_ok(self->reason);
    torc_test_request_free(test);
}

static torc_render abort_in_the_middle(torc_request *request, void *context) {
    torc_str chunk;

    (void)context;
    torc_request_write(request, TORC_STR("some"));
    torc_request_abort(request);
    assert_int_equal(torc_body_read(request, &chunk), TORC_ERR_GONE);
    torc_request_write(request, TORC_STR("more"));
    check_ok(torc_yield(torc_request_reactor(request)));
    return torc_reply_end(request);
}

static void an_abort_on_a_fiber_resets(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(self, abort_in_the_middle, "GET /");

    assert_true(torc_test_request_was_reset(test));
    check_str(torc_test_request_body(test), "some");
    check_err(self->reason, TORC_ERR_ABORTED);
    torc_test_request_free(test);
}

static torc_render not_done_yet(torc_request *request, void *context) {
    check_ok(torc_ticket_take(request, context));
    return TORC_RENDER_NOT_DONE_YET;
}

static void a_route_may_answer_by_ticket(void **state) {
    http_fixture *self = *state;
    torc_ticket ticket;

    self->context = &ticket;
    torc_test_request *test = http_ask(self, not_done_yet, "GET /");
    assert_int_equal(self->ended, 0);
    torc_reply_text(torc_ticket_request(&ticket), 200, "by ticket");
    torc_test_request_run(test);
    check_str(torc_test_request_body(test), "by ticket");
    torc_ticket_return(&ticket);
    torc_test_request_free(test);
}

static torc_render forget(torc_request *request, void *context) {
    (void)context;
    check_ok(torc_yield(torc_request_reactor(request)));
    return TORC_RENDER_DONE;
}

static void a_route_without_a_reply_is_a_500(void **state) {
    torc_test_request *test = http_ask(*state, forget, "GET /");
    assert_int_equal(torc_test_request_status(test), 500);
    torc_test_request_free(test);
}

static torc_render sleep_for_ever(torc_request *request, void *context) {
    (void)context;
    seen.err = torc_sleep(torc_request_reactor(request), 1000000);
    return torc_reply_error(request, seen.err);
}

static void beyond_the_maximum_of_fibers_is_a_503(void **state) {
    http_fixture *self = *state;
    const torc_reactor_options options = {.size = sizeof(options), .fibers_max = 2};
    torc_test_request *tests[3];

    torc_reactor_free(self->reactor);
    check_ok(torc_reactor_new(&options, &self->reactor));
    for (int i = 0; i < 3; i++) tests[i] = http_ask(self, sleep_for_ever, "GET /");
    assert_int_equal(torc_test_request_status(tests[0]), 0);
    assert_int_equal(torc_test_request_status(tests[1]), 0);
    assert_int_equal(torc_test_request_status(tests[2]), 503);
    for (int i = 0; i < 3; i++) torc_test_request_free(tests[i]);
    check_err(seen.err, TORC_ERR_LOST);
}

static void a_warm_reactor_allocates_nothing_for_a_route(void **state) {
    http_fixture *self = *state;
    torc_memory *memory = torc_reactor_memory(self->reactor);
    uint64_t before = 0;

    for (int i = 0; i < 200; i++) {
        torc_test_request *test = http_begin(self, read_to_the_end, "POST /\nContent-Length: 3");
        memset(&seen, 0, sizeof(seen));
        torc_test_request_send(test, TORC_STR("abc"));
        torc_test_request_send_end(test);
        torc_test_request_run(test);
        check_str(torc_test_request_body(test), "abc");
        torc_test_request_free(test);
        if (i == 10) before = memory->allocated;
    }
    assert_int_equal(memory->allocated, before);
}

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, http_tear_down)

/* ---- seen from outside ---- */

static char told[4096];

static void note_line(void *context, torc_str line) {
    const size_t len = strlen(told);

    (void)context;
    snprintf(told + len, sizeof(told) - len, "%.*s\n", TORC_STR_ARGS(line));
}

static void note_event(void *context, const torc_log_record *record) {
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].kind == TORC_LOG_KIND_STR)
            note_line(context, record->fields[i].value.str);
}

static torc_render hold(torc_request *request, void *context) {
    (void)context;
    atomic_store(&torc_request_reactor(request)->is_stalled, true); /* as its watchdog does */
    return torc_reply_text(request, 200, "late");
}

static torc_render hold_before_a_wait(torc_request *request, void *context) {
    (void)context;
    seen.err = torc_yield(torc_request_reactor(request));
    atomic_store(&torc_request_reactor(request)->is_stalled, true);
    seen.err = torc_yield(torc_request_reactor(request));
    return torc_reply_text(request, 200, "late");
}

static void check_named(http_fixture *self, torc_request_step_fn *step, const char *by) {
    torc_log *log;

    told[0] = '\0';
    check_ok(torc_log_new(NULL, note_event, NULL, &log));
    self->reactor->log = log;
    torc_test_request *test = http_begin(self, step, "GET /slow?x=1");
    torc_test_request_run(test);
    assert_non_null(strstr(told, by));
    assert_non_null(strstr(told, "GET /slow, for "));
    self->reactor->log = NULL;
    torc_test_request_free(test);
    torc_log_free(log);
}

static void a_route_that_holds_the_reactor_is_named(void **state) {
    http_fixture *self = *state;

    check_named(self, hold, "request");
    check_named(self, hold_before_a_wait, "fiber");
    self->on_fiber = false;
    check_named(self, hold, "request");
}

static torc_render wait_a_while(torc_request *request, void *context) {
    (void)context;
    seen.err = torc_sleep(torc_request_reactor(request), 1000);
    return torc_reply_text(request, 200, "late");
}

static void a_route_that_waits_is_told_of(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_begin(self, wait_a_while, "GET /waits");

    torc_test_request_run(test);
    told[0] = '\0';
    torc_reactor_dump(self->reactor, note_line, NULL);
    assert_non_null(strstr(told, "fiber: waits, GET /waits, for "));
    assert_non_null(strstr(told, "    wait_a_while+0x"));
    torc_test_request_free(test); /* lost: what it waits for is cancelled */
    check_err(seen.err, TORC_ERR_LOST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RUN_TEST(a_route_reads_its_body),
        RUN_TEST(every_split_gives_the_same_body),
        RUN_TEST(a_chunk_lives_until_the_next_read),
        RUN_TEST(a_route_answers_413),
        RUN_TEST(losing_while_reading),
        RUN_TEST(a_route_reads_all),
        RUN_TEST(all_is_all_that_was_not_read),
        RUN_TEST(a_long_body_is_spooled_to_a_file),
        RUN_TEST(losing_while_spooling),
        RUN_TEST(a_write_waits_for_a_slow_peer),
        RUN_TEST(a_long_write_goes_in_pieces),
        RUN_TEST(losing_while_writing),
        RUN_TEST(a_client_may_leave_at_any_byte),
        RUN_TEST(a_lost_client_cancels_what_its_route_waits_for),
        RUN_TEST(a_request_stays_until_its_route_returns),
        RUN_TEST(a_route_may_go_on_after_its_reply),
        RUN_TEST(a_client_that_leaves_after_the_reply_is_no_loss),
        RUN_TEST(an_abort_on_a_fiber_resets),
        RUN_TEST(a_route_may_answer_by_ticket),
        RUN_TEST(a_route_without_a_reply_is_a_500),
        RUN_TEST(beyond_the_maximum_of_fibers_is_a_503),
        RUN_TEST(a_warm_reactor_allocates_nothing_for_a_route),
        RUN_TEST(a_route_that_holds_the_reactor_is_named),
        RUN_TEST(a_route_that_waits_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
