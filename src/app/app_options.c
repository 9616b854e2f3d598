/* SPDX-License-Identifier: MIT */
/*
 * The options that every program has, in tables by group: what each does to the settings.
 *
 *  - Applying an option only changes settings: nothing is opened yet.
 *  - A group is a screen: at most 22 lines of help. What more there is to say stands behind a
 *    newline in the help's text, for the manual.
 */
#include <stdio.h>
#include <string.h>
#include <torc/endpoint.h>
#include <torc/version.h>

#include "app/app.h"
#include "app/cpus.h"
#include "app/routes.h"
#include "web/site.h"
#include "web/tree.h"

enum {
    ROUTES_BYTES_MAX = 16 * 1024 * 1024
};

static const char *apply_listen(torc_app *app, const char *value, char text[160]) {
    torc_endpoint_error error;
    torc_endpoint endpoint;

    if (app->settings.endpoint_count == TORC_SOCKETS_ENDPOINTS_MAX) return "at most 16 endpoints";
    if (torc_endpoint_parse(torc_str_of(value), &endpoint, &error)) {
        snprintf(text, 160, "%.159s", error.text);
        return text;
    }
    app->settings.endpoints[app->settings.endpoint_count++] = value;
    return NULL;
}

static const char *apply_workers(torc_app *app, const char *value, char text[160]) {
    uint64_t count;

    if (strcmp(value, "auto") == 0) {
        app->settings.workers = TORC_APP_WORKERS_AUTO;
        return NULL;
    }
    if (torc_str_parse_uint(torc_str_of(value), TORC_CPUS_MAX, &count)) {
        snprintf(text, 160, "the number is from 1 to %d, `auto`, or 0 for no process but this",
                 TORC_CPUS_MAX);
        return text;
    }
    app->settings.workers = (int)count;
    return NULL;
}

static const char *apply_limit(torc_app *app, const char *value, char text[160]) {
    return torc_limit_option_apply(&app->settings.limits, value, text);
}

/* With one of so many bytes, too, the fields do not get too large. */
static bool is_room_for(const torc_app_settings *settings, size_t bytes) {
    for (size_t i = 0; i < settings->field_count; i++)
        bytes += settings->fields[i].name.len + settings->fields[i].value.len;
    return bytes <= TORC_SITE_FIELD_BYTES_MAX;
}

static const char *apply_add_header(torc_app *app, const char *value, char text[160]) {
    const torc_str all = torc_str_of(value);
    const ptrdiff_t colon = torc_str_find_byte(all, ':');
    torc_app_settings *settings = &app->settings;

    if (settings->field_count == TORC_APP_FIELDS_MAX) return "at most 32 fields";
    if (colon < 0) return "write 'Name: value', for example 'X-Frame-Options: DENY'";

    const torc_str name = torc_str_head(all, (size_t)colon);
    const torc_str content = torc_str_trim(torc_str_from(all, (size_t)colon + 1));
    if (!torc_field_name_is_valid(name))
        return "a field's name is letters, digits and hyphens, right before the colon";
    if (!torc_field_value_is_valid(content)) return "a field's value has no control characters";
    if (!torc_site_may_add(name)) {
        snprintf(text, 160, "the server says %.*s itself; use another name",
                 (int)(name.len < 60 ? name.len : 60), name.bytes);
        return text;
    }
    if (!is_room_for(settings, name.len + content.len))
        return "all fields together have at most 32768 bytes";
    settings->fields[settings->field_count++] = (torc_field){name, content, TORC_FIELD_OTHER};
    return NULL;
}

static const char *apply_trusted_proxy(torc_app *app, const char *value, char text[160]) {
    torc_app_settings *settings = &app->settings;

    if (settings->proxy_count == TORC_APP_PROXIES_MAX) return "at most 64 ranges";
    switch (torc_cidr_parse(torc_str_of(value), &settings->proxies[settings->proxy_count])) {
    case TORC_OK:
        settings->proxy_count++;
        return NULL;
    case TORC_ERR_INVALID:
        snprintf(text, 160, "bits are set beyond the length: write the range's first address");
        return text;
    default:
        return "write an address or a range: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32, or unix:";
    }
}

