/* SPDX-License-Identifier: MIT */
/*
 * The descriptors of a child: which it is given, and what is at the other end of its pipes.
 *
 *  - Wires are kept in the order of the child's descriptors; one descriptor has one wire.
 *  - All that is opened here is closed by exec; what the child keeps is copied by its starter.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "reactor/spawn.h"
#include "reactor/syscalls.h"

torc_err torc_spawn_fail(torc_spawn_error *error, int number, const char *step, const char *what) {
    const torc_err err = number ? torc_err_from_errno(number) : TORC_ERR_INVALID;

    error->err = err;
    error->number = number;
    if (what)
        snprintf(error->text, sizeof(error->text), "%s: %s", step, what);
    else if (number)
        snprintf(error->text, sizeof(error->text), "%s: %s", step, torc_err_text(err));
    else
        snprintf(error->text, sizeof(error->text), "%s", step);
    return err;
}

static torc_err refuse(torc_spawn_error *error, int fd, const char *why) {
    char step[64];

    snprintf(step, sizeof(step), "descriptor %d", fd);
    return torc_spawn_fail(error, 0, step, why);
}

static torc_err cannot_open(torc_spawn_error *error, const char *what) {
    return torc_spawn_fail(error, errno, what, NULL);
}

static torc_spawn_wire *find(torc_spawn_wiring *wiring, int fd) {
    for (size_t i = 0; i < wiring->wire_count; i++)
        if (wiring->wires[i].fd == fd) return &wiring->wires[i];
    return NULL;
}

static void add_wire(torc_spawn_wiring *wiring, int fd, int source) {
    size_t place = wiring->wire_count++;

    for (; place > 0 && wiring->wires[place - 1].fd > fd; place--)
        wiring->wires[place] = wiring->wires[place - 1];
    wiring->wires[place] = (torc_spawn_wire){.fd = fd, .source = source};
}

/* The child's alone: closed here when it has it. */
static void lend(torc_spawn_wiring *wiring, int fd) {
    wiring->lent[wiring->lent_count++] = fd;
}

static torc_err lay_pipe(torc_reactor *reactor, torc_spawn_wiring *wiring, int fd, bool is_input,
                         torc_spawn_error *error) {
    int ends[2]; /* to read from, and to write to */

    if (torc_sys_fails(reactor, TORC_SYS_SPAWN, NULL) || pipe2(ends, O_CLOEXEC))
        return cannot_open(error, "pipe");
    const int here = ends[is_input ? 1 : 0], there = ends[is_input ? 0 : 1];
    fcntl(here, F_SETFL, O_NONBLOCK | (is_input ? O_WRONLY : O_RDONLY));
    lend(wiring, there);
    add_wire(wiring, fd, there);
    wiring->ends[wiring->end_count++] =
        (torc_spawn_end){.fd = fd, .here = here, .is_input = is_input};
    return TORC_OK;
}

static torc_err lay_null(torc_reactor *reactor, torc_spawn_wiring *wiring, int fd,
                         torc_spawn_error *error) {
    const int null =
        torc_sys_fails(reactor, TORC_SYS_SPAWN, NULL) ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0) return cannot_open(error, "/dev/null");
    lend(wiring, null);
    add_wire(wiring, fd, null);
    return TORC_OK;
}

