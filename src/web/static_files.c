/* SPDX-License-Identifier: MIT */
/*
 * The files of a folder: what a request is answered with. How they are found is in
 * web/static_lookup.c, how they are sent in web/static_reply.c.
 *
 *  - A path is taken apart and put together from names that are served, so that none leads out.
 *  - What was found is held until the answer is written; what is still to be sent then holds it.
 *  - What is not found, or may not be read, is answered by one function each, whatever the cause.
 */
#include <stdio.h>
#include <torc/accept.h>
#include <torc/static_files.h>

#include "base/alloc.h"
#include "http/request.h"
#include "web/listing.h"
#include "web/static_config.h"
#include "web/static_lookup.h"
#include "web/static_reply.h"

typedef struct static_files {
    torc_resource base;
    torc_static_folder *folder;
    torc_static_config config;
} static_files;

static static_files *self_of(torc_resource *resource) {
    return torc_container_of(resource, static_files, base);
}

/* ---- the path ---- */

/* What a request asks for beneath the folder. */
typedef struct asked_path {
    bool wants_folder; /* it ends in a slash */
    bool can_be_served;
    size_t len;
    char path[TORC_STATIC_PATH_SIZE];
} asked_path;

static torc_str path_of(const asked_path *self) {
    return torc_str_make(self->path, self->len);
}

static torc_str last_name_in(torc_str path) {
    size_t at = path.len;

    while (at > 0 && path.bytes[at - 1] != '/') at--;
    return torc_str_from(path, at);
}

/* The path from the segments that are left; false: nothing that could be served. */
static bool read_path(const static_files *files, const torc_request *request, asked_path *self) {
    const size_t depth = torc_request_depth(request), count = torc_request_segment_count(request);

    self->wants_folder = depth < count && torc_request_segment(request, count - 1).len == 0;
    self->len = 0;
    for (size_t i = depth; i < count - (self->wants_folder ? 1 : 0); i++) {
        const torc_str segment = torc_request_segment(request, i);
        if (!torc_static_name_is_served(&files->config, segment) ||
            self->len + 1 + segment.len >= sizeof(self->path))
            return false;
        if (self->len > 0) self->path[self->len++] = '/';
        memcpy(self->path + self->len, segment.bytes, segment.len);
        self->len += segment.len;
    }
    return true;
}

/* ---- finding ---- */

/* The paths to try for a request, in order. */
typedef struct candidates {
    uint32_t count;
    torc_static_path paths[TORC_STATIC_PATHS_MAX];
} candidates;

static void add_candidate(candidates *self, torc_str path, torc_str tail, uint8_t accepts) {
    self->paths[self->count++] = (torc_static_path){.path = path, .tail = tail, .accepts = accepts};
}

static void list_candidates(const torc_static_config *config, const asked_path *asked,
                            candidates *self) {
    const torc_str path = path_of(asked), no_tail = {0};

    self->count = 0;
    if (asked->wants_folder) {
        for (uint32_t i = 0; i < config->index_count; i++)
            add_candidate(self, path, config->indexes[i], TORC_FOUND_FILE);
        if (config->list) add_candidate(self, path, no_tail, TORC_FOUND_FOLDER);
        return;
    }
    add_candidate(self, path, no_tail, TORC_FOUND_FILE | TORC_FOUND_FOLDER);
    for (uint32_t i = 0; i < config->ignored_count && path.len > 0; i++)
        add_candidate(self, path, config->ignored[i], TORC_FOUND_FILE);
}

static bool may_have_siblings(const torc_static_query *query) {
    return torc_static_may_have_siblings(query->context, last_name_in(query->paths[0].path));
}

static torc_err find(const static_files *self, torc_request *request, const candidates *list,
                     torc_static_answer *answer) {
    torc_static_query query = {
        .paths = list->paths,
        .path_count = list->count,
        .may_have_siblings = may_have_siblings,
        .context = &self->config,
    };

    if (list->count == 0) return TORC_ERR_NOT_FOUND;
    if (self->config.has_siblings) query.suffixes = torc_static_suffixes(&query.suffix_count);
    return torc_static_find(self->folder, torc_request_reactor(request), &query, answer);
}

/* ---- answering ---- */

