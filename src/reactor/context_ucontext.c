/* SPDX-License-Identifier: MIT */
/*
 * Changing stacks where nobody has written it in assembler: by the C library, which saves the
 * signal mask, too, at two system calls a change.
 *
 *  - What is saved is a `saved` on the stack that is left, or at the top of one that was prepared.
 *  - The control words of floating point are changed by <fenv.h> once the stack has been changed:
 *    whether swapcontext() does so is each platform's choice.
 */
#include <fenv.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "reactor/context.h"

enum {
    STACK_MIN = 8192 /* what a prepared stack is known to have, at least */
};

typedef struct saved {
    ucontext_t context;
    fenv_t floating;
    torc_context_fn *entry; /* of a prepared one, as is the next */
    void *argument;
} saved;

void torc_context_swap(void **save, void *load) {
    saved here, *there = load;

    /* The sanitizers look at the stack of what is loaded. */
    memset(&here.context.uc_stack, 0, sizeof(here.context.uc_stack));
    (void)fegetenv(&here.floating);
    *save = &here;
    (void)swapcontext(&here.context, &there->context);
    (void)fesetenv(&here.floating);
}

/* makecontext() passes ints only: the pointer comes in two. */
static void begin(unsigned high, unsigned low) {
    saved *self = (saved *)(uintptr_t)((uint64_t)high << 32 | low);

    (void)fesetenv(&self->floating);
    self->entry(self->argument);
}

void *torc_context_prepare(void *top, torc_context_fn *entry, void *argument) {
    saved *self = (saved *)(((uintptr_t)top - sizeof(saved)) & ~(uintptr_t)63);
    const uint64_t address = (uintptr_t)self;

    self->entry = entry;
    self->argument = argument;
    (void)getcontext(&self->context);
    self->context.uc_stack.ss_sp = (char *)self - STACK_MIN;
    self->context.uc_stack.ss_size = STACK_MIN;
    self->context.uc_link = NULL;
    makecontext(&self->context, (void (*)(void))begin, 2, (unsigned)(address >> 32),
                (unsigned)address);
    torc_context_inherit(self);
    return self;
}

void torc_context_inherit(void *sp) {
    saved *self = sp;
    (void)fegetenv(&self->floating);
}
