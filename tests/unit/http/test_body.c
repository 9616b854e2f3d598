/* SPDX-License-Identifier: MIT */
/* Bodies of requests, by callbacks. */
#include "http_fixture.h"

/* What a reader got. */
typedef struct body_reading {
    char bytes[4096];
    size_t len;
    int chunks;
    int ends;
    torc_err err;
    bool wants_more;
    torc_request *request;
    torc_str chunk; /* the last */
} body_reading;

static void on_chunk(torc_request *request, torc_err err, torc_str chunk, void *context) {
    body_reading *self = context;

    self->err = err;
    if (err || chunk.len == 0) {
        self->ends++;
        return;
    }
    self->chunks++;
    for (size_t i = 0; i < chunk.len && self->len < sizeof(self->bytes); i++)
        self->bytes[self->len++] = chunk.bytes[i];
    if (self->wants_more) check_ok(torc_body_request_chunk(request, on_chunk, self));
}

static torc_render read_chunks(torc_request *request, void *context) {
    check_ok(torc_body_request_chunk(request, on_chunk, context));
    assert_int_equal(torc_body_request_chunk(request, on_chunk, context), TORC_ERR_STATE);
    assert_int_equal(((body_reading *)context)->chunks, 0);
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_render do_nothing(torc_request *request, void *context) {
    (void)request;
    (void)context;
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_render reply_at_once(torc_request *request, void *context) {
    (void)context;
    return torc_reply_text(request, 200, "");
}

static void a_body_is_read_in_chunks(void **state) {
    http_fixture *self = *state;
    body_reading reading = {.wants_more = true};
    self->context = &reading;
    torc_test_request *test = http_begin(self, read_chunks, "POST /\nContent-Length: 6");

    torc_test_request_send(test, TORC_STR("abc"));
    torc_test_request_send(test, TORC_STR("def"));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    check_str(torc_str_make(reading.bytes, reading.len), "abcdef");
    assert_int_equal(reading.chunks, 2);
    assert_int_equal(reading.ends, 1);
    check_ok(reading.err);
    torc_reply_text(self->request, 200, "");
    torc_test_request_free(test);
}

static void every_split_gives_the_same_body(void **state) {
    http_fixture *self = *state;
    const torc_str whole = TORC_STR("0123456789");

    for (size_t split = 0; split <= whole.len; split++) {
        body_reading reading = {.wants_more = true};
        self->context = &reading;
        torc_test_request *test =
            http_begin(self, read_chunks, "POST /\nTransfer-Encoding: chunked");
        torc_test_request_send(test, torc_str_head(whole, split));
        torc_test_request_run(test);
        torc_test_request_send(test, torc_str_from(whole, split));
        torc_test_request_run(test);
        torc_test_request_send_end(test);
        torc_test_request_run(test);
        check_str(torc_str_make(reading.bytes, reading.len), "0123456789");
        assert_int_equal(reading.ends, 1);
        torc_test_request_free(test);
    }
}

static void without_a_read_nothing_is_asked_for(void **state) {
    http_fixture *self = *state;
    torc_test_request *test =
        http_ask(self, do_nothing, "POST /\nContent-Length: 3\nExpect: 100-continue");

    torc_test_request_send(test, TORC_STR("abc"));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_false(torc_test_request_was_continued(test));
    assert_int_equal(torc_test_request_consumed(test), 0);
    torc_reply_text(self->request, 200, "no, thanks");
    torc_test_request_run(test);
    assert_false(torc_test_request_was_continued(test));
    assert_true(torc_test_request_was_stopped(test));
    assert_true(torc_test_request_is_complete(test));
    torc_test_request_free(test);
}

static void a_request_without_a_body_is_not_stopped(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(self, reply_at_once, "GET /");
    assert_false(torc_test_request_was_stopped(test));
    torc_test_request_free(test);
}

static void an_empty_body_ends_at_once(void **state) {
    http_fixture *self = *state;
    body_reading reading = {0};
    self->context = &reading;
    torc_test_request *test = http_ask(self, read_chunks, "GET /");

    assert_int_equal(reading.ends, 1);
    assert_false(torc_test_request_was_continued(test));
    torc_test_request_free(test);
}

/* A peer that sends without end is taken no further than the window while nobody reads on. */
static void a_slow_reader_holds_the_peer_back(void **state) {
    static char block[32 * 1024];
    http_fixture *self = *state;
    body_reading reading = {0};
    self->context = &reading;
    torc_test_request *test = http_begin(self, read_chunks, "POST /\nTransfer-Encoding: chunked");

    for (int i = 0; i < 10; i++) torc_test_request_send(test, torc_str_make(block, sizeof(block)));
    torc_test_request_run(test);
    assert_int_equal(reading.chunks, 1);
    assert_in_range(torc_test_request_consumed(test), sizeof(block), 2 * sizeof(block));
    reading.wants_more = true;
    check_ok(torc_body_request_chunk(self->request, on_chunk, &reading));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_consumed(test), 10 * sizeof(block));
    assert_int_equal(reading.ends, 1);
    torc_test_request_free(test);
}

static void what_came_before_is_read_later(void **state) {
    http_fixture *self = *state;
    body_reading reading = {0};
    self->context = &reading;
    torc_test_request *test = http_ask(self, read_chunks, "POST /\nTransfer-Encoding: chunked");

    torc_test_request_send(test, TORC_STR("a"));
    torc_test_request_send(test, TORC_STR("b"));
    torc_test_request_send(test, TORC_STR("c"));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_int_equal(reading.chunks, 1);
    check_ok(torc_body_request_chunk(self->request, on_chunk, &reading));
    assert_int_equal(reading.chunks, 1); /* not from inside the call */
    torc_test_request_run(test);
    assert_int_equal(reading.chunks, 2);
    check_str(torc_str_make(reading.bytes, reading.len), "abc");
    check_ok(torc_body_request_chunk(self->request, on_chunk, &reading));
    torc_test_request_run(test);
    assert_int_equal(reading.ends, 1);
    torc_test_request_free(test);
}

/* ---- limits ---- */

static void set_body_max(http_fixture *self, uint64_t max) {
    static torc_limits limits;

    limits = (torc_limits){.size = sizeof(limits), .body_bytes_max = max};
    self->handler.limits = &limits;
}

static void an_announced_body_may_be_too_long(void **state) {
    static const struct {
        const char *head;
        torc_err err;
    } cases[] = {
        {"POST /\nContent-Length: 4", TORC_OK},
        {"POST /\nContent-Length: 5", TORC_OK},
        {"POST /\nContent-Length: 6", TORC_ERR_TOO_LARGE},
    };
    http_fixture *self = *state;

    set_body_max(self, 5);
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        body_reading reading = {0};
        self->context = &reading;
        torc_test_request *test = http_ask(self, read_chunks, cases[i].head);
        assert_int_equal(reading.err, cases[i].err);
        assert_int_equal(torc_test_request_was_continued(test), cases[i].err == TORC_OK);
        if (cases[i].err) torc_reply_error(self->request, reading.err);
        torc_test_request_run(test);
        if (cases[i].err) assert_int_equal(torc_test_request_status(test), 413);
        torc_test_request_free(test);
    }
}

