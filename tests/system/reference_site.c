/* SPDX-License-Identifier: MIT */
/*
 * The reference site: every feature of the web framework at a fixed path, by the public API alone.
 *
 *   reference_site --base-port P --root DIR
 *
 * listens on 127.0.0.1: P plain; P+1 with deadlines of a second; P+2 with error details shown; P+3
 * by TLS, with a certificate made at the start; P+4 behind a PROXY header, of versions 1 and 2; P+7
 * another tree, where any path answers OK. Prints `ready` when all ports listen, ends on SIGTERM.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <torc/torc.h>
#include <unistd.h>

#include "../../examples/site/crc32.h"
#include "reference_form.h"

static torc_render finish_later(torc_request *request) {
    torc_request_finish(request);
    return TORC_RENDER_NOT_DONE_YET;
}

/* ---- what is asked, shown ---- */

/* "content-type" → "Content-Type", and the few names that are written otherwise. */
static void write_name(torc_request *request, torc_str name) {
    static const char *special[] = {
        "ETag", "TE", "DNT", "WWW-Authenticate", "Content-MD5", "X-XSS-Protection", "P3P"};
    char text[256];
    bool upper = true;

    for (size_t i = 0; i < TORC_COUNT_OF(special); i++)
        if (torc_str_equals_nocase(name, torc_str_of(special[i]))) {
            torc_request_write(request, torc_str_of(special[i]));
            return;
        }
    const torc_str cut = torc_str_head(name, sizeof(text));
    for (size_t i = 0; i < cut.len; i++) {
        const char c = cut.bytes[i];
        const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        text[i] = !letter ? c : (char)(upper ? c & ~0x20 : c | 0x20);
        upper = c == '-';
    }
    torc_request_write(request, torc_str_make(text, cut.len));
}

static bool is_first_of_name(const torc_fields *fields, uint32_t place) {
    for (uint32_t i = 0; i < place; i++)
        if (torc_str_equals_nocase(fields->items[i].name, fields->items[place].name)) return false;
    return true;
}

/* Each name where it first came, its values in the order of arrival. */
static void write_fields(torc_request *request) {
    const torc_fields *fields = torc_request_fields(request);

    for (uint32_t i = 0; i < fields->count; i++) {
        if (!is_first_of_name(fields, i)) continue;
        for (uint32_t j = i; j < fields->count; j++) {
            if (!torc_str_equals_nocase(fields->items[i].name, fields->items[j].name)) continue;
            write_name(request, fields->items[j].name);
            torc_request_write(request, TORC_STR(": "));
            torc_request_write(request, fields->items[j].value);
            torc_request_write(request, TORC_STR("\n"));
        }
    }
}

static void write_line(torc_request *request, const char *name, torc_str value) {
    torc_request_write(request, torc_str_of(name));
    torc_request_write(request, value);
    torc_request_write(request, TORC_STR("\n"));
}

static torc_render echo(torc_request *request) {
    char count[40];
    torc_str body;

    const torc_err err = torc_body_read_all(request, 64u * 1024 * 1024, &body);
    if (err) return torc_reply_error(request, err);
    const int version = torc_request_version(request);
    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    write_line(request, "method=", torc_request_method_text(request));
    write_line(request, "uri=", torc_request_target(request));
    write_line(request, "path=", torc_request_path(request));
    write_line(request, "version=", version == 10 ? TORC_STR("HTTP/1.0") : TORC_STR("HTTP/1.1"));
    write_fields(request);
    snprintf(count, sizeof(count), "body=%zu:", body.len);
    torc_request_write(request, torc_str_of(count));
    torc_request_write(request, body);
    return torc_reply_end(request);
}

static torc_render say_a(torc_request *request) {
    return torc_reply_bytes(request, 200, "text/html", TORC_STR("A"));
}

static torc_render say_default(torc_request *request) {
    return torc_reply_bytes(request, 200, "text/html", TORC_STR("DEF"));
}

