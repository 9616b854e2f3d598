/* SPDX-License-Identifier: MIT */
/* The parser of HTTP/1 for protocols of one's own: events, splits, prefixes, what may be done in
 * callbacks. */
#include <torc/http1_reader.h>

#include <stdio.h>

#include "bad_requests.h"
#include "faults.h"
#include "guarded.h"

/* What was told, as text; the same however the bytes are cut. */
typedef struct told {
    char text[4096];
    size_t len;
    torc_http1_reader *reader;
    int heads;
    bool stops, frees_in_head, frees_at_end;
} told;

static void tell(told *self, const char *before, torc_str text) {
    self->len += (size_t)snprintf(self->text + self->len, sizeof(self->text) - self->len, "%s%.*s",
                                  before, TORC_STR_ARGS(text));
}

static void head_received(torc_http1_reader *reader, void *context, const torc_head *head) {
    told *self = context;
    char status[8];

    (void)reader;
    self->heads++;
    snprintf(status, sizeof(status), "%d", head->status);
    tell(self, "[", head->status ? torc_str_of(status) : head->method_text);
    tell(self, " ", head->status ? head->reason : head->target.text);
    for (uint32_t i = 0; i < head->fields.count; i++) {
        tell(self, " ", head->fields.items[i].name);
        tell(self, "=", head->fields.items[i].value);
    }
    tell(self, "|", TORC_STR(""));
    if (self->stops) torc_http1_reader_stop(reader);
    if (self->frees_in_head) torc_http1_reader_free(reader);
}

static void body_received(torc_http1_reader *reader, void *context, torc_str bytes) {
    (void)reader;
    assert_true(bytes.len > 0);
    tell(context, "", bytes);
}

static void message_ended(torc_http1_reader *reader, void *context, const torc_fields *trailers) {
    told *self = context;

    for (uint32_t i = 0; trailers && i < trailers->count; i++)
        tell(self, " +", trailers->items[i].name);
    tell(self, "]", TORC_STR(""));
    if (self->frees_at_end) torc_http1_reader_free(reader);
}

static const torc_http1_reader_ops ops = {head_received, body_received, message_ended};
static const torc_http1_reader_options of_responses = {.size = sizeof(of_responses),
                                                       .reads_responses = true};

static void open_reader(told *self, const torc_http1_reader_options *options) {
    *self = (told){0};
    check_ok(torc_http1_reader_new(NULL, &ops, options, self, &self->reader));
}

/* Feed all of it, in pieces of their own. */
static torc_err feed(told *self, torc_str bytes) {
    size_t taken;
    const torc_err err = torc_http1_reader_feed(self->reader, bytes, &taken);

    if (!err) assert_int_equal(taken, bytes.len);
    return err;
}

static const char two_requests[] =
    "POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
    "\r\nPUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3;x=\"y\"\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"
    "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char as_told[] =
    "[POST /a?b Host=h Content-Length=5|hello][PUT /c Host=h Transfer-Encoding=chunked|abcde "
    "+X-Sum][GET / Host=h|]";

static void messages_are_told_one_after_the_other(void **state) {
    told self;

    (void)state;
    open_reader(&self, NULL);
    check_ok(feed(&self, torc_str_of(two_requests)));
    assert_string_equal(self.text, as_told);
    assert_true(torc_http1_reader_keeps_alive(self.reader));
    assert_true(torc_http1_reader_is_delimited(self.reader));
    assert_int_equal(torc_http1_reader_status(self.reader), 0);
    assert_null(torc_http1_reader_problem(self.reader));
    check_ok(torc_http1_reader_end(self.reader));
    torc_http1_reader_free(self.reader);
    torc_http1_reader_free(NULL);
}

static void every_split_tells_the_same(void **state) {
    const torc_str whole = torc_str_of(two_requests);
    guarded memory = guarded_new(1);
    told self;

    (void)state;
    for (size_t at = 0; at <= whole.len; at++) {
        open_reader(&self, NULL);
        check_ok(feed(&self, guarded_at_end(&memory, torc_str_head(whole, at))));
        check_ok(feed(&self, guarded_at_end(&memory, torc_str_from(whole, at))));
        assert_string_equal(self.text, as_told);
        torc_http1_reader_free(self.reader);
    }
    open_reader(&self, NULL);
    for (size_t at = 0; at < whole.len; at++)
        check_ok(feed(&self, guarded_at_end(&memory, torc_str_make(whole.bytes + at, 1))));
    assert_string_equal(self.text, as_told);
    torc_http1_reader_free(self.reader);
    guarded_free(&memory);
}

static void every_prefix_is_a_beginning(void **state) {
    const torc_str whole = torc_str_of(two_requests);
    told self;
    size_t ends = 0;

    (void)state;
    for (size_t len = 0; len <= whole.len; len++) {
        open_reader(&self, NULL);
        check_ok(feed(&self, torc_str_head(whole, len)));
        assert_memory_equal(self.text, as_told, self.len);
        ends += torc_http1_reader_end(self.reader) == TORC_OK;
        torc_http1_reader_free(self.reader);
    }
    assert_int_equal(ends, 4); /* before, between and behind the messages */
}

