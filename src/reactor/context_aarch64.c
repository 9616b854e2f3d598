/* SPDX-License-Identifier: MIT */
/*
 * Changing stacks on aarch64: x19 to x30 and d8 to d15 are what a call preserves (AAPCS64). FPCR is
 * kept, too, so that rounding is each context's own as on other processors.
 *
 *  - A saved stack holds, from its pointer up: x19 to x30, d8 to d15, FPCR, and 8 bytes of nothing;
 *    x30 is where it goes on.
 *  - At that address of a prepared stack, x19 is the argument and x20 the function; x29 is 0, where
 *    backtraces end.
 *  - Writing FPCR may empty the pipeline: it is written only where it differs.
 */
#include <stdint.h>
#include <string.h>

#include "reactor/context.h"

enum {
    FRAME_SIZE = 176,
    FPCR_AT = 160,
};

__asm__(".text\n"
        ".globl torc_context_swap\n"
        ".hidden torc_context_swap\n"
        ".type torc_context_swap, %function\n"
        ".p2align 4\n"
        "torc_context_swap:\n"
        "    .cfi_startproc\n"
        "    hint #34\n" /* bti c */
        "    sub sp, sp, #176\n"
        "    .cfi_def_cfa_offset 176\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    .cfi_offset x29, -96\n"
        "    .cfi_offset x30, -88\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mrs x10, fpcr\n"
        "    str x10, [sp, #160]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldr x11, [sp, #160]\n"
        "    cmp x10, x11\n"
        "    b.eq 1f\n"
        "    msr fpcr, x11\n"
        "1:  ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #176\n"
        "    .cfi_def_cfa_offset 0\n"
        "    .cfi_restore x29\n"
        "    .cfi_restore x30\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size torc_context_swap, . - torc_context_swap\n"
        ".globl torc_context_begin\n"
        ".hidden torc_context_begin\n"
        ".type torc_context_begin, %function\n"
        ".p2align 4\n"
        "torc_context_begin:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined x30\n"
        "    hint #34\n"
        "    mov x0, x19\n"
        "    blr x20\n"
        "    brk #1\n"
        "    .cfi_endproc\n"
        ".size torc_context_begin, . - torc_context_begin\n");

void torc_context_begin(void);

void *torc_context_prepare(void *top, torc_context_fn *entry, void *argument) {
    uintptr_t *sp = (uintptr_t *)(((uintptr_t)top & ~(uintptr_t)15) - FRAME_SIZE);

    memset(sp, 0, FRAME_SIZE);
    sp[0] = (uintptr_t)argument;            /* x19 */
    sp[1] = (uintptr_t)entry;               /* x20 */
    sp[11] = (uintptr_t)torc_context_begin; /* x30 */
    torc_context_inherit(sp);
    return sp;
}

void torc_context_inherit(void *sp) {
    uint64_t fpcr;

    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    memcpy((char *)sp + FPCR_AT, &fpcr, sizeof(fpcr));
}
