/* SPDX-License-Identifier: MIT */
/*
 * What transport/stages.h promises: what stands on a connection is made in order, and above a gate
 * not before that has opened.
 */
#include "both_pollers.h"
#include "link.h"
#include "transport/connector.h"
#include "transport/filter.h"

/* A gate that opens at the first byte, '!'; at '?' it fails. All that follows goes up. */
typedef struct gate {
    torc_filter base;
    torc_filter_factory factory;
    int builds, frees, factory_frees, ends;
    bool is_open;
    uint16_t peer_port; /* it knows better; 0: it does not */
    torc_err refuses;
} gate;

static gate *gate_of(torc_filter *filter) {
    return torc_container_of(filter, gate, base);
}

static size_t gate_received(torc_filter *filter, torc_str bytes) {
    gate *self = gate_of(filter);

    if (!self->is_open) {
        if (bytes.bytes[0] != '!') {
            torc_filter_fail(filter, TORC_ERR_PEER);
            return bytes.len;
        }
        self->is_open = true;
        torc_filter_open(filter);
        bytes = torc_str_from(bytes, 1);
        torc_filter_deliver(filter, bytes);
        return bytes.len + 1;
    }
    torc_filter_deliver(filter, bytes);
    return bytes.len;
}

static void gate_peer_ended(torc_filter *filter) {
    gate *self = gate_of(filter);

    self->ends++;
    if (self->is_open)
        torc_filter_deliver_end(filter);
    else
        torc_filter_fail(filter, TORC_ERR_TRUNCATED);
}

static torc_addr gate_addr(torc_filter *filter, bool peer) {
    const gate *self = gate_of(filter);
    torc_addr addr = {0};

    if (!peer || !self->peer_port) return addr;
    check_ok(torc_addr_parse(TORC_STR("192.0.2.7"), self->peer_port, &addr));
    return addr;
}

static void gate_describe(torc_filter *filter, torc_link_info *link) {
    (void)filter;
    link->is_secure = true;
}

static void gate_free(torc_filter *filter) {
    gate_of(filter)->frees++;
}

static const torc_filter_ops gate_ops = {
    .received = gate_received,
    .peer_ended = gate_peer_ended,
    .addr = gate_addr,
    .describe = gate_describe,
    .free = gate_free,
    .is_gate = true,
};

static torc_err build_gate(torc_filter_factory *factory, torc_transport *below,
                           torc_filter **filter) {
    gate *self = torc_container_of(factory, gate, factory);

    self->builds++;
    if (self->refuses) return self->refuses;
    torc_filter_init(&self->base, below->reactor, &gate_ops);
    *filter = &self->base;
    return TORC_OK;
}

static void factory_freed(torc_filter_factory *factory) {
    torc_container_of(factory, gate, factory)->factory_frees++;
}

static void gate_init(gate *self) {
    *self = (gate){.factory = {.build_filter = build_gate, .free = factory_freed, .refs = 1}};
}

/* ---- a connection with stages ---- */

static torc_reactor *reactor;
static probe above;
static gate lower, upper;
static torc_stages stages;
static torc_stream *stream;
static int fd, builts;
static torc_err built_err;

static void built(torc_stages *of, torc_transport *top, torc_err err) {
    assert_ptr_equal(of, &stages);
    assert_non_null(top);
    builts++;
    built_err = err;
}

static int set_up(bool is_late) {
    int ends[2];

    probe_init(&above);
    gate_init(&lower);
    gate_init(&upper);
    builts = 0;
    if (new_reactor(is_late, NULL, &reactor)) return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends)) return -1;
    fd = ends[1];
    return torc_stream_new(reactor, ends[0], AF_UNIX, &stream) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    torc_stages_dispose(&stages);
    torc_filter_factory_unref(&lower.factory);
    torc_filter_factory_unref(&upper.factory);
    assert_int_equal(lower.factory_frees, 1);
    assert_int_equal(upper.factory_frees, 1);
    assert_int_equal(lower.frees, lower.builds);
    assert_int_equal(above.losts, above.mades);
    close(fd);
    probe_dispose(&above);
    return 0;
}

static void begin(size_t count) {
    const torc_filters filters = {.factories = {&lower.factory, &upper.factory}, .count = count};

    torc_stages_init(&stages, &filters, &above.factory);
    stages.built = built;
    torc_stages_build(&stages, &stream->base);
    torc_test_settle(reactor);
}

static void say(const char *text) {
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    torc_test_settle(reactor);
}

static bool has_ended(void) {
    char byte;
    const ssize_t len = read(fd, &byte, 1);
    return len == 0 || (len < 0 && errno == ECONNRESET);
}

/* ---- the cases ---- */

static void without_filters_there_is_the_protocol(void **state) {
    (void)state;
    begin(0);
    assert_int_equal(above.mades, 1);
    assert_int_equal(builts, 1);
    say("hello");
    check_got(&above, "hello");
}

