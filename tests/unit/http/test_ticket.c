/* SPDX-License-Identifier: MIT */
/* Tickets: late, stale, and from other threads. */
#include <pthread.h>

#include "http_fixture.h"
#include "reactor/reactor.h"

static torc_render take(torc_request *request, void *context) {
    check_ok(torc_ticket_take(request, context));
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_test_request *ask(http_fixture *self, torc_ticket *ticket) {
    self->context = ticket;
    return http_ask(self, take, "GET /");
}

static const torc_answer answer = {200, TORC_STR_INIT("a/b"), TORC_STR_INIT("answered")};

static void a_ticket_leads_to_its_request(void **state) {
    http_fixture *self = *state;
    torc_ticket ticket;
    torc_test_request *test = ask(self, &ticket);

    assert_ptr_equal(torc_ticket_request(&ticket), self->request);
    torc_reply_text(self->request, 200, "x");
    assert_null(torc_ticket_request(&ticket));                       /* at once */
    assert_int_equal(torc_ticket_answer(&ticket, &answer), TORC_OK); /* not yet known to be late */
    torc_test_request_run(test);
    assert_null(torc_ticket_request(&ticket));
    assert_int_equal(torc_ticket_answer(&ticket, &answer), TORC_ERR_GONE);
    check_str(torc_test_request_body(test), "x");
    torc_test_request_free(test);
    torc_ticket_return(&ticket);
    assert_null(ticket.slot);
    torc_ticket_return(&ticket);
}

static void an_empty_ticket_leads_nowhere(void **state) {
    torc_ticket ticket = {0};

    (void)state;
    assert_null(torc_ticket_request(&ticket));
    assert_int_equal(torc_ticket_answer(&ticket, &answer), TORC_ERR_GONE);
    torc_ticket_return(&ticket);
}

static void a_ticket_answers(void **state) {
    http_fixture *self = *state;
    torc_ticket ticket;
    torc_test_request *test = ask(self, &ticket);

    check_ok(torc_ticket_answer(&ticket, &answer));
    check_ok(torc_ticket_answer(&ticket, &answer)); /* the second is stale when it comes */
    torc_test_request_run(test);
    check_str(torc_test_request_body(test), "answered");
    check_str(torc_test_request_field(test, "Content-Type"), "a/b");
    torc_test_request_free(test);
    torc_ticket_return(&ticket);
}

static void a_lost_request_makes_its_ticket_stale(void **state) {
    http_fixture *self = *state;
    torc_ticket ticket, next;
    torc_test_request *test = ask(self, &ticket), *other;

    check_ok(torc_ticket_answer(&ticket, &answer));
    torc_test_request_disconnect(test);
    torc_test_request_free(test);
    assert_null(torc_ticket_request(&ticket));

    /* The slot is used again, by another generation. */
    other = ask(self, &next);
    assert_ptr_equal(next.slot, ticket.slot);
    assert_null(torc_ticket_request(&ticket));
    assert_non_null(torc_ticket_request(&next));
    torc_ticket_return(&ticket);
    torc_test_request_free(other);
    torc_ticket_return(&next);
}

static void many_requests_have_their_own(void **state) {
    enum {
        COUNT = 200
    };
    http_fixture *self = *state;
    static torc_ticket tickets[COUNT];
    static torc_test_request *tests[COUNT];

    for (int i = 0; i < COUNT; i++) tests[i] = ask(self, &tickets[i]);
    for (int i = 0; i < COUNT; i += 2) check_ok(torc_ticket_answer(&tickets[i], &answer));
    for (int i = 0; i < COUNT; i++) {
        torc_test_request_run(tests[i]);
        assert_int_equal(torc_test_request_status(tests[i]), i % 2 ? 0 : 200);
        torc_test_request_free(tests[i]);
        torc_ticket_return(&tickets[i]);
    }
}

static void a_ticket_outlives_its_reactor(void **state) {
    http_fixture *self = *state;
    torc_ticket ticket, forgotten;
    torc_test_request *test = ask(self, &ticket);

    check_ok(torc_ticket_take(self->request, &forgotten));
    torc_test_request_free(test);
    torc_reactor_free(self->reactor);
    assert_int_equal(torc_ticket_answer(&ticket, &answer), TORC_ERR_GONE);
    torc_ticket_return(&ticket);
    torc_ticket_return(&forgotten);
    check_ok(torc_reactor_new(NULL, &self->reactor));
}

static void *answer_in_thread(void *context) {
    torc_ticket *ticket = context;

    check_ok(torc_ticket_answer(ticket, &answer));
    torc_ticket_return(ticket);
    return NULL;
}

static void another_thread_answers(void **state) {
    http_fixture *self = *state;
    torc_ticket ticket;
    pthread_t thread;
    torc_test_request *test = ask(self, &ticket);

    assert_int_equal(pthread_create(&thread, NULL, answer_in_thread, &ticket), 0);
    while (!torc_test_request_is_complete(test)) check_ok(torc_reactor_turn(self->reactor, -1));
    assert_int_equal(pthread_join(thread, NULL), 0);
    check_str(torc_test_request_body(test), "answered");
    torc_test_request_free(test);
}

enum {
    THREADS = 4,
    ROUNDS = 100
};

/* A thread that answers whatever ticket is put before it; half of the requests are lost meanwhile.
 */
typedef struct answer_thread {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    torc_ticket ticket;
    bool has_ticket, is_over;
} answer_thread;

static void *answer_many(void *context) {
    answer_thread *self = context;

    pthread_mutex_lock(&self->mutex);
    while (!self->is_over || self->has_ticket) {
        if (!self->has_ticket) {
            pthread_cond_wait(&self->changed, &self->mutex);
            continue;
        }
        torc_ticket ticket = self->ticket;
        self->has_ticket = false;
        pthread_mutex_unlock(&self->mutex);
        (void)torc_ticket_answer(&ticket, &answer);
        torc_ticket_return(&ticket);
        pthread_mutex_lock(&self->mutex);
        pthread_cond_broadcast(&self->changed);
    }
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

static void give(answer_thread *self, torc_ticket ticket) {
    pthread_mutex_lock(&self->mutex);
    while (self->has_ticket) pthread_cond_wait(&self->changed, &self->mutex);
    self->ticket = ticket;
    self->has_ticket = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
}

static void threads_race_with_losses(void **state) {
    http_fixture *self = *state;
    static answer_thread answerers[THREADS];
    torc_test_request *tests[THREADS];
    torc_ticket ticket;

    memset(answerers, 0, sizeof(answerers));
    for (int i = 0; i < THREADS; i++) {
        pthread_mutex_init(&answerers[i].mutex, NULL);
        pthread_cond_init(&answerers[i].changed, NULL);
        assert_int_equal(pthread_create(&answerers[i].thread, NULL, answer_many, &answerers[i]), 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < THREADS; i++) {
            tests[i] = ask(self, &ticket);
            give(&answerers[i], ticket);
            if ((round + i) % 2) torc_test_request_disconnect(tests[i]);
        }
        for (int i = 0; i < THREADS; i++) torc_test_request_free(tests[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_mutex_lock(&answerers[i].mutex);
        answerers[i].is_over = true;
        pthread_cond_broadcast(&answerers[i].changed);
        pthread_mutex_unlock(&answerers[i].mutex);
        pthread_join(answerers[i].thread, NULL);
        pthread_mutex_destroy(&answerers[i].mutex);
        pthread_cond_destroy(&answerers[i].changed);
    }
    assert_int_equal(self->received, self->ended);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_ticket_leads_to_its_request),
        HTTP_TEST(an_empty_ticket_leads_nowhere),
        HTTP_TEST(a_ticket_answers),
        HTTP_TEST(a_lost_request_makes_its_ticket_stale),
        HTTP_TEST(many_requests_have_their_own),
        HTTP_TEST(a_ticket_outlives_its_reactor),
        HTTP_TEST(another_thread_answers),
        HTTP_TEST(threads_race_with_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
