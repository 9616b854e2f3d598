/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_CONTEXT_H
#define TORC_REACTOR_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Changing stacks. What the processor needs is in a file per architecture; what the sanitizers need
 * to be told is here.
 *
 * The control words of floating point belong to all contexts together: whoever changes the rounding
 * mode must not change stacks meanwhile.
 */
typedef struct torc_context {
    void *sp;           /* where it goes on; meaningless while it runs */
    const void *bottom; /* of its stack, for the address sanitizer; the thread's own is learnt */
    size_t size;
    void *shadow; /* the sanitizers' */
} torc_context;

typedef void torc_context_fn(void *argument);

/*
 * Save the registers that a call preserves on this stack and its pointer in `*save`, and go on
 * where `load` was saved. Returns when somebody loads what was saved here.
 */
void torc_context_swap(void **save, void *load);
/* Prepare a stack ending at `top` so that loading the result calls `entry`, which never returns. */
void *torc_context_prepare(void *top, torc_context_fn *entry, void *argument);

#if defined(__SANITIZE_ADDRESS__)
#define TORC_CONTEXT_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define TORC_CONTEXT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TORC_CONTEXT_ASAN 1
#elif __has_feature(thread_sanitizer)
#define TORC_CONTEXT_TSAN 1
#endif
#endif

#if defined(TORC_CONTEXT_ASAN)
#include <sanitizer/common_interface_defs.h>

static inline void torc_context_made(torc_context *context) {
    context->shadow = NULL;
}
static inline void torc_context_leave(torc_context *from, const torc_context *to, bool for_ever) {
    __sanitizer_start_switch_fiber(for_ever ? NULL : &from->shadow, to->bottom, to->size);
}
/* Called on the stack that goes on; `from` is where it came from. */
static inline void torc_context_entered(torc_context *context, torc_context *from) {
    const void *bottom;
    size_t size;

    __sanitizer_finish_switch_fiber(context->shadow, &bottom, &size);
    if (!from->bottom) {
        from->bottom = bottom;
        from->size = size;
    }
}
static inline void torc_context_gone(torc_context *context) {
    (void)context;
}

#elif defined(TORC_CONTEXT_TSAN)
#include <sanitizer/tsan_interface.h>

static inline void torc_context_made(torc_context *context) {
    context->shadow = __tsan_create_fiber(0);
}
static inline void torc_context_leave(torc_context *from, const torc_context *to, bool for_ever) {
    (void)for_ever;
    if (!from->shadow) from->shadow = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->shadow, 0);
}
static inline void torc_context_entered(torc_context *context, torc_context *from) {
    (void)context;
    (void)from;
}
static inline void torc_context_gone(torc_context *context) {
    __tsan_destroy_fiber(context->shadow);
}

#else
static inline void torc_context_made(torc_context *context) {
    (void)context;
}
static inline void torc_context_leave(torc_context *from, const torc_context *to, bool for_ever) {
    (void)from;
    (void)to;
    (void)for_ever;
}
static inline void torc_context_entered(torc_context *context, torc_context *from) {
    (void)context;
    (void)from;
}
static inline void torc_context_gone(torc_context *context) {
    (void)context;
}
#endif

#endif
