/* SPDX-License-Identifier: MIT */
/*
 * Content-Security-Policy, from directives to text.
 *
 *  - What is checked at set-up is what browsers would leave out without a word: names that are
 *    misspelt, keywords without their quotes, a second directive of a name.
 *  - A source 'nonce' becomes 'nonce-' and TORC_CSP_NONCE_LEN bytes that are filled later, or
 *    nothing; a directive whose only source it was is 'none' then.
 */
#include "web/csp.h"

#include <stdio.h>

static const char *const names[] = {
    "base-uri",
    "child-src",
    "connect-src",
    "default-src",
    "fenced-frame-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "prefetch-src",
    "report-to",
    "report-uri",
    "require-trusted-types-for",
    "sandbox",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
    "upgrade-insecure-requests",
    "worker-src",
};

static const char *const keywords[] = {
    "none",
    "self",
    "strict-dynamic",
    "unsafe-eval",
    "unsafe-hashes",
    "unsafe-inline",
    "report-sample",
    "wasm-unsafe-eval",
    "inline-speculation-rules",
    "nonce",
};

#define NONCE TORC_STR("'nonce'")
#define NONCE_START TORC_STR("'nonce-")
#define NO_SOURCE TORC_STR("'none'")

static bool is_among(torc_str text, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (torc_str_equals(text, torc_str_of(list[i]))) return true;
    return false;
}

/* ---- checking ---- */

/* Trusted types and a sandbox have words of their own, which have no quotes. */
static bool has_sources(torc_str name) {
    return torc_str_ends_with(name, TORC_STR("-src")) ||
           torc_str_ends_with(name, TORC_STR("-src-elem")) ||
           torc_str_ends_with(name, TORC_STR("-src-attr")) ||
           torc_str_equals(name, TORC_STR("base-uri")) ||
           torc_str_equals(name, TORC_STR("form-action")) ||
           torc_str_equals(name, TORC_STR("frame-ancestors"));
}

static const char *check_source(torc_str name, torc_str source, char text[200]) {
    if (has_sources(name) && is_among(source, keywords, TORC_COUNT_OF(keywords))) {
        snprintf(text, 200, "the directive %.*s has %.*s without its quotes: write '%.*s'",
                 TORC_STR_ARGS(name), TORC_STR_ARGS(source), TORC_STR_ARGS(source));
        return text;
    }
    for (size_t i = 0; i < source.len; i++) {
        const unsigned char byte = (unsigned char)source.bytes[i];
        if (byte > ' ' && byte < 0x7f && byte != ';' && byte != ',') continue;
        snprintf(text, 200, "the directive %.*s has a source with a byte that none can have",
                 TORC_STR_ARGS(name));
        return text;
    }
    return NULL;
}

static const char *check_name(const torc_csp_directive *directives, size_t place, char text[200]) {
    const torc_str name = torc_str_of(directives[place].name);

    if (!is_among(name, names, TORC_COUNT_OF(names))) {
        const char *nearest = torc_str_nearest(name, names, TORC_COUNT_OF(names));
        snprintf(text, 200, "there is no directive '%.60s'%s%s%s", directives[place].name,
                 nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
        return text;
    }
    for (size_t i = 0; i < place; i++)
        if (torc_str_equals(name, torc_str_of(directives[i].name))) {
            snprintf(text, 200, "the directive %s is there twice: the second would not count",
                     directives[place].name);
            return text;
        }
    return NULL;
}

const char *torc_csp_check(const torc_csp_directive *directives, char text[200]) {
    for (size_t i = 0; directives[i].name; i++) {
        torc_str rest = torc_str_of(directives[i].sources), source;
        const char *wrong = check_name(directives, i, text);
        while (!wrong && torc_str_split(&rest, ' ', &source))
            wrong = check_source(torc_str_of(directives[i].name), source, text);
        if (wrong) return wrong;
    }
    if (!directives[0].name) return "a policy without directives forbids nothing";
    return torc_csp_len(directives, true) > TORC_CSP_BYTES_MAX ? "the policy is too long" : NULL;
}

/* ---- writing ---- */

typedef struct writing {
    char *to; /* NULL: it is only counted */
    size_t len;
} writing;

static void put(writing *self, torc_str text) {
    if (self->to) memcpy(self->to + self->len, text.bytes, text.len);
    self->len += text.len;
}

static void put_nonce(writing *self) {
    put(self, NONCE_START);
    if (self->to) memset(self->to + self->len, 0, TORC_CSP_NONCE_LEN);
    self->len += TORC_CSP_NONCE_LEN;
    put(self, TORC_STR("'"));
}

static void put_sources(writing *self, torc_str sources, bool has_nonce) {
    torc_str source;
    bool is_first = true, is_left_out = false;

    while (torc_str_split(&sources, ' ', &source)) {
        const bool is_nonce = torc_str_equals(source, NONCE);
        if (is_nonce && !has_nonce) is_left_out = true;
        if (source.len == 0 || (is_nonce && !has_nonce)) continue;
        put(self, TORC_STR(" "));
        if (is_nonce)
            put_nonce(self);
        else
            put(self, source);
        is_first = false;
    }
    if (is_first && is_left_out) {
        put(self, TORC_STR(" "));
        put(self, NO_SOURCE);
    }
}

static size_t write_all(const torc_csp_directive *directives, bool has_nonce, char *to) {
    writing self = {.to = to};

    for (size_t i = 0; directives[i].name; i++) {
        if (i) put(&self, TORC_STR("; "));
        put(&self, torc_str_of(directives[i].name));
        put_sources(&self, torc_str_of(directives[i].sources), has_nonce);
    }
    return self.len;
}

size_t torc_csp_len(const torc_csp_directive *directives, bool has_nonce) {
    return write_all(directives, has_nonce, NULL);
}

void torc_csp_write(const torc_csp_directive *directives, bool has_nonce, char *to) {
    (void)write_all(directives, has_nonce, to);
}

bool torc_csp_has_nonce(const torc_csp_directive *directives) {
    return torc_csp_len(directives, true) != torc_csp_len(directives, false);
}

const torc_csp_directive *torc_csp_strict(void) {
    static const torc_csp_directive strict[] = {
        {"default-src", "'self'"},       {"script-src", "'self' 'nonce'"},
        {"style-src", "'self' 'nonce'"}, {"object-src", "'none'"},
        {"base-uri", "'none'"},          {"form-action", "'self'"},
        {"frame-ancestors", "'none'"},   {NULL, NULL},
    };
    return strict;
}
