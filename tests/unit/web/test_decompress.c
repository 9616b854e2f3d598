/* SPDX-License-Identifier: MIT */
/* Bodies of requests in a content coding: decoded by whoever reads them, and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <torc/decompress.h>
#include <torc/form.h>
#include <torc/reactor.h>
#include <torc/request_json.h>
#include <torc/route.h>

#include "faults.h"
#include "web_fixture.h"

static const char text[] =
    "It was a bright cold day in April, and the clocks were striking thirteen.";

/* ---- who reads, in each way ---- */

static torc_render read_all(torc_request *request) {
    torc_str body;
    const torc_err err = torc_body_read_all(request, SIZE_MAX / 2, &body);

    if (err) return torc_reply_error(request, err);
    return torc_reply_bytes(request, 200, "text/plain", body);
}

static torc_render read_chunks(torc_request *request) {
    uint64_t bytes = 0, sum = 0;
    torc_str chunk;
    torc_err err;

    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) {
        bytes += chunk.len;
        for (size_t i = 0; i < chunk.len; i++) sum = sum * 31 + (unsigned char)chunk.bytes[i];
    }
    if (err) return torc_reply_error(request, err);
    char line[64];
    snprintf(line, sizeof(line), "%llu %llu", (unsigned long long)bytes, (unsigned long long)sum);
    return torc_reply_text(request, 200, line);
}

static torc_render read_many(torc_request *request) {
    torc_request_limits(request)->body_bytes_max = 4 * 1000 * 1000;
    return read_chunks(request);
}

static void told_chunk(torc_request *request, torc_err err, torc_str chunk, void *context) {
    torc_buf *all = context;

    if (err) {
        torc_reply_error(request, err);
    } else if (chunk.len == 0) {
        torc_reply_bytes(request, 200, "text/plain", torc_buf_str(all));
    } else {
        torc_buf_add(all, chunk);
        check_ok(torc_body_request_chunk(request, told_chunk, context));
    }
}

static torc_render ask_chunks(torc_request *request) {
    torc_buf *all = torc_request_context(request);

    torc_buf_clear(all);
    check_ok(torc_body_request_chunk(request, told_chunk, all));
    return TORC_RENDER_NOT_DONE_YET;
}

static void told_whole(torc_request *request, torc_err err, const torc_body *body, void *context) {
    (void)context;
    if (err)
        torc_reply_error(request, err);
    else
        torc_reply_bytes(request, 200, "text/plain", body->bytes);
}

static torc_render ask_whole(torc_request *request) {
    check_ok(torc_body_request_all(request, SIZE_MAX / 2, told_whole, NULL));
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_render spool(torc_request *request) {
    torc_body body;
    const torc_err err = torc_body_spool(request, &body);
    char line[64];

    if (err) return torc_reply_error(request, err);
    snprintf(line, sizeof(line), "%llu", (unsigned long long)body.len);
    return torc_reply_text(request, 200, line);
}

static const char *form_problem;

static torc_render read_form(torc_request *request) {
    const torc_form_entries *form;
    const torc_err err = torc_request_form(request, &form);

    if (err) {
        form_problem = torc_form_problem(request);
        return torc_reply_error(request, err);
    }
    return torc_reply_bytes(request, 200, "text/plain", torc_form_value(form, "name"));
}

static torc_render read_json(torc_request *request) {
    const torc_json_value *value;

    if (torc_request_json(request, &value)) return TORC_RENDER_DONE;
    torc_json_write_value(torc_reply_json(request, 200), value);
    return torc_reply_end(request);
}

/* It takes half a turn's time over each piece. */
static int pieces, pieces_before;
static torc_test_request *leaving;

static torc_render read_slowly(torc_request *request) {
    torc_str chunk;
    torc_err err;

    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) {
        pieces++;
        torc_test_spend_us(torc_request_reactor(request), 1500);
    }
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "");
}

static torc_render meanwhile(torc_request *request) {
    pieces_before = pieces;
    if (leaving) torc_test_request_disconnect(leaving);
    return torc_reply_text(request, 200, "here");
}

/* ---- a site, and bodies for it ---- */

typedef struct fixture {
    torc_reactor *reactor;
    torc_site *site;
    torc_buf all, coded;
} fixture;

