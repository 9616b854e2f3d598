/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_DEFERRED_FIXTURE_H
#define TORC_TESTS_DEFERRED_FIXTURE_H

#include <torc/log.h>

#include "check.h"
#include "faults.h"
#include "hand_clock.h"
#include "reactor/fiber.h"

/*
 * A reactor whose time the test moves, which reports to a log that is kept; consumers that note
 * what they are told; and producers of which it is counted how often they were asked to stop.
 */
static hand_clock deferred_clock;
static torc_reactor *reactor;
static __attribute__((unused)) int disposed, cancels;
static char logged[4096];
static torc_log *deferred_log;

static inline void keep_record(void *context, const torc_log_record *record) {
    torc_buf text;
    const size_t used = strlen(logged);

    (void)context;
    torc_buf_init_fixed(&text, logged + used, sizeof(logged) - used - 1);
    torc_buf_addf(&text, "%s", record->text);
    for (size_t i = 0; i < record->field_count; i++)
        torc_buf_addf(&text, " %s=%.*s", record->fields[i].key,
                      (int)record->fields[i].value.str.len, record->fields[i].value.str.bytes);
    torc_buf_addf(&text, "\n");
    logged[used + text.len] = '\0';
}

static inline int set_up(void **state) {
    torc_reactor_options options = {.size = sizeof(options), .deferred_reports = 1};

    (void)state;
    disposed = cancels = 0;
    logged[0] = '\0';
    if (torc_log_new(NULL, keep_record, NULL, &deferred_log)) return -1;
    options.log = deferred_log;
    return hand_clock_reactor(&deferred_clock, &options, &reactor) ? -1 : 0;
}

static inline int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    torc_log_free(deferred_log);
    reactor = NULL;
    return 0;
}

static inline void turns(int count) {
    while (count-- > 0) check_ok(torc_reactor_turn(reactor, 0));
}

static inline void move_ms(uint64_t ms) {
    hand_clock_move(&deferred_clock, ms);
    turns(2);
}

static inline void dispose(void *value) {
    if (value) disposed++;
}

static __attribute__((unused)) int value_a, value_b, value_c;

typedef struct taker {
    torc_callback callback;
    int told;
    torc_err err;
    void *value;
    torc_failure *failure; /* of the reactor's memory */
    bool outlives;         /* the reactor: takes no failure */
} taker;

static inline void take(torc_callback *callback, torc_err err, void *value) {
    taker *self = torc_container_of(callback, taker, callback);

    self->told++;
    self->err = err;
    self->value = value;
    if (!self->outlives) self->failure = torc_deferred_take_failure(reactor);
}

static inline taker *consume(taker *self, torc_deferred *deferred) {
    *self = (taker){.told = 0};
    torc_deferred_then(deferred, &self->callback, take);
    return self;
}

static inline const char *text_of(const torc_failure *failure) {
    static char text[1024];
    torc_buf buf;

    torc_buf_init_fixed(&buf, text, sizeof(text) - 1);
    torc_failure_format(failure, &buf);
    text[buf.len] = '\0';
    return text;
}

static inline void cancel_now(torc_deferred *deferred, void *context) {
    (void)context;
    cancels++;
    torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static inline void cancel_later(torc_deferred *deferred, void *context) {
    (void)deferred;
    (void)context;
    cancels++;
}

/* One whose producer lets go at once, or when the test says so. */
static inline torc_deferred *make_with(torc_canceller_fn *cancel) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    torc_deferred_set_canceller(deferred, cancel, NULL);
    return deferred;
}

#define DEFERRED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
