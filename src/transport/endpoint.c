/* SPDX-License-Identifier: MIT */
/*
 * Reading endpoint strings.
 *
 *   prefix ":" argument *( ":" argument )       argument = value, or name "=" value; `\` escapes :
 * = \
 *
 *  - The string is cut into arguments first, with the place of each, so that an error can point at
 * it; then each is bound to the parameter of its name, or to the first that has none yet.
 *  - What has no known prefix is a short form: a port, or an address and a port.
 */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <torc/endpoint.h>

enum {
    ARGUMENTS_MAX = 8,
    PARAMETERS_MAX = 4,
    TEXT_MAX = 512,
    BACKLOG = 4096
};

typedef struct endpoint_argument {
    torc_str name; /* `.bytes` NULL: positional */
    torc_str value;
    size_t place;
} endpoint_argument;

typedef struct endpoint_reader endpoint_reader;

/* A kind of endpoint: its parameters in the order in which they may go without a name. */
typedef struct endpoint_kind {
    torc_str prefix;
    const char *parameters[PARAMETERS_MAX];
    const char *missing; /* what to say when the first, which all need, is not there */
    torc_err (*read)(endpoint_reader *reader);
    bool is_first_optional; /* `read` sees to it itself */
} endpoint_kind;

struct endpoint_reader {
    const endpoint_kind *kind;
    endpoint_argument arguments[ARGUMENTS_MAX]; /* the first is the prefix */
    size_t count;
    const endpoint_argument *bound[PARAMETERS_MAX]; /* NULL: not given */
    char text[TEXT_MAX];                            /* the arguments without their escapes */
    torc_endpoint *endpoint;
    torc_endpoint_error *error;
};

TORC_PRINTF(3, 4)
static torc_err wrong(endpoint_reader *reader, size_t place, const char *format, ...) {
    va_list values;

    if (reader->error) {
        const int len =
            snprintf(reader->error->text, sizeof(reader->error->text), "at byte %zu: ", place);
        va_start(values, format);
        vsnprintf(reader->error->text + len, sizeof(reader->error->text) - (size_t)len, format,
                  values);
        va_end(values);
        reader->error->place = place;
    }
    return TORC_ERR_SYNTAX;
}

/* Cut the string into arguments; escapes are taken out. */
static torc_err cut(endpoint_reader *reader, torc_str string) {
    endpoint_argument *current = &reader->arguments[0];
    size_t to = 0, start = 0;

    if (memchr(string.bytes, '\0', string.len))
        return wrong(reader, 0, "an endpoint has no NUL in it");
    if (string.len >= TEXT_MAX) return wrong(reader, TEXT_MAX, "longer than an endpoint can be");
    *current = (endpoint_argument){.place = 0};
    for (size_t i = 0; i <= string.len; i++) {
        const char c = i < string.len ? string.bytes[i] : ':';
        if (i < string.len && c == '\\') {
            if (++i == string.len)
                return wrong(reader, i - 1, "a `\\` escapes the byte behind it, and there is none");
            reader->text[to++] = string.bytes[i];
        } else if (c == '=' && !current->name.bytes) {
            current->name = torc_str_make(reader->text + start, to - start);
            start = to;
        } else if (c == ':') {
            current->value = torc_str_make(reader->text + start, to - start);
            start = to;
            reader->count++;
            if (i == string.len) break;
            if (reader->count == ARGUMENTS_MAX) return wrong(reader, i, "too many arguments");
            current = &reader->arguments[reader->count];
            *current = (endpoint_argument){.place = i + 1};
        } else {
            reader->text[to++] = c;
        }
    }
    return TORC_OK;
}

/* The parameter of a name; PARAMETERS_MAX: there is none. */
static size_t named(const endpoint_kind *kind, torc_str name) {
    for (size_t i = 0; i < PARAMETERS_MAX && kind->parameters[i]; i++)
        if (torc_str_equals(name, torc_str_of(kind->parameters[i]))) return i;
    return PARAMETERS_MAX;
}

