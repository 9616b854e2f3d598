/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <torc/body_stage.h>
#include <torc/compress.h>
#include <torc/json.h>
#include <torc/representation.h>
#include <torc/route_limits.h>
#include <torc/static_files.h>
#include <unistd.h>

#include "faults.h"
#include "web_fixture.h"

enum {
    BODY = 40000
};

static char body[BODY + 1];

static void fill_body(void) {
    for (int i = 0; i < BODY; i++) body[i] = "some data, "[(i + i / 999) % 11];
}

#define check_same(str, expected) check_str_at((str), (expected), __FILE__, __LINE__)

/* ---- what is served ---- */

static torc_render text(torc_request *request) {
    return torc_reply_text(request, 200, body);
}

static torc_render version(torc_request *request) {
    const torc_validators validators = {.etag = TORC_STR_INIT("\"v1\""),
                                        .last_modified = TORC_NO_DATE};
    return torc_reply_version(request, &validators, "application/problem+json",
                              torc_str_make(body, BODY));
}

static torc_render of_type(torc_request *request) {
    torc_str type = {0};

    (void)torc_request_arg(request, "type", &type);
    torc_response_set(request, "Content-Type", type);
    torc_request_write(request, torc_str_make(body, BODY));
    return torc_reply_end(request);
}

/* A field that speaks against it: its name and value are in the query. */
static torc_render with_field(torc_request *request) {
    torc_str name = {0}, value = {0};

    (void)torc_request_arg(request, "name", &name);
    (void)torc_request_arg(request, "value", &value);
    torc_response_set(request, torc_arena_cstr(torc_request_arena(request), name), value);
    return torc_reply_text(request, 200, body);
}

static torc_render of_status(torc_request *request) {
    torc_str status = {0};
    uint64_t number = 0;

    (void)torc_request_arg(request, "status", &status);
    check_ok(torc_str_parse_uint(status, 999, &number));
    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    torc_response_set_status(request, (int)number, NULL);
    if (number != 204 && number != 304) torc_request_write(request, torc_str_make(body, BODY));
    return torc_reply_end(request);
}

static torc_render short_text(torc_request *request) {
    return torc_reply_text(request, 200, "short");
}

static torc_render nothing(torc_request *request) {
    return torc_reply_text(request, 200, "");
}

/* Pieces, and what is asked for after the first: left open until the test goes on. */
static torc_request *open_request;

