/* SPDX-License-Identifier: MIT */
/* Watching paths: what is told, going down, and what goes away. */
#include <errno.h>
#include <semaphore.h>
#include <string.h>
#include <torc/path_watch.h>

#include "reactor/reactor.h"

#include "file_world.h"

static torc_path_watch *watch;
static char log_text[8192];
static size_t log_len;
static uint32_t cookies[2];
static size_t cookie_count, overflows;
static uint32_t free_at; /* the change in whose callback the watch is freed */

static const char *name_of(uint32_t change) {
    switch (change) {
    case TORC_PATH_MADE:
        return "made";
    case TORC_PATH_WRITTEN:
        return "written";
    case TORC_PATH_CLOSED:
        return "closed";
    case TORC_PATH_REMOVED:
        return "removed";
    case TORC_PATH_MOVED_AWAY:
        return "away";
    case TORC_PATH_MOVED_HERE:
        return "here";
    case TORC_PATH_RIGHTS:
        return "rights";
    case TORC_PATH_READY:
        return "ready";
    case TORC_PATH_OVERFLOW:
        return "overflow";
    case TORC_PATH_UNWATCHED:
        return "unwatched";
    case TORC_PATH_GONE:
        return "gone";
    default:
        return "?";
    }
}

static void changed(torc_path_watch *of, const torc_path_event *event, void *context) {
    const size_t len = strlen(folder);

    assert_ptr_equal(context, folder);
    assert_memory_equal(event->path, folder, len);
    overflows += event->change == TORC_PATH_OVERFLOW;
    if (log_len < sizeof(log_text) / 2)
        log_len +=
            (size_t)snprintf(log_text + log_len, sizeof(log_text) - log_len, "%s %s%s\n",
                             name_of(event->change), event->path[len] ? event->path + len : "/",
                             event->is_folder && event->change < 256 ? "/" : "");
    if (event->cookie && cookie_count < 2) cookies[cookie_count++] = event->cookie;
    if (event->change == free_at) {
        torc_path_watch_free(of);
        watch = NULL;
    }
}

static void settle(void) {
    for (int i = 0; i < 20; i++) {
        torc_test_settle(reactor);
        torc_test_finish_jobs(reactor);
    }
}

/* What was told since the last time. */
static void check_told(const char *expected) {
    settle();
    assert_string_equal(log_text, expected);
    log_text[log_len = 0] = '\0';
}

static void start_at(const char *path, uint32_t changes, bool is_recursive) {
    const torc_path_watch_options options = {
        .size = sizeof(options), .changes = changes, .is_recursive = is_recursive};

    log_text[log_len = 0] = '\0';
    free_at = 0;
    cookie_count = overflows = 0;
    check_ok(torc_path_watch_new(reactor, path, &options, changed, folder, &watch));
}

static void stop(void) {
    torc_path_watch_free(watch);
    watch = NULL;
    torc_path_watch_free(NULL);
}

static void make_folder(const char *name) {
    assert_int_equal(mkdir(at(name), 0700), 0);
}

static void what_happens_in_a_folder_is_told(void **state) {
    (void)state;
    start_at(folder, 0, false);
    put("a", "x");
    check_told("made /a\nwritten /a\nclosed /a\n");
    assert_int_equal(rename(at("a"), at("b")), 0);
    check_told("away /a\nhere /b\n");
    assert_int_equal(chmod(at("b"), 0600), 0);
    check_told("rights /b\n");
    drop("b");
    make_folder("c");
    check_told("removed /b\nmade /c/\n");
    put("c/d", "x"); /* below: not told */
    drop("c/d");
    drop("c");
    check_told("removed /c/\n");
    stop();
    put("a", "x");
    drop("a");
    check_told("");
}

static void only_what_is_asked_for_is_told(void **state) {
    torc_path_watch *other;

    (void)state;
    start_at(folder, TORC_PATH_CLOSED, false);
    check_ok(torc_path_watch_new(reactor, folder, NULL, changed, folder, &other));
    torc_path_watch_free(other);
    put("a", "x");
    drop("a");
    check_told("closed /a\n");
    stop();
}

static void both_names_of_a_renaming_have_a_cookie(void **state) {
    (void)state;
    put("a", "x");
    start_at(folder, TORC_PATH_MOVED_AWAY | TORC_PATH_MOVED_HERE, false);
    assert_int_equal(rename(at("a"), at("b")), 0);
    settle();
    assert_int_equal(cookie_count, 2);
    assert_int_not_equal(cookies[0], 0);
    assert_int_equal(cookies[0], cookies[1]);
    stop();
    drop("b");
}

static void a_file_may_be_watched(void **state) {
    (void)state;
    put("a", "x");
    start_at(at("a"), TORC_PATH_WRITTEN | TORC_PATH_CLOSED, false);
    put("b", "x");
    put("a", "y");
    settle();
    assert_non_null(strstr(log_text, "written /a\n"));
    assert_non_null(strstr(log_text, "closed /a\n"));
    assert_null(strstr(log_text, "/b"));
    check_told(log_text);
    drop("a");
    check_told("gone /a\n");
    assert_int_equal(torc_path_watch_count(watch), 0);
    drop("b");
    stop();
}

