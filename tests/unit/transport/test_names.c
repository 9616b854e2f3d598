/* SPDX-License-Identifier: MIT */
/* Names: what is asked for, what is kept, and who is told. */
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <torc/failure.h>
#include <torc/fiber.h>
#include <torc/testing.h>
#include <torc/testing_names.h>

#include "check.h"
#include "reactor/deferred.h"
#include "transport/names.h"

static torc_reactor *reactor;
static torc_test_names *names;

typedef struct asker {
    torc_callback callback;
    bool is_told;
    torc_err err;
    char text[512]; /* the addresses */
} asker;

static int set_up(void **state) {
    (void)state;
    if (torc_test_reactor_new(NULL, &reactor)) return -1;
    return torc_test_names_new(reactor, &names) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void write_list(const torc_addr_list *list, char *text, size_t size) {
    char one[TORC_ADDR_TEXT_MAX];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < list->count; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s", i ? " " : "",
                                torc_addr_text(&list->addrs[i], one).bytes);
}

static void fired(torc_callback *callback, torc_err err, void *value) {
    asker *self = torc_container_of(callback, asker, callback);

    assert_false(self->is_told);
    self->is_told = true;
    self->err = err;
    if (err) return;
    write_list(value, self->text, sizeof(self->text));
    torc_addr_list_free(value);
}

static void ask(asker *self, const char *host, uint16_t port) {
    *self = (asker){.is_told = false};
    torc_deferred_then(torc_resolve(reactor, host, port), &self->callback, fired);
}

static void check_answer(const char *host, uint16_t port, const char *text) {
    asker self;

    ask(&self, host, port);
    torc_test_settle(reactor);
    assert_true(self.is_told);
    check_ok(self.err);
    assert_string_equal(self.text, text);
}

static void check_failure(const char *host, torc_err err) {
    asker self;

    ask(&self, host, 1);
    torc_test_settle(reactor);
    assert_true(self.is_told);
    check_err(self.err, err);
}

/* ---- what nobody is asked for ---- */

static void numbers_need_no_resolver(void **state) {
    (void)state;
    check_answer("192.0.2.7", 80, "192.0.2.7:80");
    check_answer("2001:DB8::1", 443, "[2001:db8::1]:443");
    check_answer("::ffff:192.0.2.7", 1, "192.0.2.7:1");
    assert_int_equal(torc_test_names_asked(names), 0);
}

static void a_scope_is_a_name_or_a_number(void **state) {
    const char *const hosts[] = {"fe80::1%lo", "fe80::1%1"};
    void *value;

    (void)state;
    if (if_nametoindex("lo") == 0) skip_test("there is no interface lo");
    for (size_t i = 0; i < TORC_COUNT_OF(hosts); i++) {
        torc_deferred *deferred = torc_resolve(reactor, hosts[i], 9);
        assert_true(torc_deferred_has_fired(deferred));
        value = deferred->value;
        assert_int_equal(((torc_addr_list *)value)->addrs[0].as.in6.sin6_scope_id,
                         i ? 1 : if_nametoindex("lo"));
        torc_deferred_drop(deferred);
    }
    check_failure("fe80::1%no-such-interface", TORC_ERR_NOT_FOUND);
    check_failure("fe80::1%", TORC_ERR_SYNTAX);
    check_failure("192.0.2.1%lo", TORC_ERR_SYNTAX);
}

static void localhost_is_this_machine(void **state) {
    const char *const hosts[] = {"localhost", "LocalHost.", "a.localhost", "b.A.LOCALHOST."};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(hosts); i++)
        check_answer(hosts[i], 8080, "[::1]:8080 127.0.0.1:8080");
    check_failure("notlocalhost", TORC_ERR_NOT_FOUND);
    check_failure("localhost.example", TORC_ERR_NOT_FOUND);
    assert_int_equal(torc_test_names_asked(names), 2);
}

