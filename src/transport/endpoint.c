/* SPDX-License-Identifier: MIT */
/*
 * Reading endpoint strings.
 *
 *   prefix ":" argument *( ":" argument )       argument = value, or name "=" value; `\` escapes : = \
 *
 *  - The string is cut into arguments first, with the place of each, so that an error can point at it.
 *  - What has no known prefix is a short form: a port, or an address and a port.
 */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <torc/endpoint.h>

enum { ARGUMENTS_MAX = 8, TEXT_MAX = 512, BACKLOG = 4096 };

typedef struct endpoint_argument {
    torc_str name;  /* `.bytes` NULL: positional */
    torc_str value;
    size_t place;
} endpoint_argument;

typedef struct endpoint_reader {
    endpoint_argument arguments[ARGUMENTS_MAX];
    size_t count;
    char text[TEXT_MAX]; /* the arguments without their escapes */
    torc_endpoint *endpoint;
    torc_endpoint_error *error;
} endpoint_reader;

TORC_PRINTF(3, 4)
static torc_err wrong(endpoint_reader *reader, size_t place, const char *format, ...) {
    va_list values;

    if (reader->error) {
        const int len = snprintf(reader->error->text, sizeof(reader->error->text), "at byte %zu: ", place);
        va_start(values, format);
        vsnprintf(reader->error->text + len, sizeof(reader->error->text) - (size_t)len, format, values);
        va_end(values);
        reader->error->place = place;
    }
    return TORC_ERR_SYNTAX;
}

