/* Logging: events with fields, from a shop whose namespaces can be made to say more. */
#include <torc/torc.h>

static torc_log *log_of(torc_request *request) {
    return torc_reactor_log(torc_request_reactor(request));
}

/* What varies is in fields; the text stays the same, so that it can be searched for. */
static torc_render buy(torc_request *request) {
    const torc_str item = torc_request_param(request, "item");

    TORC_LOG_DEBUG(log_of(request), "shop.stock", "looked for", TORC_LOG_STR("item", item));
    if (torc_str_equals(item, TORC_STR("unicorn"))) {
        torc_failure *failure =
            torc_failure_new(NULL, TORC_ERR_NOT_FOUND, "no %.*s in stock", TORC_STR_ARGS(item));
        TORC_LOG_WARN(log_of(request), "shop.stock", "nothing was sold",
                      TORC_LOG_FAILURE("failure", failure));
        torc_failure_free(failure);
        return torc_reply_text(request, 404, "sold out\n");
    }
    TORC_LOG_INFO(log_of(request), "shop", "something was sold", TORC_LOG_STR("item", item),
                  TORC_LOG_DURATION("took", (int64_t)torc_request_duration_us(request)));
    return torc_reply_text(request, 200, "sold\n");
}

/* Nobody reads what is in these, whoever reads the log. */
static torc_render login(torc_request *request) {
    TORC_LOG_INFO(log_of(request), "shop.login", "somebody came",
                  TORC_LOG_STR("cookie", torc_request_field(request, "Cookie")),
                  TORC_LOG_STR("from", torc_request_field(request, "Referer")));
    return torc_reply_text(request, 200, "welcome\n");
}

/* Any thread may change the levels, while others log: here the reactor's does. */
static torc_render set_levels(torc_request *request) {
    if (torc_log_replace_levels(log_of(request), torc_request_query(request)))
        return torc_reply_text(request, 400, "write ?warn or ?info,shop=debug\n");
    return torc_reply_text(request, 200, "done\n");
}

/* A sink of one's own: it counts what went wrong. */
static torc_err count_errors(void *context, const torc_log_record *record) {
    uint64_t *count = context;

    (void)record;
    ++*count;
    return TORC_OK;
}

static uint64_t error_count;

static void start(torc_app *app) {
    const torc_log_sink_options options = {
        .size = sizeof(options), .name = "counter", .levels = "off,shop=warn"};

    if (torc_log_add_sink(torc_reactor_log(torc_app_reactor(app)), count_errors, NULL, &error_count,
                          &options, NULL))
        torc_app_refuse(app, "no memory for a counter");
}

static torc_render show_errors(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);

    torc_json_open_object(json);
    torc_json_member_uint(json, "errors", error_count);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("shop");
    torc_app_route(app, "POST /buy/{item}", buy);
    torc_app_route(app, "GET /login", login);
    torc_app_route(app, "GET /errors", show_errors);
    torc_app_route(app, "PUT /levels", set_levels);
    torc_app_on_start(app, start);
    return torc_app_run(app, argc, argv);
}