static void what_is_no_name_is_refused(void **state) {
    char long_label[80], long_name[300];
    const char *const hosts[] = {
        "",           ".",      "a..b",       ".a",          "a b",       "a/b",   "a:1",
        "[::1]",      "a@b",    "a%b",        "caf\xc3\xa9", "a\n",       "127.1", "1",
        "0x7f000001", "0X7F.1", "a.0x1",      "2130706433",  "1.2.3.4.5", "a.b.3", "a\\b",
        "a.b..",      "0x",     "192.0.2.1.", "\x7f"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(hosts); i++) check_failure(hosts[i], TORC_ERR_SYNTAX);
    memset(long_label, 'a', 64);
    long_label[64] = '\0';
    check_failure(long_label, TORC_ERR_SYNTAX);
    memset(long_name, 0, sizeof(long_name));
    for (size_t i = 0; i < 254; i++) long_name[i] = i % 50 == 49 ? '.' : 'a';
    check_failure(long_name, TORC_ERR_SYNTAX);
    assert_int_equal(torc_test_names_asked(names), 0);
    long_name[253] = '\0';
    long_label[63] = '\0';
    check_failure(long_name, TORC_ERR_NOT_FOUND);
    check_failure(long_label, TORC_ERR_NOT_FOUND);
    check_failure("0xg", TORC_ERR_NOT_FOUND);
    check_failure("_srv.a-b.4chan", TORC_ERR_NOT_FOUND);
}

/* ---- asking ---- */

static void addresses_come_in_the_resolvers_order(void **state) {
    (void)state;
    check_ok(torc_test_names_set(names, "a.test", "2001:db8::1 192.0.2.1 2001:db8::2"));
    check_answer("a.test", 80, "[2001:db8::1]:80 192.0.2.1:80 [2001:db8::2]:80");
    check_answer("A.TEST.", 81, "[2001:db8::1]:81 192.0.2.1:81 [2001:db8::2]:81");
}

static void failures_are_told(void **state) {
    (void)state;
    check_failure("none.test", TORC_ERR_NOT_FOUND);
    check_ok(torc_test_names_fail(names, "down.test", TORC_ERR_AGAIN));
    check_failure("down.test", TORC_ERR_AGAIN);
    assert_string_equal(torc_resolve_err_text(TORC_ERR_NOT_FOUND),
                        "there is no such name, or it has no address");
    assert_non_null(strstr(torc_resolve_err_text(TORC_ERR_AGAIN), "try again"));
    assert_non_null(strstr(torc_resolve_err_text(TORC_ERR_TIMEOUT), "too long"));
    assert_non_null(strstr(torc_resolve_err_text(TORC_ERR_BUSY), "too many"));
    assert_non_null(strstr(torc_resolve_err_text(TORC_ERR_SYNTAX), "neither"));
    assert_non_null(strstr(torc_resolve_err_text(TORC_ERR_SYSTEM), "refuse"));
    assert_string_equal(torc_resolve_err_text(TORC_ERR_NO_MEMORY),
                        torc_err_text(TORC_ERR_NO_MEMORY));
}

static void equal_questions_are_asked_once(void **state) {
    asker askers[5];

    (void)state;
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.1"));
    torc_test_names_hold(names, true);
    for (int i = 0; i < 4; i++) ask(&askers[i], i % 2 ? "A.test" : "a.test.", (uint16_t)(80 + i));
    ask(&askers[4], "b.test", 1);
    torc_test_settle(reactor);
    assert_int_equal(torc_test_names_held(names), 2);
    torc_test_names_hold(names, false);
    torc_test_settle(reactor);
    assert_int_equal(torc_test_names_asked(names), 2);
    for (int i = 0; i < 4; i++) {
        char text[32];
        snprintf(text, sizeof(text), "192.0.2.1:%d", 80 + i);
        assert_string_equal(askers[i].text, text);
    }
    check_err(askers[4].err, TORC_ERR_NOT_FOUND);
    assert_int_equal(torc_metric_value(torc_metrics_find(torc_reactor_metrics(reactor),
                                                         TORC_STR("names_joined"))),
                     3);
    assert_int_equal(torc_metric_value(torc_metrics_find(torc_reactor_metrics(reactor),
                                                         TORC_STR("names_failed"))),
                     1);
}

