/* SPDX-License-Identifier: MIT */
/* How files are sent: types, siblings, what is cached, and what is there for what is not. */
#include <errno.h>

#include "files_fixture.h"
#include "testing/uncounted.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define OPTIONS(...)                                                                               \
    (&(const torc_static_files_options){.size = sizeof(torc_static_files_options), __VA_ARGS__})

/* Ask a site of these options once. */
static torc_test_request *ask(torc_reactor *reactor, const torc_static_files_options *options,
                              const char *head) {
    torc_site *site = files_site(options);
    torc_test_request *test = web_ask(reactor, site, head);

    torc_site_free(site);
    return test;
}

static void check(torc_reactor *reactor, const torc_static_files_options *options, const char *head,
                  int status, const char *body) {
    torc_site *site = files_site(options);

    web_check_at(reactor, site, head, status, torc_str_of(body), __FILE__, __LINE__);
    torc_site_free(site);
}

static int status_of(torc_reactor *reactor, const torc_static_files_options *options,
                     const char *head) {
    torc_site *site = files_site(options);
    const int status = web_status(reactor, site, head);

    torc_site_free(site);
    return status;
}

/* ---- types ---- */

static void check_type(torc_reactor *reactor, const torc_static_files_options *options,
                       const char *head, const char *type, const char *encoding) {
    torc_test_request *test = ask(reactor, options, head);

    check_field(test, "Content-Type", type);
    check_field(test, "Content-Encoding", encoding);
    torc_test_request_free(test);
}

static void types_are_those_of_names(void **state) {
    torc_media_types *types = torc_media_types_new();

    check_ok(torc_media_types_add_pair(types, TORC_STR("xyz=text/x-own")));
    files_write("a.html", "html");
    files_write("data.tar.gz", "GZ");
    files_write("p.svgz", "svgz");
    files_write("a.xyz", "xyz");
    files_write("noext", "noext");
    check_type(*state, NULL, "GET /f/a.html", "text/html", NULL);
    check_type(*state, NULL, "GET /f/data.tar.gz", "application/gzip", NULL);
    check_type(*state, NULL, "GET /f/p.svgz", "image/svg+xml", "gzip");
    check_type(*state, NULL, "GET /f/a.xyz", "application/octet-stream", NULL);
    check_type(*state, NULL, "GET /f/noext", "application/octet-stream", NULL);
    check_type(*state, OPTIONS(.media_types = types), "GET /f/a.xyz", "text/x-own", NULL);
    check_type(*state, OPTIONS(.default_type = "text/plain"), "GET /f/noext", "text/plain", NULL);
    torc_media_types_free(types);
}

static void text_types_get_the_charset_that_is_named(void **state) {
    torc_media_types *types = torc_media_types_new();
    const torc_static_files_options *options = OPTIONS(.charset = "utf-8", .media_types = types);

    check_ok(torc_media_types_add_pair(types, TORC_STR("xyz=text/x; charset=latin1")));
    files_write("a.html", "html");
    files_write("a.json", "{}");
    files_write("a.xyz", "xyz");
    check_type(*state, options, "GET /f/a.html", "text/html; charset=utf-8", NULL);
    check_type(*state, options, "GET /f/a.xyz", "text/x; charset=latin1", NULL);
    check_type(*state, options, "GET /f/a.json", "application/json", NULL);
    torc_media_types_free(types);
}

static void extensions_are_codings_if_that_is_wanted(void **state) {
    const torc_static_files_options *options = OPTIONS(.extensions_are_codings = true);

    files_write("data.tar.gz", "GZ");
    files_write("data.tar.gz.br", "BR");
    files_write("a.txt.BZ2", "bz2");
    files_write("a.gz", "gz");
    files_write("a.css", "css");
    check_type(*state, options, "GET /f/data.tar.gz\nAccept-Encoding: br", "application/x-tar",
               "gzip");
    check_type(*state, options, "GET /f/a.txt.BZ2", "text/plain", "bzip2");
    check_type(*state, options, "GET /f/a.gz", "application/octet-stream", "gzip");
    check_type(*state, options, "GET /f/a.css", "text/css", NULL);
}

