/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_OPTIONS_H
#define TORC_BASE_OPTIONS_H

#include <stddef.h>
#include <string.h>

/*
 * Reading structs of options, which begin with their size: a caller that was compiled with older
 * headers has a shorter one, and one with newer headers a longer one. What both know is copied.
 */

/*
 * Take over into `*options` what `given` says of them; NULL says nothing. What it does not say
 * stays, but for the size: that is the one of this library from then on.
 */
#define TORC_OPTIONS_READ(options, given)                                                          \
    torc_options_read((options), sizeof(*(options)), (given), (given) ? (given)->size : 0)

static inline void torc_options_read(void *options, size_t size, const void *given,
                                     size_t given_size) {
    if (given) memcpy(options, given, given_size < size ? given_size : size);
    memcpy(options, &size, sizeof(size));
}

#endif
