/* SPDX-License-Identifier: MIT */
/* Forms of requests, part by part: on fibers and by callbacks, their limits and what goes wrong. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <torc/fiber.h>
#include <torc/form.h>
#include <unistd.h>

#include "faults.h"
#include "hand_clock.h"
#include "http_fixture.h"

#define MULTIPART                                                                                  \
    "POST /\nContent-Type: multipart/form-data; boundary=b\nTransfer-Encoding: chunked"
#define URLENCODED                                                                                 \
    "POST /\nContent-Type: application/x-www-form-urlencoded\nTransfer-Encoding: chunked"
#define FIELD(name, value)                                                                         \
    "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_OF(name, filename, value)                                                             \
    "--b\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"" filename               \
    "\"\r\nContent-Type: a/b\r\n\r\n" value "\r\n"
#define LAST "--b--\r\n"

/* What a render of the test reads, and how. */
typedef struct reading {
    char text[4096];
    size_t len;
    torc_err err;
    int parts;
    const char *skip;   /* parts of this name are not read */
    torc_limits limits; /* those that are not 0 hold */
    bool ends_early;
    const char *save_as;
    torc_form *form;
    torc_str pending;
} reading;

static void note(reading *self, torc_str text) {
    for (size_t i = 0; i < text.len && self->len + 1 < sizeof(self->text); i++)
        self->text[self->len++] = text.bytes[i];
    self->text[self->len] = '\0';
}

static bool note_part(reading *self, const torc_form_part *part) {
    self->parts++;
    note(self, TORC_STR("["));
    note(self, part->name);
    note(self, part->filename.bytes ? TORC_STR("|") : TORC_STR(""));
    note(self, part->filename);
    note(self, part->is_bare ? TORC_STR("?]") : TORC_STR("]"));
    return !self->skip || !torc_str_equals(part->name, torc_str_of(self->skip));
}

static void narrow(torc_request *request, const reading *self) {
    torc_limits *limits = torc_request_limits(request);
    *limits = torc_limits_inherit(&self->limits, limits);
}

static torc_render reply(torc_request *request, torc_err err) {
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "");
}

/* ---- on a fiber ---- */

static torc_err read_part(reading *self, torc_form *form) {
    torc_str chunk;
    torc_err err;

    while (!(err = torc_form_read(form, &chunk)) && chunk.len > 0) note(self, chunk);
    if (!err) note(self, TORC_STR("."));
    return err;
}

static torc_err read_parts(reading *self, torc_request *request) {
    const torc_form_part *part;
    torc_form *form;
    torc_err err = torc_form_open(request, NULL, &form);

    while (!err && !(err = torc_form_next(form, &part)) && part) {
        if (!note_part(self, part)) continue;
        err =
            self->save_as ? torc_form_save(form, self->save_as, 0640, NULL) : read_part(self, form);
    }
    if (!err) note(self, TORC_STR("="));
    return err;
}

static torc_render read_on_fiber(torc_request *request, void *context) {
    reading *self = context;

    self->len = 0;
    narrow(request, self);
    self->err = read_parts(self, request);
    return reply(request, self->err);
}

/* ---- by callbacks ---- */

static void got_part(torc_form *form, torc_err err, const torc_form_part *part, void *context);

static void want_part(torc_form *form, reading *self) {
    check_ok(torc_form_request_next(form, got_part, self));
    assert_int_equal(torc_form_request_next(form, got_part, self), TORC_ERR_STATE);
}

static void got_bytes(torc_form *form, torc_err err, torc_str chunk, void *context) {
    reading *self = context;

    self->err = err;
    if (err) {
        reply(torc_form_request(form), err);
    } else if (chunk.len > 0) {
        note(self, chunk);
        check_ok(torc_form_request_chunk(form, got_bytes, self));
    } else {
        note(self, TORC_STR("."));
        want_part(form, self);
    }
}

static void got_part(torc_form *form, torc_err err, const torc_form_part *part, void *context) {
    reading *self = context;

    self->err = err;
    if (err || !part) {
        if (!err) note(self, TORC_STR("="));
        reply(torc_form_request(form), err);
    } else if (note_part(self, part)) {
        check_ok(torc_form_request_chunk(form, got_bytes, self));
    } else {
        want_part(form, self);
    }
}

static torc_render read_by_callbacks(torc_request *request, void *context) {
    reading *self = context;
    torc_form *form;

    self->len = 0;
    narrow(request, self);
    self->err = torc_form_open(request, NULL, &form);
    if (self->err) return reply(request, self->err);
    want_part(form, self);
    assert_int_equal(self->parts, 0);
    return TORC_RENDER_NOT_DONE_YET;
}

