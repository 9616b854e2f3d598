/* SPDX-License-Identifier: MIT */
/* Cases for tests of the runner: some pass, and each of the others fails in a way of its own. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <torc/testing_client.h>
#include <torc/testing_run.h>
#include <torc/torc.h>
#include <unistd.h>

static void never(torc_timer *timer) {
    (void)timer;
}

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "Hello.");
}

TORC_TEST(passes) {
    printf("this is printed\n");
    torc_test_expect_int(7, 7);
}

TORC_TEST(passes_with_a_client) {
    torc_test_client *client = torc_test_client_new_route(hello);

    torc_test_get(client, "/");
    torc_test_expect_body(client, "Hello.");
    torc_test_client_free(client);
}

TORC_TEST(passes_in_moved_time) {
    torc_reactor *reactor = torc_test_case_reactor(test);
    static int value;

    torc_test_expect(torc_test_await_value(torc_defer_later(reactor, 86400000, &value, NULL),
                                           86400000) == &value);
    torc_test_expect(torc_test_case_log(test) != NULL);
}

TORC_TEST(passes_with_a_folder) {
    const char *folder = torc_test_case_folder(test);
    char path[300];
    struct stat status;

    torc_test_expect(folder && stat(folder, &status) == 0 && S_ISDIR(status.st_mode));
    snprintf(path, sizeof(path), "%s/deep", folder);
    torc_test_expect(mkdir(path, 0700) == 0);
    snprintf(path, sizeof(path), "%s/deep/file", folder);
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    torc_test_expect(fd >= 0);
    close(fd);
    torc_test_expect(torc_test_case_folder(test) == folder);
    printf("folder=%s\n", folder);
}

TORC_TEST(passes_where_it_can) {
    torc_test_skip(test, "not on a Sunday");
}

TORC_TEST(known_to_fail) {
    torc_test_todo(test, "the moon is not made yet");
    torc_test_expect(1 == 2);
}

TORC_TEST(fails_twice) {
    torc_test_expect_int(1, 2);
    torc_test_expect_int(3, 4);
}

TORC_TEST(fails_by_a_signal) {
    raise(SIGSEGV);
}

TORC_TEST(fails_by_exit) {
    exit(0);
}

TORC_TEST(fails_by_hanging) {
    printf("before it hangs\n");
    fflush(stdout);
    for (;;) pause();
}

TORC_TEST(fails_by_a_timer) {
    static torc_timer timer;

    torc_timer_init(&timer, torc_test_case_reactor(test), never);
    torc_timer_arm(&timer, 1000);
}

TORC_TEST(fails_by_a_deferred) {
    (void)torc_deferred_new(torc_test_case_reactor(test));
}

TORC_TEST(fails_by_an_error_in_the_log) {
    TORC_LOG_ERROR(torc_test_log_log(torc_test_case_log(test)), "shop", "out of tea");
}

TORC_TEST(fails_by_a_descriptor) {
    torc_test_expect(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

TORC_TEST(fails_by_a_client) {
    torc_test_get(torc_test_client_new_route(hello), "/");
}

TORC_TEST(fails_by_a_child) {
    if (fork() == 0) _exit(0);
}

int main(int argc, char **argv) {
    return torc_test_main(argc, argv);
}
