/* SPDX-License-Identifier: MIT */
/*
 * What an endpoint names on this machine: sockets that the process did not open itself, `fd:` and
 * `systemd:` (sd_listen_fds(3)), and the owners of socket files.
 *
 *  - Variables that were meant for another process (LISTEN_PID) are none.
 *  - Nothing is listened on that does not listen already: a descriptor that is something else, or
 *    nothing, is a mistake, and is told as what it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <torc/endpoint.h>
#include <unistd.h>

enum {
    FIRST = 3, /* of the descriptors that are passed */
    COUNT_MAX = 1024
};

/* ---- what was passed ---- */

static uint64_t number_of(const char *name) {
    const char *value = getenv(name);
    uint64_t number = 0;

    if (value && torc_str_parse_uint(torc_str_of(value), UINT32_MAX, &number)) return 0;
    return number;
}

/* The names, parted by colons; as many as there are sockets, and empty where none was given. */
static void read_names(torc_inherited *inherited) {
    const char *names = getenv("LISTEN_FDNAMES");
    size_t to = 0;

    for (; names && *names && to + 1 < sizeof(inherited->names); names++)
        inherited->names[to++] = *names == ':' ? '\0' : *names;
}

void torc_inherited_read(torc_inherited *inherited) {
    const uint64_t count = number_of("LISTEN_FDS");

    *inherited = (torc_inherited){0};
    if (number_of("LISTEN_PID") != (uint64_t)getpid() || count > COUNT_MAX) return;
    inherited->count = (int)count;
    read_names(inherited);
}

void torc_inherited_take(torc_inherited *inherited) {
    torc_inherited_read(inherited);
    for (int i = 0; i < inherited->count; i++) (void)fcntl(FIRST + i, F_SETFD, FD_CLOEXEC);
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
}

/* The name at a place; empty when it has none. */
static const char *name_at(const torc_inherited *inherited, int index) {
    const char *name = inherited->names, *end = name + sizeof(inherited->names);

    while (index-- > 0 && name < end) name += strnlen(name, (size_t)(end - name)) + 1;
    return name < end ? name : "";
}

/* ---- which one ---- */

TORC_PRINTF(3, 4)
static torc_err wrong(torc_endpoint_error *error, torc_err err, const char *format, ...) {
    va_list values;

    if (error) {
        va_start(values, format);
        vsnprintf(error->text, sizeof(error->text), format, values);
        va_end(values);
        error->place = 0;
    }
    return err;
}

/* The sockets that there are, as far as the text goes: `0 (http), 1 (https)`. */
static void list(const torc_inherited *inherited, char *text, size_t size) {
    size_t len = 0;

    text[0] = '\0';
    for (int i = 0; i < inherited->count && len + 1 < size; i++) {
        const char *name = name_at(inherited, i);
        const int more = snprintf(text + len, size - len, "%s%d%s%s%s", i ? ", " : "", i,
                                  name[0] ? " (" : "", name, name[0] ? ")" : "");
        len += (size_t)more;
    }
}

static const char *name_of(const torc_endpoint *endpoint) {
    return torc_endpoint_text_of(&endpoint->texts, endpoint->systemd_name);
}

static torc_err not_passed(const torc_endpoint *endpoint, const torc_inherited *inherited,
                           torc_endpoint_error *error) {
    char there[80], what[80];

    if (inherited->count == 0)
        return wrong(error, TORC_ERR_NOT_FOUND,
                     "no sockets were passed to this process (LISTEN_FDS, LISTEN_PID); it is "
                     "started by a .socket unit, or listens itself: tcp:8080");
    list(inherited, there, sizeof(there));
    if (endpoint->systemd_index >= 0)
        snprintf(what, sizeof(what), "index %d", endpoint->systemd_index);
    else
        snprintf(what, sizeof(what), "name %.60s", name_of(endpoint));
    return wrong(error, TORC_ERR_NOT_FOUND, "%d %s passed, none with the %.50s; there is %s",
                 inherited->count, inherited->count == 1 ? "socket was" : "sockets were", what,
                 there);
}

static torc_err find_named(torc_endpoint *endpoint, const torc_inherited *inherited,
                           torc_endpoint_error *error) {
    int first = -1;

    for (int i = 0; i < inherited->count; i++) {
        if (strcmp(name_at(inherited, i), name_of(endpoint)) != 0) continue;
        if (first >= 0)
            return wrong(error, TORC_ERR_INVALID,
                         "the sockets %d and %d are both called %.50s; write systemd:%d or "
                         "systemd:%d",
                         first, i, name_of(endpoint), first, i);
        first = i;
    }
    if (first < 0) return not_passed(endpoint, inherited, error);
    endpoint->fd = FIRST + first;
    return TORC_OK;
}

