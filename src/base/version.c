/* SPDX-License-Identifier: MIT */
/*
 * The version of the library, which the build defines as TORC_VERSION.
 */
#include <torc/version.h>

const char *torc_version(void) {
    return TORC_VERSION;
}
