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
#include "web_errors.h"
#include "web_hosts.h"

enum {
    LIST_SIZE = TORC_STATIC_LIST_MAX + 1,
    MIME_TYPES_MAX = 256
};

/* What is asked for. The lists end in NULL. */
typedef struct web {
    const char *path;
    char served[PATH_MAX + 16];
    const char *index[LIST_SIZE], *ignored_extensions[LIST_SIZE], *as_is_extensions[LIST_SIZE],
        *cache_control[LIST_SIZE];
    bool compresses;
    const char *codings, *coded_types; /* NULL: all, the usual ones */
    uint64_t coded_bytes_min;          /* 0: the default */
    torc_static_files_options files;
    const char *mime_types[MIME_TYPES_MAX];
    size_t mime_type_count;
    torc_media_types *media_types; /* NULL: those that are built in */
    const char *rate;              /* of each client; NULL: any */
} web;

/* ---- options ---- */

/* Say what is served as people know it: by its whole path, while that can be told. */
static void set_path(torc_app *app, web *self, const char *path) {
    char whole[PATH_MAX];

    self->path = path;
    snprintf(self->served, sizeof(self->served), "%s", realpath(path, whole) ? whole : path);
    torc_app_set_subject(app, self->served);
}

/* What is wrong with the options for files, now that one was set. */
static const char *check(const web *self, char text[160]) {
    char wrong[200];

    if (!torc_static_files_check(&self->files, wrong)) return NULL;
    snprintf(text, 160, "%.159s", wrong);
    return text;
}

/* Put a value at the end of a list, which is used from then on. */
static const char *add(web *self, const char *list[LIST_SIZE], const char *const **used,
                       const char *value, char text[160]) {
    size_t count = 0;

    while (list[count]) count++;
    if (count == LIST_SIZE - 1) return "given too often";
    list[count] = value;
    *used = list;
    return check(self, text);
}

static const char *apply_path(torc_app *app, const char *value, char text[160]) {
    (void)text;
    if (!*value) return "name a folder or a file";
    set_path(app, torc_app_context(app), value);
    return NULL;
}

static const char *apply_index(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    self->files.index = self->index;
    if (!*value) {
        self->index[0] = NULL;
        return NULL;
    }
    return add(self, self->index, &self->files.index, value, text);
}

static const char *apply_ignore_ext(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    return add(self, self->ignored_extensions, &self->files.ignored_extensions, value, text);
}

static const char *apply_as_is(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    return add(self, self->as_is_extensions, &self->files.as_is_extensions, value, text);
}

static const char *apply_cache_control(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    return add(self, self->cache_control, &self->files.cache_control, value, text);
}

/* A pair has its `=` before any slash; what has none, or a folder before it, is a file. */
static bool is_pair(const char *value) {
    return value[strcspn(value, "=/")] == '=';
}

/* Add what a file says. What is wrong with it, in `text`, or NULL; `*line`: where, or 0 when it
 * cannot be read. */
static const char *load_types(torc_media_types *types, const char *path, size_t *line,
                              char text[160]) {
    torc_media_types_error error = {0};
    const torc_err err = torc_media_types_load(types, path, &error);

    *line = error.line;
    if (!err) return NULL;
    if (error.line)
        snprintf(text, 160, "line %zu: %.120s", error.line, error.text);
    else
        snprintf(text, 160, "neither EXT=TYPE nor a file that can be read: %.100s", error.text);
    return text;
}

static const char *add_types(torc_media_types *types, const char *value, size_t *line,
                             char text[160]) {
    if (!is_pair(value)) return load_types(types, value, line, text);
    return torc_media_types_add_pair(types, torc_str_of(value))
               ? "write EXT=TYPE, for example md=text/markdown"
               : NULL;
}

/* It is read now, so that a mistake is told, and anew by whoever begins to serve. */
static const char *apply_mime_type(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);
    size_t line;

    if (self->mime_type_count == MIME_TYPES_MAX) return "given too often; put them into a file";
    if (!self->media_types) self->media_types = torc_media_types_new();
    if (!self->media_types) return torc_err_text(TORC_ERR_NO_MEMORY);
    self->files.media_types = self->media_types;
    self->mime_types[self->mime_type_count++] = value;
    return add_types(self->media_types, value, &line, text);
}

static const char *apply_default_type(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    self->files.default_type = value;
    return check(self, text);
}

static const char *apply_charset(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    self->files.charset = value;
    return check(self, text);
}

static const char *apply_not_found(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    self->files.not_found = value;
    return check(self, text);
}

static const char *apply_fallback(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    self->files.fallback = value;
    return check(self, text);
}

static const char *apply_list(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    (void)value;
    (void)text;
    self->files.list = true;
    return NULL;
}

