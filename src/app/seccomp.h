/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_SECCOMP_H
#define TORC_APP_SECCOMP_H

#include <linux/filter.h>
#include <stddef.h>
#include <torc/types.h>

/*
 * A filter of system calls: the kernel refuses those that Torc never makes, to whoever has taken
 * over the process.
 *
 * A refused call fails with EPERM where only its arguments are wrong, and else with ENOSYS, as on a
 * kernel that lacks it, so that the C library goes another way where it has one. It also leaves a
 * line in the kernel's audit log.
 */
typedef enum torc_seccomp_role {
    TORC_SECCOMP_SERVES, /* serves, also with threads: no programs, no processes */
    TORC_SECCOMP_PARENT  /* forks and watches over those that serve: no programs */
} torc_seccomp_role;

enum {
    TORC_SECCOMP_STEPS_MAX = 1024
};

typedef struct torc_seccomp_filter {
    struct sock_filter steps[TORC_SECCOMP_STEPS_MAX];
    size_t count;
} torc_seccomp_filter;

/* The program for a process of that role whose number is `pid`. */
void torc_seccomp_build(torc_seccomp_role role, uint32_t pid, torc_seccomp_filter *filter);
/*
 * From now on filter what this process calls, all its threads and its children; sets no new
 * privileges. Cannot be undone, and only be narrowed. Answers NULL, or why it cannot be.
 */
const char *torc_seccomp_install(torc_seccomp_role role, char text[160]);
/* NULL, or why this build cannot be filtered. */
const char *torc_seccomp_missing(void);

#endif
