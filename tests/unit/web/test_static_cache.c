/* SPDX-License-Identifier: MIT */
/* What is kept of static files, and that changes of them are noticed. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <torc/static_files.h>
#include <torc/thread.h>
#include <unistd.h>

#include "files_fixture.h"
#include "kernel.h"

enum {
    BIG = 100 * 1024
};

static torc_site *site;
static char big[BIG + 1];

static void rename_to(const char *from, const char *to) {
    assert_int_equal(rename(files_path(from), files_path(to)), 0);
}

static torc_site *site_with(const torc_static_files_options *options) {
    torc_resource *root = torc_folder_new();

    torc_resource_put_child(root, "f", torc_static_files_new(files_path("pub"), options));
    return torc_site_new(root, NULL);
}

static int set_up(void **state) {
    if (files_set_up(state)) return -1;
    memset(big, 'b', BIG);
    files_make_folder("pub");
    files_make_folder("pub/a");
    files_make_folder("pub/a/b");
    files_make_folder("elsewhere");
    files_write("pub/x", "first");
    files_write("pub/a/b/x", "deep");
    files_write("pub/big", big);
    files_write("elsewhere/x", "outside");
    const torc_static_files_options options = {.size = sizeof(options),
                                               .ignore_precompressed = true};
    site = site_with(&options);
    return site ? 0 : -1;
}

static int tear_down(void **state) {
    const int code = files_tear_down(state);

    torc_site_free(site);
    return code;
}

static int64_t metric(torc_reactor *reactor, const char *name) {
    const torc_metric *of = torc_metrics_find(torc_reactor_metrics(reactor), torc_str_of(name));

    assert_non_null(of);
    return torc_metric_value(of);
}

static const torc_test_call calls[] = {TORC_TEST_OPEN, TORC_TEST_STAT, TORC_TEST_READ,
                                       TORC_TEST_WATCH};

/* Otherwise threads look, each time. */
static bool is_found_at_once(void) {
    const int fd = open(files_path("pub/x"), O_RDONLY | O_CLOEXEC);
    const bool reads = kernel_reads_at_once(fd);

    close(fd);
    return reads && kernel_has_openat2();
}

static void count_calls(torc_reactor *reactor) {
    for (size_t i = 0; i < TORC_COUNT_OF(calls); i++) torc_test_limit_calls(reactor, calls[i], 0);
}

static uint64_t calls_made(torc_reactor *reactor) {
    uint64_t count = 0;

    for (size_t i = 0; i < TORC_COUNT_OF(calls); i++)
        count += torc_test_call_count(reactor, calls[i]);
    return count;
}

/* ---- what is known ---- */

static void what_is_known_costs_no_call(void **state) {
    if (!is_found_at_once()) skip_test("nothing is found without a thread");
    for (int i = 0; i < 2; i++) {
        count_calls(*state);
        web_check(*state, site, "GET /f/x", 200, "first");
        web_check(*state, site, "GET /f/a/b/x", 200, "deep");
        assert_int_equal(web_status(*state, site, "GET /f/big"), 200);
        assert_int_equal(web_status(*state, site, "GET /f/a"), 302);
        assert_int_equal(web_status(*state, site, "GET /f/none"), 404);
        assert_int_equal(web_status(*state, site, "GET /f/none/x/y"), 404);
        assert_int_equal(web_status(*state, site, "GET /f/x/y"), 404);
        if (i == 0)
            assert_true(calls_made(*state) > 0);
        else
            assert_int_equal(calls_made(*state), 0);
    }
    assert_int_equal(metric(*state, "file_cache_open"), 1);
    assert_int_equal(metric(*state, "file_cache_entries"), 5);
    assert_true(metric(*state, "file_cache_hits") >= 5);
}

