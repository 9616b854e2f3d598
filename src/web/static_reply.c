/* SPDX-License-Identifier: MIT */
/*
 * Files as responses.
 *
 *  - A sibling that is older than its file is as if it were not there: it was made of what the file
 *    was before.
 *  - Vary is said whenever there is a choice, also with what is no choice's result (304, 412), so
 *    that no cache gives a peer what it cannot read.
 *  - Two codings of a file never have the same tag.
 *  - What is said of a file by its name and the options is found out once, and noted with it.
 */
#include "web/static_reply.h"

#include <stdio.h>
#include <torc/accept.h>

#include "base/alloc.h"
#include "http/representation.h"
#include "http/request.h"
#include "web/as_is.h"

enum {
    ETAG_SIZE = TORC_FOUND_ETAG_SIZE + 8,
    TYPE_SIZE = 200
};

/* By how small they mostly are. */
static const torc_str suffixes[] = {TORC_STR_INIT(".br"), TORC_STR_INIT(".zst"),
                                    TORC_STR_INIT(".gz")};
static const torc_str codings[] = {TORC_STR_INIT("br"), TORC_STR_INIT("zstd"),
                                   TORC_STR_INIT("gzip")};

const torc_str *torc_static_suffixes(uint32_t *count) {
    *count = TORC_COUNT_OF(suffixes);
    return suffixes;
}

bool torc_static_may_have_siblings(const torc_static_config *config, torc_str name) {
    static const char *const kinds[] = {"image/", "audio/", "video/", "font/woff"};
    const torc_str type = torc_media_types_find(config->media_types, name);

    if (torc_str_find(type, TORC_STR("+xml")) >= 0) return true;
    for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++)
        if (torc_str_starts_with(type, torc_str_of(kinds[i]))) return false;
    return true;
}

/* What is sent of a file: itself, or a sibling. */
typedef struct file_version {
    torc_representation base;
    torc_found_file *file;
    char etag[ETAG_SIZE];
} file_version;

static torc_err write_range(const torc_representation *base, torc_request *request, uint64_t first,
                            uint64_t len) {
    torc_found_file_write(torc_container_of(base, file_version, base)->file, request, first, len);
    return TORC_OK;
}

/* ---- siblings ---- */

static bool is_older(const torc_found_file *a, const torc_found_file *b) {
    const struct timespec *first = &a->about.st_mtim, *second = &b->about.st_mtim;

    return first->tv_sec != second->tv_sec ? first->tv_sec < second->tv_sec
                                           : first->tv_nsec < second->tv_nsec;
}

/* The siblings that can be used, by their codings: how many there are. */
static size_t list_siblings(const torc_static_answer *answer, torc_str *names,
                            torc_found_file **files) {
    size_t count = 0;

    for (size_t i = 0; i < TORC_COUNT_OF(suffixes); i++) {
        torc_found_file *sibling = answer->siblings[i];
        if (!sibling || is_older(sibling, answer->found)) continue;
        names[count] = codings[i];
        files[count++] = sibling;
    }
    return count;
}

/* Choose what is sent, and say that there was a choice. */
static torc_str choose(torc_request *request, const torc_static_answer *answer,
                       file_version *version) {
    torc_found_file *files[TORC_COUNT_OF(codings)];
    torc_str names[TORC_COUNT_OF(codings)];
    const size_t count = list_siblings(answer, names, files);
    ptrdiff_t chosen;

    version->file = answer->found;
    if (count == 0) return torc_str_make(NULL, 0);
    torc_response_add_vary(request, "Accept-Encoding");
    chosen = torc_accept_encoding_choose(torc_request_fields(request), names, count);
    if (chosen < 0) return torc_str_make(NULL, 0);
    version->file = files[chosen];
    return names[chosen];
}

/* ---- what describes it ---- */

/* The tag of the file; of a sibling with its coding. */
static torc_str tag_of(file_version *self, torc_str coding) {
    const torc_str etag = self->file->etag;

    if (!coding.len) return etag;
    snprintf(self->etag, sizeof(self->etag), "%.*s-%.*s\"", (int)etag.len - 1, etag.bytes,
             TORC_STR_ARGS(coding));
    return torc_str_of(self->etag);
}

static bool has_charset(torc_str type) {
    return torc_str_find_byte(type, ';') >= 0;
}

static torc_str type_with_charset(torc_str type, torc_str charset, char text[TYPE_SIZE]) {
    const torc_str start = TORC_STR("text/");

    if (!charset.len || has_charset(type) ||
        !torc_str_equals_nocase(torc_str_head(type, start.len), start))
        return type;
    snprintf(text, TYPE_SIZE, "%.*s; charset=%.*s", TORC_STR_ARGS(type), TORC_STR_ARGS(charset));
    return torc_str_of(text);
}

/* Where the file is beneath the folder, behind a slash. */
static torc_str whole_path(const torc_static_path *path, torc_str name,
                           char text[TORC_STATIC_PATH_SIZE + 2]) {
    const bool has_slash = path->path.len == 0 && torc_str_starts_with(path->tail, TORC_STR("/"));
    const torc_str parts[] = {path->path, path->tail, name};
    size_t len = 0;

    if (!has_slash) text[len++] = '/';
    for (size_t i = 0; i < TORC_COUNT_OF(parts); i++) {
        const torc_str part = torc_str_head(parts[i], TORC_STATIC_PATH_SIZE - len);
        if (part.len) memcpy(text + len, part.bytes, part.len);
        len += part.len;
    }
    return torc_str_make(text, len);
}

