/* SPDX-License-Identifier: MIT */
/* Testing what waits: a protocol in memory, a clock that the test moves, names, logs and faults. */
#include <stdio.h>
#include <stdlib.h>
#include <torc/testing.h>
#include <torc/testing_log.h>
#include <torc/testing_names.h>
#include <torc/testing_transport.h>
#include <torc/torc.h>

enum {
    PATIENCE_MS = 30000
};

/* ---- what is tested: who says a host's name is told its address, and who is silent is asked ----
 */

typedef struct guide {
    torc_line_protocol line;
    torc_timer patience;
    torc_callback answer;
    bool was_asked;
} guide;

static void lost_patience(torc_timer *timer) {
    guide *self = torc_container_of(timer, guide, patience);

    if (self->was_asked) {
        torc_transport_close(self->line.base.transport);
        return;
    }
    TORC_LOG_INFO(torc_reactor_log(timer->reactor), "guide", "somebody is silent");
    torc_line_send(&self->line, TORC_STR("Still there?"));
    self->was_asked = true;
    torc_timer_arm(timer, PATIENCE_MS);
}

static void guide_made(torc_line_protocol *line) {
    guide *self = torc_container_of(line, guide, line);

    torc_timer_init(&self->patience, torc_transport_reactor(line->base.transport), lost_patience);
    torc_timer_arm(&self->patience, PATIENCE_MS);
}

static void resolved(torc_callback *callback, torc_err err, void *value) {
    guide *self = torc_container_of(callback, guide, answer);
    torc_addr_list *list = value;
    char text[TORC_ADDR_TEXT_MAX];

    if (err)
        torc_line_send(&self->line, torc_str_of(torc_resolve_err_text(err)));
    else
        torc_line_send(&self->line, torc_addr_host_text(&list->addrs[0], text));
    torc_addr_list_free(list);
    torc_transport_resume(self->line.base.transport);
}

/* One question at a time: the next line waits until this one has its answer. */
static void host_received(torc_line_protocol *line, torc_str host) {
    guide *self = torc_container_of(line, guide, line);
    char name[256];

    self->was_asked = false;
    torc_timer_arm(&self->patience, PATIENCE_MS);
    snprintf(name, sizeof(name), "%.*s", TORC_STR_ARGS(host));
    torc_transport_pause(line->base.transport);
    torc_deferred_then(torc_resolve(torc_transport_reactor(line->base.transport), name, 0),
                       &self->answer, resolved);
}

static void guide_lost(torc_line_protocol *line, torc_err reason) {
    guide *self = torc_container_of(line, guide, line);

    (void)reason;
    torc_timer_cancel(&self->patience);
    torc_callback_cancel(&self->answer);
    free(self);
}

static const torc_line_ops guide_ops = {
    .connection_made = guide_made, .line_received = host_received, .connection_lost = guide_lost};

static torc_err build_guide(torc_factory *factory, torc_transport *transport,
                            torc_protocol **protocol) {
    guide *self = calloc(1, sizeof(*self));

    (void)factory;
    (void)transport;
    if (!self) return TORC_ERR_NO_MEMORY;
    torc_line_init(&self->line, &guide_ops);
    *protocol = &self->line.base;
    return TORC_OK;
}

static const torc_factory_ops factory_ops = {.build_protocol = build_guide};
static torc_factory factory = {.ops = &factory_ops};

/* ---- the tests ---- */

static torc_reactor *reactor;
static torc_test_names *names;
static torc_test_log *captured;

static void check(bool is_right, const char *what) {
    if (is_right) return;
    fprintf(stderr, "wrong: %s\n", what);
    exit(1);
}

static bool has_said(torc_test_connection *peer, const char *text) {
    return torc_str_equals(torc_test_connection_written(peer), torc_str_of(text));
}

/* However the bytes are cut, and whenever they come. */
static void names_are_answered(void) {
    for (size_t pieces = 0; pieces < 5; pieces++) {
        torc_test_connection *peer = torc_test_connection_new(reactor, &factory);
        torc_test_connection_set_pieces(peer, pieces);
        if (pieces == 4) check(!torc_test_connection_scramble(peer, 42), "scrambling");
        torc_test_connection_send(peer, TORC_STR("inn.test\r\nnowhere.test\r\ninn.test\r\n"));
        torc_test_settle(reactor);
        check(has_said(peer,
                       "192.0.2.7\r\nthere is no such name, or it has no address\r\n192.0.2.7\r\n"),
              "the answers, in their order");
        torc_test_connection_free(peer);
    }
}

/* The resolver takes its time; no other question is taken meanwhile. */
static void one_question_is_answered_at_a_time(void) {
    torc_test_connection *peer = torc_test_connection_new(reactor, &factory);

    torc_test_names_hold(names, true);
    torc_test_connection_send(peer, TORC_STR("inn.test\r\ninn.test\r\n"));
    torc_test_settle(reactor);
    check(torc_test_names_held(names) == 1, "one question");
    check(torc_test_connection_unread(peer) > 0, "the other one waits");
    torc_test_names_hold(names, false);
    torc_test_settle(reactor);
    check(has_said(peer, "192.0.2.7\r\n192.0.2.7\r\n"), "both answers");
    torc_test_connection_free(peer);
}

/* No time passes but what the test lets pass. */
static void who_is_silent_is_asked_and_left(void) {
    torc_test_connection *peer = torc_test_connection_new(reactor, &factory);

    torc_test_settle(reactor);
    torc_test_advance(reactor, PATIENCE_MS - 1);
    check(has_said(peer, ""), "nothing yet");
    torc_test_advance(reactor, 1);
    check(has_said(peer, "Still there?\r\n"), "the question");
    check(torc_test_log_find(captured, "guide", "somebody is silent") != NULL, "a line in the log");
    torc_test_advance(reactor, PATIENCE_MS);
    check(torc_test_connection_has_ended(peer), "the end");
    torc_test_connection_free(peer);
}

/* Whichever allocation fails: the peer gets its answer or loses its connection. */
static void memory_may_be_short(void) {
    bool has_failed = true;

    for (uint64_t n = 1; has_failed; n++) {
        torc_test_connection *peer = torc_test_connection_new(reactor, &factory);
        torc_test_connection_set_pieces(peer, 3);
        torc_test_fail_allocation(reactor, n);
        torc_test_connection_send(peer, TORC_STR("inn.test\r\n"));
        torc_test_settle(reactor);
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        check(torc_test_connection_is_over(peer) || torc_test_connection_written(peer).len > 0,
              "an answer, or an end");
        torc_test_connection_free(peer);
    }
}

int main(void) {
    check(!torc_test_log_new(&captured), "the log");
    const torc_reactor_options options = {.size = sizeof(options),
                                          .log = torc_test_log_log(captured)};

    /* Over the poller of every day, and over one that does everything as late as it may. */
    for (int i = 0; i < 2; i++) {
        check(!(i ? torc_test_reactor_new_late(&options, &reactor)
                  : torc_test_reactor_new(&options, &reactor)),
              "the reactor");
        check(!torc_test_names_new(reactor, &names), "the names");
        check(!torc_test_names_set(names, "inn.test", "192.0.2.7"), "a name");
        names_are_answered();
        one_question_is_answered_at_a_time();
        who_is_silent_is_asked_and_left();
        memory_may_be_short();
        torc_reactor_free(reactor);
    }
    torc_test_log_free(captured);
    puts("all is well");
    return 0;
}
