/* SPDX-License-Identifier: MIT */
/* What is in a folder: who sees what of it, in which order, as HTML and as JSON. */
#include <errno.h>

#include "files_fixture.h"
#include "kernel.h"
#include "testing/uncounted.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static torc_site *site;

static int set_up(void **state) {
    const torc_static_files_options options = {.size = sizeof(options),
                                               .list = true,
                                               .cache_is_off = true,
                                               .cache_control = LIST("/s/=no-cache")};

    if (files_set_up(state)) return -1;
    site = files_site(&options);
    return 0;
}

static int tear_down(void **state) {
    torc_site_free(site);
    return files_tear_down(state);
}

#define LISTING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The names in the order of a listing in JSON, with blanks behind them. */
static void check_names(torc_reactor *reactor, const char *head, const char *expected) {
    torc_test_request *test = web_ask(reactor, site, head);
    torc_str rest = torc_test_request_body(test);
    const torc_str mark = TORC_STR("{\"name\":\"");
    char names[400] = "";
    ptrdiff_t at;

    assert_int_equal(torc_test_request_status(test), 200);
    check_field(test, "Content-Type", "application/json");
    while ((at = torc_str_find(rest, mark)) >= 0) {
        rest = torc_str_from(rest, (size_t)at + mark.len);
        const torc_str name = torc_str_head(rest, (size_t)torc_str_find_byte(rest, '"'));
        strncat(names, name.bytes, name.len);
        strcat(names, " ");
    }
    assert_string_equal(names, expected);
    torc_test_request_free(test);
}

static bool has(torc_test_request *test, const char *text) {
    return torc_str_find(torc_test_request_body(test), torc_str_of(text)) >= 0;
}

static void folders_come_first_and_then_the_order_that_was_asked_for(void **state) {
    files_write_at("b.txt", "bb", 3);
    files_write_at("A.txt", "aaaa", 1);
    files_write_at("c.txt", "c", 2);
    files_make_folder("zoo");
    files_make_folder("Ant");
    check_names(*state, "GET /f/?format=json", "Ant zoo A.txt b.txt c.txt ");
    check_names(*state, "GET /f/?format=json&sort=name&order=desc", "zoo Ant c.txt b.txt A.txt ");
    check_names(*state, "GET /f/?format=json&sort=size", "Ant zoo c.txt b.txt A.txt ");
    check_names(*state, "GET /f/?format=json&sort=size&order=desc", "zoo Ant A.txt b.txt c.txt ");
    check_names(*state, "GET /f/?format=json&sort=nonsense&order=up", "Ant zoo A.txt b.txt c.txt ");
    files_make_folder("t");
    files_write_at("t/b.txt", "bb", 3);
    files_write_at("t/A.txt", "aaaa", 1);
    files_write_at("t/c.txt", "c", 2);
    check_names(*state, "GET /f/t/?format=json&sort=modified", "A.txt c.txt b.txt ");
    check_names(*state, "GET /f/t/?format=json&sort=modified&order=desc", "b.txt c.txt A.txt ");
}

/* What is alike in size or time is ordered by name, and names that differ in case have an order. */
static void what_is_alike_is_ordered_by_name(void **state) {
    files_write_at("b", "1", 5);
    files_write_at("a", "1", 5);
    files_write_at("B", "1", 5);
    files_write_at("ab", "1", 5);
    check_names(*state, "GET /f/?format=json", "a ab B b ");
    check_names(*state, "GET /f/?format=json&sort=size", "a ab B b ");
    check_names(*state, "GET /f/?format=json&sort=modified", "a ab B b ");
}

static void json_says_what_there_is(void **state) {
    files_write_at("sp ace\"<.txt", "0123", 0);
    web_check(*state, site, "GET /f/?format=json", 200,
              "{\"entries\":[{\"name\":\"sp ace\\\"<.txt\",\"href\":\"./sp%20ace%22%3C.txt\","
              "\"type\":\"file\",\"size\":4,\"modified\":\"1994-11-06T08:49:37Z\"}],"
              "\"is_complete\":true}");
    web_check(*state, site, "GET /f/sp%20ace%22%3C.txt", 200, "0123");
}

