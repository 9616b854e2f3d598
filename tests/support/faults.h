/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_FAULTS_H
#define TORC_TESTS_FAULTS_H

#include <torc/memory.h>

#include "check.h"

/*
 * Failing allocations by number.
 *
 * faults_each() runs a function again and again, with the first allocation failing, then the
 * second, and so on until it passes untouched; once with that one only, once with all from that one
 * on. Whatever fails, the function must give back all that it took from the memory. The run that is
 * not touched must return TORC_OK; what the others return is the function's to check.
 *
 *     static torc_err fill_a_map(torc_memory *memory, void *context) { … return err; }
 *     faults_each(fill_a_map, NULL);
 *
 * faults_arm() does the same once, to a memory of the caller's (a reactor's).
 */
typedef struct faults {
    uint64_t fail_at; /* 1: the first that is asked for */
    uint64_t asked;   /* allocations so far */
    bool all_from;    /* those after it fail, too */
    bool hit;         /* something failed */
} faults;

typedef torc_err faults_run_fn(torc_memory *memory, void *context);

static inline bool faults_fault(void *context, size_t size) {
    faults *self = (faults *)context;
    const uint64_t number = ++self->asked;
    const bool fails = number == self->fail_at || (self->all_from && number > self->fail_at);

    if (fails) self->hit = true;
    return fails;
}

/* Let the allocation number `fail_at` from now on fail (0: none, count only). */
static inline void faults_arm(faults *self, torc_memory *memory, uint64_t fail_at) {
    self->fail_at = fail_at;
    self->asked = 0;
    self->all_from = false;
    self->hit = false;
    memory->fault = faults_fault;
    memory->fault_context = self;
}

static inline void faults_disarm(torc_memory *memory) {
    memory->fault = NULL;
    memory->fault_context = NULL;
}

/* Run with one failing; true when nothing failed, so that no more runs are needed. */
static inline bool faults_once(faults_run_fn *run, void *context, uint64_t fail_at, bool all_from) {
    torc_memory memory;
    faults self;

    torc_memory_init(&memory, 0);
    faults_arm(&self, &memory, fail_at);
    self.all_from = all_from;
    const torc_err err = run(&memory, context);
    if (memory.used_total != 0) {
        print_error("%zu bytes leaked when allocation %llu failed\n", memory.used_total,
                    (unsigned long long)fail_at);
        fail();
    }
    if (!self.hit) assert_int_equal(err, TORC_OK);
    return !self.hit;
}

static inline void faults_each(faults_run_fn *run, void *context) {
    enum {
        RUNS_MAX = 1000000
    };
    uint64_t fail_at = 1;

    while (!faults_once(run, context, fail_at, false)) assert_true(++fail_at < RUNS_MAX);
    for (fail_at = 1; !faults_once(run, context, fail_at, true);) fail_at++;
}

#endif