static void add_callback(torc_resource *root, const char *name, torc_render_fn *render) {
    torc_resource_put_child(root, name,
                            torc_render_new(render, torc_method_bit(TORC_METHOD_POST), false));
}

static int set_up(void **state) {
    static fixture self;
    torc_resource *root = torc_folder_new(), *plain = torc_folder_new();

    if (web_set_up(state)) return -1;
    self.reactor = *state;
    torc_resource_use(root, torc_decompress_new(NULL));
    torc_resource_route(root, "POST /all", read_all);
    torc_resource_route(root, "POST /chunks", read_chunks);
    torc_resource_route(root, "POST /spool", spool);
    torc_resource_route(root, "POST /form", read_form);
    torc_resource_route(root, "POST /json", read_json);
    torc_resource_route(root, "POST /slowly", read_slowly);
    torc_resource_route(plain, "POST /meanwhile", meanwhile);
    add_callback(root, "ask-chunks", ask_chunks);
    add_callback(root, "ask-whole", ask_whole);
    torc_resource_put_host(plain, "coded.example", root);
    torc_resource_route(plain, "POST /all", read_all);
    torc_resource_route(plain, "POST /form", read_form);
    torc_resource_route(plain, "POST /json", read_json);
    self.site = torc_site_new(plain, NULL);
    torc_buf_init(&self.all, NULL, TORC_MEMORY_OTHER, SIZE_MAX / 2);
    torc_buf_init(&self.coded, NULL, TORC_MEMORY_OTHER, SIZE_MAX / 2);
    torc_site_set_context(self.site, &self.all);
    *state = &self;
    return self.site ? 0 : -1;
}

static int tear_down(void **state) {
    fixture *self = *state;

    torc_site_free(self->site);
    torc_buf_dispose(&self->all);
    torc_buf_dispose(&self->coded);
    *state = self->reactor;
    return web_tear_down(state);
}

static void check_same(torc_str found, torc_str expected) {
    check_str_at(found, expected, __FILE__, __LINE__);
}

static torc_str encode(fixture *self, torc_coding coding, torc_str bytes) {
    torc_buf_clear(&self->coded);
    check_ok(torc_encode(torc_reactor_coders(self->reactor), coding, 0, bytes, &self->coded));
    return torc_buf_str(&self->coded);
}

static torc_test_request *begin(fixture *self, const char *path, const char *fields) {
    char head[300];

    snprintf(head, sizeof(head), "POST %s\nTransfer-Encoding: chunked\n%s%s", path, fields,
             strstr(fields, "Host: ") ? "" : "\nHost: coded.example");
    torc_test_request *test =
        torc_test_request_new(self->reactor, torc_site_acceptor(self->site), head);
    assert_non_null(test);
    return test;
}

/* Post a body in pieces of `step` bytes, with so many at first. */
static torc_test_request *post(fixture *self, const char *path, const char *fields, torc_str body,
                               size_t first, size_t step) {
    torc_test_request *test = begin(self, path, fields);

    for (; body.len > 0; body = torc_str_from(body, first), first = step)
        if (first > 0) torc_test_request_send(test, torc_str_head(body, first));
    torc_test_request_send_end(test);
    for (int i = 0; i < 1000 && torc_test_request_status(test) == 0; i++)
        web_finish(self->reactor, test); /* a turn for each write to a file */
    return test;
}

static void check_post(fixture *self, const char *path, const char *fields, torc_str body,
                       int status, torc_str answer) {
    torc_test_request *test = post(self, path, fields, body, body.len, body.len);

    assert_int_equal(torc_test_request_status(test), status);
    if (answer.bytes) check_same(torc_test_request_body(test), answer);
    torc_test_request_free(test);
}

#define GZIP "Content-Encoding: gzip"
static const torc_str none = {NULL, 0};

/* ---- tests ---- */

