/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_UNCOUNTED_H
#define TORC_BASE_UNCOUNTED_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Asked before each allocation that belongs to no torc_memory; true lets it fail. Only the testing
 * library has it, so in a program it is NULL and never asked.
 */
__attribute__((weak)) bool torc_uncounted_fault(size_t size);

#endif