/* ---- siblings ---- */

static void make_siblings(void) {
    files_write_at("a.css", "as it is", 0);
    files_write_at("a.css.gz", "gz", 0);
    files_write_at("a.css.br", "brotli", 10);
    files_write_at("a.css.zst", "older", -1);
}

static void the_sibling_that_is_liked_best_is_sent(void **state) {
    static const struct {
        const char *head, *body, *encoding, *etag;
    } cases[] = {
        {"GET /f/a.css", "as it is", NULL, "\"2ebc98a1.0-8\""},
        {"GET /f/a.css\nAccept-Encoding: gzip", "gz", "gzip", "\"2ebc98a1.0-2-gzip\""},
        {"GET /f/a.css\nAccept-Encoding: gzip, br", "brotli", "br", "\"2ebc98ab.0-6-br\""},
        {"GET /f/a.css\nAccept-Encoding: gzip, br;q=0.5", "gz", "gzip", "\"2ebc98a1.0-2-gzip\""},
        {"GET /f/a.css\nAccept-Encoding: zstd", "as it is", NULL, "\"2ebc98a1.0-8\""},
        {"GET /f/a.css\nAccept-Encoding: identity, gzip;q=0.5", "as it is", NULL,
         "\"2ebc98a1.0-8\""},
        {"GET /f/a.css\nAccept-Encoding: *;q=0", "as it is", NULL, "\"2ebc98a1.0-8\""},
        {"GET /f/a.css\nAccept-Encoding:", "as it is", NULL, "\"2ebc98a1.0-8\""},
    };

    make_siblings();
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = ask(*state, NULL, cases[i].head);
        check_str_at(torc_test_request_body(test), torc_str_of(cases[i].body), __FILE__, __LINE__);
        assert_int_equal(torc_test_request_length(test), (int64_t)strlen(cases[i].body));
        check_field(test, "Content-Type", "text/css");
        check_field(test, "Content-Encoding", cases[i].encoding);
        check_field(test, "ETag", cases[i].etag);
        check_field(test, "Vary", "Accept-Encoding");
        torc_test_request_free(test);
    }
}

static void ranges_and_conditions_are_those_of_the_sibling(void **state) {
    torc_test_request *test;

    make_siblings();
    test = ask(*state, NULL, "GET /f/a.css\nAccept-Encoding: br\nRange: bytes=1-2");
    assert_int_equal(torc_test_request_status(test), 206);
    check_field(test, "Content-Range", "bytes 1-2/6");
    check_field(test, "Content-Encoding", "br");
    check_str(torc_test_request_body(test), "ro");
    torc_test_request_free(test);

    test =
        ask(*state, NULL, "GET /f/a.css\nAccept-Encoding: br\nIf-None-Match: \"2ebc98ab.0-6-br\"");
    assert_int_equal(torc_test_request_status(test), 304);
    check_field(test, "Vary", "Accept-Encoding");
    check_field(test, "ETag", "\"2ebc98ab.0-6-br\"");
    check_field(test, "Content-Encoding", NULL);
    torc_test_request_free(test);

    /* The tag of another coding: the peer has what it would not get now. */
    assert_int_equal(status_of(*state, NULL,
                               "GET /f/a.css\nAccept-Encoding: gzip\n"
                               "If-None-Match: \"2ebc98ab.0-6-br\""),
                     200);
    test = ask(*state, NULL, "HEAD /f/a.css\nAccept-Encoding: br");
    assert_int_equal(torc_test_request_length(test), 6);
    check_field(test, "Content-Encoding", "br");
    torc_test_request_free(test);
}

