/* SPDX-License-Identifier: MIT */
/*
 * A site with all that stands between a request and its route, over a connection in memory: hosts,
 * rewriting, front ends that write into paths, typed parameters with text around them, slashes,
 * groups, middleware (CORS, a rate limit, compression both ways), forms, JSON as values and into a
 * struct, handlers of errors. Whatever is asked is answered or refused, every answer is one, and
 * nothing is left.
 *
 * The first byte of an input chooses whether the scrambler is there (1), an allocation fails (2),
 * the peer resets (4), is slow (8), or ends its side (16); the second one the pieces, or the number
 * of the allocation. The rest are requests.
 */
#include <torc/testing.h>
#include <torc/testing_transport.h>
#include <torc/torc.h>

#include "fuzz.h"
#include "protocol/negotiate.h"

enum {
    SCRAMBLED = 1,
    FAILS = 2,
    RESETS = 4,
    SLOW = 8,
    ENDS = 16,
    INPUT_MAX = 8192
};

/* ---- what answers ---- */

/* Everything that a request can be asked, and the URL that it thinks it has. */
static torc_render show(torc_request *request) {
    char bytes[2000];
    torc_str name, value;
    size_t place = 0, count = 0;
    torc_buf text;

    torc_buf_init_fixed(&text, bytes, sizeof(bytes));
    torc_request_add_url(request, torc_request_depth(request), &text);
    torc_request_add_child_link(request, TORC_STR("a/b c"), &text);
    torc_request_add_sibling_link(request, TORC_STR("d"), &text);
    for (size_t i = 0; i < torc_request_segment_count(request); i++)
        count += torc_request_segment(request, i).len;
    while (torc_request_arg_next(request, &place, &name, &value)) count += name.len + value.len;
    FUZZ_CHECK(torc_request_depth(request) <= torc_request_segment_count(request));
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_array(json);
    torc_json_uint(json, count);
    torc_json_bool(json, torc_request_is_secure(request));
    torc_json_close_array(json);
    return torc_reply_end(request);
}

/* Kinds of parameters are what they say. */
static torc_render numbered(torc_request *request) {
    uint64_t number;

    FUZZ_CHECK(!torc_str_parse_uint(torc_request_param(request, "n"), UINT64_MAX, &number));
    return torc_reply_text(request, 200, "a number");
}

static torc_render form(torc_request *request) {
    const torc_form_entries *entries;
    const torc_err err = torc_request_form(request, &entries);
    uint64_t bytes = 0;
    char text[40];

    if (err) return torc_reply_error(request, err);
    for (size_t i = 0; i < entries->count; i++) bytes += entries->items[i].len;
    snprintf(text, sizeof(text), "%zu %llu", entries->count, (unsigned long long)bytes);
    return torc_reply_text(request, 200, text);
}

static torc_render parts(torc_request *request) {
    const torc_form_part *part;
    torc_form *it;
    torc_str chunk;
    torc_err err = torc_form_open(request, NULL, &it);

    while (!err && !(err = torc_form_next(it, &part)) && part)
        while (!err && !(err = torc_form_read(it, &chunk)) && chunk.len) continue;
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "read");
}

static torc_render document(torc_request *request) {
    torc_json_error error;
    const torc_json_value *value;
    torc_str body;
    torc_err err = torc_body_read_all(request, 1 << 16, &body);

    if (!err) err = torc_json_parse(torc_request_arena(request), body, NULL, &value, &error);
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "a document");
}

typedef struct order {
    torc_str name;
    uint16_t count;
    bool is_gift;
    char code[4];
    int16_t *sizes;
    size_t size_count;
} order;

static const torc_json_field order_fields[] = {
    TORC_JSON_FIELD_STR(order, name, .min = 1, .max = 9),
    TORC_JSON_FIELD_INT(order, count, .optional = true, .min = 1, .max = 100),
    TORC_JSON_FIELD_BOOL(order, is_gift, .optional = true),
    TORC_JSON_FIELD_TEXT(order, code, .optional = true),
    TORC_JSON_FIELD_ARRAY(order, sizes, size_count, TORC_JSON_ITEM_INT(int16_t, .max = 30),
                          .optional = true, .max = 3),
};
static const torc_json_struct order_json = TORC_JSON_STRUCT(order, order_fields);