static void what_is_known_is_compared_every_second(void **state) {
    if (!is_found_at_once()) skip_test("nothing is found without a thread");
    web_check(*state, site, "GET /f/x", 200, "first");
    assert_int_equal(web_status(*state, site, "GET /f/none"), 404);
    torc_test_advance(*state, 999);
    web_check(*state, site, "GET /f/x", 200, "first");
    assert_int_equal(metric(*state, "file_cache_checks"), 0);
    torc_test_advance(*state, 1);
    web_check(*state, site, "GET /f/x", 200, "first");
    web_check(*state, site, "GET /f/x", 200, "first");
    assert_int_equal(web_status(*state, site, "GET /f/none"), 404);
    assert_int_equal(metric(*state, "file_cache_checks"), 2);
    assert_int_equal(metric(*state, "file_cache_misses"), 2);
}

/* ---- what is changed ---- */

static void change_files(torc_reactor *reactor) {
    web_check(reactor, site, "GET /f/x", 200, "first");
    files_write("pub/x", "a second");
    web_check(reactor, site, "GET /f/x", 200, "a second");
    assert_int_equal(truncate(files_path("pub/x"), 3), 0);
    web_check(reactor, site, "GET /f/x", 200, "a s");
    assert_int_equal(unlink(files_path("pub/x")), 0);
    assert_int_equal(web_status(reactor, site, "GET /f/x"), 404);
    files_write("pub/x", "again");
    web_check(reactor, site, "GET /f/x", 200, "again");
    files_write("pub/new", "renamed over it");
    rename_to("pub/new", "pub/x");
    web_check(reactor, site, "GET /f/x", 200, "renamed over it");
    assert_int_equal(unlink(files_path("pub/x")), 0);
    assert_int_equal(symlink("a/b/x", files_path("pub/x")), 0);
    if (kernel_has_openat2()) web_check(reactor, site, "GET /f/x", 200, "deep");
    files_write("pub/a/b/x", "beyond the link");
    if (kernel_has_openat2()) web_check(reactor, site, "GET /f/x", 200, "beyond the link");
    assert_int_equal(unlink(files_path("pub/x")), 0);
    assert_int_equal(symlink("../elsewhere/x", files_path("pub/x")), 0);
    assert_int_equal(web_status(reactor, site, "GET /f/x"), 404);
    assert_int_equal(unlink(files_path("pub/x")), 0);
    files_make_folder("pub/x");
    assert_int_equal(web_status(reactor, site, "GET /f/x"), 302);
}

static void change_folders(torc_reactor *reactor) {
    web_check(reactor, site, "GET /f/a/b/x", 200, "deep");
    assert_int_equal(web_status(reactor, site, "GET /f/a2/b/x"), 404);
    rename_to("pub/a", "pub/a2");
    assert_int_equal(web_status(reactor, site, "GET /f/a/b/x"), 404);
    web_check(reactor, site, "GET /f/a2/b/x", 200, "deep");
    files_write("pub/a2/b/x", "changed there");
    web_check(reactor, site, "GET /f/a2/b/x", 200, "changed there");
    files_make_folder("pub/a");
    files_make_folder("pub/a/b");
    files_write("pub/a/b/x", "another");
    web_check(reactor, site, "GET /f/a/b/x", 200, "another");
    rename_to("pub/a", "elsewhere/a");
    assert_int_equal(web_status(reactor, site, "GET /f/a/b/x"), 404);
    assert_int_equal(symlink("../elsewhere/a", files_path("pub/a")), 0);
    assert_int_equal(web_status(reactor, site, "GET /f/a/b/x"), 404);
    assert_int_equal(unlink(files_path("pub/a")), 0);
    files_write("pub/a", "a file");
    assert_int_equal(web_status(reactor, site, "GET /f/a/b/x"), 404);
    web_check(reactor, site, "GET /f/a", 200, "a file");
}

static void changes_of_files_are_noticed(void **state) {
    change_files(*state);
}

static void changes_of_folders_are_noticed(void **state) {
    change_folders(*state);
}

