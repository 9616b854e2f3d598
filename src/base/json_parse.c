/* SPDX-License-Identifier: MIT */
/*
 * Reading a JSON document into an arena, in one pass and without recursion.
 *
 *  - Values are taken one after the other from a piece of memory of which the last place is kept
 *    for the jump to the next piece. `at` is always a place that may be written.
 *  - An object or array that is open holds its parent in `next`'s place; `open` is the innermost.
 *    Its `len` counts what is complete in it.
 *  - Functions that read take the place in the text and return where they have got to, or NULL
 *    once `fault` says what was wrong.
 */
#include <torc/utf8.h>

#include "base/json_token.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    PIECE_FIRST_MAX = 168, /* values: what a page of the arena has room for */
    PIECE_MAX = 5461       /* 128 KiB */
};

typedef struct parser {
    const char *start, *end;
    torc_json_value *at, *last;
    torc_json_value *open;
    uint32_t depth, piece, values_left;
    torc_json_limits limits;
    torc_arena *arena;
    torc_json_fault fault;
} parser;

static __attribute__((noinline)) const char *fail(parser *self, torc_err err, const char *at,
                                                  const char *expected) {
    self->fault = (torc_json_fault){.err = err, .at = at, .expected = expected};
    return NULL;
}

/* Something is missing here, or something else is. */
static const char *miss(parser *self, const char *at, const char *expected) {
    return fail(self, at == self->end ? TORC_ERR_TRUNCATED : TORC_ERR_SYNTAX, at, expected);
}

/* What is no mistake of the text's grammar is told as it is. */
static const char *give_up(parser *self, torc_err err, const char *at, const char *sentence) {
    fail(self, err, at, sentence);
    self->fault.is_sentence = true;
    return NULL;
}

/* ---- values ---- */

static __attribute__((noinline)) bool add_piece(parser *self, const char *at) {
    if (self->values_left == 0) {
        give_up(self, TORC_ERR_LIMIT, at, "the document has too many values");
        return false;
    }
    uint32_t count = self->piece < self->values_left ? self->piece : self->values_left;
    torc_json_value *piece = torc_arena_alloc(self->arena, (count + 1) * sizeof(*piece));
    if (!piece) {
        give_up(self, TORC_ERR_NO_MEMORY, at, "the document needs more memory than there is");
        return false;
    }
    if (self->at) *self->at = (torc_json_value){.kind = TORC_JSON_JUMP, .as.next = piece};
    self->at = piece;
    self->last = piece + count;
    self->values_left -= count;
    if (self->piece < PIECE_MAX / 2) self->piece *= 2;
    return true;
}

/* A place for the value that begins at `at`. */
static inline torc_json_value *take(parser *self, const char *at) {
    if (self->at == self->last && !add_piece(self, at)) return NULL;
    return self->at++;
}

/* ---- between the tokens ---- */

static inline bool is_space(char byte) {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static const char *skip_more(const char *at, const char *end) {
#ifdef __SSE2__
    const __m128i spaces = _mm_set1_epi8(' ');
    while (end - at >= 16) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        const unsigned other = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, spaces)) ^ 0xffff;
        if (other == 0) {
            at += 16;
            continue;
        }
        at += __builtin_ctz(other);
        if (!is_space(*at)) return at;
        at++;
    }
#endif
    while (at < end && is_space(*at)) at++;
    return at;
}

static inline const char *skip_space(const char *at, const char *end) {
    if (at < end && (unsigned char)*at > ' ') return at;
    if (at < end && *at == ' ') at++;
    if (at < end && (unsigned char)*at > ' ') return at;
    return skip_more(at, end);
}

/* ---- strings ---- */

/* A string that is not short and plain, from its first byte on; returns what follows it. */
static __attribute__((noinline)) const char *read_any_string(parser *self, const char *from,
                                                             torc_json_value *into) {
    torc_json_string string = {0};
    torc_str decoded;
    char *to = NULL;
    const char *const quote = torc_json_scan_string(&string, from, self->end, &self->fault);

    if (!quote) return NULL;
    if (quote == self->end) return miss(self, quote, "the end of the string, `\"`");
    const torc_str raw = torc_str_make(from, (size_t)(quote - from));
    const bool is_copied = string.has_escape || (self->limits.rules & TORC_JSON_COPY);
    if (is_copied && !(to = torc_arena_bytes(self->arena, raw.len)))
        return give_up(self, TORC_ERR_NO_MEMORY, from,
                       "the string needs more memory than there is");
    if (!torc_json_decode_string(&string, raw, self->limits.rules, to, &decoded, &self->fault))
        return NULL;
    if (is_copied && !string.has_escape) {
        if (raw.len > 0) memcpy(to, raw.bytes, raw.len);
        decoded.bytes = to;
    }
    into->text = decoded.bytes;
    into->len = (uint32_t)decoded.len;
    return quote + 1;
}

