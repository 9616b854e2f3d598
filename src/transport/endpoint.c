/* SPDX-License-Identifier: MIT */
/*
 * Reading a server's endpoint strings.
 *
 *  - What has no known prefix is a short form: a port, or an address and a port.
 *  - haproxy: and ssl: are stages on an endpoint that may be a string itself; each is there once at
 *    most, in whatever order they are written: on the wire the PROXY header comes first.
 */
#include <netinet/in.h>
#include <torc/cidr.h>

#include "transport/endpoint_arguments.h"

enum {
    BACKLOG = 4096
};

static const char what_to_write[] = "8080, 127.0.0.1:8080, tcp:8080, unix:/path or fd:3";

static torc_err read_source(const torc_endpoint_source *source, torc_endpoint *endpoint);

static torc_err read_backlog(torc_endpoint_arguments *arguments, torc_endpoint *endpoint) {
    uint64_t number = (uint64_t)endpoint->backlog;
    const torc_err err = torc_endpoint_number(arguments, "backlog", 65535, &number);

    endpoint->backlog = (int)number;
    return err;
}

/* ---- tcp and tcp6 ---- */

static void set_any(torc_addr *addr, int family, uint16_t port) {
    *addr = (torc_addr){0};
    if (family == AF_INET) {
        addr->len = sizeof(addr->as.in);
        addr->as.in.sin_family = AF_INET;
        addr->as.in.sin_port = htons(port);
    } else {
        addr->len = sizeof(addr->as.in6);
        addr->as.in6.sin6_family = AF_INET6;
        addr->as.in6.sin6_port = htons(port);
    }
}

static const char *name_of(int family) {
    return family == AF_INET ? "IPv4" : family == AF_INET6 ? "IPv6" : "IPv4 or IPv6";
}

/* `family` AF_UNSPEC: of either. */
static torc_err read_interface(torc_endpoint_arguments *arguments, int family, uint16_t port,
                               torc_addr *addr) {
    const torc_str value = torc_endpoint_argument(arguments, "interface");

    set_any(addr, family == AF_INET6 ? AF_INET6 : AF_INET, port);
    if (value.len == 0) return TORC_OK; /* Twisted's default is an empty one */
    const torc_str host = torc_str_equals(value, TORC_STR("localhost"))
                              ? (family == AF_INET6 ? TORC_STR("::1") : TORC_STR("127.0.0.1"))
                              : torc_endpoint_unbracketed(value);
    if (torc_addr_parse(host, port, addr) ||
        (family != AF_UNSPEC && torc_addr_family(addr) != family))
        return torc_endpoint_wrong(arguments, "interface",
                                   "the interface is a numeric %s address, not `%.*s`",
                                   name_of(family), TORC_STR_ARGS(value));
    return TORC_OK;
}

static torc_err read_tcp_of(torc_endpoint_arguments *arguments, int family,
                            torc_endpoint *endpoint) {
    uint64_t port = 0;
    torc_err err = torc_endpoint_number(arguments, "port", 65535, &port);

    endpoint->v6only = true;
    if (!err) err = read_interface(arguments, family, (uint16_t)port, &endpoint->addr);
    if (!err) err = read_backlog(arguments, endpoint);
    if (!err) err = torc_endpoint_flag(arguments, "v6only", &endpoint->v6only);
    if (torc_addr_family(&endpoint->addr) == AF_INET) endpoint->v6only = false;
    uint64_t defer_s = 0;
    if (!err) err = torc_endpoint_number(arguments, "deferAccept", 3600, &defer_s);
    endpoint->defer_accept_s = (int)defer_s;
    return err;
}

static torc_err read_tcp(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                         torc_endpoint *endpoint) {
    (void)prefix;
    return read_tcp_of(arguments, AF_INET, endpoint);
}

static torc_err read_tcp6(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                          torc_endpoint *endpoint) {
    (void)prefix;
    return read_tcp_of(arguments, AF_INET6, endpoint);
}

/* ---- unix ---- */

static torc_err read_mode(torc_endpoint_arguments *arguments, torc_endpoint *endpoint) {
    const torc_str value = torc_endpoint_argument(arguments, "mode");
    uint32_t mode = 0;

    if (!value.bytes) return TORC_OK;
    if (value.len == 0 || value.len > 4)
        return torc_endpoint_wrong(arguments, "mode", "the mode is octal, as in mode=660");
    for (size_t i = 0; i < value.len; i++) {
        const char c = value.bytes[i];
        if (c < '0' || c > '7')
            return torc_endpoint_wrong(arguments, "mode",
                                       "the mode is octal, as in mode=660, not `%.*s`",
                                       TORC_STR_ARGS(value));
        mode = mode * 8 + (uint32_t)(c - '0');
    }
    endpoint->unix_mode = mode;
    return TORC_OK;
}

