/* SPDX-License-Identifier: MIT */
/*
 * sd_notify(3) over its datagram socket.
 *
 *  - Telling never waits and never fails the program: a service manager that does not listen is
 *    none.
 *  - The variables are gone from the environment once they were read.
 */
#include "app/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <torc/str.h>
#include <unistd.h>

#include "base/monotonic.h"

/* The socket's address: a path, or `@` and an abstract name. False: it is none. */
static bool read_address(const char *name, struct sockaddr_un *addr, socklen_t *len) {
    const size_t bytes = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || bytes < 2 || bytes >= sizeof(addr->sun_path))
        return false;
    *addr = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(addr->sun_path, name, bytes);
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes + (name[0] == '/'));
    if (name[0] == '@') addr->sun_path[0] = '\0';
    return true;
}

/* A socket connected to the service manager; -1: it cannot be reached. */
static int connect_to(const char *name) {
    struct sockaddr_un addr;
    socklen_t len;

    if (!read_address(name, &addr, &len)) return -1;
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, len) == 0) return fd;
    close(fd);
    return -1;
}

static uint64_t number_of(const char *name) {
    const char *value = getenv(name);
    uint64_t number = 0;

    if (value && torc_str_parse_uint(torc_str_of(value), UINT64_MAX, &number)) return 0;
    return number;
}

/* Half of the time after which the service manager gives up; 0: it does not watch this process. */
static uint64_t watchdog_ms(void) {
    const uint64_t pid = number_of("WATCHDOG_PID"), time_us = number_of("WATCHDOG_USEC");

    if (time_us == 0 || (getenv("WATCHDOG_PID") && pid != (uint64_t)getpid())) return 0;
    return time_us >= 2000 ? time_us / 2000 : 1;
}

bool torc_notify_open(torc_notify *notify) {
    const char *name = getenv("NOTIFY_SOCKET");

    *notify = (torc_notify){.fd = name ? connect_to(name) : -1};
    if (notify->fd >= 0) notify->watchdog_ms = watchdog_ms();
    const bool fine = !name || notify->fd >= 0;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return fine;
}

void torc_notify_close(torc_notify *notify) {
    if (notify->fd >= 0) close(notify->fd);
    *notify = (torc_notify){.fd = -1};
}

static void tell(const torc_notify *notify, const char *text) {
    if (notify->fd >= 0) (void)!send(notify->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void torc_notify_ready(const torc_notify *notify, pid_t main_pid) {
    char text[64];

    snprintf(text, sizeof(text), main_pid ? "READY=1\nMAINPID=%lld" : "READY=1",
             (long long)main_pid);
    tell(notify, text);
}

/* With the time, by which the service manager knows which reload has ended (Type=notify-reload). */
void torc_notify_reloading(const torc_notify *notify) {
    char text[80];

    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)torc_monotonic_us());
    tell(notify, text);
}

void torc_notify_stopping(const torc_notify *notify) {
    tell(notify, "STOPPING=1");
}

void torc_notify_status(const torc_notify *notify, const char *text) {
    char line[256];

    snprintf(line, sizeof(line), "STATUS=%s", text);
    for (char *c = line; *c; c++)
        if (*c == '\n') *c = ' '; /* a line end would begin another assignment */
    tell(notify, line);
}

void torc_notify_alive(const torc_notify *notify) {
    tell(notify, "WATCHDOG=1");
}
