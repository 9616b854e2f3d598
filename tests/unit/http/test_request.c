/* SPDX-License-Identifier: MIT */
/* The life of a request: both holders, in every order. */
#include "http_fixture.h"
#include "reactor/reactor.h"

static torc_render hello(torc_request *request, void *context) {
    (void)context;
    return torc_reply_text(request, 200, "hello");
}

static void a_reply_goes_out_whole(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(self, hello, "GET /a");

    assert_int_equal(torc_test_request_status(test), 200);
    check_str(torc_test_request_body(test), "hello");
    check_str(torc_test_request_field(test, "Server"), "Torc");
    check_str(torc_test_request_field(test, "Content-Type"), "text/plain; charset=utf-8");
    assert_int_equal(torc_test_request_field(test, "Date").len, 29);
    assert_int_equal(torc_test_request_length(test), 5);
    assert_true(torc_test_request_is_complete(test));
    assert_int_equal(self->ended, 1);
    assert_int_equal(self->reason, TORC_OK);
    torc_test_request_free(test);
}

/* A watch that records what it was told. */
typedef struct end_record {
    torc_request_watch watch;
    int told;
    torc_err reason;
    torc_err finish; /* what finishing from within said */
} end_record;

static void record(torc_request_watch *watch, torc_request *request, torc_err reason) {
    end_record *self = torc_container_of(watch, end_record, watch);

    self->told++;
    self->reason = reason;
    self->finish = torc_request_finish(request);
}

static torc_render watch_and_wait(torc_request *request, void *context) {
    end_record *recorder = context;
    torc_request_watch_end(request, &recorder->watch, record);
    return TORC_RENDER_NOT_DONE_YET;
}

static void watches_are_told_of_the_finish(void **state) {
    http_fixture *self = *state;
    end_record recorder = {0};
    self->context = &recorder;
    torc_test_request *test = http_ask(self, watch_and_wait, "GET /");

    assert_int_equal(recorder.told, 0);
    torc_reply_text(self->request, 200, "late");
    assert_int_equal(recorder.told, 0); /* not from inside the call */
    torc_test_request_run(test);
    assert_int_equal(recorder.told, 1);
    assert_int_equal(recorder.reason, TORC_OK);
    assert_int_equal(recorder.finish, TORC_ERR_GONE);
    check_str(torc_test_request_body(test), "late");
    torc_test_request_free(test);
}

static void watches_are_told_of_the_loss(void **state) {
    http_fixture *self = *state;
    end_record recorder = {0};
    self->context = &recorder;
    torc_test_request *test = http_ask(self, watch_and_wait, "GET /");

    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    assert_int_equal(recorder.told, 1);
    assert_int_equal(recorder.reason, TORC_ERR_LOST);
    assert_int_equal(recorder.finish, TORC_ERR_GONE);
    assert_int_equal(self->ended, 1);
    assert_int_equal(self->reason, TORC_ERR_LOST);
    torc_test_request_free(test);
}

static void a_removed_watch_is_not_told(void **state) {
    http_fixture *self = *state;
    end_record recorder = {0};
    self->context = &recorder;
    torc_test_request *test = http_ask(self, watch_and_wait, "GET /");

    torc_request_unwatch(&recorder.watch);
    torc_request_unwatch(&recorder.watch);
    torc_test_request_free(test);
    assert_int_equal(recorder.told, 0);
}

/* Removes the other one, and itself, which was removed already. */
typedef struct remover {
    torc_request_watch watch;
    torc_request_watch *other;
    int *told;
} remover;

static void remove_other(torc_request_watch *watch, torc_request *request, torc_err reason) {
    remover *self = torc_container_of(watch, remover, watch);

    (void)request;
    (void)reason;
    ++*self->told;
    torc_request_unwatch(self->other);
    torc_request_unwatch(&self->watch);
}

static torc_render watch_nothing(torc_request *request, void *context) {
    (void)request;
    (void)context;
    return TORC_RENDER_NOT_DONE_YET;
}

static void a_watch_may_remove_another_while_being_told(void **state) {
    http_fixture *self = *state;
    int told = 0;
    remover a = {.told = &told}, b = {.told = &told};
    torc_test_request *test = http_ask(self, watch_nothing, "GET /");

    a.other = &b.watch;
    b.other = &a.watch;
    torc_request_watch_end(self->request, &a.watch, remove_other);
    torc_request_watch_end(self->request, &b.watch, remove_other);
    torc_test_request_free(test);
    assert_int_equal(told, 1);
}