/* Cut the string into arguments; escapes are taken out. */
static torc_err cut(endpoint_reader *reader, torc_str string) {
    endpoint_argument *current = &reader->arguments[0];
    size_t to = 0, start = 0;

    if (string.len >= TEXT_MAX) return wrong(reader, TEXT_MAX, "longer than an endpoint can be");
    *current = (endpoint_argument){.place = 0};
    for (size_t i = 0; i <= string.len; i++) {
        const char c = i < string.len ? string.bytes[i] : ':';
        if (i < string.len && c == '\\') {
            if (++i == string.len) return wrong(reader, i - 1, "a `\\` escapes the byte behind it, and there is none");
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

static bool is_named(const endpoint_argument *argument, const char *name) {
    return argument->name.bytes && torc_str_equals(argument->name, torc_str_of(name));
}

/* All arguments from `from` on must be named, and among `names`. */
static torc_err check_names(endpoint_reader *reader, size_t from, const char *const *names, size_t count) {
    for (size_t i = from; i < reader->count; i++) {
        const endpoint_argument *argument = &reader->arguments[i];
        bool known = false;
        if (!argument->name.bytes) return wrong(reader, argument->place, "write name=value here");
        for (size_t n = 0; n < count; n++) known |= is_named(argument, names[n]);
        if (!known)
            return wrong(reader, argument->place, "no argument `%.*s`; there are %s%s%s%s%s", TORC_STR_ARGS(argument->name),
                         names[0], count > 1 ? ", " : "", count > 1 ? names[1] : "", count > 2 ? ", " : "",
                         count > 2 ? names[2] : "");
    }
    return TORC_OK;
}

static const endpoint_argument *find(const endpoint_reader *reader, const char *name) {
    for (size_t i = 0; i < reader->count; i++)
        if (is_named(&reader->arguments[i], name)) return &reader->arguments[i];
    return NULL;
}

static torc_err read_number(endpoint_reader *reader, const endpoint_argument *argument, const char *what, uint64_t max,
                            uint64_t *number) {
    if (!torc_str_parse_uint(argument->value, max, number)) return TORC_OK;
    return wrong(reader, argument->place, "%s is a number from 0 to %llu, not `%.*s`", what, (unsigned long long)max,
                 TORC_STR_ARGS(argument->value));
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
    if (torc_addr_parse(host, port, &reader->endpoint->addr) || torc_addr_family(&reader->endpoint->addr) != family)
        return wrong(reader, argument->place, "the interface is a numeric %s address, not `%.*s`",
                     family == AF_INET ? "IPv4" : "IPv6", TORC_STR_ARGS(argument->value));
    return TORC_OK;
}

static torc_err read_tcp_of(endpoint_reader *reader, int family) {
    static const char *const names[] = {"interface", "backlog", "v6only"};
    const endpoint_argument *v6only = find(reader, "v6only");
    uint64_t port, only = 1;
    torc_err err;

    if (reader->count < 2 || reader->arguments[1].name.bytes)
        return wrong(reader, reader->count < 2 ? reader->arguments[0].value.len : reader->arguments[1].place,
                     "the port is missing: tcp:8080");
    err = read_number(reader, &reader->arguments[1], "the port", 65535, &port);
    if (!err) err = check_names(reader, 2, names, family == AF_INET ? 2 : 3);
    if (!err) err = read_interface(reader, family, (uint16_t)port);
    if (!err) err = read_backlog(reader);
    if (!err && v6only) err = read_number(reader, v6only, "v6only", 1, &only);
    reader->endpoint->v6only = only != 0;
    return err;
}

static torc_err read_tcp(endpoint_reader *reader) {
    return read_tcp_of(reader, AF_INET);
}

static torc_err read_tcp6(endpoint_reader *reader) {
    return read_tcp_of(reader, AF_INET6);
}

static torc_err read_mode(endpoint_reader *reader) {
    const endpoint_argument *argument = find(reader, "mode");
    uint32_t mode = 0;

    if (!argument) return TORC_OK;
    for (size_t i = 0; i < argument->value.len; i++) {
        const char c = argument->value.bytes[i];
        if (c < '0' || c > '7' || i == 4)
            return wrong(reader, argument->place, "the mode is octal, as in mode=660, not `%.*s`", TORC_STR_ARGS(argument->value));
        mode = mode * 8 + (uint32_t)(c - '0');
    }
    reader->endpoint->unix_mode = mode;
    return TORC_OK;
}

static torc_err read_unix(endpoint_reader *reader) {
    static const char *const names[] = {"mode", "backlog", "lockfile"};
    torc_addr *addr = &reader->endpoint->addr;
    torc_err err;

    if (reader->count < 2 || reader->arguments[1].name.bytes || !reader->arguments[1].value.len)
        return wrong(reader, 4, "the path is missing: unix:/run/torc.sock");
    const torc_str path = reader->arguments[1].value;
    if (path.len >= sizeof(addr->as.un.sun_path))
        return wrong(reader, reader->arguments[1].place, "a socket's path has at most %zu bytes", sizeof(addr->as.un.sun_path) - 1);
    err = check_names(reader, 2, names, 3);
    if (!err) err = read_mode(reader);
    if (!err) err = read_backlog(reader);
    *addr = (torc_addr){.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1)};
    addr->as.un.sun_family = AF_UNIX;
    memcpy(addr->as.un.sun_path, path.bytes, path.len);
    if (path.bytes[0] == '@') { /* an abstract name */
        addr->as.un.sun_path[0] = '\0';
        addr->len--;
    }
    return err;
}

static torc_err read_fd(endpoint_reader *reader) {
    uint64_t number;

    if (reader->count != 2 || reader->arguments[1].name.bytes)
        return wrong(reader, 2, "write the number of an inherited descriptor: fd:3");
    const torc_err err = read_number(reader, &reader->arguments[1], "the descriptor", 65535, &number);
    if (!err) reader->endpoint->fd = (int)number;
    return err;
}

/* "8080", ":8080": all addresses of both families. "127.0.0.1:8080", "[::1]:8080", "localhost:8080": that one. */
static torc_err read_short(endpoint_reader *reader, torc_str string) {
    ptrdiff_t colon = -1;
    uint64_t port;

    for (size_t i = 0; i < string.len; i++)
        if (string.bytes[i] == ':') colon = (ptrdiff_t)i;
    const torc_str host = colon < 0 ? torc_str_make("", 0) : torc_str_head(string, (size_t)colon);
    const torc_str digits = torc_str_from(string, (size_t)(colon + 1));
    if (torc_str_parse_uint(digits, 65535, &port))
        return wrong(reader, (size_t)(colon + 1),
                     "`%.*s` is no port, and the whole no endpoint: write 8080, 127.0.0.1:8080, tcp:8080, unix:/path or fd:3",
                     TORC_STR_ARGS(digits));
    if (host.len == 0) {
        set_any(reader->endpoint, AF_INET6, (uint16_t)port);
        reader->endpoint->v6only = false;
        return TORC_OK;
    }
    const bool has_brackets = host.bytes[0] == '[';
    const torc_str numeric = torc_str_equals(host, TORC_STR("localhost")) ? TORC_STR("127.0.0.1") : without_brackets(host);
    if (torc_addr_parse(numeric, (uint16_t)port, &reader->endpoint->addr) ||
        has_brackets != (torc_addr_family(&reader->endpoint->addr) == AF_INET6))
        return wrong(reader, 0, "`%.*s` is no numeric address (IPv6 in brackets), nor one of tcp, tcp6, unix, fd", TORC_STR_ARGS(host));
    reader->endpoint->v6only = true;
    return TORC_OK;
}

torc_err torc_endpoint_parse(torc_str string, torc_endpoint *endpoint, torc_endpoint_error *error) {
    static const struct {
        torc_str prefix;
        torc_err (*read)(endpoint_reader *reader);
    } kinds[] = {
        {TORC_STR_INIT("tcp"), read_tcp},
        {TORC_STR_INIT("tcp6"), read_tcp6},
        {TORC_STR_INIT("unix"), read_unix},
        {TORC_STR_INIT("fd"), read_fd},
    };
    endpoint_reader reader = {.endpoint = endpoint, .error = error};

    *endpoint = (torc_endpoint){.fd = -1, .backlog = BACKLOG, .unix_mode = 0666};
    if (string.len == 0) return wrong(&reader, 0, "an endpoint is missing: write 8080, tcp:8080 or unix:/path");
    const torc_err err = cut(&reader, string);
    if (err) return err;
    for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++)
        if (!reader.arguments[0].name.bytes && torc_str_equals(reader.arguments[0].value, kinds[i].prefix))
            return kinds[i].read(&reader);
    return read_short(&reader, string);
}
