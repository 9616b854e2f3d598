/* SPDX-License-Identifier: MIT */
/*
 * Reading the formats of access logs.
 *
 *  - Those that have names are written in the same language: `json` and `logfmt` differ in style,
 *    by which texts get their quotes, and have two variables of their own, %W and %{target}r.
 *  - Steps are first counted, then made: both by the same walk.
 */
#include "web/access_format.h"

#include <stdio.h>
#include <torc/log.h>

#include "base/alloc.h"

enum {
    STEPS_MAX = 128,
    BUDGET_MAX = 4096, /* bytes of a value, escaped */
    BUDGET_MIN = 64    /* enough for every number, time and address */
};

#define COMMON "%h %l %u %t \"%r\" %>s %b"

/* Names of formats, which nobody else's text is, since one variable at least must be in it. */
static const struct named {
    const char *name;
    torc_access_style style;
    const char *text;
} named[] = {
    {"common", TORC_ACCESS_TEXT, COMMON},
    {"combined", TORC_ACCESS_TEXT, COMMON " \"%{Referer}i\" \"%{User-Agent}i\""},
    {"json", TORC_ACCESS_JSON,
     "{\"time\":%{iso}t,\"client\":%h,\"user\":%u,\"method\":%m,\"target\":%{target}r,"
     "\"protocol\":%H,\"host\":%v,\"status\":%s,\"body_bytes\":%B,\"sent_bytes\":%O,"
     "\"duration_us\":%D,\"referer\":%{Referer}i,\"user_agent\":%{User-Agent}i,\"error\":%W}"},
    {"logfmt", TORC_ACCESS_LOGFMT,
     "time=%{iso}t client=%h user=%u method=%m target=%{target}r protocol=%H host=%v status=%s "
     "body_bytes=%B sent_bytes=%O duration_us=%D referer=%{Referer}i user_agent=%{User-Agent}i "
     "error=%W"},
};

/* Variables by their letter and what stands in braces before it, "*": the name of a field. */
static const struct variable {
    char letter;
    const char *argument;
    torc_access_kind kind;
} variables[] = {
    {'h', NULL, TORC_ACCESS_CLIENT},      {'a', NULL, TORC_ACCESS_CLIENT},
    {'a', "c", TORC_ACCESS_PEER},         {'l', NULL, TORC_ACCESS_USER},
    {'u', NULL, TORC_ACCESS_USER},        {'t', NULL, TORC_ACCESS_TIME_CLF},
    {'t', "iso", TORC_ACCESS_TIME_ISO},   {'t', "sec", TORC_ACCESS_TIME_S},
    {'t', "msec", TORC_ACCESS_TIME_MS},   {'t', "usec", TORC_ACCESS_TIME_US},
    {'r', NULL, TORC_ACCESS_LINE},        {'r', "target", TORC_ACCESS_TARGET},
    {'m', NULL, TORC_ACCESS_METHOD},      {'U', NULL, TORC_ACCESS_PATH},
    {'q', NULL, TORC_ACCESS_QUERY},       {'H', NULL, TORC_ACCESS_PROTOCOL},
    {'v', NULL, TORC_ACCESS_HOST},        {'p', NULL, TORC_ACCESS_PORT},
    {'s', NULL, TORC_ACCESS_STATUS},      {'b', NULL, TORC_ACCESS_BODY_BYTES_OR_DASH},
    {'B', NULL, TORC_ACCESS_BODY_BYTES},  {'O', NULL, TORC_ACCESS_SENT_BYTES},
    {'D', NULL, TORC_ACCESS_DURATION_US}, {'T', NULL, TORC_ACCESS_DURATION_S},
    {'T', "s", TORC_ACCESS_DURATION_S},   {'T', "ms", TORC_ACCESS_DURATION_MS},
    {'T', "us", TORC_ACCESS_DURATION_US}, {'X', NULL, TORC_ACCESS_STATE},
    {'W', NULL, TORC_ACCESS_REASON},      {'L', NULL, TORC_ACCESS_REQUEST_ID},
    {'P', NULL, TORC_ACCESS_PROCESS},     {'i', "*", TORC_ACCESS_FIELD_IN},
    {'o', "*", TORC_ACCESS_FIELD_OUT},
};

/* A format that is being read. */
typedef struct reading {
    torc_str text;
    size_t at;
    torc_access_format_error *error;
    torc_access_format *format; /* NULL while steps are counted */
    char *free_text;
    uint32_t count, variables;
} reading;

static torc_err mistake(const reading *self, size_t place, const char *text) {
    if (self->error) {
        self->error->place = place;
        snprintf(self->error->text, sizeof(self->error->text), "%s", text);
    }
    return TORC_ERR_SYNTAX;
}

/* Something is wrong with the variable that ends here. */
static torc_err mistake_in(const reading *self, size_t start, const char *text) {
    const size_t len = self->at - start < 40 ? self->at - start : 40;
    char line[120];

    snprintf(line, sizeof(line), "`%.*s` %s", (int)len, self->text.bytes + start, text);
    return mistake(self, start, line);
}

/* A copy of the text, with a NUL behind. */
static torc_str keep(reading *self, torc_str text) {
    char *to = self->free_text;

    memcpy(to, text.bytes, text.len);
    to[text.len] = '\0';
    self->free_text += text.len + 1;
    return torc_str_make(to, text.len);
}