/* The siblings of a file come and go, while it stays. */
static void change_siblings(torc_reactor *reactor, torc_site *with_siblings) {
    static const char *const request = "GET /f/x\nAccept-Encoding: gzip";

    for (int i = 0; i < 3; i++) {
        for (int each = 0; each < 3; each++)
            web_check(reactor, with_siblings, request, 200, "first");
        files_write("pub/x.gz", "small");
        web_check(reactor, with_siblings, request, 200, "small");
        web_check(reactor, with_siblings, "GET /f/x", 200, "first");
        rename_to("pub/x.gz", "elsewhere/x.gz");
        web_check(reactor, with_siblings, request, 200, "first");
        assert_int_equal(symlink("a/x.gz", files_path("pub/x.gz")), 0);
        web_check(reactor, with_siblings, request, 200, "first");
        rename_to("elsewhere/x.gz", "pub/a/x.gz");
        if (kernel_has_openat2()) web_check(reactor, with_siblings, request, 200, "small");
        assert_int_equal(unlink(files_path("pub/x.gz")), 0);
        assert_int_equal(unlink(files_path("pub/a/x.gz")), 0);
        files_make_folder("pub/x.gz");
        web_check(reactor, with_siblings, request, 200, "first");
        assert_int_equal(rmdir(files_path("pub/x.gz")), 0);
    }
}

static void siblings_that_come_are_noticed(void **state) {
    torc_site *with_siblings = site_with(NULL);

    change_siblings(*state, with_siblings);
    torc_site_free(with_siblings);
}

static void siblings_that_come_are_noticed_without_watches(void **state) {
    torc_site *with_siblings = site_with(NULL);

    torc_test_fail_calls(*state, TORC_TEST_WATCH, 1, 1000, ENOSPC);
    change_siblings(*state, with_siblings);
    torc_site_free(with_siblings);
}

/* That there are none is looked up once, not with each request. */
static void siblings_that_are_not_there_are_not_looked_up_again(void **state) {
    if (!is_found_at_once()) skip_test("nothing is found without a thread");
    torc_site *with_siblings = site_with(NULL);

    web_check(*state, with_siblings, "GET /f/x", 200, "first");
    const int64_t before = metric(*state, "file_cache_hits");
    for (int i = 0; i < 10; i++) web_check(*state, with_siblings, "GET /f/x", 200, "first");
    assert_int_equal(metric(*state, "file_cache_hits"), before + 10);
    torc_test_advance(*state, 1000);
    web_check(*state, with_siblings, "GET /f/x", 200, "first");
    assert_int_equal(metric(*state, "file_cache_checks"), 4);
    torc_site_free(with_siblings);
}

/* At the limit of watches each answer is checked, files in memory too (they are old enough). */
static void changes_are_noticed_without_watches(void **state) {
    torc_test_advance(*state, UINT64_C(200) * 365 * 24 * 3600 * 1000);
    torc_test_fail_calls(*state, TORC_TEST_WATCH, 1, 1000, ENOSPC);
    change_files(*state);
    if (is_found_at_once()) assert_true(metric(*state, "file_cache_checks") > 0);
}

static void changes_of_folders_are_noticed_without_watches(void **state) {
    torc_test_advance(*state, UINT64_C(200) * 365 * 24 * 3600 * 1000);
    torc_test_fail_calls(*state, TORC_TEST_WATCH, 1, 1000, ENOSPC);
    change_folders(*state);
}

static void a_change_by_another_name_is_noticed(void **state) {
    assert_int_equal(link(files_path("pub/x"), files_path("elsewhere/y")), 0);
    for (int i = 0; i < 2; i++) {
        files_write("elsewhere/y", i ? "one" : "two and more");
        web_check_at(*state, site, "GET /f/x", 200, torc_str_of(i ? "one" : "two and more"),
                     __FILE__, __LINE__);
    }
}

static void a_change_that_nobody_tells_is_noticed_within_a_second(void **state) {
    const int fd = open(files_path("pub/x"), O_RDWR | O_CLOEXEC);
    char *bytes = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    assert_true(bytes != MAP_FAILED);
    web_check(*state, site, "GET /f/x", 200, "first");
    memcpy(bytes, "FIRST", 5);
    torc_test_advance(*state, 1000);
    web_check(*state, site, "GET /f/x", 200, "FIRST");
    munmap(bytes, 5);
    close(fd);
}

