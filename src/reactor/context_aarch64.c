/* SPDX-License-Identifier: MIT */
/*
 * Changing stacks on aarch64: x19 to x30 and d8 to d15 are what a call preserves (AAPCS64).
 *
 *  - A saved stack holds, from its pointer up: x19 to x30, d8 to d15; x30 is where it goes on.
 *  - At that address of a prepared stack, x19 is the argument and x20 the function; x29 is 0, where
 * backtraces end.
 */
#include <stdint.h>
#include <string.h>

#include "reactor/context.h"

enum {
    FRAME_SIZE = 160
};

__asm__(".text\n"
        ".globl torc_context_swap\n"
        ".hidden torc_context_swap\n"
        ".type torc_context_swap, %function\n"
        ".p2align 4\n"
        "torc_context_swap:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size torc_context_swap, . - torc_context_swap\n"
        ".globl torc_context_begin\n"
        ".hidden torc_context_begin\n"
        ".type torc_context_begin, %function\n"
        ".p2align 4\n"
        "torc_context_begin:\n"
        "    mov x0, x19\n"
        "    blr x20\n"
        "    brk #1\n"
        ".size torc_context_begin, . - torc_context_begin\n");

void torc_context_begin(void);

void *torc_context_prepare(void *top, torc_context_fn *entry, void *argument) {
    uintptr_t *sp = (uintptr_t *)(((uintptr_t)top & ~(uintptr_t)15) - FRAME_SIZE);

    memset(sp, 0, FRAME_SIZE);
    sp[0] = (uintptr_t)argument;            /* x19 */
    sp[1] = (uintptr_t)entry;               /* x20 */
    sp[11] = (uintptr_t)torc_context_begin; /* x30 */
    return sp;
}
