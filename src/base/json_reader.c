/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON in pieces.
 *
 *  - A run reads what stands in one place of memory: a piece; or `token`, in which a string, number
 *    or word that was cut is put together, with the byte behind it that ends it. What a run cannot
 *    decide is the beginning of such a token, which is kept.
 *  - What is longer than a token may be is refused after as many bytes in one place as in pieces.
 *  - `offset`, `line` and `column` are those of the first byte of the run, or of `token`.
 *  - `depth` levels are open, of which a bit in `objects` tells the kind.
 *
 * States: VALUE →(value) AFTER or DONE; →({) FIRST_NAME; →([) FIRST_ELEMENT; NAME →(string) COLON
 * →(:) VALUE; AFTER →(,) NAME or VALUE; →(} ]) AFTER or DONE; BETWEEN →(value) as VALUE; DONE
 * →(line feed) BETWEEN, if documents follow each other. All lead to FAILED, by fail().
 */
#include <torc/json_reader.h>

#include "base/ascii.h"
#include "base/json_token.h"

enum {
    VALUE,
    FIRST_ELEMENT,
    FIRST_NAME,
    NAME,
    COLON,
    AFTER,
    DONE,
    BETWEEN,
    FAILED
};

enum {
    RECORD_SEPARATOR = 0x1e
};

/* What is read at once. */
typedef struct reading {
    const char *start, *at, *end;
    bool is_last; /* nothing follows */
    bool is_cut;  /* at `at` begins a token that does not end here */
    torc_json_fault fault;
} reading;

void torc_json_reader_init(torc_json_reader *reader, torc_memory *memory,
                           const torc_json_limits *limits, torc_json_part_fn *part, void *context) {
    *reader = (torc_json_reader){
        .context = context, .part = part, .limits = torc_json_limits_of(limits), .state = VALUE};
    const size_t max = (size_t)reader->limits.token_bytes_max + 3; /* quotes, and one too many */
    torc_buf_init(&reader->token, memory, TORC_MEMORY_INPUT, max);
    torc_buf_init(&reader->decoded, memory, TORC_MEMORY_INPUT, max);
}

void torc_json_reader_set_mode(torc_json_reader *reader, torc_json_reader_mode mode) {
    reader->mode = (uint8_t)mode;
    reader->state = mode == TORC_JSON_READER_LINES ? BETWEEN : VALUE;
}

void torc_json_reader_dispose(torc_json_reader *reader) {
    torc_buf_dispose(&reader->token);
    torc_buf_dispose(&reader->decoded);
}

/* ---- mistakes ---- */

static bool fail(reading *run, torc_err err, const char *at, const char *expected) {
    run->fault = (torc_json_fault){.err = err, .at = at, .expected = expected};
    return false;
}

static bool give_up(reading *run, torc_err err, const char *at, const char *sentence) {
    fail(run, err, at, sentence);
    run->fault.is_sentence = true;
    return false;
}

/* ---- parts ---- */

static bool is_in_object(const torc_json_reader *reader) {
    const uint32_t level = reader->depth - 1;
    return reader->depth > 0 && (reader->objects[level / 64] >> (level % 64) & 1);
}

static bool tell(torc_json_reader *reader, reading *run, torc_json_part part) {
    part.depth = reader->depth;
    const torc_err err = reader->part(reader, &part);
    return !err || give_up(run, err, run->at, torc_err_text(err));
}

/* A value is complete. */
static bool complete(torc_json_reader *reader, reading *run) {
    reader->state = reader->depth > 0 ? AFTER : DONE;
    return reader->depth > 0 || tell(reader, run, (torc_json_part){.kind = TORC_JSON_PART_END});
}

static bool open_level(torc_json_reader *reader, reading *run, bool is_object) {
    const uint32_t level = reader->depth;
    const uint64_t bit = UINT64_C(1) << (level % 64);

    if (level == reader->limits.depth_max)
        return give_up(run, TORC_ERR_LIMIT, run->at, "the document has too many levels");
    run->at++;
    if (!tell(reader, run,
              (torc_json_part){.kind = is_object ? TORC_JSON_PART_OBJECT : TORC_JSON_PART_ARRAY}))
        return false;
    if (is_object) {
        reader->objects[level / 64] |= bit;
    } else {
        reader->objects[level / 64] &= ~bit;
    }
    reader->depth++;
    reader->state = is_object ? FIRST_NAME : FIRST_ELEMENT;
    return true;
}

