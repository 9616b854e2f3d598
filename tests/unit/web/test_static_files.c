/* SPDX-License-Identifier: MIT */
/* The files of a folder, of a temporary one that each test makes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <torc/static_files.h>
#include <unistd.h>

#include "files_fixture.h"
#include "kernel.h"
#include "testing/uncounted.h"

static torc_site *site;

static torc_site *site_over(const char *path, const torc_static_files_options *options) {
    torc_resource *root = torc_folder_new();

    torc_resource_put_child(root, "f", torc_static_files_new(path, options));
    return torc_site_new(root, NULL);
}

/* Of which one open is one file. */
static torc_site *site_without_siblings(void) {
    const torc_static_files_options options = {.size = sizeof(options),
                                               .ignore_precompressed = true};
    return site_over(files_path("pub"), &options);
}

static int set_up(void **state) {
    const struct timespec times[2] = {{784111777, 0}, {784111777, 5}};

    if (files_set_up(state)) return -1;
    files_make_folder("pub");
    files_make_folder("pub/sub");
    files_make_folder("pub/empty");
    files_make_folder("pub/.hidden");
    files_write("secret.txt", "secret");
    files_write("pub/foo.txt", "0123456789");
    files_write("pub/index.html", "<p>index</p>");
    files_write("pub/sub/index.html", "<p>sub</p>");
    files_write("pub/sub/page.xyz", "page");
    files_write("pub/nothing.css", "");
    files_write("pub/sp ace.txt", "space");
    files_write("pub/.dot", "dot");
    files_write("pub/.hidden/file", "hidden");
    if (utimensat(AT_FDCWD, files_path("pub/foo.txt"), times, 0)) return -1;
    site = site_over(files_path("pub"), NULL);
    return site ? 0 : -1;
}

static int tear_down(void **state) {
    const int code = files_tear_down(state);

    torc_site_free(site);
    return code;
}

/* ---- finding ---- */

static void files_are_served_with_what_describes_them(void **state) {
    torc_test_request *test = web_ask(*state, site, "GET /f/foo.txt");

    assert_int_equal(torc_test_request_status(test), 200);
    assert_int_equal(torc_test_request_length(test), 10);
    check_str(torc_test_request_body(test), "0123456789");
    check_str(torc_test_request_field(test, "Content-Type"), "text/plain");
    check_str(torc_test_request_field(test, "Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
    check_str(torc_test_request_field(test, "ETag"), "\"2ebc98a1.5-a\"");
    torc_test_request_free(test);

    web_check(*state, site, "GET /f/sub/page.xyz?query", 200, "page");
    web_check(*state, site, "GET /f/sp%20ace.txt", 200, "space");
    web_check(*state, site, "GET /f/nothing.css", 200, "");
}

static void head_has_the_length_and_no_body(void **state) {
    torc_test_request *test = web_ask(*state, site, "HEAD /f/foo.txt");

    assert_int_equal(torc_test_request_status(test), 200);
    assert_int_equal(torc_test_request_length(test), 10);
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);
}

static void other_methods_are_refused(void **state) {
    torc_test_request *test = web_ask(*state, site, "POST /f/foo.txt");

    assert_int_equal(torc_test_request_status(test), 405);
    check_str(torc_test_request_field(test, "Allow"), "GET, HEAD, OPTIONS");
    torc_test_request_free(test);
}

static void the_index_stands_for_its_folder(void **state) {
    web_check(*state, site, "GET /f/", 200, "<p>index</p>");
    web_check(*state, site, "GET /f/sub/", 200, "<p>sub</p>");
    assert_int_equal(web_status(*state, site, "GET /f/empty/"), 404);

    torc_test_request *test = web_ask(*state, site, "GET /f/sub/");
    check_str(torc_test_request_field(test, "Content-Type"), "text/html");
    torc_test_request_free(test);
}

static void check_location(torc_reactor *reactor, const char *head, const char *location) {
    torc_test_request *test = web_ask(reactor, site, head);

    assert_int_equal(torc_test_request_status(test), 302);
    check_str_at(torc_test_request_field(test, "Location"), torc_str_of(location), __FILE__,
                 __LINE__);
    torc_test_request_free(test);
}

static void a_missing_slash_is_added_and_the_query_kept(void **state) {
    files_make_folder("pub/a:b");
    files_make_folder("pub/\\\\evil");
    check_location(*state, "GET /f", "f/");
    check_location(*state, "GET /f?a=/b", "f/?a=/b");
    check_location(*state, "GET /f/sub?", "sub/?");
    check_location(*state, "HEAD /f/%73ub", "%73ub/");
    check_location(*state, "GET /f/a:b", "./a:b/");
    check_location(*state, "GET /f/%5C%5Cevil?x", "%5C%5Cevil/?x");
    check_location(*state, "GET /f/\\\\evil?x", "./\\\\evil/?x");
}

static void what_is_not_to_be_served_is_not_found(void **state) {
    static const char *const heads[] = {
        "GET /f/missing",
        "GET /f/foo.txt/",
        "GET /f/foo.txt/x",
        "GET /f//foo.txt",
        "GET /f/sub//",
        "GET /f/.dot",
        "GET /f/.hidden/file",
        "GET /f/%2Edot",
        "GET /f/../secret.txt",
        "GET /f/..",
        "GET /f/../",
        "GET /f/%2e%2e/secret.txt",
        "GET /f/sub/../foo.txt",
        "GET /f/..%2fsecret.txt",
        "GET /f/sub%2fpage.xyz",
        "GET /f/./foo.txt",
    };

    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        if (web_status(*state, site, heads[i]) != 404) print_error("%s\n", heads[i]);
        assert_int_equal(web_status(*state, site, heads[i]), 404);
    }
}