static torc_render multi(torc_request *request) {
    const torc_str method = torc_request_method_text(request);

    if (torc_request_method(request) == TORC_METHOD_GET ||
        torc_request_method(request) == TORC_METHOD_HEAD)
        return torc_reply_bytes(request, 200, "text/html", TORC_STR("g"));
    if (torc_request_method(request) == TORC_METHOD_PUT)
        return torc_reply_bytes(request, 200, "text/html", TORC_STR("p"));
    if (torc_str_equals(method, TORC_STR("HEH")))
        return torc_reply_bytes(request, 200, "text/html", TORC_STR("ho ho"));
    torc_response_set(request, "Allow", TORC_STR("GET, HEAD, PUT, HEH"));
    return TORC_RENDER_DECLINED;
}

static torc_render some_data(torc_request *request) {
    return torc_reply_bytes(request, 200, "text/html", TORC_STR("some data"));
}

static torc_render write_some_data(torc_request *request) {
    torc_request_write(request, TORC_STR("some data"));
    return finish_later(request);
}

static torc_render stream(torc_request *request) {
    torc_request_write(request, TORC_STR("Hello"));
    torc_request_write(request, TORC_STR(""));
    torc_request_write(request, TORC_STR("World!"));
    return finish_later(request);
}

/* ---- later ---- */

static bool read_ms(torc_request *request, uint64_t *ms) {
    torc_str text;
    *ms = 0;
    return !torc_request_arg(request, "ms", &text) || !torc_str_parse_uint(text, 60000, ms);
}

static void write_late(torc_request *request) {
    torc_response_set(request, "Content-Type", TORC_STR("text/html"));
    torc_request_write(request, TORC_STR("late"));
    torc_request_write(request, torc_request_target(request));
    torc_request_finish(request);
}

typedef struct delayed {
    torc_timer timer;
    torc_ticket ticket;
} delayed;

static void expired(torc_timer *timer) {
    delayed *self = torc_container_of(timer, delayed, timer);
    torc_request *request = torc_ticket_request(&self->ticket);

    if (request) write_late(request);
    torc_ticket_return(&self->ticket);
    free(self);
}