static torc_render reply_found(const static_files *self, torc_request *request,
                               const torc_static_path *path, torc_static_answer *answer,
                               int status) {
    const torc_str name = path->path.len + path->tail.len > 0
                              ? torc_str_make(NULL, 0)
                              : torc_static_folder_name(self->folder);
    const torc_render rendered =
        torc_static_reply(&self->config, request, path, name, answer, status);

    torc_static_answer_dispose(answer);
    return rendered;
}

/* Reply with a file of the options; false: it is not there. */
static bool reply_own_file(const static_files *self, torc_request *request, torc_str path,
                           int status, torc_render *rendered) {
    torc_static_answer answer;
    candidates list = {0};

    if (!path.len) return false;
    add_candidate(&list, path, torc_str_make(NULL, 0), TORC_FOUND_FILE);
    if (find(self, request, &list, &answer)) return false;
    *rendered = reply_found(self, request, &list.paths[0], &answer, status);
    return true;
}

/* Whether a page of the application might be meant: not a picture, a script or a call. */
static bool may_be_page(torc_request *request, const asked_path *asked) {
    return asked->can_be_served && torc_str_find_byte(last_name_in(path_of(asked)), '.') < 0 &&
           torc_accept_type_weight(torc_request_fields(request), TORC_STR("text/html")) > 0;
}

static torc_render reply_nothing(const static_files *self, torc_request *request,
                                 const asked_path *asked) {
    const torc_static_config *config = &self->config;
    torc_render rendered;

    if (config->fallback.len) {
        torc_response_add_vary(request, "Accept");
        if (may_be_page(request, asked) &&
            reply_own_file(self, request, config->fallback, 200, &rendered))
            return rendered;
    }
    if (config->child_not_found) return config->child_not_found(request);
    if (reply_own_file(self, request, config->not_found, 404, &rendered)) return rendered;
    return torc_reply_error(request, TORC_ERR_NOT_FOUND);
}

static torc_render reply_failure(const static_files *self, torc_request *request,
                                 const asked_path *asked, torc_err err) {
    if (err == TORC_ERR_NOT_FOUND) return reply_nothing(self, request, asked);
    if (err == TORC_ERR_PERMISSION && self->config.forbidden)
        return self->config.forbidden(request);
    return torc_reply_error(request, err);
}

/*
 * A folder is asked for without the slash: to the same with it, and with the query. The reference
 * is relative, so that it holds behind whatever rewrites paths; a segment that could be taken for
 * more than a name gets a `./`.
 */
static torc_render redirect_to_folder(torc_request *request) {
    const torc_str query = torc_request_query(request);
    const torc_str name =
        torc_request_segment_raw(request, torc_request_segment_count(request) - 1);
    const bool is_plain = torc_str_find_byte(name, ':') < 0 && torc_str_find_byte(name, '\\') < 0;
    torc_buf location;
    torc_render answer;

    torc_buf_init(&location, torc_reactor_memory(torc_request_reactor(request)), TORC_MEMORY_OTHER,
                  256 * 1024);
    torc_buf_addf(&location, "%s%.*s/", is_plain ? "" : "./", TORC_STR_ARGS(name));
    if (query.bytes) torc_buf_addf(&location, "?%.*s", TORC_STR_ARGS(query));
    torc_buf_add_byte(&location, '\0');
    answer = torc_buf_err(&location) ? torc_reply_error(request, torc_buf_err(&location))
                                     : torc_reply_redirect(request, 302, location.bytes);
    torc_buf_dispose(&location);
    return answer;
}

static torc_render reply_listing(const static_files *self, torc_request *request,
                                 const asked_path *asked) {
    char path[TORC_STATIC_PATH_SIZE + 2];
    torc_directory_query query = {.path = path_of(asked)};
    torc_directory directory;
    torc_render rendered;
    torc_err err;

    torc_listing_order(request, &query);
    err = torc_directory_read(self->folder, torc_request_reactor(request), &self->config, &query,
                              &directory);
    if (err) return reply_failure(self, request, asked, err);
    const int len = snprintf(path, sizeof(path), "/%.*s%s", TORC_STR_ARGS(path_of(asked)),
                             asked->len ? "/" : "");
    torc_static_set_cache_control(&self->config, request, torc_str_make(path, (size_t)len));
    rendered = torc_listing_reply(request, &directory);
    torc_directory_dispose(&directory);
    return rendered;
}

/* ---- any extension ---- */

