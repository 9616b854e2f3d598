/* SPDX-License-Identifier: MIT */
/*
 * The runner: which cases, in which order, and what is printed of them.
 *
 *  - A case is told when it has ended, so several that run at once are told in the order of their
 *    ends; each has its number from its place in the round.
 */
#include "testing/run.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"

static torc_test_case *first;

/* Whether two stand in the same source, the one above the other. Constructors run in whatever order
 * the linker gave them: with link-time optimisation it is another. */
static bool stands_above(const torc_test_case *one, const torc_test_case *other) {
    const char *colon = strrchr(one->place, ':'), *its_colon = strrchr(other->place, ':');
    const size_t len = colon ? (size_t)(colon - one->place) : 0;

    if (!colon || !its_colon || (size_t)(its_colon - other->place) != len ||
        strncmp(one->place, other->place, len) != 0)
        return false;
    return strtoul(colon + 1, NULL, 10) < strtoul(its_colon + 1, NULL, 10);
}

void torc_test_case_add(torc_test_case *test) {
    torc_test_case **at = &first;

    while (*at && !stands_above(test, *at)) at = &(*at)->next;
    test->next = *at;
    *at = test;
}

/* ---- which, and in which order ---- */

static bool is_wanted(const torc_test_run_options *options, const torc_test_case *test) {
    if (!options->filters[0]) return true;
    for (char **filter = options->filters; *filter; filter++)
        if (fnmatch(*filter, test->name, 0) == 0) return true;
    return false;
}

static size_t choose(const torc_test_run_options *options, torc_test_case **chosen) {
    size_t count = 0;

    for (torc_test_case *test = first; test; test = test->next)
        if (is_wanted(options, test)) {
            if (chosen) chosen[count] = test;
            count++;
        }
    return count;
}

