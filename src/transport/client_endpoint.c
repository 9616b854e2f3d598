/* SPDX-License-Identifier: MIT */
/*
 * Reading a client's endpoint strings.
 *
 *  - What has no known prefix is a short form: a host and a port.
 *  - haproxy: and tls: are stages on an endpoint that may be a string itself; each is there once at
 *    most, in whatever order they are written: on the wire the PROXY header comes first.
 */
#include <torc/connect.h>

#include "transport/endpoint_arguments.h"

enum {
    HOST_MAX = 253 /* bytes of a name (RFC 1035 §2.3.4, without the root's dot) */
};

static const char what_to_write[] = "example.org:80, tcp:example.org:80 or unix:/path";

static torc_err read_source(const torc_endpoint_source *source, torc_client_endpoint *endpoint);

/* ---- hosts ---- */

/* A host that is no numeric address: a name, as far as it can be seen. */
static bool can_be_name(torc_str host) {
    if (host.len == 0 || host.len > HOST_MAX || host.bytes[0] == '.') return false;
    for (size_t i = 0; i < host.len; i++) {
        const char c = host.bytes[i];
        if (c <= ' ' || c == 127 || strchr("/[]:%@\"'<>\\", c)) return false;
    }
    return true;
}

/* TORC_ERR_SYNTAX: it is neither a numeric address nor a name. */
static torc_err set_host(torc_client_endpoint *endpoint, torc_str host, uint16_t port) {
    endpoint->port = port;
    if (!torc_addr_parse(torc_endpoint_unbracketed(host), port, &endpoint->addr)) {
        host = torc_endpoint_unbracketed(host);
    } else if (!can_be_name(host)) {
        return TORC_ERR_SYNTAX;
    }
    return torc_endpoint_texts_add(&endpoint->texts, host, &endpoint->host);
}

static torc_err read_host(torc_endpoint_arguments *arguments, torc_client_endpoint *endpoint) {
    const torc_str host = torc_endpoint_argument(arguments, "host");
    uint64_t port = 0;

    if (torc_endpoint_argument(arguments, "port").len == 0)
        return torc_endpoint_wrong(arguments,
                                   torc_endpoint_argument(arguments, "port").bytes ? "port" : NULL,
                                   "the port is missing: %s:%.*s:443", arguments->prefix->prefix,
                                   host.len > 60 ? 60 : (int)host.len, host.bytes);
    torc_err err = torc_endpoint_number(arguments, "port", 65535, &port);
    if (!err && port == 0)
        return torc_endpoint_wrong(arguments, "port", "nobody can be reached at port 0");
    if (!err && set_host(endpoint, host, (uint16_t)port))
        return torc_endpoint_wrong(arguments, "host", "`%.*s` is no address and no name of a host",
                                   host.len > 60 ? 60 : (int)host.len, host.bytes);
    return err;
}

/* The local address: one that is numeric, with the port 0. */
static torc_err read_bind_address(torc_endpoint_arguments *arguments,
                                  torc_client_endpoint *endpoint) {
    const torc_str value = torc_endpoint_argument(arguments, "bindAddress");

    if (!value.bytes || !torc_addr_parse(torc_endpoint_unbracketed(value), 0, &endpoint->local))
        return TORC_OK;
    return torc_endpoint_wrong(arguments, "bindAddress",
                               "bindAddress is a numeric address of this machine, not `%.*s`",
                               TORC_STR_ARGS(value));
}

static torc_err read_times(torc_endpoint_arguments *arguments, torc_client_endpoint *endpoint) {
    torc_err err = torc_endpoint_seconds(arguments, "timeout", &endpoint->timeout_ms);

    if (!err) err = torc_endpoint_seconds(arguments, "attemptDelay", &endpoint->attempt_delay_ms);
    return err;
}

static torc_err read_tcp(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                         torc_client_endpoint *endpoint) {
    torc_err err = read_host(arguments, endpoint);

    (void)prefix;
    if (!err) err = read_times(arguments, endpoint);
    if (!err) err = read_bind_address(arguments, endpoint);
    return err;
}

static torc_err read_unix(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                          torc_client_endpoint *endpoint) {
    const bool is_path = torc_endpoint_argument(arguments, "path").len > 0;
    const char *parameter = is_path ? "path" : "address";
    bool ignored = false;

    (void)prefix;
    if (is_path == (torc_endpoint_argument(arguments, "address").len > 0))
        return torc_endpoint_wrong(arguments, NULL, "the path is missing: unix:/run/torc.sock");
    torc_err err = torc_endpoint_read_path(arguments, parameter, &endpoint->addr);
    if (!err) err = torc_endpoint_flag(arguments, "lockfile", &ignored);
    if (!err) err = torc_endpoint_seconds(arguments, "timeout", &endpoint->timeout_ms);
    return err;
}

