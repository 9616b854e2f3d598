/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <torc/fiber.h>
#include <torc/log.h>
#include <torc/react.h>

#include "check.h"

typedef struct story {
    torc_err answer, told;
    int signals; /* that it sends to itself */
    bool insists;
} story;

static torc_err play(torc_reactor *reactor, void *context) {
    story *self = context;

    for (int i = 0; i < self->signals; i++) pthread_kill(pthread_self(), i ? SIGINT : SIGTERM);
    if (self->signals) self->told = torc_sleep(reactor, 1000000);
    if (self->insists) {
        torc_shield_begin(reactor);
        self->told = torc_sleep(reactor, 1000000);
        torc_shield_end(reactor);
    }
    return self->answer;
}

static int logged;

static void count(void *context, const torc_log_record *record) {
    (void)context;
    assert_string_equal(record->text, "the program has failed");
    logged++;
}

static void the_exit_code_is_the_answer(void **state) {
    story fine = {.answer = TORC_OK}, bad = {.answer = TORC_ERR_NOT_FOUND};
    torc_reactor_options options = {.size = sizeof(options)};

    (void)state;
    check_ok(torc_log_new(NULL, count, NULL, &options.log));
    assert_int_equal(torc_react(play, &fine, NULL), 0);
    assert_int_equal(torc_react(play, &bad, &options), 1);
    assert_int_equal(logged, 1);
    torc_log_free(options.log);
}

static void a_signal_cancels_it(void **state) {
    story failing = {.answer = TORC_ERR_CANCELLED, .signals = 1}, clean = {.signals = 1};

    (void)state;
    assert_int_equal(torc_react(play, &failing, NULL), 128 + SIGTERM);
    check_err(failing.told, TORC_ERR_CANCELLED);
    assert_int_equal(torc_react(play, &clean, NULL), 0);
}

static void a_second_signal_does_not_wait(void **state) {
    story self = {.answer = TORC_ERR_CANCELLED, .signals = 2, .insists = true};
    const int code = torc_react(play, &self, NULL);

    (void)state;
    assert_true(code == 128 + SIGTERM || code == 128 + SIGINT);
    check_err(self.told, TORC_ERR_CANCELLED); /* also where it is shielded */
}

static void without_memory_it_fails(void **state) {
    torc_reactor_options options = {.size = sizeof(options), .memory_max = 1};
    story self = {.answer = TORC_OK};

    (void)state;
    assert_int_equal(torc_react(play, &self, &options), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exit_code_is_the_answer),
        cmocka_unit_test(a_signal_cancels_it),
        cmocka_unit_test(a_second_signal_does_not_wait),
        cmocka_unit_test(without_memory_it_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
