/* SPDX-License-Identifier: MIT */
/* Static files: a folder as a site, and the same folder as a list. */
#include <stdio.h>
#include <torc/torc.h>

/* What browsers ask for: pages without .html, assets that never change under their names. */
static const torc_static_files_options pages = {
    .size = sizeof(pages),
    .index = (const char *const[]){"index.html", "index.htm", NULL},
    .ignored_extensions = (const char *const[]){"html", NULL},
    .cache_control = (const char *const[]){"/assets/*=public, max-age=31536000, immutable",
                                           "*.html=no-cache", NULL},
    .charset = "utf-8",
    .not_found = "404.html",
};

static torc_render nothing_here(torc_request *request) {
    return torc_reply_text(request, 404, "There is no such file.\n");
}

/* For people who look for something. */
static const torc_static_files_options listing = {
    .size = sizeof(listing),
    .index = (const char *const[]){NULL},
    .list = true,
    .child_not_found = nothing_here,
};

static const char *folder = ".";

static const char *set_folder(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    folder = value;
    return NULL;
}

static void start(torc_app *app) {
    torc_resource_put_child(torc_app_root(app), "files", torc_static_files_new(folder, &listing));
    torc_resource_put_rest(torc_app_root(app), torc_static_files_new(folder, &pages));
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("static_files");
    char text[200];
    const char *fault = torc_static_files_check(&pages, text);

    if (fault) fprintf(stderr, "static_files: %s\n", fault);
    torc_app_add_option(app, "folder", "FOLDER", "the folder to serve (.)", set_folder);
    torc_app_on_start(app, start);
    return torc_app_run(app, argc, argv);
}
