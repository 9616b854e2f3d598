/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/page.h"
#include "check.h"
#include "protocol/http1/parse.h"

/* What became of an input: the same, however it is split. */
typedef struct parsed {
    torc_http1_outcome outcome;
    int status;
    const char *problem;
    torc_head head;
    torc_http1_framing framing;
    uint32_t head_len;
} parsed;

typedef struct world {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_limits limits;
    char bytes[70000];
} world;

static world *the;

static int set_up(void **state) {
    static world self;
    (void)state;
    the = &self;
    torc_memory_init(&self.memory, 0);
    torc_page_pool_init(&self.pages, &self.memory, 16);
    torc_arena_init(&self.arena, &self.pages, 1 << 22);
    self.limits = torc_limits_default();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_arena_dispose(&the->arena);
    torc_page_pool_dispose(&the->pages);
    assert_int_equal(the->memory.used_total, 0);
    return 0;
}

typedef struct given {
    torc_str bytes;
    unsigned flags;
    bool is_response;
    torc_method method; /* of the request that a response answers */
} given;

/* Present `step` bytes more each time, each time in another place. */
static parsed parse_in_steps(const given *input, size_t step) {
    parsed result = {.outcome = TORC_HTTP1_MORE};
    torc_http1_parser parser;
    char *bytes = NULL;

    torc_http1_parser_init(&parser, &the->arena, &the->limits, input->is_response, input->flags);
    for (size_t len = step; result.outcome == TORC_HTTP1_MORE; len += step) {
        const size_t now = len < input->bytes.len ? len : input->bytes.len;
        free(bytes);
        bytes = malloc(now ? now : 1); /* its end is guarded by the sanitizer */
        memcpy(bytes, input->bytes.bytes, now);
        result.outcome = torc_http1_parse(&parser, torc_str_make(bytes, now));
        if (now == input->bytes.len) break;
    }
    if (result.outcome == TORC_HTTP1_DONE) {
        result.head_len = parser.head_len;
        memcpy(the->bytes, bytes, parser.head_len);
        result.outcome = input->is_response
                             ? torc_http1_take_response(&parser, the->bytes, input->method, &result.head, &result.framing)
                             : torc_http1_take_request(&parser, the->bytes, &result.head, &result.framing);
    }
    if (result.outcome == TORC_HTTP1_BAD) {
        result.status = parser.status;
        result.problem = parser.problem;
    }
    free(bytes);
    return result;
}

static void check_same(const parsed *a, const parsed *b) {
    assert_int_equal(a->outcome, b->outcome);
    assert_int_equal(a->status, b->status);
    assert_ptr_equal(a->problem, b->problem);
    assert_int_equal(a->head_len, b->head_len);
    assert_int_equal(a->head.fields.count, b->head.fields.count);
    assert_memory_equal(&a->framing, &b->framing, sizeof(a->framing));
}

static parsed parse_input(const given *input) {
    const parsed whole = parse_in_steps(input, input->bytes.len ? input->bytes.len : 1);

    for (size_t step = 1; step < 8 && step < input->bytes.len; step++) {
        const parsed split = parse_in_steps(input, step);
        check_same(&whole, &split);
    }
    return whole;
}

static parsed parse(torc_str bytes) {
    const given input = {.bytes = bytes};
    return parse_input(&input);
}

#define REQUEST(text) parse(TORC_STR(text))

static void a_request_is_taken_apart(void **state) {
    const parsed got = REQUEST("POST /a%20b/c?d=e HTTP/1.1\r\nHost: a.example:81\r\nContent-Length:  12 \r\nX-Y:\tz\r\nEmpty:\r\n\r\nbody");

    (void)state;
    assert_int_equal(got.outcome, TORC_HTTP1_DONE);
    assert_int_equal(got.head.method, TORC_METHOD_POST);
    check_str(got.head.target.path, "/a%20b/c");
    check_str(got.head.target.query, "d=e");
    assert_int_equal(got.head.version, 11);
    assert_int_equal(got.head.body_len, 12);
    assert_int_equal(got.head.fields.count, 4);
    check_str(got.head.fields.items[2].name, "X-Y");
    check_str(got.head.fields.items[2].value, "z");
    check_str(got.head.fields.items[3].value, "");
    assert_int_equal(got.head.fields.items[0].id, TORC_FIELD_HOST);
    assert_true(got.framing.keeps_alive);
}

