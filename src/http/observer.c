/* SPDX-License-Identifier: MIT */
/*
 * Telling observers how requests went.
 *
 *  - Without observers nothing of this is called.
 *  - A response that was written and has not left is waited for (`is_leaving`), and with it the end
 *    of the request, but not what the application is told of that.
 */
#include "http/request_state.h"

/* What left of the content: what was written, unless the rest was lost. */
static uint64_t body_left(const torc_request *request, const torc_sent *sent, bool is_whole) {
    const uint64_t rest = sent->bytes > sent->head_bytes ? sent->bytes - sent->head_bytes : 0;

    if (request->is_head || !torc_response_allows_body(request)) return 0;
    if (is_whole || request->body_sent < rest) return request->body_sent;
    return rest;
}

/* A response that nobody began is named for who did not let it be. */
static int status_of(const torc_request *request) {
    if (request->exchange->answered) return request->exchange->answered;
    if (request->is_started) return request->sent.status;
    return request->reason == TORC_ERR_LOST || request->reason == TORC_ERR_RESET ? 499 : 444;
}

void torc_observers_tell(torc_request *request) {
    const torc_exchange_wire *wire = request->exchange->wire;
    torc_sent sent = wire->sent ? wire->sent(request->exchange) : (torc_sent){0};
    torc_outcome outcome;

    sent.bytes -= request->left_behind < sent.bytes ? request->left_behind : sent.bytes;
    outcome.reason = (torc_err)request->reason;
    if (request->left_behind && !outcome.reason) outcome.reason = TORC_ERR_LOST;
    outcome.status = status_of(request);
    outcome.body_bytes = body_left(request, &sent, !outcome.reason || !wire->sent);
    outcome.sent_bytes = sent.bytes;
    for (torc_observer *observer = request->handler->observers; observer; observer = observer->next)
        observer->ops->request_over(observer, request, &outcome);
}

void torc_observers_tell_refused(const torc_handler *handler, const torc_refused *refused) {
    const torc_refusal refusal = {refused->peer, refused->status, refused->line};

    for (torc_observer *observer = handler->observers; observer; observer = observer->next)
        if (observer->ops->request_refused) observer->ops->request_refused(observer, &refusal);
}

static void departed(torc_departure *departure, uint64_t left_behind) {
    torc_request *request = torc_container_of(departure, torc_request, departure);

    request->is_leaving = false;
    request->left_behind = left_behind;
    if (request->is_ended) torc_request_depart(request);
}

void torc_observers_await_departure(torc_request *request) {
    const torc_exchange_wire *wire = request->exchange->wire;

    if (request->is_reset || !request->is_announced) return; /* the site may go before those */
    request->departure.departed = departed;
    request->is_leaving =
        wire->watch_departure && wire->watch_departure(request->exchange, &request->departure);
}
