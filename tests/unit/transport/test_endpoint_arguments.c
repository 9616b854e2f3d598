/* SPDX-License-Identifier: MIT */
/*
 * Quoting, and prefixes that a program adds.
 */
#include <stdio.h>
#include <string.h>
#include <torc/connect.h>
#include <torc/endpoint_prefix.h>

#include "check.h"

static void quoted_values_are_read_back(void **state) {
    static const char *const paths[] = {"/a", "/a:b", "=", "\\", "/a=b\\c:d\\\\", "[::1]"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(paths); i++) {
        char bytes[100];
        torc_buf string;
        torc_endpoint endpoint = {0};
        torc_buf_init_fixed(&string, bytes, sizeof(bytes));
        torc_buf_add(&string, TORC_STR("unix:"));
        torc_endpoint_quote(torc_str_of(paths[i]), &string);
        torc_buf_add(&string, TORC_STR(":mode=600"));
        check_ok(torc_endpoint_parse(torc_buf_str(&string), &endpoint, NULL));
        assert_string_equal(endpoint.addr.as.un.sun_path, paths[i]);
        assert_int_equal(endpoint.unix_mode, 0600);
    }
}

/* A string in a string: quoted once more. */
static void quoted_strings_nest(void **state) {
    char bytes[2][100];
    torc_buf inner, outer;
    torc_endpoint endpoint = {0};

    (void)state;
    torc_buf_init_fixed(&inner, bytes[0], sizeof(bytes[0]));
    torc_buf_init_fixed(&outer, bytes[1], sizeof(bytes[1]));
    torc_buf_add(&inner, TORC_STR("unix:"));
    torc_endpoint_quote(TORC_STR("/a:b\\=c"), &inner);
    torc_buf_add(&outer, TORC_STR("ssl:endpoint="));
    torc_endpoint_quote(torc_buf_str(&inner), &outer);
    check_ok(torc_endpoint_parse(torc_buf_str(&outer), &endpoint, NULL));
    assert_true(endpoint.has_tls);
    assert_string_equal(endpoint.addr.as.un.sun_path, "/a:b\\=c");
}

/* ---- prefixes ---- */

/* dev:NAME stands for a socket in a folder. */
static torc_err read_dev(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                         torc_endpoint *endpoint) {
    const torc_str name = torc_endpoint_argument(arguments, "name");
    uint64_t mode = 0, ms = 0;
    char path[100];
    torc_err err = torc_endpoint_number(arguments, "number", 9, &mode);

    assert_string_equal(prefix->prefix, "dev");
    assert_null(torc_endpoint_argument(arguments, "nothing").bytes);
    if (!err) err = torc_endpoint_seconds(arguments, "wait", &ms);
    if (!err && name.len > 10)
        return torc_endpoint_wrong(arguments, "name", "`%.*s` is too long", TORC_STR_ARGS(name));
    if (err) return err;
    assert_int_equal(name.bytes[name.len], '\0');
    endpoint->backlog = (int)(mode * 1000 + ms);
    snprintf(path, sizeof(path), "/dev/%s", name.bytes);
    return torc_addr_parse_unix(torc_str_of(path), &endpoint->addr);
}

/* over:… is another endpoint, of both sides. */
static torc_err read_over(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                          torc_endpoint *endpoint) {
    (void)prefix;
    return torc_endpoint_read_nested(arguments, "what", endpoint);
}

static torc_err client_over(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                            torc_client_endpoint *endpoint) {
    (void)prefix;
    return torc_client_endpoint_read_nested(arguments, "what", endpoint);
}

static const torc_endpoint_prefix prefixes[] = {
    {.prefix = "dev",
     .parameters = {"name", "number", "wait"},
     .positional = 2,
     .missing = "the name is missing: dev:web",
     .read_server = read_dev},
    {.prefix = "over",
     .parameters = {"what"},
     .positional = 1,
     .read_server = read_over,
     .read_client = client_over},
    {.prefix = "tcp", .parameters = {"what"}, .read_server = read_over}, /* Torc's own stays */
};
static const torc_endpoint_prefixes table = {prefixes, TORC_COUNT_OF(prefixes)};

static torc_err parse(const char *string, torc_endpoint *endpoint, torc_endpoint_error *error) {
    return torc_endpoint_parse_with(&table, torc_str_of(string), endpoint, error);
}

static void a_program_adds_prefixes(void **state) {
    torc_endpoint endpoint = {0};

    (void)state;
    check_ok(parse("dev:web:3:wait=0.25", &endpoint, NULL));
    assert_string_equal(endpoint.addr.as.un.sun_path, "/dev/web");
    assert_int_equal(endpoint.backlog, 3250);
    assert_int_equal(endpoint.fd, -1);
    check_ok(parse("tcp:80", &endpoint, NULL));
    assert_int_equal(torc_addr_port(&endpoint.addr), 80);
    check_err(torc_endpoint_parse(TORC_STR("dev:web"), &endpoint, NULL), TORC_ERR_SYNTAX);
}

static void added_prefixes_nest(void **state) {
    torc_endpoint endpoint = {0};
    torc_client_endpoint client = {0};

    (void)state;
    check_ok(parse("haproxy:dev:web", &endpoint, NULL));
    assert_true(endpoint.has_proxy);
    check_ok(parse("ssl:endpoint=over\\:dev\\\\\\:web", &endpoint, NULL));
    assert_true(endpoint.has_tls);
    assert_string_equal(endpoint.addr.as.un.sun_path, "/dev/web");
    check_ok(torc_client_endpoint_parse_with(&table, TORC_STR("over:tcp\\:x\\:80"), &client, NULL));
    assert_int_equal(client.port, 80);
}

static void check_wrong(const char *string, size_t place, const char *word) {
    torc_endpoint endpoint;
    torc_endpoint_error error = {0};

    check_err(parse(string, &endpoint, &error), TORC_ERR_SYNTAX);
    if (!strstr(error.text, word)) fail_msg("%s: %s (no `%s`)", string, error.text, word);
    if (error.place != place) fail_msg("%s: at %zu, not %zu", string, error.place, place);
}

static void their_errors_have_a_place(void **state) {
    torc_client_endpoint client;
    torc_endpoint_error error;

    (void)state;
    check_wrong("dev:", 4, "dev:web");
    check_wrong("dev:web:x", 8, "`x`");
    check_wrong("dev:web:1:2", 10, "too many"); /* `wait` has no place */
    check_wrong("dev:much-too-long", 4, "too long");
    check_wrong("over:dev\\:much-too-long", 10, "too long");
    check_wrong("over:", 5, "missing");
    check_wrong("over:over\\:over\\\\\\:over\\\\\\\\\\\\\\:80", 31, "deep");
    check_err(torc_client_endpoint_parse_with(&table, TORC_STR("dev:web"), &client, &error),
              TORC_ERR_SYNTAX);
    assert_non_null(strstr(error.text, "for servers alone"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoted_values_are_read_back), cmocka_unit_test(quoted_strings_nest),
        cmocka_unit_test(a_program_adds_prefixes),     cmocka_unit_test(added_prefixes_nest),
        cmocka_unit_test(their_errors_have_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