static void nothing_is_missed_when_too_much_happens(void **state) {
    web_check(*state, site, "GET /f/x", 200, "first");
    for (int i = 0; i < 10000; i++) { /* more than the kernel keeps: 16,384 */
        assert_int_equal(chmod(files_path("pub/big"), 0644), 0);
        assert_int_equal(chmod(files_path("pub/a"), 0755), 0);
    }
    files_write("pub/x", "the last");
    web_check(*state, site, "GET /f/x", 200, "the last");
}

static void the_folder_itself_may_move(void **state) {
    web_check(*state, site, "GET /f/a/b/x", 200, "deep");
    rename_to("pub", "moved");
    files_write("moved/a/b/x", "moved along");
    web_check(*state, site, "GET /f/a/b/x", 200, "moved along");
}

/* Each second the path is looked at; in vain if others rename at that moment. */
static void becomes(torc_reactor *reactor, const char *text) {
    bool is_so = false;

    for (int i = 0; i < 20 && !is_so; i++) {
        torc_test_advance(reactor, 1000);
        torc_test_request *test = web_ask(reactor, site, "GET /f/x");
        is_so = torc_str_equals(torc_test_request_body(test), torc_str_of(text));
        torc_test_request_free(test);
    }
    assert_true(is_so);
}

static void another_folder_at_its_path_is_served_soon(void **state) {
    static const char *const names[] = {"one", "two", "three"};

    if (!is_found_at_once()) skip_test("nothing is found without a thread");
    for (int i = 0; i < 3; i++) {
        web_check_at(*state, site, "GET /f/x", 200, torc_str_of(i == 0 ? "first" : names[i - 1]),
                     __FILE__, __LINE__);
        rename_to("pub", "old");
        files_make_folder("pub");
        files_write("pub/x", names[i]);
        becomes(*state, names[i]);
        assert_int_equal(unlink(files_path("old/x")), 0);
        rename_to("old", names[i]);
    }
    assert_int_equal(symlink("elsewhere", files_path("link")), 0);
    rename_to("pub", "old");
    assert_int_equal(rename(files_path("link"), files_path("pub")), 0);
    becomes(*state, "outside");
}

/* ---- bounds ---- */

static void what_is_kept_is_bounded(void **state) {
    torc_static_files_options options = {.size = sizeof(options),
                                         .ignore_precompressed = true,
                                         .cache_entries_max = 8,
                                         .cache_open_max = 2};
    torc_site *small = site_with(&options);
    char name[40], head[40];

    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof(name), "pub/s%d", i);
        files_write(name, "small");
        snprintf(name, sizeof(name), "pub/b%d", i);
        files_write(name, big);
    }
    for (int i = 0; i < 90; i++) {
        snprintf(head, sizeof(head), "GET /f/%c%d", "sbn"[i % 3], i / 3);
        assert_int_equal(web_status(*state, small, head), i % 3 == 2 ? 404 : 200);
    }
    if (is_found_at_once()) {
        assert_int_equal(metric(*state, "file_cache_entries"), 8 + 2 + 2);
        assert_int_equal(metric(*state, "file_cache_open"), 2);
        assert_int_equal(metric(*state, "file_cache_evictions"), 90 - 12);
    }
    torc_site_free(small);
    assert_int_equal(metric(*state, "file_cache_entries"), 0);
    assert_int_equal(metric(*state, "file_cache_bytes"), 0);
}

static void its_memory_is_bounded(void **state) {
    torc_static_files_options options = {.size = sizeof(options),
                                         .ignore_precompressed = true,
                                         .cache_bytes_max = 3 * (size_t)BIG,
                                         .cache_file_bytes_max = 2 * (size_t)BIG};
    torc_site *small = site_with(&options);
    char name[40], head[40];

    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "pub/b%d", i);
        files_write(name, big);
        snprintf(head, sizeof(head), "GET /f/b%d", i);
        web_check_at(*state, small, head, 200, torc_str_of(big), __FILE__, __LINE__);
    }
    if (is_found_at_once()) assert_int_equal(metric(*state, "file_cache_entries"), 2);
    assert_true(metric(*state, "file_cache_bytes") <= (int64_t)options.cache_bytes_max);
    torc_site_free(small);
}