static torc_err lay(torc_reactor *reactor, torc_spawn_wiring *wiring, const torc_spawn_fd *asked,
                    torc_spawn_error *error) {
    if (asked->fd < 0 || asked->fd > TORC_SPAWN_FD_MAX)
        return refuse(error, asked->fd, "a child's are 0 to 255");
    if (find(wiring, asked->fd)) return refuse(error, asked->fd, "it is named twice");
    switch (asked->kind) {
    case TORC_SPAWN_INPUT:
    case TORC_SPAWN_OUTPUT:
        return lay_pipe(reactor, wiring, asked->fd, asked->kind == TORC_SPAWN_INPUT, error);
    case TORC_SPAWN_INHERIT:
        if (fcntl(asked->from, F_GETFD) < 0)
            return refuse(error, asked->fd, "what it is to inherit is not open");
        add_wire(wiring, asked->fd, asked->from);
        return TORC_OK;
    case TORC_SPAWN_NULL:
        return lay_null(reactor, wiring, asked->fd, error);
    case TORC_SPAWN_SAME:
        if (!find(wiring, asked->from))
            return refuse(error, asked->fd, "what it is to be the same as is not named before it");
        add_wire(wiring, asked->fd, find(wiring, asked->from)->source);
        return TORC_OK;
    }
    return refuse(error, asked->fd, "there is no such kind");
}

/* The child's side is opened through this one, so that no name is needed that another /dev may not
 * have. */
static torc_err lay_terminal(torc_reactor *reactor, const torc_spawn_options *options,
                             torc_spawn_wiring *wiring, torc_spawn_error *error) {
    const struct winsize window = {
        .ws_col = options->columns ? options->columns : 80,
        .ws_row = options->rows ? options->rows : 24,
    };
    int locked = 0;

    wiring->terminal = torc_sys_fails(reactor, TORC_SYS_SPAWN, NULL)
                           ? -1
                           : open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (wiring->terminal < 0) return cannot_open(error, "terminal");
    if (ioctl(wiring->terminal, TIOCSPTLCK, &locked)) return cannot_open(error, "terminal");
    const int there = ioctl(wiring->terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (there < 0) return cannot_open(error, "terminal");
    lend(wiring, there);
    ioctl(wiring->terminal, TIOCSWINSZ, &window);
    for (int fd = 0; fd < 3; fd++) add_wire(wiring, fd, there);
    return TORC_OK;
}

static torc_err lay_all(torc_reactor *reactor, const torc_spawn_options *options,
                        torc_spawn_wiring *wiring, torc_spawn_error *error) {
    static const torc_spawn_fd standard[] = {{.fd = 0, .kind = TORC_SPAWN_INPUT},
                                             {.fd = 1, .kind = TORC_SPAWN_OUTPUT},
                                             {.fd = 2, .kind = TORC_SPAWN_OUTPUT}};
    const bool has_standard = options->fd_count == 0 && !options->has_terminal;
    const torc_spawn_fd *fds = has_standard ? standard : options->fds;
    const size_t count = has_standard ? TORC_COUNT_OF(standard) : options->fd_count;
    torc_err err = TORC_OK;

    if (count > TORC_SPAWN_FDS_MAX) return torc_spawn_fail(error, 0, "too many descriptors", NULL);
    if (options->has_terminal) err = lay_terminal(reactor, options, wiring, error);
    for (size_t i = 0; !err && i < count; i++) err = lay(reactor, wiring, &fds[i], error);
    for (int fd = 0; !err && fd < 3; fd++)
        if (!find(wiring, fd)) err = lay_null(reactor, wiring, fd, error);
    return err;
}

torc_err torc_spawn_wire_up(torc_reactor *reactor, const torc_spawn_options *options,
                            torc_spawn_wiring *wiring, torc_spawn_error *error) {
    wiring->wire_count = wiring->end_count = wiring->lent_count = 0;
    wiring->terminal = -1;
    const torc_err err = lay_all(reactor, options, wiring, error);
    if (err) {
        torc_spawn_close_lent(wiring);
        torc_spawn_close_ends(wiring);
    }
    return err;
}

void torc_spawn_close_lent(torc_spawn_wiring *wiring) {
    while (wiring->lent_count > 0) close(wiring->lent[--wiring->lent_count]);
}

void torc_spawn_close_ends(torc_spawn_wiring *wiring) {
    while (wiring->end_count > 0) close(wiring->ends[--wiring->end_count].here);
    if (wiring->terminal >= 0) close(wiring->terminal);
    wiring->terminal = -1;
}
