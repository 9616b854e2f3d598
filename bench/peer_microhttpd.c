/* SPDX-License-Identifier: MIT */
/*
 * The same server by GNU libmicrohttpd, as its manual has it for speed: one thread, epoll,
 * responses that are made once.
 *
 *   peer_microhttpd PORT DIR
 *
 * It answers /plaintext and /json as bench_server does; all else is a file of DIR. It is measured,
 * and nothing else: what a peer may ask for is not checked.
 */
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 20000,
    TIMEOUT_SECONDS = 75
};

static struct MHD_Response *plaintext, *json, *missing;
static int root;

static struct MHD_Response *make(const char *text, const char *type) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(size_t)text, MHD_RESPMEM_PERSISTENT);

    if (!response || MHD_add_response_header(response, "Content-Type", type) != MHD_YES ||
        MHD_add_response_header(response, "Server", "libmicrohttpd") != MHD_YES)
        exit(1);
    return response;
}

static enum MHD_Result answer_file(struct MHD_Connection *connection, const char *path) {
    struct stat status;
    const int fd = openat(root, path + 1, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode)) {
        if (fd >= 0) close(fd);
        return MHD_queue_response(connection, 404, missing);
    }
    struct MHD_Response *response =
        MHD_create_response_from_fd((size_t)status.st_size, fd); /* takes it */
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/plain");
    const enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *body,
                              size_t *body_len, void **request) {
    static int asked;

    /* The first call is for the head alone: an answer to it would end the connection. */
    if (!*request) {
        *request = &asked;
        return MHD_YES;
    }
    if (!strcmp(path, "/plaintext")) return MHD_queue_response(connection, 200, plaintext);
    if (!strcmp(path, "/json")) return MHD_queue_response(connection, 200, json);
    return answer_file(connection, path);
}

int main(int argc, char **argv) {
    const struct sockaddr_in addr = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)(argc == 3 ? atoi(argv[1]) : 0)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    sigset_t signals;
    int number;

    if (argc != 3 || (root = open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) {
        fprintf(stderr, "usage: peer_microhttpd PORT DIR\n");
        return 2;
    }
    plaintext = make("Hello, World!", "text/plain");
    json = make("{\"message\":\"Hello, World!\"}", "application/json");
    missing = make("not found\n", "text/plain");
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR, &addr,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)TIMEOUT_SECONDS, MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u, MHD_OPTION_END);
    if (!daemon) return 1;
    sigwait(&signals, &number);
    MHD_stop_daemon(daemon);
    return 0;
}
