/* SPDX-License-Identifier: MIT */
/*
 * Rules that change paths.
 *
 *  - A rule is read once, when it is added; its slices point into its own copy of the two texts.
 *  - What `{name}` matched is decoded, and escaped anew where it is put: so it stays one segment.
 *  - What comes of a template is a path of its own before it is joined with what is left; the
 *    request's path is replaced by it in one step, or not at all.
 */
#include "web/rewrite.h"

#include <stdio.h>
#include <torc/link.h>
#include <torc/status.h>
#include <torc/url.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "http/request.h"
#include "web/tree.h"

enum {
    SEGMENTS_MAX = 16,
    PATH_BYTES_MAX = 64 * 1024
};

/* A segment of a pattern: `before`{name}`after`; without a name `before` alone. */
typedef struct part {
    torc_str before, name, after;
} part;

typedef struct rule rule;
struct rule {
    rule *next;
    torc_rewrite_fn *function; /* of such a rule; nothing else is set then but its context */
    void *context;
    int status; /* of a redirect; 0: none */
    bool is_whole;
    bool is_url; /* the template is one */
    uint32_t count;
    part parts[SEGMENTS_MAX];
    torc_str to;    /* the template, up to its query */
    torc_str query; /* its query; `.bytes` NULL: it has none */
    char text[];    /* pattern and template */
};

struct torc_rewrites {
    rule *first;
};

/* ---- reading rules ---- */

static bool is_name(torc_str name) {
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.bytes[i];
        if (!torc_is_alnum(c) && c != '_') return false;
    }
    return name.len > 0;
}

/* What stands between braces from `text` on; NULL: nothing is wrong. `*name` has no bytes when
 * there are no braces. */
static const char *find_name(torc_str text, part *found) {
    const ptrdiff_t open = torc_str_find_byte(text, '{'), shut = torc_str_find_byte(text, '}');

    *found = (part){.before = text};
    if (open < 0 && shut < 0) return NULL;
    if (open < 0 || shut < open) return "a `{` and a `}` belong together";
    found->before = torc_str_head(text, (size_t)open);
    found->name = torc_str_make(text.bytes + open + 1, (size_t)(shut - open - 1));
    found->after = torc_str_from(text, (size_t)shut + 1);
    return is_name(found->name) ? NULL : "a name is made of letters, digits and `_`: {name}";
}

static const char *read_part(torc_str segment, part *to) {
    const char *wrong = find_name(segment, to);

    if (wrong) return wrong;
    if (torc_str_find_byte(to->after, '{') >= 0 || torc_str_find_byte(to->after, '}') >= 0)
        return "a segment has one {name}";
    return NULL;
}

static const char *read_from(rule *self, torc_str from) {
    torc_str segment;

    if (from.len && from.bytes[from.len - 1] == '$') {
        self->is_whole = true;
        from.len--;
    }
    if (from.len == 0 || from.bytes[0] != '/') return "a pattern begins with `/`";
    from = torc_str_from(from, 1);
    if (from.len == 0 && !self->is_whole) return NULL; /* "/": the beginning of any path */
    while (torc_str_split(&from, '/', &segment)) {
        if (self->count == SEGMENTS_MAX) return "a pattern has at most 16 segments";
        const char *wrong = read_part(segment, &self->parts[self->count++]);
        if (wrong) return wrong;
    }
    return NULL;
}

static const part *find_part(const rule *self, torc_str name) {
    for (uint32_t i = 0; i < self->count; i++)
        if (self->parts[i].name.len && torc_str_equals(self->parts[i].name, name))
            return &self->parts[i];
    return NULL;
}

static const char *check_template(const rule *self, torc_str text) {
    part found;

    while (text.len) {
        const char *wrong = find_name(text, &found);
        if (wrong) return wrong;
        if (found.name.len && !find_part(self, found.name))
            return "the template names what the pattern has not";
        for (size_t i = 0; i < found.before.len; i++)
            if (found.before.bytes[i] <= ' ' || found.before.bytes[i] > '~' ||
                found.before.bytes[i] == '#')
                return "a template is a path, percent-encoded where that is needed";
        text = found.after;
    }
    return NULL;
}