#ifdef __SSE2__
/* What ends a plain string: quotes, backslashes, controls, and all beyond ASCII, which are less
 * than a space if they are taken as signed. */
static inline unsigned stops_at(const char *from) {
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
    const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '));
    const __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, marks));
}

/* The end of the plain beginning of a string, as far as it is found by whole steps. */
static inline const char *skip_plain(const char *at, const char *end) {
    while (end - at >= 16) {
        const unsigned stops = stops_at(at);
        if (stops) return at + __builtin_ctz(stops);
        at += 16;
    }
    return at;
}
#else
static inline const char *skip_plain(const char *at, const char *end) {
    while (at < end && *at >= ' ' && *at != '"' && *at != '\\' && (unsigned char)*at < 0x80) at++;
    return at;
}
#endif

/* The string whose quote is at `at`. */
static inline const char *read_string(parser *self, const char *at, torc_json_value *into) {
    const char *const from = at + 1, *const stop = skip_plain(from, self->end);

    into->kind = TORC_JSON_STR;
    if (stop == self->end || *stop != '"' || (self->limits.rules & TORC_JSON_COPY))
        return read_any_string(self, from, into);
    into->text = from;
    into->len = (uint32_t)(stop - from);
    return stop + 1;
}

/* ---- other values without parts ---- */

static const char *read_scalar(parser *self, const char *at) {
    torc_json_value *into = take(self, at);

    if (!into) return NULL;
    switch (*at) {
    case '"':
        return read_string(self, at, into);
    case 't':
    case 'f':
    case 'n':
        return torc_json_read_word(at, self->end, into, &self->fault);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return torc_json_read_number(at, self->end, &self->limits, into, &self->fault);
    default:
        return fail(self, TORC_ERR_SYNTAX, at, "a value");
    }
}

/* ---- objects and arrays ---- */

/* A name and its colon, up to the value. */
static inline const char *read_name(parser *self, const char *at, const char *expected) {
    if (at == self->end || *at != '"') return miss(self, at, expected);
    torc_json_value *name = take(self, at);
    if (!name) return NULL;
    at = read_string(self, at, name);
    if (!at) return NULL;
    if (at == self->end || *at != ':') {
        at = skip_space(at, self->end);
        if (at == self->end || *at != ':') return miss(self, at, "`:` after the name");
    }
    return skip_space(at + 1, self->end);
}

/* Open what begins at `at`, up to what is first in there, or the bracket that closes it. */
static inline const char *open_level(parser *self, const char *at) {
    if (self->depth == self->limits.depth_max)
        return give_up(self, TORC_ERR_LIMIT, at, "the document has too many levels");
    torc_json_value *value = take(self, at);
    if (!value) return NULL;
    value->kind = *at == '{' ? TORC_JSON_OBJECT : TORC_JSON_ARRAY;
    value->len = 0;
    value->text = NULL;
    value->as.parent = self->open;
    self->open = value;
    self->depth++;
    return skip_space(at + 1, self->end);
}

/* Names that come twice: sorted by length and bytes, those that are equal are neighbours. */
static int compare_names(const torc_json_value *a, const torc_json_value *b) {
    if (a->len != b->len) return a->len < b->len ? -1 : 1;
    return a->len == 0 ? 0 : memcmp(a->text, b->text, a->len);
}

static void sift_down(const torc_json_value **names, size_t top, size_t count) {
    for (size_t child; (child = 2 * top + 1) < count; top = child) {
        if (child + 1 < count && compare_names(names[child], names[child + 1]) < 0) child++;
        if (compare_names(names[top], names[child]) >= 0) return;
        const torc_json_value *name = names[top];
        names[top] = names[child];
        names[child] = name;
    }
}

/* By a heap: no order of names makes it slow. */
static void sort_names(const torc_json_value **names, size_t count) {
    for (size_t i = count / 2; i-- > 0;) sift_down(names, i, count);
    for (size_t last = count; last-- > 1;) {
        const torc_json_value *name = names[0];
        names[0] = names[last];
        names[last] = name;
        sift_down(names, 0, last);
    }
}

static void list_names(const torc_json_value *object, const torc_json_value **names) {
    const torc_json_value *place = object + 1;

    for (uint32_t i = 0; i < object->len; i++) {
        names[i] = torc_json_landed(place);
        place = torc_json_behind(torc_json_landed(names[i] + 1));
    }
}

static bool check_names(parser *self, const torc_json_value *object, const char *at) {
    const torc_arena_mark mark = torc_arena_mark_take(self->arena);
    bool is_fine = true;

    if (object->len < 2) return true;
    const torc_json_value **names = torc_arena_alloc(self->arena, object->len * sizeof(*names));
    if (!names) {
        give_up(self, TORC_ERR_NO_MEMORY, at, "the object needs more memory than there is");
        return false;
    }
    list_names(object, names);
    sort_names(names, object->len);
    for (uint32_t i = 1; is_fine && i < object->len; i++)
        is_fine = compare_names(names[i - 1], names[i]) != 0;
    torc_arena_rewind(self->arena, mark);
    if (!is_fine) give_up(self, TORC_ERR_EXISTS, at, "a name comes twice in the object");
    return is_fine;
}