static void a_gate_comes_first(void **state) {
    (void)state;
    begin(2);
    assert_int_equal(lower.builds, 1);
    assert_int_equal(upper.builds, 0);
    assert_int_equal(above.builds, 0);
    say("!");
    assert_int_equal(upper.builds, 1);
    assert_int_equal(above.builds, 0);
    assert_int_equal(builts, 0);
    say("!hello");
    assert_int_equal(above.mades, 1);
    assert_int_equal(builts, 1);
    check_ok(built_err);
    check_got(&above, "hello");
    torc_transport_write(above.base.transport, TORC_STR("hi"));
    torc_transport_close(above.base.transport);
    torc_test_settle(reactor);
    char bytes[3] = "";
    assert_int_equal(read(fd, bytes, 2), 2);
    assert_string_equal(bytes, "hi");
    assert_true(has_ended());
    check_err(above.reason, TORC_ERR_CLOSED);
}

static void all_gates_may_open_at_once(void **state) {
    (void)state;
    begin(2);
    say("!!hello");
    check_got(&above, "hello");
}

static void a_gate_that_fails_lets_nobody_know(void **state) {
    (void)state;
    begin(2);
    say("!?");
    assert_int_equal(upper.builds, 1);
    assert_int_equal(upper.frees, 1);
    assert_int_equal(above.builds, 0);
    assert_int_equal(builts, 0);
    assert_true(has_ended());
}

static void a_peer_may_end_before_the_gate_opens(void **state) {
    (void)state;
    begin(2);
    say("!");
    shutdown(fd, SHUT_WR);
    torc_test_settle(reactor);
    assert_int_equal(upper.ends, 1);
    assert_int_equal(above.builds, 0);
    assert_true(has_ended());
}

static void an_end_behind_the_opening_is_told(void **state) {
    (void)state;
    begin(1);
    assert_int_equal(write(fd, "!x", 2), 2);
    shutdown(fd, SHUT_WR);
    torc_test_settle(reactor);
    check_got(&above, "x");
    assert_int_equal(above.ends, 1);
    assert_int_equal(above.input_ends, 1);
    torc_transport_close(above.base.transport);
    torc_test_settle(reactor);
}

static void a_stage_that_cannot_be_made_is_the_end(void **state) {
    (void)state;
    upper.refuses = TORC_ERR_LIMIT;
    upper.builds = -1; /* not counted among those that are freed */
    begin(2);
    say("!");
    assert_int_equal(builts, 1);
    check_err(built_err, TORC_ERR_LIMIT);
    assert_true(has_ended());
}

static void a_protocol_that_cannot_be_made_is_the_end(void **state) {
    (void)state;
    above.refuses = TORC_ERR_BUSY;
    begin(1);
    say("!");
    assert_int_equal(builts, 1);
    check_err(built_err, TORC_ERR_BUSY);
    assert_int_equal(above.mades, 0);
    assert_true(has_ended());
}

static void filters_tell_what_they_know(void **state) {
    char text[TORC_ADDR_TEXT_MAX];

    (void)state;
    lower.peer_port = 80;
    begin(2);
    say("!!");
    const torc_link_info link = torc_transport_link_info(above.base.transport);
    check_str(torc_addr_text(&link.peer, text), "192.0.2.7:80");
    assert_int_equal(torc_addr_family(&link.host), AF_UNIX);
    assert_true(link.is_secure);
    assert_null(link.tls);
    upper.peer_port = 81; /* the one above knows best */
    const torc_addr peer = torc_transport_peer(above.base.transport);
    check_str(torc_addr_text(&peer, text), "192.0.2.7:81");
}

static void there_are_so_many_at_most(void **state) {
    torc_filters filters = {0};

    (void)state;
    begin(0);
    for (size_t i = 0; i < TORC_FILTERS_MAX; i++)
        check_ok(torc_filters_add(&filters, torc_filter_factory_ref(&lower.factory)));
    check_err(torc_filters_add(&filters, torc_filter_factory_ref(&lower.factory)), TORC_ERR_LIMIT);
    assert_int_equal(lower.factory.refs, TORC_FILTERS_MAX + 1);
    torc_filters_dispose(&filters);
    assert_int_equal(filters.count, 0);
    assert_int_equal(lower.factory.refs, 1);
    torc_filter_factory_unref(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(without_filters_there_is_the_protocol),
        BOTH(a_gate_comes_first),
        BOTH(all_gates_may_open_at_once),
        BOTH(a_gate_that_fails_lets_nobody_know),
        BOTH(a_peer_may_end_before_the_gate_opens),
        BOTH(an_end_behind_the_opening_is_told),
        BOTH(a_stage_that_cannot_be_made_is_the_end),
        BOTH(a_protocol_that_cannot_be_made_is_the_end),
        BOTH(filters_tell_what_they_know),
        BOTH(there_are_so_many_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
