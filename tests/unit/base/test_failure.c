/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <torc/failure.h>

#include "check.h"
#include "faults.h"

static const char *text_of(const torc_failure *failure, char text[1024]) {
    torc_buf buf;

    torc_buf_init_fixed(&buf, text, 1023);
    torc_failure_format(failure, &buf);
    text[buf.len] = '\0';
    return text;
}

static void it_says_what_where_and_why(void **state) {
    char text[1024];
    torc_failure *failure =
        torc_failure_new_at(NULL, "../src/cart.c:12", TORC_ERR_NOT_FOUND, "no user %d", 7);

    (void)state;
    torc_failure_add_cause(failure, torc_failure_new_at(NULL, NULL, TORC_ERR_LOST, "%s", ""));
    torc_failure_add_cause(failure, torc_failure_new_at(NULL, "db.c:3", TORC_ERR_TIMEOUT, "query"));
    check_err(torc_failure_err(failure), TORC_ERR_NOT_FOUND);
    assert_string_equal(torc_failure_message(failure), "no user 7");
    assert_string_equal(torc_failure_place(failure), "../src/cart.c:12");
    assert_string_equal(text_of(failure, text),
                        "no user 7: there is no such thing (src/cart.c:12), because the peer is "
                        "gone, because query: it took too long (db.c:3)");
    assert_ptr_equal(torc_failure_find(failure, TORC_ERR_LOST), torc_failure_cause(failure));
    assert_ptr_equal(torc_failure_find(failure, TORC_ERR_NOT_FOUND), failure);
    assert_null(torc_failure_find(failure, TORC_ERR_BUSY));
    torc_failure_free(failure);
}

static void it_names_the_place_that_makes_it(void **state) {
    torc_failure *failure = torc_failure_new(NULL, TORC_ERR_BUSY, "here");
    char place[64];

    (void)state;
    snprintf(place, sizeof(place), "test_failure.c:%d", __LINE__ - 4);
    assert_non_null(strstr(torc_failure_place(failure), place));
    torc_failure_free(failure);
}

static void it_may_come_from_several(void **state) {
    char text[1024];
    torc_failure *failure = torc_failure_new_at(NULL, NULL, TORC_ERR_REFUSED, "none");
    torc_failure *second = torc_failure_new_at(NULL, NULL, TORC_ERR_TIMEOUT, "b");

    (void)state;
    torc_failure_add_member(failure, torc_failure_new_at(NULL, NULL, TORC_ERR_REFUSED, "a"));
    torc_failure_add_member(failure, second);
    torc_failure_add_cause(second, torc_failure_new_at(NULL, NULL, TORC_ERR_BUSY, "c"));
    assert_string_equal(text_of(failure, text),
                        "none: the connection was refused, because (1) a: the connection was "
                        "refused; (2) b: it took too long, because c: it is in use, or a queue is "
                        "full");
    assert_ptr_equal(torc_failure_next(torc_failure_cause(failure)), second);
    check_err(torc_failure_err(torc_failure_find(failure, TORC_ERR_BUSY)), TORC_ERR_BUSY);
    torc_failure_free(failure);
}

static unsigned depth_of(const torc_failure *failure) {
    unsigned depth = 0;

    for (; failure; failure = torc_failure_cause(failure)) depth++;
    return depth;
}

static void what_fails_for_ever_is_not_remembered_for_ever(void **state) {
    torc_failure *last = NULL, *first = torc_failure_new_at(NULL, NULL, TORC_ERR_LOST, "first");

    (void)state;
    for (int i = 0; i < 100; i++) {
        torc_failure *next = torc_failure_new_at(NULL, NULL, TORC_ERR_LOST, "number %d", i);
        torc_failure_add_cause(next, last);
        last = next;
        torc_failure_add_cause(first, torc_failure_new_at(NULL, NULL, TORC_ERR_LOST, "%d", i));
    }
    assert_string_equal(torc_failure_message(last), "number 99");
    assert_int_equal(depth_of(last), TORC_FAILURE_CAUSES_MAX + 1);
    assert_int_equal(depth_of(first), TORC_FAILURE_CAUSES_MAX + 1);
    torc_failure_free(first);
    torc_failure_free(last);
}

static void a_long_message_is_cut(void **state) {
    torc_failure *failure = torc_failure_new_at(NULL, NULL, TORC_ERR_LIMIT, "%2000d", 1);

    (void)state;
    assert_int_equal(strlen(torc_failure_message(failure)), TORC_FAILURE_MESSAGE_MAX - 1);
    torc_failure_free(failure);
}

static void none_is_taken_everywhere(void **state) {
    char text[1024];

    (void)state;
    check_ok(torc_failure_err(NULL));
    assert_string_equal(torc_failure_message(NULL), "");
    assert_string_equal(torc_failure_place(NULL), "");
    assert_null(torc_failure_cause(NULL));
    assert_null(torc_failure_next(NULL));
    assert_null(torc_failure_find(NULL, TORC_ERR_LOST));
    assert_string_equal(text_of(NULL, text), "");
    torc_failure_add_cause(NULL, torc_failure_new_at(NULL, NULL, TORC_ERR_LOST, "freed"));
    torc_failure_add_member(NULL, torc_failure_new_at(NULL, NULL, TORC_ERR_LOST, "freed"));
    torc_failure_free(NULL);
}

static torc_err make_several(torc_memory *memory, void *context) {
    torc_failure *failure = torc_failure_new(memory, TORC_ERR_LOST, "a");

    (void)context;
    torc_failure_add_cause(failure, torc_failure_new(memory, TORC_ERR_LOST, "b"));
    torc_failure_add_member(failure, torc_failure_new(memory, TORC_ERR_LOST, "c"));
    const torc_err err = failure ? TORC_OK : TORC_ERR_NO_MEMORY;
    torc_failure_free(failure);
    return err;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    faults_each(make_several, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_where_and_why),
        cmocka_unit_test(it_names_the_place_that_makes_it),
        cmocka_unit_test(it_may_come_from_several),
        cmocka_unit_test(what_fails_for_ever_is_not_remembered_for_ever),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(none_is_taken_everywhere),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
