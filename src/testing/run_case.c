/* SPDX-License-Identifier: MIT */
/*
 * One case, in the process that it runs in: what it may ask for, and what it must not leave.
 *
 *  - The reactor, the log and the folder are made when first asked for, and go in the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "testing/client.h"
#include "testing/expect.h"
#include "testing/run.h"

enum {
    FOLDERS_OPEN = 16
};

typedef struct torc_test_running {
    torc_reactor *reactor;
    torc_test_log *log;
    char folder[256]; /* "": none was made */
    torc_test_outcome outcome;
    torc_test_descriptors *descriptors; /* before it began */
} running;

/* ---- what it may ask for ---- */

static void make_reactor(torc_test_case *test) {
    running *self = test->running;
    torc_reactor_options options = {.size = sizeof(options)};
    torc_err err = torc_test_log_new(&self->log);

    if (!err) options.log = torc_test_log_log(self->log);
    if (!err) err = torc_test_reactor_new(&options, &self->reactor);
    if (err) torc_test_fail_at(test->place, "no reactor: %s", torc_err_text(err));
}

torc_reactor *torc_test_case_reactor(torc_test_case *test) {
    if (!test->running->reactor) make_reactor(test);
    return test->running->reactor;
}

torc_test_log *torc_test_case_log(torc_test_case *test) {
    (void)torc_test_case_reactor(test);
    return test->running->log;
}

const char *torc_test_case_folder(torc_test_case *test) {
    running *self = test->running;
    const char *where = getenv("TMPDIR");

    if (self->folder[0]) return self->folder;
    snprintf(self->folder, sizeof(self->folder), "%s/%s-XXXXXX", where ? where : "/tmp",
             test->name);
    if (mkdtemp(self->folder)) return self->folder;
    torc_test_fail_at(test->place, "%s: no folder: %s", self->folder,
                      torc_err_text(torc_err_from_errno(errno)));
    self->folder[0] = '\0';
    return NULL;
}

static void set_reason(char to[200], const char *reason) {
    snprintf(to, 200, "%s", reason && *reason ? reason : "no reason was given");
}

void torc_test_skip(torc_test_case *test, const char *reason) {
    set_reason(test->running->outcome.skipped, reason);
}

void torc_test_todo(torc_test_case *test, const char *reason) {
    set_reason(test->running->outcome.todo, reason);
}

/* ---- what it leaves ---- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at) {
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_folder(const running *self, const char *place) {
    if (!self->folder[0]) return;
    if (nftw(self->folder, remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS | FTW_MOUNT))
        torc_test_fail_at(place, "%s: it cannot be removed: %s", self->folder,
                          torc_err_text(torc_err_from_errno(errno)));
}

static void end_reactor(const running *self, const char *place) {
    if (self->reactor) (void)torc_test_expect_nothing_open_at(place, self->reactor);
    torc_reactor_free(self->reactor);
    if (self->log) (void)torc_test_expect_no_errors_at(place, self->log);
    torc_test_log_free(self->log);
}

static void look_at_descriptors(const running *self, const char *place) {
    torc_buf text;

    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
    torc_buf_addf(&text, "the case leaves something behind:");
    if (torc_test_descriptors_add_new(self->descriptors, &text) > 0)
        torc_test_fail_buf(place, &text);
    else
        torc_buf_dispose(&text);
}

static void look_at_children(const char *place) {
    siginfo_t info = {0};

    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        torc_test_fail_at(place, "a child process was not waited for");
}

torc_test_outcome torc_test_case_run(torc_test_case *test) {
    running self = {.descriptors = torc_test_descriptors_look()};
    const uint64_t before = torc_test_failure_count();
    const bool had_children = waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) == 0;

    test->running = &self;
    test->run(test);
    test->running = NULL;
    end_reactor(&self, test->place);
    (void)torc_test_end();
    remove_folder(&self, test->place);
    look_at_descriptors(&self, test->place);
    if (!had_children) look_at_children(test->place);
    torc_test_descriptors_free(self.descriptors);
    self.outcome.has_failed = torc_test_failure_count() > before;
    return self.outcome;
}