static uint64_t next_random(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void shuffle(torc_test_case **chosen, size_t count, uint64_t *state) {
    for (size_t i = count; i > 1; i--) {
        const size_t other = next_random(state) % i;
        torc_test_case *test = chosen[i - 1];
        chosen[i - 1] = chosen[other];
        chosen[other] = test;
    }
}

/* ---- telling ---- */

typedef struct round {
    const torc_test_run_options *options;
    torc_test_case **chosen;
    size_t count;
    unsigned before; /* cases of the rounds before */
    unsigned next, failed;
} round;

static void print_comment(torc_str text) {
    torc_str line;

    while (text.len > 0 && torc_str_split(&text, '\n', &line)) {
        printf("# %.*s\n", TORC_STR_ARGS(line));
        if (!text.bytes) break;
    }
}

static void tell(round *self, const torc_test_case *test, unsigned number,
                 const torc_test_outcome *outcome) {
    printf("%s %u - %s", outcome->has_failed ? "not ok" : "ok", number, test->name);
    if (outcome->skipped[0]) printf(" # SKIP %s", outcome->skipped);
    if (outcome->todo[0] && !outcome->skipped[0]) printf(" # TODO %s", outcome->todo);
    printf("\n");
    fflush(stdout);
    if (outcome->has_failed && !outcome->todo[0]) self->failed++;
}

/* How a process ended that has not told it itself; NULL: it has. */
static const char *strange_end(const torc_test_child *child, int status, unsigned limit_s,
                               char text[160]) {
    if (child->is_late)
        snprintf(text, 160, "it took longer than %u s, and was killed", limit_s);
    else if (WIFSIGNALED(status))
        snprintf(text, 160, "it was killed by signal %d", WTERMSIG(status));
    else if (child->outcome_len < sizeof(child->outcome))
        snprintf(text, 160, "it called exit(%d)", WEXITSTATUS(status));
    else if (WEXITSTATUS(status) != 0 && !child->outcome.has_failed)
        snprintf(text, 160, "its process ended with %d: a sanitizer, or who runs at the exit",
                 WEXITSTATUS(status));
    else
        return NULL;
    return text;
}

static void ended(round *self, torc_test_child *child) {
    char text[160];
    const int status = torc_test_child_end(child);
    const char *strange = strange_end(child, status, self->options->limit_s, text);

    print_comment(torc_buf_str(&child->output));
    if (strange) {
        printf("# %s: %s\n", child->test->place, strange);
        child->outcome.has_failed = true;
    }
    tell(self, child->test, child->number, &child->outcome);
    torc_buf_dispose(&child->output);
    child->test = NULL;
}

/* ---- running ---- */

static void run_here(round *self) {
    while (self->next < self->count) {
        torc_test_case *test = self->chosen[self->next++];
        const torc_test_outcome outcome = torc_test_case_run(test);
        tell(self, test, self->before + self->next, &outcome);
    }
}

static bool start_next(round *self, torc_test_child *child) {
    torc_test_case *test = self->chosen[self->next];

    if (torc_test_child_start(child, test, self->before + self->next + 1, self->options->limit_s)) {
        self->next++;
        return true;
    }
    return false;
}

/* Without a process for more, those that run are waited for; without any, it is the end. */
static bool run_apart(round *self, torc_test_child *children) {
    unsigned running = 0;

    while (self->next < self->count || running > 0) {
        bool is_short = false;
        for (unsigned i = 0; i < self->options->jobs && self->next < self->count; i++) {
            if (children[i].test || is_short) continue;
            if (start_next(self, &children[i]))
                running++;
            else
                is_short = true;
        }
        if (running == 0) {
            printf("Bail out! no process for a case: %s\n", strerror(errno));
            return false;
        }
        ended(self, torc_test_children_wait(children, self->options->jobs));
        running--;
    }
    return true;
}

/* One round: false when one has failed. */
static bool run_round(round *self, torc_test_child *children) {
    if (!self->options->is_forking)
        run_here(self);
    else if (!run_apart(self, children))
        return false;
    if (self->failed > 0) printf("# %u of %zu failed\n", self->failed, self->count);
    return self->failed == 0;
}

/* The plan of one round is told first, that of several when their number is known. */
static int run_rounds(const torc_test_run_options *options, torc_test_case **chosen, size_t count,
                      torc_test_child *children) {
    uint64_t state = options->seed, rounds = 0;
    bool is_fine = true;

    if (options->is_random)
        printf("# in the order of --random=%llu\n", (unsigned long long)options->seed);
    if (options->repeat == 1) printf("1..%zu\n", count);
    while (is_fine && (options->repeat == 0 || rounds < options->repeat)) {
        round self = {.options = options,
                      .chosen = chosen,
                      .count = count,
                      .before = (unsigned)(rounds++ * count)};
        if (options->is_random) shuffle(chosen, count, &state);
        is_fine = run_round(&self, children);
    }
    if (options->repeat != 1) printf("1..%llu\n", (unsigned long long)(rounds * count));
    return is_fine ? 0 : 1;
}

static int run(const torc_test_run_options *options) {
    const size_t count = choose(options, NULL);
    torc_test_case **chosen =
        torc_alloc_zero(NULL, TORC_MEMORY_OTHER, count + 1, sizeof(torc_test_case *));
    torc_test_child *children =
        torc_alloc_zero(NULL, TORC_MEMORY_OTHER, options->jobs, sizeof(*children));
    int exit_code = 1;

    if (chosen && children && count > 0) {
        (void)choose(options, chosen);
        exit_code = run_rounds(options, chosen, count, children);
    } else {
        printf("Bail out! %s\n", count ? "there is no memory" : "there is no such case");
    }
    torc_dealloc(NULL, (void *)chosen);
    torc_dealloc(NULL, children);
    return exit_code;
}

int torc_test_main(int argc, char **argv) {
    const char *program = argc > 0 ? argv[0] : "test";
    torc_test_run_options options;
    char why[200];

    if (torc_test_run_read(&options, argc, argv, why)) {
        fprintf(stderr, "%s: %s\n", program, why);
        return 2;
    }
    if (options.wants_help) {
        torc_test_run_help(program);
        return 0;
    }
    if (!options.lists) return run(&options);
    for (const torc_test_case *test = first; test; test = test->next)
        if (is_wanted(&options, test)) printf("%s\n", test->name);
    return 0;
}