static void an_unannounced_body_may_become_too_long(void **state) {
    http_fixture *self = *state;

    set_body_max(self, 5);
    for (size_t len = 4; len <= 6; len++) {
        body_reading reading = {.wants_more = true};
        self->context = &reading;
        torc_test_request *test =
            http_begin(self, read_chunks, "POST /\nTransfer-Encoding: chunked");
        torc_test_request_send(test, TORC_STR("abc"));
        torc_test_request_send(test, torc_str_make("defghi", len - 3));
        torc_test_request_send_end(test);
        torc_test_request_run(test);
        assert_int_equal(reading.err, len > 5 ? TORC_ERR_TOO_LARGE : TORC_OK);
        assert_int_equal(reading.len, len > 5 ? 3 : len);
        assert_int_equal(torc_test_request_was_stopped(test), len > 5);
        assert_int_equal(torc_body_request_chunk(self->request, on_chunk, &reading), TORC_OK);
        torc_test_request_run(test);
        assert_int_equal(reading.ends, 2); /* and it stays so */
        torc_test_request_free(test);
    }
}

static torc_render raise_the_limit(torc_request *request, void *context) {
    torc_request_limits(request)->body_bytes_max = 10;
    return read_chunks(request, context);
}

static void a_route_may_raise_its_limit(void **state) {
    http_fixture *self = *state;
    body_reading reading = {0};

    set_body_max(self, 5);
    self->context = &reading;
    torc_test_request *test = http_begin(self, raise_the_limit, "POST /\nContent-Length: 6");
    torc_test_request_send(test, TORC_STR("abcdef"));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_int_equal(reading.len, 6);
    torc_test_request_free(test);
}