static torc_render delay(torc_request *request) {
    delayed *self = calloc(1, sizeof(*self));
    uint64_t ms;

    if (!self || !read_ms(request, &ms) || torc_ticket_take(request, &self->ticket)) {
        free(self);
        return torc_reply_status(request, 400, NULL);
    }
    torc_timer_init(&self->timer, torc_request_reactor(request), expired);
    torc_timer_arm(&self->timer, ms);
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_render await(torc_request *request) {
    uint64_t ms;

    if (!read_ms(request, &ms)) return torc_reply_status(request, 400, NULL);
    const torc_err err = torc_sleep(torc_request_reactor(request), ms);
    if (err) return torc_reply_error(request, err);
    write_late(request);
    return TORC_RENDER_DONE;
}

static torc_err compute(void *data) {
    unsigned *sum = data;

    for (unsigned i = 1; i <= 100; i++) *sum += i * i;
    return TORC_OK;
}

static torc_render thread(torc_request *request) {
    unsigned sum = 0;
    char text[32];

    const torc_err err = torc_await_thread(torc_request_reactor(request), TORC_THREAD_USER, compute,
                                           &sum, sizeof(sum), NULL);
    if (err) return torc_reply_error(request, err);
    snprintf(text, sizeof(text), "%u", sum);
    return torc_reply_bytes(request, 200, "text/plain", torc_str_of(text));
}

/* ---- heads ---- */

static torc_render code(torc_request *request) {
    torc_str status = TORC_STR_INIT("200"), reason = {0}, body = {0};
    uint64_t number;
    char *phrase;

    torc_request_arg(request, "c", &status);
    torc_request_arg(request, "m", &reason);
    torc_request_arg(request, "b", &body);
    if (torc_str_parse_uint(status, 999, &number)) return torc_reply_status(request, 400, NULL);
    phrase = torc_arena_cstr(torc_request_arena(request), reason);
    torc_response_set_status(request, (int)number, reason.len ? phrase : NULL);
    torc_response_set_length(request, body.len);
    torc_request_write(request, body);
    return torc_reply_end(request);
}

/* What stays the same since 1970-01-01 00:00:10, under one tag. */
static torc_render cond(torc_request *request) {
    static const torc_validators validators = {.etag = TORC_STR_INIT("\"MatchingTag\""),
                                               .last_modified = 10};
    const torc_condition condition = torc_request_check(request, &validators);

    if (condition == TORC_CONDITION_PROCEED)
        torc_request_write(request, TORC_STR("correct"));
    else
        torc_response_set_status(request, condition == TORC_CONDITION_FAILED ? 412 : 304, NULL);
    return torc_reply_end(request);
}

static torc_render condct(torc_request *request) {
    torc_response_set(request, "Content-Type", TORC_STR("image/jpeg"));
    return cond(request);
}

static torc_render hdr(torc_request *request) {
    const bool refused = !torc_response_accepts(TORC_STR("X-Inject"), TORC_STR("a\nb: c\nd\re"));

    torc_response_add(request, "X-M", TORC_STR("1"));
    torc_response_add(request, "X-M", TORC_STR("2"));
    torc_response_set(request, "ETag", TORC_STR("\"q\""));
    torc_response_set(request, "WWW-Authenticate", TORC_STR("X"));
    return torc_reply_bytes(request, 200, "text/plain",
                            refused ? TORC_STR("refused") : TORC_STR("accepted"));
}

/* Name and value of a cookie that nobody may set are refused; then one with everything. */
static torc_render cookie(torc_request *request) {
    static const torc_cookie plain = {.name = TORC_STR_INIT("a"), .value = TORC_STR_INIT("1")};
    static const torc_cookie bad = {.name = TORC_STR_INIT("k"), .value = TORC_STR_INIT("v; x\ny")};
    static const torc_cookie full = {
        .name = TORC_STR_INIT("k"),
        .value = TORC_STR_INIT("v"),
        .domain = TORC_STR_INIT("a.example"),
        .path = TORC_STR_INIT("/"),
        .expires = 253402300799,
        .max_age = 60,
        .same_site = TORC_SAME_SITE_LAX,
        .has_expires = true,
        .has_max_age = true,
        .is_secure = true,
        .is_http_only = true,
    };
    const bool refused = torc_cookie_check(&bad) == TORC_ERR_INVALID;

    torc_response_add_cookie(request, &plain);
    torc_response_add_cookie(request, &full);
    return torc_reply_bytes(request, 200, "text/plain",
                            refused ? TORC_STR("refused") : TORC_STR("accepted"));
}

static torc_render auth(torc_request *request) {
    torc_str user = {0}, password = {0};

    (void)torc_request_basic_credentials(request, &user, &password);
    torc_response_set(request, "Content-Type", TORC_STR("text/html"));
    torc_request_write(request, user);
    torc_request_write(request, TORC_STR(":"));
    torc_request_write(request, password);
    return torc_reply_end(request);
}

static torc_render fail(torc_request *request) {
    return torc_reply_failure(request, "secret oops");
}

static torc_render no_reply(torc_request *request) {
    (void)request;
    return TORC_RENDER_DONE;
}

static torc_render redirect(torc_request *request) {
    return torc_reply_redirect(request, 302, "/hello?a=1&b=\"x\"<");
}

static torc_render lose(torc_request *request) {
    torc_request_abort(request);
    return TORC_RENDER_NOT_DONE_YET;
}

static void write_segments(torc_request *request, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        if (i > from) torc_request_write(request, TORC_STR("/"));
        torc_request_write(request, torc_request_segment(request, i));
    }
}

/* Host name, URL of the resource, the path that led to it, and what is left of the path. Who named
 * no host (in 1.0) asked the address. */