static torc_render stream(torc_request *request) {
    torc_str type = {0};

    if (!torc_request_arg(request, "type", &type)) type = TORC_STR("text/plain");
    torc_response_set(request, "Content-Type", type);
    torc_request_write(request, TORC_STR("first, "));
    open_request = request;
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_render render_stream(torc_resource *resource, torc_request *request) {
    (void)resource;
    return stream(request);
}

static void free_resource(torc_resource *resource) {
    free(resource);
}

static torc_resource *callback_new(torc_render render(torc_resource *, torc_request *)) {
    static torc_resource_ops ops;
    torc_resource *self = calloc(1, sizeof(*self));

    assert_non_null(self);
    ops = (torc_resource_ops){.render = render, .dispose = free_resource};
    torc_resource_init(self, &ops);
    self->methods = torc_method_bit(TORC_METHOD_GET);
    return self;
}

/* Its length alone is announced to HEAD, as by static files. */
static torc_render announce(torc_request *request) {
    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    torc_response_set_length(request, BODY);
    if (torc_request_method(request) != TORC_METHOD_HEAD)
        torc_request_write(request, torc_str_make(body, BODY));
    return torc_reply_end(request);
}

static torc_site *new_site(const torc_compress_options *options) {
    torc_resource *root = torc_folder_new();

    fill_body();
    torc_resource_use(root, torc_compress_new(options));
    torc_resource_route(root, "GET /text", text);
    torc_resource_route(root, "GET /version", version);
    torc_resource_route(root, "GET /type", of_type);
    torc_resource_route(root, "GET /field", with_field);
    torc_resource_route(root, "GET /status", of_status);
    torc_resource_route(root, "GET /short", short_text);
    torc_resource_route(root, "GET /empty", nothing);
    torc_resource_route(root, "GET /announced", announce);
    torc_resource_put_child(root, "stream", callback_new(render_stream));
    return torc_site_new(root, NULL);
}

/* ---- what is answered ---- */

static torc_str field(torc_test_request *test, const char *name) {
    return torc_test_request_field(test, name);
}

/* The body, decoded as its field says, is this. */
static void check_decodes(torc_test_request *test, torc_str expected) {
    torc_coder_pool pool;
    torc_buf plain;
    torc_coding coding;

    assert_true(torc_coding_find(field(test, "Content-Encoding"), &coding));
    torc_coder_pool_init(&pool, NULL);
    torc_buf_init(&plain, NULL, TORC_MEMORY_OTHER, BODY);
    check_ok(torc_decode(&pool, coding, NULL, torc_test_request_body(test), &plain));
    check_same(torc_buf_str(&plain), expected);
    torc_buf_dispose(&plain);
    torc_coder_pool_dispose(&pool);
}

/* Ask with what the peer accepts; the coding that was used ("": none), and whether it says Vary. */
static void check_coding(torc_reactor *reactor, torc_site *site, const char *target,
                         const char *accepts, const char *coding, bool varies) {
    char head[300];
    torc_test_request *test;

    snprintf(head, sizeof(head), "GET %s%s%s", target, accepts ? "\nAccept-Encoding: " : "",
             accepts ? accepts : "");
    test = web_ask(reactor, site, head);
    if (!torc_str_equals(field(test, "Content-Encoding"), torc_str_of(coding)))
        print_error("%s\n", head);
    check_same(field(test, "Content-Encoding"), torc_str_of(coding));
    if (torc_str_equals(field(test, "Vary"), TORC_STR("Accept-Encoding")) != varies)
        print_error("%s\n", head);
    assert_int_equal(torc_str_equals(field(test, "Vary"), TORC_STR("Accept-Encoding")), varies);
    if (*coding)
        check_decodes(test, torc_str_make(body, BODY));
    else if (torc_test_request_body(test).len > 100)
        check_same(torc_test_request_body(test), torc_str_make(body, BODY));
    torc_test_request_free(test);
}

static void the_coding_is_the_one_that_is_liked_best(void **state) {
    static const torc_compress_options options = {.size = sizeof(options), .codings = "gzip"};
    torc_site *site = new_site(NULL), *gzip_only = new_site(&options);

    check_coding(*state, gzip_only, "/text", "gzip", "gzip", true);
    check_coding(*state, gzip_only, "/text", "br, x-gzip;q=0.5", "gzip", true);
    check_coding(*state, gzip_only, "/text", "br", "", true);
    check_coding(*state, gzip_only, "/text", "gzip;q=0", "", true);
    check_coding(*state, gzip_only, "/text", "*;q=0", "", true);
    check_coding(*state, gzip_only, "/text", "*", "gzip", true);
    check_coding(*state, gzip_only, "/text", "gzip;q=0.5, identity", "", true);
    check_coding(*state, gzip_only, "/text", "", "", true);
    check_coding(*state, gzip_only, "/text", NULL, "", true);
    check_coding(*state, site, "/text", "gzip", "gzip", true);
    if (torc_coding_can_encode(TORC_CODING_BROTLI))
        check_coding(*state, site, "/text", "gzip, br", "br", true);
    if (torc_coding_can_encode(TORC_CODING_ZSTD)) {
        check_coding(*state, site, "/text", "gzip, br, zstd", "zstd", true);
        check_coding(*state, site, "/text", "gzip;q=0.9, zstd;q=0.8", "gzip", true);
    }
    torc_site_free(site);
    torc_site_free(gzip_only);
}

static void what_could_not_be_coded_is_left_alone(void **state) {
    static const char *const targets[] = {
        "/type?type=image/png",
        "/type?type=application/octet-stream",
        "/field?name=Content-Encoding&value=br2",
        "/field?name=Cache-Control&value=private,+no-transform",
        "/field?name=Content-Range&value=bytes+0-1/2",
        "/status?status=204",
        "/short",
        "/empty",
    };
    torc_site *site = new_site(NULL);

    for (size_t i = 0; i < TORC_COUNT_OF(targets); i++) {
        char head[200];
        torc_test_request *test;
        snprintf(head, sizeof(head), "GET %s\nAccept-Encoding: gzip", targets[i]);
        test = web_ask(*state, site, head);
        assert_false(torc_str_equals(field(test, "Content-Encoding"), TORC_STR("gzip")));
        assert_null(field(test, "Vary").bytes);
        torc_test_request_free(test);
    }
    torc_site_free(site);
}

static void types_are_told_by_name_kind_and_suffix(void **state) {
    static const torc_compress_options few = {.size = sizeof(few),
                                              .types = "text/html, image/*, +json"};
    static const torc_compress_options all = {.size = sizeof(all), .types = "*/*"};
    torc_site *site = new_site(NULL);

    check_coding(*state, site, "/type?type=TEXT/CSS;charset=x", "gzip", "gzip", true);
    check_coding(*state, site, "/type?type=application/ld%2Bjson", "gzip", "gzip", true);
    check_coding(*state, site, "/type?type=image/svg%2Bxml", "gzip", "gzip", true);
    check_coding(*state, site, "/type?type=application/wasm", "gzip", "gzip", true);
    check_coding(*state, site, "/type?type=image/webp", "gzip", "", false);
    check_coding(*state, site, "/status?status=404", "gzip", "gzip", true);
    torc_site_free(site);
    site = new_site(&few);
    check_coding(*state, site, "/type?type=text/html;a=b", "gzip", "gzip", true);
    check_coding(*state, site, "/type?type=text/plain", "gzip", "", false);
    check_coding(*state, site, "/type?type=image/png", "gzip", "gzip", true);
    check_coding(*state, site, "/type?type=x/y%2Bjson", "gzip", "gzip", true);
    torc_site_free(site);
    site = new_site(&all);
    check_coding(*state, site, "/type?type=x/y", "gzip", "gzip", true);
    torc_site_free(site);
}

static void lengths_from_the_minimum_on_are_coded(void **state) {
    static const torc_compress_options any = {.size = sizeof(any), .bytes_min = 1};
    static const torc_compress_options more = {.size = sizeof(more), .bytes_min = BODY + 1};
    torc_site *site = new_site(&any);
    torc_test_request *test = web_ask(*state, site, "GET /short\nAccept-Encoding: gzip");

    check_decodes(test, TORC_STR("short"));
    torc_test_request_free(test);
    torc_site_free(site);
    site = new_site(&more);
    check_coding(*state, site, "/text", "gzip", "", false);
    check_coding(*state, site, "/type?type=text/plain", "gzip", "gzip", true);
    torc_site_free(site);
}

static void a_whole_body_has_its_new_length(void **state) {
    torc_site *site = new_site(NULL);
    torc_test_request *test = web_ask(*state, site, "GET /text\nAccept-Encoding: gzip");

    assert_true(torc_test_request_length(test) > 0);
    assert_int_equal(torc_test_request_length(test), torc_test_request_body(test).len);
    assert_true(torc_test_request_body(test).len < BODY / 10);
    torc_test_request_free(test);
    torc_site_free(site);
}

/* ---- versions ---- */

static void a_strong_tag_is_weakened_and_still_matches(void **state) {
    torc_site *site = new_site(NULL);
    torc_test_request *test = web_ask(*state, site, "GET /version\nAccept-Encoding: gzip");

    check_same(field(test, "ETag"), TORC_STR("W/\"v1\""));
    assert_null(field(test, "Accept-Ranges").bytes);
    check_decodes(test, torc_str_make(body, BODY));
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /version");
    check_same(field(test, "ETag"), TORC_STR("\"v1\""));
    check_same(field(test, "Accept-Ranges"), TORC_STR("bytes"));
    torc_test_request_free(test);
    test = web_ask(*state, site,
                   "GET /version\nAccept-Encoding: gzip\nIf-None-Match: \"x\", W/\"v1\"");
    assert_int_equal(torc_test_request_status(test), 304);
    check_same(field(test, "ETag"), TORC_STR("W/\"v1\""));
    check_same(field(test, "Vary"), TORC_STR("Accept-Encoding"));
    assert_null(field(test, "Content-Encoding").bytes);
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /version\nIf-None-Match: \"v1\"");
    assert_int_equal(torc_test_request_status(test), 304);
    check_same(field(test, "ETag"), TORC_STR("\"v1\""));
    torc_test_request_free(test);
    torc_site_free(site);
}

