/* SPDX-License-Identifier: MIT */
#include "protocol/http1/serialize.h"

#include "guarded.h"

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

typedef size_t write_fn(const torc_head *head, const torc_http1_framing_out *framing, char *to);

/* Write into memory that has the promised size, and no byte more. */
static torc_str write_head(write_fn *write, const torc_head *head,
                           const torc_http1_framing_out *framing) {
    const size_t size = torc_http1_head_size(head);
    char *const to = memory.start + memory.size - size;
    const size_t len = write(head, framing, to);

    assert_true(len <= size);
    return torc_str_make(to, len);
}

static torc_field items[] = {
    {TORC_STR_INIT("Date"), TORC_STR_INIT("today"), TORC_FIELD_DATE},
    {TORC_STR_INIT("connection"), TORC_STR_INIT("x-own"), TORC_FIELD_CONNECTION},
    {TORC_STR_INIT("Content-Length"), TORC_STR_INIT("99"), TORC_FIELD_CONTENT_LENGTH},
    {TORC_STR_INIT("Transfer-Encoding"), TORC_STR_INIT("gzip"), TORC_FIELD_TRANSFER_ENCODING},
    {TORC_STR_INIT("Keep-Alive"), TORC_STR_INIT("timeout=5"), TORC_FIELD_KEEP_ALIVE},
    {TORC_STR_INIT("X-Own"), TORC_STR_INIT(""), TORC_FIELD_OTHER},
};

static torc_head response(int status) {
    return (torc_head){.status = status, .fields = {items, TORC_COUNT_OF(items), 0}};
}

static void the_wires_fields_are_the_wires(void **state) {
    const torc_head head = response(200);
    torc_http1_framing_out framing = {.body = TORC_HTTP1_BODY_LENGTH, .length = 12};

    (void)state;
    check_str(write_head(torc_http1_write_response, &head, &framing),
              "HTTP/1.1 200 OK\r\nDate: today\r\nX-Own: \r\nContent-Length: 12\r\n\r\n");
    framing = (torc_http1_framing_out){TORC_HTTP1_BODY_CHUNKED, 0, TORC_HTTP1_CONNECTION_CLOSE};
    check_str(write_head(torc_http1_write_response, &head, &framing),
              "HTTP/1.1 200 OK\r\nDate: today\r\nX-Own: \r\nConnection: "
              "close\r\nTransfer-Encoding: chunked\r\n\r\n");
    framing =
        (torc_http1_framing_out){TORC_HTTP1_BODY_TO_CLOSE, 0, TORC_HTTP1_CONNECTION_KEEP_ALIVE};
    check_str(write_head(torc_http1_write_response, &head, &framing),
              "HTTP/1.1 200 OK\r\nDate: today\r\nX-Own: \r\nConnection: keep-alive\r\n\r\n");
    framing = (torc_http1_framing_out){.body = TORC_HTTP1_BODY_NONE};
    check_str(write_head(torc_http1_write_response, &head, &framing),
              "HTTP/1.1 200 OK\r\nDate: today\r\nX-Own: \r\n\r\n");
}

static void an_upgrade_keeps_connection(void **state) {
    const torc_http1_framing_out framing = {TORC_HTTP1_BODY_NONE, 0, TORC_HTTP1_CONNECTION_UPGRADE};
    torc_head head = response(101);

    (void)state;
    check_str(
        write_head(torc_http1_write_response, &head, &framing),
        "HTTP/1.1 101 Switching Protocols\r\nDate: today\r\nconnection: x-own\r\nX-Own: \r\n\r\n");
    head.fields.count = 1;
    check_str(write_head(torc_http1_write_response, &head, &framing),
              "HTTP/1.1 101 Switching Protocols\r\nDate: today\r\nConnection: Upgrade\r\n\r\n");
}

static void reasons_are_the_heads_or_the_standard_ones(void **state) {
    const torc_http1_framing_out framing = {.body = TORC_HTTP1_BODY_LENGTH, .length = UINT64_MAX};
    torc_head head = {.status = 404};

    (void)state;
    check_str(write_head(torc_http1_write_response, &head, &framing),
              "HTTP/1.1 404 Not Found\r\nContent-Length: 18446744073709551615\r\n\r\n");
    head.reason = TORC_STR("Gone fishing");
    check_str(write_head(torc_http1_write_response, &head, &framing),
              "HTTP/1.1 404 Gone fishing\r\nContent-Length: 18446744073709551615\r\n\r\n");
    head.reason = TORC_STR("");
    check_str(write_head(torc_http1_write_response, &head, &framing),
              "HTTP/1.1 404 \r\nContent-Length: 18446744073709551615\r\n\r\n");
    head = (torc_head){.status = 599};
    check_str(write_head(torc_http1_write_response, &head, &framing),
              "HTTP/1.1 599 \r\nContent-Length: 18446744073709551615\r\n\r\n");
}

