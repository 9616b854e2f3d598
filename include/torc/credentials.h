/* SPDX-License-Identifier: MIT */
#ifndef TORC_CREDENTIALS_H
#define TORC_CREDENTIALS_H

#include <sys/types.h>

/** Who is at the other end of a UNIX socket, as the kernel says: a process, and as whom it runs. */
typedef struct torc_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
} torc_credentials;

#endif