static void what_a_server_refuses_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(bad_heads); i++) {
        told self;
        open_reader(&self, NULL);
        const torc_err err = feed(&self, bad_heads[i].bytes);
        if (!err) print_error("%s\n", bad_heads[i].name);
        assert_true(err == TORC_ERR_PEER || err == TORC_ERR_TOO_LARGE);
        assert_int_equal(torc_http1_reader_status(self.reader), bad_heads[i].status);
        assert_non_null(torc_http1_reader_problem(self.reader));
        check_err(feed(&self, TORC_STR("GET")), err);
        check_err(torc_http1_reader_end(self.reader), err);
        torc_http1_reader_free(self.reader);
    }
}

static void bad_chunks_are_refused(void **state) {
    told self;

    (void)state;
    open_reader(&self, NULL);
    check_err(
        feed(&self, TORC_STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "2\r\nabc")),
        TORC_ERR_PEER);
    assert_int_equal(torc_http1_reader_status(self.reader), 400);
    torc_http1_reader_free(self.reader);
    open_reader(&self, NULL);
    check_err(
        feed(&self, TORC_STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "0\r\nContent-Length: 1\r\n\r\n")),
        TORC_ERR_PEER);
    torc_http1_reader_free(self.reader);
}

static void limits_and_leniencies_are_chosen(void **state) {
    const torc_limits limits = {.size = sizeof(limits), .section_bytes_max = 60};
    const torc_http1_reader_options options = {.size = sizeof(options),
                                               .limits = &limits,
                                               .allow_bare_lf = true,
                                               .allow_folded_fields = true};
    told self;

    (void)state;
    open_reader(&self, &options);
    check_ok(feed(&self, TORC_STR("GET / HTTP/1.1\nHost: h\nA: b\n c\n\n")));
    assert_string_equal(self.text, "[GET / Host=h A=b c|]");
    check_err(feed(&self, TORC_STR("GET /234567890123456789012345678901234567890 HTTP/1.1\r\n"
                                   "Host: h\r\nA: b\r\n\r\n")),
              TORC_ERR_TOO_LARGE);
    assert_int_equal(torc_http1_reader_status(self.reader), 431);
    torc_http1_reader_free(self.reader);
}

/* ---- responses ---- */

static void responses_depend_on_what_was_asked(void **state) {
    told self;

    (void)state;
    open_reader(&self, &of_responses);
    torc_http1_reader_expect(self.reader, TORC_METHOD_HEAD);
    check_ok(feed(&self, TORC_STR("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
                                  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                                  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
                                  "HTTP/1.1 204 No\r\n\r\n")));
    assert_string_equal(self.text, "[103 Hints Link=x|][200 OK Content-Length=5|]"
                                   "[200 OK Content-Length=2|hi][204 No|]");
    check_ok(torc_http1_reader_end(self.reader));
    torc_http1_reader_free(self.reader);
}

static void a_body_may_last_to_the_end(void **state) {
    told self;

    (void)state;
    open_reader(&self, &of_responses);
    check_ok(feed(&self, TORC_STR("HTTP/1.0 200 OK\r\n\r\nall ")));
    check_ok(feed(&self, TORC_STR("of it")));
    assert_false(torc_http1_reader_is_delimited(self.reader));
    assert_false(torc_http1_reader_keeps_alive(self.reader));
    assert_string_equal(self.text, "[200 OK|all of it");
    check_ok(torc_http1_reader_end(self.reader));
    check_ok(torc_http1_reader_end(self.reader));
    assert_string_equal(self.text, "[200 OK|all of it]");
    torc_http1_reader_free(self.reader);

    open_reader(&self, &of_responses);
    self.frees_at_end = true;
    check_ok(feed(&self, TORC_STR("HTTP/1.0 200 OK\r\n\r\nx")));
    check_ok(torc_http1_reader_end(self.reader));
}

static void nothing_follows_the_last_message(void **state) {
    static const char *const last[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n"
        "\r\n",
        "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"};
    char bytes[200];
    size_t taken;
    told self;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(last); i++) {
        open_reader(&self, &of_responses);
        snprintf(bytes, sizeof(bytes), "%sother", last[i]);
        check_ok(torc_http1_reader_feed(self.reader, torc_str_of(bytes), &taken));
        assert_int_equal(taken, strlen(last[i]));
        check_ok(torc_http1_reader_feed(self.reader, TORC_STR("other"), &taken));
        assert_int_equal(taken, 0);
        check_ok(torc_http1_reader_end(self.reader));
        torc_http1_reader_free(self.reader);
    }
    open_reader(&self, &of_responses);
    torc_http1_reader_expect(self.reader, TORC_METHOD_CONNECT);
    check_ok(
        torc_http1_reader_feed(self.reader, TORC_STR("HTTP/1.1 200 OK\r\n\r\ntunnel"), &taken));
    assert_int_equal(taken, 19);
    torc_http1_reader_free(self.reader);
}

