/* SPDX-License-Identifier: MIT */
/*
 * What is left open on a reactor, named.
 *
 *  - The lines are those of a dump (torc/dump.h), and what that does not tell: deferreds that have
 *    a result nobody takes, and posted calls.
 */
#include <torc/dump.h>

#include "base/symbol.h"
#include "testing/expect.h"
#include "testing/reactor.h"

typedef struct listing {
    torc_buf *text;
    size_t count;
} listing;

/* Titles stand at the margin, and tell nothing. */
static void add_line(void *context, torc_str line) {
    listing *self = context;

    if (line.len < 3 || line.bytes[0] != ' ') return;
    torc_buf_addf(self->text, "\n  %.*s", TORC_STR_ARGS(line));
    if (line.bytes[2] != ' ') self->count++;
}

static void add_untaken(listing *self, const torc_reactor *reactor) {
    for (torc_list_node *node = torc_list_first(&reactor->untaken); node;
         node = torc_list_next(&reactor->untaken, node)) {
        const torc_deferred *deferred = torc_container_of(node, torc_deferred, node);
        torc_buf_addf(self->text, "\n    deferred: made at %s, has %s that nobody has taken",
                      deferred->made_at ? deferred->made_at : "a place of the library",
                      deferred->err ? "an error" : "a value");
        self->count++;
    }
}

static void add_calls(listing *self, const torc_reactor *reactor) {
    char symbol[TORC_SYMBOL_TEXT];

    for (torc_list_node *node = torc_list_first(&reactor->calls); node;
         node = torc_list_next(&reactor->calls, node)) {
        torc_symbol_text((const void *)(uintptr_t)torc_container_of(node, torc_call, node)->run,
                         symbol);
        torc_buf_addf(self->text, "\n    call: posted, %s", symbol);
        self->count++;
    }
}

size_t torc_test_add_open(torc_buf *text, torc_reactor *reactor) {
    listing self = {.text = text};

    torc_reactor_dump(reactor, add_line, &self);
    add_untaken(&self, reactor);
    add_calls(&self, reactor);
    return self.count;
}

bool torc_test_expect_nothing_open_at(const char *place, torc_reactor *reactor) {
    torc_buf text;

    torc_test_settle_all(reactor);
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
    torc_buf_addf(&text, "something is left open:");
    if (torc_test_add_open(&text, reactor) > 0) {
        torc_test_fail_buf(place, &text);
        return false;
    }
    torc_buf_dispose(&text);
    return true;
}

void torc_test_settle_all(torc_reactor *reactor) {
    torc_test_settle(reactor);
    torc_test_finish_jobs(reactor);
    torc_test_settle(reactor);
}

uint64_t torc_test_advance_some(torc_reactor *reactor, uint64_t ms) {
    const uint64_t now_ms = torc_test_parts_of(reactor)->now_us / 1000;
    const uint64_t due_ms = torc_timers_soonest_ms(reactor);
    uint64_t step_ms = due_ms > now_ms ? due_ms - now_ms : 1;

    if (step_ms > ms) step_ms = ms;
    torc_test_advance(reactor, step_ms);
    torc_test_settle_all(reactor);
    return step_ms;
}
