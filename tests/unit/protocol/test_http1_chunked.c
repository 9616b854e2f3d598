/* SPDX-License-Identifier: MIT */
#include "protocol/http1/chunked.h"

#include <stdio.h>

#include "bad_requests.h"
#include "guarded.h"

enum {
    LINE_MAX_BYTES = 100,
    OUT_MAX = 4096
};

/* What became of a body: the same, however it is split and asked for. */
typedef struct decoded {
    torc_chunked_outcome outcome;
    char content[OUT_MAX];
    size_t len, taken;
    const char *problem;
} decoded;

static guarded memory;

static int set_up(void **state) {
    (void)state;
    memory = guarded_new(2);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    guarded_free(&memory);
    return 0;
}

/* Decode the pieces that end at `ends`, with at most `ask` bytes of content at a time. */
static decoded decode_by(torc_str bytes, const size_t *ends, size_t count, size_t ask) {
    torc_chunked_decoder decoder;
    decoded result = {.outcome = TORC_CHUNKED_MORE};
    size_t start = 0;

    torc_chunked_decoder_init(&decoder, LINE_MAX_BYTES);
    for (size_t i = 0; i < count && result.outcome == TORC_CHUNKED_MORE; start = ends[i++]) {
        torc_str piece =
                     guarded_at_end(&memory, torc_str_make(bytes.bytes + start, ends[i] - start)),
                 content;
        do {
            size_t taken;
            result.outcome = torc_chunked_decode(&decoder, piece, ask, &taken, &content);
            assert_true(taken <= piece.len);
            piece = torc_str_from(piece, taken);
            result.taken += taken;
            if (result.outcome != TORC_CHUNKED_CONTENT) continue;
            assert_in_range(content.len, 1, ask);
            memcpy(result.content + result.len, content.bytes, content.len);
            result.len += content.len;
        } while (result.outcome == TORC_CHUNKED_CONTENT);
        if (result.outcome == TORC_CHUNKED_MORE) assert_int_equal(piece.len, 0);
    }
    if (result.outcome == TORC_CHUNKED_BAD) result.problem = decoder.problem;
    return result;
}

static void check_by(const decoded *whole, torc_str bytes, const size_t *ends, size_t count,
                     size_t ask) {
    const decoded split = decode_by(bytes, ends, count, ask);

    assert_int_equal(split.outcome, whole->outcome);
    assert_int_equal(split.len, whole->len);
    assert_memory_equal(split.content, whole->content, whole->len);
    assert_int_equal(split.taken, whole->taken);
    assert_ptr_equal(split.problem, whole->problem);
}

static decoded decode(torc_str bytes) {
    const decoded whole = decode_by(bytes, &bytes.len, 1, SIZE_MAX);
    static size_t ends[OUT_MAX];

    for (size_t cut = 0; cut <= bytes.len; cut++) {
        const size_t both[] = {cut, bytes.len};
        check_by(&whole, bytes, both, 2, SIZE_MAX);
        check_by(&whole, bytes, both, 2, 3);
    }
    for (size_t step = 1; step < 6; step++) {
        size_t count = 0;
        for (size_t at = step; at < bytes.len; at += step) ends[count++] = at;
        ends[count++] = bytes.len;
        check_by(&whole, bytes, ends, count, step);
    }
    return whole;
}

static torc_str content_of(const decoded *result) {
    return torc_str_make(result->content, result->len);
}

static void chunks_are_joined(void **state) {
    (void)state;
    const decoded got =
        decode(TORC_STR("5\r\nhello\r\n2\r\n, \r\n0000A\r\n0123456789\r\n0\r\nA: b\r\n\r\n"));
    assert_int_equal(got.outcome, TORC_CHUNKED_LAST);
    check_str(content_of(&got), "hello, 0123456789");
    assert_int_equal(got.taken, strlen("5\r\nhello\r\n2\r\n, \r\n0000A\r\n0123456789\r\n0\r\n"));
    const decoded empty = decode(TORC_STR("000\r\n\r\n"));
    assert_int_equal(empty.outcome, TORC_CHUNKED_LAST);
    assert_int_equal(empty.len, 0);
}

static void content_may_be_any_bytes(void **state) {
    const decoded got = decode(TORC_STR("9\r\n\0\r\n0\r\n\r\n\377\r\n0\r\n"));

    (void)state;
    assert_int_equal(got.outcome, TORC_CHUNKED_LAST);
    check_str(content_of(&got), "\0\r\n0\r\n\r\n\377");
}

static void every_prefix_wants_more(void **state) {
    static const char text[] = "5 ; a = \"b\\\"c\" ;d\r\nhello\r\n0;e=f\r\n";
    const size_t len = sizeof(text) - 1;

    (void)state;
    for (size_t i = 0; i < len; i++)
        assert_int_equal(decode(torc_str_make(text, i)).outcome, TORC_CHUNKED_MORE);
    assert_int_equal(decode(torc_str_make(text, len)).outcome, TORC_CHUNKED_LAST);
}