static void one_that_leaves_leaves_the_others(void **state) {
    asker one, two;

    (void)state;
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.1"));
    torc_test_names_hold(names, true);
    ask(&one, "a.test", 1);
    ask(&two, "a.test", 2);
    torc_callback_cancel(&one.callback);
    torc_test_settle(reactor);
    assert_int_equal(torc_test_names_held(names), 1);
    torc_test_names_hold(names, false);
    torc_test_settle(reactor);
    assert_false(one.is_told);
    assert_string_equal(two.text, "192.0.2.1:2");
}

static void the_last_that_leaves_stops_the_question(void **state) {
    asker one, two;

    (void)state;
    torc_test_names_hold(names, true);
    ask(&one, "a.test", 1);
    ask(&two, "a.test", 2);
    torc_callback_cancel(&one.callback);
    torc_callback_cancel(&two.callback);
    assert_int_equal(torc_test_names_held(names), 0);
    torc_test_settle(reactor);
    assert_false(one.is_told || two.is_told);
}

static void who_comes_while_it_is_being_stopped_is_answered(void **state) {
    asker one, two;

    (void)state;
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.1"));
    torc_test_names_hold(names, true);
    ask(&one, "a.test", 1);
    torc_callback_cancel(&one.callback);
    torc_test_names_hold(names, false);
    ask(&two, "a.test", 2); /* before the resolver's end was told */
    torc_test_settle(reactor);
    assert_string_equal(two.text, "192.0.2.1:2");
    assert_int_equal(torc_test_names_asked(names), 2);
}

static void a_cancelled_deferred_says_so(void **state) {
    asker one;

    (void)state;
    torc_test_names_hold(names, true);
    one = (asker){.is_told = false};
    torc_deferred *deferred = torc_resolve(reactor, "a.test", 1);
    torc_deferred_then(deferred, &one.callback, fired);
    torc_deferred_cancel(deferred);
    torc_test_settle(reactor);
    check_err(one.err, TORC_ERR_CANCELLED);
}

static void each_that_asks_has_its_deadline(void **state) {
    asker early, late;

    (void)state;
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.1"));
    torc_test_names_hold(names, true);
    ask(&early, "a.test", 1);
    torc_test_advance(reactor, 10000);
    ask(&late, "a.test", 2);
    torc_test_advance(reactor, 4999);
    assert_false(early.is_told);
    torc_test_advance(reactor, 1);
    check_err(early.err, TORC_ERR_TIMEOUT);
    assert_false(late.is_told);
    assert_int_equal(torc_test_names_held(names), 1);
    torc_test_names_hold(names, false);
    torc_test_settle(reactor);
    assert_string_equal(late.text, "192.0.2.1:2");
}

static void so_many_are_asked_at_a_time(void **state) {
    const torc_names_options options = {.size = sizeof(options), .asked_max = 2};
    asker askers[4];

    (void)state;
    check_ok(torc_names_configure(reactor, &options));
    torc_test_names_hold(names, true);
    ask(&askers[0], "a.test", 1);
    ask(&askers[1], "b.test", 1);
    ask(&askers[2], "c.test", 1);
    ask(&askers[3], "a.test", 1);
    torc_test_settle(reactor);
    check_err(askers[2].err, TORC_ERR_BUSY);
    assert_false(askers[0].is_told || askers[1].is_told || askers[3].is_told);
    torc_test_names_hold(names, false);
    torc_test_settle(reactor);
    check_failure("c.test", TORC_ERR_NOT_FOUND);
}

static torc_err resolve_on_fiber(void *context) {
    torc_addr_list *list;
    torc_failure *failure;
    char *text = context;

    check_err(torc_await_failure(torc_resolve(reactor, "none.test", 1), NULL, &failure),
              TORC_ERR_NOT_FOUND);
    assert_string_equal(torc_failure_message(failure),
                        "none.test: there is no such name, or it has no address");
    torc_failure_free(failure);

    check_err(torc_resolve_await(reactor, "none.test", 1, &list), TORC_ERR_NOT_FOUND);
    check_ok(torc_resolve_await(reactor, "a.test", 25, &list));
    write_list(list, text, 100);
    torc_addr_list_free(list);
    return TORC_OK;
}

