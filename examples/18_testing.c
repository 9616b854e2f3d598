/* SPDX-License-Identifier: MIT */
/* Testing what waits: protocols in memory, a clock that the test moves, names, a network, faults.
 */
#include <stdio.h>
#include <stdlib.h>
#include <torc/testing_names.h>
#include <torc/testing_net.h>
#include <torc/testing_protocols.h>
#include <torc/testing_run.h>
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

static torc_test_names *make_names(torc_reactor *reactor) {
    torc_test_names *names;

    if (torc_test_names_new(reactor, &names)) return NULL;
    torc_test_expect(!torc_test_names_set(names, "inn.test", "192.0.2.7"));
    return names;
}

static void expect_said(torc_test_connection *peer, const char *text) {
    torc_test_expect_str(torc_test_connection_written(peer), torc_str_of(text));
}

/* However the bytes are cut, and whenever they come. */
TORC_TEST(names_are_answered) {
    torc_reactor *reactor = torc_test_case_reactor(test);
    make_names(reactor);

    for (size_t pieces = 0; pieces < 5; pieces++) {
        torc_test_connection *peer = torc_test_connection_new(reactor, &factory);
        torc_test_connection_set_pieces(peer, pieces);
        if (pieces == 4) torc_test_expect(!torc_test_connection_scramble(peer, 42));
        torc_test_connection_send(peer, TORC_STR("inn.test\r\nnowhere.test\r\ninn.test\r\n"));
        torc_test_settle(reactor);
        expect_said(peer,
                    "192.0.2.7\r\nthere is no such name, or it has no address\r\n192.0.2.7\r\n");
        torc_test_connection_free(peer);
    }
}

/* The resolver takes its time; no other question is taken meanwhile. */
TORC_TEST(one_question_is_answered_at_a_time) {
    torc_reactor *reactor = torc_test_case_reactor(test);
    torc_test_names *names = make_names(reactor);
    torc_test_connection *peer = torc_test_connection_new(reactor, &factory);

    torc_test_names_hold(names, true);
    torc_test_connection_send(peer, TORC_STR("inn.test\r\ninn.test\r\n"));
    torc_test_settle(reactor);
    torc_test_expect(torc_test_names_held(names) == 1);
    torc_test_expect(torc_test_connection_unread(peer) > 0);
    torc_test_names_hold(names, false);
    torc_test_settle(reactor);
    expect_said(peer, "192.0.2.7\r\n192.0.2.7\r\n");
    torc_test_connection_free(peer);
}

/* No time passes but what the test lets pass. */
TORC_TEST(who_is_silent_is_asked_and_left) {
    torc_reactor *reactor = torc_test_case_reactor(test);
    torc_test_connection *peer = torc_test_connection_new(reactor, &factory);

    torc_test_settle(reactor);
    torc_test_advance(reactor, PATIENCE_MS - 1);
    expect_said(peer, "");
    torc_test_advance(reactor, 1);
    expect_said(peer, "Still there?\r\n");
    torc_test_expect_event(torc_test_case_log(test), "guide", "somebody is silent");
    torc_test_advance(reactor, PATIENCE_MS);
    torc_test_expect(torc_test_connection_has_ended(peer));
    torc_test_connection_free(peer);
}

/* A network of the reactor's own: any port of any machine, and a peer that keeps what it hears. */
TORC_TEST(it_is_found_on_port_79) {
    torc_reactor *reactor = torc_test_case_reactor(test);
    torc_test_recorder *guests = torc_test_recorder_new();
    torc_endpoint endpoint;
    torc_listener *listener;
    torc_test_net *net;

    make_names(reactor);
    torc_test_expect(!torc_test_net_new(reactor, &net));
    torc_test_expect(!torc_endpoint_parse(TORC_STR("tcp:79"), &endpoint, NULL));
    torc_test_expect(!torc_endpoint_listen(reactor, &endpoint, &factory, NULL, &listener));
    torc_test_recorder_say(guests, TORC_STR("inn.test\r\n"));
    torc_deferred *connecting =
        torc_connect(reactor, "tcp:203.0.113.9:79", torc_test_recorder_factory(guests), NULL);
    torc_connection_drop(torc_test_expect_value(connecting));
    torc_test_settle(reactor);
    torc_test_expect_str(torc_test_recorder_heard(guests, 0), TORC_STR("192.0.2.7\r\n"));
    torc_listener_close(listener);
    torc_test_settle(reactor);
    torc_test_recorder_free(guests);
}

/* Whichever allocation fails: the peer gets its answer or loses its connection. */
static void let_memory_be_short(torc_reactor *reactor) {
    bool has_failed = true;

    for (uint64_t n = 1; has_failed; n++) {
        torc_test_connection *peer = torc_test_connection_new(reactor, &factory);
        torc_test_connection_set_pieces(peer, 3);
        torc_test_fail_allocation(reactor, n);
        torc_test_connection_send(peer, TORC_STR("inn.test\r\n"));
        torc_test_settle(reactor);
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        torc_test_expect(torc_test_connection_is_over(peer) ||
                         torc_test_connection_written(peer).len > 0);
        torc_test_connection_free(peer);
    }
}

/* Also over a poller that does everything as late as it may. */
TORC_TEST(memory_may_be_short) {
    torc_reactor *late;

    make_names(torc_test_case_reactor(test));
    let_memory_be_short(torc_test_case_reactor(test));
    torc_test_expect(!torc_test_reactor_new_late(NULL, &late));
    make_names(late);
    let_memory_be_short(late);
    torc_reactor_free(late);
}

int main(int argc, char **argv) {
    return torc_test_main(argc, argv);
}
