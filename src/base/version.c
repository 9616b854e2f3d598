/* SPDX-License-Identifier: MIT */
/*
 * The version of the library, which the build defines as TORC_VERSION, and what it was built with.
 */
#include <torc/version.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

#if defined(__clang__)
#define COMPILER                                                                                   \
    "clang " TEXT(__clang_major__) "." TEXT(__clang_minor__) "." TEXT(__clang_patchlevel__)
#else
#define COMPILER "gcc " TEXT(__GNUC__) "." TEXT(__GNUC_MINOR__) "." TEXT(__GNUC_PATCHLEVEL__)
#endif

#if defined(__x86_64__)
#define MACHINE "x86-64"
#elif defined(__aarch64__)
#define MACHINE "aarch64"
#else
#define MACHINE "another processor"
#endif

#if defined(__GLIBC__)
#define C_LIBRARY "glibc " TEXT(__GLIBC__) "." TEXT(__GLIBC_MINOR__)
#else
#define C_LIBRARY "another C library"
#endif

const char *torc_version(void) {
    return TORC_VERSION;
}

const char *torc_built_with(void) {
    return COMPILER " for " MACHINE ", " C_LIBRARY;
}