static const char *apply_proxy_field(torc_app *app, const char *value, char text[160]) {
    (void)text;
    app->settings.proxy_field = strcmp(value, "forwarded") == 0 ? TORC_PROXY_FIELD_FORWARDED
                                                                : TORC_PROXY_FIELD_X_FORWARDED_FOR;
    return NULL;
}

static const char *apply_proxy_tells(torc_app *app, const char *value, char text[160]) {
    static const struct {
        torc_str name;
        unsigned claim;
    } claims[] = {
        {TORC_STR_INIT("scheme"), TORC_PROXY_SCHEME},
        {TORC_STR_INIT("host"), TORC_PROXY_HOST},
        {TORC_STR_INIT("port"), TORC_PROXY_PORT},
        {TORC_STR_INIT("prefix"), TORC_PROXY_PREFIX},
        {TORC_STR_INIT("nothing"), 0},
    };
    torc_str rest = torc_str_of(value), name;

    (void)text;
    app->settings.has_proxy_claims = true;
    while (torc_str_split(&rest, ',', &name)) {
        size_t i = 0;
        while (i < TORC_COUNT_OF(claims) && !torc_str_equals(name, claims[i].name)) i++;
        if (i == TORC_COUNT_OF(claims))
            return "write a list of scheme, host, port and prefix, as scheme,host; or nothing";
        app->settings.proxy_claims |= claims[i].claim;
    }
    return NULL;
}

static const char *apply_stall_ms(torc_app *app, const char *value, char text[160]) {
    uint64_t ms;

    (void)text;
    if (torc_str_parse_uint(torc_str_of(value), 3600000, &ms))
        return "the number is of milliseconds, at most 3600000; 0: do not look";
    app->settings.stall_ms = (int64_t)ms;
    return NULL;
}

static const char *apply_show_errors(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->settings.show_errors = true;
    return NULL;
}

static torc_option_set option_set(const torc_app *app);

static const char *unknown_topic(const torc_app *app, const torc_option_set *set, char text[160]) {
    char bytes[120];
    torc_buf topics;

    torc_buf_init_fixed(&topics, bytes, sizeof(bytes));
    torc_options_write_topics(set, &topics);
    snprintf(text, 160, "topics are %.*s%s", TORC_STR_ARGS(torc_buf_str(&topics)),
             app->task ? "" : ", limits");
    return text;
}

static const char *apply_help(torc_app *app, const char *value, char text[160]) {
    const torc_option_set set = option_set(app);

    app->settings.wants_help = true;
    app->settings.help_topic = value;
    if (!value || (!app->task && strcmp(value, "limits") == 0) || strcmp(value, "json") == 0 ||
        torc_options_has_topic(&set, torc_str_of(value)))
        return NULL;
    return unknown_topic(app, &set, text);
}

static const char *apply_version(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->settings.wants_version = true;
    return NULL;
}

