/* SPDX-License-Identifier: MIT */
/*
 * Lines and strings out of bytes: whatever comes, what is told is the same however the bytes are
 * cut. The first byte of an input chooses the protocol, the second one the pieces.
 */
#include <torc/line.h>
#include <torc/string_protocol.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>

#include "fuzz.h"

enum {
    INPUT_MAX = 2048
};

static torc_buf told;
static torc_err reason;

static void note(torc_str bytes) {
    torc_buf_add(&told, bytes);
    torc_buf_add_byte(&told, '\xff');
}

static void line_received(torc_line_protocol *self, torc_str line) {
    FUZZ_CHECK(line.len <= self->line_max);
    note(line);
    if (line.len == 3) torc_line_set_raw(self, true);
    if (line.len == 4) self->delimiter = self->delimiter[0] == '\n' ? "\r\n" : "\n";
}

/* One byte, and lines again. */
static size_t raw_received(torc_line_protocol *self, torc_str bytes) {
    note(torc_str_head(bytes, 1));
    torc_line_set_raw(self, false);
    return 1;
}

static void line_lost(torc_line_protocol *self, torc_err why) {
    (void)self;
    reason = why;
}

static void string_received(torc_string_protocol *self, torc_str string) {
    FUZZ_CHECK(string.len <= self->string_max);
    note(string);
}

static void string_lost(torc_string_protocol *self, torc_err why) {
    (void)self;
    reason = why;
}

static void run(unsigned kind, torc_str bytes, size_t pieces) {
    static const torc_line_ops line_ops = {
        .line_received = line_received, .raw_received = raw_received, .connection_lost = line_lost};
    static const torc_string_ops string_ops = {.string_received = string_received,
                                               .connection_lost = string_lost};
    torc_line_protocol lines;
    torc_string_protocol strings;
    torc_reactor *reactor;

    torc_line_init(&lines, &line_ops);
    lines.line_max = 100;
    if (kind % 6 == 1) lines.delimiter = "aab";
    torc_string_init(&strings, (torc_string_framing)(kind % 6 - 2), &string_ops);
    strings.string_max = 300;
    FUZZ_CHECK(torc_test_reactor_new(NULL, &reactor) == TORC_OK);
    torc_test_connection *peer =
        torc_test_connection_new_over(reactor, kind % 6 < 2 ? &lines.base : &strings.base);
    torc_test_connection_set_pieces(peer, pieces);
    torc_test_connection_send(peer, bytes);
    torc_test_settle(reactor);
    torc_test_connection_free(peer);
    torc_reactor_free(reactor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 || size > INPUT_MAX) return 0;
    char *const copy = fuzz_copy(torc_str_make((const char *)data + 2, size - 2));
    const torc_str bytes = torc_str_make(copy, size - 2);
    torc_buf first;

    torc_buf_init(&told, NULL, TORC_MEMORY_OTHER, 1 << 20);
    run(data[0], bytes, 0);
    const torc_err first_reason = reason;
    first = told;
    torc_buf_init(&told, NULL, TORC_MEMORY_OTHER, 1 << 20);
    run(data[0], bytes, 1 + data[1] % 32);
    FUZZ_CHECK(torc_str_equals(torc_buf_str(&told), torc_buf_str(&first)));
    FUZZ_CHECK(reason == first_reason);
    torc_buf_dispose(&told);
    torc_buf_dispose(&first);
    free(copy);
    return 0;
}
