/* SPDX-License-Identifier: MIT */
/*
 * Opening files beneath a folder: by openat2() where it is allowed, else step by step.
 *
 *  - Each step of the fallback opens one name with O_NOFOLLOW in the folder that the step before it
 *    opened, so that nothing that is renamed or linked meanwhile leads elsewhere.
 *  - Which way is taken is found out at each call: the answer of a filter costs no more than that.
 */
#include "reactor/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "reactor/syscalls.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20 /* Linux 5.12; before that EINVAL */
#endif

enum {
    FILE_FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
    RACES_MAX = 8, /* openat2() gives up with EAGAIN when something is renamed under it */
    NAME_SIZE = 256
};

static int by_openat2(const torc_reactor *reactor, int folder, const char *path, uint64_t resolve) {
    struct open_how how = {.flags = FILE_FLAGS,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve};

    if (torc_sys_fails(reactor, TORC_SYS_OPEN, NULL)) return -1;
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
}

/* Whether the kernel, or what filters its calls, does not know this one. */
static bool is_refused(int number) {
    return number == ENOSYS || number == EPERM || number == EINVAL || number == E2BIG;
}

static torc_err error_of(int number) {
    switch (number) {
    case EXDEV: /* it leads outside */
    case ELOOP: /* a link that is not followed, or too many */
    case ENXIO: /* a socket, or a device that is not there */
    case ENODEV:
    case ENAMETOOLONG:
    case EINVAL:
        return TORC_ERR_NOT_FOUND;
    default:
        return torc_err_from_errno(number);
    }
}

static int open_step(const torc_reactor *reactor, int folder, const char *name, int flags) {
    if (torc_sys_fails(reactor, TORC_SYS_OPEN, NULL)) return -1;
    return openat(folder, name, flags | O_NOFOLLOW);
}

/* The next name of a path, which goes behind it; false: it is too long, or `..`. */
static bool next_name(const char **path, char name[NAME_SIZE]) {
    const size_t len = strcspn(*path, "/");

    if (len >= NAME_SIZE || (len == 2 && memcmp(*path, "..", 2) == 0)) return false;
    memcpy(name, *path, len);
    name[len] = '\0';
    *path += len;
    *path += strspn(*path, "/");
    return true;
}

static torc_err by_steps(const torc_reactor *reactor, int folder, const char *path, int *fd) {
    char name[NAME_SIZE];
    int at = folder;

    while (*path) {
        if (!next_name(&path, name)) {
            errno = ENAMETOOLONG;
            break;
        }
        const int next =
            open_step(reactor, at, name, *path ? O_PATH | O_DIRECTORY | O_CLOEXEC : FILE_FLAGS);
        const int number = errno;
        if (at != folder) close(at);
        at = next;
        errno = number;
        if (at < 0) break;
        if (*path) continue;
        *fd = at;
        return TORC_OK;
    }
    const torc_err err = error_of(errno);
    if (at >= 0 && at != folder) close(at);
    return err;
}

static torc_err open_blocking(const torc_reactor *reactor, int folder, const char *path, int *fd) {
    for (int i = 0; i < RACES_MAX; i++) {
        const int opened = by_openat2(reactor, folder, path, 0);
        if (opened >= 0) {
            *fd = opened;
            return TORC_OK;
        }
        if (is_refused(errno)) return by_steps(reactor, folder, path, fd);
        if (errno != EAGAIN && errno != EINTR) return error_of(errno);
    }
    return TORC_ERR_NOT_FOUND; /* it does not stand still */
}

torc_err torc_beneath_open(const torc_reactor *reactor, int folder, const char *path,
                           torc_beneath_wait wait, int *fd) {
    if (wait == TORC_BENEATH_MAY_BLOCK) return open_blocking(reactor, folder, path, fd);

    const bool unlinked = wait == TORC_BENEATH_QUICK_UNLINKED;
    const int opened =
        by_openat2(reactor, folder, path, RESOLVE_CACHED | (unlinked ? RESOLVE_NO_SYMLINKS : 0));
    if (opened < 0 && unlinked && errno == ELOOP) return TORC_ERR_UNSUPPORTED;
    if (opened < 0) return is_refused(errno) || errno == EAGAIN ? TORC_ERR_AGAIN : error_of(errno);
    *fd = opened;
    return TORC_OK;
}

torc_err torc_beneath_open_top(const torc_reactor *reactor, const char *path, int *fd) {
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_CACHED};

    if (torc_sys_fails(reactor, TORC_SYS_OPEN, NULL)) return torc_err_from_errno(errno);
    const int opened = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
    if (opened < 0) return is_refused(errno) ? TORC_ERR_UNSUPPORTED : torc_err_from_errno(errno);
    *fd = opened;
    return TORC_OK;
}