static void accept_chooses_and_the_argument_decides(void **state) {
    static const struct {
        const char *head, *type;
    } cases[] = {
        {"GET /f/", "text/html; charset=utf-8"},
        {"GET /f/\nAccept: */*", "text/html; charset=utf-8"},
        {"GET /f/\nAccept: application/json", "application/json"},
        {"GET /f/\nAccept: application/json;q=0.5, text/html", "text/html; charset=utf-8"},
        {"GET /f/?format=json\nAccept: text/html", "application/json"},
        {"GET /f/?format=html\nAccept: application/json", "text/html; charset=utf-8"},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = web_ask(*state, site, cases[i].head);
        assert_int_equal(torc_test_request_status(test), 200);
        check_field(test, "Content-Type", cases[i].type);
        check_field(test, "Vary", "Accept");
        torc_test_request_free(test);
    }
}

static void what_would_not_be_found_is_not_listed(void **state) {
    files_write("seen", "");
    files_write(".hidden", "");
    files_make_folder(".well-known");
    assert_int_equal(mkfifo(files_path("pipe"), 0644), 0);
    assert_int_equal(symlink("/etc/passwd", files_path("out")), 0);
    assert_int_equal(symlink("missing", files_path("broken")), 0);
    assert_int_equal(symlink("seen", files_path("in")), 0);
    if (kernel_has_openat2()) /* else no links are followed */
        check_names(*state, "GET /f/?format=json", ".well-known in seen ");
    else
        check_names(*state, "GET /f/?format=json", ".well-known seen ");
}

static void links_are_looked_at_where_they_are(void **state) {
    files_make_folder("s");
    files_write("s/seen", "1234");
    assert_int_equal(symlink("seen", files_path("s/in")), 0);
    assert_int_equal(symlink("../../..", files_path("s/up")), 0);
    check_names(*state, "GET /f/s/?format=json", kernel_has_openat2() ? "in seen " : "seen ");
}