static void ranges_are_of_the_bytes_as_they_are(void **state) {
    torc_site *site = new_site(NULL);
    torc_test_request *test =
        web_ask(*state, site, "GET /version\nAccept-Encoding: gzip\nRange: bytes=5-1004");

    assert_int_equal(torc_test_request_status(test), 206);
    check_same(field(test, "Vary"), TORC_STR("Accept-Encoding"));
    assert_null(field(test, "Content-Encoding").bytes);
    check_same(field(test, "ETag"), TORC_STR("\"v1\""));
    check_same(torc_test_request_body(test), torc_str_make(body + 5, 1000));
    torc_test_request_free(test);
    /* What was coded before cannot be continued so. */
    test = web_ask(*state, site,
                   "GET /version\nAccept-Encoding: gzip\nRange: bytes=5-9\nIf-Range: W/\"v1\"");
    assert_int_equal(torc_test_request_status(test), 200);
    check_decodes(test, torc_str_make(body, BODY));
    torc_test_request_free(test);
    torc_site_free(site);
}

static void head_has_the_fields_of_get_and_no_bytes(void **state) {
    static const char *const targets[] = {"/text", "/version", "/type?type=text/css", "/announced"};
    static const char *const names[] = {"Content-Encoding", "Vary", "ETag", "Content-Type"};
    torc_site *site = new_site(NULL);

    for (size_t i = 0; i < TORC_COUNT_OF(targets); i++) {
        char get[120], head[120];
        torc_test_request *a, *b;
        snprintf(get, sizeof(get), "GET %s\nAccept-Encoding: gzip", targets[i]);
        snprintf(head, sizeof(head), "HEAD %s\nAccept-Encoding: gzip", targets[i]);
        a = web_ask(*state, site, get);
        b = web_ask(*state, site, head);
        for (size_t n = 0; n < TORC_COUNT_OF(names); n++)
            check_same(field(b, names[n]), field(a, names[n]));
        check_same(field(b, "Content-Encoding"), TORC_STR("gzip"));
        assert_int_equal(torc_test_request_body(b).len, 0);
        assert_true(torc_test_request_length(b) == -1 ||
                    torc_test_request_length(b) == torc_test_request_length(a));
        assert_true(torc_test_request_is_complete(b));
        torc_test_request_free(a);
        torc_test_request_free(b);
    }
    torc_site_free(site);
}

