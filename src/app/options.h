/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_OPTIONS_H
#define TORC_APP_OPTIONS_H

#include <torc/app.h>
#include <torc/buf.h>
#include <torc/json.h>

/*
 * The options of a program: one table, from which arguments are read, and help, the manual and
 * completions are written. torc_app_add_option() tells what an argument's name says.
 */
typedef struct torc_option {
    const char *name;     /* without the dashes */
    const char *argument; /* NULL: takes none; else "FILE", "DIR...", "auto|text", "[TOPIC]" */
    const char *help;     /* a line; what follows a newline is for the manual alone */
    torc_app_option_fn *apply;
} torc_option;

typedef struct torc_option_group {
    const char *title; /* its topic for --help is the same in small letters */
    const torc_option *options;
    size_t count;
} torc_option_group;

enum {
    TORC_OPTION_GROUPS_MAX = 16
};

/* All the groups of a program; `count` of them. */
typedef struct torc_option_set {
    torc_option_group groups[TORC_OPTION_GROUPS_MAX];
    size_t count;
} torc_option_set;

/* ---- reading ---- */

/*
 * Apply the arguments in order. False: `mistake` holds one line that names the option, the value
 * and the fix. `--name value` and `--name=value` are the same; what is no option is a mistake.
 */
bool torc_options_read(const torc_option_set *set, torc_app *app, int argc, char **argv,
                       torc_buf *mistake);

/* ---- what an option's argument says ---- */

/* The forms that a value may have, with `|` between; empty when it takes none. */
torc_str torc_option_forms(const torc_option *option);
/* A form that is written as it stands, and not the name of what is to be written. */
bool torc_option_form_is_word(torc_str form);
bool torc_option_is_repeatable(const torc_option *option);
bool torc_option_may_lack_value(const torc_option *option);
/* The letter that stands for the option, or 0. */
char torc_option_letter(const torc_option *option);

/* ---- writing ---- */

/* The groups that have options, each within a screen of 24 lines of 80 columns. */
void torc_options_write_help(const torc_option_set *set, torc_buf *text);
/* The group of a topic alone. */
void torc_options_write_group(const torc_option_set *set, torc_str topic, torc_buf *text);
bool torc_options_has_topic(const torc_option_set *set, torc_str topic);
/* The topics, with a comma between. */
void torc_options_write_topics(const torc_option_set *set, torc_buf *text);
/* The member "groups" of an object: all of the table, for programs. */
void torc_options_write_json(const torc_option_set *set, torc_json *json);

/* ---- limits, by name ---- */

/* `NAME=VALUE`, NAME a member of torc_limits written with `-`: the option --limit. */
const char *torc_limit_option_apply(torc_limits *limits, const char *value, char text[160]);
/* A line for each limit with its default, by groups: for the help. */
void torc_limit_options_write(torc_buf *text);
/* The member "limits" of an object. */
void torc_limit_options_write_json(torc_json *json);

#endif
