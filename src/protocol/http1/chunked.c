/* SPDX-License-Identifier: MIT */
/*
 * The decoder of the chunked coding: a state for each place in the grammar.
 *
 *   chunk     = 1*HEXDIG *extension CR LF content CR LF
 *   extension = BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ]
 *
 *  - `stage` says what may come next; a byte moves it on or is refused. Only content is taken in
 *    runs.
 *  - White space is grammar around `;` and `=` only: what ends a line behind a blank, a `;` or a
 *    `=` is refused.
 */
#include "protocol/http1/chunked.h"

#include "base/ascii.h"
#include "message/bytes.h"

enum {
    SIZE,        /* digits */
    BLANK,       /* behind the size or an extension: blanks before a `;` */
    BEFORE_NAME, /* behind a `;` */
    NAME,
    AFTER_NAME,   /* blanks before `=` or `;` */
    BEFORE_VALUE, /* behind a `=` */
    TOKEN,
    QUOTED,
    QUOTED_PAIR, /* behind a backslash */
    AFTER_VALUE, /* behind a quoted string */
    LINE_LF,     /* behind the CR of the line */
    CONTENT,
    CONTENT_CR,
    CONTENT_LF,
    LAST
};

enum {
    SIZE_DIGITS_MAX = 15 /* 60 bits: no sum of it overflows */
};

/* How much more there may be of lines than of content: who sends chunks of a byte needs less. */
enum {
    LINE_BYTES_FREE = 16,
    LINE_BYTES_PER_CONTENT = 2,
    LINES_OF_EXCESS = 16
};

void torc_chunked_decoder_init(torc_chunked_decoder *decoder, uint32_t line_max) {
    *decoder = (torc_chunked_decoder){.line_max = line_max};
}