static torc_err unknown(endpoint_reader *reader, const endpoint_argument *argument) {
    const char *const *names = reader->kind->parameters;

    if (!argument->name.bytes)
        return wrong(reader, argument->place, "`%.*s` is one argument too many",
                     TORC_STR_ARGS(argument->value));
    return wrong(reader, argument->place, "no argument `%.*s`; there are %s%s%s%s%s%s%s",
                 TORC_STR_ARGS(argument->name), names[0], names[1] ? ", " : "",
                 names[1] ? names[1] : "", names[2] ? ", " : "", names[2] ? names[2] : "",
                 names[3] ? ", " : "", names[3] ? names[3] : "");
}

/* Give each argument to its parameter. */
static torc_err bind_arguments(endpoint_reader *reader) {
    size_t positional = 0;

    for (size_t i = 1; i < reader->count; i++) {
        const endpoint_argument *argument = &reader->arguments[i];
        const size_t to = argument->name.bytes ? named(reader->kind, argument->name) : positional++;
        if (to >= PARAMETERS_MAX || !reader->kind->parameters[to]) return unknown(reader, argument);
        if (reader->bound[to])
            return wrong(reader, argument->place, "`%s` is given twice",
                         reader->kind->parameters[to]);
        reader->bound[to] = argument;
    }
    if (reader->kind->is_first_optional) return TORC_OK;
    if (reader->bound[0] && reader->bound[0]->value.len > 0) return TORC_OK;
    return wrong(reader, reader->bound[0] ? reader->bound[0]->place : reader->kind->prefix.len,
                 "%s", reader->kind->missing);
}

static const endpoint_argument *find(const endpoint_reader *reader, const char *name) {
    return reader->bound[named(reader->kind, torc_str_of(name))];
}

static torc_err read_number(endpoint_reader *reader, const endpoint_argument *argument,
                            const char *what, uint64_t max, uint64_t *number) {
    if (!torc_str_parse_uint(argument->value, max, number)) return TORC_OK;
    return wrong(reader, argument->place, "%s is a number from 0 to %llu, not `%.*s`", what,
                 (unsigned long long)max, TORC_STR_ARGS(argument->value));
}

static torc_err read_backlog(endpoint_reader *reader) {
    const endpoint_argument *argument = find(reader, "backlog");
    uint64_t number;

    if (!argument) return TORC_OK;
    const torc_err err = read_number(reader, argument, "the backlog", 65535, &number);
    if (!err) reader->endpoint->backlog = (int)number;
    return err;
}

static void set_any(torc_endpoint *endpoint, int family, uint16_t port) {
    endpoint->addr = (torc_addr){0};
    if (family == AF_INET) {
        endpoint->addr.len = sizeof(endpoint->addr.as.in);
        endpoint->addr.as.in.sin_family = AF_INET;
        endpoint->addr.as.in.sin_port = htons(port);
    } else {
        endpoint->addr.len = sizeof(endpoint->addr.as.in6);
        endpoint->addr.as.in6.sin6_family = AF_INET6;
        endpoint->addr.as.in6.sin6_port = htons(port);
    }
}

static torc_str without_brackets(torc_str host) {
    if (host.len > 1 && host.bytes[0] == '[' && host.bytes[host.len - 1] == ']')
        return torc_str_make(host.bytes + 1, host.len - 2);
    return host;
}

static torc_err read_interface(endpoint_reader *reader, int family, uint16_t port) {
    const endpoint_argument *argument = find(reader, "interface");

    set_any(reader->endpoint, family, port);
    if (!argument) return TORC_OK;
    const torc_str host = torc_str_equals(argument->value, TORC_STR("localhost"))
                              ? (family == AF_INET ? TORC_STR("127.0.0.1") : TORC_STR("::1"))
                              : without_brackets(argument->value);
    if (torc_addr_parse(host, port, &reader->endpoint->addr) ||
        torc_addr_family(&reader->endpoint->addr) != family)
        return wrong(reader, argument->place, "the interface is a numeric %s address, not `%.*s`",
                     family == AF_INET ? "IPv4" : "IPv6", TORC_STR_ARGS(argument->value));
    return TORC_OK;
}

static torc_err read_tcp_of(endpoint_reader *reader, int family) {
    uint64_t port;
    torc_err err = read_number(reader, reader->bound[0], "the port", 65535, &port);

    if (!err) err = read_interface(reader, family, (uint16_t)port);
    if (!err) err = read_backlog(reader);
    return err;
}

