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

static const torc_compress_options options = {
    .size = sizeof(options),
    .gzip_level = 6,
};

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("compression");

    torc_app_use(app, torc_compress_new(&options));
    torc_app_route(app, "GET /list", list);
    torc_app_route(app, "GET /progress", progress);
    torc_app_route(app, "GET /account", account);
    return torc_app_run(app, argc, argv);
}
