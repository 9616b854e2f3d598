/* SPDX-License-Identifier: MIT */
/*
 * Producers that feed the body of a response.
 *
 *  - A producer that pushes is paused once there is no room, and resumed when the output has
 *    drained; one that pulls is resumed whenever there is room.
 *  - It is never called from inside a call: writing only posts a call that looks at the room.
 *  - `producer` is NULL while there is none; a feed is kept for the next one.
 */
#include <torc/producer.h>

#include "http/request_state.h"

typedef struct torc_feed {
    torc_request *request;
    torc_producer *producer;
    torc_call call;
    bool streaming;
    bool is_paused; /* it was told to pause */
} torc_feed;

static void pull(torc_feed *feed) {
    feed->producer->ops->resume(feed->producer);
    if (feed->producer && torc_request_room(feed->request) > 0)
        torc_reactor_post(feed->request->reactor, &feed->call);
}

/* Tell the producer what the room asks for. */
static void look(torc_feed *feed) {
    const bool has_room = torc_request_room(feed->request) > 0;

    if (!feed->producer || request_is_over(feed->request)) return;
    if (!feed->streaming) {
        if (has_room) pull(feed);
    } else if (has_room == feed->is_paused) {
        feed->is_paused = !has_room;
        if (has_room)
            feed->producer->ops->resume(feed->producer);
        else
            feed->producer->ops->pause(feed->producer);
    }
}

static void run_look(torc_call *call) {
    look(torc_container_of(call, torc_feed, call));
}

torc_err torc_request_register_producer(torc_request *request, torc_producer *producer,
                                        bool streaming) {
    torc_feed *feed = request->feed;

    if (request_is_over(request)) return TORC_ERR_GONE;
    if (feed && feed->producer) return TORC_ERR_STATE;
    if (!feed) feed = torc_arena_alloc(request->arena, sizeof(*feed));
    if (!feed) return TORC_ERR_NO_MEMORY;

    *feed = (torc_feed){
        .request = request,
        .producer = producer,
        .call = {.run = run_look},
        .streaming = streaming,
    };
    request->feed = feed;
    torc_reactor_post(request->reactor, &feed->call);
    return TORC_OK;
}

void torc_feed_dropped(torc_request *request) {
    torc_call_cancel(&request->feed->call);
    request->feed->producer = NULL;
}

void torc_request_unregister_producer(torc_request *request) {
    if (!request_is_over(request) && request->feed) torc_feed_dropped(request);
}

void torc_feed_written(torc_request *request) {
    torc_feed *feed = request->feed;
    if (feed->producer && feed->streaming && !feed->is_paused)
        torc_reactor_post(request->reactor, &feed->call);
}

void torc_feed_drained(torc_request *request) {
    look(request->feed);
}

void torc_feed_lost(torc_request *request) {
    torc_producer *producer = request->feed->producer;

    torc_feed_dropped(request);
    if (producer) producer->ops->stop(producer);
}
