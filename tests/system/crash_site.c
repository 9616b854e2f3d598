/* SPDX-License-Identifier: MIT */
/*
 * A program that crashes on demand: /read reads what is not there, /deep fills the stack of its
 * fiber, /abort aborts. /login logs what it should not.
 */
#include <stdlib.h>
#include <torc/torc.h>

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello\n");
}

static torc_render crash_by_reading(torc_request *request) {
    const volatile char *nowhere =
        (const volatile char *)(uintptr_t)torc_request_query(request).len;

    return torc_reply_text(request, *nowhere ? 200 : 201, "still here\n");
}

__attribute__((noinline)) static int dig(int depth, volatile char *above) {
    volatile char room[1024];

    room[0] = above ? above[0] : 1;
    room[1023] = (char)depth;
    return depth < 1000000 ? dig(depth + 1, room) + room[0] + room[1023] : 0;
}

static torc_render crash_by_digging(torc_request *request) {
    return torc_reply_text(request, dig(0, NULL) ? 200 : 201, "still here\n");
}

static torc_render crash_by_aborting(torc_request *request) {
    (void)request;
    abort();
}

static torc_render login(torc_request *request) {
    torc_log *log = torc_reactor_log(torc_request_reactor(request));

    TORC_LOG_INFO(log, "login", "somebody came", TORC_LOG_TEXT("password", "hunter2"),
                  TORC_LOG_STR("Cookie", torc_request_field(request, "cookie")),
                  TORC_LOG_TEXT("database", "postgres://shop:hunter2@db/shop"),
                  TORC_LOG_DURATION("took", 1500));
    TORC_LOG_DEBUG(log, "login", "a detail");
    return torc_reply_text(request, 200, "welcome\n");
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("crash_site");

    torc_app_route(app, "GET /", hello);
    torc_app_route(app, "GET /read", crash_by_reading);
    torc_app_route(app, "GET /deep", crash_by_digging);
    torc_app_route(app, "GET /abort", crash_by_aborting);
    torc_app_route(app, "GET /login", login);
    return torc_app_run(app, argc, argv);
}
