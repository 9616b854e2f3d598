/* SPDX-License-Identifier: MIT */
/*
 * Protocols of lines, of strings and of states: what is told is the same however the bytes are cut,
 * what is too long or wrong ends the connection, and pausing holds.
 */
#include <stdio.h>
#include <torc/line.h>
#include <torc/stateful.h>
#include <torc/string_protocol.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>

#include "check.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static torc_test_connection *peer;
static char told[4096]; /* what was told, each in <> */
static int losts;
static torc_err reason;
static bool pauses; /* after each thing that is told */

static int set_up(void **state) {
    (void)state;
    told[0] = '\0';
    losts = 0;
    reason = TORC_OK;
    pauses = false;
    peer = NULL;
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_test_connection_free(peer);
    torc_reactor_free(reactor);
    return 0;
}

static void note(char open, torc_str bytes, char close) {
    const size_t len = strlen(told);

    assert_true(len + bytes.len + 3 < sizeof(told));
    told[len] = open;
    memcpy(told + len + 1, bytes.bytes, bytes.len);
    told[len + 1 + bytes.len] = close;
    told[len + 2 + bytes.len] = '\0';
    if (pauses) torc_transport_pause(torc_test_connection_transport(peer));
}

static void lost(torc_err why) {
    losts++;
    reason = why;
}

/* The connection before is over, and its protocol may be made anew. */
static void fresh(void) {
    torc_test_connection_free(peer);
    peer = NULL;
}

/* Give the bytes, in pieces of `pieces`, to a protocol, and check what it told. */
static void give(torc_protocol *protocol, torc_str bytes, size_t pieces, const char *expected) {
    told[0] = '\0';
    losts = 0;
    peer = torc_test_connection_new_over(reactor, protocol);
    assert_non_null(peer);
    torc_test_connection_set_pieces(peer, pieces);
    torc_test_connection_send(peer, bytes);
    torc_test_settle(reactor);
    for (size_t i = 0; pauses && i <= bytes.len && !losts; i++) {
        torc_transport_resume(torc_test_connection_transport(peer));
        torc_test_settle(reactor);
    }
    assert_string_equal(told, expected);
}

/* ---- lines ---- */

typedef struct liner {
    torc_line_protocol base;
    int mades;
} liner;

static void line_made(torc_line_protocol *self) {
    torc_container_of(self, liner, base)->mades++;
}

/* "raw" takes the next five bytes as they are, "bye" closes, "lf" changes what ends a line. */
static size_t raw_left;

static void line_received(torc_line_protocol *self, torc_str line) {
    note('<', line, '>');
    if (torc_str_equals(line, TORC_STR("raw"))) {
        raw_left = 5;
        torc_line_set_raw(self, true);
    } else if (torc_str_equals(line, TORC_STR("bye"))) {
        torc_line_send(self, TORC_STR("bye"));
        torc_transport_close(self->base.transport);
    } else if (torc_str_equals(line, TORC_STR("lf"))) {
        self->delimiter = "\n";
    }
}

static size_t raw_received(torc_line_protocol *self, torc_str bytes) {
    const size_t len = bytes.len < raw_left ? bytes.len : raw_left;

    note('[', torc_str_head(bytes, len), ']');
    raw_left -= len;
    if (raw_left == 0) torc_line_set_raw(self, false);
    return len;
}

static void line_lost(torc_line_protocol *self, torc_err why) {
    (void)self;
    lost(why);
}

static const torc_line_ops line_ops = {
    .connection_made = line_made,
    .line_received = line_received,
    .raw_received = raw_received,
    .connection_lost = line_lost,
};
static liner lines;

static void give_lines(torc_str bytes, size_t pieces, const char *expected) {
    fresh();
    lines = (liner){0};
    torc_line_init(&lines.base, &line_ops);
    give(&lines.base.base, bytes, pieces, expected);
    assert_int_equal(lines.mades, 1);
}