static void names_and_paths_have_a_maximum(void **state) {
    static char head[6000] = "GET /f";

    memset(head + 6, 'x', 300);
    head[6] = '/';
    assert_int_equal(web_status(*state, site, head), 404);
    for (int i = 0; i < 2500; i++) memcpy(head + 6 + 2 * i, "/x", 3);
    assert_int_equal(web_status(*state, site, head), 404);
}

static void links_lead_no_further_than_the_folder(void **state) {
    assert_int_equal(symlink("../secret.txt", files_path("pub/out")), 0);
    assert_int_equal(symlink("/etc/passwd", files_path("pub/absolute")), 0);
    assert_int_equal(symlink("..", files_path("pub/up")), 0);
    assert_int_equal(symlink("loop", files_path("pub/loop")), 0);
    assert_int_equal(symlink("sub/page.xyz", files_path("pub/in")), 0);
    assert_int_equal(web_status(*state, site, "GET /f/out"), 404);
    assert_int_equal(web_status(*state, site, "GET /f/absolute"), 404);
    assert_int_equal(web_status(*state, site, "GET /f/up/secret.txt"), 404);
    assert_int_equal(web_status(*state, site, "GET /f/loop"), 404);
    if (kernel_has_openat2()) /* else no links are followed */
        web_check(*state, site, "GET /f/in", 200, "page");
    else
        assert_int_equal(web_status(*state, site, "GET /f/in"), 404);
}

static void what_is_no_file_is_not_found_and_not_waited_for(void **state) {
    assert_int_equal(mkfifo(files_path("pub/pipe"), 0644), 0);
    assert_int_equal(web_status(*state, site, "GET /f/pipe"), 404);
}

static void what_may_not_be_read_is_forbidden(void **state) {
    torc_test_fail_calls(*state, TORC_TEST_OPEN, 1, 1, EACCES);
    assert_int_equal(web_status(*state, site, "GET /f/foo.txt"), 403);
    torc_test_fail_calls(*state, TORC_TEST_OPEN, 1, 1, EMFILE);
    assert_int_equal(web_status(*state, site, "GET /f/foo.txt"), 503);
    torc_test_fail_calls(*state, TORC_TEST_STAT, 1, 1, EIO);
    assert_int_equal(web_status(*state, site, "GET /f/foo.txt"), 500);
}

/* Not in the kernel's cache: a thread waits for the disk. */
static void a_cold_file_is_opened_by_a_thread(void **state) {
    torc_site *alone = site_without_siblings();

    torc_test_fail_calls(*state, TORC_TEST_OPEN, 1, 1, EAGAIN);
    web_check(*state, alone, "GET /f/foo.txt", 200, "0123456789");
    torc_site_free(alone);
    /* By the thread, and once more then: that is kept. Without openat2() there is foo.txt, too. */
    assert_int_equal(torc_test_call_count(*state, TORC_TEST_OPEN), kernel_has_openat2() ? 3 : 4);
}

