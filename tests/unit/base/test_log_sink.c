/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <torc/log.h>
#include <unistd.h>

#include "faults.h"

typedef struct fixture {
    torc_memory memory;
    int fds[2]; /* read here, written there */
    torc_log *log;
} fixture;

static fixture self;

static int open_over(int fds[2]) {
    torc_memory_init(&self.memory, 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    return torc_log_new_fd(&self.memory, fds[1], TORC_LOG_FORMAT_AUTO, &self.log);
}

static int set_up(void **state) {
    return pipe(self.fds) ? -1 : open_over(self.fds);
}

static int set_up_socket(void **state) {
    return socketpair(AF_UNIX, SOCK_STREAM, 0, self.fds) ? -1 : open_over(self.fds);
}

static int tear_down(void **state) {
    torc_log_free(self.log);
    close(self.fds[0]);
    close(self.fds[1]);
    return self.memory.used_total == 0 ? 0 : -1;
}

static torc_str received(void) {
    static char bytes[1 << 20];
    size_t len = 0;

    for (;;) {
        const ssize_t count = read(self.fds[0], bytes + len, sizeof bytes - len);
        if (count <= 0) return torc_str_make(bytes, len);
        len += (size_t)count;
    }
}

static void an_event_is_a_line_of_json_where_there_is_no_terminal(void **state) {
    errno = EBUSY;
    TORC_LOG_INFO(self.log, "http", "hello", TORC_LOG_INT("n", 1));
    assert_int_equal(errno, EBUSY);
    const torc_str line = received();
    assert_true(torc_str_starts_with(line, TORC_STR("{\"time\":\"2")));
    assert_true(torc_str_ends_with(line, TORC_STR("\"text\":\"hello\",\"n\":1}\n")));
    assert_int_equal(torc_log_dropped(self.log), 0);
}

/* Long values are cut so far that the line fits, and is whole. */
static void a_line_is_never_longer_than_its_bound(void **state) {
    static char text[10000];
    torc_log_field fields[80];

    memset(text, '\n', sizeof text);
    for (size_t i = 0; i < TORC_COUNT_OF(fields); i++) {
        fields[i] = torc_log_field_str("key", torc_str_make(text, sizeof text));
    }
    for (size_t count = 0; count <= TORC_COUNT_OF(fields); count++) {
        torc_log_event(self.log, TORC_LOG_LEVEL_INFO, "http", "text", fields, count);
        const torc_str line = received();
        assert_true(line.len > 50 && line.len <= 4096);
        assert_true(torc_str_ends_with(line, TORC_STR("}\n")));
        assert_int_equal(torc_str_find_byte(line, '\n'), line.len - 1);
    }
    assert_int_equal(torc_log_dropped(self.log), 0);
}

static void what_the_descriptor_does_not_take_is_dropped_and_counted(void **state) {
    uint64_t logged = 0;

    while (torc_log_dropped(self.log) == 0) {
        TORC_LOG_INFO(self.log, "http", "filling");
        assert_true(++logged < 100000);
    }
    TORC_LOG_INFO(self.log, "http", "filling");
    assert_int_equal(torc_log_dropped(self.log), 2);
    received();
    TORC_LOG_INFO(self.log, "http", "room again");
    assert_true(torc_str_find(received(), TORC_STR("room again")) > 0);
    assert_int_equal(torc_log_dropped(self.log), 2);
}

/* A stream socket may take a part of a line; what follows stands on a line of its own. */
static void a_line_that_was_cut_does_not_spoil_the_next(void **state) {
    static char filler[3000];
    torc_str part, all;
    size_t wholes = 0;

    memset(filler, 'f', sizeof filler);
    while (torc_log_dropped(self.log) == 0) {
        TORC_LOG_INFO(self.log, "http", "x", TORC_LOG_STR("f", torc_str_make(filler, 3000)));
    }
    received();
    TORC_LOG_INFO(self.log, "http", "next");
    all = received();
    while (torc_str_split(&all, '\n', &part)) {
        if (torc_str_find(part, TORC_STR("\"text\":\"next\"")) < 0) continue;
        assert_true(torc_str_starts_with(part, TORC_STR("{\"time\"")));
        wholes++;
    }
    assert_int_equal(wholes, 1);
}

static void a_closed_descriptor_only_counts(void **state) {
    torc_log *log = NULL;

    check_ok(torc_log_new_fd(&self.memory, -1, TORC_LOG_FORMAT_TEXT, &log));
    TORC_LOG_ERROR(log, "http", "nobody hears");
    assert_int_equal(torc_log_dropped(log), 1);
    torc_log_free(log);
}

static int64_t at_zero(void *context) {
    return 0;
}

static void a_buffer_collects_lines(void **state) {
    torc_buf buf;
    torc_log *log = NULL;
    torc_buf_init(&buf, &self.memory, TORC_MEMORY_OTHER, 10000);

    check_ok(torc_log_new_buf(&self.memory, &buf, TORC_LOG_FORMAT_AUTO, &log));
    torc_log_set_clock(log, at_zero, NULL);
    TORC_LOG_INFO(log, "a", "one");
    TORC_LOG_WARN(log, "b", "two", TORC_LOG_TEXT("k", "v"));
    check_str(torc_buf_str(&buf), "1970-01-01T00:00:00.000Z info     [a] one\n"
                                  "1970-01-01T00:00:00.000Z warn     [b] two k=v\n");
    torc_log_free(log);
    torc_buf_dispose(&buf);
}

static torc_err log_to_both(torc_memory *memory, void *context) {
    torc_log *to_fd = NULL, *to_buf = NULL;
    torc_buf buf;
    torc_buf_init(&buf, memory, TORC_MEMORY_OTHER, 10000);

    torc_err err = torc_log_new_fd(memory, self.fds[1], TORC_LOG_FORMAT_TEXT, &to_fd);
    if (!err) err = torc_log_new_buf(memory, &buf, TORC_LOG_FORMAT_JSON, &to_buf);
    TORC_LOG_INFO(to_fd, "a", "text");
    TORC_LOG_INFO(to_buf, "a", "text");
    if (!err) err = torc_buf_err(&buf);
    torc_log_free(to_fd);
    torc_log_free(to_buf);
    torc_buf_dispose(&buf);
    return err;
}

static void sinks_when_memory_fails(void **state) {
    faults_each(log_to_both, NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_event_is_a_line_of_json_where_there_is_no_terminal),
        CASE(a_line_is_never_longer_than_its_bound),
        CASE(what_the_descriptor_does_not_take_is_dropped_and_counted),
        cmocka_unit_test_setup_teardown(a_line_that_was_cut_does_not_spoil_the_next, set_up_socket,
                                        tear_down),
        CASE(a_closed_descriptor_only_counts),
        CASE(a_buffer_collects_lines),
        CASE(sinks_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