/* ---- streams ---- */

/* What of the body can be decoded so far. */
static size_t decoded_len(torc_test_request *test) {
    torc_coder_pool pool;
    torc_coder *coder;
    char out[1000];
    torc_coder_flow flow = {.input = torc_test_request_body(test), .out = out, .room = sizeof(out)};

    torc_coder_pool_init(&pool, NULL);
    check_ok(torc_decoder_new(&pool, TORC_CODING_GZIP, NULL, &coder));
    check_ok(torc_coder_step(coder, TORC_CODER_WRITE, &flow));
    torc_coder_free(coder);
    torc_coder_pool_dispose(&pool);
    return flow.made;
}

static void a_flush_sends_what_was_written(void **state) {
    torc_site *site = new_site(NULL);
    torc_test_request *test = web_ask(*state, site, "GET /stream\nAccept-Encoding: gzip");

    torc_request_flush(open_request);
    torc_test_request_run(test);
    assert_int_equal(decoded_len(test), strlen("first, "));
    torc_request_write(open_request, TORC_STR("second"));
    torc_test_request_run(test);
    assert_int_equal(decoded_len(test), strlen("first, "));
    torc_request_flush(open_request);
    torc_test_request_run(test);
    assert_int_equal(decoded_len(test), strlen("first, second"));
    check_ok(torc_request_finish(open_request));
    torc_test_request_run(test);
    check_decodes(test, TORC_STR("first, second"));
    assert_int_equal(torc_test_request_length(test), -1);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void each_event_of_an_event_stream_is_sent_at_once(void **state) {
    torc_site *site = new_site(NULL);
    torc_test_request *test =
        web_ask(*state, site, "GET /stream?type=text/event-stream\nAccept-Encoding: gzip");

    assert_int_equal(decoded_len(test), strlen("first, "));
    torc_request_write(open_request, TORC_STR("data: 1\n\n"));
    torc_test_request_run(test);
    assert_int_equal(decoded_len(test), strlen("first, data: 1\n\n"));
    check_ok(torc_request_finish(open_request));
    torc_test_request_free(test);
    torc_site_free(site);
}

static void a_peer_that_leaves_gives_the_coder_back(void **state) {
    torc_reactor *reactor = *state;
    torc_site *site = new_site(NULL);
    torc_test_request *test = web_ask(reactor, site, "GET /stream\nAccept-Encoding: gzip");

    assert_int_equal(reactor->coders.idle_bytes, 0);
    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    assert_true(reactor->coders.idle_bytes > 100000);
    torc_test_request_free(test);
    for (int i = 0; i < 5; i++) check_coding(reactor, site, "/text", "gzip", "gzip", true);
    const size_t idle = reactor->coders.idle_bytes;
    for (int i = 0; i < 5; i++) check_coding(reactor, site, "/text", "gzip", "gzip", true);
    assert_int_equal(reactor->coders.idle_bytes, idle);
    torc_site_free(site);
}

static void a_slow_peer_gets_all_of_it(void **state) {
    torc_site *site = new_site(NULL);
    torc_test_request *test = torc_test_request_new(*state, torc_site_acceptor(site),
                                                    "GET /type?type=text/a\nAccept-Encoding: gzip");

    torc_test_request_hold_back(test);
    for (int i = 0; i < 2000 && !torc_test_request_is_complete(test); i++) {
        torc_test_request_take(test, 7);
        torc_test_request_run(test);
    }
    check_decodes(test, torc_str_make(body, BODY));
    torc_test_request_free(test);
    torc_site_free(site);
}

/* ---- large ones ---- */

enum {
    LARGE = 10 << 20,
    SLICES = LARGE / 65536
};

/* A stage that takes a millisecond and a half for whatever it is given. */
static int slices, slices_before;
static size_t longest;
static torc_test_request *leaving;

static torc_err write_slowly(torc_body_stage *stage, torc_str bytes) {
    slices++;
    if (bytes.len > longest) longest = bytes.len;
    torc_test_spend_us(torc_request_reactor(stage->request), 1500);
    return torc_body_stage_pass(stage, bytes);
}

static void be_slow(torc_middleware *middleware, torc_request *request) {
    static const torc_body_stage_ops ops = {.write = write_slowly};
    torc_body_stage *stage = torc_arena_alloc(torc_request_arena(request), sizeof(*stage));

    (void)middleware;
    assert_non_null(stage);
    stage->ops = &ops;
    torc_response_add_stage(request, stage);
}

static torc_str large_body(void) {
    static char bytes[LARGE];

    for (size_t i = 0; i < LARGE; i += BODY)
        memcpy(bytes + i, body, LARGE - i < BODY ? LARGE - i : BODY);
    return torc_str_make(bytes, LARGE);
}

static torc_render large(torc_request *request) {
    return torc_reply_bytes(request, 200, "text/plain", large_body());
}

static torc_render large_written(torc_request *request) {
    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    torc_request_write(request, large_body());
    return torc_reply_end(request);
}

static torc_render large_json(torc_request *request) {
    torc_request_limits(request)->output_bytes_max = 2 * LARGE;
    torc_json *json = torc_reply_json(request, 200);
    torc_json_str(json, large_body());
    return torc_reply_end(request);
}

static torc_resource *impatient_new(void) {
    const torc_route_limits_options limits = {.size = sizeof(limits), .answer_ms = 20};
    torc_resource *self = torc_render_new(large, 0, true);

    torc_resource_use(self, torc_route_limits_new(&limits));
    return self;
}

/* Another request, which is to be answered meanwhile. */
static torc_render meanwhile(torc_request *request) {
    slices_before = slices;
    if (leaving) torc_test_request_disconnect(leaving);
    return torc_reply_text(request, 200, "here");
}

/* The slow stage comes before the coder. */
static torc_site *new_large_site(void) {
    static const torc_middleware_ops ops = {.response_starting = be_slow};
    static torc_middleware slow;
    torc_resource *root = torc_folder_new(), *all = torc_folder_new();

    fill_body();
    slices = slices_before = 0;
    longest = 0;
    leaving = NULL;
    slow = (torc_middleware){.ops = &ops};
    torc_resource_use(all, torc_compress_new(NULL));
    torc_resource_use(all, &slow);
    torc_resource_route(all, "GET /whole", large);
    torc_resource_route(all, "GET /written", large_written);
    torc_resource_route(all, "GET /json", large_json);
    torc_resource_put_child(all, "impatient", impatient_new());
    torc_resource_put_child(root, "large", all);
    torc_resource_route(root, "GET /meanwhile", meanwhile);
    return torc_site_new(root, NULL);
}

/* Both are asked for, one after the other. */
static torc_test_request *ask_both(torc_reactor *reactor, torc_site *site, const char *head,
                                   torc_test_request **other) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    *other = torc_test_request_new(reactor, torc_site_acceptor(site), "GET /meanwhile");
    assert_non_null(test);
    assert_non_null(*other);
    return test;
}

