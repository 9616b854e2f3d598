/* SPDX-License-Identifier: MIT */
/* Middlewares around parts of the tree: order, answers, waiting, error pages, stand-ins. */
#include <stdio.h>
#include <stdlib.h>
#include <torc/body_stage.h>
#include <torc/deferred.h>
#include <torc/fiber.h>
#include <torc/middleware.h>
#include <torc/middleware_of.h>
#include <unistd.h>

#include "web_fixture.h"

/* A middleware that writes its letter to a trace when a request comes, and in small letters into a
 * field when the response starts. */
typedef struct letter {
    torc_middleware base;
    char name;
    torc_render answer;
    bool sleeps;
    bool proceeds; /* from inside the call */
} letter;

static char trace[64], fields_trace[64];
static int disposed;
static torc_request *waiting;
static torc_middleware *waiting_in;

static void note(char *to, char c) {
    const size_t len = strlen(to);
    if (len < 63) to[len] = c, to[len + 1] = '\0';
}

static torc_render request_received(torc_middleware *middleware, torc_request *request) {
    letter *self = torc_container_of(middleware, letter, base);

    note(trace, self->name);
    if (self->sleeps && torc_sleep(torc_request_reactor(request), 1000)) return TORC_RENDER_DONE;
    if (self->answer == TORC_RENDER_DONE) return torc_reply_text(request, 202, "stopped");
    if (self->answer == TORC_RENDER_NOT_DONE_YET) {
        waiting = request;
        waiting_in = middleware;
        if (self->proceeds) torc_middleware_proceed(middleware, request);
    }
    return self->answer;
}

static void response_starting(torc_middleware *middleware, torc_request *request) {
    letter *self = torc_container_of(middleware, letter, base);
    const char text[2] = {self->name, '\0'};

    note(fields_trace, self->name);
    torc_response_add(request, "X-Passed", torc_str_of(text));
}

static void dispose(torc_middleware *middleware) {
    disposed++;
    free(torc_container_of(middleware, letter, base));
}

static const torc_middleware_ops letter_ops = {.request_received = request_received,
                                               .response_starting = response_starting,
                                               .dispose = dispose};

static letter *new_letter(char name) {
    letter *self = calloc(1, sizeof(*self));

    assert_non_null(self);
    self->base.ops = &letter_ops;
    self->name = name;
    self->answer = TORC_RENDER_NEXT;
    return self;
}

static void use(torc_resource *resource, char name) {
    torc_resource_use(resource, &new_letter(name)->base);
}

static torc_render hello(torc_request *request) {
    note(trace, '.');
    return torc_reply_text(request, 200, "hello");
}

static torc_render fails(torc_request *request) {
    return torc_reply_failure(request, "no");
}

static torc_render silent(torc_request *request) {
    (void)request;
    return TORC_RENDER_DONE;
}

/* / [A], /in [B, C] with /in/deep [D] */
static torc_site *new_site(void) {
    torc_resource *root = torc_folder_new(), *in = torc_folder_new(), *deep = torc_folder_new();

    trace[0] = fields_trace[0] = '\0';
    disposed = 0;
    use(root, 'A');
    torc_resource_put_child(root, "in", in);
    use(in, 'B');
    use(in, 'C');
    torc_resource_put_child(in, "deep", deep);
    use(deep, 'D');
    torc_resource_route(root, "GET /", hello);
    torc_resource_route(root, "GET /in", hello);
    torc_resource_route(root, "GET /in/fails", fails);
    torc_resource_route(root, "GET /in/silent", silent);
    torc_resource_route(root, "GET /in/deep/{name}", hello);
    torc_resource_route(root, "GET /{any}/deep/other/{name}", hello);
    return torc_site_new(root, NULL);
}

#define check_passed(reactor, site, head, status, on_way_in, on_way_out)                           \
    check_passed_at((reactor), (site), (head), (status), (on_way_in), (on_way_out), __FILE__,      \
                    __LINE__)