/* Every operation on a request that is over does nothing, and says so where it can. */
static void check_gone(torc_request *request) {
    torc_producer producer = {0};
    torc_ticket ticket;
    torc_str chunk;

    assert_true(torc_request_is_gone(request));
    assert_int_equal(torc_request_finish(request), TORC_ERR_GONE);
    assert_int_equal(torc_request_finish(request), TORC_ERR_GONE);
    torc_response_set_status(request, 99, "x\r\ny");
    torc_response_set(request, "a b", TORC_STR("\r\n"));
    torc_response_add(request, "X", TORC_STR("y"));
    torc_response_remove(request, "X");
    torc_response_set_length(request, 7);
    torc_response_set_trailer(request, "X", TORC_STR("y"));
    torc_request_write(request, TORC_STR("more"));
    torc_request_write_static(request, TORC_STR("more"));
    torc_request_write_file(request, -1, 0, 5);
    torc_request_flush(request);
    torc_request_abort(request);
    assert_int_equal(torc_request_room(request), 0);
    assert_int_equal(torc_response_send_interim(request, 103), TORC_ERR_GONE);
    assert_int_equal(torc_request_register_producer(request, &producer, true), TORC_ERR_GONE);
    torc_request_unregister_producer(request);
    assert_int_equal(torc_ticket_take(request, &ticket), TORC_ERR_GONE);
    assert_null(torc_ticket_request(&ticket));
    torc_ticket_return(&ticket);
    assert_int_equal(torc_body_read(request, &chunk), TORC_ERR_GONE);
    assert_int_equal(torc_body_read_all(request, 10, &chunk), TORC_ERR_GONE);
    assert_int_equal(torc_reply_text(request, 200, "x"), TORC_RENDER_DONE);
    assert_int_equal(torc_reply_status(request, 404, NULL), TORC_RENDER_DONE);
    assert_int_equal(torc_reply_error(request, TORC_ERR_LOST), TORC_RENDER_DONE);
    assert_int_equal(torc_reply_redirect(request, 302, "/x"), TORC_RENDER_DONE);
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_close_object(json);
    assert_int_equal(torc_json_end(json), TORC_ERR_GONE);
    assert_int_equal(torc_reply_end(request), TORC_RENDER_DONE);
}

static torc_render finish_twice(torc_request *request, void *context) {
    (void)context;
    check_ok(torc_request_finish(request));
    check_gone(request);
    return TORC_RENDER_DONE;
}

static void operations_after_the_finish_do_nothing(void **state) {
    http_fixture *self = *state;

    for (int i = 0; i < 2; i++) {
        self->on_fiber = i == 1;
        torc_test_request *test = http_ask(self, finish_twice, "GET /");
        assert_int_equal(torc_test_request_status(test), 200);
        assert_int_equal(torc_test_request_length(test), 0);
        assert_true(torc_test_request_is_complete(test));
        assert_int_equal(self->reason, TORC_OK);
        torc_test_request_free(test);
    }
}

static void check_gone_when_told(torc_request_watch *watch, torc_request *request,
                                 torc_err reason) {
    end_record *self = torc_container_of(watch, end_record, watch);

    self->told++;
    self->reason = reason;
    check_gone(request);
}

static torc_render watch_to_check(torc_request *request, void *context) {
    end_record *recorder = context;
    torc_request_watch_end(request, &recorder->watch, check_gone_when_told);
    return TORC_RENDER_NOT_DONE_YET;
}

static void operations_after_the_loss_do_nothing(void **state) {
    http_fixture *self = *state;
    end_record recorder = {0};
    self->context = &recorder;
    torc_test_request *test = http_ask(self, watch_to_check, "GET /");

    torc_test_request_free(test);
    assert_int_equal(recorder.told, 1);
    assert_int_equal(recorder.reason, TORC_ERR_LOST);
}

static torc_render abort_it(torc_request *request, void *context) {
    if (context) torc_request_write(request, TORC_STR("some"));
    torc_request_abort(request);
    check_gone(request);
    return TORC_RENDER_DONE;
}

static void an_abort_resets(void **state) {
    http_fixture *self = *state;

    for (int i = 0; i < 4; i++) {
        self->on_fiber = i & 1;
        self->context = i & 2 ? self : NULL;
        torc_test_request *test = http_ask(self, abort_it, "GET /");
        assert_true(torc_test_request_was_reset(test));
        assert_int_equal(torc_test_request_reset_reason(test), TORC_ERR_ABORTED);
        assert_int_equal(self->reason, TORC_ERR_ABORTED);
        assert_int_equal(self->ended, i + 1);
        torc_test_request_free(test);
    }
}

