/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_POISON_H
#define TORC_BASE_POISON_H

/*
 * Poisoning: memory that is held but may not be touched (a free page, what an arena rewound) is
 * reported by the address sanitizer when it is. Without the sanitizer nothing happens.
 */
#if defined(__SANITIZE_ADDRESS__)
#define TORC_HAS_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TORC_HAS_POISON 1
#endif
#endif

#ifdef TORC_HAS_POISON
#include <sanitizer/asan_interface.h>
#define torc_poison(pointer, size) __asan_poison_memory_region(pointer, size)
#define torc_unpoison(pointer, size) __asan_unpoison_memory_region(pointer, size)
#else
#define torc_poison(pointer, size) ((void)(pointer), (void)(size))
#define torc_unpoison(pointer, size) ((void)(pointer), (void)(size))
#endif

#endif