static void what_has_no_choice_says_no_vary(void **state) {
    torc_test_request *test;

    make_siblings();
    files_write_at("b.css", "b", 0);
    files_write_at("b.css.gz", "old", -1);
    test = ask(*state, NULL, "GET /f/b.css\nAccept-Encoding: gzip");
    check_str(torc_test_request_body(test), "b");
    check_field(test, "Vary", NULL);
    torc_test_request_free(test);
    test =
        ask(*state, OPTIONS(.ignore_precompressed = true), "GET /f/a.css\nAccept-Encoding: gzip");
    check_str(torc_test_request_body(test), "as it is");
    check_field(test, "Vary", NULL);
    torc_test_request_free(test);

    /* The sibling itself is a file like another. */
    test = ask(*state, NULL, "GET /f/a.css.gz\nAccept-Encoding: gzip");
    check_field(test, "Content-Type", "application/gzip");
    check_field(test, "Content-Encoding", NULL);
    torc_test_request_free(test);
}

static void the_index_has_siblings_and_pictures_have_none(void **state) {
    files_make_folder("sub");
    files_write_at("sub/index.html", "index", 0);
    files_write_at("sub/index.html.gz", "gz", 0);
    files_write_at("a.png", "png", 0);
    files_write_at("a.png.gz", "gz", 0);
    check_type(*state, NULL, "GET /f/sub/\nAccept-Encoding: gzip", "text/html", "gzip");
    check_type(*state, NULL, "GET /f/a.png\nAccept-Encoding: gzip", "image/png", NULL);
}

/* ---- index names and extensions ---- */

static void the_first_index_that_is_there_is_sent(void **state) {
    const torc_static_files_options *options =
        OPTIONS(.index = LIST("index.html", "index.htm", "default"));

    files_make_folder("a");
    files_make_folder("b");
    files_make_folder("b/index.htm");
    files_write("a/index.htm", "htm");
    files_write("a/default", "default");
    files_write("b/default", "default");
    check(*state, options, "GET /f/a/", 200, "htm");
    check(*state, options, "GET /f/b/", 200, "default"); /* a folder is no index */
    assert_int_equal(status_of(*state, options, "GET /f/"), 404);
}

static void extensions_can_be_left_out(void **state) {
    const torc_static_files_options *options = OPTIONS(.ignored_extensions = LIST("html", ".txt"));

    files_write("a.html", "html");
    files_write("a.txt", "txt");
    files_write("b", "b");
    files_write("b.html", "b.html");
    files_write("c.txt", "c");
    files_write("c.png", "png");
    files_make_folder("d");
    files_write("d.html", "d");
    check(*state, options, "GET /f/a", 200, "html");
    check(*state, options, "GET /f/a.txt", 200, "txt");
    check(*state, options, "GET /f/b", 200, "b");
    check(*state, options, "GET /f/c", 200, "c");
    assert_int_equal(status_of(*state, options, "GET /f/d"), 302);
    assert_int_equal(status_of(*state, options, "GET /f/a/"), 404);
    assert_int_equal(status_of(*state, options, "GET /f/e"), 404);
    assert_int_equal(status_of(*state, NULL, "GET /f/a"), 404);
    check_type(*state, options, "GET /f/a", "text/html", NULL);
}

/* ---- as they are ---- */

static void files_can_be_whole_responses(void **state) {
    torc_site *site = files_site(OPTIONS(.as_is_extensions = LIST("asis")));
    torc_test_request *test;

    files_write("gone.asis",
                "HTTP/1.1 410 Went away\r\nContent-Type: text/x\r\nX-A: 1\r\nX-A: 2\r\n"
                "Content-Length: 999\r\nTransfer-Encoding: chunked\r\n\r\nbody\r\n\r\n");
    files_write("moved.ASIS", "Status: 301\nLocation: /new\n\n");
    files_write("none.asis", "status: 204 Nothing\nX: y\n\nno body is sent");
    files_write("plain.txt", "HTTP/1.1 410 Gone\n\nx");
    test = web_ask(*state, site, "GET /f/gone.asis\nIf-None-Match: *\nRange: bytes=0-0");
    assert_int_equal(torc_test_request_status(test), 410);
    check_str(torc_test_request_reason(test), "Went away");
    check_field(test, "Content-Type", "text/x");
    check_field(test, "X-A", "1");
    check_field(test, "Transfer-Encoding", NULL);
    check_field(test, "ETag", NULL);
    assert_int_equal(torc_test_request_length(test), 8);
    check_str(torc_test_request_body(test), "body\r\n\r\n");
    torc_test_request_free(test);

    test = web_ask(*state, site, "HEAD /f/gone.asis");
    assert_int_equal(torc_test_request_status(test), 410);
    assert_int_equal(torc_test_request_length(test), 8);
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);

    test = web_ask(*state, site, "GET /f/moved.ASIS");
    assert_int_equal(torc_test_request_status(test), 301);
    check_field(test, "Location", "/new");
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);

    web_check(*state, site, "GET /f/none.asis", 204, "");
    web_check(*state, site, "GET /f/plain.txt", 200, "HTTP/1.1 410 Gone\n\nx");
    torc_site_free(site);
}