static void check_passed_at(torc_reactor *reactor, torc_site *site, const char *head, int status,
                            const char *on_way_in, const char *on_way_out, const char *file,
                            int line) {
    trace[0] = fields_trace[0] = '\0';
    torc_test_request *test = web_ask(reactor, site, head);
    _assert_int_equal((uintmax_t)torc_test_request_status(test), (uintmax_t)status, file, line);
    _assert_string_equal(trace, on_way_in, file, line);
    _assert_string_equal(fields_trace, on_way_out, file, line);
    size_t passed = 0;
    for (uint32_t i = 0; i < torc_test_request_fields(test)->count; i++)
        passed +=
            torc_str_equals(torc_test_request_fields(test)->items[i].name, TORC_STR("X-Passed"));
    _assert_int_equal(passed, strlen(on_way_out), file, line);
    torc_test_request_free(test);
}

static void requests_pass_from_the_outside_and_responses_back(void **state) {
    torc_site *site = new_site();

    check_passed(*state, site, "GET /", 200, "A.", "A");
    check_passed(*state, site, "GET /in", 200, "ABC.", "CBA");
    check_passed(*state, site, "GET /in/deep/x", 200, "ABCD.", "DCBA");
    check_passed(*state, site, "HEAD /in", 200, "ABC.", "CBA");
    torc_site_free(site);
    assert_int_equal(disposed, 4);
}

static void error_pages_pass_too(void **state) {
    torc_site *site = new_site();

    check_passed(*state, site, "GET /none", 404, "A", "A");
    check_passed(*state, site, "GET /in/none", 404, "ABC", "CBA");
    check_passed(*state, site, "GET /in/deep/x/y", 404, "ABCD", "DCBA");
    check_passed(*state, site, "POST /in", 405, "ABC", "CBA");
    check_passed(*state, site, "OPTIONS /in", 204, "ABC", "CBA");
    check_passed(*state, site, "GET /in/fails", 500, "ABC", "CBA");
    check_passed(*state, site, "GET /in/silent", 500, "ABC", "CBA");
    torc_site_free(site);
}

/* The way through /in/deep was tried, and left. */
static void a_branch_that_was_left_does_not_count(void **state) {
    torc_site *site = new_site();

    check_passed(*state, site, "GET /in/deep/other/x", 200, "A.", "A");
    torc_site_free(site);
}

static void one_that_replies_ends_the_way(void **state) {
    torc_resource *root = torc_folder_new();
    letter *stops = new_letter('B');

    stops->answer = TORC_RENDER_DONE;
    use(root, 'A');
    torc_resource_use(root, &stops->base);
    use(root, 'C');
    torc_resource_route(root, "GET /", hello);
    torc_site *site = torc_site_new(root, NULL);
    check_passed(*state, site, "GET /", 202, "AB", "BA");
    torc_site_free(site);
}

static void one_on_a_fiber_may_wait(void **state) {
    torc_resource *root = torc_data_new(TORC_STR("data"), NULL);
    letter *sleeps = new_letter('A');

    trace[0] = '\0';
    sleeps->base.on_fiber = sleeps->sleeps = true;
    torc_resource_use(root, &sleeps->base);
    use(root, 'B');
    root->is_leaf = true;
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = web_ask(*state, site, "GET /");
    assert_int_equal(torc_test_request_status(test), 0);
    assert_string_equal(trace, "A");
    torc_test_advance(*state, 1000);
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_status(test), 200);
    assert_string_equal(trace, "AB");
    torc_test_request_free(test);

    test = web_ask(*state, site, "GET /");
    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    torc_test_request_free(test);
    torc_site_free(site);
}

static torc_site *new_waiting_site(void) {
    torc_resource *root = torc_folder_new();
    letter *waits = new_letter('A');

    trace[0] = '\0';
    waits->answer = TORC_RENDER_NOT_DONE_YET;
    torc_resource_use(root, &waits->base);
    use(root, 'B');
    torc_resource_route(root, "GET /", hello);
    return torc_site_new(root, NULL);
}

