/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_MONOTONIC_H
#define TORC_BASE_MONOTONIC_H

#include <stdint.h>
#include <time.h>

/* µs of the system's clock that only goes forward, from where it likes. */
static inline uint64_t torc_monotonic_us(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

#endif
