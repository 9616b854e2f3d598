/* SPDX-License-Identifier: MIT */
/*
 * The folders of users.
 *
 *  - Who a user is, and whether there is a folder, is found out on a thread, which works on a copy
 *    of its own (`search`).
 *  - A folder that was found is kept for KEPT_MS in `users`, the most recently used first, at most
 *    `users_max` of them. It is counted: requests that are in it hold it, and so does the list.
 *  - Two requests may look for the same user at a time; the one that comes second replaces what the
 *    first has kept.
 */
#include <torc/user_folders.h>

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <torc/reply.h>
#include <torc/target.h>
#include <torc/thread.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/list.h"
#include "base/options.h"
#include "http/html.h"
#include "http/request.h"

enum {
    FOLDER_NAME_MAX = 255,
    KEPT_MS = 30 * 1000,
    RECORD_MAX = 16 * 1024, /* of a user, as the system keeps it */
    LISTED_MAX = 1000,
    PAGE_BYTES_MAX = 256 * 1024
};

typedef struct user {
    torc_list_node node;
    uint32_t refs;
    uint64_t until_ms;
    torc_resource *files;
    char name[TORC_USER_NAME_MAX + 1];
} user;

typedef struct user_folders {
    torc_resource base;
    torc_user_folders_options options;
    char folder[FOLDER_NAME_MAX + 1];
    torc_list users;
    uint32_t user_count;
} user_folders;

static user_folders *self_of(torc_resource *resource) {
    return torc_container_of(resource, user_folders, base);
}

/* ---- on a thread ---- */

/* What a thread is to find; copied to it and back. */
typedef struct search {
    torc_user_home_fn *home_of;
    void *context;
    uid_t uid_min;
    char name[TORC_USER_NAME_MAX + 1], folder[FOLDER_NAME_MAX + 1];
    char path[TORC_USER_HOME_MAX + FOLDER_NAME_MAX + 2]; /* of what was found */
} search;

static torc_err home_by_system(const search *self, char home[TORC_USER_HOME_MAX]) {
    struct passwd record, *found = NULL;
    char *bytes = torc_alloc(NULL, TORC_MEMORY_OTHER, RECORD_MAX);
    torc_err err = TORC_ERR_NO_MEMORY;

    if (bytes) {
        const int number = getpwnam_r(self->name, &record, bytes, RECORD_MAX, &found);
        err = TORC_ERR_NOT_FOUND;
        if (number && number != ENOENT && number != ESRCH) err = torc_err_from_errno(number);
    }
    if (found && found->pw_uid >= self->uid_min && found->pw_dir[0] == '/' &&
        (size_t)snprintf(home, TORC_USER_HOME_MAX, "%s", found->pw_dir) < TORC_USER_HOME_MAX)
        err = TORC_OK;
    torc_dealloc(NULL, bytes);
    return err;
}

static bool is_folder(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static torc_err find(void *data) {
    search *self = data;
    char home[TORC_USER_HOME_MAX] = "";
    torc_err err =
        self->home_of ? self->home_of(self->context, self->name, home) : home_by_system(self, home);

    if (err) return err;
    if (home[0] != '/') return TORC_ERR_NOT_FOUND;
    snprintf(self->path, sizeof(self->path), "%s%s%s", home, self->folder[0] ? "/" : "",
             self->folder);
    return is_folder(self->path) ? TORC_OK : TORC_ERR_NOT_FOUND;
}

/* ---- users ---- */

static void unref(user *self) {
    if (--self->refs > 0) return;
    torc_resource_dispose(self->files);
    torc_dealloc(NULL, self);
}

static void forget(user_folders *self, user *it) {
    torc_list_remove(&it->node);
    self->user_count--;
    unref(it);
}

static user *find_kept(user_folders *self, torc_str name) {
    for (torc_list_node *node = torc_list_first(&self->users); node;
         node = torc_list_next(&self->users, node)) {
        user *it = torc_container_of(node, user, node);
        if (torc_str_equals(torc_str_of(it->name), name)) return it;
    }
    return NULL;
}

/* Keep what was found in place of what there was; NULL without memory. */
static user *keep(user_folders *self, const search *found, uint64_t now_ms) {
    user *former = find_kept(self, torc_str_of(found->name));
    user *it = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*it));

    if (!it) return NULL;
    it->files = torc_static_files_new(found->path, self->options.files);
    if (!it->files) {
        torc_dealloc(NULL, it);
        return NULL;
    }
    memcpy(it->name, found->name, sizeof(it->name));
    it->refs = 1;
    it->until_ms = now_ms + KEPT_MS;
    if (former) forget(self, former);
    if (self->user_count >= self->options.users_max)
        forget(self, torc_container_of(torc_list_last(&self->users), user, node));
    torc_list_push_front(&self->users, &it->node);
    self->user_count++;
    return it;
}

