/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_CPUS_H
#define TORC_APP_CPUS_H

#include <torc/types.h>

/*
 * How many processors this process may keep busy: those it may run on, and no more than the quotas
 * of its cgroups (version 1 or 2) allow, rounded up. From 1 to TORC_CPUS_MAX.
 */
enum {
    TORC_CPUS_MAX = 512 /* that are told of; so many workers at most */
};

size_t torc_cpus_usable(void);
/* The number that the quotas allow, read beneath the folder `root` ("" for the machine itself); 0:
 * they allow all. */
size_t torc_cpus_of_quota(const char *root);

#endif
