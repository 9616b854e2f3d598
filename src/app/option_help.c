/* SPDX-License-Identifier: MIT */
/*
 * What is written from a table of options: help for people, and the table itself for programs.
 *
 *  - No line of the help is longer than a terminal of 80 columns takes.
 */
#include <stdio.h>

#include "app/options.h"

enum {
    HELP_COLUMN = 29,
    WIDTH = 79,
    TOPIC_SIZE = 40
};

/* The first line of a help: what the option does. */
static torc_str brief(const torc_option *option) {
    torc_str rest = torc_str_of(option->help), line = {0};

    torc_str_split(&rest, '\n', &line);
    return line;
}

/* ---- for people ---- */

/* The words of a text from the help's column on, as many lines as it takes. */
static void write_wrapped(torc_str words, torc_buf *text) {
    size_t column = HELP_COLUMN;
    torc_str word;

    for (bool is_first = true; torc_str_split(&words, ' ', &word); is_first = false) {
        if (!is_first && column + 1 + word.len > WIDTH) {
            torc_buf_addf(text, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (!is_first) {
            torc_buf_add_byte(text, ' ');
            column++;
        }
        torc_buf_add(text, word);
        column += word.len;
    }
    torc_buf_add_byte(text, '\n');
}

static void write_option(const torc_option *option, torc_buf *text) {
    const char letter = torc_option_letter(option), short_form[] = {'-', letter, ',', ' ', '\0'};
    char left[120];
    const int len =
        snprintf(left, sizeof(left), "  %s--%s%s%s", letter ? short_form : "", option->name,
                 option->argument ? " " : "", option->argument ? option->argument : "");

    torc_buf_addf(text, "%-*s", HELP_COLUMN - 1, left);
    if (len >= HELP_COLUMN)
        torc_buf_addf(text, "\n%*s", HELP_COLUMN, "");
    else
        torc_buf_add_byte(text, ' ');
    write_wrapped(brief(option), text);
}

static void write_group(const torc_option_group *group, torc_buf *text) {
    if (!group->count) return;
    torc_buf_addf(text, "\n%s:\n", group->title);
    for (size_t i = 0; i < group->count; i++) write_option(&group->options[i], text);
}

void torc_options_write_help(const torc_option_set *set, torc_buf *text) {
    for (size_t g = 0; g < set->count; g++) write_group(&set->groups[g], text);
}

/* ---- topics ---- */

/* The topic of a group, in `text`: its title in small letters. */
static torc_str topic_of(const torc_option_group *group, char text[TOPIC_SIZE]) {
    const int len = snprintf(text, TOPIC_SIZE, "%s", group->title);

    for (char *at = text; *at; at++) {
        if (*at >= 'A' && *at <= 'Z') *at = (char)(*at + 32);
        if (*at == ' ') *at = '-';
    }
    return torc_str_head(torc_str_make(text, TOPIC_SIZE - 1), (size_t)len);
}

static const torc_option_group *find_topic(const torc_option_set *set, torc_str topic) {
    char own[TOPIC_SIZE];

    for (size_t g = 0; g < set->count; g++)
        if (set->groups[g].count && torc_str_equals(topic, topic_of(&set->groups[g], own)))
            return &set->groups[g];
    return NULL;
}

bool torc_options_has_topic(const torc_option_set *set, torc_str topic) {
    return find_topic(set, topic) != NULL;
}

void torc_options_write_group(const torc_option_set *set, torc_str topic, torc_buf *text) {
    const torc_option_group *group = find_topic(set, topic);

    if (group) write_group(group, text);
}

void torc_options_write_topics(const torc_option_set *set, torc_buf *text) {
    char own[TOPIC_SIZE];
    const char *comma = "";

    for (size_t g = 0; g < set->count; g++) {
        if (!set->groups[g].count) continue;
        const torc_str topic = topic_of(&set->groups[g], own);
        torc_buf_addf(text, "%s%.*s", comma, TORC_STR_ARGS(topic));
        comma = ", ";
    }
}

/* ---- for programs ---- */

/* Whether a form is a name such as FILE or FILE=VALUE. */
static bool form_is(torc_str form, const char *name) {
    const torc_str wanted = torc_str_of(name);

    return torc_str_starts_with(form, wanted) &&
           (form.len == wanted.len || form.bytes[wanted.len] == '=');
}

/* What a shell may complete a value from, besides words. */
static const char *kind_of(const torc_option *option) {
    static const struct {
        const char *name, *kind;
    } kinds[] = {
        {"FILE", "file"},   {"PATH", "file"}, {"DIR", "folder"},  {"USER", "user"},
        {"GROUP", "group"}, {"N", "number"},  {"LIMIT", "limit"}, {"TOPIC", "topic"},
    };
    torc_str rest = torc_option_forms(option), form;

    while (torc_str_split(&rest, '|', &form))
        for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++)
            if (form_is(form, kinds[i].name)) return kinds[i].kind;
    return "text";
}

static void write_words(const torc_option *option, torc_json *json) {
    torc_str rest = torc_option_forms(option), form;

    torc_json_member_array(json, "words");
    while (torc_str_split(&rest, '|', &form))
        if (torc_option_form_is_word(form)) torc_json_str(json, form);
    torc_json_close_array(json);
}

static void write_option_json(const torc_option *option, torc_json *json) {
    const char letter = torc_option_letter(option);
    const torc_str first = brief(option);

    torc_json_open_object(json);
    torc_json_member_text(json, "name", option->name);
    if (letter) torc_json_member_str(json, "letter", torc_str_make(&letter, 1));
    torc_json_member_str(json, "help", first);
    if (option->help[first.len])
        torc_json_member_text(json, "manual", option->help + first.len + 1);
    if (option->argument) {
        torc_json_member_text(json, "argument", option->argument);
        torc_json_member_text(json, "kind", kind_of(option));
        torc_json_member_bool(json, "may_lack_value", torc_option_may_lack_value(option));
        torc_json_member_bool(json, "is_repeatable", torc_option_is_repeatable(option));
        write_words(option, json);
    }
    torc_json_close_object(json);
}

void torc_options_write_json(const torc_option_set *set, torc_json *json) {
    char topic[TOPIC_SIZE];

    torc_json_member_array(json, "groups");
    for (size_t g = 0; g < set->count; g++) {
        if (!set->groups[g].count) continue;
        torc_json_open_object(json);
        torc_json_member_text(json, "title", set->groups[g].title);
        torc_json_member_str(json, "topic", topic_of(&set->groups[g], topic));
        torc_json_member_array(json, "options");
        for (size_t i = 0; i < set->groups[g].count; i++)
            write_option_json(&set->groups[g].options[i], json);
        torc_json_close_array(json);
        torc_json_close_object(json);
    }
    torc_json_close_array(json);
}