static torc_err read_tcp(endpoint_reader *reader) {
    return read_tcp_of(reader, AF_INET);
}

static torc_err read_tcp6(endpoint_reader *reader) {
    const endpoint_argument *argument = find(reader, "v6only");
    uint64_t v6only = 1;
    torc_err err = read_tcp_of(reader, AF_INET6);

    if (!err && argument) err = read_number(reader, argument, "v6only", 1, &v6only);
    reader->endpoint->v6only = v6only != 0;
    return err;
}

static torc_err read_mode(endpoint_reader *reader) {
    const endpoint_argument *argument = find(reader, "mode");
    uint32_t mode = 0;

    if (!argument) return TORC_OK;
    if (argument->value.len == 0)
        return wrong(reader, argument->place, "the mode is octal, as in mode=660");
    for (size_t i = 0; i < argument->value.len; i++) {
        const char c = argument->value.bytes[i];
        if (c < '0' || c > '7' || i == 4)
            return wrong(reader, argument->place, "the mode is octal, as in mode=660, not `%.*s`",
                         TORC_STR_ARGS(argument->value));
        mode = mode * 8 + (uint32_t)(c - '0');
    }
    reader->endpoint->unix_mode = mode;
    return TORC_OK;
}

static void set_path(torc_addr *addr, torc_str path) {
    *addr = (torc_addr){.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1)};
    addr->as.un.sun_family = AF_UNIX;
    memcpy(addr->as.un.sun_path, path.bytes, path.len);
    if (path.bytes[0] == '@') { /* an abstract name */
        addr->as.un.sun_path[0] = '\0';
        addr->len--;
    }
}

/* `lockfile` is Twisted's, and not needed: a socket file is in nobody's way once its listener is
 * gone. */
static torc_err read_unix(endpoint_reader *reader) {
    const endpoint_argument *path = reader->bound[0], *lockfile = find(reader, "lockfile");
    const size_t max = sizeof(reader->endpoint->addr.as.un.sun_path) - 1;
    uint64_t ignored;

    if (path->value.len > max)
        return wrong(reader, path->place, "a socket's path has at most %zu bytes", max);
    set_path(&reader->endpoint->addr, path->value);
    torc_err err = read_mode(reader);
    if (!err) err = read_backlog(reader);
    if (!err && lockfile) err = read_number(reader, lockfile, "lockfile", 1, &ignored);
    return err;
}

static torc_err read_fd(endpoint_reader *reader) {
    uint64_t number;
    const torc_err err = read_number(reader, reader->bound[0], "the descriptor", 65535, &number);

    if (!err) reader->endpoint->fd = (int)number;
    return err;
}

/* Twisted's names of families. */
static torc_err read_domain(endpoint_reader *reader) {
    static const struct {
        torc_str name;
        int family;
    } domains[] = {
        {TORC_STR_INIT("INET"), AF_INET},
        {TORC_STR_INIT("INET6"), AF_INET6},
        {TORC_STR_INIT("UNIX"), AF_UNIX},
    };
    const endpoint_argument *argument = find(reader, "domain");

    if (!argument) return TORC_OK;
    for (size_t i = 0; i < TORC_COUNT_OF(domains); i++)
        if (torc_str_equals(argument->value, domains[i].name)) {
            reader->endpoint->systemd_family = domains[i].family;
            return TORC_OK;
        }
    return wrong(reader, argument->place, "the domain is INET, INET6 or UNIX, not `%.*s`",
                 TORC_STR_ARGS(argument->value));
}

static torc_err read_systemd(endpoint_reader *reader) {
    const endpoint_argument *index = find(reader, "index"), *name = find(reader, "name");
    torc_endpoint *endpoint = reader->endpoint;
    uint64_t number = 0;
    torc_err err = read_domain(reader);

    if (!err && (!index == !name || (index ? index : name)->value.len == 0))
        return wrong(reader, reader->kind->prefix.len, "%s", reader->kind->missing);
    if (!err && name && name->value.len >= sizeof(endpoint->systemd_name))
        return wrong(reader, name->place, "a name has at most %zu bytes",
                     sizeof(endpoint->systemd_name) - 1);
    if (!err && index) err = read_number(reader, index, "the index", 65535, &number);
    if (err) return err;
    endpoint->is_systemd = true;
    endpoint->systemd_index = index ? (int)number : -1;
    if (name) memcpy(endpoint->systemd_name, name->value.bytes, name->value.len);
    return TORC_OK;
}

