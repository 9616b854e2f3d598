/* SPDX-License-Identifier: MIT */
/* Operations on paths, in both forms. */
#include "file_world.h"

#include <errno.h>

/* ---- what is there ---- */

static torc_err look_on_fiber(void *context) {
    torc_file_stat stat;

    (void)context;
    check_ok(torc_file_stat_path(reactor, at("link"), &stat));
    assert_int_equal(stat.kind, TORC_FILE_REGULAR);
    assert_int_equal(stat.size, 5);
    assert_int_equal(stat.mode, 0640);
    assert_int_equal(stat.links, 1);
    assert_int_equal(stat.owner, getuid());
    assert_true(stat.modified_s > 1000000000);
    check_ok(torc_file_stat_link(reactor, at("link"), &stat));
    assert_int_equal(stat.kind, TORC_FILE_LINK);
    check_ok(torc_file_stat_path(reactor, folder, &stat));
    assert_int_equal(stat.kind, TORC_FILE_FOLDER);
    check_ok(torc_file_stat_path(reactor, "/dev/null", &stat));
    assert_int_equal(stat.kind, TORC_FILE_OTHER);
    check_err(torc_file_stat_path(reactor, at("none"), &stat), TORC_ERR_NOT_FOUND);
    check_err(torc_file_stat_path(reactor, at("file/x"), &stat), TORC_ERR_NOT_DIRECTORY);
    return TORC_OK;
}

static void a_path_is_looked_at(void **state) {
    void *value;

    (void)state;
    put("file", "12345");
    assert_int_equal(chmod(at("file"), 0640), 0);
    assert_int_equal(symlink("file", at("link")), 0);
    on_fiber(look_on_fiber, NULL);
    check_ok(wait_for(torc_file_defer_stat_path(reactor, at("link")), &value));
    assert_int_equal(((torc_file_result *)value)->stat.kind, TORC_FILE_REGULAR);
    torc_file_result_free(value);
    check_ok(wait_for(torc_file_defer_stat_link(reactor, at("link")), &value));
    assert_int_equal(((torc_file_result *)value)->stat.kind, TORC_FILE_LINK);
    torc_file_result_free(value);
    check_err(wait_for(torc_file_defer_stat_path(reactor, at("none")), NULL), TORC_ERR_NOT_FOUND);
    torc_test_fail_calls(reactor, TORC_TEST_STAT, 1, 1, EACCES);
    check_err(wait_for(torc_file_defer_stat_path(reactor, at("link")), NULL), TORC_ERR_PERMISSION);
    drop("link");
    drop("file");
}

/* ---- names ---- */

static torc_err rename_on_fiber(void *context) {
    (void)context;
    check_ok(torc_file_rename(reactor, at("a"), at("b")));
    check_err(torc_file_rename(reactor, at("a"), at("b")), TORC_ERR_NOT_FOUND);
    check_ok(torc_file_unlink(reactor, at("b")));
    check_err(torc_file_unlink(reactor, at("b")), TORC_ERR_NOT_FOUND);
    return TORC_OK;
}

static void names_are_changed_and_removed(void **state) {
    (void)state;
    put("a", "x");
    put("b", "y");
    on_fiber(rename_on_fiber, NULL);
    put("a", "x");
    check_ok(wait_for(torc_file_defer_rename(reactor, at("a"), at("c")), NULL));
    check_content("c", "x");
    torc_test_fail_calls(reactor, TORC_TEST_RENAME, 1, 1, EXDEV);
    check_err(wait_for(torc_file_defer_rename(reactor, at("c"), at("d")), NULL), TORC_ERR_INVALID);
    torc_test_fail_calls(reactor, TORC_TEST_UNLINK, 1, 1, EROFS);
    check_err(wait_for(torc_file_defer_unlink(reactor, at("c")), NULL), TORC_ERR_PERMISSION);
    check_ok(wait_for(torc_file_defer_unlink(reactor, at("c")), NULL));
    assert_false(is_there("c"));
}

/* ---- folders ---- */

static torc_err make_on_fiber(void *context) {
    (void)context;
    check_ok(torc_file_make_folder(reactor, at("one"), 0700, false));
    check_err(torc_file_make_folder(reactor, at("one"), 0700, false), TORC_ERR_EXISTS);
    check_ok(torc_file_make_folder(reactor, at("one"), 0700, true));
    check_err(torc_file_make_folder(reactor, at("no/two"), 0700, false), TORC_ERR_NOT_FOUND);
    check_ok(torc_file_make_folder(reactor, at("one/two//three/"), 0700, true));
    check_err(torc_file_make_folder(reactor, at("file"), 0700, true), TORC_ERR_EXISTS);
    check_err(torc_file_make_folder(reactor, at("file/x"), 0700, true), TORC_ERR_EXISTS);
    check_err(torc_file_make_folder(reactor, "", 0700, true), TORC_ERR_NOT_FOUND);
    check_ok(torc_file_make_folder(reactor, "/", 0700, true));
    check_err(torc_file_remove_folder(reactor, at("one")), TORC_ERR_BUSY);
    check_ok(torc_file_remove_folder(reactor, at("one/two/three")));
    check_ok(torc_file_remove_folder(reactor, at("one/two")));
    check_ok(torc_file_remove_folder(reactor, at("one")));
    check_err(torc_file_remove_folder(reactor, at("one")), TORC_ERR_NOT_FOUND);
    check_err(torc_file_remove_folder(reactor, at("file")), TORC_ERR_NOT_DIRECTORY);
    return TORC_OK;
}