/* A run is a bounded number of turns. */
static void run_to_the_end(torc_test_request *test) {
    for (int i = 0; i < 4000 && !torc_test_request_is_complete(test); i++)
        torc_test_request_run(test);
    assert_true(torc_test_request_is_complete(test));
}

/* What was decoded is the body over and over again, within quotes or not. */
static void check_decodes_large(torc_test_request *test, bool is_quoted) {
    torc_coder_pool pool;
    torc_buf plain;
    torc_coding coding;

    assert_true(torc_coding_find(field(test, "Content-Encoding"), &coding));
    torc_coder_pool_init(&pool, NULL);
    torc_buf_init(&plain, NULL, TORC_MEMORY_OTHER, LARGE + 2);
    const torc_decoder_limits limits = {.ratio_max = 100000};
    check_ok(torc_decode(&pool, coding, &limits, torc_test_request_body(test), &plain));
    assert_int_equal(plain.len, is_quoted ? LARGE + 2 : LARGE);
    const torc_str got = torc_str_from(torc_buf_str(&plain), is_quoted);
    for (size_t i = 0; i < LARGE; i += BODY)
        assert_memory_equal(got.bytes + i, body, LARGE - i < BODY ? LARGE - i : BODY);
    torc_buf_dispose(&plain);
    torc_coder_pool_dispose(&pool);
}

