/* SPDX-License-Identifier: MIT */
/*
 * Endpoint strings: what is refused is explained, what is taken is an address or a descriptor.
 */
#include <torc/endpoint.h>

#include "fuzz.h"

static void check_endpoint(const torc_endpoint *endpoint) {
    char text[TORC_ADDR_TEXT_MAX];
    const int family = torc_addr_family(&endpoint->addr);

    if (endpoint->fd >= 0 || endpoint->is_systemd)
        FUZZ_CHECK(endpoint->addr.len == 0);
    else
        FUZZ_CHECK(family == AF_INET || family == AF_INET6 || family == AF_UNIX);
    FUZZ_CHECK(endpoint->addr.len <= sizeof(endpoint->addr.as));
    FUZZ_CHECK(torc_addr_text(&endpoint->addr, text).len < TORC_ADDR_TEXT_MAX);
    FUZZ_CHECK(torc_addr_equals(&endpoint->addr, &endpoint->addr));
    FUZZ_CHECK(endpoint->unix_mode <= 07777 && endpoint->backlog >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *const text = fuzz_copy(torc_str_make((const char *)data, size));
    const torc_str string = torc_str_make(text, size);
    torc_endpoint endpoint, again;
    torc_endpoint_error error;

    memset(&error, 'x', sizeof(error));
    const torc_err err = torc_endpoint_parse(string, &endpoint, &error);
    FUZZ_CHECK(torc_endpoint_parse(string, &again, NULL) == err);
    FUZZ_CHECK(err == TORC_OK || err == TORC_ERR_SYNTAX);
    if (err) {
        FUZZ_CHECK(memchr(error.text, '\0', sizeof(error.text)) != NULL && error.text[0] != '\0');
        FUZZ_CHECK(error.place <= string.len);
    } else {
        check_endpoint(&endpoint);
    }
    free(text);
    return 0;
}