/* The letters of portable user names, and no dot in front. */
static bool is_user_name(torc_str name) {
    if (name.len == 0 || name.len > TORC_USER_NAME_MAX) return false;
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.bytes[i];
        const bool is_letter = torc_is_letter(c) || c == '_';
        const bool may_follow = torc_is_digit(c) || c == '-' || c == '.';
        if (!is_letter && !(may_follow && i > 0)) return false;
    }
    return true;
}

/* The user of that name: kept, or looked for. */
static torc_err find_user(user_folders *self, torc_request *request, torc_str name, user **found) {
    torc_reactor *reactor = torc_request_reactor(request);
    search wanted = {.home_of = self->options.home_of,
                     .context = self->options.context,
                     .uid_min = self->options.uid_min};
    torc_err err;

    *found = find_kept(self, name);
    if (*found && (*found)->until_ms > torc_reactor_now_ms(reactor)) {
        torc_list_remove(&(*found)->node);
        torc_list_push_front(&self->users, &(*found)->node);
        return TORC_OK;
    }
    memcpy(wanted.name, name.bytes, name.len);
    memcpy(wanted.folder, self->folder, sizeof(wanted.folder));
    err = torc_await_thread(reactor, TORC_THREAD_NAME, find, &wanted, sizeof(wanted), NULL);
    if (err) return err;
    *found = keep(self, &wanted, torc_reactor_now_ms(reactor));
    return *found ? TORC_OK : TORC_ERR_NO_MEMORY;
}

/* ---- requests ---- */

/* A request that is in a user's folder. */
typedef struct visit {
    torc_holding base;
    user *host;
} visit;

static void leave(torc_holding *holding) {
    unref(torc_container_of(holding, visit, base)->host);
}

static torc_render serve(torc_request *request, user *it) {
    visit *self = torc_arena_alloc(torc_request_arena(request), sizeof(*self));

    if (!self) return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    self->base.release = leave;
    self->host = it;
    it->refs++;
    torc_request_hold(request, &self->base);
    torc_request_path_of(request)->depth++;
    return torc_resource_serve(it->files, request);
}

/* ---- the page ---- */

static void add_link(torc_buf *page, const char *name) {
    torc_buf_add(page, TORC_STR("<li><a href=\"./"));
    torc_html_add(page, torc_str_of(name));
    torc_buf_add(page, TORC_STR("/\">"));
    torc_html_add(page, torc_str_of(name));
    torc_buf_add(page, TORC_STR("</a></li>\n"));
}

/* What a thread makes: a page, in memory of no reactor's. */
typedef struct listing {
    search wanted;
    torc_buf *page; /* NULL until it has run */
} listing;

static void dispose_page(torc_buf *page) {
    if (page) torc_buf_dispose(page);
    torc_dealloc(NULL, page);
}

/* The request has gone on without it. */
static void drop_listing(void *data) {
    dispose_page(((listing *)data)->page);
}

static torc_buf *new_page(void) {
    torc_buf *page = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*page));

    if (page) torc_buf_init(page, NULL, TORC_MEMORY_OTHER, PAGE_BYTES_MAX);
    return page;
}

static void list_user(listing *self, const struct passwd *record) {
    search wanted = self->wanted;

    if (!is_user_name(torc_str_of(record->pw_name))) return;
    snprintf(wanted.name, sizeof(wanted.name), "%s", record->pw_name);
    if (find(&wanted) == TORC_OK) add_link(self->page, wanted.name);
}