/* As in a container whose filter knows no openat2(). */
static void without_openat2_names_are_opened_one_by_one(void **state) {
    torc_static_files_options options = {
        .size = sizeof(options), .cache_is_off = true, .ignore_precompressed = true};
    torc_site *off = site_over(files_path("pub"), &options); /* which would look again */

    assert_int_equal(symlink("sub", files_path("pub/link")), 0);
    torc_test_fail_calls(*state, TORC_TEST_OPEN, 1, 2, ENOSYS);
    web_check(*state, off, "GET /f/sub/page.xyz", 200, "page");
    assert_int_equal(torc_test_call_count(*state, TORC_TEST_OPEN),
                     4); /* twice openat2, then sub, page.xyz */
    torc_test_fail_calls(*state, TORC_TEST_OPEN, 1, 2, EPERM);
    assert_int_equal(web_status(*state, off, "GET /f/link/page.xyz"),
                     404); /* no links are followed so */
    torc_site_free(off);
}

/* ---- conditions ---- */

static void a_version_that_is_known_is_not_sent_again(void **state) {
    static const struct {
        const char *field;
        int status;
    } cases[] = {
        {"If-None-Match: \"2ebc98a1.5-a\"", 304},
        {"If-None-Match: W/\"2ebc98a1.5-a\"", 304},
        {"If-None-Match: \"x\", \"2ebc98a1.5-a\"", 304},
        {"If-None-Match: \"x\"\nIf-None-Match: *", 304},
        {"If-None-Match: \"x\"", 200},
        {"If-None-Match: 2ebc98a1.5-a", 200},
        {"If-None-Match: \"x\"\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 200},
        {"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 304},
        {"If-Modified-Since: Sunday, 06-Nov-94 08:49:38 GMT", 304},
        {"If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 200},
        {"If-Modified-Since: yesterday", 200},
    };
    char head[200];

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        snprintf(head, sizeof(head), "GET /f/foo.txt\n%s", cases[i].field);
        torc_test_request *test = web_ask(*state, site, head);
        if (torc_test_request_status(test) != cases[i].status) print_error("%s\n", cases[i].field);
        assert_int_equal(torc_test_request_status(test), cases[i].status);
        check_str(torc_test_request_field(test, "ETag"), "\"2ebc98a1.5-a\"");
        assert_int_equal(torc_test_request_field(test, "Content-Type").bytes != NULL,
                         cases[i].status == 200);
        assert_int_equal(torc_test_request_body(test).len, cases[i].status == 200 ? 10 : 0);
        torc_test_request_free(test);
    }
}

/* ---- what was given ---- */

static void a_file_that_was_given_is_served_alone(void **state) {
    torc_site *one = site_over(files_path("pub/foo.txt"), NULL);

    web_check(*state, one, "GET /f", 200, "0123456789");
    assert_int_equal(web_status(*state, one, "GET /f/"), 404);
    assert_int_equal(web_status(*state, one, "GET /f/foo.txt"), 404);
    torc_test_request *test = web_ask(*state, one, "GET /f");
    check_str(torc_test_request_field(test, "Content-Type"), "text/plain");
    torc_test_request_free(test);
    torc_site_free(one);
}

static void a_folder_that_comes_later_is_found(void **state) {
    torc_site *late = site_over(files_path("late"), NULL);

    assert_int_equal(web_status(*state, late, "GET /f/x"), 404);
    assert_int_equal(web_status(*state, late, "GET /f"), 404);
    files_make_folder("late");
    files_write("late/x", "here");
    web_check(*state, late, "GET /f/x", 200, "here");
    assert_int_equal(web_status(*state, late, "GET /f"), 302);
    torc_site_free(late);
}

static void index_and_type_are_options(void **state) {
    torc_static_files_options options = {.size = sizeof(options),
                                         .index = (const char *const[]){"page.xyz", NULL},
                                         .default_type = "a/b"};
    torc_site *own = site_over(files_path("pub"), &options);
    torc_test_request *test = web_ask(*state, own, "GET /f/sub/");

    check_str(torc_test_request_body(test), "page");
    check_str(torc_test_request_field(test, "Content-Type"), "a/b");
    torc_test_request_free(test);
    torc_site_free(own);

    options.index = (const char *const[]){NULL};
    own = site_over(files_path("pub"), &options);
    assert_int_equal(web_status(*state, own, "GET /f/sub/"), 404);
    torc_site_free(own);

    options.default_type = "a\nb";
    assert_null(torc_static_files_new(files_path("pub"), &options));
}

/* ---- its end ---- */

/* The peer leaves while a thread opens the file: nothing is sent, and nothing is left open. */
static void a_peer_that_leaves_leaves_nothing_behind(void **state) {
    web_check(*state, site, "GET /f/", 200, "<p>index</p>"); /* what watches is open from now on */
    const int before = dup(0);
    torc_test_request *test =
        torc_test_request_new(*state, torc_site_acceptor(site), "GET /f/foo.txt");

    close(before);
    torc_test_fail_calls(*state, TORC_TEST_OPEN, 1, 1, EAGAIN);
    (void)!torc_reactor_turn(*state, 0); /* the job is given to the pool */
    torc_test_request_disconnect(test);
    web_finish(*state, test);
    assert_int_equal(torc_test_request_status(test), 0);
    torc_test_request_free(test);
    const int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

/* One request with the n-th allocation failing; whether it was reached. */
static bool fail_one(const char *head, bool is_cold, uint64_t n) {
    void *fresh = NULL; /* so that the pools do not hide allocations */

    assert_int_equal(web_set_up(&fresh), 0);
    torc_test_request *test = torc_test_request_new(fresh, torc_site_acceptor(site), head);
    if (is_cold) torc_test_fail_calls(fresh, TORC_TEST_OPEN, 1, 1, EAGAIN);
    torc_test_fail_allocation(fresh, n);
    web_finish(fresh, test);
    const bool failed = torc_test_allocation_failed(fresh);
    torc_test_fail_allocation(fresh, 0);
    assert_true(torc_test_request_is_complete(test) || torc_test_request_was_reset(test) ||
                torc_test_request_status(test) == 503);
    torc_test_request_free(test);
    assert_int_equal(web_tear_down(&fresh), 0);
    return failed;
}

static void each_allocation_may_fail(void **state) {
    static const char *const heads[] = {"GET /f/foo.txt", "GET /f/sub", "GET /f/",
                                        "GET /f/missing"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++)
        for (int is_cold = 0; is_cold < 2; is_cold++) {
            uint64_t n = 1;
            while (fail_one(heads[i], is_cold, n)) assert_true(++n < 1000);
            assert_true(n > 3);
        }
}

static void without_memory_there_is_none(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        torc_test_fail_uncounted(n);
        assert_null(torc_static_files_new(files_folder, NULL));
        torc_test_fail_uncounted(0);
    }
}

#define STATIC_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- ranges ---- */

static void check_range(torc_reactor *reactor, const char *head, int status,
                        const char *content_range, torc_str body) {
    torc_test_request *test = web_ask(reactor, site, head);

    if (torc_test_request_status(test) != status) print_error("%s\n", head);
    assert_int_equal(torc_test_request_status(test), status);
    check_str_at(torc_test_request_field(test, "Content-Range"), torc_str_of(content_range),
                 __FILE__, __LINE__);
    if (status != 416) {
        check_str_at(torc_test_request_body(test), body, __FILE__, __LINE__);
        assert_int_equal(torc_test_request_length(test), status == 304 ? -1 : (int64_t)body.len);
    }
    torc_test_request_free(test);
}

static void a_range_is_sent_alone(void **state) {
    check_range(*state, "GET /f/foo.txt\nRange: bytes=2-4", 206, "bytes 2-4/10", TORC_STR("234"));
    check_range(*state, "GET /f/foo.txt\nRange: bytes=-1", 206, "bytes 9-9/10", TORC_STR("9"));
    check_range(*state, "GET /f/foo.txt\nRange: bytes=0-", 206, "bytes 0-9/10",
                TORC_STR("0123456789"));
    check_range(*state, "GET /f/foo.txt\nRange: bytes=10-", 416, "bytes */10", TORC_STR(""));
    check_range(*state, "GET /f/nothing.css\nRange: bytes=0-", 416, "bytes */0", TORC_STR(""));
    check_range(*state, "GET /f/foo.txt\nRange: lines=1-2", 200, NULL, TORC_STR("0123456789"));
    check_range(*state, "GET /f/foo.txt\nRange: bytes=2-4\nIf-Range: \"2ebc98a1.5-a\"", 206,
                "bytes 2-4/10", TORC_STR("234"));
    check_range(*state, "GET /f/foo.txt\nRange: bytes=2-4\nIf-Range: \"old\"", 200, NULL,
                TORC_STR("0123456789"));
}

static void head_knows_no_ranges_and_conditions_come_first(void **state) {
    torc_test_request *test = web_ask(*state, site, "HEAD /f/foo.txt\nRange: bytes=2-4");

    assert_int_equal(torc_test_request_status(test), 200);
    assert_int_equal(torc_test_request_length(test), 10);
    check_str(torc_test_request_field(test, "Accept-Ranges"), "bytes");
    torc_test_request_free(test);
    assert_int_equal(web_status(*state, site, "GET /f/foo.txt\nRange: bytes=2-4\nIf-None-Match: *"),
                     304);
    assert_int_equal(web_status(*state, site, "GET /f/foo.txt\nRange: bytes=20-\nIf-Match: \"x\""),
                     412);
    assert_int_equal(
        web_status(*state, site,
                   "GET /f/foo.txt\nIf-Unmodified-Since: Sat, 05 Nov 1994 08:49:37 GMT"),
        412);
}

static void several_ranges_are_parts_of_one_body(void **state) {
    torc_test_request *test = web_ask(*state, site, "GET /f/foo.txt\nRange: bytes=0-1,5-6,-1");
    char body[600];

    assert_int_equal(torc_test_request_status(test), 206);
    assert_null(torc_test_request_field(test, "Content-Range").bytes);
    const torc_str type = torc_test_request_field(test, "Content-Type");
    const torc_str before = TORC_STR("multipart/byteranges; boundary=");
    assert_true(torc_str_starts_with(type, before));
    const torc_str name = torc_str_from(type, before.len);
    snprintf(body, sizeof(body),
             "\r\n--%.*s\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
             "\r\n--%.*s\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-6/10\r\n\r\n56"
             "\r\n--%.*s\r\nContent-Type: text/plain\r\nContent-Range: bytes 9-9/10\r\n\r\n9"
             "\r\n--%.*s--\r\n",
             TORC_STR_ARGS(name), TORC_STR_ARGS(name), TORC_STR_ARGS(name), TORC_STR_ARGS(name));
    check_str_at(torc_test_request_body(test), torc_str_of(body), __FILE__, __LINE__);
    assert_int_equal(torc_test_request_length(test), torc_test_request_body(test).len);
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STATIC_TEST(a_range_is_sent_alone),
        STATIC_TEST(head_knows_no_ranges_and_conditions_come_first),
        STATIC_TEST(several_ranges_are_parts_of_one_body),
        STATIC_TEST(files_are_served_with_what_describes_them),
        STATIC_TEST(head_has_the_length_and_no_body),
        STATIC_TEST(other_methods_are_refused),
        STATIC_TEST(the_index_stands_for_its_folder),
        STATIC_TEST(a_missing_slash_is_added_and_the_query_kept),
        STATIC_TEST(what_is_not_to_be_served_is_not_found),
        STATIC_TEST(names_and_paths_have_a_maximum),
        STATIC_TEST(links_lead_no_further_than_the_folder),
        STATIC_TEST(what_is_no_file_is_not_found_and_not_waited_for),
        STATIC_TEST(what_may_not_be_read_is_forbidden),
        STATIC_TEST(a_cold_file_is_opened_by_a_thread),
        STATIC_TEST(without_openat2_names_are_opened_one_by_one),
        STATIC_TEST(a_version_that_is_known_is_not_sent_again),
        STATIC_TEST(a_file_that_was_given_is_served_alone),
        STATIC_TEST(a_folder_that_comes_later_is_found),
        STATIC_TEST(index_and_type_are_options),
        STATIC_TEST(a_peer_that_leaves_leaves_nothing_behind),
        STATIC_TEST(each_allocation_may_fail),
        STATIC_TEST(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