static torc_err read_unix(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                          torc_endpoint *endpoint) {
    torc_endpoint_texts *texts = &endpoint->texts;
    torc_err err = torc_endpoint_read_path(arguments, "address", &endpoint->addr);

    (void)prefix;
    if (!err) err = read_mode(arguments, endpoint);
    if (!err) err = read_backlog(arguments, endpoint);
    if (!err) err = torc_endpoint_flag(arguments, "lockfile", &endpoint->is_locked);
    if (!err) err = torc_endpoint_keep(arguments, "owner", texts, &endpoint->unix_owner);
    if (!err) err = torc_endpoint_keep(arguments, "group", texts, &endpoint->unix_group);
    if (err || torc_endpoint_argument(arguments, "address").bytes[0] != '@') return err;
    if (endpoint->is_locked || endpoint->unix_owner || endpoint->unix_group)
        return torc_endpoint_wrong(arguments, "address",
                                   "an abstract name has no file: lockfile, owner and group mean "
                                   "nothing");
    return TORC_OK;
}

/* ---- descriptors ---- */

static torc_err read_fd(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                        torc_endpoint *endpoint) {
    const torc_str value = torc_endpoint_argument(arguments, "number");
    uint64_t number;

    (void)prefix;
    if (torc_str_parse_uint(value, 65535, &number))
        return torc_endpoint_wrong(arguments, "number",
                                   "the descriptor is a number from 0 to 65535, not `%.*s`",
                                   TORC_STR_ARGS(value));
    endpoint->fd = (int)number;
    return TORC_OK;
}

/* Twisted's names of families. */
static torc_err read_domain(torc_endpoint_arguments *arguments, int *family) {
    static const struct {
        torc_str name;
        int family;
    } domains[] = {
        {TORC_STR_INIT("INET"), AF_INET},
        {TORC_STR_INIT("INET6"), AF_INET6},
        {TORC_STR_INIT("UNIX"), AF_UNIX},
    };
    const torc_str value = torc_endpoint_argument(arguments, "domain");

    if (!value.bytes) return TORC_OK;
    for (size_t i = 0; i < TORC_COUNT_OF(domains); i++)
        if (torc_str_equals(value, domains[i].name)) {
            *family = domains[i].family;
            return TORC_OK;
        }
    return torc_endpoint_wrong(arguments, "domain", "the domain is INET, INET6 or UNIX, not `%.*s`",
                               TORC_STR_ARGS(value));
}

static torc_err read_systemd(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                             torc_endpoint *endpoint) {
    const torc_str index = torc_endpoint_argument(arguments, "index"),
                   name = torc_endpoint_argument(arguments, "name");
    uint64_t number = 0;
    torc_err err = read_domain(arguments, &endpoint->systemd_family);

    (void)prefix;
    if (!err && (!index.bytes == !name.bytes || (index.bytes ? index : name).len == 0))
        return torc_endpoint_wrong(arguments, NULL,
                                   "write which of the sockets that were passed: systemd:0, or "
                                   "systemd:name=http");
    if (!err) err = torc_endpoint_number(arguments, "index", 65535, &number);
    if (!err)
        err = torc_endpoint_keep(arguments, "name", &endpoint->texts, &endpoint->systemd_name);
    endpoint->is_systemd = true;
    endpoint->systemd_index = index.bytes ? (int)number : -1;
    return err;
}

static torc_err read_stdio(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                           torc_endpoint *endpoint) {
    (void)prefix;
    (void)arguments;
    endpoint->is_stdio = true;
    return TORC_OK;
}

/* ---- stages ---- */

static torc_err read_client_auth(torc_endpoint_arguments *arguments, torc_endpoint_tls *tls) {
    static const char *const words[] = {"none", "optional", "required"};
    const torc_str value = torc_endpoint_argument(arguments, "clientAuth");

    if (tls->client_ca) tls->client_auth = TORC_CLIENT_AUTH_REQUIRED;
    if (!value.bytes) return TORC_OK;
    for (size_t i = 0; i < TORC_COUNT_OF(words); i++) {
        if (!torc_str_equals(value, torc_str_of(words[i]))) continue;
        if (i > 0 && !tls->client_ca)
            return torc_endpoint_wrong(arguments, "clientAuth",
                                       "clients are verified by authorities: add clientCA=FILE");
        tls->client_auth = (uint8_t)i;
        return TORC_OK;
    }
    return torc_endpoint_wrong(arguments, "clientAuth",
                               "clientAuth is none, optional or required, not `%.*s`",
                               TORC_STR_ARGS(value));
}

