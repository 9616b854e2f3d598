/* SPDX-License-Identifier: MIT */
/*
 * The torc command: sub-commands over the public API.
 *
 *   torc web [--path DIR] …   serve the files of a folder
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <torc/torc.h>

static const char *folder = ".";

static const char *set_path(torc_app *app, const char *value, char text[160]) {
    struct stat about;

    (void)app;
    (void)text;
    if (stat(value, &about)) return "there is no such folder";
    if (!S_ISDIR(about.st_mode)) return "it is no folder";
    folder = value;
    return NULL;
}

static void start(torc_app *app) {
    torc_resource_put_rest(torc_app_root(app), torc_static_files_new(folder, NULL));
}

static int web(int argc, char **argv) {
    torc_app *app = torc_app_new("torc web");

    torc_app_set_description(
        app, "Serve the files of a folder, the current one unless --path names another,\n"
             "on http://127.0.0.1:8080/ unless --listen says otherwise. Ctrl-C stops it.");
    torc_app_add_option(app, "path", "DIR", "the folder to serve (.)", set_path);
    torc_app_on_start(app, start);
    return torc_app_run(app, argc, argv);
}

static int usage(FILE *stream) {
    fprintf(stream, "Usage: torc COMMAND [OPTION]...\n\n"
                    "Commands:\n"
                    "  web      serve the files of a folder; `torc web --help` tells more\n\n"
                    "Options:\n"
                    "  --help     show this help\n"
                    "  --version  show the version\n");
    return stream == stdout ? 0 : 2;
}

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";

    if (strcmp(command, "web") == 0) return web(argc - 1, argv + 1);
    if (strcmp(command, "--help") == 0) return usage(stdout);
    if (strcmp(command, "--version") == 0) {
        printf("torc %s\n", torc_version());
        return 0;
    }
    if (*command) fprintf(stderr, "torc: %s: no such command\n", command);
    return usage(stderr);
}
