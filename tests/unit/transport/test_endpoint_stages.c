/* SPDX-License-Identifier: MIT */
/*
 * Endpoints with TLS, both sides of one connection over a UNIX socket: what the strings say becomes
 * configurations and filters.
 */
#include <sys/stat.h>
#include <torc/client_service.h>
#include <torc/endpoint_stages.h>
#include <torc/testing.h>

#include "certificates.h"
#include "probe.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static torc_listener *listener;
static probe server, client;
static char folder[64], server_string[512], client_string[512];
static cert cert_a, cert_b;
static torc_endpoint_error error;
static struct {
    torc_callback callback;
    int fired;
    torc_err err;
    torc_connection *connection;
} waiter;

/* Files of the folder; removed at the end. */
static const char *const files[] = {"a.pem",     "a.key",     "b.pem",     "chain.pem",
                                    "sni/a.pem", "sni/b.pem", "sni/c.txt", "x"};

static void write_file(const char *name, const char *text) {
    free(cert_write(folder, name, torc_str_of(text)));
}

static int set_up(void **state) {
    char path[100];

    (void)state;
    probe_init(&server);
    probe_init(&client);
    memset(&waiter, 0, sizeof(waiter));
    memset(&error, 0, sizeof(error));
    listener = NULL;
    strcpy(folder, "/tmp/torc-test-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/sni", folder);
    if (mkdir(path, 0700)) return -1;
    cert_a = cert_make(&(cert_like){.names = "DNS:a.example"});
    cert_b = cert_make(&(cert_like){.names = "DNS:b.example"});
    write_file("a.pem", cert_a.cert_pem);
    write_file("a.key", cert_a.key_pem);
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    char path[100];

    (void)state;
    torc_listener_close(listener);
    torc_reactor_free(reactor);
    probe_dispose(&server);
    probe_dispose(&client);
    cert_free(&cert_a);
    cert_free(&cert_b);
    for (size_t i = 0; i < TORC_COUNT_OF(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/sni", folder);
    return rmdir(path) || rmdir(folder) ? -1 : 0;
}

static torc_err listen_with(const char *arguments) {
    torc_endpoint endpoint;

    snprintf(server_string, sizeof(server_string), "ssl:endpoint=unix\\:%s/x%s", folder, arguments);
    check_ok(torc_endpoint_parse(torc_str_of(server_string), &endpoint, &error));
    return torc_endpoint_listen(reactor, &endpoint, &server.factory, NULL, &listener);
}

static void listen_with_a(void) {
    char arguments[300];

    snprintf(arguments, sizeof(arguments), ":privateKey=%s/a.key:certKey=%s/a.pem", folder, folder);
    check_ok(listen_with(arguments));
}

static void fired(torc_callback *callback, torc_err err, void *value) {
    (void)callback;
    waiter.fired++;
    waiter.err = err;
    waiter.connection = value;
}

static void dial_with(const char *host, const char *roots, torc_tls_config *tls) {
    const torc_connect_options options = {.size = sizeof(options), .error = &error, .tls = tls};

    memset(&waiter, 0, sizeof(waiter));
    snprintf(client_string, sizeof(client_string), "tls:%s:443:endpoint=unix\\:%s/x%s%s%s%s", host,
             folder, roots ? ":trustRoots=" : "", roots ? folder : "", roots ? "/" : "",
             roots ? roots : "");
    torc_deferred_then(torc_connect(reactor, client_string, &client.factory, &options),
                       &waiter.callback, fired);
    torc_test_settle(reactor);
    assert_int_equal(waiter.fired, 1);
}

/* A turn of TLS may move no bytes. */
static void settle_until(const size_t *len, size_t wanted) {
    for (int i = 0; i < 50 && *len < wanted; i++) torc_test_settle(reactor);
}

/* Both ends say something, and the connection ends. */
static void check_talk(void) {
    torc_protocol *protocol;

    check_ok(waiter.err);
    check_ok(torc_connection_take(waiter.connection, &protocol));
    torc_transport_write(client.base.transport, TORC_STR("hello"));
    torc_transport_write(server.base.transport, TORC_STR("hi"));
    settle_until(&server.len, 5);
    settle_until(&client.len, 2);
    check_got(&server, "hello");
    check_got(&client, "hi");
    torc_transport_close(client.base.transport);
    torc_transport_close(server.base.transport);
    torc_test_settle(reactor);
    assert_int_equal(client.losts, 1);
    assert_int_equal(server.losts, 1);
    probe_dispose(&server);
    probe_dispose(&client);
    probe_init(&client);
    server.builds = server.mades = server.losts = server.ends = server.input_ends = 0;
    server.got = NULL;
    server.len = server.room = 0;
}

static void both_ends_speak_tls(void **state) {
    (void)state;
    listen_with_a();
    dial_with("a.example", "a.pem", NULL);
    check_talk();
}

static void another_name_is_refused(void **state) {
    (void)state;
    listen_with_a();
    dial_with("b.example", "a.pem", NULL);
    assert_true(waiter.err != TORC_OK);
    assert_int_equal(client.builds, 0);
    assert_true(strlen(error.text) > 10);
}

static void a_stranger_is_refused(void **state) {
    (void)state;
    write_file("b.pem", cert_b.cert_pem);
    listen_with_a();
    dial_with("a.example", "b.pem", NULL);
    assert_true(waiter.err != TORC_OK);
    assert_int_equal(client.builds, 0);
}

static void a_configuration_may_be_given(void **state) {
    torc_client_endpoint endpoint;
    torc_tls_config *config;
    torc_tls_error why;
    char string[300];

    (void)state;
    listen_with_a();
    snprintf(string, sizeof(string), "tls:a.example:443:trustRoots=%s/a.pem", folder);
    check_ok(torc_client_endpoint_parse(torc_str_of(string), &endpoint, NULL));
    check_ok(torc_client_endpoint_tls(&endpoint, NULL, &why, &config));
    dial_with("a.example", NULL, config); /* the string itself trusts the system's alone */
    torc_tls_config_unref(config);
    check_talk();
}

static void a_folder_has_certificates_by_name(void **state) {
    char arguments[300], *both = cert_join(cert_a.cert_pem, cert_a.key_pem);

    (void)state;
    write_file("sni/a.pem", both);
    free(both);
    both = cert_join(cert_b.cert_pem, cert_b.key_pem);
    write_file("sni/b.pem", both);
    free(both);
    write_file("sni/c.txt", "nothing");
    write_file("b.pem", cert_b.cert_pem);
    snprintf(arguments, sizeof(arguments), ":sni=%s/sni", folder);
    check_ok(listen_with(arguments));
    dial_with("b.example", "b.pem", NULL);
    check_talk();
    dial_with("a.example", "a.pem", NULL);
    check_talk();
}

static void a_chain_may_be_in_another_file(void **state) {
    char arguments[400];
    cert authority = cert_make(&(cert_like){.common_name = "root", .is_authority = true});
    cert middle = cert_make(
        &(cert_like){.common_name = "middle", .is_authority = true, .issuer = &authority});
    cert leaf = cert_make(&(cert_like){.names = "DNS:a.example", .issuer = &middle});

    (void)state;
    write_file("a.pem", leaf.cert_pem);
    write_file("a.key", leaf.key_pem);
    write_file("chain.pem", middle.cert_pem);
    write_file("b.pem", authority.cert_pem);
    snprintf(arguments, sizeof(arguments),
             ":privateKey=%s/a.key:certKey=%s/a.pem:extraCertChain=%s/chain.pem", folder, folder,
             folder);
    check_ok(listen_with(arguments));
    dial_with("a.example", "b.pem", NULL);
    check_talk();
    cert_free(&leaf);
    cert_free(&middle);
    cert_free(&authority);
}

static void a_service_connects_by_tls(void **state) {
    torc_client_service *service;
    char string[400];

    (void)state;
    listen_with_a();
    snprintf(string, sizeof(string), "tls:a.example:443:endpoint=unix\\:%s/x:trustRoots=%s/a.pem",
             folder, folder);
    check_ok(torc_client_service_new(reactor, string, &client.factory, NULL, &error, &service));
    torc_client_service_start(service);
    torc_test_settle(reactor);
    assert_ptr_equal(torc_client_service_protocol(service), &client.base);
    torc_client_service_free(service);
    torc_test_settle(reactor);
    snprintf(string, sizeof(string), "tls:a.example:443:trustRoots=%s/nowhere.pem", folder);
    assert_true(torc_client_service_new(reactor, string, &client.factory, NULL, &error, &service) !=
                TORC_OK);
    assert_non_null(strstr(error.text, "nowhere.pem"));
}

/* ---- what is wrong ---- */

static void check_wrong(const char *arguments, const char *word) {
    torc_endpoint endpoint;
    torc_tls_error why = {0};
    torc_tls_config *config = NULL;
    char string[400];

    snprintf(string, sizeof(string), "ssl:443%s", arguments);
    check_ok(torc_endpoint_parse(torc_str_of(string), &endpoint, &error));
    assert_true(torc_endpoint_tls_server(&endpoint, NULL, &why, &config) != TORC_OK);
    assert_true(torc_endpoint_tls_server(&endpoint, NULL, NULL, &config) != TORC_OK);
    assert_null(config);
    if (!strstr(why.text, word)) fail_msg("%s: %s (no `%s`)", string, why.text, word);
}

static void what_is_wrong_is_said(void **state) {
    char arguments[300];

    (void)state;
    check_wrong("", "privateKey");
    check_wrong(":privateKey=/nowhere.pem", "/nowhere.pem");
    check_wrong(":sni=/nowhere", "/nowhere");
    snprintf(arguments, sizeof(arguments), ":sni=%s/sni", folder);
    check_wrong(arguments, "no *.pem file");
    snprintf(arguments, sizeof(arguments),
             ":privateKey=%s/a.key:certKey=%s/a.pem:extraCertChain=/nowhere.pem", folder, folder);
    check_wrong(arguments, "/nowhere.pem");
    snprintf(arguments, sizeof(arguments),
             ":privateKey=%s/a.key:certKey=%s/a.pem:extraCertChain=/dev/null", folder, folder);
    check_wrong(arguments, "/dev/null");
    snprintf(arguments, sizeof(arguments), ":privateKey=%s/a.pem", folder);
    check_wrong(arguments, "a.pem");
}

/* What the string does not say the program does. */
static void defaults_are_below_the_string(void **state) {
    const torc_tls_certificate own = cert_of(&cert_b);
    const torc_tls_server_options defaults = {
        .size = sizeof(defaults), .certificates = &own, .certificate_count = 1};
    torc_endpoint endpoint;
    torc_tls_config *config;

    (void)state;
    check_ok(torc_endpoint_parse(TORC_STR("ssl:443:minTLS=1.3:alpn=http/1.1"), &endpoint, NULL));
    check_ok(torc_endpoint_tls_server(&endpoint, &defaults, NULL, &config));
    torc_tls_config_unref(config);
}

static void tls_needs_a_context(void **state) {
    torc_endpoint endpoint;
    torc_filters filters = {0};

    (void)state;
    check_ok(torc_endpoint_parse(TORC_STR("ssl:443"), &endpoint, NULL));
    check_err(torc_endpoint_add_stages(&endpoint, reactor, NULL, &filters), TORC_ERR_INVALID);
    assert_int_equal(filters.count, 0);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(both_ends_speak_tls),
        CASE(another_name_is_refused),
        CASE(a_stranger_is_refused),
        CASE(a_configuration_may_be_given),
        CASE(a_folder_has_certificates_by_name),
        CASE(a_chain_may_be_in_another_file),
        CASE(a_service_connects_by_tls),
        CASE(what_is_wrong_is_said),
        CASE(defaults_are_below_the_string),
        CASE(tls_needs_a_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