static torc_render host(torc_request *request) {
    const size_t depth = torc_request_depth(request);
    const torc_addr addr = torc_request_host(request);
    torc_str hostname = torc_request_hostname(request);
    char bytes[2048], text[TORC_ADDR_TEXT_MAX];
    torc_buf url;

    if (hostname.len == 0) {
        hostname = torc_addr_text(&addr, text);
        hostname = torc_str_head(hostname, (size_t)torc_str_find_byte(hostname, ':'));
    }
    torc_buf_init_fixed(&url, bytes, sizeof(bytes));
    torc_request_add_url(request, depth, &url);
    torc_response_set(request, "Content-Type", TORC_STR("text/html"));
    torc_request_write(request, hostname);
    torc_request_write(request, TORC_STR("|"));
    torc_request_write(request, torc_buf_str(&url));
    torc_request_write(request, TORC_STR("|"));
    write_segments(request, 0, depth);
    torc_request_write(request, TORC_STR("|"));
    write_segments(request, depth, torc_request_segment_count(request));
    return torc_reply_end(request);
}

/* A place with children, and no method of its own. */
static torc_render decline(torc_request *request) {
    torc_response_set(request, "Allow", TORC_STR("OPTIONS"));
    return TORC_RENDER_DECLINED;
}

/* ---- bodies ---- */

static torc_render big(torc_request *request) {
    static char block[16384];
    torc_str text;
    uint64_t left = 0;

    if (torc_request_arg(request, "n", &text) && torc_str_parse_uint(text, 1ull << 40, &left))
        return torc_reply_status(request, 400, NULL);
    memset(block, 'x', sizeof(block));
    torc_response_set_length(request, left);
    while (left && !torc_request_is_gone(request)) {
        const size_t len = left < sizeof(block) ? (size_t)left : sizeof(block);
        torc_request_write(request, torc_str_make(block, len));
        left -= len;
    }
    return torc_reply_end(request);
}

static torc_render content(torc_request *request) {
    torc_str body;

    const torc_err err = torc_body_read_all(request, 64u * 1024 * 1024, &body);
    if (err) return torc_reply_error(request, err);
    return torc_reply_bytes(request, 200, "application/octet-stream", body);
}

static torc_render upload(torc_request *request) {
    uint64_t bytes = 0;
    uint32_t crc = 0;
    torc_str chunk;
    torc_err err;

    torc_request_limits(request)->body_bytes_max = TORC_UNLIMITED_BYTES;
    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) {
        bytes += chunk.len;
        crc = crc32_add(crc, chunk.bytes, chunk.len);
    }
    if (err) return torc_reply_error(request, err);
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_uint(json, "length", bytes);
    torc_json_member_uint(json, "crc32", crc);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static torc_render json(torc_request *request) {
    torc_json *document = torc_reply_json(request, 200);
    torc_json_open_object(document);
    torc_json_member_str(document, "message", TORC_STR("Hello, World!"));
    torc_json_close_object(document);
    return torc_reply_end(request);
}

static torc_render echo_json(torc_request *request) {
    const torc_json_value *value;

    if (torc_request_json(request, &value)) return TORC_RENDER_DONE;
    torc_json_write_value(torc_reply_json(request, 200), value);
    return torc_reply_end(request);
}

static torc_render show_user(torc_request *request) {
    torc_json *document = torc_reply_json(request, 200);
    torc_json_open_object(document);
    torc_json_member_str(document, "id", torc_request_param(request, "id"));
    torc_json_close_object(document);
    return torc_reply_end(request);
}

static torc_render delete_user(torc_request *request) {
    torc_response_set_status(request, 204, NULL);
    return torc_reply_end(request);
}

/* ---- the trees ---- */

static torc_resource *leaf(torc_render_fn *render) {
    return torc_render_new(render, 0, true);
}

static torc_resource *leaf_of(torc_render_fn *render, torc_method method) {
    return torc_render_new(render, torc_method_bit(method), true);
}

static torc_resource *leaf_of_forms(void) {
    const uint32_t methods = torc_method_bit(TORC_METHOD_GET) | torc_method_bit(TORC_METHOD_POST) |
                             torc_method_bit(TORC_METHOD_PUT);
    return torc_render_new(reference_form, methods, true);
}

static torc_resource *node_of(torc_render_fn *render, torc_method method) {
    return torc_render_new(render, torc_method_bit(method), false);
}