static void extensions_of_the_grammar_are_skipped(void **state) {
    static const char *const fine[] = {
        ";a",           ";a=b",          ";a=\"b\"",
        " ;a",          "\t ; \ta",      ";a ;b",
        ";a =b",        ";a= b",         ";a = b ; c = d",
        ";a=\"\"",      ";a=\"\\\"\"",   ";a=\"\\\\\"",
        ";a=\"; =\"",   ";a=\"\t\303\"", ";!#$%&'*+-.^_`|~",
        ";a=b;a=b;a=c", ";a=\"b\" ;c",   ";a;b;c",
    };
    char text[100];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(fine); i++) {
        const int len = sprintf(text, "3%s\r\nabc\r\n0%s\r\n", fine[i], fine[i]);
        const decoded got = decode(torc_str_make(text, (size_t)len));
        if (got.outcome != TORC_CHUNKED_LAST) fail_msg("refused: %s: %s", fine[i], got.problem);
        check_str(content_of(&got), "abc");
    }
}

/* Those of the list whose mistake is before the trailers. */
static void what_is_to_be_refused_is_refused(void **state) {
    const size_t head = strlen(CHUNKED);
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(bad_bodies); i++) {
        const torc_str body = torc_str_from(bad_bodies[i].bytes, head);
        if (torc_str_starts_with(body, TORC_STR("0\r\n"))) continue;
        const decoded got = decode(body);
        if (got.outcome != TORC_CHUNKED_BAD) fail_msg("taken: %s", bad_bodies[i].name);
        assert_non_null(got.problem);
        count++;
    }
    assert_true(count > 30);
}

/* Each byte at each place of a line is grammar or refused, however it comes. */
static void each_byte_at_each_place(void **state) {
    static const char text[] = "3 ; a = \"b\\c\" ;d\r\nabc\r\n0\r\n";
    const size_t len = sizeof(text) - 1;

    (void)state;
    for (size_t at = 0; at < len; at++)
        for (int c = 0; c < 256; c++) {
            char changed[sizeof(text)];
            memcpy(changed, text, sizeof(text));
            changed[at] = (char)c;
            const decoded got = decode(torc_str_make(changed, len));
            const bool is_content = text[at] >= 'a' && at > 17 && at < 21;
            /* Nothing but content has LF where none belongs, or NUL. */
            if ((c == '\n' && text[at] != '\n' && !is_content) || (c == 0 && !is_content))
                assert_int_equal(got.outcome, TORC_CHUNKED_BAD);
        }
}

static void sizes_have_a_largest(void **state) {
    torc_chunked_decoder decoder;
    torc_str content;
    size_t taken;

    (void)state;
    torc_chunked_decoder_init(&decoder, LINE_MAX_BYTES);
    assert_int_equal(torc_chunked_decode(&decoder, TORC_STR("00fffffffffffffff\r\na"), SIZE_MAX,
                                         &taken, &content),
                     TORC_CHUNKED_CONTENT);
    check_str(content, "a");
    assert_true(decoder.left == (UINT64_C(1) << 60) - 2);
    assert_int_equal(decode(TORC_STR("1000000000000000\r\n")).outcome, TORC_CHUNKED_BAD);
    assert_int_equal(decode(TORC_STR("ffffffffffffffff\r\n")).outcome, TORC_CHUNKED_BAD);
}

static void a_line_has_a_limit(void **state) {
    char text[400];

    (void)state;
    for (size_t len = LINE_MAX_BYTES - 2; len <= LINE_MAX_BYTES + 2; len++) {
        char *at = text + sprintf(text, "3;");
        memset(at, 'a', len - 2);
        at += len - 2;
        at += sprintf(at, "\r\nabc\r\n0\r\n");
        assert_int_equal(decode(torc_str_make(text, (size_t)(at - text))).outcome,
                         len > LINE_MAX_BYTES ? TORC_CHUNKED_BAD : TORC_CHUNKED_LAST);
        memset(text, '0', len);
        memcpy(text + len, "\r\n", 2);
        assert_int_equal(decode(torc_str_make(text, len + 2)).outcome,
                         len > LINE_MAX_BYTES ? TORC_CHUNKED_BAD : TORC_CHUNKED_LAST);
    }
}

/* Each line has the whole of it. */
static void the_limit_is_of_each_line(void **state) {
    char text[2000], *at = text;

    (void)state;
    for (int i = 0; i < 5; i++) at += sprintf(at, "1;%060d\r\na\r\n", 0);
    at += sprintf(at, "0\r\n");
    const decoded got = decode(torc_str_make(text, (size_t)(at - text)));
    assert_int_equal(got.outcome, TORC_CHUNKED_LAST);
    check_str(content_of(&got), "aaaaa");
}