static void list_all(listing *self, FILE *file, char *bytes) {
    struct passwd record, *found = NULL;

    for (int i = 0; i < LISTED_MAX; i++) {
        if (fgetpwent_r(file, &record, bytes, RECORD_MAX, &found) || !found) return;
        if (found->pw_uid >= self->wanted.uid_min) list_user(self, found);
    }
}

static torc_err list(void *data) {
    listing *self = data;
    char *bytes = torc_alloc(NULL, TORC_MEMORY_OTHER, RECORD_MAX);
    FILE *file = fopen("/etc/passwd", "re");

    self->page = new_page();
    if (self->page) {
        torc_buf_add(self->page, TORC_STR("<!DOCTYPE html>\n<html lang=\"en\">\n"
                                          "<title>Users</title>\n<h1>Users</h1>\n<ul>\n"));
        if (file && bytes) list_all(self, file, bytes);
        torc_buf_add(self->page, TORC_STR("</ul>\n</html>\n"));
    }
    if (file) fclose(file);
    torc_dealloc(NULL, bytes);
    return bytes && self->page ? torc_buf_err(self->page) : TORC_ERR_NO_MEMORY;
}

static torc_render reply_list(user_folders *self, torc_request *request) {
    listing job = {.wanted = {.home_of = self->options.home_of,
                              .context = self->options.context,
                              .uid_min = self->options.uid_min}};
    torc_err err;

    memcpy(job.wanted.folder, self->folder, sizeof(self->folder));
    err = torc_await_thread(torc_request_reactor(request), TORC_THREAD_NAME, list, &job,
                            sizeof(job), drop_listing);
    if (err)
        torc_reply_error(request, err);
    else
        torc_reply_bytes(request, 200, "text/html; charset=utf-8", torc_buf_str(job.page));
    dispose_page(job.page);
    return TORC_RENDER_DONE;
}

static torc_render render(torc_resource *resource, torc_request *request) {
    user_folders *self = self_of(resource);
    const size_t depth = torc_request_depth(request);
    const torc_str name = torc_request_segment(request, depth);
    user *found;
    torc_err err;

    if (depth + 1 >= torc_request_segment_count(request) && name.len == 0)
        return self->options.is_listed ? reply_list(self, request)
                                       : torc_reply_status(request, 404, NULL);
    if (!is_user_name(name)) return torc_reply_status(request, 404, NULL);
    err = find_user(self, request, name, &found);
    return err ? torc_reply_error(request, err) : serve(request, found);
}

static void dispose(torc_resource *resource) {
    user_folders *self = self_of(resource);
    torc_list_node *node;

    while ((node = torc_list_first(&self->users)))
        forget(self, torc_container_of(node, user, node));
    torc_dealloc(NULL, self);
}

static const torc_resource_ops ops = {.render = render, .dispose = dispose};

/* A path within the home, which it does not leave. */
static bool is_within(const char *folder) {
    torc_str rest = torc_str_of(folder), segment;

    if (strlen(folder) > FOLDER_NAME_MAX || folder[0] == '/') return false;
    while (torc_str_split(&rest, '/', &segment))
        if (torc_str_equals(segment, TORC_STR(".."))) return false;
    return true;
}

torc_resource *torc_user_folders_new(const torc_user_folders_options *given) {
    torc_user_folders_options options = {.size = sizeof(options)};
    user_folders *self;

    TORC_OPTIONS_READ(&options, given);
    if (!options.folder) options.folder = "public_html";
    if (!options.uid_min) options.uid_min = 1000;
    if (!options.users_max) options.users_max = 64;
    if (!is_within(options.folder)) return NULL;
    self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    if (!self) return NULL;
    torc_resource_init(&self->base, &ops);
    self->base.is_leaf = self->base.on_fiber = true;
    self->base.methods = torc_method_bit(TORC_METHOD_GET);
    self->options = options;
    snprintf(self->folder, sizeof(self->folder), "%s", options.folder);
    torc_list_init(&self->users);
    return &self->base;
}