/* The head is read by a thread when the content is in no memory. */
static void large_files_can_be_whole_responses(void **state) {
    torc_site *site = files_site(OPTIONS(.as_is_extensions = LIST("asis"), .cache_is_off = true));
    torc_test_request *test;

    files_write("big.asis", "X-Big: yes\n\n");
    assert_int_equal(truncate(files_path("big.asis"), 12 + 200000), 0);
    test = web_ask(*state, site, "GET /f/big.asis");
    check_field(test, "X-Big", "yes");
    assert_int_equal(torc_test_request_length(test), 200000);
    assert_int_equal(torc_test_request_body(test).len, 200000);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void heads_that_are_malformed_are_not_sent(void **state) {
    static const char *const texts[] = {
        "",
        "\n\nbody",
        "no head",
        "X: y\n",
        "HTTP/2 200 OK\n\n",
        "HTTP/1.1 20\n\n",
        "HTTP/1.1 2000\n\n",
        "HTTP/1.1 101 Switching\n\n",
        "HTTP/1.1 600 X\n\n",
        "Status: x\n\n",
        "X y\n\n",
        "X : y\n\n",
        " folded: y\n\n",
        "X: a\001b\n\n",
        "X: a\rY: b\n\n",
        ": x\n\n",
    };
    torc_site *site = files_site(OPTIONS(.as_is_extensions = LIST("asis"), .cache_is_off = true));
    static char longest[20000];

    for (size_t i = 0; i < TORC_COUNT_OF(texts); i++) {
        files_write("x.asis", texts[i]);
        if (web_status(*state, site, "GET /f/x.asis") != 500) print_error("%s\n", texts[i]);
        assert_int_equal(web_status(*state, site, "GET /f/x.asis"), 500);
    }
    memset(longest, 'x', sizeof(longest) - 1);
    memcpy(longest, "X: ", 3);
    memcpy(longest + 19000, "\n\n", 2);
    files_write("x.asis", longest);
    assert_int_equal(web_status(*state, site, "GET /f/x.asis"), 500);
    for (size_t i = 0; i < 65; i++) memcpy(longest + 4 * i, "X:y\n", 4);
    memcpy(longest + 260, "\n", 2);
    files_write("x.asis", longest);
    assert_int_equal(web_status(*state, site, "GET /f/x.asis"), 500);
    files_write("x.asis", longest + 4);
    assert_int_equal(web_status(*state, site, "GET /f/x.asis"), 200);
    torc_site_free(site);
}

/* ---- fields ---- */

static void check_caching(torc_reactor *reactor, const torc_static_files_options *options,
                          const char *head, int status, const char *value) {
    torc_test_request *test = ask(reactor, options, head);

    assert_int_equal(torc_test_request_status(test), status);
    check_field(test, "Cache-Control", value);
    torc_test_request_free(test);
}

static void files_are_kept_as_long_as_the_rules_say(void **state) {
    const torc_static_files_options *options =
        OPTIONS(.cache_control =
                    LIST("*.css=max-age=60", "/sub/index.html=no-cache", "/sub/*=no-store"));

    files_make_folder("sub");
    files_write("sub/index.html", "index");
    files_write("sub/a.js", "js");
    files_write_at("a.css", "css", 0);
    files_write("b", "b");
    check_caching(*state, options, "GET /f/a.css", 200, "max-age=60");
    check_caching(*state, options, "HEAD /f/a.css", 200, "max-age=60");
    check_caching(*state, options, "GET /f/a.css\nIf-None-Match: *", 304, "max-age=60");
    check_caching(*state, options, "GET /f/a.css\nRange: bytes=0-0", 206, "max-age=60");
    check_caching(*state, options, "GET /f/sub/", 200, "no-cache");
    check_caching(*state, options, "GET /f/sub/a.js", 200, "no-store");
    check_caching(*state, options, "GET /f/b", 200, NULL);
    /* A refusal is not kept as the file is. */
    check_caching(*state, options, "GET /f/a.css\nIf-Match: \"x\"", 412, NULL);
    check_caching(*state, options, "GET /f/a.css\nRange: bytes=9-", 416, NULL);
    check_caching(*state, options, "GET /f/missing.css", 404, NULL);
}

static void fields_are_added_to_each_answer(void **state) {
    const torc_field fields[] = {{TORC_STR_INIT("X-A"), TORC_STR_INIT("1"), TORC_FIELD_OTHER},
                                 {TORC_STR_INIT("X-A"), TORC_STR_INIT("2"), TORC_FIELD_OTHER}};
    const torc_static_files_options *options = OPTIONS(.fields = fields, .field_count = 2);
    static const char *const heads[] = {"GET /f/a", "GET /f/missing", "GET /f/sub"};

    files_write("a", "a");
    files_make_folder("sub");
    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        torc_test_request *test = ask(*state, options, heads[i]);
        const torc_field *field;
        uint32_t place = 0;
        field = torc_fields_next(torc_test_request_fields(test), TORC_STR("X-A"), &place);
        assert_non_null(field);
        check_str(field->value, "1");
        field = torc_fields_next(torc_test_request_fields(test), TORC_STR("X-A"), &place);
        assert_non_null(field);
        check_str(field->value, "2");
        torc_test_request_free(test);
    }
}