/* ---- in callbacks ---- */

static void a_callback_may_stop(void **state) {
    const torc_str whole = torc_str_of(two_requests);
    size_t at = 0, taken;
    told self;

    (void)state;
    open_reader(&self, NULL);
    self.stops = true;
    for (int heads = 1; heads <= 3; heads++) {
        check_ok(torc_http1_reader_feed(self.reader, torc_str_from(whole, at), &taken));
        at += taken;
        assert_int_equal(self.heads, heads);
    }
    check_ok(torc_http1_reader_feed(self.reader, torc_str_from(whole, at), &taken));
    assert_string_equal(self.text, as_told);
    torc_http1_reader_free(self.reader);
}

static void a_callback_may_free(void **state) {
    size_t taken;
    told self;

    (void)state;
    open_reader(&self, NULL);
    self.frees_in_head = true;
    check_ok(torc_http1_reader_feed(self.reader, torc_str_of(two_requests), &taken));
    assert_int_equal(self.heads, 1);
    assert_null(strchr(self.text, ']'));

    open_reader(&self, NULL);
    self.frees_at_end = true;
    check_ok(torc_http1_reader_feed(self.reader, torc_str_of(two_requests), &taken));
    assert_int_equal(self.heads, 1);
}

static torc_err read_all(torc_memory *memory, void *context) {
    const torc_str whole = torc_str_of(two_requests);
    told self = {0};
    size_t taken;

    (void)context;
    torc_err err = torc_http1_reader_new(memory, &ops, NULL, &self, &self.reader);
    if (err) return err;
    err = torc_http1_reader_feed(self.reader, torc_str_head(whole, 30), &taken);
    if (!err) err = torc_http1_reader_feed(self.reader, torc_str_from(whole, 30), &taken);
    if (err) assert_int_equal(err, TORC_ERR_NO_MEMORY);
    torc_http1_reader_free(self.reader);
    return err;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    faults_each(read_all, NULL);
}

/* ---- chunks as values ---- */

static void chunks_are_written_and_taken(void **state) {
    char bytes[100];
    torc_buf buf;
    torc_str rest, content;

    (void)state;
    torc_buf_init_fixed(&buf, bytes, sizeof(bytes));
    torc_chunk_encode(&buf, TORC_STR("hello, chunked world"));
    torc_chunk_encode(&buf, TORC_STR("x"));
    torc_chunk_encode(&buf, TORC_STR(""));
    check_str(torc_buf_str(&buf), "14\r\nhello, chunked world\r\n1\r\nx\r\n0\r\n\r\n");
    rest = torc_buf_str(&buf);
    check_ok(torc_chunk_decode(&rest, &content));
    check_str(content, "hello, chunked world");
    check_ok(torc_chunk_decode(&rest, &content));
    check_str(content, "x");
    check_ok(torc_chunk_decode(&rest, &content));
    assert_int_equal(content.len, 0);
    check_str(rest, "\r\n");
}

static void parts_of_a_chunk_are_none(void **state) {
    static const char *const bad[] = {"x\r\n", "1\r\nab\r\n", "-1\r\n", "1\nx\r\n", "1\r\nx\n\n"};
    const torc_str whole = TORC_STR("a;b=c\r\n0123456789\r\n");
    torc_str rest, content;

    (void)state;
    for (size_t len = 0; len < whole.len; len++) {
        rest = torc_str_head(whole, len);
        check_err(torc_chunk_decode(&rest, &content), TORC_ERR_AGAIN);
        assert_int_equal(rest.len, len);
    }
    rest = whole;
    check_ok(torc_chunk_decode(&rest, &content));
    check_str(content, "0123456789");
    assert_int_equal(rest.len, 0);
    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) {
        rest = torc_str_of(bad[i]);
        check_err(torc_chunk_decode(&rest, &content), TORC_ERR_SYNTAX);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_told_one_after_the_other),
        cmocka_unit_test(every_split_tells_the_same),
        cmocka_unit_test(every_prefix_is_a_beginning),
        cmocka_unit_test(what_a_server_refuses_is_refused),
        cmocka_unit_test(bad_chunks_are_refused),
        cmocka_unit_test(limits_and_leniencies_are_chosen),
        cmocka_unit_test(responses_depend_on_what_was_asked),
        cmocka_unit_test(a_body_may_last_to_the_end),
        cmocka_unit_test(nothing_follows_the_last_message),
        cmocka_unit_test(a_callback_may_stop),
        cmocka_unit_test(a_callback_may_free),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(chunks_are_written_and_taken),
        cmocka_unit_test(parts_of_a_chunk_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