/* ---- whole ---- */

static void on_whole(torc_request *request, torc_err err, const torc_body *body, void *context) {
    body_reading *self = context;

    (void)request;
    self->ends++;
    self->err = err;
    if (err) {
        assert_null(body);
        return;
    }
    assert_int_equal(body->fd, -1);
    assert_int_equal(body->len, body->bytes.len);
    self->chunk = body->bytes;
}

static size_t whole_max;

static torc_render read_whole(torc_request *request, void *context) {
    check_ok(torc_body_request_all(request, whole_max, on_whole, context));
    assert_int_equal(torc_body_request_all(request, whole_max, on_whole, context), TORC_ERR_STATE);
    assert_int_equal(((body_reading *)context)->ends, 0);
    return TORC_RENDER_NOT_DONE_YET;
}

static void a_whole_body_is_told_once(void **state) {
    static const char *const heads[] = {"POST /\nContent-Length: 6",
                                        "POST /\nTransfer-Encoding: chunked"};
    http_fixture *self = *state;

    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        for (whole_max = 5; whole_max <= 7; whole_max++) {
            body_reading reading = {0};
            self->context = &reading;
            torc_test_request *test = http_begin(self, read_whole, heads[i]);
            torc_test_request_send(test, TORC_STR("abc"));
            torc_test_request_send(test, TORC_STR("def"));
            torc_test_request_send_end(test);
            torc_test_request_run(test);
            assert_int_equal(reading.ends, 1);
            assert_int_equal(reading.err, whole_max < 6 ? TORC_ERR_TOO_LARGE : TORC_OK);
            if (!reading.err) check_str(reading.chunk, "abcdef");
            torc_test_request_free(test);
        }
    }
}

static void read_whole_on(torc_request *request, torc_err err, torc_str chunk, void *context) {
    on_chunk(request, err, chunk, context);
    check_ok(torc_body_request_all(request, 100, on_whole, context));
}

static torc_render read_chunk_and_whole(torc_request *request, void *context) {
    check_ok(torc_body_request_chunk(request, read_whole_on, context));
    return TORC_RENDER_NOT_DONE_YET;
}

/* What came behind a chunk that was asked for is the beginning of what is read whole. */
static void the_rest_of_a_body_is_whole(void **state) {
    http_fixture *self = *state;
    body_reading reading = {0};

    self->context = &reading;
    torc_test_request *test =
        http_begin(self, read_chunk_and_whole, "POST /\nTransfer-Encoding: chunked");
    torc_test_request_send(test, TORC_STR("abc"));
    torc_test_request_send(test, TORC_STR("def"));
    torc_test_request_send(test, TORC_STR("ghi"));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_int_equal(reading.chunks, 1);
    check_str(torc_str_make(reading.bytes, reading.len), "abc");
    assert_int_equal(reading.ends, 1);
    check_ok(reading.err);
    check_str(reading.chunk, "defghi");
    torc_test_request_free(test);
}

static void a_long_body_is_whole(void **state) {
    static char block[50000];
    http_fixture *self = *state;
    body_reading reading = {0};

    self->context = &reading;
    whole_max = 10 * sizeof(block);
    torc_test_request *test = http_begin(self, read_whole, "POST /\nContent-Length: 500000");
    for (int i = 0; i < 10; i++) {
        memset(block, '0' + i, sizeof(block));
        torc_test_request_send(test, torc_str_make(block, sizeof(block)));
    }
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_int_equal(reading.chunk.len, 10 * sizeof(block));
    for (int i = 0; i < 10; i++)
        assert_int_equal(reading.chunk.bytes[(size_t)i * sizeof(block)], '0' + i);
    torc_test_request_free(test);
}

static void no_body_is_an_empty_whole(void **state) {
    http_fixture *self = *state;
    body_reading reading = {0};

    self->context = &reading;
    whole_max = 0;
    torc_test_request *test = http_ask(self, read_whole, "GET /");
    assert_int_equal(reading.ends, 1);
    check_ok(reading.err);
    assert_non_null(reading.chunk.bytes);
    assert_int_equal(reading.chunk.len, 0);
    torc_test_request_free(test);
}

