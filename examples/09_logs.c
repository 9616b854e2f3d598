/* Logs: lines of one's own, and an observer that is told how every request went. */
#include <torc/torc.h>

/* What this process has seen: a worker counts what it served. */
typedef struct counts {
    torc_observer observer;
    uint64_t by_class[6]; /* 1xx to 5xx, and what was lost, in place 0 */
    uint64_t body_bytes, slowest_us;
} counts;

/* Called when the response has left, or is lost: the numbers are what the client was sent. */
static void request_over(torc_observer *observer, torc_request *request,
                         const torc_outcome *outcome) {
    counts *self = torc_container_of(observer, counts, observer);
    const uint64_t took_us = torc_request_duration_us(request);

    self->by_class[outcome->reason ? 0 : outcome->status / 100]++;
    self->body_bytes += outcome->body_bytes;
    if (took_us > self->slowest_us) self->slowest_us = took_us;
    if (took_us > 1000000)
        TORC_LOG_WARN(torc_reactor_log(torc_request_reactor(request)), "shop", "a slow request",
                      TORC_LOG_STR("target", torc_request_target(request)),
                      TORC_LOG_UINT("took_us", took_us));
}

static const torc_observer_ops observer_ops = {.request_over = request_over};
static counts seen = {.observer = {.ops = &observer_ops}};

static torc_render show_counts(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);

    torc_json_open_object(json);
    torc_json_member_int(json, "found", (int64_t)seen.by_class[2]);
    torc_json_member_int(json, "mistaken", (int64_t)seen.by_class[4]);
    torc_json_member_int(json, "lost", (int64_t)seen.by_class[0]);
    torc_json_member_int(json, "body_bytes", (int64_t)seen.body_bytes);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

/* Who asks: the client, or the proxy in front of it, if that is not trusted. */
static torc_render who(torc_request *request) {
    const torc_addr client = torc_request_client(request);
    char text[TORC_ADDR_TEXT_MAX];

    torc_addr_host_text(&client, text);
    return torc_reply_text(request, 200, text);
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("logs");
    torc_app_route(app, "GET /counts", show_counts);
    torc_app_route(app, "GET /who", who);
    torc_app_add_observer(app, &seen.observer);
    return torc_app_run(app, argc, argv);
}