static torc_resource *file_of(const char *root_dir, const char *name) {
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", root_dir, name);
    return torc_static_files_new(path, NULL);
}

/* The folder, listed where it has no index, with the last extension as a coding. */
static torc_resource *folder_of(const char *root_dir, const char *const *index,
                                const char *const *ignored_extensions) {
    const torc_static_files_options options = {
        .size = sizeof(options),
        .index = index,
        .ignored_extensions = ignored_extensions,
        .list = true,
        .extensions_are_codings = true,
    };
    return torc_static_files_new(root_dir, &options);
}

static void put_files(torc_resource *root, const char *root_dir) {
    static const char *const none[] = {NULL}, *const extensions[] = {".ext", NULL};

    torc_resource_put_child(root, "static", folder_of(root_dir, NULL, NULL));
    torc_resource_put_child(root, "ign", folder_of(root_dir, NULL, extensions));
    torc_resource_put_child(root, "list", folder_of(root_dir, none, NULL));
    torc_resource_put_child(root, "one", file_of(root_dir, "foo.txt"));
    torc_resource_put_child(root, "gone", file_of(root_dir, "missing.txt"));
    torc_resource_put_child(root, "hello.txt", file_of(root_dir, ".hello.txt"));
}

/* The same bytes again and again, in gzip for who takes that, however few they are. */
static torc_render repeated_data(torc_request *request) {
    char text[50 * 9 + 1] = "";

    for (int i = 0; i < 50; i++) memcpy(text + 9 * i, "Some data", 9);
    return torc_reply_bytes(request, 200, "text/plain", torc_str_of(text));
}

static void put_compressed(torc_resource *root) {
    static const torc_compress_options options = {
        .size = sizeof(options), .codings = "gzip", .bytes_min = 1};
    torc_resource *resource = leaf(repeated_data);

    torc_resource_use(resource, torc_compress_new(&options));
    torc_resource_put_child(root, "gz", resource);
}

/* Virtual hosts, and a front end of this machine that writes the host into the path. */
static void put_hosts(torc_resource *root) {
    torc_resource *named = torc_folder_new(), *by_default = torc_folder_new();
    torc_cidr here;

    torc_resource_put_host(named, "a.example", leaf(say_a));
    torc_resource_put_host(named, "b.example", leaf(echo));
    torc_resource_put_host(by_default, "*", leaf(say_default));
    torc_resource_put_child(root, "vh", named);
    torc_resource_put_child(root, "vhd", by_default);
    if (!torc_cidr_parse(TORC_STR("127.0.0.1"), &here))
        torc_resource_put_child(root, "vhm", torc_host_in_path_new(&here, 1));
}