static void a_fiber_waits(void **state) {
    char text[100] = "";

    (void)state;
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.1"));
    check_ok(torc_fiber_spawn(reactor, resolve_on_fiber, text, NULL));
    torc_test_settle(reactor);
    assert_string_equal(text, "192.0.2.1:25");
}

/* ---- what is kept ---- */

static void answers_are_kept_as_long_as_they_may(void **state) {
    (void)state;
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.1"));
    check_answer("a.test", 1, "192.0.2.1:1");
    check_answer("a.test", 1, "192.0.2.1:1");
    assert_int_equal(torc_test_names_asked(names), 2); /* it may not be kept */
    torc_test_names_keep(names, 5000);
    check_answer("a.test", 1, "192.0.2.1:1");
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.2"));
    torc_test_advance(reactor, 4999);
    check_answer("a.test", 2, "192.0.2.1:2");
    torc_test_advance(reactor, 1);
    torc_test_names_keep(names, 1000000);
    check_answer("a.test", 1, "192.0.2.2:1");
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.3"));
    torc_test_advance(reactor, 29999);
    check_answer("a.test", 1, "192.0.2.2:1");
    torc_test_advance(reactor, 1); /* no longer than keep_ms */
    check_answer("a.test", 1, "192.0.2.3:1");
}

static void that_there_is_no_name_is_kept_shortly(void **state) {
    (void)state;
    check_failure("a.test", TORC_ERR_NOT_FOUND);
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.1"));
    torc_test_advance(reactor, 2999);
    check_failure("a.test", TORC_ERR_NOT_FOUND);
    torc_test_advance(reactor, 1);
    check_answer("a.test", 1, "192.0.2.1:1");
    check_ok(torc_test_names_fail(names, "b.test", TORC_ERR_AGAIN));
    check_failure("b.test", TORC_ERR_AGAIN);
    check_ok(torc_test_names_set(names, "b.test", "192.0.2.1"));
    check_answer("b.test", 1, "192.0.2.1:1"); /* that it did not work is not kept */
}

static void few_are_kept_and_the_unused_go_first(void **state) {
    const torc_names_options options = {.size = sizeof(options), .entries_max = 2};

    (void)state;
    check_ok(torc_names_configure(reactor, &options));
    torc_test_names_keep(names, 10000);
    for (int i = 0; i < 3; i++) {
        char host[] = "a.test";
        host[0] = (char)(host[0] + i);
        check_ok(torc_test_names_set(names, host, "192.0.2.1"));
    }
    check_answer("a.test", 1, "192.0.2.1:1");
    check_answer("b.test", 1, "192.0.2.1:1");
    check_answer("a.test", 1, "192.0.2.1:1"); /* used: b is the oldest now */
    check_answer("c.test", 1, "192.0.2.1:1");
    assert_int_equal(torc_test_names_asked(names), 3);
    check_answer("a.test", 1, "192.0.2.1:1");
    check_answer("c.test", 1, "192.0.2.1:1");
    assert_int_equal(torc_test_names_asked(names), 3);
    check_answer("b.test", 1, "192.0.2.1:1");
    assert_int_equal(torc_test_names_asked(names), 4);
}

static void what_is_kept_may_be_forgotten(void **state) {
    asker one;

    (void)state;
    torc_test_names_keep(names, 10000);
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.1"));
    check_answer("a.test", 1, "192.0.2.1:1");
    torc_names_forget(reactor);
    torc_test_names_hold(names, true);
    ask(&one, "a.test", 1);
    torc_names_forget(reactor); /* what is being asked for is answered, and not kept */
    torc_test_names_hold(names, false);
    torc_test_settle(reactor);
    assert_string_equal(one.text, "192.0.2.1:1");
    check_answer("a.test", 1, "192.0.2.1:1");
    assert_int_equal(torc_test_names_asked(names), 3);
}

static void nothing_may_be_kept(void **state) {
    const torc_names_options options = {.size = sizeof(options), .keeps_nothing = true};

    (void)state;
    check_ok(torc_names_configure(reactor, &options));
    torc_test_names_keep(names, 10000);
    for (int i = 0; i < 3; i++) check_failure("a.test", TORC_ERR_NOT_FOUND);
    assert_int_equal(torc_test_names_asked(names), 3);
}

