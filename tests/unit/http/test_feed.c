/* SPDX-License-Identifier: MIT */
/* Producers that feed responses. */
#include <torc/transport.h>

#include "http_fixture.h"

typedef struct source {
    torc_producer base;
    torc_request *request;
    int pauses, resumes, stops;
    int left; /* blocks to write */
    bool is_paused;
} source;

static char block[16 * 1024];

static void write_block(source *self) {
    if (self->left == 0) return;
    torc_request_write(self->request, torc_str_make(block, sizeof(block)));
    if (--self->left == 0) check_ok(torc_request_finish(self->request));
}

static source *source_of(torc_producer *producer) {
    return torc_container_of(producer, source, base);
}

static void pause_it(torc_producer *producer) {
    source_of(producer)->pauses++;
    source_of(producer)->is_paused = true;
}

static void resume_push(torc_producer *producer) {
    source *self = source_of(producer);

    self->resumes++;
    self->is_paused = false;
    for (int i = 0; i < 4; i++) write_block(self);
}

static void resume_pull(torc_producer *producer) {
    source_of(producer)->resumes++;
    write_block(source_of(producer));
}

static void stop(torc_producer *producer) {
    source_of(producer)->stops++;
}

static const torc_producer_ops push_ops = {.pause = pause_it, .resume = resume_push, .stop = stop};
static const torc_producer_ops pull_ops = {.pause = pause_it, .resume = resume_pull, .stop = stop};

static torc_render feed(torc_request *request, void *context) {
    source *self = context;
    const bool streaming = self->base.ops == &push_ops;

    self->request = request;
    check_ok(torc_request_register_producer(request, &self->base, streaming));
    assert_int_equal(torc_request_register_producer(request, &self->base, streaming),
                     TORC_ERR_STATE);
    assert_int_equal(self->resumes, 0);
    if (streaming)
        for (int i = 0; i < 5; i++) write_block(self);
    assert_int_equal(self->pauses, 0); /* not from inside the call */
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_test_request *begin_as(http_fixture *self, source *feeding, const char *head) {
    self->context = feeding;
    torc_test_request *test = http_begin(self, feed, head);
    torc_test_request_hold_back(test);
    torc_test_request_run(test);
    return test;
}

static torc_test_request *begin(http_fixture *self, source *feeding) {
    return begin_as(self, feeding, "GET /");
}

static void a_pushing_producer_is_paused_and_resumed(void **state) {
    source self = {.base = {&push_ops}, .left = 13};
    torc_test_request *test = begin(*state, &self);

    assert_int_equal(self.pauses, 1);
    assert_int_equal(self.resumes, 0);
    torc_test_request_take(test, 3 * sizeof(block) - 1); /* above the low mark */
    torc_test_request_run(test);
    assert_int_equal(self.resumes, 0);
    torc_test_request_take(test, 1);
    torc_test_request_run(test);
    assert_int_equal(self.resumes, 1);
    assert_int_equal(self.pauses, 2);
    torc_test_request_take(test, SIZE_MAX);
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_body(test).len, 13 * sizeof(block));
    assert_true(torc_test_request_is_complete(test));
    assert_int_equal(self.stops, 0);
    torc_test_request_free(test);
}

static void a_pulling_producer_is_asked_while_there_is_room(void **state) {
    source self = {.base = {&pull_ops}, .left = 10};
    torc_test_request *test = begin(*state, &self);

    assert_int_equal(self.resumes, 4); /* 64 KiB */
    assert_int_equal(self.pauses, 0);
    torc_test_request_take(test, SIZE_MAX);
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_body(test).len, 10 * sizeof(block));
    assert_true(torc_test_request_is_complete(test));
    torc_test_request_free(test);
}

static void a_lost_client_stops_the_producer(void **state) {
    source self = {.base = {&pull_ops}, .left = 10};
    torc_test_request *test = begin(*state, &self);

    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    assert_int_equal(self.stops, 1);
    assert_int_equal(self.resumes, 4);
    torc_test_request_free(test);
    assert_int_equal(self.stops, 1);
}

static void an_unregistered_producer_is_left_alone(void **state) {
    source self = {.base = {&pull_ops}, .left = 10}, other = {.base = {&pull_ops}, .left = 1};
    torc_test_request *test = begin(*state, &self);

    torc_request_unregister_producer(self.request);
    torc_request_unregister_producer(self.request);
    torc_test_request_take(test, SIZE_MAX);
    torc_test_request_run(test);
    assert_int_equal(self.resumes, 4);

    other.request = self.request;
    check_ok(torc_request_register_producer(self.request, &other.base, false));
    torc_test_request_run(test);
    assert_int_equal(other.resumes, 1);
    assert_true(torc_test_request_is_complete(test));
    assert_int_equal(self.stops + other.stops, 0);
    torc_test_request_free(test);
}

/* The answer to HEAD is fed like the others, and nothing of it goes out. */
static void the_answer_to_head_is_fed_in_vain(void **state) {
    static const torc_producer_ops *const kinds[] = {&push_ops, &pull_ops};

    for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++) {
        source self = {.base = {kinds[i]}, .left = 5};
        torc_test_request *test = begin_as(*state, &self, "HEAD /");
        assert_int_equal(self.left, 0);
        assert_int_equal(torc_test_request_status(test), 200);
        assert_int_equal(torc_test_request_body(test).len, 0);
        assert_true(torc_test_request_is_complete(test));
        assert_int_equal(self.stops, 0);
        torc_test_request_free(test);
    }
}

/* Finishing lets the producer go: whatever it was about to write, it is not called any more. */
static void finishing_lets_the_producer_go(void **state) {
    source self = {.base = {&pull_ops}, .left = 10};
    torc_test_request *test = begin(*state, &self);
    const int resumes = self.resumes;

    check_ok(torc_request_finish(self.request));
    torc_test_request_take(test, SIZE_MAX);
    torc_test_request_run(test);
    assert_int_equal(self.resumes, resumes);
    assert_int_equal(self.pauses + self.stops, 0);
    assert_int_equal(torc_test_request_body(test).len, (size_t)resumes * sizeof(block));
    assert_true(torc_test_request_is_complete(test));
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_pushing_producer_is_paused_and_resumed),
        HTTP_TEST(a_pulling_producer_is_asked_while_there_is_room),
        HTTP_TEST(a_lost_client_stops_the_producer),
        HTTP_TEST(an_unregistered_producer_is_left_alone),
        HTTP_TEST(the_answer_to_head_is_fed_in_vain),
        HTTP_TEST(finishing_lets_the_producer_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