static void lines_come_whole(void **state) {
    (void)state;
    for (size_t pieces = 0; pieces < 12; pieces++) {
        give_lines(TORC_STR("one\r\ntwo\r\n\r\nt\rh\nree\r\r\nfour"), pieces,
                   "<one><two><><t\rh\nree\r>");
        pauses = true;
        give_lines(TORC_STR("one\r\ntwo\r\n\r\nthree\r\r\nfour\r\n"), pieces,
                   "<one><two><><three\r><four>");
        pauses = false;
    }
}

static void a_line_ends_as_it_is_told(void **state) {
    (void)state;
    for (size_t pieces = 0; pieces < 12; pieces++)
        give_lines(TORC_STR("lf\r\none\ntwo\r\n\n\r\nx\ry\n"), pieces, "<lf><one><two><><><x\ry>");
}

static void raw_bytes_come_in_between(void **state) {
    (void)state;
    give_lines(TORC_STR("raw\r\n12345six\r\n"), 0, "<raw>[12345]<six>");
    give_lines(TORC_STR("raw\r\n12345raw\r\n\r\n\r\n6\r\n"), 0, "<raw>[12345]<raw>[\r\n\r\n6]<>");
    give_lines(TORC_STR("raw\r\n12345six\r\n"), 1, "<raw>[1][2][3][4][5]<six>");
    give_lines(TORC_STR("raw\r\n12345six\r\n"), 7, "<raw>[12][345]<six>");
    pauses = true;
    give_lines(TORC_STR("raw\r\n12345six\r\nseven\r\n"), 3, "<raw>[123][45]<six><seven>");
}

static void what_follows_a_close_is_not_told(void **state) {
    (void)state;
    give_lines(TORC_STR("bye\r\nand more\r\n"), 0, "<bye>");
    check_str(torc_test_connection_written(peer), "bye\r\n");
    assert_true(torc_test_connection_is_over(peer));
    check_err(reason, TORC_ERR_CLOSED);
}

static void a_line_may_be_so_long(void **state) {
    static char bytes[TORC_LINE_MAX + 3];

    (void)state;
    for (size_t pieces = 0; pieces < 20000; pieces += pieces < 2 ? 1 : 8191) {
        memset(bytes, 'x', sizeof(bytes));
        static liner self;
        fresh();
        torc_line_init(&self.base, &line_ops);
        self.base.line_max = 10;
        give(&self.base.base, TORC_STR("0123456789\r\n"), pieces, "<0123456789>");
        fresh();
        torc_line_init(&self.base, &line_ops);
        self.base.line_max = 10;
        give(&self.base.base, TORC_STR("01234567890\r\n"), pieces, "");
        check_err(reason, TORC_ERR_TOO_LARGE);
        fresh();
        torc_line_init(&self.base, &line_ops);
        give(&self.base.base, torc_str_make(bytes, sizeof(bytes)), pieces, "");
        check_err(reason, TORC_ERR_TOO_LARGE);
        fresh();
        torc_line_init(&self.base, &line_ops);
        give(&self.base.base, torc_str_make(bytes, TORC_LINE_MAX + 2), pieces, "");
        assert_int_equal(losts, 0); /* a line end could still come */
    }
}

static void an_end_is_a_close(void **state) {
    (void)state;
    give_lines(TORC_STR("one\r\ntwo"), 0, "<one>");
    torc_test_connection_send_end(peer);
    torc_test_settle(reactor);
    check_err(reason, TORC_ERR_CLOSED);
    assert_string_equal(told, "<one>");
}

/* ---- strings ---- */

static void string_received(torc_string_protocol *self, torc_str string) {
    (void)self;
    note('<', string, '>');
}

static void string_lost(torc_string_protocol *self, torc_err why) {
    (void)self;
    lost(why);
}

static const torc_string_ops string_ops = {.string_received = string_received,
                                           .connection_lost = string_lost};
static torc_string_protocol strings;

