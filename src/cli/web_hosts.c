/* SPDX-License-Identifier: MIT */
/*
 * torc web: hosts, rewriting, and users' folders.
 *
 *  - An option is tried on a tree of its own when it is read, so that what is wrong with it is said
 *    with its name; the tree that serves is changed at the start.
 */
#include "web_hosts.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PAIRS_MAX = 256
};

typedef enum pair_kind {
    HOST,
    REWRITE,
    REDIRECT
} pair_kind;

/* NAME=FOLDER or FROM=TO: of the program's arguments, taken apart at the first `=`. */
typedef struct pair {
    pair_kind kind;
    size_t from_len;
    const char *text;
} pair;

static pair pairs[PAIRS_MAX];
static size_t pair_count;
static bool has_users;

/* Put a rule, or a host's resource, into a tree. */
static void put(torc_resource *root, const pair *it, torc_resource *host) {
    char from[512];

    snprintf(from, sizeof(from), "%.*s", (int)it->from_len, it->text);
    const char *to = it->text + it->from_len + 1;
    if (it->kind == HOST)
        torc_resource_put_host(root, from, host);
    else if (it->kind == REWRITE)
        torc_resource_rewrite(root, from, to);
    else
        torc_resource_rewrite_redirect(root, 308, from, to);
}

/* What is wrong with a pair, as the tree says it. */
static const char *try(const pair *it, char text[160]) {
    torc_resource *root = torc_folder_new();
    const char *wrong = torc_err_text(TORC_ERR_NO_MEMORY);

    if (root) {
        put(root, it, it->kind == HOST ? torc_folder_new() : NULL);
        snprintf(text, 160, "%s", torc_resource_err_text(root));
        wrong = torc_resource_err(root) ? text : NULL;
    }
    torc_resource_dispose(root);
    return wrong;
}

static const char *add(pair_kind kind, const char *value, char text[160]) {
    const char *equals = strchr(value, '=');
    pair *it = &pairs[pair_count];

    if (!equals || equals == value || !equals[1])
        return kind == HOST ? "write NAME=FOLDER, as a.example=/srv/a"
                            : "write FROM=TO, as /old=/new";
    if (equals - value >= 512) return "too long";
    if (pair_count == PAIRS_MAX) return "given too often";
    *it = (pair){kind, (size_t)(equals - value), value};
    const char *wrong = try(it, text);
    if (!wrong) pair_count++;
    return wrong;
}

static const char *apply_host(torc_app *app, const char *value, char text[160]) {
    (void)app;
    return add(HOST, value, text);
}

static const char *apply_rewrite(torc_app *app, const char *value, char text[160]) {
    (void)app;
    return add(REWRITE, value, text);
}

static const char *apply_redirect(torc_app *app, const char *value, char text[160]) {
    (void)app;
    return add(REDIRECT, value, text);
}

static const char *apply_user_folders(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)value;
    (void)text;
    has_users = true;
    return NULL;
}

void torc_web_hosts_add_options(torc_app *app) {
    torc_app_add_group(app, "Hosts");
    torc_app_add_option(app, "host", "NAME=FOLDER...",
                        "another folder for a host: www.a.example=/srv/a\n"
                        "A name is whole, `*.a.example` for all beneath it, or `*` for any other; "
                        "the longest that fits is taken. What no host is for is served from "
                        "`--path`.",
                        apply_host);
    torc_app_add_option(app, "rewrite", "FROM=TO...",
                        "look for TO where FROM is asked: /old=/new\n"
                        "FROM is the beginning of a path by whole segments, or with a `$` at its "
                        "end a whole path; `{name}` in it is a part of a segment, which TO may "
                        "use: '/{page}.php$=/{page}.html'. Rules apply in their order, to all "
                        "hosts.",
                        apply_rewrite);
    torc_app_add_option(app, "redirect", "FROM=TO...",
                        "send clients from FROM to TO (308)\n"
                        "As `--rewrite`; TO may be a whole URL: "
                        "'/blog=https://blog.example/'.",
                        apply_redirect);
    torc_app_add_option(app, "user-folders", NULL,
                        "serve /~joe/ from public_html in joe's home\n"
                        "For users from 1000 on.",
                        apply_user_folders);
}

/* The folder of a host, everything in it. */
static torc_resource *new_host(torc_app *app, const pair *it,
                               const torc_static_files_options *files) {
    const char *path = it->text + it->from_len + 1;
    torc_resource *host = torc_folder_new();
    struct stat about;
    char text[240];

    if (stat(path, &about) || !S_ISDIR(about.st_mode)) {
        snprintf(text, sizeof(text), "--host %.150s: there is no such folder", it->text);
        torc_app_refuse(app, text);
    }
    if (host) torc_resource_put_rest(host, torc_static_files_new(path, files));
    return host;
}

void torc_web_hosts_put(torc_app *app, const torc_static_files_options *files) {
    const torc_user_folders_options users = {.size = sizeof(users), .files = files};
    torc_resource *root = torc_app_root(app);

    for (size_t i = 0; i < pair_count; i++)
        put(root, &pairs[i], pairs[i].kind == HOST ? new_host(app, &pairs[i], files) : NULL);
    if (!has_users) return;
    torc_resource_put_child(root, ".users", torc_user_folders_new(&users));
    torc_resource_rewrite(root, "/~{user}", "/.users/{user}");
}
