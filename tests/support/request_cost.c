/* SPDX-License-Identifier: MIT */
/*
 * What a request costs: a whole server, over the reactor's epoll and a socket pair, is asked as
 * often as the argument says. Counted by valgrind for two numbers of requests; the difference is
 * the cost of one, with the few instructions of asking. tools/check_request_cost.py does it.
 *
 *   request_cost plaintext|json|file|pipelined|connections|logged|logged_json|routed|filtered COUNT
 *
 * `file` asks for 1 KiB that is known after the first time. `pipelined` asks COUNT requests 16 at a
 * time, `connections` makes a connection for each. Those that are logged ask for plaintext, with an
 * access log in the combined format, or as JSON. `routed` asks a route with a parameter for JSON,
 * `filtered` the same through three middlewares: request ids, security headers, a rate limit.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <torc/access_log.h>
#include <torc/json.h>
#include <torc/rate_limit.h>
#include <torc/reply.h>
#include <torc/request_id.h>
#include <torc/security_headers.h>
#include <torc/site.h>
#include <torc/static_files.h>
#include <unistd.h>

#include "protocol/negotiate.h"
#include "reactor/reactor.h"
#include "transport/stream.h"

enum {
    PIPELINED = 16,
    FILE_BYTES = 1024
};

static torc_reactor *reactor;
static torc_factory *factory;
static torc_log_file *file;
static torc_log_writer *writer;
static torc_access_log *access_log;
static int peer = -1;
static char folder[] = "/tmp/torc-cost-XXXXXX";
static char file_path[sizeof(folder) + 8];

/* Valgrind does not know openat2(), without which threads look for files. In its place: the paths
 * that are opened here are this program's. */
long syscall(long number, ...) {
    va_list arguments;

    if (number != SYS_openat2) {
        errno = ENOSYS;
        return -1;
    }
    va_start(arguments, number);
    const int at = va_arg(arguments, int);
    const char *path = va_arg(arguments, const char *);
    const struct open_how *how = va_arg(arguments, const struct open_how *);
    va_end(arguments);
    return openat(at, path, (int)how->flags);
}

static torc_render plaintext(torc_request *request) {
    return torc_reply_bytes(request, 200, "text/plain", TORC_STR("Hello, World!"));
}

static torc_render json(torc_request *request) {
    torc_json *document = torc_reply_json(request, 200);

    torc_json_open_object(document);
    torc_json_member_str(document, "message", TORC_STR("Hello, World!"));
    torc_json_close_object(document);
    return torc_reply_end(request);
}

static torc_render show_user(torc_request *request) {
    torc_json *document = torc_reply_json(request, 200);

    torc_json_open_object(document);
    torc_json_member_str(document, "id", torc_request_param(request, "id"));
    torc_json_close_object(document);
    return torc_reply_end(request);
}

/* Peers here have no address, so they are told apart by a field. */
static torc_resource *new_filtered(void) {
    const torc_rate_limit_options limit = {
        .size = sizeof(limit), .rate = "100000/s", .field = "User-Agent"};
    torc_resource *resource = torc_folder_new();

    torc_resource_route(resource, "GET /users/{id}", show_user);
    torc_resource_use(resource, torc_request_id_new(NULL));
    torc_resource_use(resource, torc_security_headers_new(NULL));
    torc_resource_use(resource, torc_rate_limit_new(&limit));
    return resource;
}

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "request_cost: %s\n", what);
    exit(1);
}

/* A folder with a file. */
static void make_folder(void) {
    static const char content[FILE_BYTES];
    int fd;

    if (!mkdtemp(folder)) fail("no folder");
    snprintf(file_path, sizeof(file_path), "%s/file", folder);
    fd = open(file_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, content, sizeof(content)) != sizeof(content)) fail("no file");
    close(fd);
}

static void remove_folder(void) {
    unlink(file_path);
    rmdir(folder);
}

static void turn(void) {
    if (torc_reactor_turn(reactor, 0)) fail("the reactor cannot wait");
}

static void open_connection(void) {
    torc_stream *stream;
    torc_protocol *protocol;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) ||
        torc_stream_new(reactor, ends[0], AF_UNIX, &stream) ||
        factory->ops->build_protocol(factory, &stream->base, &protocol))
        fail("no connection");
    torc_transport_made(&stream->base, protocol);
    peer = ends[1];
}

static void close_connection(void) {
    close(peer);
    turn();
}

static void ask(const char *requests) {
    char answer[8192];

    if (write(peer, requests, strlen(requests)) < 0) fail("nobody is asked");
    turn();
    if (read(peer, answer, sizeof(answer)) <= 0 || memcmp(answer, "HTTP/1.1 200", 12) != 0)
        fail("no answer");
}

/* The same request `times` over. */
static const char *make_requests(const char *path, unsigned times) {
    static char requests[8192];
    size_t len = 0;

    for (unsigned i = 0; i < times; i++)
        len += (size_t)snprintf(requests + len, sizeof(requests) - len,
                                "GET /%s HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: "
                                "bench/1\r\nAccept: */*\r\n\r\n",
                                path);
    return requests;
}

static const char *path_of(const char *mode) {
    if (!strcmp(mode, "json") || !strcmp(mode, "file")) return mode;
    if (!strcmp(mode, "routed")) return "users/42";
    return strcmp(mode, "filtered") ? "plaintext" : "filtered/users/42";
}

static void run(const char *mode, unsigned long count) {
    const bool is_pipelined = !strcmp(mode, "pipelined"), is_each = !strcmp(mode, "connections");
    const char *requests = make_requests(path_of(mode), is_pipelined ? PIPELINED : 1);

    open_connection();
    for (unsigned long i = 0; i < count; i += is_pipelined ? PIPELINED : 1) {
        ask(requests);
        if (!is_each) continue;
        close_connection();
        open_connection();
    }
    close_connection();
}

static void log_requests(torc_site *site, const char *mode) {
    const bool is_json = strcmp(mode, "logged_json") == 0;

    if (strncmp(mode, "logged", 6) != 0) return;
    if (torc_log_file_open("/dev/null", NULL, &file) ||
        torc_log_writer_new(reactor, file, NULL, &writer) ||
        torc_access_log_new(writer, torc_str_of(is_json ? "json" : "combined"), NULL, &access_log))
        fail("no log");
    torc_site_add_observer(site, torc_access_log_observer(access_log));
}

int main(int argc, char **argv) {
    const torc_http_server_options options = {0};
    torc_resource *root = torc_folder_new();
    torc_site *site;

    if (argc != 3) fail("usage: request_cost MODE COUNT");
    torc_resource_route(root, "GET /plaintext", plaintext);
    torc_resource_route(root, "GET /json", json);
    torc_resource_route(root, "GET /users/{id}", show_user);
    torc_resource_put_child(root, "filtered", new_filtered());
    make_folder();
    torc_resource_put_rest(root, torc_static_files_new(folder, NULL));
    site = torc_site_new(root, NULL);
    if (!site || torc_reactor_new(NULL, &reactor) ||
        torc_http_server_new(reactor, torc_site_acceptor(site), &options, &factory))
        fail("out of memory");
    log_requests(site, argv[1]);
    run(argv[1], strtoul(argv[2], NULL, 10));
    torc_http_server_free(factory);
    torc_reactor_free(reactor);
    torc_site_free(site);
    torc_access_log_free(access_log);
    torc_log_writer_free(writer);
    torc_log_file_close(file);
    remove_folder();
    return 0;
}