/* What the program says of its answers is kept. */
static void vary_is_added_to(void **state) {
    const torc_field field = {TORC_STR_INIT("Vary"), TORC_STR_INIT("Origin"), TORC_FIELD_OTHER};
    const torc_static_files_options *options =
        OPTIONS(.fields = &field, .field_count = 1, .fallback = "a.css", .list = true);
    static const struct {
        const char *head, *vary;
    } cases[] = {
        {"GET /f/a.css", "Origin, Accept-Encoding"},
        {"GET /f/b.txt", "Origin"},
        {"GET /f/", "Origin, Accept"},
        {"GET /f/users", "Origin, Accept, Accept-Encoding"},
    };

    make_siblings();
    files_write("b.txt", "b");
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = ask(*state, options, cases[i].head);
        assert_int_equal(torc_test_request_status(test), 200);
        check_field(test, "Vary", cases[i].vary);
        torc_test_request_free(test);
    }
}

/* ---- what is not there ---- */

static void a_page_of_their_own_is_sent_for_what_is_missing(void **state) {
    const torc_static_files_options *options = OPTIONS(.not_found = "/.pages/404.html");
    torc_test_request *test;

    files_make_folder(".pages");
    files_write_at(".pages/404.html", "not here", 0);
    files_write_at(".pages/404.html.gz", "gz", 0);
    test = ask(*state, options, "GET /f/missing\nRange: bytes=0-1\nIf-None-Match: *");
    assert_int_equal(torc_test_request_status(test), 404);
    check_str(torc_test_request_body(test), "not here");
    check_field(test, "Content-Type", "text/html");
    check_field(test, "ETag", NULL);
    check_field(test, "Last-Modified", NULL);
    check_field(test, "Accept-Ranges", NULL);
    check_field(test, "Vary", "Accept-Encoding");
    torc_test_request_free(test);

    test = ask(*state, options, "HEAD /f/.hidden/x");
    assert_int_equal(torc_test_request_status(test), 404);
    assert_int_equal(torc_test_request_length(test), 8);
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);

    test = ask(*state, options, "GET /f/missing\nAccept-Encoding: gzip");
    assert_int_equal(torc_test_request_status(test), 404);
    check_field(test, "Content-Encoding", "gzip");
    check_str(torc_test_request_body(test), "gz");
    torc_test_request_free(test);

    assert_int_equal(status_of(*state, options, "GET /f/.pages/404.html"), 404);
    assert_int_equal(status_of(*state, OPTIONS(.not_found = "missing.html"), "GET /f/x"), 404);
}

