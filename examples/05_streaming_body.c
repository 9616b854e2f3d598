/* SPDX-License-Identifier: MIT */
/* Bodies in pieces, both ways: the peer is read no faster than the route reads, and the other way
 * round. */
#include <torc/torc.h>

static torc_render count(torc_request *request) {
    uint64_t bytes = 0, lines = 0;
    torc_str chunk;
    torc_err err;

    torc_request_limits(request)->body_bytes_max = TORC_UNLIMITED_BYTES;
    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) {
        bytes += chunk.len;
        for (size_t i = 0; i < chunk.len; i++) lines += chunk.bytes[i] == '\n';
    }
    if (err) return torc_reply_error(request, err);

    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_uint(json, "bytes", bytes);
    torc_json_member_uint(json, "lines", lines);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

/* A write waits, on a route's fiber, while the peer is slow: a million lines need no memory. */
static torc_render numbers(torc_request *request) {
    char bytes[32];
    torc_buf line;

    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    for (uint64_t i = 1; i <= 1000000 && !torc_request_is_gone(request); i++) {
        torc_buf_init_fixed(&line, bytes, sizeof(bytes));
        torc_buf_add_uint(&line, i);
        torc_buf_add_byte(&line, '\n');
        torc_request_write(request, torc_buf_str(&line));
    }
    return torc_reply_end(request);
}

/* What comes in goes out, at the speed of the slower side. */
static torc_render echo(torc_request *request) {
    torc_str chunk;
    torc_err err;

    torc_request_limits(request)->body_bytes_max = TORC_UNLIMITED_BYTES;
    torc_response_set(request, "Content-Type", TORC_STR("application/octet-stream"));
    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0)
        torc_request_write(request, chunk);
    if (err) return torc_reply_error(request, err); /* after the first byte this aborts */
    return torc_reply_end(request);
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("streaming_body");
    torc_app_route(app, "POST /count", count);
    torc_app_route(app, "GET /numbers", numbers);
    torc_app_route(app, "POST /echo", echo);
    return torc_app_run(app, argc, argv);
}
