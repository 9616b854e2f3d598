/* SPDX-License-Identifier: MIT */
/*
 * The arguments of a program of tests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "testing/run.h"

enum {
    LIMIT_S = 60,
    JOBS_MAX = 256
};

/* Each option: its names, what it takes, and what it says in the help. */
typedef struct option {
    char letter;
    const char *name, *argument, *help;
    bool is_optional; /* the argument, after `=` */
    bool (*apply)(torc_test_run_options *options, const char *value);
} option;

static bool read_number(const char *value, uint64_t max, uint64_t *number) {
    return value && !torc_str_parse_uint(torc_str_of(value), max, number);
}

static bool set_jobs(torc_test_run_options *options, const char *value) {
    uint64_t number;

    if (!read_number(value, JOBS_MAX, &number) || number == 0) return false;
    options->jobs = (unsigned)number;
    return true;
}

static bool set_limit(torc_test_run_options *options, const char *value) {
    uint64_t number;

    if (!read_number(value, 1000000, &number)) return false;
    options->limit_s = (unsigned)number;
    return true;
}

static bool set_repeat(torc_test_run_options *options, const char *value) {
    return read_number(value, UINT32_MAX, &options->repeat) && options->repeat > 0;
}

static bool set_until_failure(torc_test_run_options *options, const char *value) {
    (void)value;
    options->repeat = 0;
    return true;
}

static bool set_random(torc_test_run_options *options, const char *value) {
    struct timespec now;

    options->is_random = true;
    if (value) return read_number(value, UINT64_MAX, &options->seed);
    clock_gettime(CLOCK_REALTIME, &now);
    options->seed = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec;
    return true;
}

static bool set_no_fork(torc_test_run_options *options, const char *value) {
    (void)value;
    options->is_forking = false;
    return true;
}

static bool set_list(torc_test_run_options *options, const char *value) {
    (void)value;
    options->lists = true;
    return true;
}

static bool set_help(torc_test_run_options *options, const char *value) {
    (void)value;
    options->wants_help = true;
    return true;
}

static const option options_known[] = {
    {'j', "jobs", "N", "run N cases at once (1)", false, set_jobs},
    {0, "time-limit", "S", "seconds that a case may take (60; 0: any)", false, set_limit},
    {0, "random", "SEED", "another order; it is told, and the same for one seed", true, set_random},
    {0, "repeat", "N", "run all of them N times", false, set_repeat},
    {'u', "until-failure", NULL, "run them again and again, until one fails", false,
     set_until_failure},
    {0, "no-fork", NULL, "all in this process, for debuggers; without a time limit", false,
     set_no_fork},
    {'l', "list", NULL, "print the names of the cases", false, set_list},
    {'h', "help", NULL, "this", false, set_help},
};

void torc_test_run_help(const char *program) {
    printf("Usage: %s [OPTION...] [NAME...]\n"
           "Run the cases whose names are given (`*` and `?` stand for any letters), or all.\n\n",
           program);
    for (size_t i = 0; i < TORC_COUNT_OF(options_known); i++) {
        const option *it = &options_known[i];
        char left[40];
        snprintf(left, sizeof(left), "--%s%s%s%s", it->name,
                 it->is_optional ? "[="
                 : it->argument  ? " "
                                 : "",
                 it->argument ? it->argument : "", it->is_optional ? "]" : "");
        printf("  %c%c%c %-20s %s\n", it->letter ? '-' : ' ', it->letter ? it->letter : ' ',
               it->letter ? ',' : ' ', left, it->help);
    }
}

/* The option of an argument, and the value that stands in it, or NULL. */
static const option *find(const char *argument, const char **value) {
    const char *equals = strchr(argument, '=');
    const size_t len = equals ? (size_t)(equals - argument) : strlen(argument);

    *value = equals ? equals + 1 : NULL;
    for (size_t i = 0; i < TORC_COUNT_OF(options_known); i++) {
        const option *it = &options_known[i];
        if (argument[1] == '-' && strlen(it->name) == len - 2 &&
            strncmp(argument + 2, it->name, len - 2) == 0)
            return it;
        if (argument[1] == '-' || argument[1] != it->letter) continue;
        if (argument[2] != '\0') *value = argument + 2; /* as in -j4 */
        return it;
    }
    return NULL;
}

const char *torc_test_run_read(torc_test_run_options *options, int argc, char **argv,
                               char why[200]) {
    int names = 0;

    *options = (torc_test_run_options){
        .jobs = 1, .limit_s = LIMIT_S, .repeat = 1, .is_forking = true, .filters = argv + 1};
    for (int i = 1; i < argc; i++) {
        const char *value;
        if (argv[i][0] != '-') {
            options->filters[names++] = argv[i];
            continue;
        }
        const char *argument = argv[i];
        const option *it = find(argument, &value);
        if (it && it->argument && !it->is_optional && !value && i + 1 < argc) value = argv[++i];
        if (it && (it->argument || !value) && it->apply(options, value)) continue;
        if (it && it->argument)
            snprintf(why, 200, "%s: it takes %s, a number", argument, it->argument);
        else
            snprintf(why, 200, "%s: there is no such option; see --help", argument);
        return why;
    }
    if (argc > 0) options->filters[names] = NULL;
    return NULL;
}
