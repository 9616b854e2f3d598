/* SPDX-License-Identifier: MIT */
/*
 * Reading arguments by a table.
 *
 *  - An option is written `--name`, its argument after `=` or as the next argument. One whose value
 *    may be lacking takes the next argument unless that is an option itself.
 *  - A mistake is one line that names the option, the value and what would be right, whatever is in
 *    the value: its control characters are shown as `?`, and of a long one the beginning.
 */
#include "app/options.h"

#include <stdio.h>

enum {
    NAMES_MAX = 128,
    WORDS_MAX = 16,
    WORD_SIZE = 40,
    SHOWN_MAX = 300 /* bytes of an argument */
};

/* The few that people expect to be short. */
static const struct {
    char letter;
    const char *name;
} letters[] = {{'h', "help"}, {'V', "version"}};

char torc_option_letter(const torc_option *option) {
    for (size_t i = 0; i < TORC_COUNT_OF(letters); i++)
        if (strcmp(letters[i].name, option->name) == 0) return letters[i].letter;
    return 0;
}

/* ---- mistakes ---- */

static void add_shown(torc_buf *mistake, torc_str argument) {
    torc_buf_add(mistake, torc_str_head(argument, SHOWN_MAX));
    if (argument.len > SHOWN_MAX) torc_buf_add(mistake, TORC_STR("..."));
}

static void make_one_line(torc_buf *mistake) {
    for (size_t i = 0; i < mistake->len; i++) {
        const unsigned char c = (unsigned char)mistake->bytes[i];
        if (c < 0x20 || c == 0x7f) mistake->bytes[i] = '?';
    }
}

/* ---- arguments ---- */

bool torc_option_is_repeatable(const torc_option *option) {
    return torc_str_ends_with(torc_str_of(option->argument), TORC_STR("..."));
}

bool torc_option_may_lack_value(const torc_option *option) {
    return option->argument && option->argument[0] == '[';
}

torc_str torc_option_forms(const torc_option *option) {
    torc_str argument = torc_str_of(option->argument);

    if (torc_option_is_repeatable(option)) argument.len -= 3;
    if (torc_option_may_lack_value(option))
        argument = torc_str_make(argument.bytes + 1, argument.len - 2);
    return argument;
}

bool torc_option_form_is_word(torc_str form) {
    return form.len > 0 && !(form.bytes[0] >= 'A' && form.bytes[0] <= 'Z');
}

/* The words that a value may be, and whether it may be nothing else. */
typedef struct word_list {
    char texts[WORDS_MAX][WORD_SIZE];
    const char *words[WORDS_MAX];
    size_t count;
    bool is_closed;
} word_list;

static void list_words(const torc_option *option, word_list *list) {
    torc_str rest = torc_option_forms(option), form;

    *list = (word_list){.is_closed = true};
    while (torc_str_split(&rest, '|', &form)) {
        if (!torc_option_form_is_word(form) || list->count == WORDS_MAX) {
            list->is_closed = false;
            continue;
        }
        snprintf(list->texts[list->count], WORD_SIZE, "%.*s", TORC_STR_ARGS(form));
        list->words[list->count] = list->texts[list->count];
        list->count++;
    }
}

/* A value that has to be one of a few words is one of them; else a mistake. */
static bool check_word(const torc_option *option, const char *value, torc_buf *mistake) {
    word_list list;

    if (!value) return true;
    list_words(option, &list);
    if (!list.is_closed) return true;
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(value, list.words[i]) == 0) return true;

    const char *nearest = torc_str_nearest(torc_str_of(value), list.words, list.count);
    torc_buf_addf(mistake, "--%s ", option->name);
    add_shown(mistake, torc_str_of(value));
    torc_buf_add(mistake, TORC_STR(": not one of "));
    for (size_t i = 0; i < list.count; i++)
        torc_buf_addf(mistake, "%s%s", i == 0 ? "" : ", ", list.words[i]);
    if (nearest) torc_buf_addf(mistake, "; did you mean %s?", nearest);
    return false;
}

/* ---- options ---- */

static const torc_option *find(const torc_option_set *set, torc_str name) {
    for (size_t g = 0; g < set->count; g++)
        for (size_t i = 0; i < set->groups[g].count; i++)
            if (torc_str_equals(name, torc_str_of(set->groups[g].options[i].name)))
                return &set->groups[g].options[i];
    return NULL;
}