/* ---- both ---- */

/* Send the form in two pieces and let it be read; the status of the reply. */
static int ask(http_fixture *self, const char *head, torc_str form, size_t cut, reading *reads) {
    torc_test_request *test = http_begin(self, self->step, head);
    reads->len = 0;
    reads->parts = 0;
    reads->text[0] = '\0';
    self->context = reads;

    torc_test_request_send(test, torc_str_head(form, cut));
    torc_test_request_run(test);
    torc_test_request_send(test, torc_str_from(form, cut));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    const int status = torc_test_request_status(test);
    torc_test_request_free(test);
    return status;
}

/* By fiber and by callbacks, in every two pieces. */
static void check_reading(http_fixture *self, const char *head, torc_str form, reading *reads,
                          int status, const char *expected) {
    for (int on_fiber = 0; on_fiber < 2; on_fiber++) {
        self->on_fiber = on_fiber;
        self->step = on_fiber ? read_on_fiber : read_by_callbacks;
        for (size_t cut = 0; cut <= form.len; cut++) {
            assert_int_equal(ask(self, head, form, cut, reads), status);
            if (expected) assert_string_equal(reads->text, expected);
        }
    }
}

static void both_kinds_are_read_by_one_interface(void **state) {
    reading reads = {.err = TORC_OK};

    check_reading(*state, MULTIPART,
                  TORC_STR(FIELD("a", "1") FILE_OF("f", "x.txt", "file") FIELD("a", "") LAST),
                  &reads, 200, "[a]1.[f|x.txt]file.[a].=");
    check_reading(*state, URLENCODED, TORC_STR("a=1&b+c=%41+%42&flag&=&a="), &reads, 200,
                  "[a]1.[b c]A B.[flag?].[].[a].=");
    check_reading(*state, MULTIPART, TORC_STR(LAST), &reads, 200, "=");
    check_reading(*state, URLENCODED, TORC_STR(""), &reads, 200, "=");
}

static void a_part_that_is_not_read_is_skipped(void **state) {
    reading reads = {.skip = "a"};

    check_reading(*state, MULTIPART,
                  TORC_STR(FIELD("a", "1") FIELD("b", "22") FIELD("a", "333") LAST), &reads, 200,
                  "[a][b]22.[a]=");
    check_reading(*state, URLENCODED, TORC_STR("a=1&b=22&a=%41"), &reads, 200, "[a][b]22.[a]=");
}

static void what_is_no_form_gets_its_status(void **state) {
    reading reads = {.err = TORC_OK};

    check_reading(*state, MULTIPART, TORC_STR(FIELD("a", "1")), &reads, 400, NULL);
    assert_int_equal(reads.err, TORC_ERR_TRUNCATED);
    check_reading(*state, MULTIPART, TORC_STR("--b\r\nX: y\r\n\r\n\r\n--b--"), &reads, 400, "");
    assert_int_equal(reads.err, TORC_ERR_SYNTAX);
    check_reading(*state, "POST /\nContent-Type: multipart/form-data\nTransfer-Encoding: chunked",
                  TORC_STR(LAST), &reads, 400, "");
    check_reading(*state, "POST /\nContent-Type: text/plain\nTransfer-Encoding: chunked",
                  TORC_STR("a=1"), &reads, 415, "");
    check_reading(*state, "POST /\nTransfer-Encoding: chunked", TORC_STR("a=1"), &reads, 415, "");
}

