/* SPDX-License-Identifier: MIT */
/*
 * Several reactors in one process, each in a thread of its own: they share nothing, and hand each
 * other calls. Run under the thread sanitizer, too.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <torc/deferred.h>
#include <torc/fiber.h>
#include <unistd.h>

#include "check.h"
#include "reactor/reactor.h"

enum {
    REACTORS = 2,
    ROUNDS = 200
};

/* What one thread has; the assertions are made in the test's thread, of what it leaves here. */
typedef struct side {
    torc_reactor *reactor;
    struct side *other;
    pthread_t thread;
    torc_io io; /* an end of a pair of sockets; the other is written to by this side's fiber */
    int peer;
    uint64_t number; /* told apart by it */
    size_t received, rounds_received, fibers_ended, jobs, wrong;
    bool is_closed;
} side;

static void stop_when_all_is_there(side *self) {
    if (self->rounds_received == ROUNDS && self->fibers_ended == ROUNDS && self->received == ROUNDS)
        torc_reactor_stop(self->reactor);
}

/* ---- calls from one to the other ---- */

/* It goes to and fro, and is of whoever has it. */
typedef struct ball {
    torc_thread_call call;
    side *to;
    int hops;
} ball;

static void throw(ball * it, side *to) {
    it->to = to;
    it->hops++;
    torc_reactor_call_from_thread(to->reactor, &it->call);
}

static void caught(torc_thread_call *call) {
    ball *it = torc_container_of(call, ball, call);
    side *self = it->to;

    if (!pthread_equal(pthread_self(), self->thread)) self->wrong++;
    self->rounds_received++;
    if (it->hops < ROUNDS) throw(it, self->other);
    stop_when_all_is_there(self);
}

/* ---- fibers, timers, threads and I/O of one's own ---- */

static torc_err square(void *data) {
    uint64_t *number = data;
    *number *= *number;
    return TORC_OK;
}

static torc_err work_a_little(void *context) {
    side *self = context;
    uint64_t number = self->number, *value = malloc(sizeof(*value));
    void *fired = NULL;

    if (!pthread_equal(pthread_self(), self->thread)) self->wrong++;
    if (torc_yield(self->reactor)) self->wrong++;
    if (torc_sleep(self->reactor, 0)) self->wrong++;
    if (!torc_await_thread(self->reactor, TORC_THREAD_USER, square, &number, sizeof(number), NULL))
        self->jobs++;
    if (number != self->number * self->number) self->wrong++;
    if (torc_await(torc_defer_later(self->reactor, 0, value, free), &fired) || fired != value)
        self->wrong++;
    free(fired);
    if (write(self->peer, "x", 1) != 1) self->wrong++;
    self->fibers_ended++;
    stop_when_all_is_there(self);
    return TORC_OK;
}

static torc_err work_often(void *context) {
    side *self = context;

    for (int i = 0; i < ROUNDS; i++) {
        torc_fiber *fiber;
        torc_err result;

        if (torc_fiber_spawn(self->reactor, work_a_little, self, &fiber)) return TORC_ERR_STATE;
        if (torc_fiber_join(fiber, &result) || result) self->wrong++;
    }
    return TORC_OK;
}

static size_t received(torc_io *io, torc_str bytes) {
    side *self = torc_container_of(io, side, io);

    self->received += bytes.len;
    stop_when_all_is_there(self);
    return bytes.len;
}

static void peer_ended(torc_io *io) {
    torc_container_of(io, side, io)->wrong++;
}

static void failed(torc_io *io, torc_err err) {
    (void)io;
    (void)err;
}

static void closed(torc_io *io) {
    torc_container_of(io, side, io)->is_closed = true;
    close(io->fd);
}

static const torc_io_ops io_ops = {
    .received = received, .peer_ended = peer_ended, .failed = failed, .closed = closed};

static void *serve(void *context) {
    side *self = context;

    self->thread = pthread_self();
    if (torc_fiber_spawn(self->reactor, work_often, self, NULL)) self->wrong++;
    torc_io_receive_start(&self->io);
    if (torc_reactor_run(self->reactor)) self->wrong++;
    return NULL;
}

static torc_err make_side(side *self, uint64_t number) {
    int ends[2];

    self->number = number;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends))
        return TORC_ERR_SYSTEM;
    self->peer = ends[1];
    const torc_err err = torc_reactor_new(NULL, &self->reactor);
    if (err) return err;
    return torc_io_open(&self->io, self->reactor, TORC_IO_STREAM, ends[0], 0, &io_ops);
}

static void each_goes_its_own_way(void **state) {
    side sides[REACTORS] = {0};
    ball balls[REACTORS];
    pthread_t threads[REACTORS];

    (void)state;
    for (size_t i = 0; i < REACTORS; i++) {
        check_ok(make_side(&sides[i], i + 2));
        sides[i].other = &sides[(i + 1) % REACTORS];
    }
    for (size_t i = 0; i < REACTORS; i++) {
        balls[i] = (ball){.call = {.run = caught}};
        throw(&balls[i], &sides[i]);
    }
    for (size_t i = 0; i < REACTORS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, serve, &sides[i]), 0);
    for (size_t i = 0; i < REACTORS; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < REACTORS; i++) {
        assert_int_equal(sides[i].wrong, 0);
        assert_int_equal(sides[i].rounds_received, ROUNDS);
        assert_int_equal(sides[i].fibers_ended, ROUNDS);
        assert_int_equal(sides[i].received, ROUNDS);
        assert_int_equal(sides[i].jobs, ROUNDS);
        assert_int_equal(sides[i].reactor->counts.jobs, ROUNDS);
        torc_reactor_free(sides[i].reactor);
        assert_true(sides[i].is_closed);
        close(sides[i].peer);
    }
}

static torc_err wait_for_nothing(void *context) {
    return torc_yield(context);
}

/* One that has no more fibers or memory to give takes none from another. */
static void limits_are_each_ones_own(void **state) {
    const torc_reactor_options options = {
        .size = sizeof(options), .memory_max = 512 * 1024, .fibers_max = 1};
    torc_reactor *small, *large;

    (void)state;
    check_ok(torc_reactor_new(&options, &small));
    check_ok(torc_reactor_new(NULL, &large));
    check_ok(torc_fiber_spawn(small, wait_for_nothing, small, NULL));
    check_err(torc_fiber_spawn(small, wait_for_nothing, small, NULL), TORC_ERR_LIMIT);
    check_ok(torc_fiber_spawn(large, wait_for_nothing, large, NULL));
    check_ok(torc_fiber_spawn(large, wait_for_nothing, large, NULL));
    assert_null(torc_alloc(torc_reactor_memory(small), TORC_MEMORY_OTHER, 512 * 1024));
    void *bytes = torc_alloc(torc_reactor_memory(large), TORC_MEMORY_OTHER, 512 * 1024);
    assert_non_null(bytes);
    torc_dealloc(torc_reactor_memory(large), bytes);
    assert_int_equal(torc_reactor_memory(large)->refused, 0);
    torc_reactor_free(small);
    torc_reactor_free(large);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_goes_its_own_way),
        cmocka_unit_test(limits_are_each_ones_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