static inline bool close_level(parser *self, const char *at) {
    torc_json_value *value = self->open;

    self->open = value->as.parent;
    self->depth--;
    value->as.next = self->at;
    return value->kind == TORC_JSON_ARRAY || !(self->limits.rules & TORC_JSON_UNIQUE_NAMES) ||
           check_names(self, value, at);
}

/* A value is due at `at`: open all that has to be opened, up to one that is whole. */
static inline const char *read_value(parser *self, const char *at) {
    while (at < self->end && (*at == '{' || *at == '[')) {
        const bool is_object = *at == '{';
        at = open_level(self, at);
        if (!at) return NULL;
        if (at < self->end && *at == (is_object ? '}' : ']'))
            return close_level(self, at) ? at + 1 : NULL;
        if (is_object) at = read_name(self, at, "the name of a member, or `}`");
        if (!at) return NULL;
    }
    return at < self->end ? read_scalar(self, at) : miss(self, at, "a value");
}

/* A value has ended at `at`: close what ends with it, up to the next value; or to the end. */
static inline const char *follow(parser *self, const char *at) {
    for (;;) {
        at = skip_space(at, self->end);
        torc_json_value *const open = self->open;
        if (!open) return at;
        const bool is_object = open->kind == TORC_JSON_OBJECT;
        open->len++;
        if (at < self->end && *at == ',') {
            at = skip_space(at + 1, self->end);
            return is_object ? read_name(self, at, "the name of a member") : at;
        }
        if (at == self->end || *at != (is_object ? '}' : ']'))
            return miss(self, at, is_object ? "`,` or `}`" : "`,` or `]`");
        if (!close_level(self, at)) return NULL;
        at++;
    }
}

static const char *read_document(parser *self) {
    const char *at = self->start;
    const size_t len = (size_t)(self->end - self->start);

    if (len > self->limits.bytes_max)
        return give_up(self, TORC_ERR_LIMIT, at, "the document is too long");
    if (len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        return fail(self, TORC_ERR_SYNTAX, at, "no byte order mark");
    at = skip_space(at, self->end);
    do {
        at = read_value(self, at);
        if (at) at = follow(self, at);
    } while (at && self->open);
    return !at || at == self->end ? at : fail(self, TORC_ERR_SYNTAX, at, "the end of the document");
}

/* ---- mistakes ---- */

/* The last name of the innermost object, after whose value something is wrong. */
static torc_str name_before(const parser *self) {
    const torc_json_value *place = self->open + 1, *name = NULL;

    for (uint32_t i = 0; i < self->open->len; i++) {
        name = torc_json_landed(place);
        if (i + 1 < self->open->len) place = torc_json_behind(torc_json_landed(name + 1));
    }
    return torc_json_text_of(name);
}

static torc_err tell(const parser *self, torc_json_error *error) {
    const torc_json_fault *const fault = &self->fault;
    const size_t offset = (size_t)(fault->at - self->start);
    const bool has_name = fault->err != TORC_ERR_NO_MEMORY && fault->err != TORC_ERR_LIMIT &&
                          strcmp(fault->expected, "`,` or `}`") == 0;
    torc_json_place place = {0};

    if (!error) return fault->err;
    torc_json_place_advance(&place, torc_str_make(self->start, offset));
    return torc_json_tell(error, fault, place,
                          torc_str_make(fault->at, (size_t)(self->end - fault->at)),
                          has_name ? " after the member " : NULL,
                          has_name ? name_before(self) : torc_str_make(NULL, 0));
}

/* The first piece has room for all values of a usual text of that length, or fills a page. */
static uint32_t first_piece(torc_str text) {
    const size_t guess = text.len / 8 + 4;
    return guess < PIECE_FIRST_MAX ? (uint32_t)guess : PIECE_FIRST_MAX;
}

torc_err torc_json_parse(torc_arena *arena, torc_str text, const torc_json_limits *limits,
                         const torc_json_value **value, torc_json_error *error) {
    const torc_arena_mark mark = torc_arena_mark_take(arena);
    const torc_str bytes = text.bytes ? text : torc_str_make("", 0);
    parser self = {.start = bytes.bytes,
                   .end = bytes.bytes + bytes.len,
                   .piece = first_piece(text),
                   .limits = torc_json_limits_of(limits),
                   .arena = arena};
    const torc_json_value *root;

    self.values_left = self.limits.value_count_max;
    if (!add_piece(&self, self.start)) goto fail;
    root = self.at;
    if (!read_document(&self)) goto fail;
    *value = root;
    return TORC_OK;

fail:
    tell(&self, error);
    torc_arena_rewind(arena, mark);
    return self.fault.err;
}
