/* SPDX-License-Identifier: MIT */
/* Compression: pages in the coding that the client likes, and one that is better left alone. */
#include <stdio.h>
#include <torc/torc.h>

/* A list, written as it is made: the coder takes it as it comes. */
static torc_render list(torc_request *request) {
    torc_response_set(request, "Content-Type", TORC_STR("application/json"));
    torc_request_write(request, TORC_STR("["));
    for (int i = 0; i < 1000; i++) {
        char item[64];
        const int len =
            snprintf(item, sizeof(item), "%s{\"id\":%d,\"name\":\"lamp\"}", i ? "," : "", i);
        torc_request_write(request, torc_str_make(item, (size_t)len));
    }
    torc_request_write(request, TORC_STR("]\n"));
    return torc_reply_end(request);
}

/* What was written so far is to be seen now: flushed, or it would wait in the coder. */
static torc_render progress(torc_request *request) {
    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    for (int i = 1; i <= 3; i++) {
        char line[32];
        const int len = snprintf(line, sizeof(line), "step %d of 3\n", i);
        torc_request_write(request, torc_str_make(line, (size_t)len));
        torc_request_flush(request);
        if (torc_sleep(torc_request_reactor(request), 100)) break;
    }
    return torc_reply_end(request);
}

/* It shows a secret beside what the address says: how short it gets would tell of the secret. */
static torc_render account(torc_request *request) {
    torc_str name = TORC_STR("you");
    char page[600];

    (void)torc_request_arg(request, "name", &name);
    torc_response_set(request, "Cache-Control", TORC_STR("no-transform"));
    snprintf(page, sizeof(page), "Hello %.*s, the token is 4711. %300s\n",
             (int)(name.len < 100 ? name.len : 100), name.bytes, "");
    return torc_reply_text(request, 200, page);
}

/* What clients send may be compressed, too: it is decoded as it is read. */
static torc_render count_lines(torc_request *request) {
    unsigned long lines = 0;
    char answer[40];
    torc_str chunk;
    torc_err err;

    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0)
        for (size_t i = 0; i < chunk.len; i++) lines += chunk.bytes[i] == '\n';
    if (err) return torc_reply_error(request, err); /* 400: it is not in that coding */
    snprintf(answer, sizeof(answer), "%lu lines\n", lines);
    return torc_reply_text(request, 200, answer);
}

static const torc_compress_options options = {
    .size = sizeof(options),
    .gzip_level = 6,
};

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("compression");

    torc_app_use(app, torc_compress_new(&options));
    torc_app_use(app, torc_decompress_new(NULL));
    torc_app_route(app, "GET /list", list);
    torc_app_route(app, "GET /progress", progress);
    torc_app_route(app, "GET /account", account);
    torc_app_route(app, "POST /lines", count_lines);
    return torc_app_run(app, argc, argv);
}