static void one_that_is_not_done_proceeds_later(void **state) {
    torc_site *site = new_waiting_site();
    torc_test_request *test = web_ask(*state, site, "GET /");

    assert_string_equal(trace, "A");
    torc_middleware_proceed(waiting_in, waiting);
    torc_middleware_proceed(waiting_in, waiting); /* once is enough */
    torc_test_request_run(test);
    assert_string_equal(trace, "AB.");
    assert_int_equal(torc_test_request_status(test), 200);
    torc_test_request_free(test);

    test = web_ask(*state, site, "GET /");
    torc_middleware_proceed(waiting_in, waiting);
    torc_test_request_disconnect(test); /* between the two */
    torc_test_request_run(test);
    torc_test_request_free(test);

    test = web_ask(*state, site, "GET /");
    torc_test_request_disconnect(test);
    torc_middleware_proceed(waiting_in, waiting); /* the loss is told first */
    torc_test_request_run(test);
    assert_string_equal(trace, "AB.AB.A");
    torc_test_request_free(test);

    test = web_ask(*state, site, "GET /");
    torc_reply_text(waiting, 200, "by itself");
    torc_test_request_run(test);
    check_str(torc_test_request_body(test), "by itself");
    torc_test_request_free(test);
    torc_site_free(site);
}

/* The outer one calls once more: the guard within still waits. */
static void one_may_proceed_before_it_returns(void **state) {
    torc_resource *root = torc_folder_new();
    letter *hasty = new_letter('A');

    trace[0] = '\0';
    hasty->answer = TORC_RENDER_NOT_DONE_YET;
    hasty->proceeds = true;
    torc_resource_use(root, &hasty->base);
    use(root, 'B');
    torc_resource_route(root, "GET /", hello);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /", 200, "hello");
    assert_string_equal(trace, "AB.");
    torc_site_free(site);
}

static void nobody_proceeds_for_another(void **state) {
    torc_resource *root = torc_folder_new();
    letter *outer = new_letter('A'), *guard = new_letter('B');

    trace[0] = '\0';
    outer->answer = guard->answer = TORC_RENDER_NOT_DONE_YET;
    torc_resource_use(root, &outer->base);
    torc_resource_use(root, &guard->base);
    torc_resource_route(root, "GET /", hello);
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = web_ask(*state, site, "GET /");
    torc_middleware_proceed(&guard->base, waiting); /* it was not told yet */
    torc_test_request_run(test);
    assert_string_equal(trace, "A");
    torc_middleware_proceed(&outer->base, waiting);
    torc_test_request_run(test);
    assert_string_equal(trace, "AB");
    torc_middleware_proceed(&outer->base, waiting);
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_status(test), 0);
    torc_middleware_proceed(&guard->base, waiting);
    torc_test_request_run(test);
    assert_string_equal(trace, "AB.");
    torc_test_request_free(test);
    torc_site_free(site);
}