static torc_err find(torc_endpoint *endpoint, const torc_inherited *inherited,
                     torc_endpoint_error *error) {
    if (endpoint->systemd_index < 0) return find_named(endpoint, inherited, error);
    if (endpoint->systemd_index >= inherited->count) return not_passed(endpoint, inherited, error);
    endpoint->fd = FIRST + endpoint->systemd_index;
    return TORC_OK;
}

/* ---- whether it listens ---- */

static const char *family_name(int family) {
    return family == AF_INET ? "INET" : family == AF_INET6 ? "INET6" : "UNIX";
}

static torc_err look_at(const torc_endpoint *endpoint, torc_endpoint_error *error) {
    int listening = 0, family = 0, type = 0;
    socklen_t len = sizeof(int);
    const int fd = endpoint->fd;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len))
        return wrong(error, TORC_ERR_INVALID, "the descriptor %d is %s", fd,
                     errno == EBADF ? "not open: nothing was passed there" : "no socket");
    if (type != SOCK_STREAM)
        return wrong(error, TORC_ERR_INVALID, "the socket %d is no stream socket", fd);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) || !listening)
        return wrong(error, TORC_ERR_INVALID,
                     "the socket %d does not listen: whoever passes it calls listen() (with "
                     "systemd: Accept=no)",
                     fd);
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len)) return torc_err_from_errno(errno);
    if (endpoint->systemd_family && endpoint->systemd_family != family)
        return wrong(error, TORC_ERR_INVALID, "the socket %d is of the domain %s, not %s", fd,
                     family_name(family), family_name(endpoint->systemd_family));
    return TORC_OK;
}

/* ---- owners ---- */

enum {
    ENTRY_MAX = 16384 /* bytes of a line of /etc/passwd or /etc/group, as they are read */
};

/* A name, or a number. */
static torc_err find_user(const char *name, int64_t *uid) {
    char bytes[ENTRY_MAX];
    struct passwd entry, *found = NULL;
    uint64_t number;

    if (!torc_str_parse_uint(torc_str_of(name), UINT32_MAX - 1, &number)) {
        *uid = (int64_t)number;
        return TORC_OK;
    }
    if (getpwnam_r(name, &entry, bytes, sizeof(bytes), &found) || !found) return TORC_ERR_NOT_FOUND;
    *uid = (int64_t)found->pw_uid;
    return TORC_OK;
}

static torc_err find_group(const char *name, int64_t *gid) {
    char bytes[ENTRY_MAX];
    struct group entry, *found = NULL;
    uint64_t number;

    if (!torc_str_parse_uint(torc_str_of(name), UINT32_MAX - 1, &number)) {
        *gid = (int64_t)number;
        return TORC_OK;
    }
    if (getgrnam_r(name, &entry, bytes, sizeof(bytes), &found) || !found) return TORC_ERR_NOT_FOUND;
    *gid = (int64_t)found->gr_gid;
    return TORC_OK;
}

static torc_err find_owners(torc_endpoint *endpoint, torc_endpoint_error *error) {
    const char *owner = torc_endpoint_text_of(&endpoint->texts, endpoint->unix_owner),
               *group = torc_endpoint_text_of(&endpoint->texts, endpoint->unix_group);

    if (owner && find_user(owner, &endpoint->unix_uid))
        return wrong(error, TORC_ERR_NOT_FOUND,
                     "there is no user %.60s on this machine (owner= of the socket)", owner);
    if (group && find_group(group, &endpoint->unix_gid))
        return wrong(error, TORC_ERR_NOT_FOUND,
                     "there is no group %.60s on this machine (group= of the socket)", group);
    return TORC_OK;
}

torc_err torc_endpoint_resolve(torc_endpoint *endpoint, const torc_inherited *inherited,
                               torc_endpoint_error *error) {
    torc_inherited own;
    torc_err err = TORC_OK;

    if (endpoint->is_systemd && endpoint->fd < 0) {
        if (!inherited) torc_inherited_read(&own);
        err = find(endpoint, inherited ? inherited : &own, error);
    }
    if (!err && endpoint->fd >= 0) err = look_at(endpoint, error);
    return err ? err : find_owners(endpoint, error);
}
