/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/map.h"
#include "faults.h"

enum {
    KEYS = 2000
};

typedef struct fixture {
    torc_memory memory;
    torc_map map;
} fixture;

static char keys[KEYS][8];
static int values[KEYS];

static torc_str key(size_t i) {
    return torc_str_of(keys[i]);
}

static int set_up(void **state) {
    static fixture self;

    for (int i = 0; i < KEYS; i++) snprintf(keys[i], sizeof keys[i], "k%d", i);
    torc_memory_init(&self.memory, 0);
    torc_map_init(&self.map, &self.memory, TORC_MEMORY_OTHER, false);
    *state = &self;
    return 0;
}

static int tear_down(void **state) {
    fixture *self = *state;

    torc_map_dispose(&self->map);
    return self->memory.used_total == 0 ? 0 : -1;
}

static void an_empty_map_has_nothing(void **state) {
    fixture *self = *state;
    size_t place = 0;

    assert_null(torc_map_find(&self->map, key(0)));
    assert_null(torc_map_remove(&self->map, key(0)));
    assert_null(torc_map_next(&self->map, &place, NULL));
    torc_map_clear(&self->map);
    assert_int_equal(torc_map_count(&self->map), 0);
    assert_int_equal(self->memory.allocated, 0);
}

static void what_is_set_is_found(void **state) {
    fixture *self = *state;

    for (size_t i = 0; i < KEYS; i++) check_ok(torc_map_set(&self->map, key(i), &values[i]));
    assert_int_equal(torc_map_count(&self->map), KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(torc_map_find(&self->map, key(i)), &values[i]);
    }
    assert_null(torc_map_find(&self->map, TORC_STR("K1")));
    assert_null(torc_map_find(&self->map, TORC_STR("")));
}

static void setting_again_replaces_value_and_key(void **state) {
    fixture *self = *state;
    char copy[] = "k1";
    size_t place = 0;
    torc_str found = {0};

    check_ok(torc_map_set(&self->map, key(1), &values[1]));
    check_ok(torc_map_set(&self->map, torc_str_of(copy), &values[2]));
    assert_int_equal(torc_map_count(&self->map), 1);
    assert_ptr_equal(torc_map_next(&self->map, &place, &found), &values[2]);
    assert_ptr_equal(found.bytes, copy);
}

static void the_empty_key_is_a_key(void **state) {
    fixture *self = *state;

    check_ok(torc_map_set(&self->map, (torc_str){0}, &values[0]));
    assert_ptr_equal(torc_map_find(&self->map, TORC_STR("")), &values[0]);
}

static void removing_at_random_keeps_the_others(void **state) {
    fixture *self = *state;
    static bool is_in[KEYS];
    unsigned random = 1;
    size_t count = 0;

    for (int step = 0; step < 20000; step++) {
        random = random * 1664525u + 1013904223u;
        const size_t i = (random >> 8) % 200;

        if (is_in[i]) {
            assert_ptr_equal(torc_map_remove(&self->map, key(i)), &values[i]);
            assert_null(torc_map_remove(&self->map, key(i)));
            count--;
        } else {
            check_ok(torc_map_set(&self->map, key(i), &values[i]));
            count++;
        }
        is_in[i] = !is_in[i];
        if (step % 64 > 0) continue;
        for (size_t j = 0; j < 200; j++) {
            assert_ptr_equal(torc_map_find(&self->map, key(j)), is_in[j] ? &values[j] : NULL);
        }
        assert_int_equal(torc_map_count(&self->map), count);
    }
}

static void walking_meets_each_key_once(void **state) {
    fixture *self = *state;
    static int met[KEYS];
    size_t place = 0, count = 0;
    torc_str found;
    int *value;

    for (size_t i = 0; i < 300; i++) check_ok(torc_map_set(&self->map, key(i), &values[i]));
    while ((value = torc_map_next(&self->map, &place, &found))) {
        assert_true(torc_str_equals(found, key((size_t)(value - values))));
        assert_int_equal(met[value - values]++, 0);
        count++;
    }
    assert_int_equal(count, 300);
}

static void clearing_keeps_the_table(void **state) {
    fixture *self = *state;

    for (size_t i = 0; i < 100; i++) check_ok(torc_map_set(&self->map, key(i), &values[i]));
    const uint64_t allocated = self->memory.allocated;
    torc_map_clear(&self->map);
    assert_null(torc_map_find(&self->map, key(1)));
    for (size_t i = 0; i < 100; i++) check_ok(torc_map_set(&self->map, key(i), &values[i]));
    assert_int_equal(self->memory.allocated, allocated);
}

static void without_case_keys_of_the_same_letters_are_one(void **state) {
    fixture *self = *state;
    torc_map map;
    torc_map_init(&map, &self->memory, TORC_MEMORY_CACHE, true);

    check_ok(torc_map_set(&map, TORC_STR("Content-Type"), &values[0]));
    check_ok(torc_map_set(&map, TORC_STR("CONTENT-type"), &values[1]));
    assert_int_equal(torc_map_count(&map), 1);
    assert_ptr_equal(torc_map_find(&map, TORC_STR("content-TYPE")), &values[1]);
    assert_null(torc_map_find(&map, TORC_STR("content_type")));
    assert_true(self->memory.used[TORC_MEMORY_CACHE] > 0);
    torc_map_dispose(&map);
}

static void within_what_was_reserved_setting_cannot_fail(void **state) {
    fixture *self = *state;
    faults fault;

    check_ok(torc_map_reserve(&self->map, 100));
    faults_arm(&fault, &self->memory, 1);
    for (size_t i = 0; i < 96; i++) check_ok(torc_map_set(&self->map, key(i), &values[i]));
    assert_int_equal(fault.asked, 0);
    faults_disarm(&self->memory);
    check_err(torc_map_reserve(&self->map, SIZE_MAX / 2), TORC_ERR_NO_MEMORY);
    assert_ptr_equal(torc_map_find(&self->map, key(95)), &values[95]);
}

static torc_err fill(torc_memory *memory, void *context) {
    torc_map map;
    torc_err err = TORC_OK;
    size_t count = 0;
    torc_map_init(&map, memory, TORC_MEMORY_OTHER, false);

    for (; !err && count < 500; count++) err = torc_map_set(&map, key(count), &values[count]);
    if (err) count--;
    assert_int_equal(torc_map_count(&map), count);
    for (size_t i = 0; i < count; i++) assert_non_null(torc_map_find(&map, key(i)));
    torc_map_dispose(&map);
    return err;
}

static void map_when_memory_fails(void **state) {
    faults_each(fill, NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_empty_map_has_nothing),
        CASE(what_is_set_is_found),
        CASE(setting_again_replaces_value_and_key),
        CASE(the_empty_key_is_a_key),
        CASE(removing_at_random_keeps_the_others),
        CASE(walking_meets_each_key_once),
        CASE(clearing_keeps_the_table),
        CASE(without_case_keys_of_the_same_letters_are_one),
        CASE(within_what_was_reserved_setting_cannot_fail),
        CASE(map_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
