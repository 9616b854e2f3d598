/* SPDX-License-Identifier: MIT */
/*
 * Changing stacks on x86-64, System V ABI: rbx, rbp, r12 to r15 and the control words of SSE and
 * x87 are what a call preserves.
 *
 *  - A saved stack holds, from its pointer up: mxcsr (4 bytes), the x87 control word (2, and 2 of
 *    nothing), r15, r14, r13, r12, rbx, rbp, and the address to go on at.
 *  - At that address of a prepared stack, rbx is the argument and r12 the function; the stack is
 *    aligned as before a call. rbp and the word above are 0, where backtraces end.
 *  - It goes on by a jump: a return would be predicted to go where the other stack was called from.
 *    No landing mark can stand behind a call, hence `notrack`.
 */
#include <stdint.h>

#include "reactor/context.h"

#define SAVE(reg)                                                                                  \
    "    pushq %" reg "\n"                                                                         \
    "    .cfi_adjust_cfa_offset 8\n"                                                               \
    "    .cfi_rel_offset " reg ", 0\n"
#define LOAD(reg)                                                                                  \
    "    popq %" reg "\n"                                                                          \
    "    .cfi_adjust_cfa_offset -8\n"                                                              \
    "    .cfi_restore " reg "\n"

__asm__(".text\n"
        ".globl torc_context_swap\n"
        ".hidden torc_context_swap\n"
        ".type torc_context_swap, @function\n"
        ".p2align 4\n"
        "torc_context_swap:\n"
        "    .cfi_startproc\n"
        "    endbr64\n" /* clang-format off */
        SAVE("rbp") SAVE("rbx") SAVE("r12") SAVE("r13") SAVE("r14") SAVE("r15") /* clang-format on */
        "    leaq -8(%rsp), %rsp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    leaq 8(%rsp), %rsp\n"
        "    .cfi_adjust_cfa_offset -8\n" /* clang-format off */
        LOAD("r15") LOAD("r14") LOAD("r13") LOAD("r12") LOAD("rbx") LOAD("rbp") /* clang-format on */
        "    popq %rcx\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_register rip, rcx\n"
        "    notrack jmpq *%rcx\n"
        "    .cfi_endproc\n"
        ".size torc_context_swap, . - torc_context_swap\n"
        ".globl torc_context_begin\n"
        ".hidden torc_context_begin\n"
        ".type torc_context_begin, @function\n"
        ".p2align 4\n"
        "torc_context_begin:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n"
        "    endbr64\n"
        "    movq %rbx, %rdi\n"
        "    callq *%r12\n"
        "    ud2\n"
        "    .cfi_endproc\n"
        ".size torc_context_begin, . - torc_context_begin\n");

void torc_context_begin(void);

void *torc_context_prepare(void *top, torc_context_fn *entry, void *argument) {
    uintptr_t *sp = (uintptr_t *)((uintptr_t)top & ~(uintptr_t)15);

    *--sp = 0;
    *--sp = 0; /* where a return address would be */
    *--sp = (uintptr_t)torc_context_begin;
    *--sp = 0;                   /* rbp */
    *--sp = (uintptr_t)argument; /* rbx */
    *--sp = (uintptr_t)entry;    /* r12 */
    *--sp = 0;
    *--sp = 0;
    *--sp = 0;
    --sp;
    torc_context_inherit(sp);
    return sp;
}

void torc_context_inherit(void *sp) {
    __asm__ volatile("stmxcsr (%0)\n\tfnstcw 4(%0)" : : "r"(sp) : "memory");
}
