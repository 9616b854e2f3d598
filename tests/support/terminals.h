/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_TERMINALS_H
#define TORC_TESTS_TERMINALS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* Whether terminals can be made here: a folder that is the root, without /dev/pts, has none. */
static inline bool terminals_are_there(void) {
    const int here = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    const char *name = here >= 0 && unlockpt(here) == 0 ? ptsname(here) : NULL;
    const int there = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;

    if (here >= 0) close(here);
    if (there >= 0) close(there);
    return there >= 0;
}

#endif