/* ---- stages ---- */

static torc_err read_host_or_endpoint(torc_endpoint_arguments *arguments,
                                      torc_client_endpoint *endpoint) {
    if (!torc_endpoint_argument(arguments, "endpoint").bytes) {
        torc_err err = read_host(arguments, endpoint);
        if (!err) err = read_bind_address(arguments, endpoint);
        return err;
    }
    if (torc_endpoint_argument(arguments, "bindAddress").bytes)
        return torc_endpoint_wrong(arguments, "bindAddress", "bindAddress goes into the endpoint");
    return torc_client_endpoint_read_nested(arguments, "endpoint", endpoint);
}

/* Who the certificate must be for: what was said, or the host that was named. */
static torc_err read_host_name(torc_endpoint_arguments *arguments, torc_client_endpoint *endpoint) {
    const torc_str host = torc_endpoint_argument(arguments, "host");
    torc_endpoint_tls *tls = &endpoint->tls;
    torc_err err = torc_endpoint_keep(arguments, "hostname", &endpoint->texts, &tls->host_name);

    if (err || tls->host_name) return err;
    if (host.len == 0)
        return torc_endpoint_wrong(arguments, "host",
                                   "who the certificate is for is missing: tls:example.org:443");
    if (torc_endpoint_texts_add(&endpoint->texts, torc_endpoint_unbracketed(host), &tls->host_name))
        return torc_endpoint_wrong(arguments, "host", "longer than a host can be");
    return TORC_OK;
}

/* Two names for one thing, Torc's and tls:'s first; ssl:'s second. */
static torc_err keep_either(torc_endpoint_arguments *arguments, const char *name, const char *other,
                            torc_endpoint_texts *texts, torc_endpoint_text *text) {
    if (torc_endpoint_argument(arguments, name).bytes &&
        torc_endpoint_argument(arguments, other).bytes)
        return torc_endpoint_wrong(arguments, other, "%s is %s, which is given, too", other, name);
    const torc_err err = torc_endpoint_keep(arguments, name, texts, text);
    return err ? err : torc_endpoint_keep(arguments, other, texts, text);
}

static torc_err read_verify(torc_endpoint_arguments *arguments, torc_endpoint_tls *tls) {
    bool is_verified = true;
    const torc_err err = torc_endpoint_flag(arguments, "verify", &is_verified);

    tls->is_unverified = !is_verified;
    if (!err && !is_verified && tls->trust_roots)
        return torc_endpoint_wrong(arguments, "verify", "trust roots say nothing with verify=0");
    return err;
}

static torc_err read_tls(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                         torc_client_endpoint *endpoint) {
    torc_endpoint_texts *texts = &endpoint->texts;
    torc_endpoint_tls *tls = &endpoint->tls;

    (void)prefix;
    if (endpoint->has_tls)
        return torc_endpoint_wrong_at(&arguments->source, 0, "there is TLS twice");
    endpoint->has_tls = true;
    torc_err err = torc_endpoint_read_tls(arguments, texts, tls);
    if (!err) err = keep_either(arguments, "certificate", "certKey", texts, &tls->certificate);
    if (!err) err = keep_either(arguments, "trustRoots", "caCertsDir", texts, &tls->trust_roots);
    if (!err) err = torc_endpoint_keep(arguments, "pin", texts, &tls->pin);
    if (!err) err = read_verify(arguments, tls);
    if (!err && tls->certificate && !tls->private_key) tls->private_key = tls->certificate;
    if (!err && tls->private_key && !tls->certificate) tls->certificate = tls->private_key;
    if (!err) err = read_host_or_endpoint(arguments, endpoint);
    if (!err) err = read_host_name(arguments, endpoint);
    if (!err) err = read_times(arguments, endpoint); /* the whole's, over the inner one's */
    return err;
}

static torc_err read_haproxy(const torc_endpoint_prefix *prefix, torc_endpoint_arguments *arguments,
                             torc_client_endpoint *endpoint) {
    uint64_t version = endpoint->proxy.version;
    const torc_err err = torc_endpoint_number(arguments, "version", 2, &version);

    (void)prefix;
    if (!err && version == 0)
        return torc_endpoint_wrong(arguments, "version", "the PROXY header's version is 1 or 2");
    endpoint->proxy.version = (uint8_t)version;
    return err ? err : torc_client_endpoint_read_nested(arguments, "endpoint", endpoint);
}

/* ---- the whole ---- */

