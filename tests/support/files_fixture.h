/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_FILES_FIXTURE_H
#define TORC_TESTS_FILES_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <torc/static_files.h>
#include <unistd.h>

#include "web_fixture.h"

/*
 * A temporary folder for each test, and static files over it at /f of a site.
 */
static char files_folder[] = "/tmp/torc-files-XXXXXX";

enum {
    FILES_THEN = 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
};

/* Where a name is; valid until the next but one. */
static inline const char *files_path(const char *name) {
    static char paths[2][400];
    static unsigned next;
    char *path = paths[next++ % 2];

    snprintf(path, sizeof(paths[0]), "%s/%s", files_folder, name);
    return path;
}

static inline void files_write(const char *name, const char *text) {
    const int fd = open(files_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* A file that was last changed so many seconds after FILES_THEN. */
static inline void files_write_at(const char *name, const char *text, int seconds) {
    const struct timespec times[2] = {{FILES_THEN, 0}, {FILES_THEN + seconds, 0}};

    files_write(name, text);
    assert_int_equal(utimensat(AT_FDCWD, files_path(name), times, 0), 0);
}

static inline void files_make_folder(const char *name) {
    assert_int_equal(mkdir(files_path(name), 0755), 0);
}

static inline torc_site *files_site(const torc_static_files_options *options) {
    torc_resource *root = torc_folder_new();
    torc_site *site;

    torc_resource_put_child(root, "f", torc_static_files_new(files_folder, options));
    site = torc_site_new(root, NULL);
    assert_non_null(site);
    return site;
}

static inline int files_set_up(void **state) {
    memcpy(strrchr(files_folder, '-') + 1, "XXXXXX", 6);
    return mkdtemp(files_folder) ? web_set_up(state) : -1;
}

static inline int files_remove_one(const char *path, const struct stat *about, int kind,
                                   struct FTW *ftw) {
    (void)about;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline int files_tear_down(void **state) {
    const int code = web_tear_down(state);
    return nftw(files_folder, files_remove_one, 16, FTW_DEPTH | FTW_PHYS) ? -1 : code;
}

#define FILES_TEST(name) cmocka_unit_test_setup_teardown(name, files_set_up, files_tear_down)

/* A response has a field with this value; NULL: it has none. */
#define check_field(test, name, value) check_field_at((test), (name), (value), __FILE__, __LINE__)

static inline void check_field_at(torc_test_request *test, const char *name, const char *value,
                                  const char *file, int line) {
    const torc_str found = torc_test_request_field(test, name);

    if ((value != NULL) != (found.bytes != NULL)) print_error("%s\n", name);
    _assert_int_equal(found.bytes != NULL, value != NULL, file, line);
    check_str_at(found, torc_str_of(value ? value : ""), file, line);
}

#endif