static bool close_level(torc_json_reader *reader, reading *run) {
    run->at++;
    reader->depth--;
    return tell(reader, run, (torc_json_part){.kind = TORC_JSON_PART_CLOSE}) &&
           complete(reader, run);
}

/* ---- tokens ---- */

static bool is_of_number(char byte) {
    return torc_is_digit(byte) || byte == '.' || byte == '-' || byte == '+' || (byte | 0x20) == 'e';
}

static bool is_of_word(char byte) {
    return byte >= 'a' && byte <= 'z';
}

/* Leave the token that begins at `at` to the next piece. True: it is no mistake. */
static bool cut(reading *run) {
    run->is_cut = true;
    return true;
}

static bool is_long(const torc_json_reader *reader, const char *from, const char *end) {
    return (size_t)(end - from) > reader->limits.token_bytes_max;
}

static bool refuse_long(reading *run) {
    return give_up(run, TORC_ERR_LIMIT, run->at, "the string or number is too long");
}

/* The first byte from `from` on that is not of a number, or of a word. */
static const char *end_of(const char *from, const char *end, bool (*is_of)(char byte)) {
    while (from < end && is_of(*from)) from++;
    return from;
}

static bool read_number(torc_json_reader *reader, reading *run, torc_json_value *value) {
    const char *const end = end_of(run->at, run->end, is_of_number);

    if (is_long(reader, run->at, end)) return refuse_long(run);
    if (end == run->end && !run->is_last) return cut(run);
    const char *const after =
        torc_json_read_number(run->at, run->end, &reader->limits, value, &run->fault);
    if (after) run->at = after;
    return after != NULL;
}

static bool read_word(reading *run, torc_json_value *value) {
    const char *const end = end_of(run->at, run->end, is_of_word);

    if (end == run->end && !run->is_last && end - run->at < 5) return cut(run);
    const char *const after = torc_json_read_word(run->at, run->end, value, &run->fault);
    if (after) run->at = after;
    return after != NULL;
}

/* Decode what stands between the quotes, aside if it has escapes. */
static bool decode(torc_json_reader *reader, reading *run, const torc_json_string *string,
                   torc_str raw, torc_json_value *value) {
    torc_str decoded;
    char *to = NULL;

    if (string->has_escape) {
        torc_buf_clear(&reader->decoded);
        to = torc_buf_reserve(&reader->decoded, raw.len);
        if (!to)
            return give_up(run, TORC_ERR_NO_MEMORY, run->at,
                           "the string needs more memory than there is");
    }
    if (!torc_json_decode_string(string, raw, reader->limits.rules, to, &decoded, &run->fault))
        return false;
    *value = (torc_json_value){
        .kind = TORC_JSON_STR, .text = decoded.bytes, .len = (uint32_t)decoded.len};
    return true;
}

static bool read_string(torc_json_reader *reader, reading *run, torc_json_value *value) {
    const char *const from = run->at + 1;
    const size_t left = (size_t)(run->end - from),
                 most = (size_t)reader->limits.token_bytes_max + 1;
    const char *const end = from + (left < most ? left : most);
    torc_json_string string = {0};
    const char *const quote = torc_json_scan_string(&string, from, end, &run->fault);

    if (!quote) return false;
    if (quote == end) {
        if (left >= most) return refuse_long(run);
        if (run->is_last) return fail(run, TORC_ERR_TRUNCATED, end, "the end of the string, `\"`");
        reader->is_escaped = string.is_escaped;
        return cut(run);
    }
    if (!decode(reader, run, &string, torc_str_make(from, (size_t)(quote - from)), value))
        return false;
    run->at = quote + 1;
    return true;
}

/* ---- states ---- */

static bool read_scalar(torc_json_reader *reader, reading *run, torc_json_value *value) {
    const char byte = *run->at;

    if (byte == '"') return read_string(reader, run, value);
    if (byte == '-' || torc_is_digit(byte)) return read_number(reader, run, value);
    if (byte == 'n' || byte == 't' || byte == 'f') return read_word(run, value);
    return fail(run, TORC_ERR_SYNTAX, run->at, "a value");
}