/* ---- lists ---- */

static void families_alternate(void **state) {
    static const char *const cases[][2] = {
        {"2001:db8::1 2001:db8::2 2001:db8::3 192.0.2.1 192.0.2.2",
         "[2001:db8::1]:1 192.0.2.1:1 [2001:db8::2]:1 192.0.2.2:1 [2001:db8::3]:1"},
        {"192.0.2.1 192.0.2.2 2001:db8::1 192.0.2.3",
         "192.0.2.1:1 [2001:db8::1]:1 192.0.2.2:1 192.0.2.3:1"},
        {"192.0.2.1 192.0.2.2", "192.0.2.1:1 192.0.2.2:1"},
        {"192.0.2.1", "192.0.2.1:1"},
        {"192.0.2.1 2001:db8::1 2001:db8::2 2001:db8::3",
         "192.0.2.1:1 [2001:db8::1]:1 [2001:db8::2]:1 [2001:db8::3]:1"},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        char text[512];
        check_ok(torc_test_names_set(names, "a.test", cases[i][0]));
        torc_deferred *deferred = torc_resolve(reactor, "a.test", 1);
        torc_test_settle(reactor);
        assert_true(torc_deferred_has_fired(deferred));
        torc_addr_list *list = deferred->value;
        torc_addr_list_interleave(list);
        write_list(list, text, sizeof(text));
        assert_string_equal(text, cases[i][1]);
        torc_deferred_drop(deferred);
    }
}

/* ---- the system ---- */

static void ask_system(asker *self, const char *host) {
    ask(self, host, 7);
    torc_test_finish_jobs(reactor);
    torc_test_settle(reactor);
    assert_true(self->is_told);
}

typedef struct looked_up {
    bool is_told;
    torc_err err;
    size_t count;
} looked_up;

static void looked_up_fired(void *context, torc_err err, torc_addr_list *list) {
    looked_up *self = context;

    self->is_told = true;
    self->err = err;
    self->count = list ? list->count : 0;
    torc_addr_list_free(list);
}

/* What every machine's /etc/hosts has. */
static void the_system_is_asked_on_a_thread(void **state) {
    looked_up self = {.is_told = false};
    torc_lookup *lookup;

    (void)state;
    check_ok(torc_lookup_start(reactor, "localhost", looked_up_fired, &self, &lookup));
    torc_test_finish_jobs(reactor);
    assert_true(self.is_told);
    check_ok(self.err);
    assert_true(self.count >= 1);
    assert_int_equal(torc_metric_value(torc_metrics_find(torc_reactor_metrics(reactor),
                                                         TORC_STR("thread_name_jobs"))),
                     1);
}

static void what_the_system_refuses_is_told(void **state) {
    asker self;

    (void)state;
    check_ok(torc_names_set_resolver(reactor, NULL));
    torc_test_fail_calls(reactor, TORC_TEST_RESOLVE, 1, 1, EMFILE);
    ask_system(&self, "a.test");
    check_err(self.err, TORC_ERR_FILE_TABLE_FULL);
    torc_test_fail_calls(reactor, TORC_TEST_RESOLVE, 0, 0, 0);
    torc_test_fail_calls(reactor, TORC_TEST_THREAD, 1, 1, EAGAIN);
    ask_system(&self, "a.test");
    check_err(self.err, TORC_ERR_LIMIT);
}

/* A reactor that asks the system, whose one thread for names stands at a gate; one more may wait.
 */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_held;