static void one_within_another_proceeds_as_itself(void **state) {
    static const char *const paths[] = {"/other", NULL};
    torc_resource *root = torc_folder_new();
    letter *waits = new_letter('A');

    trace[0] = '\0';
    waits->answer = TORC_RENDER_NOT_DONE_YET;
    torc_resource_use(
        root, torc_middleware_unless_path(paths, torc_middleware_unless_path(paths, &waits->base)));
    torc_resource_route(root, "GET /", hello);
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = web_ask(*state, site, "GET /");
    torc_middleware_proceed(&waits->base, waiting);
    torc_test_request_run(test);
    assert_string_equal(trace, "A.");
    assert_int_equal(torc_test_request_status(test), 200);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void a_shallow_one_holds_for_its_resource_alone(void **state) {
    torc_resource *root = torc_folder_new();
    letter *shallow = new_letter('S');

    shallow->base.is_shallow = true;
    torc_resource_use(root, &shallow->base);
    torc_resource_route(root, "GET /in", hello);
    torc_resource_put_child(root, "", torc_data_new(TORC_STR("x"), NULL));
    torc_resource *in = torc_resource_child(root, TORC_STR("in"));
    letter *own = new_letter('T');
    own->base.is_shallow = true;
    torc_resource_use(in, &own->base);
    torc_site *site = torc_site_new(root, NULL);
    check_passed(*state, site, "GET /in", 200, "T.", "T");
    check_passed(*state, site, "GET /", 200, "", "");
    torc_site_free(site);
}

static void too_many_on_the_way_are_refused(void **state) {
    torc_resource *root = torc_folder_new(), *at = root;

    trace[0] = '\0';
    for (int i = 0; i <= TORC_MIDDLEWARE_DEPTH_MAX; i++) {
        use(at, 'A');
        torc_resource_put_child(at, "a", torc_folder_new());
        at = torc_resource_child(at, TORC_STR("a"));
        if (i == TORC_MIDDLEWARE_DEPTH_MAX - 1) torc_resource_route(at, "GET /b", hello);
    }
    torc_resource_route(at, "GET /b", hello);
    torc_site *site = torc_site_new(root, NULL);
    assert_int_equal(web_status(*state, site, "GET /a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/b"), 503);
    torc_site_free(site);
}

/* ---- stages ---- */

/* A stage that doubles every byte, and ends with "!". */
typedef struct doubling {
    torc_body_stage base;
} doubling;

static int stages_disposed, stages_made;

static torc_err double_write(torc_body_stage *stage, torc_str bytes) {
    torc_err err = TORC_OK;

    for (size_t i = 0; i < bytes.len && !err; i++) {
        const char twice[2] = {bytes.bytes[i], bytes.bytes[i]};
        err = torc_body_stage_pass(stage, torc_str_make(twice, 2));
    }
    return err;
}

static torc_err double_flush(torc_body_stage *stage) {
    return torc_body_stage_pass(stage, TORC_STR("|"));
}

static torc_err double_end(torc_body_stage *stage) {
    return torc_body_stage_pass(stage, TORC_STR("!"));
}

static void double_dispose(torc_body_stage *stage) {
    (void)stage;
    stages_disposed++;
}

static const torc_body_stage_ops double_ops = {double_write, double_flush, double_end,
                                               double_dispose};
static int64_t seen_length;
static char seen_whole[16];

static void add_doubling(torc_middleware *middleware, torc_request *request) {
    doubling *stage = torc_arena_alloc(torc_request_arena(request), sizeof(*stage));
    torc_str body;

    (void)middleware;
    seen_length = torc_response_length(request);
    seen_whole[0] = '\0';
    if (torc_response_whole(request, 15, &body))
        snprintf(seen_whole, sizeof(seen_whole), "%.*s", TORC_STR_ARGS(body));
    if (!stage) return;
    stage->base.ops = &double_ops;
    stages_made++;
    torc_response_add_stage(request, &stage->base);
}

static const torc_middleware_ops doubling_ops = {.response_starting = add_doubling};
static torc_middleware doubles = {.ops = &doubling_ops}, doubles_again = {.ops = &doubling_ops};

static torc_render in_steps(torc_request *request) {
    torc_request_write(request, TORC_STR("ab"));
    torc_request_flush(request);
    torc_request_write(request, TORC_STR("c"));
    (void)!torc_request_finish(request);
    return TORC_RENDER_DONE;
}

static torc_render announced(torc_request *request) {
    torc_response_set_length(request, 3);
    torc_request_write(request, TORC_STR("abc"));
    (void)!torc_request_finish(request);
    return TORC_RENDER_DONE;
}

static torc_render too_short(torc_request *request) {
    torc_response_set_length(request, 4);
    torc_request_write(request, TORC_STR("abc"));
    (void)!torc_request_finish(request);
    return TORC_RENDER_DONE;
}

static torc_render as_json(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);
    torc_json_int(json, 12);
    return torc_reply_end(request);
}

static torc_render from_file(torc_request *request) {
    FILE *file = tmpfile();

    assert_non_null(file);
    fputs("0123456789", file);
    fflush(file);
    torc_response_set_length(request, 4);
    torc_request_write_file(request, dup(fileno(file)), 3, 4);
    fclose(file);
    (void)!torc_request_finish(request);
    return TORC_RENDER_DONE;
}

static torc_render nothing(torc_request *request) {
    torc_response_set_status(request, 204, NULL);
    (void)!torc_request_finish(request);
    return TORC_RENDER_DONE;
}

/* The same without a fiber. */
static torc_render render_from_file(torc_resource *resource, torc_request *request) {
    (void)resource;
    return from_file(request);
}

static const torc_resource_ops file_ops = {.render = render_from_file};
static torc_resource plain_file;

