/* SPDX-License-Identifier: MIT */
/*
 * Replies in one call: bytes and JSON. Redirects and errors: see redirect.c and error.c.
 *
 *  - A reply to a request that is over does nothing; one to a response that has begun makes it
 *    fail.
 *  - A JSON document grows in a chain of its own and is sent only when it is complete.
 */
#include <torc/json.h>

#include "http/request_state.h"

/* Set a status and, without copying it, a content type that lives until the head has gone. */
static void begin(torc_request *request, int status, torc_str content_type) {
    torc_response_set_status(request, status, NULL);
    if (content_type.bytes) torc_response_set_type(request, content_type);
}

static torc_render reply(torc_request *request, int status, torc_str content_type, torc_str bytes,
                         bool is_static) {
    if (!request->hooks && torc_response_send_short(request, status, content_type, bytes))
        return TORC_RENDER_DONE;
    begin(request, status, content_type);
    torc_response_send_whole(request, bytes, is_static);
    return TORC_RENDER_DONE;
}

torc_render torc_reply_text(torc_request *request, int status, const char *text) {
    return reply(request, status, TORC_STR("text/plain; charset=utf-8"), torc_str_of(text), false);
}

/* A content type of the caller's, who may not keep it: observers read fields after the response has
 * left. False without memory. */
static bool keep_type(torc_request *request, const char *given, torc_str *type) {
    *type = torc_str_of(given);
    if (!given || !request->handler->observers) return true;
    type->bytes = torc_arena_cstr(request->arena, *type);
    return type->bytes != NULL;
}

static torc_render reply_as(torc_request *request, int status, const char *content_type,
                            torc_str bytes, bool is_static) {
    torc_str type;

    if (!keep_type(request, content_type, &type))
        return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    return reply(request, status, type, bytes, is_static);
}

torc_render torc_reply_bytes(torc_request *request, int status, const char *content_type,
                             torc_str bytes) {
    return reply_as(request, status, content_type, bytes, false);
}

torc_render torc_reply_static(torc_request *request, int status, const char *content_type,
                              torc_str bytes) {
    return reply_as(request, status, content_type, bytes, true);
}

/* Let a document be written where it is sent from; whoever goes on after the end of the request is
 * refused. */
static torc_err room_for_json(void *context, size_t used, size_t wanted, char **room, size_t *len) {
    torc_request *request = context;
    torc_chain *chain = &request->json_chain;

    if (request_is_over(request)) return TORC_ERR_GONE;
    if (used > 0) torc_chain_commit(chain, used);
    if (wanted == 0) return TORC_OK;
    const size_t most = torc_request_limits_now(request)->output_bytes_max; /* may shrink */
    if (chain->len >= most) return TORC_ERR_LIMIT;
    const size_t left = most - chain->len;
    *room = torc_chain_room(chain, len);
    if (!*room) return TORC_ERR_NO_MEMORY;
    if (*len > left) *len = left;
    return TORC_OK;
}

torc_json *torc_reply_json(torc_request *request, int status) {
    if (!request->has_json) torc_chain_init(&request->json_chain, &request->reactor->chains);
    torc_chain_clear(&request->json_chain);
    request->has_json = true;
    torc_json_init_room(&request->json, room_for_json, request, TORC_JSON_PLAIN);
    if (request_is_over(request))
        torc_json_fail(&request->json, TORC_ERR_GONE);
    else
        begin(request, status, TORC_STR("application/json"));
    return &request->json;
}

torc_render torc_reply_end(torc_request *request) {
    torc_err err;

    if (!request->has_json || request_is_over(request)) {
        (void)torc_request_finish(request);
        return TORC_RENDER_DONE;
    }
    err = torc_json_end(&request->json);
    if (err) torc_response_fail(request, err);
    torc_response_send_chain(request, &request->json_chain);
    return TORC_RENDER_DONE;
}