static void what_is_below_is_told_when_it_is_ready(void **state) {
    (void)state;
    make_folder("a");
    make_folder("a/b");
    put("a/b/c", "x");
    start_at(folder, TORC_PATH_MADE | TORC_PATH_REMOVED, true);
    check_told("ready /\n");
    assert_int_equal(torc_path_watch_count(watch), 3);
    put("a/b/d", "x");
    drop("a/b/c");
    check_told("made /a/b/d\nremoved /a/b/c\n");
    drop("a/b/d");
    drop("a/b");
    drop("a");
    check_told("removed /a/b/d\nremoved /a/b/\nremoved /a/\n");
    assert_int_equal(torc_path_watch_count(watch), 1);
    stop();
}

/* The folders are there, with what is in them, before anybody looks. */
static void folders_that_come_are_gone_down_into(void **state) {
    (void)state;
    start_at(folder, TORC_PATH_MADE, true);
    check_told("ready /\n");
    make_folder("a");
    make_folder("a/b");
    put("a/b/c", "x");
    settle();
    assert_non_null(strstr(log_text, "made /a/\n"));
    assert_non_null(strstr(log_text, "made /a/b/\n"));
    assert_non_null(strstr(log_text, "made /a/b/c\n"));
    log_text[log_len = 0] = '\0';
    put("a/b/d", "x");
    check_told("made /a/b/d\n");
    drop("a/b/c");
    drop("a/b/d");
    drop("a/b");
    drop("a");
    stop();
}

static void folders_that_are_moved_have_their_new_paths(void **state) {
    (void)state;
    make_folder("a");
    make_folder("a/b");
    make_folder("ab");
    start_at(folder, TORC_PATH_MADE | TORC_PATH_MOVED_AWAY | TORC_PATH_MOVED_HERE, true);
    check_told("ready /\n");
    assert_int_equal(torc_path_watch_count(watch), 4);
    assert_int_equal(rename(at("a"), at("c")), 0);
    check_told("away /a/\nhere /c/\nmade /c/b/\n");
    assert_int_equal(torc_path_watch_count(watch), 4);
    put("c/b/x", "x");
    put("ab/y", "x");
    check_told("made /c/b/x\nmade /ab/y\n");
    drop("c/b/x");
    drop("ab/y");
    drop("c/b");
    drop("c");
    drop("ab");
    stop();
}

static void links_are_not_followed(void **state) {
    (void)state;
    make_folder("a");
    assert_int_equal(symlink("a", at("l")), 0);
    assert_int_equal(symlink(".", at("self")), 0);
    start_at(folder, TORC_PATH_MADE, true);
    check_told("ready /\n");
    assert_int_equal(torc_path_watch_count(watch), 2);
    drop("a");
    drop("l");
    drop("self");
    stop();
}

static void a_path_that_goes_is_told_last(void **state) {
    (void)state;
    make_folder("a");
    make_folder("a/b");
    start_at(at("a"), TORC_PATH_MADE, true);
    check_told("ready /a\n");
    assert_int_equal(rename(at("a"), at("c")), 0);
    check_told("gone /a\n");
    put("c/x", "x");
    check_told("");
    drop("c/x");
    drop("c/b");
    drop("c");
    stop();
}

static void it_may_be_freed_in_its_callback(void **state) {
    static const uint32_t changes[] = {TORC_PATH_READY, TORC_PATH_MADE, TORC_PATH_GONE};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(changes); i++) {
        make_folder("a");
        start_at(at("a"), TORC_PATH_MADE | TORC_PATH_REMOVED, true);
        free_at = changes[i];
        settle();
        make_folder("a/b");
        put("a/b/c", "x");
        settle();
        drop("a/b/c");
        drop("a/b");
        drop("a");
        settle();
        assert_null(watch);
    }
}

/* It is freed while what is found in a folder that came is told. */
static void and_while_a_list_is_told(void **state) {
    (void)state;
    make_folder("a");
    put("a/x", "x");
    put("a/y", "x");
    make_folder("w");
    start_at(at("w"), TORC_PATH_MADE, true);
    settle();
    assert_int_equal(rename(at("a"), at("w/a")), 0);
    free_at = TORC_PATH_MADE;
    settle();
    assert_null(watch);
    assert_non_null(strstr(log_text, "made /w/a/x\n"));
    assert_null(strstr(log_text, "made /w/a/y\n"));
    drop("w/a/x");
    drop("w/a/y");
    drop("w/a");
    drop("w");
}

static sem_t gate;

static torc_err wait_at_gate(void *data) {
    (void)data;
    while (sem_wait(&gate)) continue;
    return TORC_OK;
}

