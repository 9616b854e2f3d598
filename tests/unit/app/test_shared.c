/* SPDX-License-Identifier: MIT */
/* The memory that a parent and its workers share. */
#include "app/shared.h"

#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static torc_shared shared;

static int set_up(void **state) {
    (void)state;
    return torc_shared_open(&shared, 3) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_shared_close(&shared);
    return 0;
}

static void places_have_lines_of_their_own(void **state) {
    (void)state;
    assert_int_equal(sizeof(torc_shared_place) % 128, 0);
    assert_int_equal((uintptr_t)shared.places % 128, 0);
    for (size_t i = 0; i < shared.place_count; i++) assert_int_equal(shared.places[i].pid, 0);
}

static void parts_do_not_overlap_and_end(void **state) {
    char *first = torc_shared_take(&shared, 1), *second = torc_shared_take(&shared, 1);

    (void)state;
    assert_true(first && second && second - first >= 128);
    assert_null(torc_shared_take(&shared, SIZE_MAX));
    assert_null(torc_shared_take(&shared, shared.size));
    assert_non_null(torc_shared_take(&shared, shared.size - shared.taken));
    assert_null(torc_shared_take(&shared, 1));
    torc_shared_close(&shared);
    assert_int_equal(torc_shared_open(&shared, SIZE_MAX / 1024), TORC_ERR_NO_MEMORY);
    check_ok(torc_shared_open(&shared, 1));
}

/* What a child counts the parent sees, and keeps when the child has gone. */
static void counts_are_summed_and_outlive_who_counted(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        torc_shared_enter(&shared.places[i], i, 1, 1000);
        const pid_t pid = fork();
        if (pid == 0) {
            shared.places[i].counts[TORC_SHARED_REQUESTS] += 10 + i;
            shared.places[i].counts[TORC_SHARED_CONNECTIONS] += 1;
            _exit(0);
        }
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    assert_int_equal(torc_shared_sum(&shared, TORC_SHARED_REQUESTS), 21);
    assert_int_equal(torc_shared_sum(&shared, TORC_SHARED_CONNECTIONS), 2);
    torc_shared_leave(&shared, &shared.places[0]);
    assert_int_equal(torc_shared_sum(&shared, TORC_SHARED_REQUESTS), 21);
    assert_int_equal(torc_shared_sum(&shared, TORC_SHARED_CONNECTIONS), 1);
    torc_shared_enter(&shared.places[0], 5, 2, 2000);
    assert_int_equal(shared.places[0].slot, 5);
    assert_int_equal(shared.places[0].generation, 2);
    assert_int_equal(shared.places[0].beat_ms, 2000);
    assert_int_equal(torc_shared_sum(&shared, TORC_SHARED_REQUESTS), 21);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(places_have_lines_of_their_own),
        CASE(parts_do_not_overlap_and_end),
        CASE(counts_are_summed_and_outlive_who_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
