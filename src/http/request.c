/* SPDX-License-Identifier: MIT */
/*
 * The life of a request, between its exchange and its handler.
 *
 *  - A request is over once the application has finished or aborted it (is_finished), the exchange
 *    was closed before that (is_lost), or the exchange was reset because the response failed
 *    (is_reset, until `closed` comes or the application finishes). From then on every operation on
 *    it does nothing.
 *  - It ends (is_ended) when it is over and its step has returned: whoever watches is told, the
 *    handler is told, and it is retired. So the pointer is good until the end of the round in which
 *    the application let go.
 *  - It ends where no function of the application is on the stack: behind the handler's
 *    request_received, from `closed`, or from a posted call.
 *  - What it holds outside the arena is released when it is retired; then its exchange is let go
 *    of.
 */
#include <torc/status.h>

#include "http/staging.h"
#include "http/wait.h"

static void release_holdings(torc_request *request) {
    torc_holding *holding;

    while ((holding = request->holdings)) {
        request->holdings = holding->next;
        holding->release(holding);
    }
}

static void retired(torc_retiree *retiree) {
    torc_request *request = torc_container_of(retiree, torc_request, retiree);

    release_holdings(request);
    torc_exchange_let_go(request->exchange);
}

/* Those who watch are told once; in being told they may do anything, even watch again. */
static void tell_watches(torc_request *request) {
    torc_list told;
    torc_list_node *node;

    if (torc_list_is_empty(&request->watches)) return;
    torc_list_init(&told);
    torc_list_take(&told, &request->watches);
    while ((node = torc_list_pop(&told))) {
        torc_request_watch *watch = torc_container_of(node, torc_request_watch, node);
        watch->ended(watch, request, (torc_err)request->reason);
    }
}

static void end(torc_request *request) {
    request->is_ended = true;
    torc_call_cancel(&request->ending);
    if (request->slot) torc_ticket_release(request);
    if (request->reader) torc_body_lost(request, TORC_ERR_GONE);
    if (request->has_json) {
        torc_json_fail(&request->json, TORC_ERR_GONE); /* its room goes with the chain */
        torc_chain_clear(&request->json_chain);
    }
    if (request->staging) torc_staging_drop(request);
    tell_watches(request);
    if (!request->is_leaving) torc_request_depart(request);
}

void torc_request_depart(torc_request *request) {
    if (request->handler->observers) torc_observers_tell(request);
    if (request->is_announced)
        request->handler->ops->request_ended(request->handler, request, (torc_err)request->reason);
    if (request->holdings)
        torc_retire(request->reactor, &request->retiree, retired);
    else
        torc_exchange_let_go(request->exchange);
}

static bool may_end(const torc_request *request) {
    return (request->is_finished || request->is_lost) && !request->is_running && !request->is_ended;
}

static void run_ending(torc_call *call) {
    torc_request *request = torc_container_of(call, torc_request, ending);
    if (may_end(request)) end(request);
}

void torc_request_settle(torc_request *request) {
    if (!may_end(request) || request->is_in_head) return;
    torc_reactor_post(request->reactor, &request->ending);
}

void torc_request_hold(torc_request *request, torc_holding *holding) {
    holding->next = request->holdings;
    request->holdings = holding;
}

/* A body of which nobody wants the rest: the wire drains or refuses it. */
static void stop_body(torc_request *request) {
    if (request->has_body_ended) return;
    request->has_body_ended = true;
    if (request->head->body_len != 0 && !request->is_reset)
        request->exchange->wire->stop_body(request->exchange);
}

void torc_request_finished(torc_request *request, torc_err reason) {
    request->is_finished = true;
    request->reason = (int16_t)reason;
    if (request->handler->observers) torc_observers_await_departure(request);
    stop_body(request);
    if (request->reader) torc_body_dropped(request);
    if (!torc_list_is_empty(&request->output_waits))
        torc_waits_end(&request->output_waits, TORC_ERR_GONE);
    if (request->feed) torc_feed_dropped(request);
    torc_request_settle(request);
}

void torc_request_reset(torc_request *request, torc_err reason) {
    if (request->is_reset || request->is_lost) return;
    request->is_reset = true;
    request->exchange->wire->reset(request->exchange, reason);
}

void torc_request_abort(torc_request *request) {
    if (request->is_finished || request->is_lost) return;
    torc_request_reset(request, TORC_ERR_ABORTED);
    torc_request_finished(request, TORC_ERR_ABORTED);
}

/* What those who wait are told: why the server ended it, or that the peer has gone. */
static torc_err waiters_reason(torc_err reason) {
    return reason == TORC_ERR_STOPPING ? reason : TORC_ERR_LOST;
}

/* The exchange is closed and the application has not finished: what is waited for is cancelled
 * first. */
