/* SPDX-License-Identifier: MIT */
/* Buckets by key: what they allow, whom they forget, and that threads and processes share them. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "web/rate_table.h"

enum {
    START_US = 7000000,
    KEYS = 64
};

static const torc_rate ten_a_second = {10, 1, 0};

static torc_rate_table *new_table(size_t keys) {
    void *block = NULL;
    const size_t bytes = torc_rate_table_bytes(keys);

    assert_int_equal(posix_memalign(&block, 128, bytes), 0);
    memset(block, 0, bytes);
    return torc_rate_table_init(block, keys);
}

static torc_rate_answer ask(torc_rate_table *table, const char *key, const torc_rate *rate,
                            uint32_t cost, uint64_t now_us) {
    torc_rate_answer answer;
    torc_rate_table_take(table, torc_str_of(key), rate, cost, now_us, &answer);
    return answer;
}

static void a_bucket_gives_its_burst_and_then_its_rate(void **state) {
    torc_rate_table *table = new_table(KEYS);
    torc_rate_answer answer;
    uint64_t now_us = START_US;

    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        answer = ask(table, "a", &ten_a_second, 1, now_us);
        assert_true(answer.is_allowed);
        assert_int_equal(answer.left, 9 - i);
        assert_int_equal(answer.full_ms, 100 * (i + 1));
        assert_int_equal(answer.retry_ms, 0);
    }
    answer = ask(table, "a", &ten_a_second, 1, now_us);
    assert_false(answer.is_allowed);
    assert_int_equal(answer.left, 0);
    assert_int_equal(answer.retry_ms, 100);
    assert_int_equal(answer.full_ms, 1000);
    assert_false(ask(table, "a", &ten_a_second, 1, now_us + 99999).is_allowed);
    assert_true(ask(table, "a", &ten_a_second, 1, now_us + 100000).is_allowed);
    assert_false(ask(table, "a", &ten_a_second, 1, now_us + 100000).is_allowed);
    now_us += 60000000;
    assert_int_equal(ask(table, "a", &ten_a_second, 0, now_us).left, 10);
    free(table);
}

static void keys_have_buckets_of_their_own(void **state) {
    torc_rate_table *table = new_table(KEYS);

    (void)state;
    assert_true(ask(table, "a", &ten_a_second, 10, START_US).is_allowed);
    assert_false(ask(table, "a", &ten_a_second, 1, START_US).is_allowed);
    assert_true(ask(table, "b", &ten_a_second, 10, START_US).is_allowed);
    assert_true(ask(table, "", &ten_a_second, 10, START_US).is_allowed);
    free(table);
}

static void who_costs_more_waits_longer_and_looking_costs_nothing(void **state) {
    torc_rate_table *table = new_table(KEYS);
    const torc_rate rate = {1, 60, 5};
    torc_rate_answer answer = ask(table, "a", &rate, 3, START_US);

    (void)state;
    assert_true(answer.is_allowed);
    assert_int_equal(answer.left, 2);
    answer = ask(table, "a", &rate, 3, START_US);
    assert_false(answer.is_allowed);
    assert_int_equal(answer.left, 2);
    assert_int_equal(answer.retry_ms, 60000);
    for (int i = 0; i < 20; i++) assert_int_equal(ask(table, "a", &rate, 0, START_US).left, 2);
    assert_true(ask(table, "a", &rate, 2, START_US).is_allowed);
    /* What never fits costs all that does. */
    answer = ask(table, "b", &rate, 1000000, START_US);
    assert_true(answer.is_allowed);
    assert_int_equal(answer.left, 0);
    free(table);
}

static void extremes_neither_overflow_nor_stand_still(void **state) {
    torc_rate_table *table = new_table(KEYS);
    const torc_rate slow = {1, 31 * 86400, 11}, quick = {100000, 1, 1000000};

    (void)state;
    for (int i = 0; i < 11; i++) assert_true(ask(table, "s", &slow, 1, START_US).is_allowed);
    const torc_rate_answer answer = ask(table, "s", &slow, 1, START_US);
    assert_false(answer.is_allowed);
    assert_int_equal(answer.retry_ms, 31 * 86400 * UINT64_C(1000));
    assert_true(ask(table, "q", &quick, 1000000, START_US).is_allowed);
    assert_false(ask(table, "q", &quick, 1, START_US).is_allowed);
    assert_true(ask(table, "q", &quick, 1, START_US + 10).is_allowed);
    /* A clock that is behind, and one that has run for twenty years. */
    assert_true(ask(table, "c", &ten_a_second, 1, 0).is_allowed);
    for (uint64_t year = 1; year < 20; year++) {
        const uint64_t now_us = START_US + year * 366 * 86400 * 1000000;
        assert_true(ask(table, "c", &ten_a_second, 10, now_us).is_allowed);
        assert_false(ask(table, "c", &ten_a_second, 1, now_us).is_allowed);
        assert_true(ask(table, "c", &ten_a_second, 1, now_us + 100000).is_allowed);
    }
    free(table);
}

