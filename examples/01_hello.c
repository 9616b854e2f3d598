/* SPDX-License-Identifier: MIT */
#include <torc/torc.h>

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "Hello, World!\n");
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("hello");
    torc_app_route(app, "GET /", hello);
    return torc_app_run(app, argc, argv);
}
