/* SPDX-License-Identifier: MIT */
/*
 * The options of static files: read once, when the resource is made.
 *
 *  - Every text is copied, and every one that is sent has been checked to be a field's value.
 *  - The first fault found is told, and names what is at fault.
 */
#include "web/static_config.h"
#include "base/options.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "web/site.h"

enum {
    NAME_LEN_MAX = 255,
    PATH_LEN_MAX = 1024
};

/* A copy of a text. */
struct kept {
    struct kept *next;
    char text[];
};

/* What is read from, and what becomes of it: `err` is the first failure. */
typedef struct reading {
    torc_static_config *config;
    char *text; /* of the fault */
    torc_err err;
} reading;

TORC_PRINTF(2, 3) static void fail(reading *self, const char *format, ...) {
    va_list arguments;

    if (self->err) return;
    self->err = TORC_ERR_INVALID;
    va_start(arguments, format);
    vsnprintf(self->text, 200, format, arguments);
    va_end(arguments);
}

/* A copy of two texts, one behind the other. */
static torc_str keep(reading *self, const char *prefix, const char *given) {
    const size_t prefix_len = strlen(prefix), len = prefix_len + strlen(given);
    struct kept *copy = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*copy) + len + 1);

    if (!copy) {
        self->err = TORC_ERR_NO_MEMORY;
        return torc_str_make(NULL, 0);
    }
    copy->next = self->config->kept;
    self->config->kept = copy;
    memcpy(copy->text, prefix, prefix_len);
    memcpy(copy->text + prefix_len, given, len - prefix_len + 1);
    return torc_str_make(copy->text, len);
}

/* ---- names and paths ---- */

static bool is_name(torc_str name) {
    if (name.len == 0 || name.len > NAME_LEN_MAX) return false;
    if (torc_str_find_byte(name, '/') >= 0 || torc_str_find_byte(name, '\0') >= 0) return false;
    if (name.bytes[0] != '.') return true;
    return !torc_str_equals(name, TORC_STR(".")) && !torc_str_equals(name, TORC_STR(".."));
}

bool torc_static_name_is_served(const torc_static_config *self, torc_str name) {
    if (!is_name(name)) return false;
    return name.bytes[0] != '.' || self->dotfiles || torc_str_equals(name, TORC_STR(".well-known"));
}

/* A file beneath the folder, chosen by the operator: a name with a dot before it is fine. */
static torc_str read_path(reading *self, const char *option, const char *given) {
    torc_str rest, name;

    if (!given) return torc_str_make(NULL, 0);
    rest = torc_str_of(given + (given[0] == '/'));
    if (rest.len > PATH_LEN_MAX) fail(self, "%s: the path is too long", option);
    while (!self->err && torc_str_split(&rest, '/', &name))
        if (!is_name(name)) fail(self, "%s \"%.80s\" is no path of a file", option, given);
    return self->err ? torc_str_make(NULL, 0) : keep(self, "", given + (given[0] == '/'));
}

/* ---- lists ---- */

/* How many there are; at most `max` are allowed. */
static uint32_t count_of(reading *self, const char *option, const char *const *list, uint32_t max) {
    uint32_t count = 0;

    while (list && list[count] && count <= max) count++;
    if (count > max) fail(self, "more than %u of %s", max, option);
    return self->err ? 0 : count;
}

static void read_indexes(reading *self, const char *const *list) {
    static const char *const usual[] = {"index.html", NULL};
    const char *const *names = list ? list : usual;
    torc_static_config *config = self->config;
    const uint32_t count = count_of(self, "index names", names, TORC_STATIC_INDEX_MAX);

    for (uint32_t i = 0; i < count && !self->err; i++) {
        if (!torc_static_name_is_served(config, torc_str_of(names[i])))
            fail(self, "\"%.80s\" cannot be an index: it is no name of a file that is served",
                 names[i]);
        else
            config->indexes[config->index_count++] = keep(self, "/", names[i]);
    }
}

/* Add an extension, with or without the dot before it. */
static void read_extension(reading *self, const char *given, torc_str *extensions,
                           uint32_t *count) {
    const char *extension = given + (given[0] == '.');

    if (!is_name(torc_str_of(extension)) || strlen(extension) > 32)
        fail(self, "\"%.80s\" is no extension", given);
    else if (*count == TORC_STATIC_EXTENSIONS_MAX)
        fail(self, "more than %d of extensions", TORC_STATIC_EXTENSIONS_MAX);
    else
        extensions[(*count)++] = keep(self, ".", extension);
}

static void read_ignored(reading *self, const char *const *list) {
    torc_static_config *config = self->config;

    for (; list && *list && !self->err; list++) {
        if (strcmp(*list, "*") == 0)
            config->ignores_any = true;
        else
            read_extension(self, *list, config->ignored, &config->ignored_count);
    }
}

static void read_as_is(reading *self, const char *const *list) {
    for (; list && *list && !self->err; list++)
        read_extension(self, *list, self->config->as_is, &self->config->as_is_count);
}

static void read_rules(reading *self, const char *const *list) {
    torc_static_config *config = self->config;
    const uint32_t count = count_of(self, "cache rules", list, TORC_STATIC_LIST_MAX);

    if (count == 0 || self->err) return;
    config->rules = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, count, sizeof(*config->rules));
    if (!config->rules) self->err = TORC_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count && !self->err; i++) {
        const torc_str copy = keep(self, "", list[i]);
        const char *fault =
            copy.bytes ? torc_cache_rule_parse(copy, &config->rules[config->rule_count++]) : NULL;
        if (fault) fail(self, "\"%.80s\" %s", list[i], fault);
    }
}