static void forms_have_limits(void **state) {
    reading reads = {.limits = {.size = sizeof(torc_limits), .form_parts_max = 2}};
    const torc_str two = TORC_STR(FIELD("a", "123") FILE_OF("f", "", "12") LAST);

    check_reading(*state, MULTIPART, two, &reads, 200, "[a]123.[f|]12.=");
    check_reading(*state, URLENCODED, TORC_STR("a=1&b"), &reads, 200, NULL);
    check_reading(*state, URLENCODED, TORC_STR("a=1&b&c"), &reads, 413, NULL);
    reads.limits = (torc_limits){.size = sizeof(torc_limits), .form_files_max = 1};
    check_reading(*state, MULTIPART, two, &reads, 200, NULL);
    check_reading(*state, MULTIPART, TORC_STR(FILE_OF("f", "", "") FILE_OF("f", "", "") LAST),
                  &reads, 413, "[f|].");
    reads.limits = (torc_limits){
        .size = sizeof(torc_limits), .form_value_bytes_max = 3, .form_file_bytes_max = 2};
    check_reading(*state, MULTIPART, two, &reads, 200, NULL);
    check_reading(*state, MULTIPART, TORC_STR(FIELD("a", "1234") LAST), &reads, 413, NULL);
    check_reading(*state, URLENCODED, TORC_STR("a=%41%42%43%44"), &reads, 413, NULL);
    check_reading(*state, MULTIPART, TORC_STR(FILE_OF("f", "x", "123") LAST), &reads, 413, NULL);
    reads.skip = "f"; /* also of what is skipped */
    check_reading(*state, MULTIPART, TORC_STR(FILE_OF("f", "x", "123") LAST), &reads, 413, NULL);
    reads.limits = (torc_limits){.size = sizeof(torc_limits), .body_bytes_max = 10};
    check_reading(*state, MULTIPART, two, &reads, 413, NULL);
    reads.limits = (torc_limits){.size = sizeof(torc_limits),
                                 .form_parts_max = TORC_UNLIMITED,
                                 .form_value_bytes_max = TORC_UNLIMITED,
                                 .form_part_head_bytes_max = TORC_UNLIMITED};
    check_reading(*state, MULTIPART, two, &reads, 200, NULL);
}

/* ---- misuse ---- */

static torc_render misuse(torc_request *request, void *context) {
    torc_form *form, *second;
    const torc_form_part *part;
    torc_str chunk;

    (void)context;
    check_ok(torc_form_open(request, NULL, &form));
    assert_int_equal(torc_form_open(request, NULL, &second), TORC_ERR_STATE);
    assert_ptr_equal(torc_form_request(form), request);
    check_ok(torc_form_read(form, &chunk)); /* there is no part yet */
    assert_int_equal(chunk.len, 0);
    check_ok(torc_form_next(form, &part));
    assert_null(part);
    check_ok(torc_form_next(form, &part)); /* the end stays */
    assert_null(part);
    check_ok(torc_form_read(form, &chunk));
    assert_int_equal(chunk.len, 0);
    assert_null(torc_form_problem(request));
    return torc_reply_text(request, 200, "");
}

static torc_render read_twice(torc_request *request, void *context) {
    torc_form *form;
    torc_str bytes;

    (void)context;
    check_ok(torc_body_read_all(request, 100, &bytes));
    assert_int_equal(torc_form_open(request, NULL, &form), TORC_ERR_STATE);
    return torc_reply_text(request, 200, "");
}

static torc_render finish_first(torc_request *request, void *context) {
    torc_form *form;

    check_ok(torc_form_open(request, NULL, &form));
    torc_reply_text(request, 200, "");
    assert_int_equal(torc_form_request_next(form, got_part, context), TORC_ERR_GONE);
    assert_int_equal(torc_form_open(request, NULL, &form), TORC_ERR_GONE);
    return TORC_RENDER_DONE;
}

static void a_form_is_read_once(void **state) {
    http_fixture *self = *state;
    reading reads = {.err = TORC_OK};

    self->on_fiber = true;
    self->step = misuse;
    assert_int_equal(ask(self, MULTIPART, TORC_STR(LAST), 0, &reads), 200);
    self->step = read_twice;
    assert_int_equal(ask(self, URLENCODED, TORC_STR("a=1"), 0, &reads), 200);
    self->on_fiber = false;
    self->step = finish_first;
    assert_int_equal(ask(self, URLENCODED, TORC_STR("a=1"), 0, &reads), 200);
}

static torc_render tell_problem(torc_request *request, void *context) {
    const torc_form_entries *entries;

    (void)context;
    assert_int_not_equal(torc_request_form(request, &entries), TORC_OK);
    return torc_reply_text(request, 200, torc_form_problem(request));
}

static void problems_are_told(void **state) {
    static const struct {
        const char *head, *form, *problem;
    } cases[] = {
        {MULTIPART, "--b\r\n\r\n", "a part has no Content-Disposition"},
        {MULTIPART, "--b x", "something stands behind a boundary"},
        {"POST /\nContent-Type: multipart/form-data", "", "the content type has no valid boundary"},
        {"POST /\nContent-Type: text/html", "", "the content is no form"},
    };
    http_fixture *self = *state;

    self->on_fiber = true;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = http_begin(self, tell_problem, cases[i].head);
        torc_test_request_send(test, torc_str_of(cases[i].form));
        torc_test_request_send_end(test);
        torc_test_request_run(test);
        check_str_of(torc_test_request_body(test), cases[i].problem);
        torc_test_request_free(test);
    }
}

/* ---- backpressure, late wishes, loss ---- */