static const torc_endpoint_prefix prefixes[] = {
    {.prefix = "tcp",
     .parameters = {"host", "port", "timeout", "bindAddress", "attemptDelay"},
     .positional = 4,
     .missing = "the host is missing: tcp:example.org:80",
     .read_client = read_tcp},
    {.prefix = "unix",
     .parameters = {"path", "lockfile", "timeout", "address"},
     .positional = 3,
     .read_client = read_unix},
    {.prefix = "tls",
     .parameters = {"host", "port", "timeout", "bindAddress", "certificate", "privateKey",
                    "trustRoots", "endpoint", "certKey", "caCertsDir", "hostname", "alpn", "minTLS",
                    "profile", "pin", "verify", "attemptDelay"},
     .positional = 8,
     .read_client = read_tls},
    {.prefix = "ssl",
     .parameters = {"host", "port", "certKey", "privateKey", "sslmethod", "hostname", "caCertsDir",
                    "timeout", "bindAddress", "certificate", "trustRoots", "endpoint", "alpn",
                    "minTLS", "profile", "pin", "verify", "attemptDelay"},
     .positional = 9,
     .read_client = read_tls},
    {.prefix = "haproxy",
     .parameters = {"endpoint", "version"},
     .missing = "where to connect is missing: haproxy:tcp:example.org:80",
     .read_client = read_haproxy},
};

/* "example.org:80", "192.0.2.1:80", "[::1]:80". */
static torc_err read_short(const torc_endpoint_source *source, torc_client_endpoint *endpoint) {
    torc_str host;
    uint16_t port;
    const torc_err err = torc_endpoint_read_host_port(source, &host, &port, what_to_write);

    if (err) return err;
    const bool has_brackets = host.len > 0 && host.bytes[0] == '[';
    if (set_host(endpoint, host, port) ||
        has_brackets != (torc_addr_family(&endpoint->addr) == AF_INET6))
        return torc_endpoint_wrong_at(source, 0,
                                      "`%.*s` is no host (IPv6 in brackets), nor one of tcp, unix, "
                                      "tls, ssl, haproxy",
                                      host.len > 60 ? 60 : (int)host.len, host.bytes);
    if (port == 0)
        return torc_endpoint_wrong_at(source, host.len + 1, "nobody can be reached at port 0");
    return TORC_OK;
}

static torc_err read_to_proxy(const torc_endpoint_source *source,
                              const torc_endpoint_prefix *prefix, torc_client_endpoint *endpoint) {
    torc_endpoint_source rest;
    const torc_err err = torc_endpoint_rest(source, prefix, &rest);

    return err ? err : read_source(&rest, endpoint);
}

static torc_err read_source(const torc_endpoint_source *source, torc_client_endpoint *endpoint) {
    torc_err err = torc_endpoint_check(source);

    if (err) return err;
    const torc_endpoint_prefix *prefix =
        torc_endpoint_find_prefix(source, prefixes, TORC_COUNT_OF(prefixes));
    if (!prefix) return read_short(source, endpoint);
    if (!prefix->read_client)
        return torc_endpoint_wrong_at(source, 0, "`%s:` is for servers alone", prefix->prefix);
    if (prefix->read_client == read_haproxy) {
        if (endpoint->has_proxy) return torc_endpoint_wrong_at(source, 0, "there is haproxy twice");
        endpoint->has_proxy = true;
        if (!torc_endpoint_is_named(source, prefix)) return read_to_proxy(source, prefix, endpoint);
    }
    torc_endpoint_arguments arguments;
    err = torc_endpoint_cut(&arguments, source, prefix);
    return err ? err : prefix->read_client(prefix, &arguments, endpoint);
}

torc_err torc_client_endpoint_read_nested(torc_endpoint_arguments *arguments, const char *parameter,
                                          torc_client_endpoint *endpoint) {
    torc_endpoint_source source;
    const torc_err err = torc_endpoint_nested(arguments, parameter, &source);

    return err ? err : read_source(&source, endpoint);
}

torc_err torc_client_endpoint_parse_with(const torc_endpoint_prefixes *others, torc_str string,
                                         torc_client_endpoint *endpoint,
                                         torc_endpoint_error *error) {
    const torc_endpoint_source source = {.string = string, .others = others, .error = error};
    torc_client_endpoint parsed = {.timeout_ms = TORC_CONNECT_TIMEOUT_MS,
                                   .attempt_delay_ms = TORC_CONNECT_ATTEMPT_DELAY_MS,
                                   .proxy.version = 2};
    const torc_err err = read_source(&source, &parsed);

    if (!err) *endpoint = parsed;
    return err;
}

torc_err torc_client_endpoint_parse(torc_str string, torc_client_endpoint *endpoint,
                                    torc_endpoint_error *error) {
    return torc_client_endpoint_parse_with(NULL, string, endpoint, error);
}