static int forgetful = TORC_RENDER_DONE; /* what is said instead */

static torc_render forget(torc_request *request, void *context) {
    if (context) torc_request_write(request, TORC_STR("some"));
    return (torc_render)forgetful;
}

static void a_render_without_a_response_is_a_500(void **state) {
    static const int answers[] = {TORC_RENDER_DONE, TORC_RENDER_NEXT, 99};
    http_fixture *self = *state;

    for (size_t i = 0; i < 2 * TORC_COUNT_OF(answers); i++) {
        self->on_fiber = i & 1;
        forgetful = answers[i / 2];
        torc_test_request *test = http_ask(self, forget, "GET /");
        assert_int_equal(torc_test_request_status(test), 500);
        check_str(torc_test_request_body(test), "error");
        torc_test_request_free(test);
    }
    forgetful = TORC_RENDER_DONE;
}

static void a_render_that_forgets_the_end_is_reset(void **state) {
    http_fixture *self = *state;
    self->context = self;
    torc_test_request *test = http_ask(self, forget, "GET /");

    assert_true(torc_test_request_was_reset(test));
    check_str(torc_test_request_body(test), "some");
    torc_test_request_free(test);
}

static torc_render decline(torc_request *request, void *context) {
    (void)request;
    (void)context;
    return TORC_RENDER_DECLINED;
}

static void a_declined_request_is_the_handlers(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(self, decline, "POST /");

    assert_int_equal(self->declined, 1);
    assert_int_equal(torc_test_request_status(test), 405);
    check_str(torc_test_request_field(test, "Allow"), "GET");
    torc_test_request_free(test);
}

/* A request that both forgot ends with its connection. */
static void a_client_may_leave_before_anything(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_begin(self, hello, "GET /");

    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    torc_test_request_free(test);
    assert_int_equal(self->received, self->ended);
}

static torc_render wait_in_step(torc_request *request, void *context) {
    (void)context;
    torc_request_flush(request);
    return TORC_RENDER_NOT_DONE_YET;
}

static void finishing_and_losing_in_one_turn_is_finished(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(self, wait_in_step, "GET /");

    check_ok(torc_request_finish(self->request));
    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    assert_int_equal(self->reason, TORC_OK);
    assert_int_equal(self->ended, 1);
    torc_test_request_free(test);
}

static void the_reason_of_the_end_is_told(void **state) {
    static const torc_err reasons[] = {TORC_ERR_LOST, TORC_ERR_STALLED, TORC_ERR_STOPPING,
                                       TORC_ERR_PEER};
    http_fixture *self = *state;

    for (size_t i = 0; i < TORC_COUNT_OF(reasons); i++) {
        torc_test_request *test = http_ask(self, wait_in_step, "GET /");
        torc_test_request_break(test, reasons[i]);
        torc_test_request_run(test);
        assert_int_equal(self->reason, reasons[i]);
        torc_test_request_free(test);
    }
}

static void a_keep_alive_of_many_requests_allocates_nothing(void **state) {
    http_fixture *self = *state;
    torc_memory *memory = torc_reactor_memory(self->reactor);
    uint64_t before = 0;

    for (int i = 0; i < 1000; i++) {
        torc_test_request *test = http_ask(self, hello, "GET /a/b?c=d\nHost: a\nAccept: */*");
        assert_int_equal(torc_test_request_status(test), 200);
        torc_test_request_free(test);
        if (i == 10) before = memory->allocated;
    }
    assert_int_equal(memory->allocated, before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_reply_goes_out_whole),
        HTTP_TEST(watches_are_told_of_the_finish),
        HTTP_TEST(watches_are_told_of_the_loss),
        HTTP_TEST(a_removed_watch_is_not_told),
        HTTP_TEST(a_watch_may_remove_another_while_being_told),
        HTTP_TEST(operations_after_the_finish_do_nothing),
        HTTP_TEST(operations_after_the_loss_do_nothing),
        HTTP_TEST(an_abort_resets),
        HTTP_TEST(a_render_without_a_response_is_a_500),
        HTTP_TEST(a_render_that_forgets_the_end_is_reset),
        HTTP_TEST(a_declined_request_is_the_handlers),
        HTTP_TEST(a_client_may_leave_before_anything),
        HTTP_TEST(finishing_and_losing_in_one_turn_is_finished),
        HTTP_TEST(the_reason_of_the_end_is_told),
        HTTP_TEST(a_keep_alive_of_many_requests_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