/* What came through the table is within its bounds, and can be written by it. */
static torc_render take_order(torc_request *request) {
    order it;

    if (torc_request_json_struct(request, &order_json, &it)) return TORC_RENDER_DONE;
    FUZZ_CHECK(it.name.len > 0 && it.name.len <= 4 * 9);
    FUZZ_CHECK(it.count <= 100 && it.size_count <= 3);
    for (size_t i = 0; i < it.size_count; i++) FUZZ_CHECK(it.sizes[i] >= 0 && it.sizes[i] <= 30);
    torc_json_write_struct(torc_reply_json(request, 201), &order_json, &it);
    return torc_reply_end(request);
}

/* More than one write, in a coding that the peer likes. */
static torc_render long_text(torc_request *request) {
    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    for (int i = 0; i < 40; i++) {
        torc_request_write(request, TORC_STR("a line like many others\n"));
        if (i == 20) torc_request_flush(request);
    }
    torc_request_finish(request);
    return TORC_RENDER_DONE;
}

/* An error's page, told as it was thought of. */
static torc_render on_error(torc_request *request, const torc_error_reply *error, void *context) {
    (void)context;
    FUZZ_CHECK(error->status >= 400 && error->status < 600);
    return error->status == 404 ? torc_reply_text(request, 404, "not in the shop")
                                : TORC_RENDER_NEXT;
}

static torc_render cookies(torc_request *request) {
    torc_str value;

    if (!torc_request_cookie(request, "a", &value)) return torc_reply_status(request, 404, NULL);
    return torc_reply_bytes(request, 200, "application/octet-stream", value);
}

static torc_render away(torc_request *request) {
    return torc_reply_redirect(request, 303, "/elsewhere");
}

static void add_routes(torc_resource *root) {
    torc_resource *group = torc_resource_group(root, "/api/{version:uint}");

    torc_resource_route(root, "GET /", show);
    torc_resource_route(root, "* /show/{rest...}", show);
    torc_resource_route(root, "GET /n/{n:uint}", numbered);
    torc_resource_route(root, "GET /n/{s:slug}", show);
    torc_resource_route(root, "GET /f/{x}.json", show);
    torc_resource_route(root, "POST /form", form);
    torc_resource_route(root, "POST /parts", parts);
    torc_resource_route(root, "POST /json", document);
    torc_resource_route(root, "GET /cookies", cookies);
    torc_resource_route(root, "GET /away", away);
    torc_resource_route(group, "GET /items/{id}", show);
    torc_resource_route(group, "DELETE /items/{id}", show);
}

/* Shapes of parameters, and slashes; a group with filters and errors of its own. */
static void add_shop(torc_resource *root) {
    const torc_rate_limit_options rate = {
        .size = sizeof(rate), .rate = "3/s,burst=3", .field = "X-Key"};
    const torc_compress_options coded = {.size = sizeof(coded), .bytes_min = 1};
    torc_resource *shop = torc_resource_group(root, "/shop");
    torc_resource *limited = torc_resource_group(shop, "/limited");

    torc_resource_use(shop, torc_compress_new(&coded));
    torc_resource_use(limited, torc_rate_limit_new(&rate));
    torc_resource_on_error(shop, on_error, NULL);
    torc_resource_set_error_page(root, 400, 499, "text/html", TORC_STR("<p>no"));
    torc_resource_set_slashes(shop, TORC_SLASHES_REDIRECT);
    torc_resource_set_slashes(limited, TORC_SLASHES_EITHER);
    torc_resource_route(shop, "GET /v{n:uint}.txt", numbered);
    torc_resource_route(shop, "GET /{u:uuid}", show);
    torc_resource_route(shop, "GET /{price:float}", show);
    torc_resource_route(shop, "GET /{lang:any(en|de)}/", show);
    torc_resource_route(shop, "GET /long", long_text);
    torc_resource_route(shop, "POST /order", take_order);
    torc_resource_route(limited, "GET /a", show);
}

