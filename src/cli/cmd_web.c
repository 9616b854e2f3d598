/* SPDX-License-Identifier: MIT */
/*
 * torc web: the files of a folder, or a single one, on the web.
 *
 *  - An option only changes what is asked for; files are looked at when the program starts, in
 *    each process that serves, after it has given up its rights: so what is said of them is true of
 *    who serves them.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <torc/torc.h>

#include "command.h"

/* What is asked for. */
typedef struct web {
    const char *path;
    char served[PATH_MAX + 32];
    torc_static_files_options files;
    const char *index[2];
} web;

/* ---- options ---- */

/* Say what is served as people know it: by its whole path, while that can be told. */
static void set_path(torc_app *app, web *self, const char *path) {
    char whole[PATH_MAX];

    self->path = path;
    snprintf(self->served, sizeof(self->served), "%s", realpath(path, whole) ? whole : path);
    (void)app;
}

static const char *apply_path(torc_app *app, const char *value, char text[160]) {
    (void)text;
    if (!*value) return "name a folder or a file";
    set_path(app, torc_app_context(app), value);
    return NULL;
}

static const char *apply_index(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    (void)text;
    if (strchr(value, '/')) return "an index is a file's name, without a folder";
    self->index[0] = value;
    self->files.index = self->index;
    return NULL;
}

static const char *apply_default_type(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    (void)text;
    if (!strchr(value, '/')) return "a media type is TYPE/SUBTYPE, for example text/plain";
    self->files.default_type = value;
    return NULL;
}

static void add_options(torc_app *app) {
    torc_app_add_group(app, "Files");
    torc_app_add_option(app, "path", "PATH", "the folder to serve, or a single file (.)",
                        apply_path);
    torc_app_add_option(app, "index", "NAME", "the file that answers for a folder (index.html)",
                        apply_index);
    torc_app_add_option(app, "default-type", "TYPE",
                        "of files with an unknown extension (application/octet-stream)",
                        apply_default_type);
}

/* ---- serving ---- */

/* Whether there is something to serve at the path; else the start is refused. */
static bool check_path(torc_app *app, const char *path) {
    struct stat about;
    char text[240];

    if (stat(path, &about)) {
        snprintf(text, sizeof(text), "--path %s: %s", path,
                 errno == ENOENT ? "there is no such folder or file"
                                 : torc_err_text(torc_err_from_errno(errno)));
    } else if (!S_ISDIR(about.st_mode) && !S_ISREG(about.st_mode)) {
        snprintf(text, sizeof(text), "--path %s: neither a folder nor a file", path);
    } else {
        return true;
    }
    torc_app_refuse(app, text);
    return false;
}

static void start(torc_app *app) {
    const web *self = torc_app_context(app);

    if (check_path(app, self->path))
        torc_resource_put_rest(torc_app_root(app), torc_static_files_new(self->path, &self->files));
}

int torc_command_web(int argc, char **argv) {
    static web self = {.files = {.size = sizeof(self.files)}};
    torc_app *app = torc_app_new("torc web");

    torc_app_set_description(
        app, "Serve the files of a folder: the current one, on http://127.0.0.1:8080/, unless\n"
             "--path and --listen say otherwise. Ctrl-C stops it. Manual: man torc-web");
    torc_app_set_context(app, &self);
    set_path(app, &self, ".");
    add_options(app);
    torc_app_on_start(app, start);
    return torc_app_run(app, argc, argv);
}