static void others_are_served_while_a_large_body_is_coded(void **state) {
    static const char *const heads[] = {"GET /large/whole\nAccept-Encoding: gzip",
                                        "GET /large/written\nAccept-Encoding: zstd, gzip;q=0.5",
                                        "GET /large/json\nAccept-Encoding: gzip"};

    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        torc_site *site = new_large_site();
        torc_test_request *other, *test = ask_both(*state, site, heads[i], &other);
        run_to_the_end(test);
        check_same(torc_test_request_body(other), TORC_STR("here"));
        assert_in_range(slices_before, 1, 5);
        assert_true(slices >= SLICES && longest <= 65536);
        check_decodes_large(test, i == 2);
        torc_test_request_free(test);
        torc_test_request_free(other);
        torc_site_free(site);
    }
}

static void a_peer_that_leaves_ends_the_coding_of_a_large_body(void **state) {
    torc_reactor *reactor = *state;

    for (int i = 0; i < 2; i++) {
        torc_site *site = new_large_site();
        torc_test_request *other, *test = ask_both(reactor, site,
                                                   i ? "GET /large/json\nAccept-Encoding: gzip"
                                                     : "GET /large/whole\nAccept-Encoding: gzip",
                                                   &other);
        leaving = test;
        torc_test_request_run(test);
        torc_test_request_run(other);
        check_same(torc_test_request_body(other), TORC_STR("here"));
        assert_in_range(slices, 1, 10);
        assert_true(reactor->coders.idle_bytes > 100000);
        torc_test_request_free(test);
        torc_test_request_free(other);
        torc_site_free(site);
    }
}

