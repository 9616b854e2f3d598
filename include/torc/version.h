/* SPDX-License-Identifier: MIT */
#ifndef TORC_VERSION_H
#define TORC_VERSION_H

#include <torc/types.h>

/**
 * The version: semantic, of the header that a program was compiled with (the macros) and of the
 * library that it runs with (the function).
 */
#define TORC_VERSION_MAJOR 0
#define TORC_VERSION_MINOR 1
#define TORC_VERSION_PATCH 0
/** One number that grows with each version, for `#if`. */
#define TORC_VERSION_NUMBER                                                                        \
    (TORC_VERSION_MAJOR * 1000000 + TORC_VERSION_MINOR * 1000 + TORC_VERSION_PATCH)

TORC_BEGIN_DECLS

/** The version of the library, "0.1.0". Static. Any thread. */
TORC_API const char *torc_version(void);
/** What the library was built with, one line for people: "gcc 12.2.0 for x86-64, glibc 2.36".
 * Static. Any thread. */
TORC_API const char *torc_built_with(void);

TORC_END_DECLS

#endif
