/* SPDX-License-Identifier: MIT */
/*
 * Going into the background.
 *
 *  - Three processes: who was started waits; its child begins a session and ends; the child of that
 *    one serves, and as it leads no session no terminal can become its own.
 *  - One byte means "it serves"; the end of the socket without it means "it does not".
 *  - Everybody who holds the other end of that socket could speak: children give it up.
 */
#include "app/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

void torc_daemon_init(torc_daemon *daemon) {
    *daemon = (torc_daemon){.status_fd = -1, .null_fd = -1};
}

static void close_status(torc_daemon *daemon) {
    if (daemon->status_fd >= 0) close(daemon->status_fd);
    daemon->status_fd = -1;
}

/* In the process that was started: wait for the byte, or for the end. */
static int wait_for_status(int fd, pid_t child) {
    char byte;
    ssize_t count;

    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    do count = read(fd, &byte, 1);
    while (count < 0 && errno == EINTR);
    close(fd);
    return count == 1 ? 0 : 1;
}

/* In the child: begin a session, and go on in a child of this one's. */
static void begin_session(void) {
    if (setsid() < 0) _exit(1);
    const pid_t pid = fork();
    if (pid != 0) _exit(pid < 0 ? 1 : 0);
}

torc_daemon_outcome torc_daemon_begin(torc_daemon *daemon, int *exit_code) {
    int ends[2];

    torc_daemon_init(daemon);
    const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0) return TORC_DAEMON_FAILED;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        close(null_fd);
        return TORC_DAEMON_FAILED;
    }
    const pid_t pid = fork();
    if (pid != 0) {
        close(ends[1]);
        close(null_fd);
        if (pid > 0)
            *exit_code = wait_for_status(ends[0], pid);
        else
            close(ends[0]);
        return pid > 0 ? TORC_DAEMON_STARTED : TORC_DAEMON_FAILED;
    }
    close(ends[0]);
    begin_session();
    *daemon = (torc_daemon){.status_fd = ends[1], .null_fd = null_fd};
    return TORC_DAEMON_SERVES;
}

void torc_daemon_detach(torc_daemon *daemon) {
    if (daemon->null_fd < 0) return;
    for (int fd = 0; fd <= 2; fd++) (void)dup2(daemon->null_fd, fd);
    if (daemon->null_fd > 2) close(daemon->null_fd);
    daemon->null_fd = -1;
}

void torc_daemon_ready(torc_daemon *daemon) {
    torc_daemon_detach(daemon);
    if (daemon->status_fd >= 0) (void)!send(daemon->status_fd, "", 1, MSG_NOSIGNAL);
    close_status(daemon);
}

void torc_daemon_forked(torc_daemon *daemon) {
    close_status(daemon);
}
