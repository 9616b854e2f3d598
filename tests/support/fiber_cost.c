/* SPDX-License-Identifier: MIT */
/*
 * What a fiber costs: as many as the argument says, one after the other, each on a pooled stack and
 * ended before the next. Counted by valgrind for two numbers of them; the difference is their cost.
 * tools/check_fiber_cost.py does it.
 */
#include <stdlib.h>

#include "reactor/fiber.h"

static torc_err run(void *context) {
    ++*(volatile unsigned long *)context;
    return TORC_OK;
}

int main(int argc, char **argv) {
    const unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    unsigned long ran = 0;
    torc_reactor *reactor;
    torc_fiber *fiber;

    if (torc_reactor_new(NULL, &reactor)) return 1;
    for (unsigned long i = 0; i < count; i++)
        if (torc_fiber_start(reactor, run, &ran, &fiber)) return 1;
    torc_reactor_free(reactor);
    return ran == count ? 0 : 1;
}