/* Bytes, or K, M or G of them. */
static const char *apply_file_cache(torc_app *app, const char *value, char text[160]) {
    static const char units[] = "KMG";
    web *self = torc_app_context(app);
    torc_str digits = torc_str_of(value);
    const char *unit = digits.len ? strchr(units, digits.bytes[digits.len - 1]) : NULL;
    unsigned shift = 0;
    uint64_t bytes;

    (void)text;
    self->files.cache_is_off = strcmp(value, "off") == 0;
    if (self->files.cache_is_off) return NULL;
    if (unit) {
        digits.len--;
        shift = 10 * (unsigned)(unit - units + 1);
    }
    if (torc_str_parse_uint(digits, (SIZE_MAX >> 1) >> shift, &bytes) || bytes == 0)
        return "write a size as 512K, 64M or 1G, or off";
    self->files.cache_bytes_max = (size_t)(bytes << shift);
    return NULL;
}

static const char *apply_dotfiles(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    (void)value;
    (void)text;
    self->files.dotfiles = true;
    return NULL;
}

static const char *apply_no_precompressed(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    (void)value;
    (void)text;
    self->files.ignore_precompressed = true;
    return NULL;
}

static const char *apply_codings_by_ext(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    (void)value;
    (void)text;
    self->files.extensions_are_codings = true;
    return NULL;
}

static torc_rate_limit_options rate_options(const char *rate) {
    return (torc_rate_limit_options){.size = sizeof(torc_rate_limit_options), .rate = rate};
}

static const char *apply_rate_limit(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);
    const torc_rate_limit_options limit = rate_options(value);
    char wrong[200];

    self->rate = strcmp(value, "none") == 0 ? NULL : value;
    if (!self->rate || !torc_rate_limit_check(&limit, wrong)) return NULL;
    snprintf(text, 160, "%.159s", wrong);
    return text;
}

static torc_compress_options compress_options(const web *self) {
    return (torc_compress_options){.size = sizeof(torc_compress_options),
                                   .codings = self->codings,
                                   .types = self->coded_types,
                                   .bytes_min = self->coded_bytes_min};
}

/* What is wrong with the options for compression, now that one was set. */
static const char *check_compression(const web *self, char text[160]) {
    const torc_compress_options given = compress_options(self);
    char wrong[200];

    if (!torc_compress_check(&given, wrong)) return NULL;
    snprintf(text, 160, "%.159s", torc_compress_check(&given, wrong));
    return text;
}

static const char *apply_compress(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    self->compresses = strcmp(value, "off") != 0;
    self->codings = !self->compresses || strcmp(value, "on") == 0 ? NULL : value;
    return check_compression(self, text);
}

static const char *apply_compress_type(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);

    self->coded_types = value;
    return check_compression(self, text);
}

static const char *apply_compress_min(torc_app *app, const char *value, char text[160]) {
    web *self = torc_app_context(app);
    uint64_t bytes;

    (void)text;
    if (torc_str_parse_uint(torc_str_of(value), 1 << 30, &bytes)) return "write a number of bytes";
    self->coded_bytes_min = bytes ? bytes : 1;
    return NULL;
}

/* Their order is that of the help. */
static const struct {
    const char *name, *argument, *help;
    torc_app_option_fn *apply;
} options[] = {
    {"path", "PATH",
     "the folder to serve, or a single file (.)\n"
     "A single file answers at / and at its own name. With `--chroot` the path is one within that "
     "folder.",
     apply_path},
    {"index", "NAME...",
     "a file that answers for its folder (index.html)\n"
     "Given several times, the first that is there answers. An empty name forgets those before: "
     "then none does.",
     apply_index},
    {"list", NULL,
     "answer for a folder without an index by its list\n"
     "A page that can be sorted by name, size and time; JSON for who asks for it, by Accept or by "
     "`?format=json`.",
     apply_list},
    {"mime-type", "EXT=TYPE|FILE...",
     "a media type, or a file in the format of mime.types\n"
     "As in `md=text/markdown`. Some 340 extensions are known; these go before them. A file is "
     "read at the start, and at each reload.",
     apply_mime_type},
    {"default-type", "TYPE", "of unknown extensions (application/octet-stream)",
     apply_default_type},
    {"charset", "NAME", "what types of text say of themselves, as utf-8 (nothing)", apply_charset},
    {"ignore-ext", "EXT...",
     "an extension that a path may lack; `*`: any one\n"
     "With `--ignore-ext html` the path /about is answered by about.html, when there is no about.",
     apply_ignore_ext},
    {"as-is-ext", "EXT...",
     "an extension of files that are whole responses\n"
     "With `--as-is-ext asis` the file gone.asis begins with a head: lines as in HTTP, the first "
     "one `Status: 410` say, up to an empty line. Of what it says all is sent but what frames the "
     "message; one that cannot be understood is answered with status 500.",
     apply_as_is},
    {"cache-control", "PATTERN=VALUE...",
     "for files that match, as '*.css=max-age=86400'\n"
     "A pattern without a slash is for names, one that begins with a slash for paths; `*` stands "
     "for any letters, `?` for one. The first that matches counts.",
     apply_cache_control},
    {"not-found", "FILE",
     "a page in the folder for what is not found\n"
     "It is sent with status 404.",
     apply_not_found},
    {"fallback", "FILE",
     "a page for paths that only the application knows\n"
     "For single-page applications: the file is sent, with status 200, where nothing is found and "
     "a "
     "page might be meant: the last name of the path has no dot, and HTML is accepted.",
     apply_fallback},
    {"no-precompressed", NULL,
     "look for no page.html.br, .zst or .gz\n"
     "Such a file, when it is no older than page.html itself, is sent to who accepts its coding.",
     apply_no_precompressed},
    {"codings-by-ext", NULL,
     "a last .gz, .br, .zst, .bz2 or .Z is a coding\n"
     "A data.tar.gz is then a tar file in gzip, which browsers unpack, and not a file of type "
     "application/gzip, which they save.",
     apply_codings_by_ext},
    {"file-cache", "SIZE|off",
     "memory for contents of files, of each worker (32M)\n"
     "Changes are noticed. With `off` everything is looked at for each request.",
     apply_file_cache},
    {"dotfiles", NULL, "serve names that begin with a dot, too", apply_dotfiles},
    {"compress", "LIST|on|off",
     "compress what gets shorter: zstd, br, gzip (off)\n"
     "Of what the client likes equally the first of the list is used; `on` stands for all three. "
     "The files that are asked for most are better compressed beforehand: see "
     "`--no-precompressed`.",
     apply_compress},
    {"compress-type", "LIST",
     "types that are compressed (text, JSON, XML, scripts …)\n"
     "As in `text/*, application/json, +xml`: types, kinds, suffixes. Instead of those that are "
     "known.",
     apply_compress_type},
    {"compress-min", "BYTES", "leave alone what is shorter (256)", apply_compress_min},
    {"rate-limit", "RATE",
     "of each client: 100/s or 30/min,burst=60 (none)\n"
     "Who comes sooner is answered with status 429, and told when to come again; all workers count "
     "together. A client is an address, of IPv6 a network of 64 bits; behind a proxy, whom that "
     "tells of (`--trusted-proxy`). `none`: no limit.",
     apply_rate_limit},
};

