/* SPDX-License-Identifier: MIT */
/* A reply that comes later, in three ways: by waiting, from a timer, and from another thread. */
#include <pthread.h>
#include <stdlib.h>
#include <torc/torc.h>

/* 1. A route runs on a fiber, so it may simply wait. Other requests go on meanwhile. */
static torc_render wait_for_it(torc_request *request) {
    const torc_err err = torc_sleep(torc_request_reactor(request), 100);
    if (err) return torc_reply_error(request, err);
    return torc_reply_text(request, 200, "waited\n");
}

/* 2. A callback: who may be late holds a ticket, never the request. */
typedef struct delayed {
    torc_timer timer;
    torc_ticket ticket;
} delayed;

static void expired(torc_timer *timer) {
    delayed *self = torc_container_of(timer, delayed, timer);
    torc_request *request =
        torc_ticket_request(&self->ticket); /* NULL: finished or lost meanwhile */

    if (request) torc_reply_text(request, 200, "later\n");
    torc_ticket_return(&self->ticket);
    free(self);
}

static torc_render answer_by_timer(torc_request *request) {
    delayed *self = calloc(1, sizeof(*self));

    if (!self || torc_ticket_take(request, &self->ticket)) {
        free(self);
        return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    }
    torc_timer_init(&self->timer, torc_request_reactor(request), expired);
    torc_timer_arm(&self->timer, 100);
    return TORC_RENDER_NOT_DONE_YET;
}

/* 3. Another thread, which knows nothing of reactors. */
static void *work(void *context) {
    torc_ticket *ticket = context;
    const torc_answer answer = {200, TORC_STR_INIT("text/plain"), TORC_STR_INIT("from a thread\n")};

    (void)torc_ticket_answer(ticket, &answer); /* too late is no error */
    torc_ticket_return(ticket);
    free(ticket);
    return NULL;
}

static torc_render answer_by_thread(torc_request *request) {
    torc_ticket *ticket = calloc(1, sizeof(*ticket));
    pthread_t thread;

    if (!ticket || torc_ticket_take(request, ticket)) {
        free(ticket);
        return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    }
    if (pthread_create(&thread, NULL, work, ticket)) {
        torc_ticket_return(ticket);
        free(ticket);
        return torc_reply_error(request, TORC_ERR_LIMIT);
    }
    pthread_detach(thread);
    return TORC_RENDER_NOT_DONE_YET;
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("deferred_reply");
    torc_app_route(app, "GET /wait", wait_for_it);
    torc_app_route(app, "GET /timer", answer_by_timer);
    torc_app_route(app, "GET /thread", answer_by_thread);
    return torc_app_run(app, argc, argv);
}