static torc_resource *make_tree(const char *root_dir) {
    torc_resource *root = torc_folder_new(), *dir = torc_render_new(decline, 0, false);

    if (!root || !dir) return NULL;
    torc_resource_put_child(dir, "", torc_data_new(TORC_STR("subroot"), "text/html"));
    torc_resource_put_child(dir, "leaf", leaf(echo));
    torc_resource_put_child(root, "dir", dir);
    torc_resource_put_child(root, "", torc_data_new(TORC_STR("root"), "text/plain"));
    torc_resource_put_child(root, "hello", torc_data_new(TORC_STR("hello"), NULL));
    torc_resource_put_child(root, "echo", leaf(echo));
    torc_resource_put_child(root, "form", leaf_of_forms());
    torc_resource_put_child(root, "multi", leaf(multi));
    torc_resource_put_child(root, "hr", leaf_of(some_data, TORC_METHOD_GET));
    torc_resource_put_child(root, "hw", leaf_of(write_some_data, TORC_METHOD_GET));
    torc_resource_put_child(root, "stream", leaf_of(stream, TORC_METHOD_GET));
    torc_resource_put_child(root, "delay", leaf_of(delay, TORC_METHOD_GET));
    torc_resource_put_child(root, "await", leaf_of(await, TORC_METHOD_GET));
    torc_resource_put_child(root, "thread", leaf_of(thread, TORC_METHOD_GET));
    torc_resource_put_child(root, "empty", torc_data_new(torc_str_make(NULL, 0), NULL));
    torc_resource_put_child(root, "code", leaf_of(code, TORC_METHOD_GET));
    torc_resource_put_child(root, "cond", leaf(cond));
    torc_resource_put_child(root, "condct", leaf(condct));
    torc_resource_put_child(root, "err", node_of(fail, TORC_METHOD_GET));
    torc_resource_put_child(root, "notbytes", node_of(no_reply, TORC_METHOD_GET));
    torc_resource_put_child(root, "redir", leaf(redirect));
    torc_resource_put_child(root, "red2", torc_redirect_new(302, "/x"));
    torc_resource_put_child(root, "parent", torc_parent_redirect_new());
    torc_resource_put_child(root, "hdr", node_of(hdr, TORC_METHOD_GET));
    torc_resource_put_child(root, "cookie", node_of(cookie, TORC_METHOD_GET));
    torc_resource_put_child(root, "lose", leaf(lose));
    torc_resource_put_child(root, "big", leaf_of(big, TORC_METHOD_GET));
    torc_resource_put_child(root, "data", torc_data_new(TORC_STR("data!"), "text/html"));
    torc_resource_put_child(root, "nf", torc_error_page_new(404, "<b>", "<i>"));
    torc_resource_put_child(root, "fb", torc_error_page_new(403, "<b>", "<i>"));
    torc_resource_put_child(root, "ep", torc_error_page_new(418, "<b>", "<i>"));
    put_files(root, root_dir);
    torc_resource_put_child(root, "host", leaf_of(host, TORC_METHOD_GET));
    put_compressed(root);
    put_hosts(root);
    torc_resource_put_child(root, "auth", leaf_of(auth, TORC_METHOD_GET));
    torc_resource_put_child(root, "content", leaf_of(content, TORC_METHOD_POST));
    torc_resource_route(root, "PUT /upload", upload);
    torc_resource_route(root, "POST /upload", upload);
    torc_resource_route(root, "GET /json", json);
    torc_resource_route(root, "POST /json", echo_json);
    torc_resource_route(root, "GET /users/{id}", show_user);
    torc_resource_route(root, "DELETE /users/{id}", delete_user);
    return root;
}

static torc_render answer_ok(torc_request *request) {
    torc_str body;

    if (torc_request_method(request) != TORC_METHOD_POST)
        return torc_reply_bytes(request, 200, "text/plain", TORC_STR("OK"));
    const torc_err err = torc_body_read_all(request, 64u * 1024 * 1024, &body);
    if (err) return torc_reply_error(request, err);
    return torc_reply_bytes(request, 200, "text/plain", body);
}

static torc_render list_cookies(torc_request *request) {
    torc_cookie_place place = {0};
    torc_str name, value;

    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    while (torc_request_cookie_next(request, &place, &name, &value)) {
        torc_request_write(request, name);
        torc_request_write(request, TORC_STR("="));
        torc_request_write(request, value);
        torc_request_write(request, TORC_STR("\n"));
    }
    return torc_reply_end(request);
}

static torc_render list_fields(torc_request *request) {
    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    write_fields(request);
    return torc_reply_end(request);
}

static torc_resource *make_ok_tree(void) {
    torc_resource *root = torc_folder_new();

    if (!root) return NULL;
    torc_resource_put_rest(root, leaf(answer_ok));
    torc_resource_put_child(root, "echo", leaf(list_fields));
    torc_resource_put_child(root, "cookie", leaf(list_cookies));
    return root;
}

/* ---- the files ---- */