static void the_page_escapes_what_names_are_made_of(void **state) {
    torc_test_request *test;

    files_write("<script>&'\".txt", "1");
    files_write("bad\xff\x01name", "1");
    files_make_folder("a:b");
    test = web_ask(*state, site, "GET /f/");
    assert_true(has(test, "<a href=\"./%3Cscript%3E%26%27%22.txt\"><bdi>"
                          "&lt;script&gt;&amp;&#39;&quot;.txt</bdi></a>"));
    assert_true(has(test, "<a href=\"./bad%FF%01name\"><bdi>bad\xef\xbf\xbd\xef\xbf\xbd"
                          "name</bdi>"));
    assert_true(has(test, "<a href=\"./a%3Ab/\"><bdi>a:b</bdi>/</a>"));
    assert_false(has(test, "<script"));
    check_field(test, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    torc_test_request_free(test);
}

static void the_page_leads_up_to_where_the_files_begin(void **state) {
    torc_test_request *test;

    files_make_folder("s");
    files_make_folder("s/t");
    test = web_ask(*state, site, "GET /f/s/t/");
    assert_true(has(test, "<title>/f/s/t/</title>"));
    assert_true(has(test, "<h1><bdi></bdi>/<a href=\"../../\"><bdi>f</bdi>/</a>"
                          "<a href=\"../\"><bdi>s</bdi>/</a><bdi>t</bdi>/</h1>"));
    assert_true(has(test, "<a href=\"../\">..</a>"));
    assert_true(has(test, "0 folders, 0 files"));
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /f/");
    assert_true(has(test, "<h1><bdi></bdi>/<bdi>f</bdi>/</h1>"));
    assert_false(has(test, "href=\"../\""));
    assert_true(has(test, "1 folder, 0 files"));
    torc_test_request_free(test);
}

static void the_page_can_be_sorted_by_its_links(void **state) {
    torc_test_request *test = web_ask(*state, site, "GET /f/?sort=size");

    assert_true(has(test, "<th scope=\"col\"><a href=\"?sort=name&amp;order=asc\">Name</a>"));
    assert_true(has(test, "<th scope=\"col\" class=\"n\" aria-sort=\"ascending\">"
                          "<a href=\"?sort=size&amp;order=desc\">Size</a>"));
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /f/?sort=size&order=desc");
    assert_true(has(test, "aria-sort=\"descending\"><a href=\"?sort=size&amp;order=asc\">"));
    torc_test_request_free(test);
}

static void sizes_and_times_can_be_read(void **state) {
    torc_test_request *test;

    files_write_at("a", "", 0);
    files_write("b", "");
    assert_int_equal(truncate(files_path("b"), 1536), 0);
    files_write("c", "");
    assert_int_equal(truncate(files_path("c"), 20 * 1024 * 1024), 0);
    test = web_ask(*state, site, "GET /f/");
    assert_true(has(test, "title=\"0 bytes\">0&nbsp;B</td>"));
    assert_true(has(test, "title=\"1536 bytes\">1.5&nbsp;KiB</td>"));
    assert_true(has(test, ">20&nbsp;MiB</td>"));
    assert_true(has(test, "<time datetime=\"1994-11-06T08:49:37Z\">1994-11-06<span class=\"t\"> "
                          "08:49</span></time>"));
    torc_test_request_free(test);
}

static void a_listing_that_is_known_is_not_sent_again(void **state) {
    char head[100];
    torc_test_request *test;

    files_make_folder("s");
    files_write_at("s/a", "", 0);
    test = web_ask(*state, site, "HEAD /f/s/");
    assert_int_equal(torc_test_request_status(test), 200);
    assert_true(torc_test_request_length(test) > 1000);
    check_str(torc_test_request_body(test), "");
    check_field(test, "Cache-Control", "no-cache");
    const torc_str tag = torc_test_request_field(test, "ETag");
    assert_int_equal(tag.len, 18);
    snprintf(head, sizeof(head), "GET /f/s/\nIf-None-Match: %.*s", TORC_STR_ARGS(tag));
    torc_test_request_free(test);
    assert_int_equal(web_status(*state, site, head), 304);
    files_write("s/a", "changed");
    assert_int_equal(web_status(*state, site, head), 200);
}

static void an_index_goes_before_the_listing(void **state) {
    files_make_folder("s");
    assert_int_equal(web_status(*state, site, "GET /f/s"), 302);
    files_write("s/index.html", "index");
    web_check(*state, site, "GET /f/s/", 200, "index");
    assert_int_equal(web_status(*state, site, "GET /f/missing/"), 404);
    assert_int_equal(web_status(*state, site, "GET /f/s/index.html/"), 404);
    assert_int_equal(web_status(*state, site, "POST /f/s/"), 405);
}

static void what_may_not_be_read_is_forbidden(void **state) {
    files_make_folder("s");
    torc_test_fail_calls(*state, TORC_TEST_OPEN, 2, 1, EACCES); /* behind the index */
    assert_int_equal(web_status(*state, site, "GET /f/s/"), 403);
    torc_test_fail_calls(*state, TORC_TEST_OPEN, 3, 1, EMFILE); /* by the thread that reads */
    assert_int_equal(web_status(*state, site, "GET /f/s/"), 503);
}

static void so_many_are_listed_and_no_more(void **state) {
    char name[32];
    torc_test_request *test;

    files_make_folder("s");
    for (int i = 0; i < 10002; i++) {
        snprintf(name, sizeof(name), "s/%d", i);
        const int fd = open(files_path(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        close(fd);
    }
    test = web_ask(*state, site, "GET /f/s/");
    assert_true(has(test, "0 folders, 10000 files, and more that are not listed"));
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /f/s/?format=json");
    assert_true(has(test, "\"is_complete\":false"));
    torc_test_request_free(test);
}

/* ---- any extension ---- */

static void any_extension_can_be_left_out(void **state) {
    const torc_static_files_options options = {.size = sizeof(options),
                                               .ignored_extensions = LIST("*", "html")};
    torc_site *own = files_site(&options);
    torc_test_request *test;

    files_make_folder("s");
    files_write("s/a.txt", "txt");
    files_write("s/a.css", "css");
    files_write("s/b.txt", "b.txt");
    files_write("s/b.html", "b.html");
    files_make_folder("s/c.d");
    files_write("top.md", "top");
    web_check(*state, own, "GET /f/s/a", 200, "css");
    web_check(*state, own, "GET /f/s/b", 200, "b.html"); /* what is named goes first */
    web_check(*state, own, "GET /f/top", 200, "top");
    assert_int_equal(web_status(*state, own, "GET /f/s/c"), 404);
    assert_int_equal(web_status(*state, own, "GET /f/s/x"), 404);
    assert_int_equal(web_status(*state, own, "GET /f/missing/x"), 404);
    assert_int_equal(web_status(*state, own, "GET /f/s/a/"), 404);
    test = web_ask(*state, own, "GET /f/s/a");
    check_field(test, "Content-Type", "text/css");
    torc_test_request_free(test);
    torc_site_free(own);
}

/* ---- its end ---- */

static void a_peer_that_leaves_leaves_nothing_behind(void **state) {
    const int before = dup(0);
    torc_test_request *test = torc_test_request_new(*state, torc_site_acceptor(site), "GET /f/");

    close(before);
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
static bool fail_one(const char *head, uint64_t n, bool is_uncounted) {
    void *fresh = NULL; /* so that the pools do not hide allocations */

    assert_int_equal(web_set_up(&fresh), 0);
    torc_test_request *test = torc_test_request_new(fresh, torc_site_acceptor(site), head);
    if (is_uncounted)
        torc_test_fail_uncounted(n);
    else
        torc_test_fail_allocation(fresh, n);
    web_finish(fresh, test);
    const bool failed = torc_test_allocation_failed(fresh);
    torc_test_fail_allocation(fresh, 0);
    torc_test_fail_uncounted(0);
    assert_true(torc_test_request_is_complete(test) || torc_test_request_was_reset(test) ||
                torc_test_request_status(test) == 503);
    if (is_uncounted) assert_int_equal(torc_test_request_status(test), n <= 3 ? 503 : 200);
    torc_test_request_free(test);
    assert_int_equal(web_tear_down(&fresh), 0);
    return failed;
}

static void each_allocation_may_fail(void **state) {
    static const char *const heads[] = {"GET /f/", "GET /f/?format=json"};

    (void)state;
    files_write("a", "a");
    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        uint64_t n = 1;
        while (fail_one(heads[i], n, false)) assert_true(++n < 1000);
        assert_true(n > 3);
        for (n = 1; n <= 4; n++) fail_one(heads[i], n, true); /* threads, names, entries */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        LISTING_TEST(what_is_alike_is_ordered_by_name),
        LISTING_TEST(folders_come_first_and_then_the_order_that_was_asked_for),
        LISTING_TEST(json_says_what_there_is),
        LISTING_TEST(accept_chooses_and_the_argument_decides),
        LISTING_TEST(what_would_not_be_found_is_not_listed),
        LISTING_TEST(links_are_looked_at_where_they_are),
        LISTING_TEST(the_page_escapes_what_names_are_made_of),
        LISTING_TEST(the_page_leads_up_to_where_the_files_begin),
        LISTING_TEST(the_page_can_be_sorted_by_its_links),
        LISTING_TEST(sizes_and_times_can_be_read),
        LISTING_TEST(a_listing_that_is_known_is_not_sent_again),
        LISTING_TEST(an_index_goes_before_the_listing),
        LISTING_TEST(what_may_not_be_read_is_forbidden),
        LISTING_TEST(so_many_are_listed_and_no_more),
        LISTING_TEST(any_extension_can_be_left_out),
        LISTING_TEST(a_peer_that_leaves_leaves_nothing_behind),
        LISTING_TEST(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