static void add_options(torc_app *app) {
    torc_app_add_group(app, "Files");
    for (size_t i = 0; i < TORC_COUNT_OF(options); i++) {
        if (options[i].apply == apply_compress) torc_app_add_group(app, "Responses");
        torc_app_add_option(app, options[i].name, options[i].argument, options[i].help,
                            options[i].apply);
    }
    torc_web_errors_add_option(app);
    torc_web_hosts_add_options(app);
}

/* ---- serving ---- */

/* End the program with a line that says why. */
static void refuse(torc_app *app, const char *path, const char *why) {
    char text[240];

    snprintf(text, sizeof(text), "--path %.150s: %s", path, why);
    torc_app_refuse(app, text);
}

/* A single file is the root, and stands there by its name, too. */
static void put_file(torc_resource *root, const web *self) {
    const char *slash = strrchr(self->path, '/');

    torc_resource_put_child(root, "", torc_static_files_new(self->path, &self->files));
    torc_resource_put_child(root, slash ? slash + 1 : self->path,
                            torc_static_files_new(self->path, &self->files));
}

/*
 * Files of media types are read anew: after a reload this is another process. A file with a mistake
 * ends it, and who served before goes on; one that cannot be read (any more, or from within
 * --chroot) is used as it was when the arguments were read.
 */
static void read_types_anew(torc_app *app, web *self) {
    torc_media_types *types = self->media_types ? torc_media_types_new() : NULL;
    const char *wrong = NULL;
    char text[160], what[240];
    size_t i = 0, line = 0;

    if (!types) return;
    for (; i < self->mime_type_count && !wrong; i++)
        wrong = add_types(types, self->mime_types[i], &line, text);
    if (!wrong) {
        torc_media_types_free(self->media_types);
        self->files.media_types = self->media_types = types;
        return;
    }
    torc_media_types_free(types);
    snprintf(what, sizeof(what), "--mime-type %.75s: %s", self->mime_types[i - 1], wrong);
    if (line > 0)
        torc_app_refuse(app, what);
    else
        TORC_LOG_WARN(torc_reactor_log(torc_app_reactor(app)), "web",
                      "media types stay as they were read first", TORC_LOG_TEXT("why", what));
}

static void start(torc_app *app) {
    web *self = torc_app_context(app);
    torc_resource *root = torc_app_root(app);
    const torc_rate_limit_options limit = rate_options(self->rate);
    struct stat about;

    read_types_anew(app, self);
    if (self->compresses) {
        const torc_compress_options compress = compress_options(self);
        torc_app_use(app, torc_compress_new(&compress));
    }
    if (self->rate) torc_app_use(app, torc_rate_limit_new(&limit));
    torc_web_errors_put(app);
    if (stat(self->path, &about))
        refuse(app, self->path,
               errno == ENOENT ? "there is no such folder or file"
                               : torc_err_text(torc_err_from_errno(errno)));
    else if (S_ISDIR(about.st_mode))
        torc_resource_put_rest(root, torc_static_files_new(self->path, &self->files));
    else if (S_ISREG(about.st_mode))
        put_file(root, self);
    else
        refuse(app, self->path, "it is neither a folder nor a file");
    torc_web_hosts_put(app, &self->files);
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
    const int exit_code = torc_app_run(app, argc, argv);
    torc_media_types_free(self.media_types);
    return exit_code;
}