static void give_strings(torc_string_framing framing, torc_str bytes, size_t pieces,
                         const char *expected) {
    fresh();
    torc_string_init(&strings, framing, &string_ops);
    strings.string_max = 300;
    give(&strings.base, bytes, pieces, expected);
}

#define BYTES(literal) torc_str_make(literal, sizeof(literal) - 1)

static void strings_come_whole(void **state) {
    (void)state;
    for (size_t pieces = 0; pieces < 12; pieces++)
        for (int i = 0; i < 2; i++) {
            pauses = i == 1;
            give_strings(TORC_STRING_NETSTRING, TORC_STR("5:hello,0:,12:three, words,1"), pieces,
                         "<hello><><three, words>");
            give_strings(TORC_STRING_INT8, BYTES("\x05hello\0\x02hi\x03x"), pieces,
                         "<hello><><hi>");
            give_strings(TORC_STRING_INT16, BYTES("\0\x05hello\0\0\0\x02hi\0"), pieces,
                         "<hello><><hi>");
            give_strings(TORC_STRING_INT32, BYTES("\0\0\0\x05hello\0\0\0\0\0\0\0\x02hi\0\0"),
                         pieces, "<hello><><hi>");
            assert_int_equal(losts, 0);
        }
}

static void what_is_no_netstring_is_refused(void **state) {
    static const char *const bad[] = {"x",    ":",     ",",    "-1:x,",  "01:x,",
                                      "00:,", "1 :x,", "1:xx", "3:abcd", "99999999999999999999:"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++)
        for (size_t pieces = 0; pieces < 3; pieces++) {
            give_strings(TORC_STRING_NETSTRING, torc_str_of(bad[i]), pieces, "");
            assert_int_equal(losts, 1);
            check_err(reason, i + 1 < TORC_COUNT_OF(bad) ? TORC_ERR_PEER : TORC_ERR_TOO_LARGE);
        }
}

static void a_string_may_be_so_long(void **state) {
    (void)state;
    for (size_t pieces = 0; pieces < 3; pieces++) {
        give_strings(TORC_STRING_NETSTRING, TORC_STR("1:x,301:"), pieces, "<x>");
        check_err(reason, TORC_ERR_TOO_LARGE);
        give_strings(TORC_STRING_INT16, BYTES("\x01\x2d"), pieces, "");
        check_err(reason, TORC_ERR_TOO_LARGE);
        give_strings(TORC_STRING_INT32, BYTES("\xff\xff\xff\xff"), pieces, "");
        check_err(reason, TORC_ERR_TOO_LARGE);
        give_strings(TORC_STRING_INT16, BYTES("\x01\x2c"), pieces, "");
        assert_int_equal(losts, 0);
    }
}

static void strings_are_sent(void **state) {
    static char much[65536];

    (void)state;
    give_strings(TORC_STRING_NETSTRING, TORC_STR(""), 0, "");
    check_ok(torc_string_send(&strings, TORC_STR("hello")));
    check_ok(torc_string_send(&strings, TORC_STR("")));
    torc_test_settle(reactor);
    check_str(torc_test_connection_written(peer), "5:hello,0:,");
    give_strings(TORC_STRING_INT8, TORC_STR(""), 0, "");
    check_err(torc_string_send(&strings, torc_str_make(much, 256)), TORC_ERR_TOO_LARGE);
    check_ok(torc_string_send(&strings, TORC_STR("hi")));
    torc_test_settle(reactor);
    check_str(torc_test_connection_written(peer), "\x02hi");
    give_strings(TORC_STRING_INT16, TORC_STR(""), 0, "");
    check_err(torc_string_send(&strings, torc_str_make(much, 65536)), TORC_ERR_TOO_LARGE);
    check_ok(torc_string_send(&strings, torc_str_make(much, 258)));
    torc_test_settle(reactor);
    assert_memory_equal(torc_test_connection_written(peer).bytes, "\x01\x02\0", 3);
    give_strings(TORC_STRING_INT32, TORC_STR(""), 0, "");
    check_ok(torc_string_send(&strings, torc_str_make(much, 65536)));
    torc_test_settle(reactor);
    assert_memory_equal(torc_test_connection_written(peer).bytes, "\0\x01\0\0\0", 5);
    assert_int_equal(torc_test_connection_written(peer).len, 65540);
}