static void applications_get_their_page_for_paths_of_their_own(void **state) {
    const torc_static_files_options *options =
        OPTIONS(.fallback = "app.html", .cache_control = LIST("app.html=no-cache"));
    torc_test_request *test;

    files_write_at("app.html", "app", 0);
    files_write("a.css", "css");
    check(*state, options, "GET /f/users/7", 200, "app");
    check(*state, options, "GET /f/users/7\nAccept: text/html,*/*;q=0.8", 200, "app");
    check(*state, options, "GET /f/users/", 200, "app");
    check(*state, options, "GET /f/a.css", 200, "css");
    assert_int_equal(status_of(*state, options, "GET /f/missing.css"), 404);
    assert_int_equal(status_of(*state, options, "GET /f/users/7\nAccept: application/json"), 404);
    assert_int_equal(status_of(*state, options, "GET /f/.git/config"), 404);
    assert_int_equal(status_of(*state, options, "POST /f/users/7"), 405);

    test = ask(*state, options, "HEAD /f/users/7");
    assert_int_equal(torc_test_request_status(test), 200);
    assert_int_equal(torc_test_request_length(test), 3);
    check_field(test, "Cache-Control", "no-cache");
    check_field(test, "Vary", "Accept");
    check_field(test, "ETag", "\"2ebc98a1.0-3\"");
    torc_test_request_free(test);
    assert_int_equal(status_of(*state, options, "GET /f/x\nIf-None-Match: \"2ebc98a1.0-3\""), 304);
}

static torc_render answer_missing(torc_request *request) {
    return torc_reply_text(request, 410, "gone");
}

static torc_render answer_forbidden(torc_request *request) {
    return torc_reply_text(request, 404, "what?");
}

static void functions_may_answer_instead(void **state) {
    torc_site *site =
        files_site(OPTIONS(.child_not_found = answer_missing, .forbidden = answer_forbidden));

    files_write("a", "a");
    web_check(*state, site, "GET /f/missing", 410, "gone");
    web_check(*state, site, "GET /f/.hidden", 410, "gone");
    torc_test_fail_calls(*state, TORC_TEST_OPEN, 1, 1, EACCES);
    web_check(*state, site, "GET /f/a", 404, "what?");
    web_check(*state, site, "GET /f/a", 200, "a");
    torc_site_free(site);
}

/* ---- dots ---- */

static void names_with_a_dot_are_served_if_that_is_wanted(void **state) {
    files_make_folder(".well-known");
    files_write(".well-known/security.txt", "security");
    files_write(".well-known/.x", "x");
    files_write(".env", "env");
    check(*state, NULL, "GET /f/.well-known/security.txt", 200, "security");
    assert_int_equal(status_of(*state, NULL, "GET /f/.well-known/.x"), 404);
    assert_int_equal(status_of(*state, NULL, "GET /f/.env"), 404);
    check(*state, OPTIONS(.dotfiles = true), "GET /f/.env", 200, "env");
    assert_int_equal(status_of(*state, OPTIONS(.dotfiles = true), "GET /f/.well-known/../.env"),
                     404);
    assert_int_equal(status_of(*state, OPTIONS(.dotfiles = true), "GET /f/./.env"), 404);
}

/* ---- options ---- */