/* ---- all ---- */

static void read_cache(torc_static_config *config, const torc_static_files_options *options) {
    const uint32_t entries = options->cache_entries_max, open = options->cache_open_max;
    const size_t bytes = options->cache_bytes_max, file_bytes = options->cache_file_bytes_max;

    config->cache = (torc_file_cache_limits){
        .entries_max = options->cache_is_off ? 0
                       : entries             ? entries
                                             : 4096,
        .open_max = open ? open : 128,
        .bytes_max = bytes ? bytes : (size_t)32 * 1024 * 1024,
        .file_bytes_max = file_bytes ? file_bytes : (size_t)64 * 1024,
    };
}

static void read_types(reading *self, const torc_static_files_options *options) {
    torc_static_config *config = self->config;
    const char *type = options->default_type ? options->default_type : "application/octet-stream";

    config->media_types = options->media_types;
    if (!torc_media_type_is_valid(torc_str_of(type)))
        fail(self, "\"%.80s\" is no media type (TYPE/SUBTYPE)", type);
    else
        config->default_type = keep(self, "", type);
    if (!options->charset) return;
    if (!torc_is_token(torc_str_of(options->charset)) || strlen(options->charset) > 40)
        fail(self, "\"%.40s\" is no charset, as utf-8 is", options->charset);
    else
        config->charset = keep(self, "", options->charset);
}

static void read_fields(reading *self, const torc_static_files_options *options) {
    torc_err err;

    if (self->err) return;
    err = torc_site_fields_copy(options->fields, options->field_count, &self->config->fields);
    if (err == TORC_ERR_INVALID)
        fail(self, "one of the fields cannot be added to a response");
    else
        self->err = err;
}

static void read_all(reading *self, const torc_static_files_options *options) {
    torc_static_config *config = self->config;

    config->list = options->list;
    config->dotfiles = options->dotfiles;
    config->has_siblings = !options->ignore_precompressed;
    config->extensions_are_codings = options->extensions_are_codings;
    config->child_not_found = options->child_not_found;
    config->forbidden = options->forbidden;
    read_cache(config, options);
    read_types(self, options);
    read_indexes(self, options->index);
    read_ignored(self, options->ignored_extensions);
    read_as_is(self, options->as_is_extensions);
    read_rules(self, options->cache_control);
    read_fields(self, options);
    config->not_found = read_path(self, "the not-found page", options->not_found);
    config->fallback = read_path(self, "the fallback", options->fallback);
}

torc_err torc_static_config_init(torc_static_config *self, const torc_static_files_options *given,
                                 char text[200]) {
    torc_static_files_options options = {.size = sizeof(options)};
    reading state = {.config = self, .text = text};

    *self = (torc_static_config){0};
    /* What is longer than the caller's struct is never read. */
    TORC_OPTIONS_READ(&options, given);
    read_all(&state, &options);
    if (state.err) torc_static_config_dispose(self);
    return state.err;
}

void torc_static_config_dispose(torc_static_config *self) {
    while (self->kept) {
        struct kept *next = self->kept->next;
        torc_dealloc(NULL, self->kept);
        self->kept = next;
    }
    torc_dealloc(NULL, self->rules);
    torc_site_fields_dispose(&self->fields);
    *self = (torc_static_config){0};
}

const char *torc_static_files_check(const torc_static_files_options *options, char text[200]) {
    torc_static_config config;
    const torc_err err = torc_static_config_init(&config, options, text);

    if (!err) torc_static_config_dispose(&config);
    if (err == TORC_OK) return NULL;
    return err == TORC_ERR_INVALID ? text : torc_err_text(err);
}

/* ---- types ---- */

static bool ends_with_nocase(torc_str name, torc_str end) {
    return name.len >= end.len &&
           torc_str_equals_nocase(torc_str_from(name, name.len - end.len), end);
}

bool torc_static_is_as_is(const torc_static_config *self, torc_str name) {
    for (uint32_t i = 0; i < self->as_is_count; i++)
        if (ends_with_nocase(name, self->as_is[i])) return true;
    return false;
}

/* The coding that an extension tells, and how much of the name it is. */
static torc_str coding_of(torc_str name, size_t *len) {
    static const struct {
        const char *extension, *coding;
    } codings[] = {
        {".gz", "gzip"}, {".br", "br"}, {".zst", "zstd"}, {".bz2", "bzip2"}, {".z", "compress"},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(codings); i++) {
        *len = strlen(codings[i].extension);
        if (name.len > *len && torc_str_equals_nocase(torc_str_from(name, name.len - *len),
                                                      torc_str_make(codings[i].extension, *len)))
            return torc_str_of(codings[i].coding);
    }
    *len = 0;
    return torc_str_make(NULL, 0);
}

torc_static_type torc_static_type_of(const torc_static_config *self, torc_str name) {
    torc_static_type found = {.coding = {0}};
    size_t len = 0;

    if (self->extensions_are_codings) found.coding = coding_of(name, &len);
    found.type = torc_media_types_find(self->media_types, torc_str_head(name, name.len - len));
    if (!found.type.bytes) found.type = self->default_type;
    if (ends_with_nocase(name, TORC_STR(".svgz"))) found.coding = TORC_STR("gzip");
    return found;
}
