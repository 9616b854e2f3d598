/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_KERNEL_H
#define TORC_TESTS_KERNEL_H

/*
 * What the kernel under the tests has: a filter, an emulator or valgrind may refuse what Torc then
 * goes around.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Without it no links are followed. */
static inline bool kernel_has_openat2(void) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
    const int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

    if (fd >= 0) close(fd);
    return fd >= 0;
}

/* Whether what is cached of an open file can be read so that it is sure not to wait. */
static inline bool kernel_reads_at_once(int fd) {
    char byte;
    const struct iovec piece = {.iov_base = &byte, .iov_len = 1};

    return preadv2(fd, &piece, 1, 0, RWF_NOWAIT) == 1;
}

/* Whether bytes can be put at the end of an open file, wherever that is by then. */
static inline bool kernel_appends(int fd) {
    const struct iovec nothing = {.iov_base = NULL, .iov_len = 0};

    return pwritev2(fd, &nothing, 1, 0, RWF_APPEND) == 0;
}

/* Whether a descriptor can be passed by a datagram with nothing else in it. */
static inline bool kernel_passes_descriptors_alone(void) {
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
                          .cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS}};
    struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
    int ends[2], passed;

    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends)) return false;
    memcpy(CMSG_DATA(&control.head), &ends[0], sizeof(int));
    bool is_passed = sendmsg(ends[0], &message, 0) == 0;
    memset(&control, 0, sizeof(control));
    message.msg_controllen = sizeof(control);
    is_passed = is_passed && recvmsg(ends[1], &message, 0) == 0 && message.msg_controllen > 0;
    if (is_passed) {
        memcpy(&passed, CMSG_DATA(&control.head), sizeof(int));
        close(passed);
    }
    close(ends[0]);
    close(ends[1]);
    return is_passed;
}

#endif
