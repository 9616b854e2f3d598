/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_NOTIFY_H
#define TORC_APP_NOTIFY_H

#include <stdint.h>
#include <sys/types.h>
#include <torc/types.h>

/*
 * Telling the service manager (systemd) how the program is: ready, reloading, stopping, alive.
 *
 * The protocol is sd_notify(3)'s: lines of text in a datagram to the socket that NOTIFY_SOCKET
 * names. Where there is none, all of these do nothing.
 */
typedef struct torc_notify {
    int fd;               /* connected to the service manager; -1: nobody is to be told */
    uint64_t watchdog_ms; /* how often to say that it lives; 0: nobody asks */
} torc_notify;

/*
 * Take NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment, so that no child tells
 * in the program's place. The socket is connected, so it is reached after a chroot, too. False:
 * NOTIFY_SOCKET cannot be reached; nobody will be told.
 */
bool torc_notify_open(torc_notify *notify);
void torc_notify_close(torc_notify *notify);
/* It serves, after the start and after each reload. `main_pid` when it is not the process that the
 * service manager started; else 0. */
void torc_notify_ready(const torc_notify *notify, pid_t main_pid);
/* A reload begins, which torc_notify_ready() ends. */
void torc_notify_reloading(const torc_notify *notify);
void torc_notify_stopping(const torc_notify *notify);
/* One line for `systemctl status`. */
void torc_notify_status(const torc_notify *notify, const char *text);
/* It lives: to be said every `watchdog_ms`, by the loop whose life is meant. */
void torc_notify_alive(const torc_notify *notify);

#endif
