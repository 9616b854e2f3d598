/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_OPTIONS_H
#define TORC_APP_OPTIONS_H

#include <torc/app.h>
#include <torc/buf.h>

/*
 * The options of a program: one table, from which arguments are read and help is written.
 */
typedef struct torc_option {
    const char *name;     /* without the dashes */
    const char *argument; /* its name in the help; NULL: takes none */
    const char *help;
    torc_app_option_fn *apply;
} torc_option;

typedef struct torc_option_group {
    const char *title;
    const torc_option *options;
    size_t count;
} torc_option_group;

enum {
    TORC_OPTION_GROUPS_MAX = 8
};

/* All the groups of a program; `count` of them. */
typedef struct torc_option_set {
    torc_option_group groups[TORC_OPTION_GROUPS_MAX];
    size_t count;
} torc_option_set;

/*
 * Apply the arguments in order. False: `mistake` holds one line that names the option, the value
 * and the fix. `--name value` and `--name=value` are the same; what is no option is a mistake.
 */
bool torc_options_read(const torc_option_set *set, torc_app *app, int argc, char **argv,
                       torc_buf *mistake);
void torc_options_write_help(const torc_option_set *set, torc_buf *text);
/* Among `count` names, the one that is nearest to `name`, or NULL when none is near. */
const char *torc_nearest_name(torc_str name, const char *const *names, size_t count);

/* `NAME=VALUE`, NAME a member of torc_limits written with `-`: the option --limit. */
const char *torc_limit_option_apply(torc_limits *limits, const char *value, char text[160]);
/* A line for each limit with its default: for the help. */
void torc_limit_options_write(torc_buf *text);

#endif