static void bodies_are_decoded_however_they_are_read(void **state) {
    static const char *const paths[] = {"/all", "/ask-chunks", "/ask-whole"};
    static const char *const names[] = {"gzip", "br", "zstd"};
    fixture *self = *state;
    char field[64];

    for (size_t coding = 0; coding < TORC_COUNT_OF(names); coding++)
        for (size_t i = 0; i < TORC_COUNT_OF(paths); i++) {
            if (!torc_coding_can_encode((torc_coding)coding)) continue;
            snprintf(field, sizeof(field), "Content-Encoding: %s", names[coding]);
            check_post(self, paths[i], field, encode(self, (torc_coding)coding, torc_str_of(text)),
                       200, torc_str_of(text));
        }
    check_post(self, "/json", GZIP "\nContent-Type: application/json",
               encode(self, TORC_CODING_GZIP, TORC_STR("[1]")), 200, TORC_STR("[1]"));
    check_post(self, "/form", GZIP "\nContent-Type: application/x-www-form-urlencoded",
               encode(self, TORC_CODING_GZIP, TORC_STR("a=b&name=Ann")), 200, TORC_STR("Ann"));
    check_post(self, "/spool", GZIP, encode(self, TORC_CODING_GZIP, torc_str_of(text)), 200,
               TORC_STR("73"));
}

static void it_does_not_matter_where_a_body_is_cut(void **state) {
    static const char *const paths[] = {"/all", "/chunks", "/ask-chunks", "/ask-whole"};
    fixture *self = *state;
    torc_str body = encode(self, TORC_CODING_GZIP, torc_str_of(text));

    for (size_t i = 0; i < TORC_COUNT_OF(paths); i++)
        for (size_t first = 0; first <= body.len; first++)
            for (size_t step = first == 0 ? 1 : body.len; step <= body.len; step += body.len) {
                torc_test_request *test = post(self, paths[i], GZIP, body, first ? first : 1, step);
                assert_int_equal(torc_test_request_status(test), 200);
                if (i != 1) check_same(torc_test_request_body(test), torc_str_of(text));
                torc_test_request_free(test);
            }
}

static void what_ends_too_soon_is_refused(void **state) {
    static const char *const paths[] = {"/all", "/chunks", "/ask-chunks", "/ask-whole", "/spool"};
    fixture *self = *state;
    const torc_str body = encode(self, TORC_CODING_GZIP, torc_str_of(text));

    for (size_t i = 0; i < TORC_COUNT_OF(paths); i++) {
        for (size_t len = 1; len < body.len; len++)
            check_post(self, paths[i], GZIP, torc_str_head(body, len), 400, none);
        check_post(self, paths[i], GZIP, TORC_STR("this is no gzip"), 400, none);
    }
    check_post(self, "/all", GZIP, TORC_STR(""), 200, TORC_STR(""));
    check_post(self, "/ask-chunks", GZIP, TORC_STR(""), 200, TORC_STR(""));
}

/* 10 MB of nothing; the limit is 1 MiB, so that as little of it is held. */
static void limits_hold_for_what_is_read(void **state) {
    static const char *const paths[] = {"/all", "/chunks", "/ask-chunks", "/ask-whole", "/spool"};
    fixture *self = *state;
    const size_t len = 10 * 1000 * 1000;
    char *zeros = calloc(1, len);

    assert_non_null(zeros);
    const torc_str bomb = encode(self, TORC_CODING_GZIP, torc_str_make(zeros, len));
    for (size_t i = 0; i < TORC_COUNT_OF(paths); i++)
        check_post(self, paths[i], GZIP, bomb, 413, none);
    const torc_str fine = encode(self, TORC_CODING_GZIP, torc_str_make(zeros, 1024 * 1024));
    check_post(self, "/chunks", GZIP, fine, 200, TORC_STR("1048576 0"));
    check_post(self, "/spool", GZIP, fine, 200, TORC_STR("1048576"));
    free(zeros);
}

/* What has come is decoded when it is read, not before. */
static void a_body_that_waits_takes_no_more_than_it_came_with(void **state) {
    fixture *self = *state;
    const size_t len = 1000 * 1000;
    char *zeros = calloc(1, len);

    assert_non_null(zeros);
    const torc_str body = encode(self, TORC_CODING_GZIP, torc_str_make(zeros, len));
    assert_true(body.len < 5000);
    torc_test_request *test = begin(self, "/chunks", GZIP);
    torc_test_request_send(test, body);
    const size_t before = self->reactor->pages.used_count;
    torc_test_request_run(test);
    assert_true(self->reactor->pages.used_count <= before + 4);
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    check_str(torc_test_request_body(test), "1000000 0");
    torc_test_request_free(test);
    free(zeros);
}

