/* SPDX-License-Identifier: MIT */
/*
 * Reading arguments by a table, and writing help from it.
 *
 *  - An option is written `--name`, its argument after `=` or as the next argument.
 *  - A mistake is one line that names the option, the value and what would be right.
 */
#include "app/options.h"

#include <stdio.h>

enum {
    NAME_MAX_LEN = 40
};

static size_t least(size_t a, size_t b, size_t c) {
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Number of single-letter changes between two names, of which `b` is at most NAME_MAX_LEN long. */
static size_t distance(torc_str a, torc_str b) {
    size_t row[NAME_MAX_LEN + 1];

    for (size_t j = 0; j <= b.len; j++) row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            const size_t change = diagonal + (a.bytes[i - 1] != b.bytes[j - 1]);
            diagonal = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, change);
        }
    }
    return row[b.len];
}

const char *torc_nearest_name(torc_str name, const char *const *names, size_t count) {
    const char *nearest = NULL;
    size_t best = name.len / 2 + 1; /* further away is another word */

    if (name.len > NAME_MAX_LEN) return NULL;
    for (size_t i = 0; i < count; i++) {
        const torc_str known = torc_str_of(names[i]);
        const size_t changes = known.len <= NAME_MAX_LEN ? distance(name, known) : best;
        if (changes < best) {
            best = changes;
            nearest = names[i];
        }
    }
    return nearest;
}

static const torc_option *find(const torc_option_set *set, torc_str name) {
    for (size_t g = 0; g < set->count; g++)
        for (size_t i = 0; i < set->groups[g].count; i++)
            if (torc_str_equals(name, torc_str_of(set->groups[g].options[i].name)))
                return &set->groups[g].options[i];
    return NULL;
}

static const char *nearest_option(const torc_option_set *set, torc_str name) {
    const char *names[64];
    size_t count = 0;

    for (size_t g = 0; g < set->count; g++)
        for (size_t i = 0; i < set->groups[g].count && count < TORC_COUNT_OF(names); i++)
            names[count++] = set->groups[g].options[i].name;
    return torc_nearest_name(name, names, count);
}

static bool report_unknown(const torc_option_set *set, torc_str name, torc_buf *mistake) {
    const char *nearest = nearest_option(set, name);

    torc_buf_addf(mistake, "--%.*s: no such option", TORC_STR_ARGS(name));
    if (nearest)
        torc_buf_addf(mistake, "; did you mean --%s?", nearest);
    else
        torc_buf_add(mistake, TORC_STR("; --help lists them"));
    return false;
}

/* The value of an option at `argv[*place]`, from behind its `=` or from the next argument. */
static bool take_value(const torc_option *option, const char *equals, int argc, char **argv,
                       int *place, const char **value, torc_buf *mistake) {
    *value = equals ? equals + 1 : NULL;
    if (!option->argument) {
        if (equals) torc_buf_addf(mistake, "--%s: takes no value", option->name);
        return !equals;
    }
    if (*value) return true;
    if (*place + 1 >= argc) {
        torc_buf_addf(mistake, "--%s: needs a value: --%s %s", option->name, option->name,
                      option->argument);
        return false;
    }
    *value = argv[++*place];
    return true;
}

static bool read_one(const torc_option_set *set, torc_app *app, int argc, char **argv, int *place,
                     torc_buf *mistake) {
    const char *argument = argv[*place], *value;
    char text[160];

    if (strncmp(argument, "--", 2) != 0 || !argument[2]) {
        torc_buf_addf(mistake, "%s: options begin with `--`; --help lists them", argument);
        return false;
    }

    const char *equals = strchr(argument, '=');
    const torc_str name = equals ? torc_str_make(argument + 2, (size_t)(equals - argument) - 2)
                                 : torc_str_of(argument + 2);
    const torc_option *option = find(set, name);
    if (!option) return report_unknown(set, name, mistake);
    if (!take_value(option, equals, argc, argv, place, &value, mistake)) return false;

    const char *wrong = option->apply(app, value, text);
    if (wrong) torc_buf_addf(mistake, "--%s %s: %s", option->name, value ? value : "", wrong);
    return !wrong;
}

bool torc_options_read(const torc_option_set *set, torc_app *app, int argc, char **argv,
                       torc_buf *mistake) {
    for (int place = 1; place < argc; place++)
        if (!read_one(set, app, argc, argv, &place, mistake)) return false;
    return true;
}

static void write_option(const torc_option *option, torc_buf *text) {
    char left[64];

    snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    torc_buf_addf(text, "  %-26s %s\n", left, option->help);
}

void torc_options_write_help(const torc_option_set *set, torc_buf *text) {
    for (size_t g = 0; g < set->count; g++) {
        if (!set->groups[g].count) continue;
        torc_buf_addf(text, "\n%s:\n", set->groups[g].title);
        for (size_t i = 0; i < set->groups[g].count; i++)
            write_option(&set->groups[g].options[i], text);
    }
}