static const torc_option *find_letter(const torc_option_set *set, const char *argument) {
    for (size_t i = 0; i < TORC_COUNT_OF(letters); i++)
        if (argument[0] == '-' && argument[1] == letters[i].letter && !argument[2])
            return find(set, torc_str_of(letters[i].name));
    return NULL;
}

static const char *nearest_option(const torc_option_set *set, torc_str name) {
    const char *names[NAMES_MAX];
    size_t count = 0;

    for (size_t g = 0; g < set->count; g++)
        for (size_t i = 0; i < set->groups[g].count && count < NAMES_MAX; i++)
            names[count++] = set->groups[g].options[i].name;
    return torc_str_nearest(name, names, count);
}

static bool report_unknown(const torc_option_set *set, torc_str name, torc_buf *mistake) {
    const char *nearest = nearest_option(set, name);

    torc_buf_add(mistake, TORC_STR("--"));
    add_shown(mistake, name);
    torc_buf_add(mistake, TORC_STR(": no such option"));
    if (nearest)
        torc_buf_addf(mistake, "; did you mean --%s?", nearest);
    else
        torc_buf_add(mistake, TORC_STR("; --help lists them"));
    return false;
}

/* Who names a file without an option means the option for it. */
static void report_no_option(const torc_option_set *set, const char *argument, torc_buf *mistake) {
    add_shown(mistake, torc_str_of(argument));
    torc_buf_add(mistake, TORC_STR(": options begin with `--`; "));
    if (argument[0] && argument[0] != '-' && find(set, TORC_STR("path"))) {
        torc_buf_add(mistake, TORC_STR("did you mean --path "));
        add_shown(mistake, torc_str_of(argument));
        torc_buf_add(mistake, TORC_STR("?"));
    } else {
        torc_buf_add(mistake, TORC_STR("--help lists them"));
    }
}

/* The value of an option at `argv[*place]`, from behind its `=` or from the next argument. */
static bool take_value(const torc_option *option, const char *equals, int argc, char **argv,
                       int *place, const char **value, torc_buf *mistake) {
    const char *next = *place + 1 < argc ? argv[*place + 1] : NULL;

    *value = equals ? equals + 1 : NULL;
    if (!option->argument) {
        if (equals) torc_buf_addf(mistake, "--%s: takes no value", option->name);
        return !equals;
    }
    if (*value || (torc_option_may_lack_value(option) && (!next || *next == '-'))) return true;
    if (!next) {
        const torc_str argument = torc_option_forms(option);
        torc_buf_addf(mistake, "--%s: needs a value: --%s %.*s", option->name, option->name,
                      TORC_STR_ARGS(argument));
        return false;
    }
    *value = next;
    ++*place;
    return true;
}

/* The option that an argument names, and where its `=` is, if it has one. */
static const torc_option *option_of(const torc_option_set *set, const char *argument,
                                    const char **equals, torc_buf *mistake) {
    const torc_option *option = find_letter(set, argument);

    *equals = NULL;
    if (option) return option;
    if (strncmp(argument, "--", 2) != 0 || !argument[2]) {
        report_no_option(set, argument, mistake);
        return NULL;
    }

    *equals = strchr(argument, '=');
    const torc_str name = *equals ? torc_str_make(argument + 2, (size_t)(*equals - argument) - 2)
                                  : torc_str_of(argument + 2);
    option = find(set, name);
    if (!option) report_unknown(set, name, mistake);
    return option;
}

static bool read_one(const torc_option_set *set, torc_app *app, int argc, char **argv, int *place,
                     torc_buf *mistake) {
    const char *equals, *value;
    const torc_option *option = option_of(set, argv[*place], &equals, mistake);
    char text[160];

    if (!option || !take_value(option, equals, argc, argv, place, &value, mistake) ||
        !check_word(option, value, mistake))
        return false;

    const char *wrong = option->apply(app, value, text);
    if (wrong) {
        torc_buf_addf(mistake, "--%s%s", option->name, value ? " " : "");
        add_shown(mistake, torc_str_of(value));
        torc_buf_addf(mistake, ": %s", wrong);
    }
    return !wrong;
}

bool torc_options_read(const torc_option_set *set, torc_app *app, int argc, char **argv,
                       torc_buf *mistake) {
    int place = 1;

    while (place < argc && read_one(set, app, argc, argv, &place, mistake)) place++;
    make_one_line(mistake);
    return place >= argc;
}
