/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_SCRAMBLER_H
#define TORC_TESTING_SCRAMBLER_H

#include "transport/filter.h"

/*
 * The scrambling filter: it changes no byte, and all that a filter may change.
 *
 * Bytes are split anew in both directions and passed on in later turns, some of what comes from
 * below is refused at first, and ranges of files are not taken. All of it follows from the seed.
 */
torc_err torc_scrambler_new(torc_reactor *reactor, uint64_t seed,
                            torc_filter **filter) TORC_MUST_CHECK;

/* For a listener or connector; each filter it makes has a seed of its own, in order. */
typedef struct torc_scrambler_factory {
    torc_filter_factory base;
    uint64_t seed;
} torc_scrambler_factory;
void torc_scrambler_factory_init(torc_scrambler_factory *factory, uint64_t seed);

#endif