/* The folder that a path is in, without a slash behind it. */
static torc_str folder_in(torc_str path) {
    const torc_str name = last_name_in(path);

    return torc_str_head(path, path.len - name.len - (name.len < path.len ? 1 : 0));
}

/* Look for a file whose name has any extension more: the first by name. */
static torc_err find_with_extension(const static_files *self, torc_request *request,
                                    const asked_path *asked, candidates *list,
                                    torc_directory *directory, torc_static_answer *answer) {
    char prefix[260];
    const torc_str name = last_name_in(path_of(asked));
    const int len = snprintf(prefix, sizeof(prefix), "%.*s.", TORC_STR_ARGS(name));
    const torc_directory_query query = {.path = folder_in(path_of(asked)),
                                        .prefix = torc_str_make(prefix, (size_t)len)};
    torc_err err = torc_directory_read(self->folder, torc_request_reactor(request), &self->config,
                                       &query, directory);

    if (err) return err;
    err = TORC_ERR_NOT_FOUND;
    for (size_t i = 0; i < directory->count && err == TORC_ERR_NOT_FOUND; i++) {
        if (directory->entries[i].is_folder) continue;
        list->count = 0;
        add_candidate(list, path_of(asked), torc_str_from(directory->entries[i].name, name.len),
                      TORC_FOUND_FILE);
        err = find(self, request, list, answer);
    }
    return err;
}

/* The same, and reply with it; false: there is none. */
static bool reply_with_extension(const static_files *self, torc_request *request,
                                 const asked_path *asked, torc_render *rendered) {
    torc_directory directory = {0};
    torc_static_answer answer;
    candidates list;
    torc_err err;

    if (!self->config.ignores_any || asked->wants_folder || asked->len == 0) return false;
    err = find_with_extension(self, request, asked, &list, &directory, &answer);
    if (!err) *rendered = reply_found(self, request, &list.paths[0], &answer, 200);
    torc_directory_dispose(&directory);
    return !err;
}

static torc_err add_fields(const static_files *self, torc_request *request) {
    const torc_fields *fields = &self->config.fields;

    for (uint32_t i = 0; i < fields->count; i++) {
        const char *name = torc_arena_cstr(torc_request_arena(request), fields->items[i].name);
        if (!name) return TORC_ERR_NO_MEMORY;
        torc_response_add(request, name, fields->items[i].value);
    }
    return TORC_OK;
}

static torc_render render(torc_resource *resource, torc_request *request) {
    const static_files *self = self_of(resource);
    torc_static_answer answer;
    candidates list;
    asked_path asked;
    torc_render rendered;
    torc_err err = add_fields(self, request);

    if (err) return torc_reply_error(request, err);
    asked.can_be_served = read_path(self, request, &asked);
    err = TORC_ERR_NOT_FOUND;
    if (asked.can_be_served) {
        list_candidates(&self->config, &asked, &list);
        err = find(self, request, &list, &answer);
    }
    if (err == TORC_ERR_NOT_FOUND && asked.can_be_served &&
        reply_with_extension(self, request, &asked, &rendered))
        return rendered;
    if (err) return reply_failure(self, request, &asked, err);
    if (answer.found->kind == TORC_FOUND_FILE)
        return reply_found(self, request, &list.paths[answer.path], &answer, 200);
    torc_static_answer_dispose(&answer);
    return asked.wants_folder ? reply_listing(self, request, &asked) : redirect_to_folder(request);
}

static void dispose(torc_resource *resource) {
    static_files *self = self_of(resource);

    torc_static_folder_unref(self->folder);
    torc_static_config_dispose(&self->config);
    torc_dealloc(NULL, self);
}

static const torc_resource_ops static_files_ops = {.render = render, .dispose = dispose};

torc_resource *torc_static_files_new(const char *path, const torc_static_files_options *options) {
    static_files *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    char fault[200];

    if (!self) return NULL;
    torc_resource_init(&self->base, &static_files_ops);
    self->base.methods = torc_method_bit(TORC_METHOD_GET);
    self->base.is_leaf = true;
    self->base.on_fiber = true;
    if (!torc_static_config_init(&self->config, options, fault)) {
        self->folder = torc_static_folder_new(path, &self->config.cache);
        if (self->folder) return &self->base;
        torc_static_config_dispose(&self->config);
    }
    torc_dealloc(NULL, self);
    return NULL;
}