static bool on_value(torc_json_reader *reader, reading *run) {
    torc_json_value value = {0};

    if (*run->at == '{' || *run->at == '[') return open_level(reader, run, *run->at == '{');
    if (!read_scalar(reader, run, &value)) return false;
    return run->is_cut ||
           (tell(reader, run, (torc_json_part){.kind = TORC_JSON_PART_VALUE, .value = &value}) &&
            complete(reader, run));
}

static bool on_name(torc_json_reader *reader, reading *run, const char *expected) {
    torc_json_value name = {0};

    if (*run->at != '"') return fail(run, TORC_ERR_SYNTAX, run->at, expected);
    if (!read_string(reader, run, &name)) return false;
    if (run->is_cut) return true;
    reader->state = COLON;
    return tell(reader, run,
                (torc_json_part){.kind = TORC_JSON_PART_NAME, .name = torc_json_text_of(&name)});
}

static bool on_colon(torc_json_reader *reader, reading *run) {
    if (*run->at != ':') return fail(run, TORC_ERR_SYNTAX, run->at, "`:` after the name");
    run->at++;
    reader->state = VALUE;
    return true;
}

static bool on_after(torc_json_reader *reader, reading *run) {
    const bool is_object = is_in_object(reader);

    if (*run->at == ',') {
        run->at++;
        reader->state = is_object ? NAME : VALUE;
        return true;
    }
    if (*run->at == (is_object ? '}' : ']')) return close_level(reader, run);
    return fail(run, TORC_ERR_SYNTAX, run->at, is_object ? "`,` or `}`" : "`,` or `]`");
}

static bool on_done(torc_json_reader *reader, reading *run) {
    if (reader->mode == TORC_JSON_READER_ONE)
        return fail(run, TORC_ERR_SYNTAX, run->at, "the end of the document");
    if (*run->at != '\n')
        return fail(run, TORC_ERR_SYNTAX, run->at, "a line feed after the document");
    run->at++;
    reader->state = BETWEEN;
    return true;
}

static bool on_between(torc_json_reader *reader, reading *run) {
    if (*run->at != RECORD_SEPARATOR) return on_value(reader, run);
    run->at++;
    return true;
}

/* Read what begins at `at`. */
static bool step(torc_json_reader *reader, reading *run) {
    switch (reader->state) {
    case FIRST_ELEMENT:
        return *run->at == ']' ? close_level(reader, run) : on_value(reader, run);
    case FIRST_NAME:
        return *run->at == '}' ? close_level(reader, run)
                               : on_name(reader, run, "the name of a member, or `}`");
    case NAME:
        return on_name(reader, run, "the name of a member");
    case COLON:
        return on_colon(reader, run);
    case AFTER:
        return on_after(reader, run);
    case DONE:
        return on_done(reader, run);
    case BETWEEN:
        return on_between(reader, run);
    default:
        return on_value(reader, run);
    }
}

static bool is_space(const torc_json_reader *reader, char byte) {
    const bool counts = reader->state == DONE && reader->mode == TORC_JSON_READER_LINES;
    return byte == ' ' || byte == '\t' || byte == '\r' || (byte == '\n' && !counts);
}

/* The end of the text is no mistake when a document is complete. */
static bool end_text(const torc_json_reader *reader, reading *run) {
    static const char *const expected[] = {[VALUE] = "a value",
                                           [FIRST_ELEMENT] = "a value",
                                           [FIRST_NAME] = "the name of a member, or `}`",
                                           [NAME] = "the name of a member",
                                           [COLON] = "`:` after the name"};

    if (reader->state == DONE || reader->state == BETWEEN) return true;
    if (reader->state == AFTER)
        return fail(run, TORC_ERR_TRUNCATED, run->at,
                    is_in_object(reader) ? "`,` or `}`" : "`,` or `]`");
    return fail(run, TORC_ERR_TRUNCATED, run->at, expected[reader->state]);
}

static bool read_run(torc_json_reader *reader, reading *run) {
    for (;;) {
        while (run->at < run->end && is_space(reader, *run->at)) run->at++;
        if (run->at == run->end) return !run->is_last || end_text(reader, run);
        if (!step(reader, run)) return false;
        if (run->is_cut) return true;
    }
}

/* ---- pieces ---- */