static torc_str name_in(torc_str path) {
    size_t at = path.len;

    while (path.bytes[at - 1] != '/') at--;
    return torc_str_from(path, at);
}

void torc_static_set_cache_control(const torc_static_config *config, torc_request *request,
                                   torc_str path) {
    const torc_str value = torc_cache_rules_find(config->rules, config->rule_count, path);

    if (value.len) torc_response_put(request, TORC_FIELD_CACHE_CONTROL, value);
}

/* What the name of a file and the options say of it, and the fields of a response with the whole:
 * the note of the file. */
typedef struct description {
    torc_static_type type;
    torc_str cache_control; /* empty: none */
    bool is_as_is;
    torc_made_fields fields;
    char text[];
} description;

/* Make a field, whose value is copied; the copy. */
static torc_str make_field(description *self, torc_field_id id, torc_str value) {
    torc_made_fields *fields = &self->fields;
    char *const copy = self->text + fields->text.len;

    if (!value.len) return value;
    memcpy(copy, value.bytes, value.len);
    fields->items[fields->count].id = id;
    fields->items[fields->count].at = (uint32_t)fields->text.len;
    fields->items[fields->count++].len = (uint32_t)value.len;
    fields->text.len += value.len;
    return torc_str_make(copy, value.len);
}

static description *describe(const torc_static_config *config, const torc_found_file *found,
                             torc_str path) {
    char text[TYPE_SIZE];
    const torc_static_type given = torc_static_type_of(config, name_in(path));
    const torc_str type = type_with_charset(given.type, config->charset, text);
    const torc_str modified = torc_str_make(found->modified_text, sizeof(found->modified_text));
    const torc_str rule = torc_cache_rules_find(config->rules, config->rule_count, path);
    const torc_str ranges = TORC_STR("bytes");
    const size_t size =
        rule.len + found->etag.len + modified.len + ranges.len + type.len + given.coding.len;
    description *self = torc_alloc(found->memory, TORC_MEMORY_CACHE, sizeof(*self) + size);

    if (!self) return NULL;
    *self = (description){.is_as_is = torc_static_is_as_is(config, name_in(path))};
    self->fields.text = torc_str_make(self->text, 0);
    self->cache_control = make_field(self, TORC_FIELD_CACHE_CONTROL, rule);
    make_field(self, TORC_FIELD_ETAG, found->etag);
    make_field(self, TORC_FIELD_LAST_MODIFIED, modified);
    make_field(self, TORC_FIELD_ACCEPT_RANGES, ranges);
    self->type.type = make_field(self, TORC_FIELD_CONTENT_TYPE, type);
    self->type.coding = make_field(self, TORC_FIELD_CONTENT_ENCODING, given.coding);
    return self;
}

/* The description of a file that was found at a path, made for the first who asks; NULL when out of
 * memory. */
static const description *description_of(const torc_static_config *config, torc_found_file *found,
                                         const torc_static_path *found_at, torc_str name) {
    char text[TORC_STATIC_PATH_SIZE + 2];

    if (!found->note) found->note = describe(config, found, whole_path(found_at, name, text));
    return found->note;
}

/* ---- sending ---- */

/* The page of an error. */
static torc_render send_page(torc_request *request, const file_version *self, int status) {
    const torc_representation *base = &self->base;

    torc_response_set_status(request, status, NULL);
    torc_response_put(request, TORC_FIELD_CONTENT_TYPE, base->content_type);
    if (base->content_encoding.len)
        torc_response_put(request, TORC_FIELD_CONTENT_ENCODING, base->content_encoding);
    torc_response_set_length(request, base->size);
    if (base->size > 0 && torc_request_method(request) != TORC_METHOD_HEAD)
        torc_found_file_write(self->file, request, 0, base->size);
    return torc_reply_end(request);
}

static torc_render send_version(torc_request *request, const file_version *self,
                                const description *about, bool is_sibling) {
    const torc_found_file *file = self->file;
    const torc_made_representation made = {
        .of = &self->base,
        .last_modified = torc_str_make(file->modified_text, sizeof(file->modified_text)),
        .cache_control = about->cache_control,
        .bytes = torc_str_make(file->content.bytes, file->content.len),
        .fields = is_sibling ? NULL : &about->fields,
    };

    return torc_reply_made(request, &made);
}

torc_render torc_static_reply(const torc_static_config *config, torc_request *request,
                              const torc_static_path *found_at, torc_str name,
                              const torc_static_answer *answer, int status) {
    const description *about = description_of(config, answer->found, found_at, name);
    file_version version;

    if (!about) return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    if (status == 200 && about->is_as_is) return torc_as_is_reply(request, answer->found);

    /* What is in a coding already has no siblings in another. */
    const torc_str own = about->type.coding;
    const torc_str coding = own.len ? torc_str_make(NULL, 0) : choose(request, answer, &version);

    if (own.len) version.file = answer->found;
    version.base = (torc_representation){
        .validators = {.etag = tag_of(&version, coding),
                       .last_modified = version.file->about.st_mtim.tv_sec},
        .content_type = about->type.type,
        .content_encoding = coding.len ? coding : own,
        .size = (uint64_t)version.file->about.st_size,
        .write = write_range,
    };
    if (status != 200) return send_page(request, &version, status);
    return send_version(request, &version, about, coding.len > 0);
}
