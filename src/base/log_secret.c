/* SPDX-License-Identifier: MIT */
/*
 * What is never logged: texts whose keys name credentials, and what stands before the host in URLs.
 *
 *  - A key is looked at in small letters and without `-`, `_` and `.`: so "Set-Cookie",
 *    "accessToken" and "api_key" are found, and "token_type" is, too: rather too much than too
 *    little. Numbers and times are no credentials.
 *  - Nothing is allocated. Of an event with secrets at most TORC_LOG_REDACTED_MAX fields are left,
 *    and a URL for which there is no room is replaced as a whole.
 */
#include <torc/failure.h>

#include "base/ascii.h"
#include "base/log.h"

enum {
    KEY_MAX = 128
};

static const torc_str hidden = {"[redacted]", 10};

/* A key without what is written differently; how long that is. */
static size_t bare_key(torc_str key, char bare[KEY_MAX]) {
    size_t len = 0;

    for (size_t i = 0; i < key.len && len < KEY_MAX; i++) {
        const char byte = key.bytes[i];
        if (byte == '-' || byte == '_' || byte == '.') continue;
        bare[len++] = torc_small(byte);
    }
    return len;
}

bool torc_log_is_secret(torc_str key) {
    static const char *const words[] = {
        "authorization", "cookie",     "password", "passwd",     "passphrase", "secret",
        "token",         "credential", "apikey",   "privatekey", "sessionid",
    };
    char bytes[KEY_MAX];
    const torc_str bare = torc_str_make(bytes, bare_key(key, bytes));

    for (size_t i = 0; i < TORC_COUNT_OF(words); i++)
        if (torc_str_find(bare, torc_str_of(words[i])) >= 0) return true;
    return false;
}

static bool is_hidden(const torc_log_config *config, torc_str key) {
    char bytes[KEY_MAX];

    if (torc_log_is_secret(key)) return true;
    if (!config->hidden_count) return false;
    const torc_str bare = torc_str_make(bytes, bare_key(key, bytes));
    for (size_t i = 0; i < config->setting_count; i++)
        if (config->settings[i].owner == TORC_LOG_OWNER_HIDDEN &&
            torc_str_equals(config->settings[i].space, bare))
            return true;
    return false;
}

torc_err torc_log_hide(torc_log *log, const char *key) {
    torc_log_inside *self = torc_container_of(log, torc_log_inside, base);
    char bytes[KEY_MAX];
    const torc_str bare = torc_str_make(bytes, bare_key(torc_str_of(key), bytes));
    torc_log_config *config = torc_log_change(self, 1, bare.len);

    if (!config) return TORC_ERR_NO_MEMORY;
    torc_log_put_setting(config, TORC_LOG_OWNER_HIDDEN, bare, TORC_LOG_LEVEL_OFF);
    if (config->setting_count > TORC_LOG_SETTINGS_MAX) {
        torc_log_give_up(self, config);
        return TORC_ERR_LIMIT;
    }
    torc_log_publish(self, config);
    return TORC_OK;
}

/* ---- URLs ---- */

/* What of a text is a URL's user and password: from behind `://` to before the `@`. False: there is
 * none from `from` on. */
bool torc_log_find_userinfo(torc_str text, size_t from, size_t *start, size_t *end) {
    for (;;) {
        const ptrdiff_t found = torc_str_find(torc_str_from(text, from), TORC_STR("://"));
        if (found < 0) return false;
        *start = from + (size_t)found + 3;
        *end = 0;
        for (from = *start; from < text.len; from++) {
            const char byte = text.bytes[from];
            if (byte == '@') *end = from; /* the last one: a password may have some */
            if (byte == '/' || byte == '?' || byte == '#' || byte <= ' ' || byte == '"') break;
        }
        if (*end) return true;
    }
}

static bool add(torc_log_redaction *to, torc_str bytes) {
    if (bytes.len > sizeof(to->text) - to->text_len) return false;
    if (bytes.len) memcpy(to->text + to->text_len, bytes.bytes, bytes.len);
    to->text_len += bytes.len;
    return true;
}

/* A text without the credentials in its URLs. */
static torc_str without_userinfo(torc_log_redaction *to, torc_str text) {
    const size_t begin = to->text_len;
    size_t from = 0, start, end;
    bool fits = true;

    while (fits && torc_log_find_userinfo(text, from, &start, &end)) {
        fits = add(to, torc_str_make(text.bytes + from, start - from)) && add(to, hidden);
        from = end;
    }
    if (fits && add(to, torc_str_from(text, from)))
        return torc_str_make(to->text + begin, to->text_len - begin);
    to->text_len = begin;
    return hidden;
}

/* ---- events ---- */

static bool is_text(const torc_log_field *field) {
    return field->kind == TORC_LOG_KIND_STR || field->kind == TORC_LOG_KIND_BYTES;
}

/* A failure as a text, of which sinks need to know nothing else. */
static torc_str text_of(torc_log_redaction *to, const torc_failure *failure) {
    const size_t begin = to->text_len;
    torc_buf buf;

    torc_buf_init_fixed(&buf, to->text + begin, sizeof(to->text) - begin);
    torc_failure_format(failure, &buf); /* what there is no room for is cut */
    to->text_len += buf.len;
    return torc_buf_str(&buf);
}

static bool has_userinfo(const torc_log_field *field) {
    size_t start, end;

    return field->kind == TORC_LOG_KIND_STR && field->value.str.len > 4 &&
           torc_log_find_userinfo(field->value.str, 0, &start, &end);
}

bool torc_log_has_secrets(const torc_log_config *config, const torc_log_record *record) {
    for (size_t i = 0; i < record->field_count; i++) {
        const torc_log_field *field = &record->fields[i];
        if (field->kind == TORC_LOG_KIND_FAILURE) return true;
        if (!is_text(field)) continue;
        if (is_hidden(config, torc_str_of(field->key)) || has_userinfo(field)) return true;
    }
    return false;
}

const torc_log_record *torc_log_redact(const torc_log_config *config, const torc_log_record *record,
                                       torc_log_redaction *redaction) {
    size_t count = record->field_count;

    if (count > TORC_LOG_REDACTED_MAX) count = TORC_LOG_REDACTED_MAX;
    redaction->record = *record;
    redaction->record.fields = redaction->fields;
    redaction->record.field_count = count;
    redaction->text_len = 0;
    for (size_t i = 0; i < count; i++) {
        torc_log_field *field = &redaction->fields[i];
        *field = record->fields[i];
        if (field->kind == TORC_LOG_KIND_FAILURE)
            *field = torc_log_field_str(field->key, text_of(redaction, field->value.failure));
        if (is_text(field) && is_hidden(config, torc_str_of(field->key))) {
            field->kind = TORC_LOG_KIND_STR;
            field->value.str = hidden;
        } else if (has_userinfo(field)) {
            field->value.str = without_userinfo(redaction, field->value.str);
        }
    }
    return &redaction->record;
}