#define H "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n"

static const struct {
    const char *name;
    torc_str bytes;
    int status;
} refused[] = {
#define CASE(name, text, status) {name, TORC_STR_INIT(text), status}
    CASE("bare CR in a value", GET H "A: b\rc\r\n\r\n", 400),
    CASE("bare CR as a line end", GET "Host: a\rA: b\r\n\r\n", 400),
    CASE("bare LF", GET "Host: a\nA: b\r\n\r\n", 400),
    CASE("bare LF at the end", GET H "\n", 400),
    CASE("bare LF in the first line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    CASE("NUL in a value", GET H "A: b\0c\r\n\r\n", 400),
    CASE("NUL in a name", GET H "A\0: b\r\n\r\n", 400),
    CASE("control in a value", GET H "A: \001\r\n\r\n", 400),
    CASE("DEL in a value", GET H "A: \177\r\n\r\n", 400),
    CASE("obs-fold", GET H "A: b\r\n c\r\n\r\n", 400),
    CASE("space before the colon", GET H "A : b\r\n\r\n", 400),
    CASE("tab before the colon", GET H "A\t: b\r\n\r\n", 400),
    CASE("space before the first field", GET " Host: a\r\n\r\n", 400),
    CASE("empty field name", GET H ": b\r\n\r\n", 400),
    CASE("separator in a field name", GET H "A(b: c\r\n\r\n", 400),
    CASE("obs-text in a field name", GET H "A\303\244: c\r\n\r\n", 400),
    CASE("a line without a colon", GET H "Abc\r\n\r\n", 400),
    CASE("no Host", GET "A: b\r\n\r\n", 400),
    CASE("no fields", GET "\r\n", 400),
    CASE("two Hosts", GET H H "\r\n", 400),
    CASE("two Hosts in 1.0", "GET / HTTP/1.0\r\n" H H "\r\n", 400),
    CASE("empty Host", GET "Host:\r\n\r\n", 400),
    CASE("Host with userinfo", GET "Host: u@a\r\n\r\n", 400),
    CASE("Host with a bad port", GET "Host: a:b\r\n\r\n", 400),
    CASE("Host with a large port", GET "Host: a:65536\r\n\r\n", 400),
    CASE("Host with a space", GET "Host: a b\r\n\r\n", 400),
    CASE("Host with a slash", GET "Host: a/b\r\n\r\n", 400),
    CASE("Host that is a list", GET "Host: a, b\r\n\r\n", 400),
    CASE("Host with half a bracket", GET "Host: [::1\r\n\r\n", 400),
    CASE("negative length", GET H "Content-Length: -1\r\n\r\n", 400),
    CASE("signed length", GET H "Content-Length: +1\r\n\r\n", 400),
    CASE("list of lengths", GET H "Content-Length: 1, 1\r\n\r\n", 400),
    CASE("repeated length", GET H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
    CASE("empty length", GET H "Content-Length:\r\n\r\n", 400),
    CASE("length with junk", GET H "Content-Length: 1x\r\n\r\n", 400),
    CASE("hexadecimal length", GET H "Content-Length: 0x1\r\n\r\n", 400),
    CASE("length that overflows", GET H "Content-Length: 9223372036854775808\r\n\r\n", 400),
    CASE("length that overflows much", GET H "Content-Length: 99999999999999999999999999\r\n\r\n", 400),
    CASE("length and coding", GET H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    CASE("empty coding", GET H "Transfer-Encoding:\r\n\r\n", 400),
    CASE("malformed coding", GET H "Transfer-Encoding: chun ked\r\n\r\n", 400),
    CASE("chunked twice", GET H "Transfer-Encoding: chunked, chunked\r\n\r\n", 400),
    CASE("chunked in two fields", GET H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    CASE("chunked not last", GET H "Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
    CASE("unknown coding", GET H "Transfer-Encoding: gzip, chunked\r\n\r\n", 400),
    CASE("identity", GET H "Transfer-Encoding: identity\r\n\r\n", 400),
    CASE("chunked with a parameter", GET H "Transfer-Encoding: chunked;a=b\r\n\r\n", 400),
    CASE("chunked with a vertical tab", GET H "Transfer-Encoding: \013chunked\r\n\r\n", 400),
    CASE("coding in 1.0", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 400),
    CASE("fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", 400),
    CASE("control in the target", "GET /\001 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("NUL in the target", "GET /\0 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("DEL in the target", "GET /\177 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("high byte in the target", "GET /\303\244 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("bad escape", "GET /%zz HTTP/1.1\r\n" H "\r\n", 400),
    CASE("short escape", "GET /%a HTTP/1.1\r\n" H "\r\n", 400),
    CASE("escaped NUL", "GET /%00 HTTP/1.1\r\n" H "\r\n", 400),
    CASE("no slash", "GET a HTTP/1.1\r\n" H "\r\n", 400),
    CASE("asterisk of GET", "GET * HTTP/1.1\r\n" H "\r\n", 400),
    CASE("CONNECT without a port", "CONNECT a HTTP/1.1\r\n" H "\r\n", 400),
    CASE("CONNECT with a path", "CONNECT /a HTTP/1.1\r\n" H "\r\n", 400),
    CASE("userinfo in an absolute target", "GET http://u:p@a/ HTTP/1.1\r\n" H "\r\n", 400),
    CASE("no authority in an absolute target", "GET http:///a HTTP/1.1\r\n" H "\r\n", 400),
    CASE("no version", "GET /\r\n" H "\r\n", 400),
    CASE("no version, a space", "GET / \r\n" H "\r\n", 400),
    CASE("two spaces", "GET  / HTTP/1.1\r\n" H "\r\n", 400),
    CASE("two spaces behind", "GET /  HTTP/1.1\r\n" H "\r\n", 400),
    CASE("tab as a separator", "GET\t/ HTTP/1.1\r\n" H "\r\n", 400),
    CASE("space at the end", "GET / HTTP/1.1 \r\n" H "\r\n", 400),
    CASE("small letters", "GET / http/1.1\r\n" H "\r\n", 400),
    CASE("long version", "GET / HTTP/1.10\r\n" H "\r\n", 400),
    CASE("version 2", "GET / HTTP/2.0\r\n" H "\r\n", 505),
    CASE("version 0.9", "GET / HTTP/0.9\r\n" H "\r\n", 505),
    CASE("method with a separator", "G{T / HTTP/1.1\r\n" H "\r\n", 400),
    CASE("no method", " / HTTP/1.1\r\n" H "\r\n", 400),
    CASE("two empty lines", "\r\n\r\n" GET H "\r\n", 400),
    CASE("TLS hello", "\026\003\001\002", 400),
    CASE("unknown expectation", GET H "Expect: tea\r\n\r\n", 417),
    CASE("unknown expectation beside a known", GET H "Expect: 100-continue, tea\r\n\r\n", 417),
#undef CASE
};

static void what_is_to_be_refused_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(refused); i++) {
        const parsed got = parse(refused[i].bytes);
        if (got.outcome != TORC_HTTP1_BAD || got.status != refused[i].status)
            fail_msg("%s: outcome %d, status %d (%s)", refused[i].name, (int)got.outcome, got.status,
                     got.problem ? got.problem : "");
        assert_non_null(got.problem);
    }
}

static void every_prefix_wants_more(void **state) {
    static const char text[] = "\r\nPUT /a?b HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\nA:  b \r\n\r\n";
    const size_t len = sizeof(text) - 1;

    (void)state;
    for (size_t i = 0; i < len; i++) {
        const parsed got = parse(torc_str_make(text, i));
        assert_int_equal(got.outcome, TORC_HTTP1_MORE);
    }
    const parsed got = parse(torc_str_make(text, len));
    assert_int_equal(got.outcome, TORC_HTTP1_DONE);
    assert_int_equal(got.head_len, len);
    assert_true(got.framing.is_chunked);
    assert_int_equal(got.head.body_len, -1);
}

static void leniencies_are_by_name(void **state) {
    const given lf = {TORC_STR("GET / HTTP/1.1\nHost: a\n\n"), TORC_HTTP1_ALLOW_BARE_LF, false, 0};
    const given fold = {TORC_STR("GET / HTTP/1.1\r\nHost: a\r\nA: b \r\n \t c\r\n\td\r\n\r\n"), TORC_HTTP1_ALLOW_FOLD, false, 0};
    const given first = {TORC_STR("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), TORC_HTTP1_ALLOW_FOLD, false, 0};

    (void)state;
    assert_int_equal(parse_input(&lf).outcome, TORC_HTTP1_DONE);
    const parsed folded = parse_input(&fold);
    assert_int_equal(folded.outcome, TORC_HTTP1_DONE);
    check_str(folded.head.fields.items[1].value, "b c d");
    assert_int_equal(parse_input(&first).outcome, TORC_HTTP1_BAD);
}

static void connections_are_kept_by_version_and_field(void **state) {
    static const struct {
        torc_str bytes;
        bool keeps;
    } cases[] = {
        {TORC_STR_INIT(GET H "\r\n"), true},
        {TORC_STR_INIT(GET H "Connection: close\r\n\r\n"), false},
        {TORC_STR_INIT(GET H "Connection: a, CLOSE , b\r\n\r\n"), false},
        {TORC_STR_INIT(GET H "Connection: a\r\nConnection: close\r\n\r\n"), false},
        {TORC_STR_INIT(GET H "Connection: closed\r\n\r\n"), true},
        {TORC_STR_INIT("GET / HTTP/1.0\r\n\r\n"), false},
        {TORC_STR_INIT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), true},
        {TORC_STR_INIT("GET / HTTP/1.9\r\nHost: a\r\n\r\n"), true},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const parsed got = parse(cases[i].bytes);
        assert_int_equal(got.outcome, TORC_HTTP1_DONE);
        assert_int_equal(got.framing.keeps_alive, cases[i].keeps);
    }
}

/* The edge of a limit: `len` bytes of request line, section or number of fields. */
static parsed with_line(size_t len) {
    static char text[70000];
    const size_t fixed = strlen("GET / HTTP/1.1");
    char *at = text;

    at += sprintf(at, "GET /");
    memset(at, 'a', len - fixed);
    at += len - fixed;
    at += sprintf(at, " HTTP/1.1\r\nHost: a\r\n\r\n");
    return parse(torc_str_make(text, (size_t)(at - text)));
}

static void the_request_line_has_a_limit(void **state) {
    (void)state;
    the->limits.request_line_bytes_max = 100;
    assert_int_equal(with_line(99).outcome, TORC_HTTP1_DONE);
    assert_int_equal(with_line(100).outcome, TORC_HTTP1_DONE);
    assert_int_equal(with_line(101).status, 414);
    assert_int_equal(with_line(5000).status, 414);
}

static void the_section_has_a_limit(void **state) {
    char text[400];

    (void)state;
    the->limits.section_bytes_max = 100;
    for (size_t len = 1; len < 120; len++) {
        char *at = text + sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
        memset(at, 'a', len);
        at += len;
        at += sprintf(at, "\r\n\r\n");
        const parsed got = parse(torc_str_make(text, (size_t)(at - text)));
        if (strlen("GET / HTTP/1.1" "Host: a" "X: ") + len <= 100)
            assert_int_equal(got.outcome, TORC_HTTP1_DONE);
        else
            assert_int_equal(got.status, 431);
    }
}

static void the_number_of_fields_has_a_limit(void **state) {
    static char text[8000];

    (void)state;
    the->limits.fields_max = 40;
    for (int count = 38; count <= 42; count++) {
        char *at = text + sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (int i = 1; i < count; i++) at += sprintf(at, "F%d: %d\r\n", i, i);
        at += sprintf(at, "\r\n");
        const parsed got = parse(torc_str_make(text, (size_t)(at - text)));
        if (count > 40)
            assert_int_equal(got.status, 431);
        else
            assert_int_equal(got.head.fields.count, count);
    }
}

static void mistakes_behind_a_limit_are_not_seen(void **state) {
    static char text[300];

    (void)state;
    the->limits.request_line_bytes_max = 100;
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET /", 5);
    text[90] = '\001';
    assert_int_equal(parse(torc_str_make(text, 300)).status, 400);
    text[90] = 'a';
    text[200] = '\001';
    assert_int_equal(parse(torc_str_make(text, 300)).status, 414);
}

static void responses_say_how_their_body_ends(void **state) {
    static const struct {
        torc_str bytes;
        torc_method method;
        int64_t body_len;
        bool until_close, keeps_alive;
    } cases[] = {
        {TORC_STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), TORC_METHOD_GET, 5, false, true},
        {TORC_STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), TORC_METHOD_HEAD, 0, false, true},
        {TORC_STR_INIT("HTTP/1.1 200 OK\r\n\r\n"), TORC_METHOD_GET, -1, true, false},
        {TORC_STR_INIT("HTTP/1.1 204\r\n\r\n"), TORC_METHOD_GET, 0, false, true},
        {TORC_STR_INIT("HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n"), TORC_METHOD_GET, 0, false, true},
        {TORC_STR_INIT("HTTP/1.1 100 Continue\r\n\r\n"), TORC_METHOD_POST, 0, false, true},
        {TORC_STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), TORC_METHOD_GET, -1, false, true},
        {TORC_STR_INIT("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), TORC_METHOD_GET, 0, false, false},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const given input = {cases[i].bytes, 0, true, cases[i].method};
        const parsed got = parse_input(&input);
        assert_int_equal(got.outcome, TORC_HTTP1_DONE);
        assert_int_equal(got.framing.body_len, cases[i].body_len);
        assert_int_equal(got.framing.until_close, cases[i].until_close);
        assert_int_equal(got.framing.keeps_alive, cases[i].keeps_alive);
    }
}

static void bad_responses_are_refused(void **state) {
    static const torc_str cases[] = {
        TORC_STR_INIT("HTTP/2.0 200 OK\r\n\r\n"),       TORC_STR_INIT("HTTP/1.1 20 OK\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 2000 OK\r\n\r\n"),      TORC_STR_INIT("HTTP/1.1 099 OK\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1  200 OK\r\n\r\n"),      TORC_STR_INIT("\r\nHTTP/1.1 200 OK\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 200 O\001K\r\n\r\n"),   TORC_STR_INIT("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const given input = {cases[i], 0, true, TORC_METHOD_GET};
        assert_int_equal(parse_input(&input).outcome, TORC_HTTP1_BAD);
    }
}

static void out_of_memory_is_a_503(void **state) {
    torc_arena none;
    torc_http1_parser parser;
    char text[2000], *at = text + sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");

    (void)state;
    for (int i = 0; i < 40; i++) at += sprintf(at, "A: b\r\n");
    at += sprintf(at, "\r\n");
    torc_arena_init(&none, &the->pages, 0);
    torc_http1_parser_init(&parser, &none, &the->limits, false, 0);
    assert_int_equal(torc_http1_parse(&parser, torc_str_make(text, (size_t)(at - text))), TORC_HTTP1_BAD);
    assert_int_equal(parser.status, 503);
    torc_arena_dispose(&none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_taken_apart),
        TEST(what_is_to_be_refused_is_refused),
        TEST(every_prefix_wants_more),
        TEST(leniencies_are_by_name),
        TEST(connections_are_kept_by_version_and_field),
        TEST(the_request_line_has_a_limit),
        TEST(the_section_has_a_limit),
        TEST(the_number_of_fields_has_a_limit),
        TEST(mistakes_behind_a_limit_are_not_seen),
        TEST(responses_say_how_their_body_ends),
        TEST(bad_responses_are_refused),
        TEST(out_of_memory_is_a_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
