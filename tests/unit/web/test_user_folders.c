/* SPDX-License-Identifier: MIT */
/* Users' folders: who is found, what is kept, and what is refused. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <torc/rewrite.h>
#include <torc/user_folders.h>
#include <unistd.h>

#include "web_fixture.h"

static char homes[64];
static int looked;

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_home(const char *user, bool with_folder) {
    char path[200];

    snprintf(path, sizeof(path), "%s/%s", homes, user);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/%s/secret.txt", homes, user);
    write_file(path, "secret");
    if (!with_folder) return;
    snprintf(path, sizeof(path), "%s/%s/public_html", homes, user);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/%s/public_html/page.txt", homes, user);
    write_file(path, user);
}

static int set_up(void **state) {
    strcpy(homes, "/tmp/torc-homes-XXXXXX");
    looked = 0;
    if (!mkdtemp(homes)) return -1;
    make_home("joe", true);
    make_home("ann", true);
    make_home("bare", false);
    return web_set_up(state);
}

static int tear_down(void **state) {
    char command[100];

    snprintf(command, sizeof(command), "rm -rf '%s'", homes);
    return system(command) || web_tear_down(state) ? -1 : 0;
}

static torc_err home_of(void *context, const char *user, char home[TORC_USER_HOME_MAX]) {
    (void)context;
    looked++;
    if (strcmp(user, "broken") == 0) return TORC_ERR_TIMEOUT;
    if (strcmp(user, "nowhere") == 0) return TORC_OK;
    snprintf(home, TORC_USER_HOME_MAX, "%s/%s", homes, user);
    return TORC_OK;
}

static torc_site *new_site(uint32_t users_max, const char *folder) {
    const torc_user_folders_options options = {
        .size = sizeof(options), .home_of = home_of, .users_max = users_max, .folder = folder};
    torc_resource *root = torc_folder_new();

    torc_resource_put_child(root, "users", torc_user_folders_new(&options));
    torc_resource_rewrite(root, "/~{user}", "/users/{user}");
    return torc_site_new(root, NULL);
}

static void users_are_found_and_kept_for_a_while(void **state) {
    torc_site *site = new_site(0, NULL);

    web_check(*state, site, "GET /~joe/page.txt", 200, "joe");
    web_check(*state, site, "GET /users/ann/page.txt", 200, "ann");
    web_check(*state, site, "GET /~joe/page.txt", 200, "joe");
    assert_int_equal(looked, 2);
    torc_test_advance(*state, 31000);
    web_check(*state, site, "GET /~joe/page.txt", 200, "joe");
    assert_int_equal(looked, 3);
    torc_site_free(site);
}

static void the_least_recent_gives_way(void **state) {
    torc_site *site = new_site(1, NULL);

    web_check(*state, site, "GET /~joe/page.txt", 200, "joe");
    web_check(*state, site, "GET /~ann/page.txt", 200, "ann");
    web_check(*state, site, "GET /~joe/page.txt", 200, "joe");
    assert_int_equal(looked, 3);
    torc_site_free(site);
}

static void who_was_asked_for_again_is_kept_longer(void **state) {
    torc_site *site = new_site(2, NULL);

    make_home("eve", true);
    web_check(*state, site, "GET /~joe/page.txt", 200, "joe");
    web_check(*state, site, "GET /~ann/page.txt", 200, "ann");
    web_check(*state, site, "GET /~joe/page.txt", 200, "joe");
    web_check(*state, site, "GET /~eve/page.txt", 200, "eve"); /* in the place of ann */
    assert_int_equal(looked, 3);
    web_check(*state, site, "GET /~joe/page.txt", 200, "joe");
    assert_int_equal(looked, 3);
    web_check(*state, site, "GET /~ann/page.txt", 200, "ann");
    assert_int_equal(looked, 4);
    torc_site_free(site);
}

