/* SPDX-License-Identifier: MIT */
/* Names of users and groups, and giving up rights: the latter in children, as far as the one who
 * runs the test has any. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/rights.h"
#include "check.h"

/* A user that every system has, who is not root. */
static const struct passwd *somebody(void) {
    static struct passwd *entry;
    if (!entry) entry = getpwnam("nobody");
    return entry;
}

static void users_go_by_name_or_number(void **state) {
    torc_rights rights = {0}, again = {0};
    char text[160], number[24];

    (void)state;
    if (!somebody()) skip_test("there is no user `nobody`");
    assert_null(torc_rights_set_user(&rights, "nobody", text));
    assert_int_equal(rights.uid, somebody()->pw_uid);
    assert_int_equal(rights.gid, somebody()->pw_gid);
    assert_true(rights.group_count >= 1);
    assert_null(torc_rights_check(&rights));
    snprintf(number, sizeof(number), "%lu", (unsigned long)somebody()->pw_uid);
    assert_null(torc_rights_set_user(&again, number, text));
    assert_int_equal(again.uid, rights.uid);
    assert_int_equal(again.gid, rights.gid);
}

/* As in containers, whose images have no entry for it. */
static void a_number_without_an_entry_needs_a_group(void **state) {
    torc_rights rights = {0};
    char text[160];

    (void)state;
    if (getpwuid(3141592)) skip_test("this number is somebody");
    assert_null(torc_rights_set_user(&rights, "3141592", text));
    assert_string_equal(torc_rights_check(&rights),
                        "--user: the number has no entry that tells its group; add --group");
    assert_null(torc_rights_set_group(&rights, "2718281", text));
    assert_null(torc_rights_check(&rights));
    assert_int_equal(rights.uid, 3141592);
    assert_int_equal(rights.gid, 2718281);
    assert_int_equal(rights.group_count, 0);
}

/* Whichever of the two is told first. */
static void a_group_stands_before_the_users_own(void **state) {
    torc_rights first = {0}, last = {0};
    char text[160];

    (void)state;
    if (!somebody()) skip_test("there is no user `nobody`");
    assert_null(torc_rights_set_group(&first, "2718281", text));
    assert_null(torc_rights_set_user(&first, "nobody", text));
    assert_null(torc_rights_set_user(&last, "nobody", text));
    assert_null(torc_rights_set_group(&last, "2718281", text));
    assert_int_equal(first.gid, 2718281);
    assert_int_equal(last.gid, 2718281);
}

static void unknown_names_are_told_with_the_nearest(void **state) {
    torc_rights rights = {0};
    char text[160];

    (void)state;
    if (!somebody()) skip_test("there is no user `nobody`");
    assert_string_equal(torc_rights_set_user(&rights, "nobodi", text),
                        "there is no such user; did you mean nobody?");
    assert_string_equal(torc_rights_set_user(&rights, "a-name-that-is-like-no-other-name", text),
                        "there is no such user on this system");
    assert_string_equal(torc_rights_set_group(&rights, "a-name-that-is-like-no-other-name", text),
                        "there is no such group on this system");
    assert_null(rights.user);
    assert_null(rights.group);
    assert_non_null(torc_rights_set_user(&rights, "", text));
    assert_non_null(torc_rights_set_user(&rights, "4294967295", text)); /* means "no change" */
    assert_non_null(torc_rights_set_user(&rights, "-1", text));
}

static void root_is_nobody_to_become(void **state) {
    torc_rights rights = {0};
    char text[160];

    (void)state;
    assert_string_equal(torc_rights_set_user(&rights, "root", text),
                        "that is root, who drops nothing");
    assert_string_equal(torc_rights_set_user(&rights, "0", text),
                        "that is root, who drops nothing");
    assert_null(rights.user);
}

static void what_does_not_go_together_is_told(void **state) {
    torc_rights rights = {.chroot = "/srv"};
    char text[160];

    (void)state;
    assert_string_equal(torc_rights_check(&rights),
                        "--chroot: keeps nobody in who is root; add --user");
    rights.chroot = NULL;
    assert_null(torc_rights_set_group(&rights, "1000", text));
    assert_string_equal(torc_rights_check(&rights), "--group: has no meaning without --user");
}

/* ---- dropping ---- */

