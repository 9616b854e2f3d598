/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_CONTEXT_H
#define TORC_REACTOR_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Changing stacks. What the processor needs is in a file per architecture; what the sanitizers need
 * to be told is here.
 *
 * What a call preserves is each context's own, and so are the control words of floating point
 * (rounding, exceptions): a fiber that changes them does not change its neighbours' results.
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
/* Let what was saved at `sp` go on with the caller's control words of floating point. */
void torc_context_inherit(void *sp);

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

/*
 * A stack is `made` once and `gone` once. `leave` is called before a swap, `entered` after it. What
 * is left `for_good` holds no frames that matter but those of functions marked TORC_CONTEXT_FRAME,
 * which the address sanitizer keeps on the stack itself; it may be entered again.
 */
#if defined(TORC_CONTEXT_ASAN)
#define TORC_CONTEXT_FRAME __attribute__((no_sanitize_address))
#include <sanitizer/common_interface_defs.h>

static inline void torc_context_made(torc_context *context) {
    context->shadow = NULL;
}
static inline void torc_context_leave(torc_context *from, const torc_context *to, bool for_good) {
    from->shadow = NULL;
    __sanitizer_start_switch_fiber(for_good ? NULL : &from->shadow, to->bottom, to->size);
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
#define TORC_CONTEXT_FRAME
#include <sanitizer/tsan_interface.h>

static inline void torc_context_made(torc_context *context) {
    context->shadow = __tsan_create_fiber(0);
}
static inline void torc_context_leave(torc_context *from, const torc_context *to, bool for_good) {
    (void)for_good;
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
#define TORC_CONTEXT_FRAME
static inline void torc_context_made(torc_context *context) {
    (void)context;
}
static inline void torc_context_leave(torc_context *from, const torc_context *to, bool for_good) {
    (void)from;
    (void)to;
    (void)for_good;
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
