/* SPDX-License-Identifier: MIT */
/*
 * The standard streams as a transport.
 *
 *  - Each descriptor gets one of its own, of the same pipe, terminal, socket or file.
 *  - O_NONBLOCK belongs to what is shared by all that inherited the descriptor. What must be set
 *    for want of a way to open it anew is noted (`changed`), with one more descriptor by which it
 *    is set back when the transport has gone.
 */
#include <torc/stdio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/syscalls.h"
#include "transport/pipes.h"

/* A mode to be set back. */
typedef struct changed {
    int fd; /* -1: none */
    int flags;
} changed;

typedef struct standard {
    torc_memory *memory;
    changed changed[2];
} standard;

static void set_back(standard *self) {
    for (size_t i = 0; i < TORC_COUNT_OF(self->changed); i++) {
        if (self->changed[i].fd < 0) continue;
        fcntl(self->changed[i].fd, F_SETFL, self->changed[i].flags);
        close(self->changed[i].fd);
    }
    torc_dealloc(self->memory, self);
}

static void gone(torc_pipes *pipes, void *context) {
    (void)pipes;
    set_back(context);
}

static int copy(torc_reactor *reactor, int fd) {
    return torc_sys_fails(reactor, TORC_SYS_OPEN, NULL) ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Its own description of the same pipe or terminal, if this user may open it. */
static int open_anew(torc_reactor *reactor, int fd, bool reads) {
    char path[32];

    if (torc_sys_fails(reactor, TORC_SYS_OPEN, NULL)) return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, (reads ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int copy_not_blocking(torc_reactor *reactor, int fd, changed *note) {
    const int own = copy(reactor, fd);

    if (own < 0) return -1;
    const int flags = fcntl(own, F_GETFL);
    if (flags & O_NONBLOCK) return own;
    note->fd = copy(reactor, fd);
    note->flags = flags;
    if (note->fd >= 0 && fcntl(own, F_SETFL, flags | O_NONBLOCK) == 0) return own;
    const int number = errno;
    close(own);
    errno = number;
    return -1;
}

/* A descriptor of its own, and how it is used. -1: errno says why. */
static int open_own(torc_reactor *reactor, int fd, bool reads, int *family, changed *note) {
    struct stat stat;

    if (fstat(fd, &stat)) return -1;
    *family = TORC_PIPES_FILE;
    if (S_ISSOCK(stat.st_mode)) *family = TORC_IO_SHARED;
    if (S_ISFIFO(stat.st_mode) || (S_ISCHR(stat.st_mode) && isatty(fd))) *family = TORC_IO_PIPE;
    if (*family != TORC_IO_PIPE) return copy(reactor, fd);
    const int own = open_anew(reactor, fd, reads);
    return own >= 0 ? own : copy_not_blocking(reactor, fd, note);
}

/* Both are one socket: then its sides are shut down apart. */
static bool is_same_socket(int input, int output) {
    struct stat one, other;

    if (fstat(input, &one) || fstat(output, &other) || !S_ISSOCK(one.st_mode)) return false;
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static torc_err open_both(torc_reactor *reactor, int input, int output, standard *self,
                          torc_pipes_options *options) {
    options->input = open_own(reactor, input, true, &options->input_family, &self->changed[0]);
    if (options->input < 0) return torc_err_from_errno(errno);
    options->output = options->input;
    if (is_same_socket(input, output)) return TORC_OK;
    options->output = open_own(reactor, output, false, &options->output_family, &self->changed[1]);
    if (options->output >= 0) return TORC_OK;
    const torc_err err = torc_err_from_errno(errno);
    close(options->input);
    return err;
}

static torc_err new_over(torc_reactor *reactor, int input, int output, torc_pipes **pipes) {
    standard *self = torc_alloc(&reactor->memory, TORC_MEMORY_CONNECTION, sizeof(*self));
    torc_pipes_options options = {.gone = gone, .context = self};

    if (!self) return TORC_ERR_NO_MEMORY;
    *self = (standard){.memory = &reactor->memory, .changed = {{.fd = -1}, {.fd = -1}}};
    torc_err err = open_both(reactor, input, output, self, &options);
    if (!err) err = torc_pipes_new(reactor, &options, pipes);
    if (err) set_back(self);
    return err;
}

/* From here on 0 and 1 are nobody's. */
static torc_err open_null(torc_reactor *reactor, int *null) {
    *null =
        torc_sys_fails(reactor, TORC_SYS_OPEN, NULL) ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);
    return *null < 0 ? torc_err_from_errno(errno) : TORC_OK;
}

static torc_err take_standard(torc_reactor *reactor, torc_pipes **pipes) {
    int null;

    if (reactor->has_stdio) return TORC_ERR_BUSY;
    torc_err err = new_over(reactor, STDIN_FILENO, STDOUT_FILENO, pipes);
    if (err) return err;
    err = open_null(reactor, &null);
    if (err) {
        torc_transport_abort(&(*pipes)->base);
        return err;
    }
    reactor->has_stdio = true;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    close(null);
    return TORC_OK;
}

torc_err torc_descriptors_open(torc_reactor *reactor, int input, int output,
                               torc_protocol *protocol) {
    torc_pipes *pipes;
    const torc_err err = new_over(reactor, input, output, &pipes);

    if (!err) torc_pipes_bind_later(pipes, protocol);
    return err;
}

torc_err torc_stdio_open(torc_reactor *reactor, torc_protocol *protocol) {
    torc_pipes *pipes;
    const torc_err err = take_standard(reactor, &pipes);

    if (!err) torc_pipes_bind_later(pipes, protocol);
    return err;
}