static const char *read_to(rule *self, torc_str to) {
    const ptrdiff_t mark = torc_str_find_byte(to, '?');

    self->is_url = torc_str_starts_with(to, TORC_STR("http://")) ||
                   torc_str_starts_with(to, TORC_STR("https://"));
    if (self->is_url && !self->status)
        return "a URL is for redirects: a rewritten path begins with `/`";
    if (!self->is_url && (to.len == 0 || to.bytes[0] != '/')) return "a template begins with `/`";
    self->to = mark < 0 ? to : torc_str_head(to, (size_t)mark);
    if (mark >= 0) self->query = torc_str_from(to, (size_t)mark + 1);
    const char *wrong = check_template(self, self->to);
    return wrong ? wrong : check_template(self, self->query);
}

static const char *read_rule(rule *self, torc_str from, torc_str to) {
    const char *wrong = read_from(self, from);

    for (uint32_t i = 0; !wrong && i < self->count; i++)
        if (self->parts[i].name.len && find_part(self, self->parts[i].name) != &self->parts[i])
            wrong = "two {name} of a pattern are the same";
    if (!wrong) wrong = read_to(self, to);
    if (!wrong && self->status && !torc_status_is_redirect(self->status))
        wrong = "a redirect is 301, 302, 303, 307 or 308";
    return wrong;
}

/* ---- adding rules ---- */

static void dispose_rule(rule *self) {
    torc_dealloc(NULL, self);
}

static bool attach(torc_resource *resource, rule *self) {
    torc_scope *scope = torc_scope_of(resource);
    rule **last;

    if (!scope) return false;
    if (!scope->rewrites)
        scope->rewrites = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*scope->rewrites));
    if (!scope->rewrites) return false;
    for (last = &scope->rewrites->first; *last; last = &(*last)->next) continue;
    *last = self;
    return true;
}

static void add(torc_resource *resource, rule *self, const char *from, const char *wrong) {
    char text[120];

    if (!wrong && self && attach(resource, self)) return;
    snprintf(text, sizeof(text), "rewriting \"%s\": %s", from,
             wrong ? wrong : torc_err_text(TORC_ERR_NO_MEMORY));
    torc_resource_fail(resource, wrong ? TORC_ERR_SYNTAX : TORC_ERR_NO_MEMORY, text);
    dispose_rule(self);
}

static void add_texts(torc_resource *resource, int status, const char *from, const char *to) {
    const size_t from_len = strlen(from), to_len = strlen(to);
    rule *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self) + from_len + to_len + 1);
    const char *wrong = NULL;

    if (self) {
        memcpy(self->text, from, from_len);
        memcpy(self->text + from_len, to, to_len);
        self->status = status;
        wrong = read_rule(self, torc_str_make(self->text, from_len),
                          torc_str_make(self->text + from_len, to_len));
    }
    add(resource, self, from, wrong);
}

void torc_resource_rewrite(torc_resource *resource, const char *from, const char *to) {
    add_texts(resource, 0, from, to);
}

void torc_resource_rewrite_redirect(torc_resource *resource, int status, const char *from,
                                    const char *to) {
    add_texts(resource, status ? status : -1, from, to);
}

void torc_resource_rewrite_by(torc_resource *resource, torc_rewrite_fn *rewrite, void *context) {
    rule *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (self) {
        self->function = rewrite;
        self->context = context;
    }
    add(resource, self, "by a function", NULL);
}

void torc_rewrites_dispose(torc_rewrites *rewrites) {
    rule *at = rewrites ? rewrites->first : NULL;

    while (at) {
        rule *next = at->next;
        dispose_rule(at);
        at = next;
    }
    torc_dealloc(NULL, rewrites);
}

/* ---- applying them ---- */

static bool fits(const part *self, torc_str segment) {
    if (!self->name.len) return torc_str_equals(self->before, segment);
    return segment.len > self->before.len + self->after.len &&
           torc_str_starts_with(segment, self->before) && torc_str_ends_with(segment, self->after);
}

static bool matches(const rule *self, const torc_path *path) {
    const uint32_t left = path->count - path->depth;

    if (self->count > left || (self->is_whole && self->count != left)) return false;
    for (uint32_t i = 0; i < self->count; i++)
        if (!fits(&self->parts[i], path->decoded[path->depth + i])) return false;
    return true;
}

