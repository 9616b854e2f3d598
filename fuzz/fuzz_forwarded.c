/* SPDX-License-Identifier: MIT */
/*
 * Forwarded and addresses as proxies write them: what is read is within what came, and a line that
 * is read is read the same behind others.
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

/* The same line again, with an element in front: the last ones stay the same. */
static void check_behind(torc_str line, const torc_forwarded_list *list) {
    static const char front[] = "for=192.0.2.1, ";
    const size_t len = sizeof(front) - 1 + line.len;
    char *text = malloc(len);
    torc_forwarded_list again;

    memcpy(text, front, sizeof(front) - 1);
    memcpy(text + sizeof(front) - 1, line.bytes, line.len);
    FUZZ_CHECK(torc_forwarded_parse(torc_str_make(text, len), &again) == TORC_OK);
    FUZZ_CHECK(again.count == TORC_FORWARDED_MAX || again.count == list->count + 1);
    for (uint32_t i = 1; i <= list->count && i < again.count; i++)
        FUZZ_CHECK(torc_addr_equals(&again.items[again.count - i].client,
                                    &list->items[list->count - i].client));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *const text = fuzz_copy(torc_str_make((const char *)data, size));
    const torc_str line = torc_str_make(text, size);
    torc_forwarded_list list;
    torc_addr addr;

    if (!torc_forwarded_parse(line, &list)) {
        FUZZ_CHECK(list.count <= TORC_FORWARDED_MAX);
        for (uint32_t i = 0; i < list.count; i++) check_element(&list.items[i], line);
        if (list.count) check_behind(line, &list);
    }
    if (!torc_forwarded_parse_addr(line, &addr)) {
        char host[TORC_ADDR_TEXT_MAX];
        torc_addr again;
        FUZZ_CHECK(
            !torc_addr_parse(torc_addr_host_text(&addr, host), torc_addr_port(&addr), &again));
    }
    free(text);
    return 0;
}