/* Chunks of `content_len` bytes with lines of `line_len`: how many are taken, of `count`. */
static int taken_with_lines_of(int line_len, int content_len, int count) {
    torc_chunked_decoder decoder;
    torc_chunked_outcome outcome;
    torc_str content;
    size_t taken;
    char text[400];

    torc_chunked_decoder_init(&decoder, LINE_MAX_BYTES);
    for (int i = 0; i < count; i++) {
        const int len = snprintf(text, sizeof(text), "%04x;%0*d\r\n%0*d\r\n", (unsigned)content_len,
                                 line_len - 5, 0, content_len, 0);
        torc_str rest = torc_str_make(text, (size_t)len);
        do {
            outcome = torc_chunked_decode(&decoder, rest, SIZE_MAX, &taken, &content);
            rest = torc_str_from(rest, taken);
        } while (outcome == TORC_CHUNKED_CONTENT);
        if (outcome == TORC_CHUNKED_BAD) return i;
    }
    return count;
}

static void lines_may_not_be_most_of_what_comes(void **state) {
    (void)state;
    /* Each exceeds what is fair by 100 - 16 - 2; 1600 bytes may be exceeded. */
    assert_int_equal(taken_with_lines_of(LINE_MAX_BYTES, 1, 1000), 1600 / 82);
    assert_int_equal(taken_with_lines_of(19, 1, 2000), 1600);
    assert_int_equal(taken_with_lines_of(18, 1, 2000), 2000);
    assert_int_equal(taken_with_lines_of(LINE_MAX_BYTES, 42, 2000), 2000);
    /* Content that comes first is no credit. */
    torc_chunked_decoder decoder;
    torc_str content;
    size_t taken;
    torc_chunked_decoder_init(&decoder, LINE_MAX_BYTES);
    assert_int_equal(
        torc_chunked_decode(&decoder, TORC_STR("ffffff\r\n"), SIZE_MAX, &taken, &content),
        TORC_CHUNKED_MORE);
    assert_int_equal(decoder.excess, 0);
}

static void without_demand_content_is_left(void **state) {
    torc_chunked_decoder decoder;
    torc_str content;
    size_t taken;

    (void)state;
    torc_chunked_decoder_init(&decoder, LINE_MAX_BYTES);
    const torc_str bytes = TORC_STR("5\r\nhello\r\n0\r\n");
    assert_int_equal(torc_chunked_decode(&decoder, bytes, 0, &taken, &content), TORC_CHUNKED_MORE);
    assert_int_equal(taken, 3);
    assert_int_equal(torc_chunked_decode(&decoder, torc_str_from(bytes, 3), 0, &taken, &content),
                     TORC_CHUNKED_MORE);
    assert_int_equal(taken, 0);
    assert_int_equal(torc_chunked_decode(&decoder, torc_str_from(bytes, 3), 9, &taken, &content),
                     TORC_CHUNKED_CONTENT);
    check_str(content, "hello");
    assert_int_equal(torc_chunked_decode(&decoder, torc_str_from(bytes, 8), 0, &taken, &content),
                     TORC_CHUNKED_LAST);
    assert_int_equal(taken, 5);
    assert_int_equal(torc_chunked_decode(&decoder, torc_str_from(bytes, 13), 0, &taken, &content),
                     TORC_CHUNKED_LAST);
    assert_int_equal(taken, 0);
}

static void lines_are_written_in_hexadecimal(void **state) {
    static const struct {
        uint64_t len;
        const char *line;
    } cases[] = {
        {1, "1\r\n"},
        {15, "f\r\n"},
        {16, "10\r\n"},
        {0xabc0, "abc0\r\n"},
        {0x123456789, "123456789\r\n"},
        {UINT64_MAX, "ffffffffffffffff\r\n"},
    };
    char line[TORC_CHUNKED_LINE_MAX];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const size_t len = torc_chunked_write_line(cases[i].len, line);
        assert_true(torc_str_equals(torc_str_make(line, len), torc_str_of(cases[i].line)));
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(chunks_are_joined),
        TEST(content_may_be_any_bytes),
        TEST(every_prefix_wants_more),
        TEST(extensions_of_the_grammar_are_skipped),
        TEST(what_is_to_be_refused_is_refused),
        TEST(each_byte_at_each_place),
        TEST(sizes_have_a_largest),
        TEST(a_line_has_a_limit),
        TEST(the_limit_is_of_each_line),
        TEST(lines_may_not_be_most_of_what_comes),
        TEST(without_demand_content_is_left),
        TEST(lines_are_written_in_hexadecimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
