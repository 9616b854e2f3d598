/* SPDX-License-Identifier: MIT */
/* The file with the number of the process: who may have it, and what is left of it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/pidfile.h"
#include "check.h"

static char folder[] = "/tmp/torc-pidfile-XXXXXX";
static char path[64], other[64];

static int set_up(void **state) {
    (void)state;
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/pid", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

static void write_file(const char *name, const char *text) {
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *content(const char *name) {
    static char text[64];
    FILE *file = fopen(name, "r");

    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Closing any descriptor of a file ends this process's lock on it: so others look. */
static void check_content_is_the_number(long pid) {
    char expected[24];
    int status;
    const pid_t child = fork();

    snprintf(expected, sizeof(expected), "%ld\n", pid);
    if (child == 0) _exit(strcmp(content(path), expected) == 0 ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* What another process is told that wants it, too; empty: it got it, and removed it. */
static const char *told_to_another(void) {
    static char text[160];
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        torc_pidfile second;
        const char *wrong = torc_pidfile_open(&second, path, text);
        torc_pidfile_close(&second);
        (void)!write(ends[1], wrong ? wrong : "", wrong ? strlen(wrong) : 0);
        _exit(0);
    }
    close(ends[1]);
    const ssize_t len = read(ends[0], text, sizeof(text) - 1);
    text[len > 0 ? len : 0] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return text;
}

static void it_holds_the_number_and_is_removed(void **state) {
    torc_pidfile pidfile;
    char text[160];

    (void)state;
    assert_null(torc_pidfile_open(&pidfile, path, text));
    check_content_is_the_number(getpid());
    torc_pidfile_close(&pidfile);
    assert_int_equal(access(path, F_OK), -1);
    torc_pidfile_close(&pidfile); /* nothing is left to be closed */
}

static void a_file_that_was_left_behind_is_taken_over(void **state) {
    torc_pidfile pidfile;
    char text[160];

    (void)state;
    write_file(path, "1234567890123 and more\n"); /* longer than any number, and process 1 lives */
    assert_null(torc_pidfile_open(&pidfile, path, text));
    check_content_is_the_number(getpid());
    torc_pidfile_close(&pidfile);
    write_file(path, "1\n");
    assert_string_equal(told_to_another(), "");
}

static void what_is_no_pidfile_stays(void **state) {
    torc_pidfile pidfile;
    char text[160];

    (void)state;
    write_file(path, "root:x:0:0\n");
    assert_string_equal(torc_pidfile_open(&pidfile, path, text),
                        "it holds no number of a process; name another file, or remove it");
    assert_string_equal(content(path), "root:x:0:0\n");
    torc_pidfile_close(&pidfile);
    assert_string_equal(content(path), "root:x:0:0\n");
}

static void a_second_server_is_told_who_runs(void **state) {
    torc_pidfile pidfile;
    char text[160], expected[160];

    (void)state;
    assert_null(torc_pidfile_open(&pidfile, path, text));
    snprintf(expected, sizeof(expected),
             "process %ld runs with it; stop that one, or name another file", (long)getpid());
    assert_string_equal(told_to_another(), expected);
    check_content_is_the_number(getpid()); /* untouched */
    torc_pidfile_close(&pidfile);
}

/* A worker that outlives its parent does not keep the next one away. */
static void a_child_has_it_not(void **state) {
    torc_pidfile pidfile;
    char text[160];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    const pid_t first = fork();
    if (first == 0) {
        assert_null(torc_pidfile_open(&pidfile, path, text));
        if (fork() == 0) { /* lives until the test has closed the pipe */
            close(ends[1]);
            (void)!read(ends[0], text, 1);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(first, NULL, 0), first);
    assert_string_equal(told_to_another(), "");
    close(ends[0]);
    close(ends[1]);
}

static void links_and_other_things_are_not_written_to(void **state) {
    torc_pidfile pidfile;
    char text[160];

    (void)state;
    write_file(other, "precious");
    assert_int_equal(symlink(other, path), 0);
    assert_string_equal(torc_pidfile_open(&pidfile, path, text), "it is a symbolic link");
    torc_pidfile_close(&pidfile);
    unlink(path);
    assert_int_equal(link(other, path), 0);
    assert_string_equal(torc_pidfile_open(&pidfile, path, text),
                        "it is no ordinary file with one name");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_string_equal(torc_pidfile_open(&pidfile, path, text),
                        "it is no ordinary file with one name");
    assert_string_equal(content(other), "precious");
    assert_string_equal(torc_pidfile_open(&pidfile, "/nowhere/at/all", text),
                        "there is no such thing");
    assert_string_equal(torc_pidfile_open(&pidfile, folder, text), "it is a directory");
}

/* Another one's file at the same path stays; one's own, out of reach, is emptied. */
static void what_is_not_its_own_is_not_removed(void **state) {
    torc_pidfile pidfile;
    char text[160];

    (void)state;
    assert_null(torc_pidfile_open(&pidfile, path, text));
    assert_int_equal(rename(path, other), 0);
    write_file(path, "another's\n");
    torc_pidfile_close(&pidfile);
    assert_string_equal(content(path), "another's\n");
    assert_string_equal(content(other), "");
}

#define PIDFILE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        PIDFILE_TEST(it_holds_the_number_and_is_removed),
        PIDFILE_TEST(a_file_that_was_left_behind_is_taken_over),
        PIDFILE_TEST(what_is_no_pidfile_stays),
        PIDFILE_TEST(a_second_server_is_told_who_runs),
        PIDFILE_TEST(a_child_has_it_not),
        PIDFILE_TEST(links_and_other_things_are_not_written_to),
        PIDFILE_TEST(what_is_not_its_own_is_not_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