static const torc_option serving_options[] = {
    {"listen", "ENDPOINT...", "where to listen: 8080, 127.0.0.1:80, unix:/run/x.sock",
     apply_listen},
    {"workers", "auto|N",
     "processes that serve (auto: one per processor)\n"
     "With 0 the process that was started serves itself: for debuggers.",
     apply_workers},
    {"add-header", "NAME:VALUE...",
     "add a field to every response\n"
     "As in `'X-Frame-Options: DENY'`; error pages have it, too. What frames or describes a "
     "message "
     "(Content-Length, Content-Type, Date, ETag and their like) is the server's to say.",
     apply_add_header},
    {"limit", "LIMIT=VALUE...", "set a limit; --help=limits lists them", apply_limit},
    {"trusted-proxy", "RANGE...",
     "believe it whom it asks for: 10.0.0.0/8, unix:\n"
     "An address, a range, or `unix:` for peers of UNIX sockets. The client of a request is then "
     "whom the last proxy names, and so on as long as those are trusted, too. Nobody is believed "
     "otherwise.",
     apply_trusted_proxy},
    {"proxy-field", "x-forwarded-for|forwarded",
     "the field that it tells by (x-forwarded-for)\n"
     "The other one is not read: a proxy hands it on as anybody wrote it.",
     apply_proxy_field},
    {"proxy-tells", "WHAT,...",
     "what else it is believed: scheme, host, port, prefix\n"
     "By X-Forwarded-Proto, -Host, -Port and -Prefix (the scheme, unless this is given), or "
     "`proto` "
     "and `host` of Forwarded (both). Name only what every proxy sets or removes: else anybody may "
     "write it. `nothing`: whom it asks for, and no more.",
     apply_proxy_tells},
    {"show-errors", NULL,
     "tell details on error pages; for development\n"
     "What went wrong inside is the business of who runs the server: it is in the log always.",
     apply_show_errors},
    {"stall-ms", "N",
     "log what holds up a process longer (100 at a terminal)\n"
     "The route, timer or call is named, with the time in ms that others had to wait. 0: do not "
     "look, as "
     "when the standard error is no terminal.",
     apply_stall_ms},
};

static const char *apply_routes(torc_app *app, const char *value, char text[160]) {
    (void)text;
    app->settings.wants_routes = true;
    app->settings.routes_form = value;
    return NULL;
}

static const torc_option general_options[] = {
    {"routes", "[text|json|openapi]",
     "show what is answered, and end\n"
     "What the program has added before it runs: not what it adds where a worker process starts, "
     "nor "
     "what resources make up as they are asked.",
     apply_routes},
    {"help", "[TOPIC]", "show this, or one topic: a group's name, or limits", apply_help},
    {"version", NULL, "show the version, and what it was built with", apply_version},
};

/* Of what does something and ends. */
static const torc_option task_options[] = {
    {"help", "[TOPIC]", "show this, or one topic: a group's name", apply_help},
    {"version", NULL, "show the version, and what it was built with", apply_version},
};

/* The groups of the program's own come first. */
static torc_option_set option_set(const torc_app *app) {
    size_t log_count;
    const torc_option *log_options = torc_log_options(&log_count);
    const torc_option_group common[] = {
        {"Serving", serving_options, TORC_COUNT_OF(serving_options)},
        {"TLS", torc_app_tls_options, TORC_APP_TLS_OPTION_COUNT},
        {"Process", torc_app_process_options, TORC_PROCESS_OPTION_COUNT},
        {"Logs", log_options, log_count},
        {"General", general_options, TORC_COUNT_OF(general_options)},
    };
    torc_option_set set = {0};

    for (size_t g = 0; g < app->own_group_count; g++) {
        const torc_app_group *group = &app->own_groups[g];
        set.groups[set.count++] =
            (torc_option_group){group->title, app->own + group->first, group->count};
    }
    if (app->task) {
        set.groups[set.count++] =
            (torc_option_group){"General", task_options, TORC_COUNT_OF(task_options)};
        return set;
    }
    for (size_t g = 0; g < TORC_COUNT_OF(common); g++) set.groups[set.count++] = common[g];
    return set;
}

static int print(const torc_buf *text, FILE *stream) {
    return fwrite(text->bytes, 1, text->len, stream) != text->len || fflush(stream) ? 1 : 0;
}

static void write_help(const torc_app *app, const torc_option_set *set, torc_buf *text) {
    torc_buf_addf(text, "Usage: %s [OPTION]...\n", app->name);
    if (app->description) torc_buf_addf(text, "%s\n", app->description);
    torc_options_write_help(set, text);
}