/* A short body that decodes to a long one does not hold the others up. */
static void others_are_served_while_a_large_body_is_decoded(void **state) {
    fixture *self = *state;
    const size_t len = 1000 * 1000;
    char *zeros = calloc(1, len);

    assert_non_null(zeros);
    const torc_str body = encode(self, TORC_CODING_GZIP, torc_str_make(zeros, len));
    free(zeros);
    for (int leaves = 0; leaves < 2; leaves++) {
        torc_test_request *test = begin(self, "/slowly", GZIP);
        pieces = pieces_before = 0;
        leaving = leaves ? test : NULL;
        torc_test_request_send(test, body);
        torc_test_request_send_end(test);
        for (int i = 0; i < 10 && pieces == 0; i++) check_ok(torc_reactor_turn(self->reactor, 0));
        torc_test_request *other = begin(self, "/meanwhile", "Host: plain");
        torc_test_request_send_end(other);
        for (int i = 0; i < 1000 && (leaves ? i < 10 : !torc_test_request_is_complete(test)); i++)
            torc_test_request_run(test);
        torc_test_request_run(other);
        check_str(torc_test_request_body(other), "here");
        assert_in_range(pieces_before, 1, 10);
        assert_true(leaves ? pieces < 20 : pieces >= 200);
        if (!leaves) assert_int_equal(torc_test_request_status(test), 200);
        torc_test_request_free(test);
        torc_test_request_free(other);
    }
    leaving = NULL;
}

/* Some say so of requests that have no body. */
static void the_coding_of_nothing_is_taken(void **state) {
    static const char *const hosts[] = {"coded.example", "plain"};
    fixture *self = *state;

    for (size_t i = 0; i < TORC_COUNT_OF(hosts); i++) {
        char head[200];
        snprintf(head, sizeof(head), "POST /all\nHost: %s\nContent-Encoding: utf-8", hosts[i]);
        torc_test_request *test = web_ask(self->reactor, self->site, head);
        assert_int_equal(torc_test_request_status(test), 200);
        torc_test_request_free(test);
    }
}

static void check_refused(fixture *self, const char *path, const char *fields, const char *taken) {
    torc_test_request *test = post(self, path, fields, TORC_STR("x"), 1, 1);

    assert_int_equal(torc_test_request_status(test), 415);
    check_str_of(torc_test_request_field(test, "Accept-Encoding"), taken);
    torc_test_request_free(test);
}

static void codings_that_are_not_taken_are_refused(void **state) {
    fixture *self = *state;
    char all[64] = "";

    for (int i = 0; i < TORC_CODINGS; i++) {
        if (!torc_coding_can_decode((torc_coding)i)) continue;
        strcat(all, *all ? ", " : "");
        strcat(all, torc_coding_name((torc_coding)i).bytes);
    }
    check_refused(self, "/all", "Content-Encoding: compress", all);
    check_refused(self, "/all", "Content-Encoding: gzip, gzip", all);
    check_refused(self, "/all", "Content-Encoding: gzip\nContent-Encoding: br", all);
    check_refused(self, "/all", "Content-Encoding: gzip;q=1", all);
    check_post(self, "/all", "Content-Encoding: identity", TORC_STR("x"), 200, TORC_STR("x"));
    check_post(self, "/all", "Content-Encoding:", TORC_STR("x"), 200, TORC_STR("x"));
    check_post(self, "/all", "Content-Encoding: X-GZIP, identity",
               encode(self, TORC_CODING_GZIP, TORC_STR("x")), 200, TORC_STR("x"));
}

static void some_codings_may_be_taken_alone(void **state) {
    static const torc_coding codings[] = {TORC_CODING_DEFLATE, TORC_CODING_GZIP,
                                          TORC_CODING_DEFLATE};
    const torc_decompress_options options = {
        .size = sizeof(options), .codings = codings, .coding_count = TORC_COUNT_OF(codings)};
    torc_resource *root = torc_folder_new();
    fixture *self = *state;

    torc_resource_use(root, torc_decompress_new(&options));
    torc_resource_route(root, "POST /all", read_all);
    torc_site_free(self->site);
    self->site = torc_site_new(root, NULL);
    check_refused(self, "/all", "Content-Encoding: br", "deflate, gzip");
    check_post(self, "/all", GZIP, encode(self, TORC_CODING_GZIP, TORC_STR("x")), 200,
               TORC_STR("x"));
}