static void a_rate_that_became_smaller_is_not_owed_for_ever(void **state) {
    torc_rate_table *table = new_table(KEYS);
    const torc_rate hourly = {10, 3600, 0};

    (void)state;
    assert_true(ask(table, "a", &hourly, 10, START_US).is_allowed);
    assert_false(ask(table, "a", &ten_a_second, 1, START_US).is_allowed);
    assert_true(ask(table, "a", &ten_a_second, 1, START_US + 3600000000).is_allowed);
    free(table);
}

static void a_flood_of_keys_displaces_the_nearly_full(void **state) {
    torc_rate_table *table = new_table(TORC_RATE_SET_SLOTS); /* one set */
    char key[24];

    (void)state;
    assert_true(ask(table, "greedy", &ten_a_second, 10, START_US).is_allowed);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "%d", i);
        assert_true(ask(table, key, &ten_a_second, 1, START_US).is_allowed);
        assert_false(ask(table, "greedy", &ten_a_second, 1, START_US).is_allowed);
    }
    /* Those that are full again go first. */
    for (int i = 0; i < 7; i++) {
        snprintf(key, sizeof(key), "%d", i);
        assert_true(ask(table, key, &ten_a_second, 5, START_US + 10000000).is_allowed);
    }
    for (int i = 0; i < 7; i++) {
        snprintf(key, sizeof(key), "%d", i);
        assert_int_equal(ask(table, key, &ten_a_second, 0, START_US + 10000000).left, 5);
    }
    free(table);
}

static void a_slot_whose_taker_died_has_a_full_bucket(void **state) {
    torc_rate_table *table = new_table(1);
    int whole = 0;

    (void)state;
    for (size_t i = 0; i < TORC_RATE_SET_SLOTS; i++) {
        table->slots[i].tag = UINT64_MAX - i; /* tagged, and its word another's, or none yet */
        table->slots[i].word = (uint64_t)i << 52 | 0xffffffff;
    }
    for (int i = 0; i < 100; i++) {
        char key[24];
        snprintf(key, sizeof(key), "%d", i);
        const torc_rate_answer answer = ask(table, key, &ten_a_second, 10, START_US);
        whole += answer.is_allowed;
        assert_false(ask(table, key, &ten_a_second, 1, START_US).is_allowed);
    }
    /* 12 bits tell them apart: one in four thousand is mistaken for another's. */
    assert_true(whole >= 98);
    free(table);
}

static void a_store_has_a_table_of_its_own(void **state) {
    torc_rate_store *store = torc_rate_store_new(1000);
    torc_rate_table_store lent;
    torc_rate_answer answer;

    (void)state;
    assert_non_null(store);
    check_ok(store->ops->take(store, TORC_STR("a"), &ten_a_second, 10, START_US, &answer));
    assert_true(answer.is_allowed);
    check_ok(store->ops->take(store, TORC_STR("a"), &ten_a_second, 1, START_US, &answer));
    assert_false(answer.is_allowed);
    torc_rate_store_free(store);
    torc_rate_store_free(NULL);

    torc_rate_table_store_init(&lent);
    check_err(lent.base.ops->take(&lent.base, TORC_STR("a"), &ten_a_second, 1, START_US, &answer),
              TORC_ERR_STATE);
    lent.table = new_table(1);
    check_ok(lent.base.ops->take(&lent.base, TORC_STR("a"), &ten_a_second, 1, START_US, &answer));
    torc_rate_store_free(&lent.base);
    free(lent.table);
}

static void sizes_are_those_of_whole_sets(void **state) {
    (void)state;
    assert_int_equal(torc_rate_table_bytes(0), sizeof(torc_rate_table) + 128);
    assert_int_equal(torc_rate_table_bytes(8), sizeof(torc_rate_table) + 128);
    assert_int_equal(torc_rate_table_bytes(9), sizeof(torc_rate_table) + 256);
    assert_int_equal(torc_rate_table_bytes(SIZE_MAX), torc_rate_table_bytes(1 << 24));
}

