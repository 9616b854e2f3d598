/* SPDX-License-Identifier: MIT */
/*
 * The listening sockets of a program.
 *
 *  - The first socket of a TCP endpoint is bound alone, so that a port that somebody else listens
 *    on is in use; then it lets the others join it (SO_REUSEPORT), at the port that it was given.
 *  - The kernel spreads connections over the sockets of a port, whether somebody accepts from them
 *    or not: so each always has somebody who does.
 */
#include "app/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "transport/listening.h"

static const char *advice(torc_err err, const torc_endpoint *endpoint) {
    const bool is_unix = endpoint->fd < 0 && torc_addr_family(&endpoint->addr) == AF_UNIX;

    switch (err) {
    case TORC_ERR_ADDRESS_IN_USE:
        return "stop the program that listens there, or choose another with --listen";
    case TORC_ERR_PERMISSION:
        return is_unix ? "the folder of the socket must be writable"
                       : "ports below 1024 need CAP_NET_BIND_SERVICE; choose another with --listen";
    case TORC_ERR_ADDRESS_NOT_AVAILABLE:
        return "no interface has it; choose another with --listen";
    case TORC_ERR_NOT_FOUND:
        return "the folder of the socket must exist";
    default:
        return endpoint->fd >= 0 ? "the descriptor must be a socket that listens" : NULL;
    }
}

/* Which ports are free nobody knows; the next one is worth a try. */
static torc_err fail_in_use(const torc_endpoint *endpoint, torc_endpoint_error *error) {
    const bool is_v6 = torc_addr_family(&endpoint->addr) == AF_INET6;
    const uint16_t port = torc_addr_port(&endpoint->addr);
    char text[TORC_ADDR_TEXT_MAX], host[64];

    (void)torc_addr_host_text(&endpoint->addr, text);
    snprintf(host, sizeof(host), is_v6 ? "[%.45s]:" : "%.45s:", text);
    if (strcmp(host, "[::]:") == 0) host[0] = '\0'; /* as a port alone is */
    snprintf(error->text, sizeof(error->text),
             "%s: stop the program that listens there, or choose another, as in --listen %s%u",
             torc_err_text(TORC_ERR_ADDRESS_IN_USE), host, port < 65535 ? port + 1U : 8080U);
    return TORC_ERR_ADDRESS_IN_USE;
}

static torc_err fail(torc_err err, const torc_endpoint *endpoint, torc_endpoint_error *error) {
    const char *what_to_do = advice(err, endpoint);

    if (err == TORC_ERR_ADDRESS_IN_USE && torc_addr_port(&endpoint->addr))
        return fail_in_use(endpoint, error);
    snprintf(error->text, sizeof(error->text), "%s%s%s", torc_err_text(err), what_to_do ? ": " : "",
             what_to_do ? what_to_do : "");
    return err;
}

/* Remember which file is ours. */
static void look_at_file(torc_socket_row *row) {
    struct stat about;

    if (row->endpoint.fd >= 0 || torc_addr_family(&row->endpoint.addr) != AF_UNIX) return;
    if (!row->endpoint.addr.as.un.sun_path[0]) return;
    if (lstat(row->endpoint.addr.as.un.sun_path, &about)) return;
    row->file_device = about.st_dev;
    row->file_number = about.st_ino;
}

static void remove_file(const torc_socket_row *row) {
    const char *path = row->endpoint.addr.as.un.sun_path;
    struct stat about;

    if (row->file_number && lstat(path, &about) == 0 && about.st_dev == row->file_device &&
        about.st_ino == row->file_number)
        unlink(path);
}

/* The others join the first, at its address. */
static torc_err open_others(torc_socket_row *row, size_t slot_count) {
    torc_endpoint endpoint = row->endpoint;

    endpoint.addr.len = sizeof(endpoint.addr.as);
    if (getsockname(row->fds[0], &endpoint.addr.as.any, &endpoint.addr.len))
        return torc_err_from_errno(errno);
    endpoint.share_port = false;
    endpoint.reuse_port = true;
    for (size_t i = 1; i < slot_count; i++) {
        torc_listening opened;
        const torc_err err = torc_listening_open(&endpoint, &opened);
        if (err) return err;
        row->fds[i] = opened.fd;
    }
    return TORC_OK;
}

