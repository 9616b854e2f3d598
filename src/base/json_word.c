/* SPDX-License-Identifier: MIT */
/*
 * The words of JSON: null, true and false.
 */
#include "base/json_token.h"

typedef struct json_word {
    torc_str text;
    const char *expected;
    uint32_t kind;
    bool is_true;
} json_word;

static const json_word *word_of(char letter) {
    static const json_word words[] = {{TORC_STR_INIT("null"), "`null`", TORC_JSON_NULL, false},
                                      {TORC_STR_INIT("true"), "`true`", TORC_JSON_BOOL, true},
                                      {TORC_STR_INIT("false"), "`false`", TORC_JSON_BOOL, false}};
    return &words[letter == 'n' ? 0 : letter == 't' ? 1 : 2];
}

const char *torc_json_read_word(const char *from, const char *end, torc_json_value *into,
                                torc_json_fault *fault) {
    const json_word *word = word_of(*from);
    size_t same = 1;

    while (same < word->text.len && from + same < end && from[same] == word->text.bytes[same])
        same++;
    if (same < word->text.len) {
        *fault = (torc_json_fault){.err = from + same == end ? TORC_ERR_TRUNCATED : TORC_ERR_SYNTAX,
                                   .at = from + same,
                                   .expected = word->expected};
        return NULL;
    }
    into->kind = word->kind;
    into->as.is_true = word->is_true;
    return from + same;
}
