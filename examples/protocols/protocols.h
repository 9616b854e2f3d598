/* SPDX-License-Identifier: MIT */
#ifndef PROTOCOLS_H
#define PROTOCOLS_H

#include <torc/torc.h>

/* The sample protocols, a file each. */
extern torc_factory echo_factory, discard_factory, time_factory;

#endif