/* Run it in a child: 0, or the number of what was not so. */
static void check_in_child(int (*look)(void)) {
    int status;
    const pid_t child = fork();

    if (child == 0) _exit(look());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool has_root(void) {
    return geteuid() == 0 && somebody();
}

static int become_nobody(void) {
    torc_rights rights = {0};
    char text[160];
    gid_t groups[TORC_RIGHTS_GROUPS_MAX];

    if (torc_rights_set_user(&rights, "nobody", text)) return 1;
    if (torc_rights_drop(&rights, text)) return 2;
    if (getuid() != somebody()->pw_uid || geteuid() != getuid()) return 3;
    if (getgid() != somebody()->pw_gid || getegid() != getgid()) return 4;
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0) return 5;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 6;
    if (prctl(PR_CAPBSET_READ, 7UL /* CAP_SETUID */, 0, 0, 0) != 0) return 7;
    const int count = getgroups(TORC_RIGHTS_GROUPS_MAX, groups);
    for (int i = 0; i < count; i++)
        if (groups[i] == 0) return 8;
    if (open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0) return 9;
    return chroot("/") == 0 ? 10 : 0;
}

static void root_becomes_the_user_for_good(void **state) {
    (void)state;
    if (!has_root()) skip_test("needs root, and a user `nobody`");
    check_in_child(become_nobody);
}

static char folder[] = "/tmp/torc-rights-XXXXXX";

static int move_in(void) {
    torc_rights rights = {.chroot = folder};
    char text[160], path[200];
    struct stat outside, inside;

    snprintf(path, sizeof(path), "%s/www", folder);
    if (torc_rights_set_user(&rights, "nobody", text) || stat(path, &outside)) return 1;
    if (torc_rights_drop(&rights, text)) return 2;
    if (stat("/www", &inside) || inside.st_ino != outside.st_ino) return 3;
    if (stat("www", &inside) || inside.st_ino != outside.st_ino) return 4;
    return stat("/etc", &inside) == 0 || stat("../../etc", &inside) == 0 ? 5 : 0;
}

static void a_folder_becomes_the_root(void **state) {
    char path[200];

    (void)state;
    if (!has_root()) skip_test("needs root, and a user `nobody`");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    snprintf(path, sizeof(path), "%s/www", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    check_in_child(move_in);
    rmdir(path);
    rmdir(folder);
}

static int move_to_nowhere(void) {
    torc_rights rights = {.chroot = "/nowhere/at/all"};
    char text[160];

    if (torc_rights_set_user(&rights, "nobody", text)) return 1;
    const char *wrong = torc_rights_drop(&rights, text);
    return wrong && strcmp(wrong, "--chroot /nowhere/at/all: there is no such thing") == 0 ? 0 : 2;
}

static void a_folder_that_is_not_there_is_told(void **state) {
    (void)state;
    if (!somebody()) skip_test("there is no user `nobody`");
    check_in_child(move_to_nowhere);
}

/* Who has no rights of root any more: first it becomes the user, if it can. */
static int ask_for_another(void) {
    torc_rights rights = {0};
    char text[160];

    if (geteuid() == 0 && become_nobody()) return 1;
    if (torc_rights_set_user(&rights, "1", text)) return 2;
    if (torc_rights_set_group(&rights, "1", text)) return 3;
    const char *wrong = torc_rights_drop(&rights, text);
    if (!wrong) return 4;
    return strstr(wrong, "--user") && strstr(wrong, "start it as root") ? 0 : 5;
}

static void only_root_becomes_somebody_else(void **state) {
    (void)state;
    if (geteuid() == 0 && !somebody()) skip_test("there is no user `nobody`");
    check_in_child(ask_for_another);
}

/* Nothing is to be changed but what comes on top. */
static int ask_for_oneself(void) {
    torc_rights rights = {0};
    char text[160], uid[24], gid[24];

    if (geteuid() == 0 && become_nobody()) return 1;
    snprintf(uid, sizeof(uid), "%lu", (unsigned long)getuid());
    snprintf(gid, sizeof(gid), "%lu", (unsigned long)getgid());
    if (torc_rights_set_user(&rights, uid, text)) return 2;
    if (torc_rights_set_group(&rights, gid, text)) return 3;
    if (torc_rights_drop(&rights, text)) return 4;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 5;
}

static void the_user_may_ask_for_itself(void **state) {
    (void)state;
    if (geteuid() == 0 && !somebody()) skip_test("there is no user `nobody`");
    check_in_child(ask_for_oneself);
}

static void without_a_user_nothing_changes(void **state) {
    const torc_rights rights = {0};
    char text[160];

    (void)state;
    assert_null(torc_rights_drop(&rights, text));
    assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_go_by_name_or_number),
        cmocka_unit_test(a_number_without_an_entry_needs_a_group),
        cmocka_unit_test(a_group_stands_before_the_users_own),
        cmocka_unit_test(unknown_names_are_told_with_the_nearest),
        cmocka_unit_test(root_is_nobody_to_become),
        cmocka_unit_test(what_does_not_go_together_is_told),
        cmocka_unit_test(root_becomes_the_user_for_good),
        cmocka_unit_test(a_folder_becomes_the_root),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
        cmocka_unit_test(only_root_becomes_somebody_else),
        cmocka_unit_test(the_user_may_ask_for_itself),
        cmocka_unit_test(without_a_user_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
