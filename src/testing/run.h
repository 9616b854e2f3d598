/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_RUN_PARTS_H
#define TORC_TESTING_RUN_PARTS_H

#include <sys/types.h>
#include <torc/testing_run.h>

/*
 * The runner: what its files share.
 */

/* How a case has ended, as its process tells it. */
typedef struct torc_test_outcome {
    bool has_failed;
    char skipped[200], todo[200]; /* the reasons; "": it is not */
} torc_test_outcome;

typedef struct torc_test_run_options {
    char **filters; /* NULL-ended */
    unsigned jobs;
    unsigned limit_s; /* for each case; 0: none */
    uint64_t repeat;  /* rounds; 0: until one fails */
    bool is_random, is_forking, lists, wants_help;
    uint64_t seed;
} torc_test_run_options;

/* Read arguments; NULL, or why they cannot be used, in `why`. */
const char *torc_test_run_read(torc_test_run_options *options, int argc, char **argv,
                               char why[200]);
/* The help. */
void torc_test_run_help(const char *program);
/* Run a case in this process, and look at what it leaves. */
torc_test_outcome torc_test_case_run(torc_test_case *test);

/* A case that runs in a process of its own. */
typedef struct torc_test_child {
    torc_test_case *test; /* NULL: none runs */
    unsigned number;
    pid_t pid;
    int printed, told; /* pipes: what it prints, and its outcome */
    int64_t until_ms;  /* INT64_MAX: no limit */
    torc_buf output;
    torc_test_outcome outcome;
    size_t outcome_len;
    bool is_late;
} torc_test_child;

/* Start one; false, and errno, when there can be no process. */
bool torc_test_child_start(torc_test_child *child, torc_test_case *test, unsigned number,
                           unsigned limit_s);
/* Wait until one of several has ended, or is ended since it takes too long; it is told by its
 * pipes. */
torc_test_child *torc_test_children_wait(torc_test_child *children, unsigned count);
/* Wait for the process itself; how it ended, as waitpid() tells. */
int torc_test_child_end(torc_test_child *child);

#endif