static torc_err open_row(torc_socket_row *row, size_t slot_count) {
    torc_listening opened;

    row->is_one = row->endpoint.is_stdio;
    if (row->endpoint.is_stdio) return TORC_OK; /* it has no socket */
    const torc_err err = torc_listening_open(&row->endpoint, &opened);
    if (err) return err;
    row->fds[0] = opened.fd;
    row->lock_fd = opened.lock_fd;
    look_at_file(row);
    row->is_one = row->endpoint.fd >= 0 || torc_addr_family(&row->endpoint.addr) == AF_UNIX;
    if (!row->is_one) return open_others(row, slot_count);
    for (size_t i = 1; i < slot_count; i++) row->fds[i] = row->fds[0];
    return TORC_OK;
}

static void close_row(torc_socket_row *row, size_t slot_count, bool is_inherited) {
    const size_t count = row->is_one ? 1 : slot_count;

    for (size_t i = 0; i < count; i++)
        if (row->fds[i] >= 0) close(row->fds[i]);
    if (!is_inherited) remove_file(row);
    if (is_inherited && row->lock_fd >= 0)
        close(row->lock_fd); /* the file is its owner's */
    else
        torc_listening_unlock(&(torc_listening){.lock_fd = row->lock_fd}, &row->endpoint);
    torc_dealloc(NULL, row);
}

static torc_err add_row(torc_sockets *sockets, const char *text, const torc_endpoint *endpoint) {
    if (sockets->row_count == TORC_SOCKETS_ENDPOINTS_MAX) return TORC_ERR_LIMIT;
    torc_socket_row *row = torc_alloc_zero(
        NULL, TORC_MEMORY_OTHER, 1, sizeof(*row) + sockets->slot_count * sizeof(row->fds[0]));
    if (!row) return TORC_ERR_NO_MEMORY;
    row->text = text;
    row->endpoint = *endpoint;
    row->endpoint.share_port = sockets->slot_count > 1;
    row->lock_fd = -1;
    for (size_t i = 0; i < sockets->slot_count; i++) row->fds[i] = -1;
    const torc_err err = open_row(row, sockets->slot_count);
    if (err)
        close_row(row, sockets->slot_count, false);
    else
        sockets->rows[sockets->row_count++] = row;
    return err;
}

/* `localhost` is two addresses, at one port. */
static torc_err add_other(torc_sockets *sockets, const char *text, torc_endpoint *endpoint) {
    const torc_addr first = torc_sockets_addr(sockets, sockets->row_count - 1);
    torc_endpoint other;

    if (!torc_listening_other(endpoint, &first, &other)) return TORC_OK;
    const torc_err err = add_row(sockets, text, &other);
    if (torc_listening_is_without_v6(err)) return TORC_OK;
    *endpoint = other; /* which the error is of */
    return err;
}

torc_err torc_sockets_add(torc_sockets *sockets, const char *text, torc_endpoint_error *error) {
    torc_endpoint endpoint;
    torc_err err = torc_endpoint_parse(torc_str_of(text), &endpoint, error);

    if (!err) err = torc_endpoint_resolve(&endpoint, sockets->inherited, error);
    if (err) return err;
    err = add_row(sockets, text, &endpoint);
    if (!err) err = add_other(sockets, text, &endpoint);
    return err ? fail(err, &endpoint, error) : TORC_OK;
}

int torc_sockets_dup(const torc_sockets *sockets, size_t row, size_t slot) {
    return fcntl(sockets->rows[row]->fds[slot], F_DUPFD_CLOEXEC, 0);
}

torc_addr torc_sockets_addr(const torc_sockets *sockets, size_t row) {
    torc_addr addr = {.len = sizeof(addr.as)};

    if (getsockname(sockets->rows[row]->fds[0], &addr.as.any, &addr.len)) addr.len = 0;
    return addr;
}

void torc_sockets_close(torc_sockets *sockets) {
    for (size_t i = 0; i < sockets->row_count; i++)
        close_row(sockets->rows[i], sockets->slot_count, sockets->is_inherited);
    sockets->row_count = 0;
}