/* What is being sent is the peer's, whatever happens to the file and to the cache. */
static void what_is_being_sent_stays(void **state) {
    torc_static_files_options options = {
        .size = sizeof(options), .cache_entries_max = 1, .cache_file_bytes_max = 2 * (size_t)BIG};
    torc_site *small = site_with(&options);
    torc_test_request *test =
        torc_test_request_new(*state, torc_site_acceptor(small), "GET /f/big");

    torc_test_request_hold_back(test);
    web_finish(*state, test);
    web_check(*state, small, "GET /f/x", 200, "first");
    assert_int_equal(unlink(files_path("pub/big")), 0);
    assert_int_equal(web_status(*state, small, "GET /f/big"), 404);
    torc_test_request_take(test, SIZE_MAX);
    web_finish(*state, test);
    check_str_at(torc_test_request_body(test), torc_str_of(big), __FILE__, __LINE__);
    torc_test_request_free(test);
    torc_site_free(small);
}

static void without_descriptors_the_open_files_are_given_up(void **state) {
    if (!is_found_at_once()) skip_test("nothing is found without a thread");
    assert_int_equal(web_status(*state, site, "GET /f/big"), 200);
    assert_int_equal(metric(*state, "file_cache_open"), 1);
    torc_test_fail_calls(*state, TORC_TEST_OPEN, 1, 1, EMFILE);
    web_check(*state, site, "GET /f/x", 200, "first");
    assert_int_equal(metric(*state, "file_cache_open"), 0);
}

static void it_may_be_off(void **state) {
    torc_static_files_options options = {.size = sizeof(options), .cache_is_off = true};
    torc_site *off = site_with(&options);

    for (int i = 0; i < 2; i++) {
        count_calls(*state);
        web_check(*state, off, "GET /f/x", 200, "first");
        assert_int_equal(torc_test_call_count(*state, TORC_TEST_WATCH), 0);
        assert_true(torc_test_call_count(*state, TORC_TEST_OPEN) > 0);
    }
    torc_site_free(off);
}

/* ---- what fails ---- */

static void each_call_may_fail(void **state) {
    static const int numbers[] = {EIO, EMFILE, EAGAIN, EINVAL, EPERM, EINTR};

    (void)state;
    for (size_t kind = 0; kind < TORC_COUNT_OF(calls); kind++)
        for (size_t i = 0; i < TORC_COUNT_OF(numbers); i++)
            for (uint64_t n = 1; n <= 4; n++) {
                void *fresh = NULL;
                assert_int_equal(web_set_up(&fresh), 0);
                torc_test_fail_calls(fresh, calls[kind], n, 1, numbers[i]);
                const int status = web_status(fresh, site, "GET /f/a/b/x");
                assert_true(status == 200 || status >= 400);
                torc_test_fail_calls(fresh, calls[kind], 0, 0, 0);
                torc_test_advance(fresh, 1000);
                web_check(fresh, site, "GET /f/a/b/x", 200, "deep");
                assert_int_equal(web_tear_down(&fresh), 0);
            }
}

