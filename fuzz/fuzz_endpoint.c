/* SPDX-License-Identifier: MIT */
/*
 * Endpoint strings of both sides, and such in such: what is refused is explained, what is taken is
 * an address, a name or a descriptor.
 */
#include <torc/connect.h>

#include "fuzz.h"

static void check_texts(const torc_endpoint_texts *texts) {
    FUZZ_CHECK(texts->len <= sizeof(texts->bytes));
    FUZZ_CHECK(texts->len == 0 || texts->bytes[texts->len - 1] == '\0');
}

static void check_text(const torc_endpoint_texts *texts, torc_endpoint_text text) {
    FUZZ_CHECK(text < (texts->len ? texts->len : 1));
    FUZZ_CHECK(!text || strlen(torc_endpoint_text_of(texts, text)) > 0);
}

static void check_tls(const torc_endpoint_texts *texts, const torc_endpoint_tls *tls) {
    check_text(texts, tls->private_key);
    check_text(texts, tls->certificate);
    check_text(texts, tls->alpn);
    check_text(texts, tls->client_ca);
    check_text(texts, tls->host_name);
}

static void check_server(const torc_endpoint *endpoint) {
    char text[TORC_ADDR_TEXT_MAX];
    const int family = torc_addr_family(&endpoint->addr);

    if (endpoint->fd >= 0 || endpoint->is_systemd || endpoint->is_stdio)
        FUZZ_CHECK(endpoint->addr.len == 0);
    else
        FUZZ_CHECK(family == AF_INET || family == AF_INET6 || family == AF_UNIX);
    FUZZ_CHECK(endpoint->addr.len <= sizeof(endpoint->addr.as));
    FUZZ_CHECK(torc_addr_text(&endpoint->addr, text).len < TORC_ADDR_TEXT_MAX);
    FUZZ_CHECK(torc_addr_equals(&endpoint->addr, &endpoint->addr));
    FUZZ_CHECK(endpoint->unix_mode <= 07777 && endpoint->backlog >= 0);
    check_texts(&endpoint->texts);
    check_text(&endpoint->texts, endpoint->systemd_name);
    check_text(&endpoint->texts, endpoint->proxy.allow);
    check_tls(&endpoint->texts, &endpoint->tls);
}

static void check_client(const torc_client_endpoint *endpoint) {
    const int family = torc_addr_family(&endpoint->addr);

    FUZZ_CHECK(endpoint->addr.len > 0 || endpoint->host > 0);
    FUZZ_CHECK(family == AF_UNIX || endpoint->port > 0);
    FUZZ_CHECK(endpoint->proxy.version == 1 || endpoint->proxy.version == 2);
    FUZZ_CHECK(!endpoint->has_tls || endpoint->tls.host_name > 0);
    check_texts(&endpoint->texts);
    check_text(&endpoint->texts, endpoint->host);
    check_tls(&endpoint->texts, &endpoint->tls);
}

static void check_error(torc_err err, const torc_endpoint_error *error, size_t len) {
    FUZZ_CHECK(err == TORC_ERR_SYNTAX);
    FUZZ_CHECK(memchr(error->text, '\0', sizeof(error->text)) != NULL && error->text[0] != '\0');
    FUZZ_CHECK(error->place <= len);
}

/* Quoted, a string is a value of another, and means the same. */
static void check_nested(torc_str string, torc_err err) {
    char bytes[2200];
    torc_buf outer;
    torc_endpoint endpoint;

    torc_buf_init_fixed(&outer, bytes, sizeof(bytes));
    torc_buf_add(&outer, TORC_STR("haproxy:endpoint="));
    torc_endpoint_quote(string, &outer);
    if (torc_buf_err(&outer) || torc_buf_str(&outer).len >= TORC_ENDPOINT_TEXT_MAX) return;
    if (torc_endpoint_parse(torc_buf_str(&outer), &endpoint, NULL)) return;
    FUZZ_CHECK(!err && endpoint.has_proxy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *const text = fuzz_copy(torc_str_make((const char *)data, size));
    const torc_str string = torc_str_make(text, size);
    torc_endpoint server, again;
    torc_client_endpoint client;
    torc_endpoint_error error;

    memset(&error, 'x', sizeof(error));
    torc_err err = torc_endpoint_parse(string, &server, &error);
    FUZZ_CHECK(torc_endpoint_parse(string, &again, NULL) == err);
    if (err)
        check_error(err, &error, string.len);
    else
        check_server(&server);
    check_nested(string, err);
    memset(&error, 'x', sizeof(error));
    err = torc_client_endpoint_parse(string, &client, &error);
    if (err)
        check_error(err, &error, string.len);
    else
        check_client(&client);
    free(text);
    return 0;
}