static torc_err read_tls_base(torc_endpoint_arguments *arguments, torc_endpoint *endpoint) {
    const bool has_port = torc_endpoint_argument(arguments, "port").len > 0;

    if (has_port == (torc_endpoint_argument(arguments, "endpoint").len > 0))
        return torc_endpoint_wrong(arguments, NULL,
                                   "write the port, as in ssl:443, or another endpoint in its "
                                   "place, as in ssl:endpoint=unix\\:/path");
    if (has_port) return read_tcp_of(arguments, AF_UNSPEC, endpoint);
    if (torc_endpoint_argument(arguments, "interface").bytes ||
        torc_endpoint_argument(arguments, "backlog").bytes)
        return torc_endpoint_wrong(arguments, "endpoint",
                                   "interface and backlog go into the endpoint");
    return torc_endpoint_read_nested(arguments, "endpoint", endpoint);
}

static torc_err read_ssl(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                         torc_endpoint *endpoint) {
    torc_endpoint_texts *texts = &endpoint->texts;
    torc_endpoint_tls *tls = &endpoint->tls;

    (void)prefix;
    if (endpoint->has_tls)
        return torc_endpoint_wrong_at(&arguments->source, 0, "there is TLS twice");
    endpoint->has_tls = true;
    torc_err err = torc_endpoint_read_tls(arguments, texts, tls);
    if (!err) err = torc_endpoint_keep(arguments, "certKey", texts, &tls->certificate);
    if (!err) err = torc_endpoint_keep(arguments, "extraCertChain", texts, &tls->extra_chain);
    if (!err) err = torc_endpoint_keep(arguments, "clientCA", texts, &tls->client_ca);
    if (!err) err = torc_endpoint_keep(arguments, "sni", texts, &tls->sni);
    if (!err) err = read_client_auth(arguments, tls);
    if (!err && (tls->certificate || tls->extra_chain) && !tls->private_key)
        return torc_endpoint_wrong(arguments, tls->certificate ? "certKey" : "extraCertChain",
                                   "a certificate needs its key: add privateKey=FILE");
    return err ? err : read_tls_base(arguments, endpoint);
}

/* The ranges are read here for their errors, and once more by who uses them. */
static torc_err check_allow(torc_endpoint_arguments *arguments) {
    torc_str rest = torc_endpoint_argument(arguments, "allow"), range;
    torc_cidr cidr;

    while (torc_str_split(&rest, ',', &range))
        if (torc_cidr_parse(range, &cidr))
            return torc_endpoint_wrong(arguments, "allow",
                                       "`%.*s` is no range of addresses, as 192.0.2.0/24",
                                       TORC_STR_ARGS(range));
    return TORC_OK;
}

static torc_err read_haproxy(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                             torc_endpoint *endpoint) {
    uint64_t timeout_ms = 0;
    torc_err err = check_allow(arguments);

    (void)prefix;
    if (!err)
        err = torc_endpoint_keep(arguments, "allow", &endpoint->texts, &endpoint->proxy.allow);
    if (!err) err = torc_endpoint_seconds(arguments, "timeout", &timeout_ms);
    endpoint->proxy.timeout_ms = (uint32_t)timeout_ms;
    return err ? err : torc_endpoint_read_nested(arguments, "endpoint", endpoint);
}

/* ---- the whole ---- */

static const torc_endpoint_prefix prefixes[] = {
    {.prefix = "tcp",
     .parameters = {"port", "interface", "backlog", "deferAccept"},
     .positional = 3,
     .missing = "the port is missing: tcp:8080",
     .read_server = read_tcp},
    {.prefix = "tcp6",
     .parameters = {"port", "interface", "backlog", "v6only", "deferAccept"},
     .positional = 3,
     .missing = "the port is missing: tcp6:8080",
     .read_server = read_tcp6},
    {.prefix = "unix",
     .parameters = {"address", "mode", "backlog", "lockfile", "owner", "group"},
     .positional = 4,
     .missing = "the path is missing: unix:/run/torc.sock",
     .read_server = read_unix},
    {.prefix = "ssl",
     .parameters = {"port", "privateKey", "certKey", "sslmethod", "interface", "backlog",
                    "extraCertChain", "dhParameters", "v6only", "alpn", "minTLS", "profile",
                    "clientCA", "clientAuth", "sni", "endpoint", "deferAccept"},
     .positional = 8,
     .read_server = read_ssl},
    {.prefix = "tls",
     .parameters = {"port", "privateKey", "certKey", "sslmethod", "interface", "backlog",
                    "extraCertChain", "dhParameters", "v6only", "alpn", "minTLS", "profile",
                    "clientCA", "clientAuth", "sni", "endpoint", "deferAccept"},
     .positional = 8,
     .read_server = read_ssl},
    {.prefix = "haproxy",
     .parameters = {"endpoint", "allow", "timeout"},
     .missing = "what is behind the proxy is missing: haproxy:tcp:8080",
     .read_server = read_haproxy},
    {.prefix = "fd",
     .parameters = {"number"},
     .positional = 1,
     .missing = "write the number of an inherited descriptor: fd:3",
     .read_server = read_fd},
    {.prefix = "systemd",
     .parameters = {"index", "name", "domain"},
     .positional = 3,
     .read_server = read_systemd},
    {.prefix = "stdio", .read_server = read_stdio},
};