static void what_grows_too_much_is_refused(void **state) {
    torc_decompress_options options = {.size = sizeof(options)};
    fixture *self = *state;
    const size_t len = 3 * 1000 * 1000;
    char *zeros = calloc(1, len);

    assert_non_null(zeros);
    const torc_str body = encode(self, TORC_CODING_GZIP, torc_str_make(zeros, len));
    for (int i = 0; i < 2; i++) {
        torc_resource *root = torc_folder_new();
        options.ratio_max = i == 0 ? 0 : 2000;
        torc_resource_use(root, torc_decompress_new(&options));
        torc_resource_route(root, "POST /many", read_many);
        torc_site_free(self->site);
        self->site = torc_site_new(root, NULL);
        check_post(self, "/many", GZIP, body, i == 0 ? 413 : 200, none);
    }
    free(zeros);
}

/* Without the middleware bytes are bytes, but no form and no JSON. */
static void who_does_not_decode_refuses_what_it_cannot_read(void **state) {
    fixture *self = *state;

    check_post(self, "/all", "Host: plain\n" GZIP, TORC_STR("x"), 200, TORC_STR("x"));
    check_refused(self, "/form",
                  "Host: plain\n" GZIP "\nContent-Type: application/x-www-form-urlencoded",
                  "identity");
    assert_string_equal(form_problem, "the content is in a coding, and is to be in none");
    check_refused(self, "/json", "Host: plain\n" GZIP "\nContent-Type: application/json",
                  "identity");
}

static void a_client_that_goes_away_leaves_nothing(void **state) {
    static const char *const paths[] = {"/all", "/chunks", "/ask-chunks", "/ask-whole", "/form"};
    fixture *self = *state;
    const torc_str body = encode(self, TORC_CODING_GZIP, torc_str_of(text));

    for (size_t i = 0; i < TORC_COUNT_OF(paths); i++)
        for (size_t len = 0; len <= body.len; len++) {
            torc_test_request *test =
                begin(self, paths[i], GZIP "\nContent-Type: application/x-www-form-urlencoded");
            torc_test_request_send(test, torc_str_head(body, len));
            torc_test_request_run(test);
            torc_test_request_disconnect(test);
            torc_test_request_run(test);
            torc_test_request_free(test);
        }
}

static void without_memory_there_is_an_answer_or_a_reset(void **state) {
    static const char *const paths[] = {"/all", "/chunks", "/ask-chunks", "/ask-whole"};
    fixture *self = *state;
    const torc_str body = encode(self, TORC_CODING_GZIP, torc_str_of(text));
    torc_memory *memory = torc_reactor_memory(self->reactor);

    for (size_t i = 0; i < TORC_COUNT_OF(paths); i++)
        for (uint64_t n = 1;; n++) {
            faults injected;
            torc_coder_pool_trim(torc_reactor_coders(self->reactor));
            torc_reactor_trim(self->reactor);
            torc_test_request *test = begin(self, paths[i], GZIP);
            torc_test_request_send(test, body);
            torc_test_request_send_end(test);
            faults_arm(&injected, memory, n);
            torc_test_request_run(test);
            faults_disarm(memory);
            const int status = torc_test_request_status(test);
            assert_true(status == 200 || status == 503 || torc_test_request_was_reset(test));
            torc_test_request_free(test);
            if (!injected.hit) break;
            assert_true(n < 1000);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(bodies_are_decoded_however_they_are_read),
        TEST(it_does_not_matter_where_a_body_is_cut),
        TEST(what_ends_too_soon_is_refused),
        TEST(limits_hold_for_what_is_read),
        TEST(a_body_that_waits_takes_no_more_than_it_came_with),
        TEST(others_are_served_while_a_large_body_is_decoded),
        TEST(the_coding_of_nothing_is_taken),
        TEST(codings_that_are_not_taken_are_refused),
        TEST(some_codings_may_be_taken_alone),
        TEST(what_grows_too_much_is_refused),
        TEST(who_does_not_decode_refuses_what_it_cannot_read),
        TEST(a_client_that_goes_away_leaves_nothing),
        TEST(without_memory_there_is_an_answer_or_a_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