/* "8080", ":8080": all addresses of both families. "127.0.0.1:8080", "[::1]:8080",
 * "localhost:8080": that one. */
static torc_err read_short(endpoint_reader *reader, torc_str string) {
    ptrdiff_t colon = -1;
    uint64_t port;

    for (size_t i = 0; i < string.len; i++)
        if (string.bytes[i] == ':') colon = (ptrdiff_t)i;
    const torc_str host = colon < 0 ? torc_str_make("", 0) : torc_str_head(string, (size_t)colon);
    const torc_str digits = torc_str_from(string, (size_t)(colon + 1));
    if (torc_str_parse_uint(digits, 65535, &port))
        return wrong(reader, (size_t)(colon + 1),
                     "`%.*s` is no port, and the whole no endpoint: write 8080, 127.0.0.1:8080, "
                     "tcp:8080, unix:/path or fd:3",
                     TORC_STR_ARGS(digits));
    if (host.len == 0) {
        set_any(reader->endpoint, AF_INET6, (uint16_t)port);
        reader->endpoint->v6only = false;
        return TORC_OK;
    }
    const bool has_brackets = host.bytes[0] == '[';
    const torc_str numeric = torc_str_equals(host, TORC_STR("localhost")) ? TORC_STR("127.0.0.1")
                                                                          : without_brackets(host);
    if (torc_addr_parse(numeric, (uint16_t)port, &reader->endpoint->addr) ||
        has_brackets != (torc_addr_family(&reader->endpoint->addr) == AF_INET6))
        return wrong(reader, 0,
                     "`%.*s` is no numeric address (IPv6 in brackets), nor one of tcp, tcp6, unix, "
                     "fd, systemd",
                     TORC_STR_ARGS(host));
    reader->endpoint->v6only = true;
    return TORC_OK;
}

static const endpoint_kind kinds[] = {
    {TORC_STR_INIT("tcp"),
     {"port", "interface", "backlog"},
     "the port is missing: tcp:8080",
     read_tcp,
     false},
    {TORC_STR_INIT("tcp6"),
     {"port", "interface", "backlog", "v6only"},
     "the port is missing: tcp6:8080",
     read_tcp6,
     false},
    {TORC_STR_INIT("unix"),
     {"address", "mode", "backlog", "lockfile"},
     "the path is missing: unix:/run/torc.sock",
     read_unix,
     false},
    {TORC_STR_INIT("fd"),
     {"number"},
     "write the number of an inherited descriptor: fd:3",
     read_fd,
     false},
    {TORC_STR_INIT("systemd"),
     {"index", "name", "domain"},
     "write which of the sockets that were passed: systemd:0, or systemd:name=http",
     read_systemd,
     true},
};

/* The kind that a string begins with; NULL: a short form. */
static const endpoint_kind *find_kind(torc_str string) {
    size_t len = 0;

    while (len < string.len && string.bytes[len] != ':') len++;
    for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++)
        if (torc_str_equals(torc_str_head(string, len), kinds[i].prefix)) return &kinds[i];
    return NULL;
}

torc_err torc_endpoint_parse(torc_str string, torc_endpoint *endpoint, torc_endpoint_error *error) {
    torc_endpoint parsed = {.fd = -1, .backlog = BACKLOG, .unix_mode = 0666};
    endpoint_reader reader = {.kind = find_kind(string), .endpoint = &parsed, .error = error};
    torc_err err;

    if (string.len == 0)
        return wrong(&reader, 0, "an endpoint is missing: write 8080, tcp:8080 or unix:/path");
    if (reader.kind) {
        err = cut(&reader, string);
        if (!err) err = bind_arguments(&reader);
        if (!err) err = reader.kind->read(&reader);
    } else {
        err = read_short(&reader, string);
    }
    if (!err) *endpoint = parsed;
    return err;
}