/* ---- states: a count, then so many bytes, and so on; 'z' stands for whatever comes ---- */

static void got_count(torc_stateful *self, torc_str bytes);

static void got_bytes(torc_stateful *self, torc_str bytes) {
    note('<', bytes, '>');
    torc_stateful_next(self, got_count, 1);
}

static void got_anything(torc_stateful *self, torc_str bytes) {
    (void)self;
    note('[', bytes, ']');
}

static void got_count(torc_stateful *self, torc_str bytes) {
    assert_int_equal(bytes.len, 1);
    if (bytes.bytes[0] == 'z')
        torc_stateful_next(self, got_anything, 0);
    else if (bytes.bytes[0] != '0')
        torc_stateful_next(self, got_bytes, (size_t)(bytes.bytes[0] - '0'));
}

static void stateful_made(torc_stateful *self) {
    torc_stateful_next(self, got_count, 1);
}

static void stateful_lost(torc_stateful *self, torc_err why) {
    (void)self;
    lost(why);
}

static const torc_stateful_ops stateful_ops = {.connection_made = stateful_made,
                                               .connection_lost = stateful_lost};

static void states_get_what_they_need(void **state) {
    static torc_stateful self;

    (void)state;
    for (size_t pieces = 0; pieces < 12; pieces++) {
        fresh();
        torc_stateful_init(&self, &stateful_ops);
        give(&self.base, TORC_STR("3abc000099876543211x5he"), pieces, "<abc><987654321><x>");
        pauses = true;
        fresh();
        torc_stateful_init(&self, &stateful_ops);
        give(&self.base, TORC_STR("3abc09987654321"), pieces, "<abc><987654321>");
        pauses = false;
    }
    fresh();
    torc_stateful_init(&self, &stateful_ops);
    give(&self.base, TORC_STR("1az12345678901"), 0, "<a>[12345678901]");
    fresh();
    torc_stateful_init(&self, &stateful_ops);
    give(&self.base, TORC_STR("1az1234567"), 4, "<a>[1][2345][67]");
}

/* ---- out of memory ---- */

static void every_allocation_may_fail(void **state) {
    static torc_stateful stateful;
    static liner line;

    (void)state;
    for (uint64_t n = 1; n < 30; n++)
        for (int kind = 0; kind < 3; kind++) {
            fresh();
            losts = 0;
            told[0] = '\0';
            line = (liner){0};
            torc_line_init(&line.base, &line_ops);
            torc_string_init(&strings, TORC_STRING_NETSTRING, &string_ops);
            torc_stateful_init(&stateful, &stateful_ops);
            torc_protocol *const kinds[] = {&line.base.base, &strings.base, &stateful.base};
            static const char *const texts[] = {"one line\r\n", "8:one line,", "8one line"};
            peer = torc_test_connection_new_over(reactor, kinds[kind]);
            torc_test_connection_set_pieces(peer, 3);
            torc_test_fail_allocation(reactor, n);
            torc_test_connection_send(peer, torc_str_of(texts[kind]));
            torc_test_settle(reactor);
            if (torc_test_allocation_failed(reactor)) {
                if (losts) check_err(reason, TORC_ERR_NO_MEMORY);
            } else {
                assert_string_equal(told, "<one line>");
            }
            torc_test_fail_allocation(reactor, 0);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_ends_as_it_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(raw_bytes_come_in_between, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_follows_a_close_is_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_may_be_so_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_end_is_a_close, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strings_come_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_netstring_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_string_may_be_so_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strings_are_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(states_get_what_they_need, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
