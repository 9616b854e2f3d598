/* SPDX-License-Identifier: MIT */
/* Every allocation fails in turn: the peer gets the response, an error or a reset, and nothing is
 * kept. */
#include <fcntl.h>
#include <torc/problem.h>

#include "faults.h"
#include "http_fixture.h"
#include "reactor/reactor.h"
#include "testing/uncounted.h"

static char large[20000], digits[4000];

static torc_render write_everything(torc_request *request, void *context) {
    torc_str value;

    (void)context;
    (void)torc_request_arg(request, "a", &value);
    torc_response_set_status(request, 200, "Fine");
    for (int i = 0; i < 20; i++) torc_response_add(request, "X-Field", TORC_STR("value"));
    torc_response_set_trailer(request, "X-Sum", TORC_STR("1"));
    torc_request_write(request, torc_str_make(large, sizeof(large)));
    torc_request_write_static(request, torc_str_make(large, sizeof(large)));
    torc_request_write_file(request, open("/dev/zero", O_RDONLY | O_CLOEXEC), 0, 100);
    return torc_reply_end(request);
}

static torc_render reply_json(torc_request *request, void *context) {
    torc_json *json = torc_reply_json(request, 200);

    (void)context;
    torc_json_open_array(json);
    for (int i = 0; i < 2000; i++) torc_json_int(json, i);
    torc_json_close_array(json);
    return torc_reply_end(request);
}

static torc_render reply_problem(torc_request *request, void *context) {
    const torc_problem_error errors[] = {{.pointer = TORC_STR("/a"), .detail = TORC_STR("b")}};
    const torc_problem problem = {.status = 422, .errors = errors, .error_count = 1};

    (void)context;
    return torc_reply_problem(request, &problem);
}

static torc_render set_cookies(torc_request *request, void *context) {
    torc_cookie cookie = {.name = TORC_STR("a"), .value = torc_str_make(digits, 4000)};
    torc_str value;

    (void)context;
    memset(digits, '1', sizeof(digits));
    if (!torc_request_cookie(request, "b", &value)) return TORC_RENDER_DONE;
    torc_response_add_cookie(request, &cookie);
    torc_response_add_cookie(request, &cookie); /* in place of the first */
    cookie.path = TORC_STR("/a");
    torc_response_add_cookie(request, &cookie);
    return torc_reply_text(request, 200, "");
}

static torc_render redirect(torc_request *request, void *context) {
    (void)context;
    return torc_reply_redirect(request, 302, "/elsewhere");
}

static void got_whole(torc_request *request, torc_err err, const torc_body *body, void *context) {
    (void)context;
    if (err)
        torc_reply_error(request, err);
    else
        torc_reply_bytes(request, 200, "a/b", body->bytes);
}

static torc_render read_whole(torc_request *request, void *context) {
    const torc_err err = torc_body_request_all(request, 100000, got_whole, context);
    return err ? torc_reply_error(request, err) : TORC_RENDER_NOT_DONE_YET;
}

static void got_chunk(torc_request *request, torc_err err, torc_str chunk, void *context) {
    if (!err && chunk.len > 0) {
        torc_request_write(request, chunk);
        err = torc_body_request_chunk(request, got_chunk, context);
        if (err && err != TORC_ERR_GONE) torc_reply_error(request, err);
    } else if (err) {
        torc_reply_error(request, err);
    } else {
        torc_reply_end(request);
    }
}

static torc_render echo_chunks(torc_request *request, void *context) {
    const torc_err err = torc_body_request_chunk(request, got_chunk, context);
    return err ? torc_reply_error(request, err) : TORC_RENDER_NOT_DONE_YET;
}

static const struct {
    torc_request_step_fn *step;
    const char *head;
} cases[] = {
    {write_everything, "GET /a%20b/c?a=%41&b"},
    {reply_json, "GET /"},
    {reply_problem, "GET /"},
    {redirect, "GET /"},
    {set_cookies, "GET /\nCookie: a=1; b=2"},
    {read_whole, "POST /\nTransfer-Encoding: chunked"},
    {read_whole, "POST /\nContent-Length: 60000"},
    {echo_chunks, "POST /\nContent-Length: 60000"},
};

