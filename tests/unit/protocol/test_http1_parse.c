/* SPDX-License-Identifier: MIT */
#include "bad_requests.h"
#include "faults.h"
#include "http1_world.h"

static void a_request_is_taken_apart(void **state) {
    const parsed got =
        REQUEST("POST /a%20b/c?d=e HTTP/1.1\r\nHost: a.example:81\r\nContent-Length:  12 "
                "\r\nX-Y:\tz\r\nEmpty:\r\n\r\nbody");

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

static void what_is_to_be_refused_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(bad_heads); i++) {
        const parsed got = parse(bad_heads[i].bytes);
        if (got.outcome != TORC_HTTP1_BAD || got.status != bad_heads[i].status)
            fail_msg("%s: outcome %d, status %d (%s)", bad_heads[i].name, (int)got.outcome,
                     got.status, got.problem ? got.problem : "");
    }
}

static void every_prefix_wants_more(void **state) {
    static const char text[] =
        "\r\nPUT /a?b HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\nA:  b \r\n\r\n";
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
    const given lf = {TORC_STR("GET / HTTP/1.1\nHost: a\n\n"), TORC_HTTP1_ALLOW_BARE_LF, false, 0,
                      false};
    const given fold = {TORC_STR("GET / HTTP/1.1\r\nHost: a\r\nA: b \r\n \t c\r\n\td\r\n\r\n"),
                        TORC_HTTP1_ALLOW_FOLD, false, 0, false};
    const given first = {TORC_STR("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), TORC_HTTP1_ALLOW_FOLD,
                         false, 0, false};

    (void)state;
    assert_int_equal(parse_input(&lf).outcome, TORC_HTTP1_DONE);
    const parsed folded = parse_input(&fold);
    assert_int_equal(folded.outcome, TORC_HTTP1_DONE);
    check_str(folded.head.fields.items[1].value, "b c d");
    assert_int_equal(parse_input(&first).outcome, TORC_HTTP1_BAD);
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
        if (strlen("GET / HTTP/1.1"
                   "Host: a"
                   "X: ") +
                len <=
            100)
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

static void bad_responses_are_refused(void **state) {
    static const torc_str cases[] = {
        TORC_STR_INIT("HTTP/2.0 200 OK\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 20 OK\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 2000 OK\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 099 OK\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1  200 OK\r\n\r\n"),
        TORC_STR_INIT("\r\nHTTP/1.1 200 OK\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 200 O\001K\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        TORC_STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const given input = {cases[i], 0, true, TORC_METHOD_GET, false};
        assert_int_equal(parse_input(&input).outcome, TORC_HTTP1_BAD);
    }
}

/* ---- legal inputs that are rare ---- */

static void what_is_legal_is_taken(void **state) {
    static const torc_str legal[] = {
        TORC_STR_INIT("\r\n" GET H "\r\n"),
        TORC_STR_INIT("!#$%&'*+-.^_`|~09aZ / HTTP/1.1\r\n" H "\r\n"),
        TORC_STR_INIT("get / HTTP/1.1\r\n" H "\r\n"),
        TORC_STR_INIT("GET / HTTP/1.0\r\n\r\n"),
        TORC_STR_INIT("GET / HTTP/1.0\r\nHost:\r\n\r\n"),
        TORC_STR_INIT("GET / HTTP/1.9\r\n" H "\r\n"),
        TORC_STR_INIT("OPTIONS * HTTP/1.1\r\n" H "\r\n"),
        TORC_STR_INIT("CONNECT a:443 HTTP/1.1\r\nHost:\r\n\r\n"),
        TORC_STR_INIT("TRACE / HTTP/1.1\r\n" H "\r\n"),
        TORC_STR_INIT("GET http://a HTTP/1.1\r\nHost:\r\n\r\n"),
        TORC_STR_INIT("GET /?a=[b]&c=|{}\\^`\"<> HTTP/1.1\r\n" H "\r\n"),
        TORC_STR_INIT(GET "Host: [::1]:8080\r\n\r\n"),
        TORC_STR_INIT(GET "Host: a:\r\n\r\n"),
        TORC_STR_INIT(GET "hOsT:a\r\n\r\n"),
        TORC_STR_INIT(GET H "!#$%&'*+-.^_`|~09aZ: x\r\n\r\n"),
        TORC_STR_INIT(GET H "A:\r\nB: \t \r\nC:c\r\nD:\t d\te \r\n\r\n"),
        TORC_STR_INIT(GET H "A: \200\377 \303\244\r\n\r\n"),
        TORC_STR_INIT(GET H "A: ::, \"quoted; \\\" (not (closed\r\n\r\n"),
        TORC_STR_INIT("POST / HTTP/1.1\r\n" H
                      "Content-Length: 0000000000000000000000000012\r\n\r\n"),
        TORC_STR_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775807\r\n\r\n"),
        TORC_STR_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\tCHUNKED \r\n\r\n"),
        TORC_STR_INIT("POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n"),
        TORC_STR_INIT("POST / HTTP/1.0\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n"),
        TORC_STR_INIT(GET H "Expect:\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(legal); i++) {
        const parsed got = parse(legal[i]);
        if (got.outcome != TORC_HTTP1_DONE)
            fail_msg("refused: %.*s: %s", TORC_STR_ARGS(legal[i]),
                     got.problem ? got.problem : "more is wanted");
        assert_int_equal(got.head_len, legal[i].len);
    }
}

/* Each byte at each place of a request makes the same of it, however it comes. */
static void each_byte_at_each_place(void **state) {
    static const char text[] = "GET /a?b HTTP/1.1\r\nHost: a\r\nAbc: defghijklmnop\r\n\r\n";
    const size_t len = sizeof(text) - 1;

    (void)state;
    for (size_t at = 0; at < len; at++)
        for (int c = 0; c < 256; c++) {
            char changed[sizeof(text)];
            memcpy(changed, text, sizeof(text));
            changed[at] = (char)c;
            const given input = {.bytes = torc_str_make(changed, len)};
            const parsed whole = parse_by(&input, &len, 1);
            describe(&whole, whole_text);
            check_steps(&input, 1);
            const size_t ends[] = {at, at + 1, len};
            check_by(&input, ends, 3);
            torc_arena_dispose(&the->arena);
        }
}

static void bytes_behind_a_head_are_left(void **state) {
    const parsed got = REQUEST(GET H "\r\nGET /next HTTP/1.1\r\n");

    (void)state;
    assert_int_equal(got.outcome, TORC_HTTP1_DONE);
    assert_int_equal(got.head_len, strlen(GET H "\r\n"));
}

static void leniencies_allow_nothing_else(void **state) {
    enum {
        BOTH = TORC_HTTP1_ALLOW_BARE_LF | TORC_HTTP1_ALLOW_FOLD
    };
    static const given refused[] = {
        {TORC_STR_INIT("GET / HTTP/1.1\rHost: a\n\n"), BOTH, false, 0, false},
        {TORC_STR_INIT("GET / HTTP/1.1\nHost: a\nA: b\rc\n\n"), BOTH, false, 0, false},
        {TORC_STR_INIT("GET /\nHost: a\n\n"), BOTH, false, 0, false},
        {TORC_STR_INIT("\n\nGET / HTTP/1.1\nHost: a\n\n"), BOTH, false, 0, false},
        {TORC_STR_INIT("GET / HTTP/1.1\n A: b\nHost: a\n\n"), BOTH, false, 0, false},
        {TORC_STR_INIT("GET / HTTP/1.1\nHost: a\n A: b\n\n"), TORC_HTTP1_ALLOW_BARE_LF, false, 0,
         false},
        {TORC_STR_INIT("GET / HTTP/1.1\nHost: a\r\n\r\n"), TORC_HTTP1_ALLOW_FOLD, false, 0, false},
        {TORC_STR_INIT(GET "Host: a\r\n b\r\n\r\n"), BOTH, false, 0, false},
        {TORC_STR_INIT(GET H "Content-Length: 1\r\n 0\r\n\r\n"), BOTH, false, 0, false},
        {TORC_STR_INIT(GET H "A: b\r\n \001\r\n\r\n"), BOTH, false, 0, false},
        {TORC_STR_INIT(GET H "A\r\n : b\r\n\r\n"), BOTH, false, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(refused); i++) {
        const parsed got = parse_input(&refused[i]);
        if (got.outcome != TORC_HTTP1_BAD || got.status != 400) fail_msg("taken: number %zu", i);
    }
}

static void line_ends_may_be_mixed_with_leave(void **state) {
    const given mixed = {TORC_STR("\nGET / HTTP/1.1\r\nHost: a\nA:\nB: c \r\n\n"),
                         TORC_HTTP1_ALLOW_BARE_LF, false, 0, false};
    const parsed got = parse_input(&mixed);

    (void)state;
    assert_int_equal(got.outcome, TORC_HTTP1_DONE);
    assert_int_equal(got.head.fields.count, 3);
    check_str(got.head.fields.items[1].value, "");
    check_str(got.head.fields.items[2].value, "c");
}

/* ---- limits ---- */

static void limits_may_be_lifted(void **state) {
    static char text[WORLD_BYTES_MAX];
    char *at = text + sprintf(text, "GET /");

    (void)state;
    the->limits.request_line_bytes_max = the->limits.section_bytes_max = TORC_UNLIMITED;
    the->limits.fields_max = TORC_UNLIMITED;
    memset(at, 'a', 60000);
    at += 60000;
    at += sprintf(at, " HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 3000; i++) at += sprintf(at, "F%d: %d\r\n", i, i);
    at += sprintf(at, "\r\n");
    const size_t ends[] = {1, 70000, (size_t)(at - text)};
    const given input = {.bytes = torc_str_make(text, (size_t)(at - text))};
    const parsed got = parse_by(&input, ends, 3);
    assert_int_equal(got.outcome, TORC_HTTP1_DONE);
    assert_int_equal(got.head.fields.count, 3001);
    check_str(got.head.fields.items[3000].value, "2999");
}

static void names_have_a_limit_of_their_own(void **state) {
    static char text[WORLD_BYTES_MAX];

    (void)state;
    the->limits.section_bytes_max = TORC_UNLIMITED;
    for (size_t len = UINT16_MAX - 1; len <= UINT16_MAX + 1; len++) {
        char *at = text + sprintf(text, GET H);
        memset(at, 'a', len);
        at += len;
        at += sprintf(at, ": b\r\n\r\n");
        const size_t ends[] = {100, (size_t)(at - text)};
        const given input = {.bytes = torc_str_make(text, ends[1])};
        for (size_t from = 0; from < 2; from++) {
            const parsed got = parse_by(&input, ends + from, 2 - from);
            if (len > UINT16_MAX)
                assert_int_equal(got.status, 431);
            else
                assert_int_equal(got.head.fields.items[1].name.len, len);
        }
    }
}

/* Folded lines count as others do. */
static void folded_lines_are_limited(void **state) {
    char text[2000], *at = text + sprintf(text, GET H "A: b\r\n");

    (void)state;
    the->limits.section_bytes_max = 200;
    for (int i = 0; i < 100; i++) at += sprintf(at, " c\r\n");
    at += sprintf(at, "\r\n");
    const given input = {torc_str_make(text, (size_t)(at - text)), TORC_HTTP1_ALLOW_FOLD, false, 0,
                         false};
    assert_int_equal(parse_input(&input).status, 431);
}

static void blanks_are_limited(void **state) {
    char text[1000], *at = text + sprintf(text, GET H "A:");

    (void)state;
    the->limits.section_bytes_max = 200;
    memset(at, ' ', 500);
    const given input = {.bytes = torc_str_make(text, (size_t)(at - text) + 500)};
    assert_int_equal(parse_input(&input).status, 431);
}

static void a_status_line_is_limited_as_a_section(void **state) {
    char text[1000], *at = text + sprintf(text, "HTTP/1.1 200 ");

    (void)state;
    the->limits.section_bytes_max = 200;
    memset(at, 'a', 500);
    const given input = {torc_str_make(text, (size_t)(at - text) + 500), 0, true, TORC_METHOD_GET,
                         false};
    const parsed got = parse_input(&input);
    assert_int_equal(got.outcome, TORC_HTTP1_BAD);
    assert_int_equal(got.status, 502);
}

/* ---- trailers ---- */

static parsed trailers(torc_str bytes) {
    const given input = {.bytes = bytes, .is_trailers = true};
    return parse_input(&input);
}

static void trailers_are_fields_alone(void **state) {
    (void)state;
    parsed got = trailers(TORC_STR("\r\n"));
    assert_int_equal(got.outcome, TORC_HTTP1_DONE);
    assert_int_equal(got.head_len, 2);
    assert_int_equal(got.head.fields.count, 0);
    got = trailers(TORC_STR("A: b\r\nETag:  \"c\" \r\n\r\nGET / HTTP/1.1\r\n"));
    assert_int_equal(got.outcome, TORC_HTTP1_DONE);
    assert_int_equal(got.head.fields.count, 2);
    check_str(got.head.fields.items[1].value, "\"c\"");
    assert_int_equal(trailers(TORC_STR("A: b\r\n")).outcome, TORC_HTTP1_MORE);
}

static void trailers_are_as_strict(void **state) {
    static const torc_str cases[] = {
        TORC_STR_INIT("\n"),
        TORC_STR_INIT("\rA"),
        TORC_STR_INIT("A: b\n\r\n"),
        TORC_STR_INIT("A : b\r\n\r\n"),
        TORC_STR_INIT(" A: b\r\n\r\n"),
        TORC_STR_INIT("A: b\r\n c\r\n\r\n"),
        TORC_STR_INIT("A: \0\r\n\r\n"),
        TORC_STR_INIT(": b\r\n\r\n"),
        TORC_STR_INIT("Host: a\r\n\r\n"),
        TORC_STR_INIT("A: b\r\ncontent-length: 1\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++)
        assert_int_equal(trailers(cases[i]).status, 400);
}

static void trailers_have_their_own_limit(void **state) {
    char text[400];

    (void)state;
    the->limits.section_bytes_max = 10;
    the->limits.trailers_bytes_max = 100;
    for (size_t len = 95; len < 110; len++) {
        char *at = text + sprintf(text, "A: ");
        memset(at, 'a', len - 3);
        at += len - 3;
        at += sprintf(at, "\r\n\r\n");
        assert_int_equal(trailers(torc_str_make(text, (size_t)(at - text))).status,
                         len > 100 ? 431 : 0);
    }
}

/* ---- memory ---- */

/* Many fields, so that the spans move more than once. */
static torc_err parse_many(torc_memory *memory, void *context) {
    const torc_str text = *(const torc_str *)context;
    torc_page_pool pages;
    torc_arena arena;
    torc_http1_parser parser;

    torc_page_pool_init(&pages, memory, 0);
    torc_arena_init(&arena, &pages, 1 << 20);
    torc_http1_parser_init(&parser, &arena, &the->limits, false, 0);
    const torc_http1_outcome outcome = torc_http1_parse(&parser, text);
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    if (outcome == TORC_HTTP1_DONE) return TORC_OK;
    assert_int_equal(outcome, TORC_HTTP1_BAD);
    assert_int_equal(parser.status, 503);
    return TORC_ERR_NO_MEMORY;
}

static void out_of_memory_is_a_503(void **state) {
    static char text[8000];
    char *at = text + sprintf(text, GET H);
    torc_str whole;

    (void)state;
    for (int i = 0; i < 400; i++) at += sprintf(at, "A: b\r\n");
    at += sprintf(at, "\r\n");
    whole = torc_str_make(text, (size_t)(at - text));
    faults_each(parse_many, &whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_taken_apart),
        TEST(what_is_to_be_refused_is_refused),
        TEST(what_is_legal_is_taken),
        TEST(each_byte_at_each_place),
        TEST(bytes_behind_a_head_are_left),
        TEST(every_prefix_wants_more),
        TEST(leniencies_are_by_name),
        TEST(leniencies_allow_nothing_else),
        TEST(line_ends_may_be_mixed_with_leave),
        TEST(the_request_line_has_a_limit),
        TEST(the_section_has_a_limit),
        TEST(the_number_of_fields_has_a_limit),
        TEST(mistakes_behind_a_limit_are_not_seen),
        TEST(limits_may_be_lifted),
        TEST(names_have_a_limit_of_their_own),
        TEST(folded_lines_are_limited),
        TEST(blanks_are_limited),
        TEST(a_status_line_is_limited_as_a_section),
        TEST(bad_responses_are_refused),
        TEST(trailers_are_fields_alone),
        TEST(trailers_are_as_strict),
        TEST(trailers_have_their_own_limit),
        TEST(out_of_memory_is_a_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
