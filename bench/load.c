/* SPDX-License-Identifier: MIT */
/*
 * A load: many connections that ask the same request as fast as they are answered.
 *
 *   load --port P [--path /] [--connections 64] [--pipeline 1] [--seconds 3] [--close] [--idle]
 * [--tls]
 *
 * Prints one JSON line: requests answered, seconds, errors, bytes, and the latency of a burst at
 * the median and at 99 %. Every response must be 200 with a Content-Length; anything else is
 * counted as an error and ends its connection. With
 * --idle the connections are opened and only held, until standard input ends. With --tls each
 * connection makes a full handshake, and believes whoever answers.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 20000,
    BUFFER = 262144,
    SAMPLES = 1 << 16
};

typedef struct connection {
    int fd;
    SSL *ssl;           /* NULL: plain */
    unsigned awaited;   /* responses of the burst that are still to come */
    uint64_t body_left; /* of the response that is being read */
    unsigned head_len;  /* bytes of a head that came without its end */
    uint64_t asked_ns;
    char head[2048];
} connection;

static struct {
    int port, epoll;
    const char *path;
    unsigned connections, pipeline, seconds;
    bool close, idle;
    SSL_CTX *tls; /* NULL: plain */
    char request[4096 * 64];
    size_t request_len;
    connection *all;
    uint64_t answered, errors, bytes, samples[SAMPLES], sample_count;
} load = {.path = "/", .connections = 64, .pipeline = 1, .seconds = 3};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* By TLS as soon as the handshake is over: false while it is not. */
static bool send_request(connection *c) {
    if (!c->ssl)
        return send(c->fd, load.request, load.request_len, MSG_NOSIGNAL) ==
               (ssize_t)load.request_len;
    if (!SSL_is_init_finished(c->ssl) && SSL_do_handshake(c->ssl) != 1) return false;
    return SSL_write(c->ssl, load.request, (int)load.request_len) == (int)load.request_len;
}

static void ask(connection *c) {
    c->awaited = load.pipeline;
    c->asked_ns = now_ns();
    if (!send_request(c) && !c->ssl) load.errors++;
}

/* Begin TLS, waiting for nothing; an idle connection finishes its handshake first. */
static void begin_tls(connection *c) {
    c->ssl = SSL_new(load.tls);
    if (!c->ssl || !SSL_set_fd(c->ssl, c->fd)) die("TLS");
    SSL_set_connect_state(c->ssl);
    if (load.idle && SSL_do_handshake(c->ssl) != 1) die("handshake");
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK)) die("fcntl");
}

static void close_connection(connection *c) {
    SSL_free(c->ssl);
    close(c->fd);
}

static void open_connection(connection *c) {
    const struct sockaddr_in addr = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)load.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    const int on = 1;

    *c = (connection){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&addr, sizeof(addr))) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &event)) die("epoll_ctl");
    if (load.tls) begin_tls(c);
}

static void answered(connection *c) {
    load.answered++;
    if (--c->awaited > 0) return;
    if (load.sample_count < SAMPLES) load.samples[load.sample_count] = now_ns() - c->asked_ns;
    load.sample_count++;
    if (load.close) {
        close_connection(c);
        open_connection(c);
    }
    ask(c);
}

/* Read a head that has come as a whole: its status must be 200, its length known. */
static bool read_head(connection *c, const char *head, size_t len) {
    const char *field = memmem(head, len, "\r\nContent-Length: ", 18);

    if (!field) field = memmem(head, len, "\r\ncontent-length: ", 18);
    if (len < 12 || memcmp(head + 8, " 200", 4) != 0 || !field) return false;
    c->body_left = strtoull(field + 18, NULL, 10);
    return true;
}

/* Take bytes; false when they are no answer. */
static bool take(connection *c, const char *bytes, size_t len) {
    while (len > 0) {
        if (c->body_left > 0) {
            const size_t part = len < c->body_left ? len : (size_t)c->body_left;
            c->body_left -= part;
            bytes += part;
            len -= part;
            if (c->body_left == 0) answered(c);
            continue;
        }
        /* A head: mostly whole, else gathered. */
        const char *start = bytes;
        size_t available = len;
        if (c->head_len) {
            const size_t part =
                len < sizeof(c->head) - c->head_len ? len : sizeof(c->head) - c->head_len;
            memcpy(c->head + c->head_len, bytes, part);
            start = c->head;
            available = c->head_len + part;
        }
        assert(start);
        const char *end = memmem(start, available, "\r\n\r\n", 4);
        if (!end) {
            if (available >= sizeof(c->head)) return false;
            if (start != c->head) memcpy(c->head, bytes, len);
            c->head_len = (unsigned)available;
            return true;
        }
        const size_t head_len = (size_t)(end - start) + 4, taken = head_len - c->head_len;
        if (!read_head(c, start, head_len)) return false;
        c->head_len = 0;
        bytes += taken;
        len -= taken;
        if (c->body_left == 0) answered(c);
        if (load.close && len == 0) return true;
    }
    return true;
}

