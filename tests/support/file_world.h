/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_FILE_WORLD_H
#define TORC_TESTS_FILE_WORLD_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <torc/fiber.h>
#include <torc/file.h>
#include <torc/testing.h>
#include <unistd.h>

#include "check.h"

/*
 * A folder and a reactor for tests of files, and the two ways of waiting for an operation.
 */
static torc_reactor *reactor;
static char folder[64];

static inline int world_set_up(void **state) {
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/torc-files-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

/* The test has removed what it made: nothing may be left behind in the folder. */
static inline int world_tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    if (rmdir(folder)) {
        print_error("something is left in %s\n", folder);
        return -1;
    }
    return 0;
}

/* A path in the folder, valid until the fourth call after. */
static inline const char *at(const char *name) {
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static inline void put(const char *name, const char *content) {
    FILE *file = fopen(at(name), "we");

    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static inline void check_content(const char *name, const char *expected) {
    char content[256] = "";
    FILE *file = fopen(at(name), "re");

    assert_non_null(file);
    content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(content, expected);
}

static inline bool is_there(const char *name) {
    struct stat status;
    return lstat(at(name), &status) == 0;
}

static inline void drop(const char *name) {
    assert_int_equal(remove(at(name)), 0);
}

/* ---- waiting ---- */

typedef struct waited {
    torc_callback callback;
    bool is_told;
    torc_err err;
    void *value;
} waited;

static inline void waited_fired(torc_callback *callback, torc_err err, void *value) {
    waited *self = torc_container_of(callback, waited, callback);

    self->is_told = true;
    self->err = err;
    self->value = err ? NULL : value;
}

/* What a deferred fires with; the value is the caller's. */
static inline torc_err wait_for(torc_deferred *deferred, void **value) {
    waited self = {.is_told = false};

    torc_deferred_then(deferred, &self.callback, waited_fired);
    torc_test_finish_jobs(reactor);
    torc_test_settle(reactor);
    assert_true(self.is_told);
    if (value)
        *value = self.value;
    else
        assert_null(self.value);
    return self.err;
}

/* Run a function on a fiber until it ends. */
static inline void on_fiber(torc_fiber_fn *run, void *context) {
    torc_fiber *fiber;

    check_ok(torc_fiber_spawn(reactor, run, context, &fiber));
    while (!torc_fiber_has_ended(fiber)) {
        torc_test_settle(reactor);
        torc_test_finish_jobs(reactor);
    }
    torc_fiber_detach(fiber);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

#endif