static torc_str value_of(const rule *self, const torc_path *path, torc_str name) {
    const part *at = find_part(self, name);
    const torc_str segment = path->decoded[path->depth + (uint32_t)(at - self->parts)];

    return torc_str_make(segment.bytes + at->before.len,
                         segment.len - at->before.len - at->after.len);
}

static void add_template(torc_buf *to, const rule *self, const torc_path *path, torc_str text) {
    part found;

    while (text.len) {
        (void)find_name(text, &found);
        torc_buf_add(to, found.before);
        if (found.name.len) torc_url_add_escaped(to, value_of(self, path, found.name));
        text = found.after;
    }
}

/* The segments behind those that the pattern names, as they were sent. */
static void add_rest(torc_buf *to, const rule *self, const torc_path *path) {
    bool has_slash = to->len && to->bytes[to->len - 1] == '/'; /* the template ends in one */

    for (uint32_t i = path->depth + self->count; i < path->count; i++) {
        torc_buf_addf(to, "%s%.*s", has_slash ? "" : "/", TORC_STR_ARGS(path->raw[i]));
        has_slash = false;
    }
}

static void add_query(torc_buf *to, const rule *self, const torc_path *path, torc_str asked) {
    const bool drops = self->query.bytes && self->query.len == 0;

    if (self->query.len) {
        torc_buf_add_byte(to, '?');
        add_template(to, self, path, self->query);
    }
    if (asked.len && !drops) {
        torc_buf_add_byte(to, self->query.len ? '&' : '?');
        torc_buf_add(to, asked);
    }
    if (drops && !self->status) torc_buf_add_byte(to, '?');
}

/*
 * What was asked for would make the name of a host of a path: "//evil.example", or with a `\`,
 * which browsers take for a slash. "/." in front says that it is a path. A template may name a
 * host.
 */
static bool names_host(const rule *self, torc_str location) {
    return location.len > 1 && location.bytes[0] == '/' &&
           (location.bytes[1] == '/' || location.bytes[1] == '\\') &&
           !torc_str_starts_with(self->to, TORC_STR("//"));
}

/* A redirect to what the rule makes: a path is one from the root on. */
static torc_resource *new_redirect(const rule *self, const torc_path *path, torc_str made,
                                   torc_buf *location) {
    torc_resource *redirect;
    torc_str text;

    torc_buf_add(location, TORC_STR("/."));
    for (uint32_t i = 0; !self->is_url && i < path->depth; i++)
        torc_buf_addf(location, "/%.*s", TORC_STR_ARGS(path->raw[i]));
    torc_buf_add(location, made);
    torc_buf_add_byte(location, '\0');
    if (torc_buf_err(location)) return NULL;
    text = torc_str_from(torc_buf_str(location), 2);
    redirect =
        torc_redirect_new(self->status, names_host(self, text) ? location->bytes : text.bytes);
    if (redirect) redirect->is_temporary = redirect->is_leaf = true;
    return redirect;
}

static torc_err apply(const rule *self, torc_request *request, torc_resource **redirect) {
    torc_memory *memory = torc_reactor_memory(torc_request_reactor(request));
    const torc_path *path = torc_request_path_of(request);
    torc_buf made, location;
    torc_err err;

    torc_buf_init(&made, memory, TORC_MEMORY_OTHER, PATH_BYTES_MAX);
    torc_buf_init(&location, memory, TORC_MEMORY_OTHER, PATH_BYTES_MAX);
    add_template(&made, self, path, self->to);
    add_rest(&made, self, path);
    add_query(&made, self, path, torc_request_query(request));
    err = torc_buf_err(&made);
    if (!err && self->status) {
        *redirect = new_redirect(self, path, torc_buf_str(&made), &location);
        err = *redirect ? TORC_OK : TORC_ERR_NO_MEMORY;
    } else if (!err) {
        err = torc_request_set_rest(request, path->depth, torc_buf_str(&made));
    }
    torc_buf_dispose(&made);
    torc_buf_dispose(&location);
    return err;
}

torc_err torc_rewrites_apply(const torc_rewrites *rewrites, torc_request *request,
                             torc_resource **redirect) {
    torc_err err = TORC_OK;

    *redirect = NULL;
    for (const rule *at = rewrites->first; at && !err && !*redirect; at = at->next) {
        if (at->function)
            err = at->function(request, at->context);
        else if (matches(at, torc_request_path_of(request)))
            err = apply(at, request, redirect);
    }
    return err;
}