static torc_site *new_doubling_site(int times) {
    torc_resource *root = torc_folder_new();

    stages_made = stages_disposed = 0;
    torc_resource_use(root, &doubles);
    if (times > 1) torc_resource_use(root, &doubles_again);
    torc_resource_route(root, "GET /", hello);
    torc_resource_route(root, "GET /steps", in_steps);
    torc_resource_route(root, "GET /announced", announced);
    torc_resource_route(root, "GET /short", too_short);
    torc_resource_route(root, "GET /json", as_json);
    torc_resource_route(root, "GET /file", from_file);
    torc_resource_route(root, "GET /nothing", nothing);
    torc_resource_route(root, "GET /fails", fails);
    torc_resource_init(&plain_file, &file_ops);
    torc_resource_put_child(root, "plain-file", &plain_file);
    return torc_site_new(root, NULL);
}

static void check_stages_ended(void) {
    assert_int_equal(stages_made, stages_disposed);
}

static void a_whole_body_passes_and_its_new_length_is_told(void **state) {
    torc_site *site = new_doubling_site(1);
    torc_test_request *test = web_ask(*state, site, "GET /");

    check_str(torc_test_request_body(test), "hheelllloo!");
    assert_int_equal(torc_test_request_length(test), 11);
    assert_int_equal(seen_length, 5);
    assert_string_equal(seen_whole, "hello");
    torc_test_request_free(test);
    check_stages_ended();

    test = web_ask(*state, site, "GET /json");
    check_str(torc_test_request_body(test), "1122!");
    assert_int_equal(torc_test_request_length(test), 5);
    assert_string_equal(seen_whole, "12");
    torc_test_request_free(test);
    check_stages_ended();
    torc_site_free(site);
}

static void what_is_written_in_steps_passes_as_it_comes(void **state) {
    torc_site *site = new_doubling_site(1);
    torc_test_request *test = web_ask(*state, site, "GET /steps");

    check_str(torc_test_request_body(test), "aabb|cc!");
    assert_int_equal(torc_test_request_length(test), -1);
    assert_int_equal(seen_length, -1);
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /announced");
    check_str(torc_test_request_body(test), "aabbcc!");
    assert_int_equal(torc_test_request_length(test), -1);
    assert_int_equal(seen_length, 3);
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /short");
    assert_true(torc_test_request_was_reset(test));
    torc_test_request_free(test);
    check_stages_ended();
    torc_site_free(site);
}

static void ranges_of_files_pass(void **state) {
    torc_site *site = new_doubling_site(1);
    torc_test_request *test = web_ask(*state, site, "GET /file");

    for (int i = 0; i < 100 && !torc_test_request_is_complete(test); i++) web_finish(*state, test);
    check_str(torc_test_request_body(test), "33445566!");
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /plain-file");
    check_str(torc_test_request_body(test), "33445566!");
    torc_test_request_free(test);
    check_stages_ended();
    torc_site_free(site);
}

static void the_stage_of_the_inner_one_comes_first(void **state) {
    torc_site *site = new_doubling_site(2);
    torc_test_request *test = web_ask(*state, site, "GET /json");

    check_str(torc_test_request_body(test), "11112222!!!");
    torc_test_request_free(test);
    check_stages_ended();
    torc_site_free(site);
}

static void what_has_no_body_does_not_pass(void **state) {
    torc_site *site = new_doubling_site(1);
    torc_test_request *test = web_ask(*state, site, "HEAD /");

    assert_true(torc_test_request_is_complete(test));
    check_str(torc_test_request_body(test), "");
    assert_int_equal(torc_test_request_length(test), -1);
    torc_test_request_free(test);
    test = web_ask(*state, site, "HEAD /steps");
    assert_true(torc_test_request_is_complete(test));
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /nothing");
    assert_int_equal(torc_test_request_status(test), 204);
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);
    check_stages_ended();
    torc_site_free(site);
}

static void ask_when_memory_is_short(void *context) {
    torc_reactor *reactor = context;
    static const char *const heads[] = {"GET /", "GET /steps", "GET /json", "GET /fails"};

    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        torc_site *site = new_doubling_site(2);
        if (!site) continue;
        use(torc_site_root(site), 'A');
        torc_test_request *test =
            torc_test_request_new(reactor, torc_site_acceptor(site), heads[i]);
        if (test) web_finish(reactor, test);
        if (test)
            assert_true(torc_test_request_is_complete(test) || torc_test_request_was_reset(test));
        torc_test_request_free(test);
        torc_site_free(site);
        check_stages_ended();
    }
}