/* ---- the end ---- */

static void a_reader_is_told_of_the_loss(void **state) {
    static const torc_err reasons[] = {TORC_ERR_LOST, TORC_ERR_STALLED, TORC_ERR_PEER};
    http_fixture *self = *state;

    for (size_t i = 0; i < 2 * TORC_COUNT_OF(reasons); i++) {
        body_reading reading = {0};
        self->context = &reading;
        whole_max = 100;
        torc_test_request *test =
            http_begin(self, i % 2 ? read_chunks : read_whole, "POST /\nContent-Length: 6");
        torc_test_request_run(test);
        torc_test_request_break(test, reasons[i / 2]);
        torc_test_request_run(test);
        assert_int_equal(reading.ends, 1);
        assert_int_equal(reading.err, reasons[i / 2]);
        torc_test_request_free(test);
    }
}

static void a_reader_is_told_of_the_finish(void **state) {
    http_fixture *self = *state;
    body_reading reading = {0};

    self->context = &reading;
    torc_test_request *test = http_ask(self, read_chunks, "POST /\nContent-Length: 6");
    torc_reply_text(self->request, 200, "");
    assert_int_equal(reading.ends, 0);
    torc_test_request_run(test);
    assert_int_equal(reading.ends, 1);
    assert_int_equal(reading.err, TORC_ERR_GONE);
    torc_test_request_free(test);
}

static void finish_on_chunk(torc_request *request, torc_err err, torc_str chunk, void *context) {
    body_reading *self = context;

    (void)chunk;
    self->ends++;
    self->err = err;
    torc_reply_text(request, 200, "");
    assert_int_equal(torc_body_request_chunk(request, finish_on_chunk, context), TORC_ERR_GONE);
}

static torc_render read_and_finish(torc_request *request, void *context) {
    check_ok(torc_body_request_chunk(request, finish_on_chunk, context));
    return TORC_RENDER_NOT_DONE_YET;
}

static void finishing_in_the_callback_ends_the_reading(void **state) {
    http_fixture *self = *state;
    body_reading reading = {0};

    self->context = &reading;
    torc_test_request *test = http_begin(self, read_and_finish, "POST /\nContent-Length: 6");
    torc_test_request_send(test, TORC_STR("abc"));
    torc_test_request_run(test);
    assert_int_equal(reading.ends, 1);
    check_ok(reading.err);
    assert_true(torc_test_request_was_stopped(test));
    torc_test_request_free(test);
}

static void trailers_are_there_at_the_end(void **state) {
    http_fixture *self = *state;
    body_reading reading = {.wants_more = true};

    self->context = &reading;
    torc_test_request *test = http_begin(self, read_chunks, "POST /\nTransfer-Encoding: chunked");
    torc_test_request_send(test, TORC_STR("abc"));
    torc_test_request_send_trailer(test, "X-Sum", "1");
    torc_test_request_run(test);
    assert_null(torc_body_trailers(self->request));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_non_null(torc_body_trailers(self->request));
    check_str(torc_body_trailers(self->request)->items[0].value, "1");
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_body_is_read_in_chunks),
        HTTP_TEST(every_split_gives_the_same_body),
        HTTP_TEST(without_a_read_nothing_is_asked_for),
        HTTP_TEST(a_request_without_a_body_is_not_stopped),
        HTTP_TEST(an_empty_body_ends_at_once),
        HTTP_TEST(a_slow_reader_holds_the_peer_back),
        HTTP_TEST(what_came_before_is_read_later),
        HTTP_TEST(an_announced_body_may_be_too_long),
        HTTP_TEST(an_unannounced_body_may_become_too_long),
        HTTP_TEST(a_route_may_raise_its_limit),
        HTTP_TEST(a_whole_body_is_told_once),
        HTTP_TEST(the_rest_of_a_body_is_whole),
        HTTP_TEST(a_long_body_is_whole),
        HTTP_TEST(no_body_is_an_empty_whole),
        HTTP_TEST(a_reader_is_told_of_the_loss),
        HTTP_TEST(a_reader_is_told_of_the_finish),
        HTTP_TEST(finishing_in_the_callback_ends_the_reading),
        HTTP_TEST(trailers_are_there_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