static void got_one_part(torc_form *form, torc_err err, const torc_form_part *part, void *context) {
    reading *self = context;

    self->form = form;
    self->err = err;
    if (part) note_part(self, part);
}

static void got_one_chunk(torc_form *form, torc_err err, torc_str chunk, void *context) {
    reading *self = context;

    (void)form;
    self->err = err;
    note(self, chunk);
    note(self, TORC_STR("/"));
}

static torc_render want_one_part(torc_request *request, void *context) {
    torc_form *form;

    check_ok(torc_form_open(request, NULL, &form));
    check_ok(torc_form_request_next(form, got_one_part, context));
    return TORC_RENDER_NOT_DONE_YET;
}

/* Wishes that come when the bytes have gone: what was not wished for was kept. */
static void late_wishes_lose_nothing(void **state) {
    http_fixture *self = *state;
    reading reads = {.err = TORC_OK};
    torc_test_request *test = http_begin(self, want_one_part, MULTIPART);

    self->context = &reads;
    torc_test_request_send(test, TORC_STR(FIELD("a", "123") FIELD("b", "") LAST));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_string_equal(reads.text, "[a]");
    for (int i = 0; i < 3; i++) {
        check_ok(torc_form_request_chunk(reads.form, got_one_chunk, &reads));
        assert_int_equal(torc_form_request_chunk(reads.form, got_one_chunk, &reads),
                         TORC_ERR_STATE);
        torc_test_request_run(test);
    }
    assert_string_equal(reads.text, "[a]123///");
    for (int i = 0; i < 2; i++) {
        check_ok(torc_form_request_next(reads.form, got_one_part, &reads));
        torc_test_request_run(test);
    }
    assert_string_equal(reads.text, "[a]123///[b]");
    torc_reply_text(self->request, 200, "");
    torc_test_request_free(test);
}

/* A peer that sends without end is taken no further than the window while nobody reads on. */
static void a_slow_reader_holds_the_peer_back(void **state) {
    static char block[32 * 1024];
    http_fixture *self = *state;
    reading reads = {.err = TORC_OK};
    torc_test_request *test = http_begin(self, want_one_part, MULTIPART);

    self->context = &reads;
    torc_test_request_send(test, TORC_STR(FILE_OF("a", "x", "")));
    for (int i = 0; i < 10; i++) torc_test_request_send(test, torc_str_make(block, sizeof(block)));
    torc_test_request_run(test);
    assert_string_equal(reads.text, "[a|x]");
    assert_in_range(torc_test_request_consumed(test), 1, 3 * sizeof(block));
    torc_test_request_free(test);
}

static void a_loss_is_told(void **state) {
    http_fixture *self = *state;
    reading reads = {.err = TORC_OK};

    for (int on_fiber = 0; on_fiber < 2; on_fiber++) {
        self->on_fiber = on_fiber;
        self->context = &reads;
        torc_test_request *test =
            http_begin(self, on_fiber ? read_on_fiber : read_by_callbacks, MULTIPART);
        torc_test_request_send(test, TORC_STR(FIELD("a", "123")));
        torc_test_request_run(test);
        torc_test_request_disconnect(test);
        torc_test_request_run(test);
        assert_int_equal(reads.err, TORC_ERR_LOST);
        torc_test_request_free(test);
        reads = (reading){.err = TORC_OK};
    }
}

static torc_render want_and_finish(torc_request *request, void *context) {
    torc_form *form;

    check_ok(torc_form_open(request, NULL, &form));
    check_ok(torc_form_request_chunk(form, got_one_chunk, context));
    return torc_reply_text(request, 200, "");
}

/* A wish that is left behind is told that the request is gone. */
static void finishing_ends_the_wish(void **state) {
    http_fixture *self = *state;
    reading reads = {.err = TORC_OK};

    self->step = want_and_finish;
    assert_int_equal(ask(self, URLENCODED, TORC_STR("a=1"), 0, &reads), 200);
    /* A turn that had to end early leaves it to the next. */
    for (int i = 0; i < 100 && reads.len == 0; i++) check_ok(torc_reactor_turn(self->reactor, 0));
    assert_int_equal(reads.err, TORC_ERR_GONE);
    assert_string_equal(reads.text, "/");
}

