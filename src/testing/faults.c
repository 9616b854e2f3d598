/* SPDX-License-Identifier: MIT */
/*
 * System calls and allocations that fail by number.
 *
 *  - Calls may be made on threads of the pool: what is asked for is set while none runs, and the
 *    count is atomic.
 */
#include "testing/reactor.h"

_Static_assert((int)TORC_TEST_WAIT == (int)TORC_SYS_WAIT, "the same order");
_Static_assert((int)TORC_TEST_SEND == (int)TORC_SYS_SEND, "the same order");
_Static_assert((int)TORC_TEST_OPEN == (int)TORC_SYS_OPEN, "the same order");
_Static_assert((int)TORC_TEST_SPAWN == (int)TORC_SYS_SPAWN, "the same order");
_Static_assert((int)TORC_TEST_CALLS == (int)TORC_SYS_KINDS, "the same order");

static bool fails(torc_sys_faults *faults, torc_sys_kind kind, size_t *len) {
    torc_test_parts *self = torc_container_of(faults, torc_test_parts, sys_faults);
    torc_test_fault *fault = &self->faults[kind];
    const uint64_t number = atomic_fetch_add(&fault->asked, 1) + 1;

    if (len && fault->bytes_max && *len > fault->bytes_max) *len = fault->bytes_max;
    if (fault->first == 0 || number < fault->first || number - fault->first >= fault->times)
        return false;
    errno = fault->number;
    return true;
}

static torc_test_fault *fault_of(torc_reactor *reactor, torc_test_call call) {
    torc_test_parts *self = torc_test_parts_of(reactor);

    self->sys_faults.fails = fails;
    reactor->sys_faults = &self->sys_faults;
    atomic_store(&self->faults[call].asked, 0);
    return &self->faults[call];
}

void torc_test_fail_calls(torc_reactor *reactor, torc_test_call call, uint64_t n, uint64_t times,
                          int number) {
    torc_test_fault *fault = fault_of(reactor, call);

    fault->first = n;
    fault->times = times;
    fault->number = number;
}

void torc_test_limit_calls(torc_reactor *reactor, torc_test_call call, size_t bytes_max) {
    fault_of(reactor, call)->bytes_max = bytes_max;
}

uint64_t torc_test_call_count(const torc_reactor *reactor, torc_test_call call) {
    return atomic_load(&torc_test_parts_of(reactor)->faults[call].asked);
}

static bool allocation_fails(void *context, size_t size) {
    torc_test_parts *self = context;

    (void)size;
    if (self->allocation == 0 || --self->allocation > 0) return false;
    self->allocation_failed = true;
    return true;
}

void torc_test_fail_allocation(torc_reactor *reactor, uint64_t n) {
    torc_test_parts *self = torc_test_parts_of(reactor);

    self->allocation = n;
    self->allocation_failed = false;
    reactor->memory.fault = n ? allocation_fails : NULL;
    reactor->memory.fault_context = self;
}

bool torc_test_allocation_failed(const torc_reactor *reactor) {
    return torc_test_parts_of(reactor)->allocation_failed;
}
