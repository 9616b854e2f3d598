/* SPDX-License-Identifier: MIT */
/*
 * Changing stacks on x86-64, System V ABI: rbx, rbp and r12 to r15 are what a call preserves.
 *
 *  - A saved stack holds, from its pointer up: r15, r14, r13, r12, rbx, rbp, and the address to go
 * on at.
 *  - At that address of a prepared stack, rbx is the argument and r12 the function; the stack is
 * aligned as before a call, and rbp is 0, where backtraces end.
 */
#include <stdint.h>

#include "reactor/context.h"

__asm__(".text\n"
        ".globl torc_context_swap\n"
        ".hidden torc_context_swap\n"
        ".type torc_context_swap, @function\n"
        ".p2align 4\n"
        "torc_context_swap:\n"
        "    .cfi_startproc\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size torc_context_swap, . - torc_context_swap\n"
        ".globl torc_context_begin\n"
        ".hidden torc_context_begin\n"
        ".type torc_context_begin, @function\n"
        ".p2align 4\n"
        "torc_context_begin:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n"
        "    movq %rbx, %rdi\n"
        "    callq *%r12\n"
        "    ud2\n"
        "    .cfi_endproc\n"
        ".size torc_context_begin, . - torc_context_begin\n");

void torc_context_begin(void);

void *torc_context_prepare(void *top, torc_context_fn *entry, void *argument) {
    uintptr_t *sp = (uintptr_t *)((uintptr_t)top & ~(uintptr_t)15);

    *--sp = (uintptr_t)torc_context_begin;
    *--sp = 0;                   /* rbp */
    *--sp = (uintptr_t)argument; /* rbx */
    *--sp = (uintptr_t)entry;    /* r12 */
    *--sp = 0;
    *--sp = 0;
    *--sp = 0;
    return sp;
}