static int misdeed; /* which of what stages must not do */

static torc_err misbehave(torc_body_stage *stage, torc_str bytes) {
    torc_request *request = stage->request;

    (void)bytes;
    switch (misdeed) {
    case 0:
        torc_request_write(request, TORC_STR("again"));
        break;
    case 1:
        torc_request_flush(request);
        break;
    case 2:
        assert_int_equal(torc_request_finish(request), TORC_ERR_STATE);
        break;
    case 3:
        torc_reply_text(request, 200, "another");
        break;
    case 4:
        torc_reply_status(request, 404, NULL);
        break;
    case 5:
        torc_reply_json(request, 200);
        torc_reply_end(request);
        break;
    default:
        torc_request_abort(request);
    }
    assert_int_equal(stages_disposed, 0); /* while it is called */
    return torc_body_stage_pass(stage, TORC_STR("x"));
}

static const torc_body_stage_ops misbehaving_ops = {.write = misbehave, .dispose = double_dispose};

static void add_misbehaving(torc_middleware *middleware, torc_request *request) {
    torc_body_stage *stage = torc_arena_alloc(torc_request_arena(request), sizeof(*stage));

    (void)middleware;
    assert_non_null(stage);
    stage->ops = &misbehaving_ops;
    stages_made++;
    torc_response_add_stage(request, stage);
}

static const torc_middleware_ops misbehaving_middleware = {.response_starting = add_misbehaving};

static void a_stage_that_writes_or_replies_fails_the_response(void **state) {
    torc_middleware misbehaving = {.ops = &misbehaving_middleware};
    torc_resource *root = torc_folder_new();

    torc_resource_use(root, &misbehaving);
    torc_resource_route(root, "GET /", hello);
    torc_resource_route(root, "GET /steps", in_steps);
    torc_site *site = torc_site_new(root, NULL);
    for (misdeed = 0; misdeed <= 6; misdeed++) {
        for (int i = 0; i < 2; i++) {
            stages_made = stages_disposed = 0;
            torc_test_request *test = web_ask(*state, site, i ? "GET /steps" : "GET /");
            const bool is_replaced = i == 0 && misdeed < 6; /* the head had not gone */
            assert_int_equal(torc_test_request_was_reset(test), !is_replaced);
            if (is_replaced) assert_int_equal(torc_test_request_status(test), 500);
            torc_test_request_free(test);
            check_stages_ended();
        }
    }
    torc_site_free(site);
}

static void memory_may_be_short(void **state) {
    torc_reactor *reactor = *state;
    bool has_failed = true;

    for (uint64_t n = 1; has_failed && n < 1000; n++) {
        torc_test_fail_allocation(reactor, n);
        ask_when_memory_is_short(reactor);
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
    }
    assert_false(has_failed);
}

/* ---- standing in, and serving ---- */

typedef struct switching {
    torc_resource base;
    torc_resource *other;
} switching;

static torc_resource *stand_in(torc_resource *resource, torc_request *request) {
    (void)request;
    return torc_container_of(resource, switching, base)->other;
}

static torc_render serve(torc_resource *resource, torc_request *request) {
    return torc_resource_serve(torc_container_of(resource, switching, base)->other, request);
}

static const torc_resource_ops stand_in_ops = {.stand_in = stand_in};
static const torc_resource_ops serve_ops = {.render = serve};

static void another_may_stand_in(void **state) {
    torc_resource *other = torc_folder_new();
    switching self = {.other = other};

    trace[0] = '\0';
    torc_resource_init(&self.base, &stand_in_ops);
    torc_resource_route(other, "GET /x", hello);
    use(other, 'B');
    use(&self.base, 'A');
    torc_site *site = torc_site_new(&self.base, NULL);
    check_passed(*state, site, "GET /x", 200, "AB.", "BA");
    check_passed(*state, site, "GET /y", 404, "AB", "BA");
    self.other = NULL;
    check_passed(*state, site, "GET /x", 404, "A", "A");
    self.other = &self.base;
    check_passed(*state, site, "GET /x", 404, "A", "A");
    torc_site_free(site);
    torc_resource_dispose(other);
}