static bool refuse(torc_chunked_decoder *decoder, const char *problem) {
    decoder->problem = problem;
    return false;
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

/* What may follow a complete part of the line: an extension, or the line's end. */
static bool after_part(torc_chunked_decoder *decoder, char byte) {
    if (byte == ';')
        decoder->stage = BEFORE_NAME;
    else if (byte == '\r')
        decoder->stage = LINE_LF;
    else if (is_blank(byte))
        decoder->stage = BLANK;
    else
        return refuse(decoder, "junk in a chunk's size line (RFC 9112 7.1)");
    return true;
}

static bool take_size(torc_chunked_decoder *decoder, char byte) {
    const int digit = torc_hex_digit(byte);

    if (digit < 0 && !decoder->has_digit)
        return refuse(decoder, "a chunk without a size (RFC 9112 7.1)");
    if (digit < 0) return after_part(decoder, byte);
    decoder->has_digit = true;
    if (decoder->left >> (4 * SIZE_DIGITS_MAX - 4))
        return refuse(decoder, "a chunk's size that is too large");
    decoder->left = decoder->left << 4 | (unsigned)digit;
    return true;
}

static bool take_blank(torc_chunked_decoder *decoder, char byte) {
    if (is_blank(byte)) return true;
    if (byte != ';')
        return refuse(decoder, "white space at the end of a chunk's size line (RFC 9112 7.1.1)");
    decoder->stage = BEFORE_NAME;
    return true;
}

static bool take_before_name(torc_chunked_decoder *decoder, char byte) {
    if (is_blank(byte)) return true;
    if (!torc_byte_is(byte, TORC_BYTE_TOKEN))
        return refuse(decoder, "a chunk extension without a name (RFC 9112 7.1.1)");
    decoder->stage = NAME;
    return true;
}

static bool take_name(torc_chunked_decoder *decoder, char byte) {
    if (torc_byte_is(byte, TORC_BYTE_TOKEN)) return true;
    if (byte == '=')
        decoder->stage = BEFORE_VALUE;
    else if (is_blank(byte))
        decoder->stage = AFTER_NAME;
    else
        return after_part(decoder, byte);
    return true;
}

static bool take_after_name(torc_chunked_decoder *decoder, char byte) {
    if (byte != '=') return take_blank(decoder, byte);
    decoder->stage = BEFORE_VALUE;
    return true;
}

static bool take_before_value(torc_chunked_decoder *decoder, char byte) {
    if (is_blank(byte)) return true;
    if (byte == '"')
        decoder->stage = QUOTED;
    else if (torc_byte_is(byte, TORC_BYTE_TOKEN))
        decoder->stage = TOKEN;
    else
        return refuse(decoder, "a chunk extension without a value (RFC 9112 7.1.1)");
    return true;
}

static bool take_token(torc_chunked_decoder *decoder, char byte) {
    return torc_byte_is(byte, TORC_BYTE_TOKEN) || after_part(decoder, byte);
}

static bool take_quoted(torc_chunked_decoder *decoder, char byte) {
    if (!torc_byte_is(byte, TORC_BYTE_VALUE))
        return refuse(decoder, "a control byte in a chunk extension (RFC 9110 5.6.4)");
    if (decoder->stage == QUOTED_PAIR)
        decoder->stage = QUOTED;
    else if (byte == '\\')
        decoder->stage = QUOTED_PAIR;
    else if (byte == '"')
        decoder->stage = AFTER_VALUE;
    return true;
}

/* A line is complete: false when lines are most of what comes, which makes the server read for
 * little. */
static bool weigh_line(torc_chunked_decoder *decoder) {
    const uint64_t lines = decoder->excess + decoder->line_len;
    const uint64_t fair = LINE_BYTES_FREE + LINE_BYTES_PER_CONTENT * decoder->left;

    decoder->excess = lines > fair ? lines - fair : 0;
    return decoder->excess <= (uint64_t)LINES_OF_EXCESS * decoder->line_max;
}

static bool take_line_lf(torc_chunked_decoder *decoder, char byte) {
    if (byte != '\n')
        return refuse(decoder, "a CR without LF in a chunk's size line (RFC 9112 7.1)");
    if (!weigh_line(decoder))
        return refuse(decoder, "more extensions than content in chunks (RFC 9112 7.1.1)");
    decoder->stage = decoder->left ? CONTENT : LAST;
    return true;
}

/* One byte of a size line. */
static bool take_line_byte(torc_chunked_decoder *decoder, char byte) {
    static bool (*const by_stage[])(torc_chunked_decoder *, char) = {
        [SIZE] = take_size,
        [BLANK] = take_blank,
        [BEFORE_NAME] = take_before_name,
        [NAME] = take_name,
        [AFTER_NAME] = take_after_name,
        [BEFORE_VALUE] = take_before_value,
        [TOKEN] = take_token,
        [QUOTED] = take_quoted,
        [QUOTED_PAIR] = take_quoted,
        [AFTER_VALUE] = after_part,
        [LINE_LF] = take_line_lf,
    };

    /* The line's length does not count its end. */
    if (byte != '\r' && byte != '\n' && ++decoder->line_len > decoder->line_max)
        return refuse(decoder, "a chunk's size line that is too long");
    return by_stage[decoder->stage](decoder, byte);
}

/* One byte behind the content. */
static bool take_content_end(torc_chunked_decoder *decoder, char byte) {
    if (byte != (decoder->stage == CONTENT_CR ? '\r' : '\n'))
        return refuse(decoder, "a chunk whose content is longer than its size (RFC 9112 7.1)");
    if (decoder->stage == CONTENT_CR) {
        decoder->stage = CONTENT_LF;
        return true;
    }
    decoder->stage = SIZE;
    decoder->line_len = 0;
    decoder->has_digit = false;
    return true;
}

static torc_chunked_outcome take_content(torc_chunked_decoder *decoder, torc_str rest,
                                         size_t content_max, size_t *taken, torc_str *content) {
    size_t len = rest.len < content_max ? rest.len : content_max;

    if (len == 0) return TORC_CHUNKED_MORE;
    if (len > decoder->left) len = (size_t)decoder->left;
    *content = torc_str_head(rest, len);
    *taken += len;
    decoder->left -= len;
    if (decoder->left == 0) decoder->stage = CONTENT_CR;
    return TORC_CHUNKED_CONTENT;
}

torc_chunked_outcome torc_chunked_decode(torc_chunked_decoder *decoder, torc_str bytes,
                                         size_t content_max, size_t *taken, torc_str *content) {
    *taken = 0;
    while (decoder->stage != LAST) {
        if (decoder->stage == CONTENT)
            return take_content(decoder, torc_str_from(bytes, *taken), content_max, taken, content);
        if (*taken == bytes.len) return TORC_CHUNKED_MORE;
        const char byte = bytes.bytes[(*taken)++];
        const bool fine = decoder->stage > CONTENT ? take_content_end(decoder, byte)
                                                   : take_line_byte(decoder, byte);
        if (!fine) return TORC_CHUNKED_BAD;
    }
    return TORC_CHUNKED_LAST;
}

size_t torc_chunked_write_line(uint64_t len, char line[TORC_CHUNKED_LINE_MAX]) {
    size_t at = 0;
    int shift = 60;

    while (shift > 0 && !(len >> shift)) shift -= 4;
    for (; shift >= 0; shift -= 4) line[at++] = torc_hex_of(len >> shift);
    line[at++] = '\r';
    line[at++] = '\n';
    return at;
}
