/* SPDX-License-Identifier: MIT */
/* What the options of the process change, and what they do not take. */
#include <pwd.h>
#include <string.h>

#include "app/app.h"
#include "app/seccomp.h"
#include "check.h"

static struct torc_app app;
static char text[160];

static int set_up(void **state) {
    (void)state;
    memset(&app, 0, sizeof(app));
    return 0;
}

static const char *apply(const char *name, const char *value) {
    for (size_t i = 0; i < TORC_PROCESS_OPTION_COUNT; i++)
        if (strcmp(torc_app_process_options[i].name, name) == 0)
            return torc_app_process_options[i].apply(&app, value, text);
    fail_msg("no option %s", name);
    return NULL;
}

static void options_change_settings_only(void **state) {
    const torc_app_process_settings *settings = &app.settings.process;

    (void)state;
    assert_null(apply("pidfile", "/nowhere/at/all"));
    assert_null(apply("daemonize", NULL));
    assert_null(apply("chroot", "/nowhere"));
    assert_string_equal(settings->pidfile, "/nowhere/at/all");
    assert_true(settings->daemonize);
    assert_string_equal(settings->rights.chroot, "/nowhere");
    assert_non_null(apply("pidfile", ""));
    assert_non_null(apply("chroot", ""));
    assert_ptr_equal(apply("seccomp", NULL), torc_seccomp_missing());
    assert_true(settings->seccomp);
}

static void a_umask_is_octal(void **state) {
    static const char *const wrong[] = {"", "8", "1000", "0x1", "27 ", "-1", "00027"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++) assert_non_null(apply("umask", wrong[i]));
    assert_false(app.settings.process.has_umask);
    assert_null(apply("umask", "027"));
    assert_int_equal(app.settings.process.umask, 027);
    assert_null(apply("umask", "0777"));
    assert_int_equal(app.settings.process.umask, 0777);
    assert_null(apply("umask", "0"));
    assert_int_equal(app.settings.process.umask, 0);
    assert_true(app.settings.process.has_umask);
}

static void what_does_not_go_together_is_a_mistake(void **state) {
    (void)state;
    assert_null(torc_app_process_check(&app.settings.process, false));
    assert_null(apply("daemonize", NULL));
    assert_non_null(strstr(torc_app_process_check(&app.settings.process, false), "--log-file"));
    assert_null(torc_app_process_check(&app.settings.process, true));
    assert_null(apply("chroot", "/srv"));
    assert_non_null(strstr(torc_app_process_check(&app.settings.process, true), "--chroot"));
    if (!getpwnam("nobody")) skip_test("there is no user `nobody`");
    assert_null(apply("user", "nobody"));
    assert_null(apply("group", "1000"));
    assert_null(torc_app_process_check(&app.settings.process, true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(options_change_settings_only, set_up),
        cmocka_unit_test_setup(a_umask_is_octal, set_up),
        cmocka_unit_test_setup(what_does_not_go_together_is_a_mistake, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