static void mistakes_in_options_are_told(void **state) {
    static const char *const many[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", NULL};
    const torc_field length = {TORC_STR_INIT("Content-Length"), TORC_STR_INIT("1"),
                               TORC_FIELD_OTHER};
    const struct {
        const torc_static_files_options *options;
        const char *fault;
    } cases[] = {
        {OPTIONS(.index = LIST("a/b")),
         "\"a/b\" cannot be an index: it is no name of a file that is served"},
        {OPTIONS(.index = LIST(".index")),
         "\".index\" cannot be an index: it is no name of a file that is served"},
        {OPTIONS(.index = many), "more than 8 of index names"},
        {OPTIONS(.default_type = "text"), "\"text\" is no media type (TYPE/SUBTYPE)"},
        {OPTIONS(.charset = "utf 8"), "\"utf 8\" is no charset, as utf-8 is"},
        {OPTIONS(.ignored_extensions = LIST("")), "\"\" is no extension"},
        {OPTIONS(.ignored_extensions = many), "more than 6 of extensions"},
        {OPTIONS(.cache_control = LIST("*.css=1h")), NULL},
        {OPTIONS(.cache_control = LIST("*.css")), "\"*.css\" is not PATTERN=VALUE"},
        {OPTIONS(.not_found = "../x"), "the not-found page \"../x\" is no path of a file"},
        {OPTIONS(.fallback = "a//b"), "the fallback \"a//b\" is no path of a file"},
        {OPTIONS(.fields = &length, .field_count = 1),
         "one of the fields cannot be added to a response"},
    };
    char text[200];

    (void)state;
    assert_null(torc_static_files_check(NULL, text));
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const char *fault = torc_static_files_check(cases[i].options, text);
        assert_int_equal(fault != NULL, cases[i].fault != NULL);
        if (!fault) continue;
        assert_string_equal(fault, cases[i].fault);
        assert_null(torc_static_files_new("/tmp", cases[i].options));
    }
}

/* A program that was built before there were more options. */
static void options_of_an_older_program_are_read(void **state) {
    torc_static_files_options options = {.size = offsetof(torc_static_files_options, charset),
                                         .index = LIST("old.html"),
                                         .charset = "not read"};

    files_write("old.html", "old");
    check(*state, &options, "GET /f/", 200, "old");
}

static void each_allocation_of_the_options_may_fail(void **state) {
    const torc_field field = {TORC_STR_INIT("X-A"), TORC_STR_INIT("1"), TORC_FIELD_OTHER};
    const torc_static_files_options *options =
        OPTIONS(.index = LIST("a", "b"), .charset = "utf-8", .ignored_extensions = LIST("*", "x"),
                .cache_control = LIST("*=no-store"), .fields = &field, .field_count = 1,
                .not_found = "404.html", .fallback = "app.html");
    torc_resource *files = NULL;

    (void)state;
    for (uint64_t n = 1; !files; n++) {
        torc_test_fail_uncounted(n);
        files = torc_static_files_new("/tmp", options);
        torc_test_fail_uncounted(0);
        assert_true(files || n < 20);
        assert_true(!files || n > 10);
    }
    torc_resource_dispose(files);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FILES_TEST(types_are_those_of_names),
        FILES_TEST(text_types_get_the_charset_that_is_named),
        FILES_TEST(extensions_are_codings_if_that_is_wanted),
        FILES_TEST(the_sibling_that_is_liked_best_is_sent),
        FILES_TEST(ranges_and_conditions_are_those_of_the_sibling),
        FILES_TEST(what_has_no_choice_says_no_vary),
        FILES_TEST(the_index_has_siblings_and_pictures_have_none),
        FILES_TEST(the_first_index_that_is_there_is_sent),
        FILES_TEST(extensions_can_be_left_out),
        FILES_TEST(files_can_be_whole_responses),
        FILES_TEST(large_files_can_be_whole_responses),
        FILES_TEST(heads_that_are_malformed_are_not_sent),
        FILES_TEST(files_are_kept_as_long_as_the_rules_say),
        FILES_TEST(fields_are_added_to_each_answer),
        FILES_TEST(vary_is_added_to),
        FILES_TEST(a_page_of_their_own_is_sent_for_what_is_missing),
        FILES_TEST(applications_get_their_page_for_paths_of_their_own),
        FILES_TEST(functions_may_answer_instead),
        FILES_TEST(names_with_a_dot_are_served_if_that_is_wanted),
        FILES_TEST(mistakes_in_options_are_told),
        FILES_TEST(options_of_an_older_program_are_read),
        FILES_TEST(each_allocation_of_the_options_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