static void the_version_is_ours(void **state) {
    const torc_http1_framing_out framing = {.body = TORC_HTTP1_BODY_LENGTH};
    const torc_head head = {.status = 204, .version = 10};

    (void)state;
    check_str(write_head(torc_http1_write_response, &head, &framing),
              "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
}

static void requests_have_method_and_target(void **state) {
    torc_field host = {TORC_STR("Host"), TORC_STR("a"), TORC_FIELD_HOST};
    const torc_head head = {
        .method = TORC_METHOD_PUT,
        .method_text = TORC_STR("PUT"),
        .target = {.text = TORC_STR("/b?c")},
        .fields = {&host, 1, 0},
    };
    torc_http1_framing_out framing = {.body = TORC_HTTP1_BODY_NONE};

    (void)state;
    check_str(write_head(torc_http1_write_request, &head, &framing),
              "PUT /b?c HTTP/1.1\r\nHost: a\r\n\r\n");
    framing =
        (torc_http1_framing_out){TORC_HTTP1_BODY_CHUNKED, 0, TORC_HTTP1_CONNECTION_KEEP_ALIVE};
    check_str(write_head(torc_http1_write_request, &head, &framing),
              "PUT /b?c HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: "
              "chunked\r\n\r\n");
    framing =
        (torc_http1_framing_out){TORC_HTTP1_BODY_LENGTH, UINT64_MAX, TORC_HTTP1_CONNECTION_UPGRADE};
    check_str(write_head(torc_http1_write_request, &head, &framing),
              "PUT /b?c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nContent-Length: "
              "18446744073709551615\r\n\r\n");
}

/* Longest of all: the promised size has room for it. */
static void sizes_are_upper_bounds(void **state) {
    static const torc_http1_body bodies[] = {TORC_HTTP1_BODY_NONE, TORC_HTTP1_BODY_LENGTH,
                                             TORC_HTTP1_BODY_CHUNKED, TORC_HTTP1_BODY_TO_CLOSE};
    static const torc_http1_connection_field fields[] = {
        TORC_HTTP1_CONNECTION_NONE, TORC_HTTP1_CONNECTION_CLOSE, TORC_HTTP1_CONNECTION_KEEP_ALIVE,
        TORC_HTTP1_CONNECTION_UPGRADE};

    (void)state;
    for (int status = 100; status < 600; status++)
        for (size_t body = 0; body < TORC_COUNT_OF(bodies); body++)
            for (size_t field = 0; field < TORC_COUNT_OF(fields); field++) {
                const torc_http1_framing_out framing = {bodies[body], UINT64_MAX, fields[field]};
                const torc_head head = response(status);
                const torc_str written = write_head(torc_http1_write_response, &head, &framing);
                assert_true(torc_str_ends_with(written, TORC_STR("\r\n\r\n")));
            }
}

static void trailers_end_with_an_empty_line(void **state) {
    static const char expected[] = "Date: today\r\nconnection: x-own\r\n\r\n";
    torc_fields fields = {items, 2, 0};

    (void)state;
    assert_int_equal(torc_http1_fields_size(&fields), sizeof(expected) - 1);
    char *const to = memory.start + memory.size - (sizeof(expected) - 1);
    assert_int_equal(torc_http1_write_trailers(&fields, to), sizeof(expected) - 1);
    assert_memory_equal(to, expected, sizeof(expected) - 1);
    fields.count = 0;
    assert_int_equal(torc_http1_fields_size(&fields), 2);
    assert_int_equal(torc_http1_write_trailers(&fields, to), 2);
    assert_memory_equal(to, "\r\n", 2);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_wires_fields_are_the_wires),
        TEST(an_upgrade_keeps_connection),
        TEST(reasons_are_the_heads_or_the_standard_ones),
        TEST(the_version_is_ours),
        TEST(requests_have_method_and_target),
        TEST(sizes_are_upper_bounds),
        TEST(trailers_end_with_an_empty_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