static torc_render read_with_deadlines(torc_request *request, void *context) {
    torc_reactor *reactor = torc_request_reactor(request);
    reading *self = context;
    const torc_form_part *part = NULL;
    torc_form *form;

    check_ok(torc_form_open(request, NULL, &form));
    do {
        torc_deadline deadline;
        torc_deadline_begin(reactor, &deadline, 10);
        self->err = torc_form_next(form, &part);
        torc_deadline_end(reactor, &deadline);
        if (self->err == TORC_ERR_TIMEOUT) self->parts++;
    } while (self->err == TORC_ERR_TIMEOUT && self->parts < 1000);
    check_ok(self->err);
    note_part(self, part);
    return torc_reply_text(request, 200, "");
}

static void a_read_that_is_given_up_loses_nothing(void **state) {
    static hand_clock clock;
    http_fixture *self = *state;
    reading reads = {.err = TORC_OK};
    const torc_str form = TORC_STR(FIELD("a", "123") LAST);

    torc_reactor_free(self->reactor);
    check_ok(hand_clock_reactor(&clock, NULL, &self->reactor));
    torc_test_request *test = http_begin(self, read_with_deadlines, MULTIPART);
    self->on_fiber = true;
    self->context = &reads;
    torc_test_request_send(test, torc_str_head(form, 20));
    torc_test_request_run(test);
    hand_clock_move(&clock, 10);
    torc_test_request_run(test);
    assert_int_equal(reads.parts, 1);
    torc_test_request_send(test, torc_str_from(form, 20));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_string_equal(reads.text, "[a]");
    assert_int_equal(torc_test_request_status(test), 200);
    torc_test_request_free(test);
}

/* ---- names of files ---- */

static void file_names_lead_nowhere(void **state) {
    (void)state;
    check_str(torc_form_leaf_name(TORC_STR("x.txt")), "x.txt");
    check_str(torc_form_leaf_name(TORC_STR("C:\\dir\\x.txt")), "x.txt");
    check_str(torc_form_leaf_name(TORC_STR("/etc/passwd")), "passwd");
    check_str(torc_form_leaf_name(TORC_STR("../..")), "");
    check_str(torc_form_leaf_name(TORC_STR(".")), "");
    check_str(torc_form_leaf_name(TORC_STR("a/")), "");
    check_str(torc_form_leaf_name(TORC_STR("...")), "...");
    check_str(torc_form_leaf_name(torc_str_make(NULL, 0)), "");
}

/* ---- memory ---- */

static bool run_with_fault(void **state, bool on_fiber, bool is_multipart, uint64_t fail_at) {
    reading reads = {.err = TORC_OK};
    faults injected;

    assert_int_equal(http_set_up(state), 0); /* afresh: its pools hide nothing */
    http_fixture *self = *state;
    torc_memory *memory = torc_reactor_memory(self->reactor);
    self->on_fiber = on_fiber;
    self->context = &reads;
    torc_test_request *test = http_begin(self, on_fiber ? read_on_fiber : read_by_callbacks,
                                         is_multipart ? MULTIPART : URLENCODED);
    torc_test_request_send(test,
                           is_multipart ? TORC_STR(FIELD("a", "123") LAST) : TORC_STR("a=123&b"));
    torc_test_request_send_end(test);
    faults_arm(&injected, memory, fail_at);
    torc_test_request_run(test);
    faults_disarm(memory);
    if (!injected.hit) assert_int_equal(torc_test_request_status(test), 200);
    if (torc_test_request_status(test) != 200) {
        assert_true(torc_test_request_status(test) >= 500 || torc_test_request_was_reset(test));
    }
    torc_test_request_free(test);
    assert_int_equal(http_tear_down(state), 0);
    return !injected.hit;
}

static void failing_allocations_are_answered(void **state) {
    http_tear_down(state);
    for (int i = 0; i < 4; i++) {
        uint64_t fail_at = 1;
        while (!run_with_fault(state, i & 1, i & 2, fail_at)) assert_true(++fail_at < 1000);
        assert_true(fail_at > 1);
    }
    assert_int_equal(http_set_up(state), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(both_kinds_are_read_by_one_interface),
        HTTP_TEST(a_part_that_is_not_read_is_skipped),
        HTTP_TEST(what_is_no_form_gets_its_status),
        HTTP_TEST(forms_have_limits),
        HTTP_TEST(a_form_is_read_once),
        HTTP_TEST(problems_are_told),
        HTTP_TEST(late_wishes_lose_nothing),
        HTTP_TEST(a_slow_reader_holds_the_peer_back),
        HTTP_TEST(a_loss_is_told),
        HTTP_TEST(finishing_ends_the_wish),
        HTTP_TEST(a_read_that_is_given_up_loses_nothing),
        HTTP_TEST(file_names_lead_nowhere),
        HTTP_TEST(failing_allocations_are_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