/* "8080", ":8080": all addresses of both families. "127.0.0.1:8080", "[::1]:8080": that one;
 * "localhost:8080": those two. */
static torc_err read_short(const torc_endpoint_source *source, torc_endpoint *endpoint) {
    torc_str host;
    uint16_t port;
    const torc_err err = torc_endpoint_read_host_port(source, &host, &port, what_to_write);

    if (err) return err;
    if (host.len == 0) {
        set_any(&endpoint->addr, AF_INET6, port);
        return TORC_OK;
    }
    endpoint->is_localhost = torc_str_equals(host, TORC_STR("localhost"));
    const torc_str numeric =
        endpoint->is_localhost ? TORC_STR("127.0.0.1") : torc_endpoint_unbracketed(host);
    if (torc_addr_parse(numeric, port, &endpoint->addr) ||
        (host.bytes[0] == '[') != (torc_addr_family(&endpoint->addr) == AF_INET6))
        return torc_endpoint_wrong_at(source, 0,
                                      "`%.*s` is no numeric address (IPv6 in brackets), nor one of "
                                      "tcp, tcp6, unix, ssl, haproxy, fd, systemd, stdio",
                                      host.len > 60 ? 60 : (int)host.len, host.bytes);
    endpoint->v6only = torc_addr_family(&endpoint->addr) == AF_INET6;
    return TORC_OK;
}

/* `haproxy:` has the rest of the string as its endpoint, unless there is a name before it. */
static torc_err read_behind_proxy(const torc_endpoint_source *source,
                                  const torc_endpoint_prefix *prefix, torc_endpoint *endpoint) {
    torc_endpoint_source rest;
    const torc_err err = torc_endpoint_rest(source, prefix, &rest);

    return err ? err : read_source(&rest, endpoint);
}

static torc_err read_source(const torc_endpoint_source *source, torc_endpoint *endpoint) {
    torc_err err = torc_endpoint_check(source);

    if (err) return err;
    const torc_endpoint_prefix *prefix =
        torc_endpoint_find_prefix(source, prefixes, TORC_COUNT_OF(prefixes));
    if (!prefix) return read_short(source, endpoint);
    if (!prefix->read_server)
        return torc_endpoint_wrong_at(source, 0, "`%s:` is for clients alone", prefix->prefix);
    if (prefix->read_server == read_haproxy) {
        if (endpoint->has_proxy) return torc_endpoint_wrong_at(source, 0, "there is haproxy twice");
        endpoint->has_proxy = true;
        if (!torc_endpoint_is_named(source, prefix))
            return read_behind_proxy(source, prefix, endpoint);
    }
    torc_endpoint_arguments arguments;
    err = torc_endpoint_cut(&arguments, source, prefix);
    return err ? err : prefix->read_server(prefix, &arguments, endpoint);
}

torc_err torc_endpoint_read_nested(torc_endpoint_arguments *arguments, const char *parameter,
                                   torc_endpoint *endpoint) {
    torc_endpoint_source source;
    const torc_err err = torc_endpoint_nested(arguments, parameter, &source);

    return err ? err : read_source(&source, endpoint);
}

torc_err torc_endpoint_parse_with(const torc_endpoint_prefixes *others, torc_str string,
                                  torc_endpoint *endpoint, torc_endpoint_error *error) {
    const torc_endpoint_source source = {.string = string, .others = others, .error = error};
    torc_endpoint parsed = {
        .fd = -1, .backlog = BACKLOG, .unix_mode = 0666, .unix_uid = -1, .unix_gid = -1};
    const torc_err err = read_source(&source, &parsed);

    if (!err) *endpoint = parsed;
    return err;
}

torc_err torc_endpoint_parse(torc_str string, torc_endpoint *endpoint, torc_endpoint_error *error) {
    return torc_endpoint_parse_with(NULL, string, endpoint, error);
}