/* ---- several at once ---- */

enum {
    TAKERS = 4,
    ROUNDS = 4000,
    SHARED_BURST = 5000
};

static const torc_rate shared_rate = {1, 86400, SHARED_BURST / 100};

/* Take from a few keys again and again; how often it was allowed. */
static uint64_t take_often(torc_rate_table *table) {
    uint64_t allowed = 0;
    char key[8];

    for (int i = 0; i < ROUNDS; i++) {
        snprintf(key, sizeof(key), "k%d", i % 3);
        allowed += ask(table, key, &shared_rate, 1, START_US).is_allowed;
    }
    return allowed;
}

static void *take_in_thread(void *table) {
    return (void *)(uintptr_t)take_often(table);
}

/* Exact, but for those that were taken in the moment in which two brought a key at once. */
static void check_taken(uint64_t allowed) {
    const uint64_t given = 3 * (uint64_t)(SHARED_BURST / 100);

    assert_true(allowed >= given);
    assert_true(allowed <= given + 3 * (TAKERS - 1));
}

static void threads_share_buckets(void **state) {
    torc_rate_table *table = new_table(KEYS);
    pthread_t threads[TAKERS];
    uint64_t allowed = 0;

    (void)state;
    for (int i = 0; i < TAKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_in_thread, table), 0);
    for (int i = 0; i < TAKERS; i++) {
        void *count;
        pthread_join(threads[i], &count);
        allowed += (uintptr_t)count;
    }
    check_taken(allowed);
    free(table);
}

typedef struct shared_block {
    _Atomic uint64_t allowed;
    _Atomic uint32_t begun;
    _Alignas(128) char table[4096];
} shared_block;

static void run_taker(shared_block *shared, torc_rate_table *table) {
    atomic_fetch_add(&shared->allowed, take_often(table));
    _exit(0);
}

static void processes_share_buckets(void **state) {
    shared_block *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[TAKERS];

    (void)state;
    assert_ptr_not_equal(shared, MAP_FAILED);
    assert_true(torc_rate_table_bytes(KEYS) <= sizeof(shared->table));
    torc_rate_table *table = torc_rate_table_init(shared->table, KEYS);
    for (int i = 0; i < TAKERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) run_taker(shared, table);
    }
    for (int i = 0; i < TAKERS; i++) assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    check_taken(shared->allowed);
    munmap(shared, sizeof(*shared));
}

/* Take until killed, in the midst of whatever. */
static void take_for_ever(shared_block *shared, torc_rate_table *table) {
    for (uint32_t i = 0;; i++) {
        char key[16];
        snprintf(key, sizeof(key), "%u", (unsigned)(i % 5000));
        (void)ask(table, key, &shared_rate, 1, START_US);
        atomic_fetch_add(&shared->begun, 1);
    }
}

static void a_process_that_is_killed_holds_up_nobody(void **state) {
    shared_block *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_ptr_not_equal(shared, MAP_FAILED);
    torc_rate_table *table = torc_rate_table_init(shared->table, KEYS);
    for (int i = 0; i < 10; i++) {
        const uint32_t begun = shared->begun;
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) take_for_ever(shared, table);
        while (atomic_load(&shared->begun) < begun + 100) (void)sched_yield();
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        const uint64_t later_us = START_US + (uint64_t)(i + 1) * 200 * 86400 * 1000000;
        for (int taken = 0; taken < SHARED_BURST / 100; taken++)
            assert_true(ask(table, "mine", &shared_rate, 1, later_us).is_allowed);
        assert_false(ask(table, "mine", &shared_rate, 1, later_us).is_allowed);
    }
    munmap(shared, sizeof(*shared));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
        cmocka_unit_test(keys_have_buckets_of_their_own),
        cmocka_unit_test(who_costs_more_waits_longer_and_looking_costs_nothing),
        cmocka_unit_test(extremes_neither_overflow_nor_stand_still),
        cmocka_unit_test(a_rate_that_became_smaller_is_not_owed_for_ever),
        cmocka_unit_test(a_flood_of_keys_displaces_the_nearly_full),
        cmocka_unit_test(a_slot_whose_taker_died_has_a_full_bucket),
        cmocka_unit_test(a_store_has_a_table_of_its_own),
        cmocka_unit_test(sizes_are_those_of_whole_sets),
        cmocka_unit_test(threads_share_buckets),
        cmocka_unit_test(processes_share_buckets),
        cmocka_unit_test(a_process_that_is_killed_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