static void give_up(connection *c) {
    load.errors++;
    close_connection(c);
    open_connection(c);
    ask(c);
}

/* The handshake goes on, or what came is read. Another connection may have taken this one's place
 * when its answer was whole. */
static void readable_tls(connection *c, char *buffer) {
    SSL *const ssl = c->ssl;
    int got;

    if (!SSL_is_init_finished(ssl)) {
        if (send_request(c) || SSL_get_error(ssl, -1) == SSL_ERROR_WANT_READ) return;
        give_up(c);
        return;
    }
    while ((got = SSL_read(ssl, buffer, BUFFER)) > 0) {
        load.bytes += (uint64_t)got;
        if (!take(c, buffer, (size_t)got)) break;
        if (c->ssl != ssl || !SSL_pending(ssl)) return;
    }
    if (got > 0 || SSL_get_error(ssl, got) != SSL_ERROR_WANT_READ) give_up(c);
}

static void readable(connection *c) {
    static char buffer[BUFFER];

    if (c->ssl) {
        readable_tls(c, buffer);
        return;
    }
    const ssize_t got = recv(c->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0) load.bytes += (uint64_t)got;
    if (got > 0 && take(c, buffer, (size_t)got)) return;
    give_up(c);
}

static int by_value(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void report(double seconds) {
    const size_t count = load.sample_count < SAMPLES ? (size_t)load.sample_count : SAMPLES;

    qsort(load.samples, count, sizeof(load.samples[0]), by_value);
    printf("{\"requests\": %llu, \"seconds\": %.3f, \"errors\": %llu, \"bytes\": %llu, \"p50_us\": "
           "%.1f, \"p99_us\": %.1f}\n",
           (unsigned long long)load.answered, seconds, (unsigned long long)load.errors,
           (unsigned long long)load.bytes, count ? (double)load.samples[count / 2] / 1000 : 0.0,
           count ? (double)load.samples[count * 99 / 100] / 1000 : 0.0);
}

static void run(void) {
    struct epoll_event events[256];
    const uint64_t start = now_ns(), end = start + load.seconds * 1000000000ull;

    for (unsigned i = 0; i < load.connections; i++) ask(&load.all[i]);
    while (now_ns() < end) {
        const int count = epoll_wait(load.epoll, events, 256, 100);
        for (int i = 0; i < count; i++) readable(events[i].data.ptr);
    }
    report((double)(now_ns() - start) / 1e9);
}

static void hold(void) {
    char byte;
    printf("{\"connections\": %u}\n", load.connections);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) continue;
}

static unsigned number(const char *text, unsigned max) {
    char *end;
    const unsigned long value = strtoul(text, &end, 10);
    if (*end || value == 0 || value > max) {
        fprintf(stderr, "load: %s: a number from 1 to %u is wanted\n", text, max);
        exit(2);
    }
    return (unsigned)value;
}

/* As most clients are: TLS 1.3 where there is any, and no session is resumed. */
static void set_up_tls(void) {
    load.tls = SSL_CTX_new(TLS_client_method());
    if (!load.tls) die("TLS");
    SSL_CTX_set_verify(load.tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(load.tls, SSL_MODE_RELEASE_BUFFERS);
}

static void read_arguments(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(name, "--close"))
            load.close = true;
        else if (!strcmp(name, "--idle"))
            load.idle = true;
        else if (!strcmp(name, "--tls"))
            set_up_tls();
        else if (i++, !strcmp(name, "--port"))
            load.port = (int)number(value, 65535);
        else if (!strcmp(name, "--path"))
            load.path = value;
        else if (!strcmp(name, "--connections"))
            load.connections = number(value, CONNECTIONS_MAX);
        else if (!strcmp(name, "--pipeline"))
            load.pipeline = number(value, 64);
        else if (!strcmp(name, "--seconds"))
            load.seconds = number(value, 60);
        else {
            fprintf(stderr, "load: %s: no such option\n", name);
            exit(2);
        }
    }
}

int main(int argc, char **argv) {
    struct rlimit files;

    read_arguments(argc, argv);
    if (!load.port) {
        fprintf(stderr, "usage: load --port P [--path /] [--connections N] [--pipeline N] "
                        "[--seconds N] [--close] [--idle] [--tls]\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < load.connections + 16) {
        fprintf(stderr, "load: only %llu files may be open\n", (unsigned long long)files.rlim_cur);
        return 1;
    }
    for (unsigned i = 0; i < load.pipeline; i++)
        load.request_len += (size_t)snprintf(
            load.request + load.request_len, sizeof(load.request) - load.request_len,
            "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n", load.path, load.port,
            load.close ? "Connection: close\r\n" : "");
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.all = calloc(load.connections, sizeof(connection));
    if (load.epoll < 0 || !load.all) die("start");
    for (unsigned i = 0; i < load.connections; i++) open_connection(&load.all[i]);
    if (load.idle)
        hold();
    else
        run();
    return 0;
}