static void stand_at_gate(torc_job *job) {
    (void)job;
    atomic_store(&is_held, true);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void passed(torc_job *job) {
    (void)job;
}

static void hold_names(torc_job *job) {
    const torc_reactor_options options = {.size = sizeof(options),
                                          .threads[TORC_THREAD_NAME] = {1, 1}};

    torc_reactor_free(reactor);
    check_ok(torc_test_reactor_new(&options, &reactor));
    atomic_store(&is_held, false);
    pthread_mutex_lock(&gate);
    *job = (torc_job){.work = stand_at_gate, .done = passed, .thread_class = TORC_THREAD_NAME};
    check_ok(torc_job_submit(reactor, job));
    while (!atomic_load(&is_held)) sched_yield();
}

static int64_t metric(const char *name) {
    return torc_metric_value(torc_metrics_find(torc_reactor_metrics(reactor), torc_str_of(name)));
}

/* None of these is ever asked for: no thread has begun. */
static void what_no_thread_has_begun_is_not_asked_for(void **state) {
    asker one, two, three, four;
    torc_job job;

    (void)state;
    hold_names(&job);
    ask(&one, "one.invalid", 1);
    ask(&two, "one.invalid", 1);
    ask(&three, "two.invalid", 1); /* the queue is full */
    torc_test_settle(reactor);
    check_err(three.err, TORC_ERR_BUSY);
    assert_int_equal(metric("thread_name_pending"), 2);
    torc_callback_cancel(&one.callback);
    assert_int_equal(metric("thread_name_pending"), 2);
    torc_test_advance(reactor, 15000);
    check_err(two.err, TORC_ERR_TIMEOUT);
    assert_int_equal(metric("thread_name_pending"), 1);
    ask(&four, "two.invalid", 1); /* there is room again */
    assert_int_equal(metric("thread_name_pending"), 2);
    torc_callback_cancel(&four.callback);
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
    assert_int_equal(metric("names_asked"), 2);
    assert_int_equal(metric("thread_name_abandoned"), 0);
}

/* ---- memory ---- */

static bool ask_with_fault(uint64_t n) {
    asker self;
    bool failed;

    assert_int_equal(set_up(NULL), 0);
    check_ok(torc_test_names_set(names, "a.test", "192.0.2.1"));
    torc_test_names_keep(names, 1000);
    torc_test_fail_allocation(reactor, n);
    ask(&self, "a.test", 1);
    torc_test_settle(reactor);
    failed = torc_test_allocation_failed(reactor);
    torc_test_fail_allocation(reactor, 0);
    assert_true(self.is_told);
    check_err(self.err, failed ? TORC_ERR_NO_MEMORY : TORC_OK);
    check_answer("a.test", 2, "192.0.2.1:2");
    tear_down(NULL);
    return failed;
}

static void each_allocation_may_fail(void **state) {
    uint64_t n = 1;

    (void)state;
    while (ask_with_fault(n)) n++;
    assert_true(n > 5);
}

static void a_freed_reactor_tells_who_waits(void **state) {
    asker one, two;

    torc_test_names_hold(names, true);
    ask(&one, "a.test", 1);
    ask(&two, "b.test", 1);
    torc_reactor_free(reactor);
    assert_true(one.is_told && two.is_told);
    check_err(one.err, TORC_ERR_CANCELLED);
    assert_int_equal(set_up(state), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(numbers_need_no_resolver),
        TEST(a_scope_is_a_name_or_a_number),
        TEST(localhost_is_this_machine),
        TEST(what_is_no_name_is_refused),
        TEST(addresses_come_in_the_resolvers_order),
        TEST(failures_are_told),
        TEST(equal_questions_are_asked_once),
        TEST(one_that_leaves_leaves_the_others),
        TEST(the_last_that_leaves_stops_the_question),
        TEST(who_comes_while_it_is_being_stopped_is_answered),
        TEST(a_cancelled_deferred_says_so),
        TEST(each_that_asks_has_its_deadline),
        TEST(so_many_are_asked_at_a_time),
        TEST(a_fiber_waits),
        TEST(answers_are_kept_as_long_as_they_may),
        TEST(that_there_is_no_name_is_kept_shortly),
        TEST(few_are_kept_and_the_unused_go_first),
        TEST(what_is_kept_may_be_forgotten),
        TEST(nothing_may_be_kept),
        TEST(families_alternate),
        TEST(the_system_is_asked_on_a_thread),
        TEST(what_the_system_refuses_is_told),
        TEST(what_no_thread_has_begun_is_not_asked_for),
        cmocka_unit_test(each_allocation_may_fail),
        TEST(a_freed_reactor_tells_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