static void a_large_body_that_takes_too_long_is_given_up(void **state) {
    torc_site *site = new_large_site();
    torc_test_request *test = web_ask(*state, site, "GET /large/impatient\nAccept-Encoding: gzip");

    run_to_the_end(test);
    assert_int_equal(torc_test_request_status(test), 504);
    assert_in_range(slices, 10, 30);
    check_same(field(test, "Content-Encoding"), TORC_STR(""));
    torc_test_request_free(test);
    torc_site_free(site);
}

/* ---- files ---- */

static void files_are_coded_too(void **state) {
    char folder[] = "/tmp/torc-compress-XXXXXX", path[64];
    torc_resource *files;
    torc_site *site;
    FILE *file;

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a.txt", folder);
    fill_body();
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(body, 1, BODY, file), BODY);
    assert_int_equal(fclose(file), 0);
    files = torc_static_files_new(folder, NULL);
    torc_resource_use(files, torc_compress_new(NULL));
    site = torc_site_new(files, NULL);
    for (int i = 0; i < 2; i++) {
        check_coding(*state, site, "/a.txt", "gzip", "gzip", true);
        check_coding(*state, site, "/a.txt", NULL, "", true);
    }
    torc_test_request *test =
        web_ask(*state, site, "GET /a.txt\nAccept-Encoding: gzip\nRange: bytes=0-10");
    assert_int_equal(torc_test_request_status(test), 206);
    assert_null(field(test, "Content-Encoding").bytes);
    check_same(torc_test_request_body(test), torc_str_make(body, 11));
    torc_test_request_free(test);
    torc_site_free(site);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* ---- where it holds ---- */

static void it_holds_for_children_unless_it_is_shallow(void **state) {
    for (int is_shallow = 0; is_shallow < 2; is_shallow++) {
        const torc_compress_options options = {.size = sizeof(options), .is_shallow = is_shallow};
        torc_resource *root = torc_folder_new(), *in = torc_folder_new();
        torc_site *site;
        fill_body();
        torc_resource_put_child(root, "in", in);
        torc_resource_use(in, torc_compress_new(&options));
        torc_resource_route(in, "GET /deep", text);
        torc_resource_route(root, "GET /out", text);
        site = torc_site_new(root, NULL);
        check_coding(*state, site, "/in/deep", "gzip", is_shallow ? "" : "gzip", !is_shallow);
        check_coding(*state, site, "/out", "gzip", "", false);
        torc_site_free(site);
    }
}

/* ---- options ---- */

static void check_wrong(const torc_compress_options *options, const char *expected) {
    char text_of[200];
    const char *wrong = torc_compress_check(options, text_of);

    assert_non_null(wrong);
    assert_string_equal(wrong, expected);
}

/* Another level is other bytes for the same. */
static void levels_are_chosen_for_each_coding(void **state) {
    static const char *const names[] = {"gzip", "br", "zstd"};

    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        torc_coding coding;
        size_t len[2];
        char head[100];
        assert_true(torc_coding_find(torc_str_of(names[i]), &coding));
        if (!torc_coding_can_encode(coding)) continue;
        for (int most = 0; most < 2; most++) {
            const int level = most ? torc_coding_level_max(coding) : 1;
            const torc_compress_options options = {.size = sizeof(options),
                                                   .codings = names[i],
                                                   .gzip_level = i == 0 ? level : 0,
                                                   .brotli_level = i == 1 ? level : 0,
                                                   .zstd_level = i == 2 ? level : 0};
            torc_site *site = new_site(&options);
            snprintf(head, sizeof(head), "GET /text\nAccept-Encoding: %s", names[i]);
            torc_test_request *test = web_ask(*state, site, head);
            check_same(field(test, "Content-Encoding"), torc_str_of(names[i]));
            check_decodes(test, torc_str_make(body, BODY));
            len[most] = torc_test_request_body(test).len;
            torc_test_request_free(test);
            torc_site_free(site);
        }
        assert_int_not_equal(len[0], len[1]);
    }
    assert_true(torc_str_find(torc_str_of(torc_compress_types()), TORC_STR("application/json")) >=
                0);
}