static void what_is_no_user_is_not_found(void **state) {
    static const char *const heads[] = {"GET /users/bare/secret.txt",
                                        "GET /users/none/",
                                        "GET /users/nowhere/",
                                        "GET /users/.joe/page.txt",
                                        "GET /users/joe%2F/x",
                                        "GET /users/..%2Fjoe/page.txt",
                                        "GET /users/",
                                        "GET /users/j%C3%B6/x",
                                        "GET /users/joe/../secret.txt",
                                        "GET /users/joe/..%2Fsecret.txt",
                                        "GET /users/1joe/x",
                                        "GET /users/abcdefghijabcdefghijabcdefghijabc/x"};
    torc_site *site = new_site(0, NULL);

    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        const int status = web_status(*state, site, heads[i]);
        if (status != 404) print_error("%s\n", heads[i]);
        assert_int_equal(status, 404);
    }
    assert_int_equal(web_status(*state, site, "GET /users/broken/x"), 504);
    assert_int_equal(web_status(*state, site, "POST /users/joe/page.txt"), 405);
    torc_site_free(site);
}

static void the_home_itself_may_be_served(void **state) {
    torc_site *site = new_site(0, "");

    web_check(*state, site, "GET /~bare/secret.txt", 200, "secret");
    torc_site_free(site);
}

static void folders_are_served_as_is_said(void **state) {
    static const char *const index[] = {"page.txt", NULL};
    static const torc_static_files_options files = {.size = sizeof(files), .index = index};
    const torc_user_folders_options options = {
        .size = sizeof(options), .home_of = home_of, .files = &files};
    torc_resource *root = torc_folder_new();

    torc_resource_put_child(root, "users", torc_user_folders_new(&options));
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /users/joe/", 200, "joe");
    torc_test_request *test = web_ask(*state, site, "GET /users/joe");
    assert_int_equal(torc_test_request_status(test) / 100, 3);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void folders_that_leave_the_home_are_refused(void **state) {
    static const char *const folders[] = {"..", "../x", "a/../../b", "/etc"};

    for (size_t i = 0; i < TORC_COUNT_OF(folders); i++) {
        const torc_user_folders_options options = {.size = sizeof(options), .folder = folders[i]};
        assert_null(torc_user_folders_new(&options));
    }
    (void)state;
}

/* Every account of this machine that may have pages has one by `home_of`, or none. */
static void users_may_be_listed(void **state) {
    const torc_user_folders_options options = {
        .size = sizeof(options), .home_of = home_of, .is_listed = true, .uid_min = 1};
    torc_resource *folders = torc_user_folders_new(&options);

    make_home("daemon", true);
    torc_test_request *test = web_ask_resource(*state, folders, "GET /");
    assert_int_equal(torc_test_request_status(test), 200);
    assert_true(torc_str_find(torc_test_request_body(test), TORC_STR("<a href=\"./daemon/\">")) >
                0);
    assert_true(torc_str_find(torc_test_request_body(test), TORC_STR("joe")) < 0);
    torc_test_request_free(test);
}

static void a_client_that_leaves_while_a_thread_looks_leaves_nothing(void **state) {
    torc_site *site = new_site(0, NULL);
    torc_test_request *test =
        torc_test_request_new(*state, torc_site_acceptor(site), "GET /~joe/page.txt");

    torc_test_request_run(test);
    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    torc_test_finish_jobs(*state);
    torc_test_request_free(test);
    torc_site_free(site);
}

/* By the system's own table: root is none, and nobody has no folder. */
static void the_systems_users_are_looked_up(void **state) {
    torc_resource *folders = torc_user_folders_new(NULL);
    torc_test_request *test = web_ask_resource(*state, folders, "GET /root/");

    assert_int_equal(torc_test_request_status(test), 404);
    torc_test_request_free(test);
}

#define USERS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        USERS_TEST(users_are_found_and_kept_for_a_while),
        USERS_TEST(the_least_recent_gives_way),
        USERS_TEST(who_was_asked_for_again_is_kept_longer),
        USERS_TEST(what_is_no_user_is_not_found),
        USERS_TEST(the_home_itself_may_be_served),
        USERS_TEST(folders_are_served_as_is_said),
        USERS_TEST(folders_that_leave_the_home_are_refused),
        USERS_TEST(users_may_be_listed),
        USERS_TEST(a_client_that_leaves_while_a_thread_looks_leaves_nothing),
        USERS_TEST(the_systems_users_are_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
