/* SPDX-License-Identifier: MIT */
/*
 * Changing stacks where nobody has written it in assembler: by the C library, which saves the
 * signal mask, too.
 *
 *  - What is saved is a ucontext_t on the stack that is left, or at the top of one that was
 * prepared.
 */
#include <stdint.h>
#include <ucontext.h>

#include "reactor/context.h"

enum {
    STACK_MIN = 16384 /* what a prepared stack is known to have, at least */
};

typedef struct prepared {
    ucontext_t context; /* first: it is what is loaded */
    torc_context_fn *entry;
    void *argument;
} prepared;

void torc_context_swap(void **save, void *load) {
    ucontext_t here;

    *save = &here;
    (void)swapcontext(&here, load);
}

/* makecontext() passes ints only: the pointer comes in two. */
static void begin(unsigned high, unsigned low) {
    prepared *self = (prepared *)(uintptr_t)((uint64_t)high << 32 | low);
    self->entry(self->argument);
}

void *torc_context_prepare(void *top, torc_context_fn *entry, void *argument) {
    prepared *self = (prepared *)(((uintptr_t)top - sizeof(prepared)) & ~(uintptr_t)63);
    const uint64_t address = (uintptr_t)self;

    self->entry = entry;
    self->argument = argument;
    (void)getcontext(&self->context);
    self->context.uc_stack.ss_sp = (char *)self - STACK_MIN;
    self->context.uc_stack.ss_size = STACK_MIN;
    self->context.uc_link = NULL;
    makecontext(&self->context, (void (*)(void))begin, 2, (unsigned)(address >> 32),
                (unsigned)address);
    return self;
}
