/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the wire need and the reference site has no path for: interim responses,
 * trailers both ways, another protocol on the connection, responses that break off, bodies with a
 * limit. By the public API alone.
 */
#include <stdlib.h>
#include <torc/torc.h>

static torc_render early(torc_request *request) {
    torc_response_set(request, "Link", TORC_STR("</style.css>; rel=preload"));
    if (torc_response_send_interim(request, 103)) return torc_reply_status(request, 500, NULL);
    return torc_reply_text(request, 200, "late");
}

/* The trailers that came, as lines. */
static torc_render list_trailers(torc_request *request) {
    torc_str chunk;
    torc_err err;

    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) continue;
    if (err) return torc_reply_error(request, err);
    const torc_fields *trailers = torc_body_trailers(request);
    for (uint32_t i = 0; trailers && i < trailers->count; i++) {
        torc_request_write(request, trailers->items[i].name);
        torc_request_write(request, TORC_STR("="));
        torc_request_write(request, trailers->items[i].value);
        torc_request_write(request, TORC_STR("\n"));
    }
    return torc_reply_end(request);
}

static torc_render send_trailers(torc_request *request) {
    torc_request_write(request, TORC_STR("content"));
    torc_response_set_trailer(request, "X-Sum", TORC_STR("7"));
    return torc_reply_end(request);
}

/* The limit of a body is the listener's. */
static torc_render body(torc_request *request) {
    torc_str bytes;

    const torc_err err = torc_body_read_all(request, SIZE_MAX, &bytes);
    if (err) return torc_reply_error(request, err);
    return torc_reply_bytes(request, 200, "text/plain", bytes);
}

/* Promised ten bytes, sent four: what follows can only be the end of the connection. */
static torc_render break_off(torc_request *request) {
    torc_response_set_length(request, 10);
    torc_request_write(request, TORC_STR("four"));
    return torc_reply_error(request, TORC_ERR_NOT_FOUND);
}

static torc_render break_off_chunks(torc_request *request) {
    torc_request_write(request, TORC_STR("four"));
    return torc_reply_error(request, TORC_ERR_NOT_FOUND);
}

/* ---- a protocol that sends back what it gets ---- */

static void connection_made(torc_protocol *protocol) {
    torc_transport_write(protocol->transport, TORC_STR("hi\n"));
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    torc_transport_write(protocol->transport, bytes);
    return bytes.len;
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    (void)reason;
    free(protocol);
}

static const torc_protocol_ops parrot_ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .connection_lost = connection_lost,
};

static torc_err build_protocol(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol) {
    (void)factory;
    (void)transport;
    *protocol = calloc(1, sizeof(**protocol));
    if (!*protocol) return TORC_ERR_NO_MEMORY;
    (*protocol)->ops = &parrot_ops;
    return TORC_OK;
}

static const torc_factory_ops parrots_ops = {.build_protocol = build_protocol};
static torc_factory parrots = {.ops = &parrots_ops};

static torc_render change_protocol(torc_request *request) {
    const torc_err err = torc_request_upgrade(request, "parrot", &parrots);

    if (err) return torc_reply_error(request, err);
    return TORC_RENDER_DONE;
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("wire_site");
    torc_app_route(app, "GET /early", early);
    torc_app_route(app, "GET /trailers", send_trailers);
    torc_app_route(app, "POST /trailers", list_trailers);
    torc_app_route(app, "POST /body", body);
    torc_app_route(app, "GET /break", break_off);
    torc_app_route(app, "GET /break/chunks", break_off_chunks);
    torc_app_route(app, "GET /parrot", change_protocol);
    return torc_app_run(app, argc, argv);
}