/* The place has moved on over what is behind `at`. */
static void advance(torc_json_reader *reader, const char *from, const char *at) {
    torc_json_place place = {reader->offset, reader->line, reader->column};

    torc_json_place_advance(&place, torc_str_make(from, (size_t)(at - from)));
    reader->offset = place.offset;
    reader->line = place.line;
    reader->column = place.column;
}

static torc_err tell_fault(torc_json_reader *reader, const reading *run) {
    const torc_json_fault *const fault = &run->fault;

    advance(reader, run->start, fault->at);
    reader->state = FAILED;
    return torc_json_tell(
        &reader->error, fault, (torc_json_place){reader->offset, reader->line, reader->column},
        torc_str_make(fault->at, (size_t)(run->end - fault->at)), NULL, torc_str_make(NULL, 0));
}

/* Read bytes that stand in one place; `*rest` is the token at their end that is cut, or empty. */
static torc_err read_bytes(torc_json_reader *reader, torc_str bytes, bool is_last, torc_str *rest) {
    reading run = {.start = bytes.bytes,
                   .at = bytes.bytes,
                   .end = bytes.bytes + bytes.len,
                   .is_last = is_last};

    if (!read_run(reader, &run)) return tell_fault(reader, &run);
    advance(reader, run.start, run.at);
    *rest = torc_str_from(bytes, (size_t)(run.at - run.start));
    reader->is_in_token = rest->len > 0;
    return TORC_OK;
}

static torc_err fail_memory(torc_json_reader *reader) {
    const torc_json_fault fault = {.err = TORC_ERR_NO_MEMORY,
                                   .expected = "the token needs more memory than there is",
                                   .is_sentence = true};

    reader->state = FAILED;
    return torc_json_tell(&reader->error, &fault,
                          (torc_json_place){reader->offset, reader->line, reader->column},
                          torc_str_make(NULL, 0), NULL, torc_str_make(NULL, 0));
}

/* How many bytes of a piece decide about the token that is cut; 0: all of them do not. */
static size_t deciding(torc_json_reader *reader, torc_str piece) {
    const char first = reader->token.bytes[0], *const end = piece.bytes + piece.len;
    torc_json_string string = {.is_escaped = reader->is_escaped};
    torc_json_fault fault;
    const char *at;

    if (first == '"') {
        at = torc_json_scan_string(&string, piece.bytes, end, &fault);
        reader->is_escaped = string.is_escaped;
        if (!at) at = fault.at;
    } else {
        at = end_of(piece.bytes, end, first >= 'a' ? is_of_word : is_of_number);
    }
    return at == end ? 0 : (size_t)(at - piece.bytes) + 1;
}

/* Go on with a token that was cut; `*piece` is then what is left. */
static torc_err resume(torc_json_reader *reader, torc_str *piece) {
    const size_t room = (size_t)reader->limits.token_bytes_max + 2 - reader->token.len;
    torc_str part = torc_str_head(*piece, room), rest;
    const size_t count = deciding(reader, part);

    if (count > 0) part = torc_str_head(part, count);
    torc_buf_add(&reader->token, part);
    if (torc_buf_err(&reader->token)) return fail_memory(reader);
    *piece = torc_str_from(*piece, part.len);
    if (count == 0 && part.len < room) return TORC_OK;

    const torc_err err = read_bytes(reader, torc_buf_str(&reader->token), false, &rest);
    if (err) return err;
    torc_buf_consume(&reader->token, reader->token.len - rest.len);
    return TORC_OK;
}

torc_err torc_json_reader_feed(torc_json_reader *reader, torc_str piece) {
    torc_str rest;
    torc_err err;

    if (reader->state == FAILED) return reader->error.err;
    while (reader->is_in_token && piece.len > 0) {
        err = resume(reader, &piece);
        if (err) return err;
    }
    if (piece.len == 0) return TORC_OK;
    err = read_bytes(reader, piece, false, &rest);
    if (err) return err;
    torc_buf_clear(&reader->token);
    torc_buf_add(&reader->token, rest);
    return torc_buf_err(&reader->token) ? fail_memory(reader) : TORC_OK;
}

torc_err torc_json_reader_finish(torc_json_reader *reader) {
    torc_str text = TORC_STR(""), rest;

    if (reader->state == FAILED) return reader->error.err;
    if (reader->is_in_token) text = torc_buf_str(&reader->token);
    return read_bytes(reader, text, true, &rest);
}