static void those_that_stand_in_for_each_other_are_refused(void **state) {
    switching a = {0}, b = {.other = &a.base};

    a.other = &b.base;
    torc_resource_init(&a.base, &stand_in_ops);
    torc_resource_init(&b.base, &stand_in_ops);
    torc_site *site = torc_site_new(&a.base, NULL);
    assert_int_equal(web_status(*state, site, "GET /"), 503);
    torc_site_free(site);
}

static void a_render_may_serve_from_another(void **state) {
    torc_resource *root = torc_folder_new(), *other = torc_folder_new();
    switching self = {.other = other}, off = {.other = other};

    torc_resource_init(&self.base, &serve_ops);
    self.base.is_leaf = self.base.on_fiber = true;
    torc_resource_init(&off.base, &serve_ops);
    off.base.is_leaf = true;
    torc_resource_put_child(root, "a", &self.base);
    torc_resource_put_child(root, "off", &off.base);
    use(root, 'A');
    torc_resource_route(other, "GET /x", hello);
    torc_resource_put_child(other, "data", torc_data_new(TORC_STR("data"), NULL));
    use(other, 'B');
    torc_site *site = torc_site_new(root, NULL);
    check_passed(*state, site, "GET /a/x", 200, "AB.", "BA");
    check_passed(*state, site, "GET /a/y", 404, "AB", "BA");
    check_passed(*state, site, "POST /a/x", 405, "AB", "BA");
    check_passed(*state, site, "GET /off/data", 200, "AB", "BA");
    check_passed(*state, site, "GET /off/x", 500, "A", "A");
    torc_site_free(site);
    torc_resource_dispose(other);
}

/* ---- values ---- */

static const char one, two, three;

static torc_render keeps(torc_request *request) {
    int a, b;

    assert_null(torc_request_value(request, &one));
    assert_int_equal(torc_request_set_value(request, &one, &a), TORC_OK);
    assert_int_equal(torc_request_set_value(request, &two, &a), TORC_OK);
    assert_int_equal(torc_request_set_value(request, &one, &b), TORC_OK);
    assert_ptr_equal(torc_request_value(request, &one), &b);
    assert_ptr_equal(torc_request_value(request, &two), &a);
    assert_null(torc_request_value(request, &three));
    return torc_reply_text(request, 200, "kept");
}

static void values_are_kept_by_their_keys(void **state) {
    torc_test_request *test = torc_test_request_route(*state, keeps, "GET /");

    web_finish(*state, test);
    assert_int_equal(torc_test_request_status(test), 200);
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(requests_pass_from_the_outside_and_responses_back),
        WEB_TEST(error_pages_pass_too),
        WEB_TEST(a_branch_that_was_left_does_not_count),
        WEB_TEST(one_that_replies_ends_the_way),
        WEB_TEST(one_on_a_fiber_may_wait),
        WEB_TEST(one_that_is_not_done_proceeds_later),
        WEB_TEST(one_may_proceed_before_it_returns),
        WEB_TEST(nobody_proceeds_for_another),
        WEB_TEST(one_within_another_proceeds_as_itself),
        WEB_TEST(a_shallow_one_holds_for_its_resource_alone),
        WEB_TEST(too_many_on_the_way_are_refused),
        WEB_TEST(a_whole_body_passes_and_its_new_length_is_told),
        WEB_TEST(what_is_written_in_steps_passes_as_it_comes),
        WEB_TEST(ranges_of_files_pass),
        WEB_TEST(the_stage_of_the_inner_one_comes_first),
        WEB_TEST(what_has_no_body_does_not_pass),
        WEB_TEST(a_stage_that_writes_or_replies_fails_the_response),
        WEB_TEST(memory_may_be_short),
        WEB_TEST(another_may_stand_in),
        WEB_TEST(those_that_stand_in_for_each_other_are_refused),
        WEB_TEST(a_render_may_serve_from_another),
        WEB_TEST(values_are_kept_by_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