static torc_err push(reading *self, torc_access_kind kind, torc_str text) {
    if (self->count == STEPS_MAX)
        return mistake(self, self->at, "more than 128 variables and texts");
    if (self->format) {
        torc_access_step *step = &self->format->steps[self->count];
        step->kind = kind;
        step->field = torc_field_find(text);
        step->text = text.len ? keep(self, text) : text;
    }
    self->count++;
    self->variables += kind != TORC_ACCESS_LITERAL;
    return TORC_OK;
}

static bool is_named(const struct variable *of, char letter, torc_str argument) {
    if (of->letter != letter) return false;
    if (!of->argument) return !argument.bytes;
    if (strcmp(of->argument, "*") == 0) return argument.bytes != NULL;
    return argument.bytes && torc_str_equals(torc_str_of(of->argument), argument);
}

static bool is_letter(char letter) {
    for (size_t i = 0; i < TORC_COUNT_OF(variables); i++)
        if (variables[i].letter == letter) return true;
    return false;
}

static torc_err read_named(reading *self, size_t start, char letter, torc_str argument) {
    for (size_t i = 0; i < TORC_COUNT_OF(variables); i++) {
        const struct variable *of = &variables[i];
        if (!is_named(of, letter, argument)) continue;
        const bool is_field = of->argument && of->argument[0] == '*';
        if (is_field && !torc_field_name_is_valid(argument))
            return mistake_in(self, start, "does not name a field");
        if (is_field && torc_log_is_secret(argument))
            return mistake_in(self, start, "names credentials, which are not logged");
        return push(self, of->kind, is_field ? argument : torc_str_make(NULL, 0));
    }
    if (letter == 'i' || letter == 'o')
        return mistake_in(self, start, "names no field: write %{Referer}i");
    if (is_letter(letter)) return mistake_in(self, start, "is not known with these braces");
    return mistake_in(self, start, "is no variable");
}

/* What stands behind a percent sign: `{argument}`, `>`, and a letter. */
static torc_err read_variable(reading *self) {
    const size_t start = self->at++;
    torc_str argument = {0};

    if (self->at < self->text.len && self->text.bytes[self->at] == '%') {
        self->at++;
        return push(self, TORC_ACCESS_LITERAL, TORC_STR("%"));
    }
    if (self->at < self->text.len && self->text.bytes[self->at] == '{') {
        const torc_str rest = torc_str_from(self->text, self->at + 1);
        const ptrdiff_t end = torc_str_find_byte(rest, '}');
        if (end < 0) return mistake(self, start, "a brace is not closed");
        argument = torc_str_head(rest, (size_t)end);
        self->at += (size_t)end + 2;
    }
    if (self->at < self->text.len && self->text.bytes[self->at] == '>') self->at++;
    if (self->at == self->text.len)
        return mistake(self, start, "a `%` alone: a percent sign is `%%`");
    const char letter = self->text.bytes[self->at++];
    return read_named(self, start, letter, argument);
}

static torc_err read_literal(reading *self) {
    const size_t start = self->at;

    while (self->at < self->text.len && self->text.bytes[self->at] != '%') {
        const unsigned char byte = (unsigned char)self->text.bytes[self->at];
        if (byte < ' ' && byte != '\t')
            return mistake(self, self->at, "a line has no control characters");
        self->at++;
    }
    return push(self, TORC_ACCESS_LITERAL,
                torc_str_make(self->text.bytes + start, self->at - start));
}

static torc_err read_all(reading *self) {
    torc_err err = TORC_OK;

    self->at = self->count = self->variables = 0;
    while (!err && self->at < self->text.len)
        err = self->text.bytes[self->at] == '%' ? read_variable(self) : read_literal(self);
    if (!err && self->variables == 0)
        err = mistake(self, 0,
                      "no variable is in it; formats by name are common, combined, json, "
                      "logfmt");
    return err;
}

/* So much for each value that all of them, and the texts, are within a line. */
static torc_err share_out(reading *self, size_t *budget) {
    const size_t fixed = self->text.len + 1;

    if (fixed > TORC_LOG_LINE_MAX / 2) return mistake(self, 0, "it is too long");
    *budget = (TORC_LOG_LINE_MAX - fixed) / self->variables;
    if (*budget > BUDGET_MAX) *budget = BUDGET_MAX;
    if (*budget < BUDGET_MIN) return mistake(self, 0, "it is too long");
    return TORC_OK;
}

torc_err torc_access_format_parse(torc_str text, torc_access_format_error *error,
                                  torc_access_format **format) {
    reading self = {.text = text, .error = error};
    torc_access_style style = TORC_ACCESS_TEXT;
    size_t budget = 0;

    for (size_t i = 0; i < TORC_COUNT_OF(named); i++)
        if (torc_str_equals(text, torc_str_of(named[i].name))) {
            self.text = torc_str_of(named[i].text);
            style = named[i].style;
        }
    torc_err err = read_all(&self);
    if (!err) err = share_out(&self, &budget);
    if (err) return err;
    const size_t head = sizeof(**format) + self.count * sizeof(torc_access_step);
    torc_access_format *made =
        torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, head + 2 * self.text.len + 1);
    if (!made) return TORC_ERR_NO_MEMORY;
    made->style = style;
    made->budget = budget;
    made->count = self.count;
    self.free_text = (char *)made + head; /* behind the steps, as long as they */
    self.format = made;
    (void)!read_all(&self); /* as it went before */
    *format = made;
    return TORC_OK;
}

void torc_access_format_free(torc_access_format *format) {
    torc_dealloc(NULL, format);
}

torc_err torc_access_format_check(torc_str text, torc_access_format_error *error) {
    torc_access_format *format;
    const torc_err err = torc_access_format_parse(text, error, &format);

    if (!err) torc_access_format_free(format);
    return err;
}