static void folders_are_made_with_those_above(void **state) {
    struct stat status;

    (void)state;
    put("file", "");
    on_fiber(make_on_fiber, NULL);
    check_ok(wait_for(torc_file_defer_make_folder(reactor, at("a/b"), 0711, true), NULL));
    assert_int_equal(stat(at("a/b"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0711);
    torc_test_fail_calls(reactor, TORC_TEST_UNLINK, 1, 1, EIO);
    check_err(wait_for(torc_file_defer_remove_folder(reactor, at("a/b")), NULL), TORC_ERR_SYSTEM);
    check_ok(wait_for(torc_file_defer_remove_folder(reactor, at("a/b")), NULL));
    torc_test_fail_calls(reactor, TORC_TEST_RENAME, 3, 1, ENOSPC); /* /tmp, the folder, c */
    check_err(wait_for(torc_file_defer_make_folder(reactor, at("c/d"), 0711, true), NULL),
              TORC_ERR_NO_SPACE);
    drop("a");
    drop("file");
}

static torc_err list_on_fiber(void *context) {
    torc_file_result *result;

    (void)context;
    check_ok(torc_file_list(reactor, folder, 300, &result));
    assert_int_equal(result->entry_count, 203);
    assert_string_equal(result->entries[0].name, "a-folder");
    assert_int_equal(result->entries[0].kind, TORC_FILE_FOLDER);
    assert_string_equal(result->entries[1].name, "a-link");
    assert_int_equal(result->entries[1].kind, TORC_FILE_LINK);
    assert_string_equal(result->entries[2].name, "a-pipe");
    assert_int_equal(result->entries[2].kind, TORC_FILE_OTHER);
    for (size_t i = 3; i < 203; i++) {
        char name[40];
        snprintf(name, sizeof(name), "number %03zu of those that are many", i - 3);
        assert_string_equal(result->entries[i].name, name);
        assert_int_equal(result->entries[i].kind, TORC_FILE_REGULAR);
    }
    torc_file_result_free(result);
    check_ok(torc_file_list(reactor, folder, 203, &result));
    torc_file_result_free(result);
    check_err(torc_file_list(reactor, folder, 202, &result), TORC_ERR_TOO_LARGE);
    check_err(torc_file_list(reactor, at("none"), 1, &result), TORC_ERR_NOT_FOUND);
    check_ok(torc_file_list(reactor, at("a-folder"), 0, &result));
    assert_int_equal(result->entry_count, 0);
    torc_file_result_free(result);
    return TORC_OK;
}

static void a_folder_is_listed(void **state) {
    void *value;
    char name[40];

    (void)state;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "number %03d of those that are many", i);
        put(name, "");
    }
    assert_int_equal(mkdir(at("a-folder"), 0700), 0);
    assert_int_equal(mkfifo(at("a-pipe"), 0600), 0);
    assert_int_equal(symlink("a-folder", at("a-link")), 0);
    on_fiber(list_on_fiber, NULL);
    check_ok(wait_for(torc_file_defer_list(reactor, folder, 1000), &value));
    assert_int_equal(((torc_file_result *)value)->entry_count, 203);
    torc_file_result_free(value);
    torc_test_fail_calls(reactor, TORC_TEST_READ, 100, 1, EIO);
    check_err(wait_for(torc_file_defer_list(reactor, folder, 1000), NULL), TORC_ERR_SYSTEM);
    torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, 1, EMFILE);
    check_err(wait_for(torc_file_defer_list(reactor, folder, 1000), NULL),
              TORC_ERR_FILE_TABLE_FULL);
    torc_test_fail_calls(reactor, TORC_TEST_READ, 0, 0, 0);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "number %03d of those that are many", i);
        drop(name);
    }
    drop("a-folder");
    drop("a-pipe");
    drop("a-link");
}

/* ---- memory ---- */

static torc_deferred *defer_one(int which) {
    switch (which) {
    case 0:
        return torc_file_defer_list(reactor, folder, 10);
    case 1:
        return torc_file_defer_stat_path(reactor, folder);
    case 2:
        return torc_file_defer_rename(reactor, at("a"), at("a"));
    default:
        return torc_file_defer_make_folder(reactor, folder, 0700, true);
    }
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    put("a", "x");
    for (int which = 0; which < 4; which++) {
        for (uint64_t n = 1;; n++) {
            waited self = {.is_told = false};
            torc_test_fail_allocation(reactor, n);
            torc_deferred_then(defer_one(which), &self.callback, waited_fired);
            torc_test_finish_jobs(reactor);
            torc_test_settle(reactor);
            const bool failed = torc_test_allocation_failed(reactor);
            torc_test_fail_allocation(reactor, 0);
            assert_true(self.is_told);
            check_err(self.err, failed ? TORC_ERR_NO_MEMORY : TORC_OK);
            torc_file_result_free(self.value);
            if (!failed) break;
            assert_true(n < 20);
        }
    }
    drop("a");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_path_is_looked_at),
        FILE_TEST(names_are_changed_and_removed),
        FILE_TEST(folders_are_made_with_those_above),
        FILE_TEST(a_folder_is_listed),
        FILE_TEST(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