/* Read while it is written to: what was read does not go with what was looked at. */
static void a_file_that_changes_while_it_is_read_is_not_kept(void **state) {
    if (!is_found_at_once()) skip_test("nothing is found without a thread");
    torc_test_fail_calls(*state, TORC_TEST_READ, 1, 1, EAGAIN);
    web_check(*state, site, "GET /f/x", 200, "first"); /* a thread reads it before */
    assert_int_equal(truncate(files_path("pub/big"), 10), 0);
    torc_test_limit_calls(*state, TORC_TEST_READ, 3); /* in pieces */
    web_check(*state, site, "GET /f/big", 200, "bbbbbbbbbb");
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void wait_at_gate(torc_job *job) {
    (void)job;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void ended(torc_job *job) {
    (void)job;
}

/* No thread is free and the queue is full: a file that is cold waits for a second, and then there
 * is 503. */
static void a_full_queue_of_threads_is_waited_for(void **state) {
    const torc_reactor_options options = {.size = sizeof(options),
                                          .threads[TORC_THREAD_FILE] = {1, 1}};
    static torc_job jobs[2];
    torc_reactor *narrow;

    (void)state;
    assert_int_equal(torc_test_reactor_new(&options, &narrow), TORC_OK);
    for (int is_freed = 0; is_freed < 2; is_freed++) {
        torc_test_request *test =
            torc_test_request_new(narrow, torc_site_acceptor(site), "GET /f/x");
        pthread_mutex_lock(&gate);
        for (int i = 0; i < 2; i++) {
            jobs[i] = (torc_job){.work = wait_at_gate, .done = ended};
            for (int n = 0; torc_job_submit(narrow, &jobs[i]) != TORC_OK; n++) {
                assert_true(n < 1000); /* until the thread has taken the first */
                usleep(1000);
            }
        }
        torc_test_fail_calls(narrow, TORC_TEST_OPEN, 1, 1, EAGAIN);
        torc_test_settle(narrow);
        torc_test_advance(narrow, 500);
        assert_int_equal(torc_test_request_status(test), 0);
        if (is_freed) {
            pthread_mutex_unlock(&gate);
            torc_test_finish_jobs(narrow);
        }
        torc_test_advance(narrow, 1000);
        if (is_freed) torc_test_finish_jobs(narrow);
        torc_test_settle(narrow);
        assert_int_equal(torc_test_request_status(test), is_freed ? 200 : 503);
        torc_test_request_free(test);
        if (!is_freed) pthread_mutex_unlock(&gate);
        torc_test_finish_jobs(narrow);
    }
    torc_reactor_free(narrow);
}

/* One site, two reactors in turns: each knows its own. */
static void reactors_know_their_own(void **state) {
    void *other = NULL;

    assert_int_equal(web_set_up(&other), 0);
    for (int i = 0; i < 3; i++) {
        web_check(*state, site, "GET /f/x", 200, "first");
        web_check(other, site, "GET /f/x", 200, "first");
    }
    assert_int_equal(web_tear_down(&other), 0);
    web_check(*state, site, "GET /f/x", 200, "first");
}

#define CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CACHE_TEST(what_is_known_costs_no_call),
        CACHE_TEST(what_is_known_is_compared_every_second),
        CACHE_TEST(changes_of_files_are_noticed),
        CACHE_TEST(changes_of_folders_are_noticed),
        CACHE_TEST(siblings_that_come_are_noticed),
        CACHE_TEST(siblings_that_come_are_noticed_without_watches),
        CACHE_TEST(siblings_that_are_not_there_are_not_looked_up_again),
        CACHE_TEST(changes_are_noticed_without_watches),
        CACHE_TEST(changes_of_folders_are_noticed_without_watches),
        CACHE_TEST(a_change_by_another_name_is_noticed),
        CACHE_TEST(a_change_that_nobody_tells_is_noticed_within_a_second),
        CACHE_TEST(nothing_is_missed_when_too_much_happens),
        CACHE_TEST(the_folder_itself_may_move),
        CACHE_TEST(another_folder_at_its_path_is_served_soon),
        CACHE_TEST(what_is_kept_is_bounded),
        CACHE_TEST(its_memory_is_bounded),
        CACHE_TEST(what_is_being_sent_stays),
        CACHE_TEST(without_descriptors_the_open_files_are_given_up),
        CACHE_TEST(it_may_be_off),
        CACHE_TEST(each_call_may_fail),
        CACHE_TEST(a_file_that_changes_while_it_is_read_is_not_kept),
        CACHE_TEST(a_full_queue_of_threads_is_waited_for),
        CACHE_TEST(reactors_know_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