static void make_file(const char *root, const char *name, const char *bytes, size_t len) {
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len) {
        fprintf(stderr, "reference_site: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    close(fd);
}

static void make_folder(const char *root, const char *name) {
    char path[4096];

    snprintf(path, sizeof(path), "%s%s", root, name);
    if (!mkdir(path, 0755) || errno == EEXIST) return;
    fprintf(stderr, "reference_site: %s: %s\n", path, strerror(errno));
    exit(1);
}

static void make_files(const char *root) {
    static char big_file[262144];
    const struct timespec times[2] = {{784111777, 0}, {784111777, 0}};
    char path[4096];
    char foo[64];

    for (size_t i = 0; i < 60; i++) foo[i] = (char)('0' + i % 10);
    memcpy(foo + 60, "abcd", 4);
    make_folder(root, "");
    make_folder(root, "/sub");
    for (size_t i = 0; i < sizeof(big_file); i++) big_file[i] = (char)(i * 7 + i / 251);
    make_file(root, "foo.txt", foo, 64);
    make_file(root, "index.html", "<p>idx</p>", 10);
    make_file(root, "sub/page.html", "<p>page</p>", 11);
    make_file(root, "data.tar.gz", "GZ", 2);
    make_file(root, "noext", "NOEXT", 5);
    make_file(root, "sp ace.txt", "sp ace", 6);
    make_file(root, "\xe1\xbf\x86.txt", "\xe1\xbf\x86", 3);
    make_file(root, "big.bin", big_file, sizeof(big_file));
    make_file(root, "empty.txt", "", 0);
    make_file(root, "foo.ext", "EXT", 3);
    make_file(root, ".hello.txt", "hello world\n",
              12); /* not of /static: it has a place of its own */
    snprintf(path, sizeof(path), "%s/foo.txt", root);
    if (utimensat(AT_FDCWD, path, times, 0)) exit(1);
}

/* ---- the program ---- */

enum {
    PORTS = 6
};

typedef struct reference_site {
    torc_reactor *reactor;
    torc_site *plain, *open, *ok;
    torc_tls_context *tls;
    torc_listener *listeners[PORTS];
} reference_site;

/* ---- TLS ---- */

/* What should not be goes no further. */
static void must(torc_err err, const char *what) {
    if (!err) return;
    fprintf(stderr, "reference_site: %s: %s\n", what, torc_err_text(err));
    exit(1);
}

/* PEM of a certificate for this machine that signs itself, and of its key. */
static void make_certificate(torc_buf *cert, torc_buf *key_pem) {
    static const char *const names[] = {"localhost", "127.0.0.1", NULL};
    const torc_certificate_options options = {.size = sizeof(options), .names = names};
    torc_private_key *key;
    torc_certificate *certificate;

    must(torc_private_key_new(TORC_KEY_EC_P256, &key), "key");
    must(torc_certificate_new(key, &options, &certificate, NULL), "certificate");
    torc_certificate_write_pem(certificate, cert);
    torc_private_key_write_pem(key, key_pem);
    must(torc_buf_err(cert), "certificate");
    must(torc_buf_err(key_pem), "key");
    torc_certificate_free(certificate);
    torc_private_key_free(key);
}

static torc_tls_context *new_tls(void) {
    torc_buf cert, key;
    torc_tls_config *config;
    torc_tls_error error;

    torc_buf_init(&cert, NULL, TORC_MEMORY_TLS, 65536);
    torc_buf_init(&key, NULL, TORC_MEMORY_TLS, 65536);
    make_certificate(&cert, &key);
    const torc_tls_certificate mine = {.cert = torc_buf_str(&cert), .key = torc_buf_str(&key)};
    const torc_tls_server_options options = {.size = sizeof(options),
                                             .certificates = &mine,
                                             .certificate_count = 1,
                                             .protocols = "http/1.1"};
    must(torc_tls_server_new(&options, &error, &config), "TLS");
    torc_tls_context *context = torc_tls_context_new(config);
    must(context ? TORC_OK : TORC_ERR_NO_MEMORY, "TLS");
    torc_tls_config_unref(config);
    torc_buf_dispose(&cert);
    torc_buf_dispose(&key);
    return context;
}

static void filter_by_tls(const reference_site *self, torc_filters *filters) {
    torc_filter_factory *factory;

    must(torc_tls_server_filter(self->tls, &factory), "TLS");
    must(torc_filters_add(filters, factory), "TLS");
}

/* What stands before P+4 is at 127.0.0.1. */
static void filter_by_proxy_header(const reference_site *self, torc_filters *filters) {
    torc_cidr trusted;
    const torc_proxy_header_options options = {
        .size = sizeof(options), .trusted = &trusted, .trusted_count = 1};
    torc_filter_factory *factory;

    must(torc_cidr_parse(TORC_STR("127.0.0.1"), &trusted), "PROXY");
    must(torc_proxy_header_filter_new(self->reactor, &options, &factory), "PROXY");
    must(torc_filters_add(filters, factory), "PROXY");
}

/* ---- listening ---- */

static torc_listener *listen_on(reference_site *self, long port, torc_site *site,
                                const torc_limits *limits, const torc_filters *filters) {
    char endpoint[64];
    torc_endpoint_error error = {0};
    torc_listener *listener;
    const torc_http_options options = {
        .size = sizeof(options), .limits = limits, .filters = filters};

    snprintf(endpoint, sizeof(endpoint), "tcp:%ld:interface=127.0.0.1", port);
    const torc_err err = torc_listen_http(self->reactor, endpoint, torc_site_acceptor(site),
                                          &options, &error, &listener);
    if (!err) return listener;
    fprintf(stderr, "reference_site: %s: %s\n", endpoint,
            error.text[0] ? error.text : torc_err_text(err));
    exit(1);
}

static torc_site *new_site(torc_resource *tree, bool show_errors) {
    const torc_site_options options = {.size = sizeof(options), .show_errors = show_errors};
    torc_site *site = torc_site_new(tree, &options);

    if (site) return site;
    fprintf(stderr, "reference_site: out of memory\n");
    exit(1);
}

static void serve(reference_site *self, long port, const char *root) {
    torc_limits limits = {.size = sizeof(limits), .body_bytes_max = TORC_UNLIMITED_BYTES};
    torc_limits hasty = limits;

    hasty.keep_alive_ms = hasty.header_ms = hasty.body_stall_ms = 1000;
    torc_filters tls = {0}, proxied = {0};

    self->tls = new_tls();
    filter_by_tls(self, &tls);
    filter_by_proxy_header(self, &proxied);
    self->plain = new_site(make_tree(root), false);
    self->open = new_site(make_tree(root), true);
    self->ok = new_site(make_ok_tree(), false);
    self->listeners[0] = listen_on(self, port, self->plain, &limits, NULL);
    self->listeners[1] = listen_on(self, port + 1, self->plain, &hasty, NULL);
    self->listeners[2] = listen_on(self, port + 2, self->open, &limits, NULL);
    self->listeners[3] = listen_on(self, port + 7, self->ok, &limits, NULL);
    self->listeners[4] = listen_on(self, port + 3, self->plain, &limits, &tls);
    self->listeners[5] = listen_on(self, port + 4, self->plain, &limits, &proxied);
    torc_filters_dispose(&tls);
    torc_filters_dispose(&proxied);
}

static void terminate(void *context, int number) {
    (void)number;
    torc_reactor_stop(context);
}

int main(int argc, char **argv) {
    reference_site self = {0};
    const char *root = NULL;
    torc_signal *signal;
    long port = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--base-port")) port = strtol(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--root")) root = argv[i + 1];
    }
    if (port < 1 || port > 65528 || !root) {
        fprintf(stderr, "usage: reference_site --base-port P --root DIR\n");
        return 2;
    }
    make_files(root);
    if (torc_reactor_new(NULL, &self.reactor)) return 1;
    if (torc_signal_new(self.reactor, SIGTERM, terminate, self.reactor, &signal)) return 1;
    serve(&self, port, root);
    printf("ready\n");
    fflush(stdout);
    const torc_err err = torc_reactor_run(self.reactor);
    for (size_t i = 0; i < PORTS; i++) torc_listener_close(self.listeners[i]);
    torc_signal_free(signal);
    torc_reactor_free(self.reactor);
    torc_site_free(self.plain);
    torc_site_free(self.open);
    torc_site_free(self.ok);
    torc_tls_context_unref(self.tls);
    return err ? 1 : 0;
}