/* One request with the n-th allocation failing, counted or not; true when nothing failed. */
static bool run_case(http_fixture *self, size_t number, uint64_t fail_at, bool all_from) {
    torc_memory *memory = torc_reactor_memory(self->reactor);
    torc_test_request *test = http_begin(self, cases[number].step, cases[number].head);
    faults injected;

    for (int i = 0; i < 3; i++) torc_test_request_send(test, torc_str_make(large, sizeof(large)));
    torc_test_request_send_end(test);
    faults_arm(&injected, memory, fail_at);
    injected.all_from = all_from;
    torc_test_request_run(test);
    faults_disarm(memory);

    const int status = torc_test_request_status(test);
    const bool is_error = status >= 500 && status <= 599;
    if (!injected.hit) assert_true(status == 200 || status == 302 || status == 422);
    if (torc_test_request_is_complete(test) && is_error)
        assert_true(torc_test_request_body(test).len <= 5);
    assert_true(torc_test_request_is_complete(test) || torc_test_request_was_reset(test));
    torc_test_request_free(test);
    assert_int_equal(self->received, self->ended);
    return !injected.hit;
}

/* A fresh reactor for each run, so that its pools do not hide allocations. */
static bool run_fresh(void **state, size_t number, uint64_t fail_at, bool all_from) {
    bool is_untouched;

    assert_int_equal(http_set_up(state), 0);
    http_fixture *self = *state;
    const size_t before = torc_reactor_memory(self->reactor)->used[TORC_MEMORY_ARENA];
    is_untouched = run_case(self, number, fail_at, all_from);
    assert_int_equal(torc_reactor_memory(self->reactor)->used[TORC_MEMORY_ARENA], before);
    assert_int_equal(torc_reactor_memory(self->reactor)->used[TORC_MEMORY_INPUT],
                     TORC_RECEIVE_SIZE + TORC_ALLOC_OVERHEAD);
    assert_int_equal(http_tear_down(state), 0);
    return is_untouched;
}

static void every_allocation_may_fail(void **state) {
    void *fixture = NULL;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++)
        for (int all_from = 0; all_from < 2; all_from++) {
            uint64_t fail_at = 1;
            while (!run_fresh(&fixture, i, fail_at, all_from)) assert_true(++fail_at < 10000);
            assert_true(fail_at > 3);
        }
}

/* Tickets are allocated without the reactor's memory. */
static torc_render take_ticket(torc_request *request, void *context) {
    torc_ticket ticket;
    const torc_answer answer = {200, TORC_STR_INIT("a/b"), TORC_STR_INIT("x")};
    torc_err err = torc_ticket_take(request, &ticket);

    (void)context;
    if (err) return torc_reply_error(request, err);
    err = torc_ticket_answer(&ticket, &answer);
    torc_ticket_return(&ticket);
    return err ? torc_reply_error(request, err) : TORC_RENDER_NOT_DONE_YET;
}

static void tickets_may_find_no_memory(void **state) {
    void *fixture = NULL;
    int failures = 0;

    (void)state;
    for (uint64_t fail_at = 1;; fail_at++) {
        assert_int_equal(http_set_up(&fixture), 0);
        http_fixture *self = fixture;
        torc_test_request *test = http_begin(self, take_ticket, "GET /");
        torc_test_fail_uncounted(fail_at);
        torc_test_request_run(test);
        const bool failed = torc_test_uncounted_failed();
        torc_test_fail_uncounted(0);
        if (!failed) check_str(torc_test_request_body(test), "x");
        assert_true(torc_test_request_is_complete(test) || torc_test_request_was_reset(test));
        failures += torc_test_request_status(test) == 503;
        torc_test_request_free(test);
        assert_int_equal(http_tear_down(&fixture), 0);
        if (!failed) break;
    }
    assert_int_equal(failures, 3); /* the pool, its slots, the answer */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(tickets_may_find_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