static void lose(torc_request *request, torc_err reason) {
    request->is_lost = true;
    request->has_body_ended = true;
    request->reason = (int16_t)(reason ? reason : TORC_ERR_LOST);
    if (request->reader) torc_body_lost(request, (torc_err)request->reason);
    if (request->fiber)
        torc_fiber_cancel(request->fiber, waiters_reason((torc_err)request->reason));
    if (!torc_list_is_empty(&request->output_waits))
        torc_waits_end(&request->output_waits, waiters_reason((torc_err)request->reason));
    if (request->feed) torc_feed_lost(request);
    tell_watches(request);
}

/* No memory to even look at the request. */
static void refuse(torc_request *request) {
    torc_response_fail(request, TORC_ERR_NO_MEMORY);
    (void)!torc_request_finish(request);
}

static void head_received(torc_exchange *exchange, const torc_head *head) {
    torc_request *request = exchange->above;

    request->head = head;
    request->is_head = head->method == TORC_METHOD_HEAD;
    request->started_us = request->reactor->now_us;
    request->is_in_head = true;
    /* Its addresses are asked for once it may have lost its connection, which knows them. */
    if (request->handler->observers) (void)exchange->wire->link(exchange);
    if (torc_request_split_path(request) ||
        (request->handler->trusted_count && torc_request_read_origin(request))) {
        refuse(request);
    } else {
        request->is_announced = true;
        request->handler->ops->request_received(request->handler, request);
    }
    request->is_in_head = false;
    if (may_end(request)) end(request);
}

static void body_received(torc_exchange *exchange, torc_str bytes) {
    torc_request *request = exchange->above;
    if (!request->has_body_ended) torc_body_received(request, bytes);
}

static void body_ended(torc_exchange *exchange, const torc_fields *trailers) {
    torc_request *request = exchange->above;

    if (request->has_body_ended) return;
    request->has_body_ended = true;
    request->body_trailers = trailers;
    if (request->reader) torc_body_ended(request);
}

static void drained(torc_exchange *exchange) {
    torc_request *request = exchange->above;

    if (!torc_list_is_empty(&request->output_waits))
        torc_waits_end(&request->output_waits, TORC_OK);
    if (request->feed) torc_feed_drained(request);
}

/* What is in progress goes on; the wire resets what is left at the deadline. */
static void draining(torc_exchange *exchange) {
    (void)exchange;
}

static void closed(torc_exchange *exchange, torc_err reason) {
    torc_request *request = exchange->above;

    if (!request->is_finished) lose(request, reason);
    if (may_end(request)) end(request);
}

static const torc_exchange_events events = {
    .head_received = head_received,
    .body_received = body_received,
    .body_ended = body_ended,
    .drained = drained,
    .draining = draining,
    .closed = closed,
};

/*
 * Clear a new request. The size is hidden from the compiler, which would put `rep stos` for one
 * that it knows: that costs more than all else here.
 */
static void clear(torc_request *request) {
    size_t size = TORC_REQUEST_CLEARED;

    __asm__("" : "+r"(size));
    memset(request, 0, size);
}

static torc_handler *handler_of(torc_acceptor *acceptor) {
    return torc_container_of(acceptor, torc_handler, acceptor);
}

static torc_err opened(torc_acceptor *acceptor, torc_exchange *exchange) {
    torc_handler *handler = handler_of(acceptor);

    if (handler->is_closed) return TORC_ERR_STOPPING;
    torc_request *request = torc_arena_alloc(exchange->arena, sizeof(*request));
    if (!request) return TORC_ERR_NO_MEMORY;
    clear(request);
    request->exchange = exchange;
    request->handler = handler;
    request->arena = exchange->arena;
    request->reactor = exchange->reactor;
    torc_response_init(request);
    request->ending.run = run_ending;
    torc_list_init(&request->watches);
    torc_list_init(&request->output_waits);
    exchange->events = &events;
    exchange->above = request;
    return TORC_OK;
}

static void unused(torc_acceptor *acceptor) {
    torc_handler *handler = handler_of(acceptor);
    if (handler->ops->unused) handler->ops->unused(handler);
}

static void refused(torc_acceptor *acceptor, const torc_refused *refused_) {
    const torc_handler *handler = handler_of(acceptor);
    if (handler->observers) torc_observers_tell_refused(handler, refused_);
}

static const torc_acceptor_ops acceptor_ops = {
    .opened = opened,
    .refused = refused,
    .unused = unused,
};

void torc_handler_init(torc_handler *handler, const torc_handler_ops *ops) {
    *handler = (torc_handler){.ops = ops, .acceptor = {.ops = &acceptor_ops}};
}

void torc_request_watch_end(torc_request *request, torc_request_watch *watch,
                            torc_request_ended_fn *ended) {
    watch->ended = ended;
    torc_list_push(&request->watches, &watch->node);
}

void torc_request_unwatch(torc_request_watch *watch) {
    torc_list_remove(&watch->node);
}

bool torc_request_is_gone(const torc_request *request) {
    return request_is_over(request);
}
