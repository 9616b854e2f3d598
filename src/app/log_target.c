/* SPDX-License-Identifier: MIT */
/*
 * Reading the arguments of --log.
 *
 *  - The argument is copied behind a NUL, so that place 0 is no text; its commas and equals signs
 *    become the ends of texts.
 *  - Levels of their own are written with `;` where --log-level has `,`.
 */
#include "app/log_target.h"

#include <stdio.h>
#include <string.h>

const char *torc_log_target_text(const torc_log_target *target, size_t place) {
    return place ? target->text + place : NULL;
}

/* ---- values ---- */

static bool set_format(torc_log_target *target, const char *value) {
    static const char *const names[] = {"auto", "text", "json", "logfmt", "json-seq"};

    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        if (strcmp(value, names[i]) != 0) continue;
        target->format = (torc_log_format)i;
        return true;
    }
    return false;
}

static bool set_form(torc_log_target *target, const char *value) {
    target->form = strcmp(value, "bsd") == 0 ? TORC_LOG_SYSLOG_BSD : TORC_LOG_SYSLOG_RFC5424;
    return strcmp(value, "bsd") == 0 || strcmp(value, "rfc5424") == 0;
}

static bool set_levels(torc_log_target *target, char *value) {
    for (char *at = value; *at; at++)
        if (*at == ';') *at = ',';
    target->levels = (size_t)(value - target->text);
    return !torc_log_levels_check(torc_str_of(value));
}

/* "HOST", "HOST:PORT", "[2001:db8::1]:PORT": the host is cut out of it. */
static bool set_host(torc_log_target *target, char *value) {
    char *port = strrchr(value, ':'), *end = strchr(value, ']');
    uint64_t number = 514;

    if (value[0] == '[' && !end) return false;
    if (port && (end ? port < end : strchr(value, ':') != port)) port = NULL;
    if (port && (torc_str_parse_uint(torc_str_of(port + 1), 65535, &number) || !number))
        return false;
    if (value[0] == '[') {
        if (end[1] && end + 1 != port) return false;
        *end = '\0';
        value++;
    } else if (port) {
        *port = '\0';
    }
    target->host = (size_t)(value - target->text);
    target->port = (uint16_t)number;
    return *value != '\0';
}

static bool set_server(torc_log_target *target, char *value) {
    if (strncmp(value, "unix:", 5) != 0) return set_host(target, value);
    target->path = (size_t)(value - target->text) + 5;
    return value[5] != '\0';
}

static bool is_word(const char *value) {
    return value[0] && !value[strcspn(value, " \t\r\n")];
}

/* ---- pairs ---- */

/* NULL, or what the value should be. */
static const char *set_syslog(torc_log_target *target, const char *key, char *value) {
    if (strcmp(key, "server") == 0)
        return set_server(target, value) ? NULL : "server is unix:PATH, HOST or HOST:PORT";
    if (strcmp(key, "facility") == 0) {
        target->facility = torc_log_facility_parse(torc_str_of(value));
        return target->facility >= 0 ? NULL : "facilities are user, daemon, local0 to local7 …";
    }
    if (strcmp(key, "form") == 0) return set_form(target, value) ? NULL : "form is rfc5424 or bsd";
    if (strcmp(key, "hostname") == 0) {
        target->hostname = (size_t)(value - target->text);
        return is_word(value) ? NULL : "hostname is a word";
    }
    return "known are server, facility, tag, hostname, form, level";
}

static const char *set_journal(torc_log_target *target, const char *key, const char *value) {
    if (strcmp(key, "socket") != 0) return "known are socket, tag, level";
    target->path = (size_t)(value - target->text);
    return value[0] ? NULL : "socket is the path of the journal's";
}

static const char *set_pair(torc_log_target *target, const char *key, char *value) {
    if (strcmp(key, "level") == 0)
        return set_levels(target, value) ? NULL : "level is as warn, or warn;http=debug";
    if (target->kind == TORC_LOG_TARGET_FILE) {
        if (strcmp(key, "format") != 0) return "known are format, level";
        return set_format(target, value) ? NULL : "format is auto, text, json, logfmt or json-seq";
    }
    if (strcmp(key, "tag") == 0) {
        target->tag = (size_t)(value - target->text);
        return is_word(value) ? NULL : "tag is a word";
    }
    return target->kind == TORC_LOG_TARGET_SYSLOG ? set_syslog(target, key, value)
                                                  : set_journal(target, key, value);
}

static const char *read_pairs(torc_log_target *target, char *rest) {
    while (rest) {
        char *pair = rest, *comma = strchr(rest, ',');
        if (comma) *comma = '\0';
        rest = comma ? comma + 1 : NULL;
        char *equals = strchr(pair, '=');
        if (!equals) return "write KEY=VALUE, with commas between";
        *equals = '\0';
        const char *wrong = set_pair(target, pair, equals + 1);
        if (wrong) return wrong;
    }
    return NULL;
}

/* ---- kinds ---- */

/* What stands behind a word and its colon; an empty text behind the word alone; NULL: another. */
static char *behind(char *text, const char *word) {
    const size_t len = strlen(word);

    if (strncmp(text, word, len) != 0) return NULL;
    if (!text[len]) return text + len;
    return text[len] == ':' ? text + len + 1 : NULL;
}

static const char *read_file(torc_log_target *target, char *path) {
    char *comma = strchr(path, ',');

    target->path = (size_t)(path - target->text);
    if (comma) *comma = '\0';
    if (!path[0]) return "name the file";
    return comma ? read_pairs(target, comma + 1) : NULL;
}

/* A standard stream is a file by the name that torc_log_file_open() gives it. */
static const char *read_stream(torc_log_target *target, char *text, char *rest, char name) {
    text[0] = name;
    text[1] = '\0';
    target->path = (size_t)(text - target->text);
    return *rest ? read_pairs(target, rest) : NULL;
}

static const char *read_all(torc_log_target *target, char *text) {
    char *rest;

    if ((rest = behind(text, "syslog"))) {
        target->kind = TORC_LOG_TARGET_SYSLOG;
        return *rest ? read_pairs(target, rest) : NULL;
    }
    if ((rest = behind(text, "journald"))) {
        target->kind = TORC_LOG_TARGET_JOURNAL;
        return *rest ? read_pairs(target, rest) : NULL;
    }
    if ((rest = behind(text, "stderr"))) return read_stream(target, text, rest, '+');
    if ((rest = behind(text, "stdout"))) return read_stream(target, text, rest, '-');
    if ((rest = behind(text, "file"))) return read_file(target, rest);
    target->path = (size_t)(text - target->text);
    return text[0] ? NULL : "name a file, stderr, syslog or journald";
}

const char *torc_log_target_parse(const char *argument, torc_log_target *target, char wrong[160]) {
    *target = (torc_log_target){.facility = -1};
    const int len = snprintf(target->text + 1, sizeof(target->text) - 1, "%s", argument);

    if (len >= (int)sizeof(target->text) - 1) return "it is too long";
    const char *why = read_all(target, target->text + 1);
    if (why) snprintf(wrong, 160, "%s", why);
    return why ? wrong : NULL;
}
