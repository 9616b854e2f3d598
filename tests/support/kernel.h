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

/* An emulator, or a tool like one, which has but some of the newer calls. */
static inline bool kernel_is_emulated(void) {
    return !kernel_has_openat2();
}

#endif