/* All that is known of the program's arguments, for other programs: manuals and completions. */
static void write_json(const torc_app *app, const torc_option_set *set, torc_buf *text) {
    torc_json json;

    torc_json_init_buf(&json, text, TORC_JSON_PLAIN);
    torc_json_open_object(&json);
    torc_json_member_text(&json, "name", app->name);
    torc_json_member_text(&json, "version", torc_version());
    torc_json_member_text(&json, "description", app->description);
    torc_options_write_json(set, &json);
    if (app->task) {
        torc_json_member_array(&json, "limits");
        torc_json_close_array(&json);
    } else {
        torc_limit_options_write_json(&json);
    }
    torc_json_close_object(&json);
    if (torc_json_end(&json)) torc_buf_fail(text, torc_json_err(&json));
    torc_buf_add_byte(text, '\n');
}

static void write_topic(const torc_app *app, const torc_option_set *set, const char *topic,
                        torc_buf *text) {
    if (strcmp(topic, "json") == 0) {
        write_json(app, set, text);
    } else if (strcmp(topic, "limits") == 0) {
        torc_buf_addf(text, "Limits, for --limit LIMIT=VALUE, with their defaults.\n"
                            "A value of `none` lifts a limit.\n");
        torc_limit_options_write(text);
    } else {
        torc_buf_addf(text, "Options of %s, of those that --help lists.\n", app->name);
        torc_options_write_group(set, torc_str_of(topic), text);
    }
}

/* Answer --help and its like: whether one was asked for. */
static bool show_texts(const torc_app *app, const torc_option_set *set, int *exit_code) {
    const torc_app_settings *settings = &app->settings;
    torc_buf text;

    if (!settings->wants_help && !settings->wants_version) return false;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 64 * 1024);
    if (settings->wants_help && settings->help_topic)
        write_topic(app, set, settings->help_topic, &text);
    else if (settings->wants_help)
        write_help(app, set, &text);
    else
        torc_buf_addf(&text, "%s (Torc %s)\nbuilt with %s\n", app->name, torc_version(),
                      torc_built_with());
    *exit_code = print(&text, stdout);
    torc_buf_dispose(&text);
    return true;
}

/* Answer --routes: whether it was asked for. */
static bool show_routes(const torc_app *app, int *exit_code) {
    torc_buf text;

    if (!app->settings.wants_routes) return false;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, ROUTES_BYTES_MAX);
    const torc_err err = torc_resource_err(app->root);
    const torc_err written = err ? err : torc_app_write_routes(app, &text);
    if (err)
        torc_app_fail(app, "resources", torc_resource_err_text(app->root));
    else if (written)
        torc_app_fail(app, "--routes", torc_err_text(written));
    *exit_code = written ? 1 : print(&text, stdout);
    torc_buf_dispose(&text);
    return true;
}

/* What each option alone could not see. */
static bool goes_together(const torc_app *app, int *exit_code) {
    const char *wrong =
        torc_app_process_check(&app->settings.process, app->settings.log.target_count > 0);

    if (!wrong) wrong = torc_app_tls_check(&app->settings.tls);
    if (!wrong) return true;
    *exit_code = 2;
    return torc_app_fail(app, wrong, NULL);
}

bool torc_app_read_arguments(torc_app *app, int argc, char **argv, int *exit_code) {
    const torc_option_set set = option_set(app);
    torc_buf mistake;

    torc_buf_init(&mistake, NULL, TORC_MEMORY_OTHER, 4096);
    bool fine = torc_options_read(&set, app, argc, argv, &mistake);
    const char *wrong = fine ? torc_log_options_check(&app->settings.log) : NULL;
    if (wrong) {
        torc_buf_addf(&mistake, "%s", wrong);
        fine = false;
    }
    if (!fine) {
        fprintf(stderr, "%s: %.*s\n", app->name, (int)mistake.len, mistake.bytes);
        *exit_code = 2;
    }
    torc_buf_dispose(&mistake);
    return fine && !show_texts(app, &set, exit_code) && !show_routes(app, exit_code) &&
           goes_together(app, exit_code);
}
