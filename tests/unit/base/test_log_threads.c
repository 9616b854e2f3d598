/* SPDX-License-Identifier: MIT */
/*
 * Threads that log, while another changes levels, adds sinks and reads the ring.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <torc/log_ring.h>

#include "check.h"

enum {
    THREADS = 3,
    EVENTS = 2000,
    CHANGES = 300
};

static torc_log *log_;
static torc_log_ring *ring;
static atomic_int heard, wrong;

/* An event is whole: both fields are the same. What is told of the ring, which may be full for a
 * moment, has others. */
static bool is_whole(const torc_log_record *record) {
    if (strcmp(record->space, "log") == 0) return true;
    return record->field_count == 2 &&
           record->fields[0].value.int_ == record->fields[1].value.int_ &&
           strcmp(record->space, "a.b") == 0;
}

static torc_err hear(void *context, const torc_log_record *record) {
    atomic_fetch_add(&heard, 1);
    if (!is_whole(record)) atomic_fetch_add(&wrong, 1);
    return TORC_OK;
}

static void look(void *context, const torc_log_record *record) {
    if (!is_whole(record)) atomic_fetch_add(&wrong, 1);
}

static void *log_much(void *context) {
    for (int i = 0; i < EVENTS; i++) {
        TORC_LOG_INFO(log_, "a.b", "info", TORC_LOG_INT("n", i), TORC_LOG_INT("m", i));
        TORC_LOG_DEBUG(log_, "a.b", "debug", TORC_LOG_INT("n", i), TORC_LOG_INT("m", i));
    }
    return NULL;
}

static void *change_much(void *context) {
    const torc_log_sink_options options = {.size = sizeof options, .levels = "off"};

    for (int i = 0; i < CHANGES; i++) {
        check_ok(torc_log_set_levels(log_, i % 2 ? TORC_STR("a=debug") : TORC_STR("a.b=info")));
        if (i % 50 == 0) check_ok(torc_log_add_sink(log_, hear, NULL, NULL, &options, NULL));
        if (i % 10 == 0) torc_log_ring_each(ring, look, NULL);
        check_ok(torc_log_replace_levels(log_, TORC_STR("info")));
    }
    return NULL;
}

static void everybody_may_log_while_levels_change(void **state) {
    pthread_t threads[THREADS + 1];

    check_ok(torc_log_new(NULL, NULL, NULL, &log_));
    check_ok(torc_log_add_sink(log_, hear, NULL, NULL, NULL, NULL));
    check_ok(torc_log_ring_new(NULL, 16, &ring));
    check_ok(torc_log_add_ring(log_, ring, NULL, NULL));
    for (int i = 0; i <= THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i ? log_much : change_much, NULL), 0);
    for (int i = 0; i <= THREADS; i++) pthread_join(threads[i], NULL);
    /* All that was at INFO, which was enabled throughout. */
    assert_true(atomic_load(&heard) >= THREADS * EVENTS);
    assert_int_equal(atomic_load(&wrong), 0);
    torc_log_free(log_);
    torc_log_ring_free(ring);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_may_log_while_levels_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