static torc_site *make_site(const torc_limits *limits) {
    static const char *const origins[] = {"https://*.a.example", NULL};
    const torc_cors_options cors = {.size = sizeof(cors), .origins = origins, .credentials = true};
    const torc_site_options options = {.size = sizeof(options), .limits = limits};
    torc_resource *root = torc_folder_new();
    torc_cidr everybody[2];

    FUZZ_CHECK(root && !torc_cidr_parse(TORC_STR("0.0.0.0/0"), &everybody[0]) &&
               !torc_cidr_parse(TORC_STR("::/0"), &everybody[1]));
    add_routes(root);
    add_shop(root);
    torc_resource_use(root, torc_security_headers_new(NULL));
    torc_resource_use(root, torc_cors_new(&cors));
    torc_resource_use(root, torc_decompress_new(NULL));
    torc_resource_put_child(root, "host", torc_host_in_path_new(everybody, 2));
    torc_resource_put_host(root, "*.a.example", torc_render_new(show, 0, true));
    torc_resource_put_host(root, "b.example", torc_redirect_new(307, "https://c.example/"));
    torc_resource_rewrite(root, "/old", "/show/new");
    torc_resource_rewrite(root, "/~{user}", "/show/{user}?u={user}");
    torc_resource_rewrite(root, "/{a}/{b}.php$", "/n/{b}");
    torc_resource_rewrite_redirect(root, 308, "/gone/{a}", "/show/{a}");
    torc_site *site = torc_site_new(root, &options);
    FUZZ_CHECK(site);
    FUZZ_CHECK(!torc_site_trust_proxies(site, everybody, 2, TORC_PROXY_FIELD_X_FORWARDED_FOR));
    return site;
}

/* ---- the connection ---- */

static void converse(torc_reactor *reactor, torc_test_connection *peer, torc_str bytes,
                     uint8_t choice, size_t piece) {
    if (choice & SCRAMBLED) FUZZ_CHECK(torc_test_connection_scramble(peer, piece) == TORC_OK);
    torc_test_connection_set_pieces(peer, piece);
    if (choice & SLOW) torc_test_connection_hold_back(peer);
    torc_test_connection_send(peer, bytes);
    if (choice & FAILS) torc_test_fail_allocation(reactor, piece);
    if (choice & RESETS)
        torc_test_connection_reset(peer);
    else if (choice & ENDS)
        torc_test_connection_send_end(peer);
    torc_test_settle(reactor);
    torc_test_finish_jobs(reactor);
    torc_test_settle(reactor);
    if (choice & SLOW) torc_test_connection_take(peer, SIZE_MAX);
    torc_test_fail_allocation(reactor, 0);
    for (int i = 0; i < 4; i++) {
        torc_test_finish_jobs(reactor);
        torc_test_advance(reactor, 100000); /* whatever it waits for does not come */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint8_t choice = fuzz_byte(&input);
    const size_t piece = fuzz_byte(&input) + 1u;
    torc_limits limits = torc_limits_default();
    const torc_http_server_options options = {.limits = &limits};
    torc_reactor *reactor;
    torc_factory *factory;

    if (input.rest.len > INPUT_MAX) return 0;
    FUZZ_CHECK(torc_test_reactor_new(NULL, &reactor) == TORC_OK);
    torc_site *site = make_site(&limits);
    FUZZ_CHECK(torc_http_server_new(reactor, torc_site_acceptor(site), &options, &factory) ==
               TORC_OK);
    torc_test_connection *peer = torc_test_connection_new(reactor, factory);
    FUZZ_CHECK(peer);
    converse(reactor, peer, input.rest, choice, piece);
    FUZZ_CHECK(torc_test_connection_is_over(peer) || torc_test_connection_has_ended(peer));
    const torc_str written = torc_test_connection_written(peer);
    FUZZ_CHECK(written.len < 9 ||
               torc_str_equals(torc_str_head(written, 9), TORC_STR("HTTP/1.1 ")));
    torc_test_connection_free(peer);
    torc_http_server_free(factory);
    torc_site_free(site);
    torc_reactor_free(reactor);
    return 0;
}