/* Its list is never told, since nobody waits for that any more. */
static void it_is_ready_though_a_folder_goes_before_it_was_listed(void **state) {
    enum {
        JOBS = 8
    }; /* more than there are threads for files */

    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    make_folder("a");
    start_at(folder, TORC_PATH_REMOVED, true);
    for (int i = 0; i < JOBS; i++)
        torc_deferred_detach(
            torc_defer_to_thread(reactor, TORC_THREAD_FILE, wait_at_gate, NULL, NULL));
    while (torc_path_watch_count(watch) < 2) { /* the list of `a` waits for a thread then */
        if (!torc_reactor_is_queued(reactor))
            assert_int_equal(reactor->poller->ops->wait(reactor->poller, -1), 0);
        torc_test_settle(reactor);
    }
    assert_string_equal(log_text, "");
    drop("a");
    torc_test_settle(reactor);
    for (int i = 0; i < JOBS; i++) assert_int_equal(sem_post(&gate), 0);
    check_told("ready /\nremoved /a/\n");
    stop();
    sem_destroy(&gate);
}

static void folders_have_a_maximum(void **state) {
    const torc_path_watch_options options = {
        .size = sizeof(options), .is_recursive = true, .folders_max = 2};

    (void)state;
    make_folder("a");
    make_folder("b");
    log_text[log_len = 0] = '\0';
    free_at = 0;
    check_ok(torc_path_watch_new(reactor, folder, &options, changed, folder, &watch));
    check_told("unwatched /b\nready /\n");
    stop();
    drop("a");
    drop("b");
}

static void entries_have_a_maximum(void **state) {
    const torc_path_watch_options options = {
        .size = sizeof(options), .is_recursive = true, .entries_max = 1};

    (void)state;
    put("a", "x");
    put("b", "x");
    log_text[log_len = 0] = '\0';
    free_at = 0;
    check_ok(torc_path_watch_new(reactor, folder, &options, changed, folder, &watch));
    check_told("unwatched /\nready /\n");
    stop();
    drop("a");
    drop("b");
}

static void too_much_is_told_as_such(void **state) {
    (void)state;
    make_folder("a");
    start_at(folder, TORC_PATH_MADE, true);
    settle();
    for (int i = 0; i < 20000; i++) {
        put(i % 2 ? "x" : "y", "");
        drop(i % 2 ? "x" : "y");
    }
    make_folder("b"); /* not told, but found */
    settle();
    assert_true(overflows >= 1);
    assert_int_equal(torc_path_watch_count(watch), 3);
    stop();
    drop("a");
    drop("b");
}

static void what_the_kernel_refuses_is_returned(void **state) {
    (void)state;
    check_err(torc_path_watch_new(reactor, at("none"), NULL, changed, folder, &watch),
              TORC_ERR_NOT_FOUND);
    torc_test_fail_calls(reactor, TORC_TEST_WATCH, 1, 1, ENOSPC);
    check_err(torc_path_watch_new(reactor, folder, NULL, changed, folder, &watch),
              TORC_ERR_NO_SPACE);
    make_folder("a");
    torc_test_fail_calls(reactor, TORC_TEST_WATCH, 2, 1, ENOSPC); /* of the folder below */
    start_at(folder, 0, true);
    check_told("unwatched /a\nready /\n");
    stop();
    drop("a");
}

static void each_allocation_may_fail(void **state) {
    const torc_path_watch_options options = {.size = sizeof(options), .is_recursive = true};

    (void)state;
    make_folder("a");
    free_at = 0;
    for (uint64_t n = 1;; n++) {
        log_text[log_len = 0] = '\0';
        watch = NULL;
        torc_test_fail_allocation(reactor, n);
        const torc_err err =
            torc_path_watch_new(reactor, folder, &options, changed, folder, &watch);
        settle();
        const bool failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        if (err)
            check_err(err, TORC_ERR_NO_MEMORY);
        else if (failed)
            assert_non_null(strstr(log_text, "unwatched /"));
        stop();
        if (!failed) break;
        assert_true(n < 50);
    }
    assert_string_equal(log_text, "ready /\n");
    drop("a");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(what_happens_in_a_folder_is_told),
        FILE_TEST(only_what_is_asked_for_is_told),
        FILE_TEST(both_names_of_a_renaming_have_a_cookie),
        FILE_TEST(a_file_may_be_watched),
        FILE_TEST(what_is_below_is_told_when_it_is_ready),
        FILE_TEST(folders_that_come_are_gone_down_into),
        FILE_TEST(folders_that_are_moved_have_their_new_paths),
        FILE_TEST(links_are_not_followed),
        FILE_TEST(a_path_that_goes_is_told_last),
        FILE_TEST(it_may_be_freed_in_its_callback),
        FILE_TEST(and_while_a_list_is_told),
        FILE_TEST(folders_have_a_maximum),
        FILE_TEST(entries_have_a_maximum),
        FILE_TEST(it_is_ready_though_a_folder_goes_before_it_was_listed),
        FILE_TEST(too_much_is_told_as_such),
        FILE_TEST(what_the_kernel_refuses_is_returned),
        FILE_TEST(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