static void wrong_options_are_told(void **state) {
    const torc_compress_options coding = {.size = sizeof(coding), .codings = "gzip, lzma"};
    const torc_compress_options none = {.size = sizeof(none), .codings = " , "};
    const torc_compress_options decoder = {.size = sizeof(decoder), .codings = "deflate"};
    const torc_compress_options type = {.size = sizeof(type), .types = "text/*, text"};
    const torc_compress_options level = {.size = sizeof(level), .gzip_level = 10};
    char text_of[200];

    check_wrong(&coding, "there is no coding 'lzma': gzip, br, zstd are");
    check_wrong(&none, "no coding is named: gzip, br, zstd are");
    check_wrong(&decoder, "the library cannot encode 'deflate'");
    check_wrong(&type, "'text' is no type, as 'text/html', 'text/*' or '+json'");
    check_wrong(&level, "gzip has the levels 1 to 9, not 10");
    assert_null(torc_compress_check(NULL, text_of));
    torc_resource *root = torc_folder_new();
    torc_resource_use(root, torc_compress_new(&level));
    assert_null(torc_site_new(root, NULL));
}

/* ---- failing allocations ---- */

static void without_memory_it_goes_as_it_is_or_fails_whole(void **state) {
    torc_reactor *reactor = *state;
    torc_site *site = new_site(NULL);
    faults self = {.hit = true};

    for (uint64_t at = 1; self.hit; at++) {
        torc_test_request *test;
        torc_coder_pool_trim(&reactor->coders);
        test = torc_test_request_new(reactor, torc_site_acceptor(site),
                                     "GET /text\nAccept-Encoding: gzip");
        assert_non_null(test);
        faults_arm(&self, &reactor->memory, at);
        torc_test_request_run(test);
        faults_disarm(&reactor->memory);
        if (torc_test_request_status(test) == 200 && torc_test_request_is_complete(test)) {
            if (field(test, "Content-Encoding").len)
                check_decodes(test, torc_str_make(body, BODY));
            else
                check_same(torc_test_request_body(test), torc_str_make(body, BODY));
        }
        torc_test_request_free(test);
        assert_true(at < 1000);
    }
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(the_coding_is_the_one_that_is_liked_best),
        WEB_TEST(what_could_not_be_coded_is_left_alone),
        WEB_TEST(types_are_told_by_name_kind_and_suffix),
        WEB_TEST(lengths_from_the_minimum_on_are_coded),
        WEB_TEST(a_whole_body_has_its_new_length),
        WEB_TEST(a_strong_tag_is_weakened_and_still_matches),
        WEB_TEST(ranges_are_of_the_bytes_as_they_are),
        WEB_TEST(head_has_the_fields_of_get_and_no_bytes),
        WEB_TEST(a_flush_sends_what_was_written),
        WEB_TEST(each_event_of_an_event_stream_is_sent_at_once),
        WEB_TEST(a_peer_that_leaves_gives_the_coder_back),
        WEB_TEST(a_slow_peer_gets_all_of_it),
        WEB_TEST(others_are_served_while_a_large_body_is_coded),
        WEB_TEST(a_peer_that_leaves_ends_the_coding_of_a_large_body),
        WEB_TEST(a_large_body_that_takes_too_long_is_given_up),
        WEB_TEST(files_are_coded_too),
        WEB_TEST(it_holds_for_children_unless_it_is_shallow),
        WEB_TEST(levels_are_chosen_for_each_coding),
        WEB_TEST(wrong_options_are_told),
        WEB_TEST(without_memory_it_goes_as_it_is_or_fails_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
