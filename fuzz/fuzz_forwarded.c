/* SPDX-License-Identifier: MIT */
/*
 * Forwarded and addresses as proxies write them: what is read is within what came, and what is
 * added to a line is read as it is, whatever the line was.
 */
#include "fuzz.h"
#include "http/forwarded.h"

static bool is_within(torc_str part, torc_str whole) {
    return !part.bytes ||
           (part.bytes >= whole.bytes && part.bytes + part.len <= whole.bytes + whole.len);
}

static void check_element(const torc_forwarded *element, torc_str line) {
    const int family = torc_addr_family(&element->client);

    FUZZ_CHECK(family == AF_UNSPEC || family == AF_INET || family == AF_INET6);
    FUZZ_CHECK(is_within(element->by, line));
    FUZZ_CHECK(is_within(element->host, line));
    FUZZ_CHECK(is_within(element->scheme, line));
}

/* A trusted hop adds itself: it is the last, and what is left is the line. */
static void check_added(torc_str line, const char *added) {
    const size_t added_len = strlen(added), len = line.len + added_len;
    char *text = malloc(len);
    torc_str rest = torc_str_make(text, len);
    torc_forwarded element;

    memcpy(text, line.bytes, line.len);
    memcpy(text + line.len, added, added_len);
    FUZZ_CHECK(torc_forwarded_take_last(&rest, &element) == TORC_OK);
    FUZZ_CHECK(element.client.len != 0 && rest.len == line.len);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *const text = fuzz_copy(torc_str_make((const char *)data, size));
    const torc_str line = torc_str_make(text, size);
    torc_forwarded element;
    torc_str rest = line;
    torc_addr addr;

    while (rest.len) {
        const size_t before = rest.len;
        if (!torc_forwarded_take_last(&rest, &element)) check_element(&element, line);
        FUZZ_CHECK(rest.len < before);
    }
    check_added(line, ", for=192.0.2.1;proto=http");
    check_added(line, ",for=\"[2001:db8::1]:1\"");
    if (!torc_forwarded_parse_addr(line, &addr)) {
        char host[TORC_ADDR_TEXT_MAX];
        torc_addr again;
        FUZZ_CHECK(
            !torc_addr_parse(torc_addr_host_text(&addr, host), torc_addr_port(&addr), &again));
    }
    free(text);
    return 0;
}
