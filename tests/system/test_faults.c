/* SPDX-License-Identifier: MIT */
/*
 * A whole server over loopback, while the kernel, the allocator, its peers and its application do
 * their worst.
 *
 *  - Whatever fails, the server neither crashes, leaks nor spins; every request that began ends,
 *    and is told of its end once; when all is over it serves the next peer as if nothing had
 *    happened.
 *  - Every case runs over epoll and over the late double. Time is moved by the test.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <torc/testing.h>
#include <torc/torc.h>
#include <unistd.h>

#include "app/listen.h"
#include "check.h"
#include "reactor/folder_watch.h"
#include "transport/listener.h"

enum {
    SEEN_MAX = 4096,
    PIECE = 3000
};

/* A request that began, and what of it is going on. */
typedef struct seen {
    torc_request_watch watch;
    torc_request *request; /* NULL: it has ended */
    int ends;
    torc_timer timer;
    torc_producer producer;
    torc_ticket ticket;
    torc_ticket others[2];
    pthread_t threads[2];
    int thread_count;
    int left;
    int stops;
    torc_request_watch other;
    int other_ends;
} seen;

static torc_reactor *reactor;
static torc_site *site;
static torc_listener *listener;
static bool is_late;
static seen seens[SEEN_MAX];
static int seen_count;
static char piece[PIECE];
static char folder[] = "/tmp/torc-faults-XXXXXX";
static int descriptors;
static size_t memory_of_listener;
static size_t memory_max; /* of the reactor; 0: no limit */

/* ---- the site ---- */

static void ended(torc_request_watch *watch, torc_request *request, torc_err reason) {
    seen *self = torc_container_of(watch, seen, watch);

    (void)reason;
    assert_ptr_equal(self->request, request);
    self->request = NULL;
    self->ends++;
}

/* What was asked for in being told: of a lost request it is told when that ends, of one that has
 * ended never. */
static void ended_twice(torc_request_watch *watch, torc_request *request, torc_err reason) {
    seen *self = torc_container_of(watch, seen, other);

    (void)request, (void)reason;
    assert_true(self->other_ends++ < 1);
}

static seen *see_with(torc_request *request, torc_request_ended_fn *told) {
    assert_true(seen_count < SEEN_MAX);
    seen *self = &seens[seen_count++];

    memset(self, 0, sizeof(*self));
    self->request = request;
    torc_request_set_data(request, self);
    torc_request_watch_end(request, &self->watch, told);
    return self;
}

static seen *see(torc_request *request) {
    return see_with(request, ended);
}

static torc_render plain(torc_request *request) {
    see(request);
    return torc_reply_text(request, 200, "plain");
}

static torc_render stream(torc_request *request) {
    torc_err err = TORC_OK;

    see(request);
    for (int i = 0; i < 4 && !err; i++) {
        torc_request_write(request, torc_str_make(piece, sizeof(piece)));
        err = torc_sleep(torc_request_reactor(request), 5);
    }
    return err ? torc_reply_error(request, err) : torc_reply_end(request);
}

static torc_render echo(torc_request *request) {
    torc_str chunk;
    torc_err err;

    see(request);
    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0)
        torc_request_write(request, chunk);
    return err ? torc_reply_error(request, err) : torc_reply_end(request);
}

static torc_render whole(torc_request *request) {
    torc_str bytes;

    see(request);
    const torc_err err = torc_body_read_all(request, 10000, &bytes);
    return err ? torc_reply_error(request, err)
               : torc_reply_bytes(request, 200, "text/plain", bytes);
}

static torc_render spool(torc_request *request) {
    torc_body body;

    see(request);
    torc_request_limits(request)->body_memory_max = 4;
    const torc_err err = torc_body_spool(request, &body);
    if (err) return torc_reply_error(request, err);
    if (body.fd >= 0)
        torc_request_write_file(request, dup(body.fd), 0, body.len);
    else
        torc_request_write(request, body.bytes);
    return torc_reply_end(request);
}

static torc_render file(torc_request *request) {
    see(request);
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    torc_response_set_length(request, 9000);
    torc_request_write_file(request, fd, 0, 9000);
    return torc_reply_end(request);
}

static torc_render read_file(torc_request *request) {
    torc_file *opened = NULL;
    char bytes[100];
    size_t len = 0;

    see(request);
    torc_err err =
        torc_file_open(torc_request_reactor(request), "/proc/self/exe", O_RDONLY, 0, &opened);
    if (!err) err = torc_file_read(opened, bytes, sizeof(bytes), &len);
    torc_file_close(opened);
    if (!err) err = torc_file_unlink(torc_request_reactor(request), "/proc/self/there/is/none");
    if (err == TORC_ERR_NOT_FOUND && len > 0) err = TORC_OK;
    return err ? torc_reply_error(request, err)
               : torc_reply_bytes(request, 200, "text/plain", torc_str_make(bytes, len));
}

static torc_err nap_on_thread(void *data) {
    *(int *)data = 7;
    poll(NULL, 0, 1);
    return TORC_OK;
}

static torc_render run_job(torc_request *request) {
    int answer = 0;

    see(request);
    const torc_err err = torc_await_thread(torc_request_reactor(request), TORC_THREAD_USER,
                                           nap_on_thread, &answer, sizeof(answer), NULL);
    return err ? torc_reply_error(request, err)
               : torc_reply_text(request, 200, answer == 7 ? "seven" : "?");
}

static torc_render nap(torc_request *request) {
    see(request);
    const torc_err err = torc_sleep(torc_request_reactor(request), 30);
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "slept");
}

static void stop(torc_producer *producer) {
    torc_container_of(producer, seen, producer)->stops++;
}

static void pause_it(torc_producer *producer) {
    (void)producer;
}

static void resume(torc_producer *producer) {
    seen *self = torc_container_of(producer, seen, producer);

    torc_request_write(self->request, torc_str_make(piece, sizeof(piece)));
    if (--self->left > 0) return;
    torc_request_unregister_producer(self->request);
    (void)!torc_request_finish(self->request);
}

static const torc_producer_ops producer_ops = {pause_it, resume, stop};

static torc_render produce_with(torc_request *request, const torc_producer_ops *ops,
                                bool streaming) {
    seen *self = see(request);

    self->producer.ops = ops;
    self->left = 5;
    const torc_err err = torc_request_register_producer(request, &self->producer, streaming);
    return err ? torc_reply_error(request, err) : TORC_RENDER_NOT_DONE_YET;
}

static torc_render produce(torc_request *request) {
    return produce_with(request, &producer_ops, false);
}

static void answer_by_ticket(torc_timer *timer) {
    seen *self = torc_container_of(timer, seen, timer);
    torc_request *request = torc_ticket_request(&self->ticket);

    assert_true(!request || request == self->request);
    if (request) torc_reply_text(request, 200, "later");
    torc_ticket_return(&self->ticket);
}

static torc_render later(torc_request *request) {
    seen *self = see(request);
    const torc_err err = torc_ticket_take(request, &self->ticket);

    if (err) return torc_reply_error(request, err);
    torc_timer_init(&self->timer, torc_request_reactor(request), answer_by_ticket);
    torc_timer_arm(&self->timer, 20);
    return TORC_RENDER_NOT_DONE_YET;
}

static void *answer_on_thread(void *data) {
    torc_ticket *ticket = data;
    const torc_answer answer = {200, TORC_STR_INIT("text/plain"), TORC_STR_INIT("from a thread")};

    (void)!torc_ticket_answer(ticket, &answer);
    torc_ticket_return(ticket);
    return NULL;
}

/* Two threads answer at once. */
static torc_render race(torc_request *request) {
    seen *self = see(request);

    for (int i = 0; i < 2; i++) {
        const torc_err err = torc_ticket_take(request, &self->others[i]);
        if (err && i == 0) return torc_reply_error(request, err);
        if (err) break;
        assert_int_equal(
            pthread_create(&self->threads[i], NULL, answer_on_thread, &self->others[i]), 0);
        self->thread_count++;
    }
    return TORC_RENDER_NOT_DONE_YET;
}

/* ---- applications that misbehave ---- */

static void abort_chunk(torc_request *request, torc_err err, torc_str chunk, void *context) {
    (void)err, (void)chunk, (void)context;
    torc_request_abort(request);
    torc_request_abort(request);
    torc_request_write(request, TORC_STR("x"));
    assert_int_equal(torc_request_finish(request), TORC_ERR_GONE);
}

static torc_render abort_in_chunk(torc_request *request) {
    see(request);
    const torc_err err = torc_body_request_chunk(request, abort_chunk, NULL);
    return err ? torc_reply_error(request, err) : TORC_RENDER_NOT_DONE_YET;
}

static void abort_whole(torc_request *request, torc_err err, const torc_body *body, void *context) {
    (void)err, (void)body, (void)context;
    torc_request_abort(request);
}

static torc_render abort_in_whole(torc_request *request) {
    see(request);
    const torc_err err = torc_body_request_all(request, 100000, abort_whole, NULL);
    return err ? torc_reply_error(request, err) : TORC_RENDER_NOT_DONE_YET;
}

static torc_render finish_twice(torc_request *request) {
    torc_ticket ticket;
    seen *self = see(request);

    torc_request_write(request, TORC_STR("once"));
    (void)!torc_request_finish(request);
    assert_int_equal(torc_request_finish(request), TORC_ERR_GONE);
    torc_request_write(request, TORC_STR("twice"));
    torc_request_write_file(request, open("/dev/null", O_RDONLY | O_CLOEXEC), 0, 10);
    torc_request_flush(request);
    torc_response_set(request, "X-A", TORC_STR("b"));
    assert_int_equal(torc_ticket_take(request, &ticket), TORC_ERR_GONE);
    torc_ticket_return(&ticket);
    self->producer.ops = &producer_ops;
    assert_int_equal(torc_request_register_producer(request, &self->producer, false),
                     TORC_ERR_GONE);
    torc_request_unregister_producer(request);
    torc_request_abort(request);
    assert_int_equal(torc_body_request_chunk(request, abort_chunk, NULL), TORC_ERR_GONE);
    torc_json_int(torc_reply_json(request, 200), 1);
    torc_reply_end(request);
    torc_reply_status(request, 404, NULL);
    return torc_reply_text(request, 200, "thrice");
}

static torc_render produce_and_abort(torc_request *request) {
    const torc_render answer = produce_with(request, &producer_ops, true);

    torc_request_abort(request);
    return answer;
}

static void unregister_and_go_on(torc_producer *producer) {
    seen *self = torc_container_of(producer, seen, producer);

    torc_request_unregister_producer(self->request);
    torc_request_write(self->request, torc_str_make(piece, sizeof(piece)));
    if (--self->left > 0)
        (void)!torc_request_register_producer(self->request, producer, self->left % 2);
    else
        torc_reply_end(self->request);
}

static torc_render change_producers(torc_request *request) {
    static const torc_producer_ops ops = {pause_it, unregister_and_go_on, stop};
    return produce_with(request, &ops, true);
}

static void abort_in_resume(torc_producer *producer) {
    seen *self = torc_container_of(producer, seen, producer);
    torc_request_abort(self->request);
}

static torc_render produce_abort(torc_request *request) {
    static const torc_producer_ops ops = {pause_it, abort_in_resume, stop};
    return produce_with(request, &ops, false);
}

/* Called in being told of the end: nothing is left to be done, and none of it harms. */
static void ended_and_goes_on(torc_request_watch *watch, torc_request *request, torc_err reason) {
    seen *self = torc_container_of(watch, seen, watch);
    torc_ticket ticket;

    torc_request_abort(request);
    torc_request_write(request, TORC_STR("x"));
    torc_reply_text(request, 200, "x");
    (void)!torc_request_finish(request);
    assert_int_equal(torc_ticket_take(request, &ticket), TORC_ERR_GONE);
    torc_request_unwatch(watch);
    torc_request_unregister_producer(request);
    assert_true(torc_request_is_gone(request));
    assert_int_equal(self->ends, 0);
    ended(watch, request, reason);
}

static torc_render go_on_after_the_end(torc_request *request) {
    see_with(request, ended_and_goes_on);
    torc_request_write(request, TORC_STR("some"));
    const torc_err err = torc_sleep(torc_request_reactor(request), 10);
    return err ? torc_reply_error(request, err) : torc_reply_end(request);
}

/* Answers while the fiber sleeps; the fiber then answers, too. */
static torc_render answer_twice(torc_request *request) {
    seen *self = see(request);
    const torc_err err = torc_ticket_take(request, &self->ticket);

    if (err) return torc_reply_error(request, err);
    torc_timer_init(&self->timer, torc_request_reactor(request), answer_by_ticket);
    torc_timer_arm(&self->timer, 10);
    torc_shield_begin(torc_request_reactor(request));
    (void)!torc_sleep(torc_request_reactor(request), 30);
    torc_shield_end(torc_request_reactor(request));
    return torc_reply_text(request, 200, "fiber");
}

static torc_render too_much(torc_request *request) {
    see(request);
    torc_response_set_length(request, 5);
    torc_request_write(request, TORC_STR("more than five"));
    return torc_reply_end(request);
}

static torc_render nothing(torc_request *request) {
    see(request);
    return TORC_RENDER_DONE;
}

static torc_render decline(torc_request *request) {
    see(request);
    torc_request_write(request, TORC_STR("but written"));
    return TORC_RENDER_DECLINED;
}

/* More than the kernel and the marks hold. */
static torc_render pour(torc_request *request) {
    torc_err err = TORC_OK;

    see(request);
    for (int i = 0; i < 200 && !err; i++) {
        torc_request_write(request, torc_str_make(piece, sizeof(piece)));
        if (torc_request_is_gone(request)) err = TORC_ERR_GONE;
    }
    return err ? torc_reply_error(request, err) : torc_reply_end(request);
}

static torc_render pour_file(torc_request *request) {
    see(request);
    torc_request_write_file(request, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), 0, 900000);
    return torc_reply_end(request);
}

/* ---- another protocol on the connection: it sends back what it gets ---- */

static void connection_made(torc_protocol *protocol) {
    torc_transport_write(protocol->transport, TORC_STR("hi"));
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    torc_transport_write(protocol->transport, bytes);
    return bytes.len;
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    (void)reason;
    free(protocol);
}

static void input_ended(torc_protocol *protocol) {
    torc_transport_close(protocol->transport);
}

static const torc_protocol_ops parrot_ops = {
    .input_ended = input_ended,
    .connection_made = connection_made,
    .data_received = data_received,
    .connection_lost = connection_lost,
};

static int parrots_built;

static torc_err build_protocol(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol) {
    (void)factory, (void)transport;
    if (++parrots_built % 5 == 0) return TORC_ERR_NO_MEMORY;
    *protocol = calloc(1, sizeof(**protocol));
    (*protocol)->ops = &parrot_ops;
    return TORC_OK;
}

static const torc_factory_ops parrots_ops = {.build_protocol = build_protocol};
static torc_factory parrots = {.ops = &parrots_ops};

static torc_render upgrade(torc_request *request) {
    see(request);
    const torc_err err = torc_request_upgrade(request, "parrot", &parrots);
    return err ? torc_reply_error(request, err) : TORC_RENDER_DONE;
}

/* Unwatches the other watch, and watches anew, while being told. */
static void ended_and_watches(torc_request_watch *watch, torc_request *request, torc_err reason) {
    seen *self = torc_container_of(watch, seen, watch);

    (void)reason;
    torc_request_unwatch(&self->other);
    torc_request_watch_end(request, &self->other, ended_twice);
    ended(watch, request, reason);
}

static torc_render watch_in_watch(torc_request *request) {
    seen *self = see_with(request, ended_and_watches);

    torc_request_watch_end(request, &self->other, ended_twice);
    const torc_err err = torc_sleep(torc_request_reactor(request), 10);
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "x");
}

typedef struct place {
    const char *pattern;
    torc_render_fn *render;
    bool on_reactor; /* a resource: rendered on the reactor's stack */
    const char *request;
} place;

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nbody 678"
#define CHUNKS(path)                                                                               \
    "POST " path " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "                                     \
    "chunked\r\n\r\n3\r\nabc\r\n5\r\ndefgh\r\n0\r\nX-T: 1\r\n\r\n"
#define EXPECT(path)                                                                               \
    "POST " path " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody"

static const place places[] = {
    {"plain", plain, true, GET("/plain")},
    {"GET /stream", stream, false, GET("/stream")},
    {"POST /echo", echo, false, CHUNKS("/echo")},
    {"POST /whole", whole, false, EXPECT("/whole")},
    {"POST /spool", spool, false, POST("/spool")},
    {"file", file, true, GET("/file")},
    {"GET /read_file", read_file, false, GET("/read_file")},
    {"GET /run_job", run_job, false, GET("/run_job")},
    {"GET /nap", nap, false, GET("/nap")},
    {"produce", produce, true, GET("/produce")},
    {"later", later, true, GET("/later")},
    {"race", race, true, GET("/race")},
    {"abort_in_chunk", abort_in_chunk, true, CHUNKS("/abort_in_chunk")},
    {"abort_in_whole", abort_in_whole, true, POST("/abort_in_whole")},
    {"finish_twice", finish_twice, true, POST("/finish_twice")},
    {"GET /finish_twice_on_fiber", finish_twice, false, GET("/finish_twice_on_fiber")},
    {"produce_and_abort", produce_and_abort, true, GET("/produce_and_abort")},
    {"change_producers", change_producers, true, GET("/change_producers")},
    {"produce_abort", produce_abort, true, GET("/produce_abort")},
    {"GET /go_on", go_on_after_the_end, false, GET("/go_on")},
    {"GET /answer_twice", answer_twice, false, GET("/answer_twice")},
    {"too_much", too_much, true, GET("/too_much")},
    {"nothing", nothing, true, GET("/nothing")},
    {"decline", decline, true, GET("/decline")},
    {"GET /pour", pour, false, GET("/pour")},
    {"pour_file", pour_file, true, GET("/pour_file")},
    {"GET /upgrade", upgrade, false,
     "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: parrot\r\n\r\nwords"},
    {"upgrade_here", upgrade, true,
     "GET /upgrade_here HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: parrot\r\n\r\n"},
    {"GET /watch", watch_in_watch, false, GET("/watch")},
    {"static", NULL, true, GET("/static/file")},
    {"nowhere", NULL, true, CHUNKS("/nowhere")},
    {"bad", NULL, true, "GET /plain HTTP/1.1\r\nHost: a\r\nbad line\r\n\r\nand more of it"},
};

enum {
    PLACES = TORC_COUNT_OF(places),
    WELL_BEHAVED = 12
};

/* ---- the server's life ---- */

static int count_descriptors(void) {
    DIR *open_ones = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(open_ones)) count++;
    closedir(open_ones);
    return count;
}

static void make_site(void) {
    torc_resource *root = torc_folder_new();

    for (size_t i = 0; i < PLACES; i++) {
        if (!places[i].render) continue;
        if (places[i].on_reactor)
            torc_resource_put_child(root, places[i].pattern,
                                    torc_render_new(places[i].render, 0, true));
        else
            torc_resource_route(root, places[i].pattern, places[i].render);
        if (places[i].on_reactor)
            torc_resource_child(root, torc_str_of(places[i].pattern))->on_fiber = false;
    }
    torc_resource_put_child(root, "static", torc_static_files_new(folder, NULL));
    site = torc_site_new(root, NULL);
    assert_non_null(site);
}

static void changed(torc_folder_watch *watch, torc_str name, bool gone) {
    (void)watch;
    (void)name;
    (void)gone;
}

/* Have there what the first static file makes, and leaves to the reactor's end. */
static void make_watcher(void) {
    const int fd = open(folder, O_RDONLY | O_CLOEXEC);
    torc_folder_watch watch;

    if (!torc_folder_watch_start(&watch, reactor, fd, changed)) torc_folder_watch_stop(&watch);
    close(fd);
}

static void open_server(void) {
    const torc_limits limits = {.size = sizeof(limits), .output_high_bytes = 4096};
    const torc_http_options options = {.size = sizeof(options), .limits = &limits};

    descriptors = count_descriptors();
    seen_count = 0;
    const torc_reactor_options of_reactor = {.size = sizeof(of_reactor), .memory_max = memory_max};
    check_ok(is_late ? torc_test_reactor_new_late(&of_reactor, &reactor)
                     : torc_test_reactor_new(&of_reactor, &reactor));
    make_site();
    make_watcher();
    check_ok(torc_listen_http(reactor, "tcp:0:interface=127.0.0.1", torc_site_acceptor(site),
                              &options, NULL, &listener));
    memory_of_listener = torc_reactor_memory(reactor)->used[TORC_MEMORY_CONNECTION];
}

static void join_threads(void) {
    for (int i = 0; i < seen_count; i++)
        while (seens[i].thread_count > 0)
            pthread_join(seens[i].threads[--seens[i].thread_count], NULL);
}

static void check_all_ended(void) {
    for (int i = 0; i < seen_count; i++) {
        assert_int_equal(seens[i].ends, 1);
        assert_true(seens[i].stops <= 1);
        torc_ticket_return(&seens[i].ticket); /* its timer was freed with the reactor */
    }
}

static void close_server(void) {
    torc_listener_close(listener);
    torc_reactor_free(reactor);
    torc_site_free(site);
    join_threads();
    check_all_ended();
    assert_int_equal(count_descriptors(), descriptors);
}

/* ---- peers ---- */

static int dial(void) {
    const torc_addr addr = torc_listener_addr(listener);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &addr.as.any, addr.len), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void reset(int fd) {
    const struct linger at_once = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

static void say(int fd, const char *bytes, size_t len) {
    (void)!send(fd, bytes, len, MSG_NOSIGNAL);
}

/* Take what there is, `*len` bytes in all; whether the end has come. */
static bool hear(int fd, char *bytes, size_t size, size_t *len) {
    for (;;) {
        const ssize_t got = recv(fd, bytes + *len, size - *len, 0);
        if (got > 0)
            *len += (size_t)got;
        else
            return got == 0 || errno != EAGAIN;
        if (*len == size) return true;
    }
}

/* Everything that can happen does, but for peers; keep-alive and stalls end what is left. */
static void settle_all(void) {
    join_threads();
    torc_test_advance(reactor, 100);
    torc_test_finish_jobs(reactor);
    torc_test_advance(reactor, 100);
}

static void check_quiet(void) {
    settle_all(); /* who waits to be accepted is */
    for (int i = 0; i < 500 && torc_listener_connections(listener) > 0; i++) {
        settle_all();
        if (i > 3) torc_test_advance(reactor, 100000);
        if (i > 10) poll(NULL, 0, 1);
    }
    assert_int_equal(torc_listener_connections(listener), 0);
    torc_test_finish_jobs(reactor);
    torc_test_settle(reactor);
    for (int i = 0; i < seen_count; i++) {
        assert_int_equal(seens[i].ends, 1);
    }
    assert_int_equal(torc_reactor_memory(reactor)->used[TORC_MEMORY_CONNECTION],
                     memory_of_listener);
    assert_int_equal(torc_reactor_memory(reactor)->used[TORC_MEMORY_ARENA], 0);
    assert_false(torc_reactor_is_queued(reactor));
}

/* The server lives. */
static void check_serves(void) {
    char bytes[1000];
    size_t len = 0;
    const int fd = dial();
    static const char request[] = "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    say(fd, request, sizeof(request) - 1);
    bool is_over = false;
    for (int i = 0; i < 1000 && !is_over; i++) {
        torc_test_advance(reactor, 200); /* a pause of accepting ends */
        is_over = hear(fd, bytes, sizeof(bytes), &len);
        if (i > 10) poll(NULL, 0, 1);
    }
    assert_true(torc_str_starts_with(torc_str_make(bytes, len), TORC_STR("HTTP/1.1 200 OK\r\n")));
    assert_true(torc_str_ends_with(torc_str_make(bytes, len), TORC_STR("plain")));
    close(fd);
}

static char heard[PLACES][40000];
static size_t heard_len[PLACES];

/* One connection for each place from `first` on, all at once; what each hears is kept. */
static void ask_places(size_t first, size_t count) {
    int fds[PLACES];
    bool over[PLACES] = {false};

    for (size_t i = first; i < first + count; i++) {
        fds[i] = dial();
        heard_len[i] = 0;
        say(fds[i], places[i].request, strlen(places[i].request));
        shutdown(fds[i], SHUT_WR);
    }
    for (int turn = 0; turn < 40; turn++) {
        size_t over_count = 0;
        settle_all();
        for (size_t i = first; i < first + count; i++) {
            if (!over[i]) over[i] = hear(fds[i], heard[i], sizeof(heard[i]), &heard_len[i]);
            over_count += over[i];
        }
        if (over_count == count) break;
    }
    for (size_t i = first; i < first + count; i++) close(fds[i]);
}

static int set_up_epoll(void **state) {
    (void)state;
    is_late = false;
    return 0;
}

static int set_up_late(void **state) {
    (void)state;
    is_late = true;
    return 0;
}

/* ---- the cases ---- */

static void nothing_fails(void **state) {
    (void)state;
    open_server();
    ask_places(0, PLACES);
    check_quiet();
    for (size_t i = 0; i < WELL_BEHAVED; i++) {
        assert_true(
            torc_str_starts_with(torc_str_make(heard[i], heard_len[i]), TORC_STR("HTTP/1.1 ")));
        assert_true(
            torc_str_find(torc_str_make(heard[i], heard_len[i]), TORC_STR("HTTP/1.1 200 OK")) >= 0);
    }
    check_serves();
    close_server();
}

/* But for EAGAIN of what the kernel does tell again: it would be a promise that the test cannot
 * keep. */
static const int errnos_of[TORC_TEST_CALLS][8] = {
    [TORC_TEST_WAIT] = {EINTR, ENOMEM},
    [TORC_TEST_REGISTER] = {ENOMEM, ENOSPC},
    [TORC_TEST_RECEIVE] = {ECONNRESET, EINTR, ENOMEM, ENOBUFS, ETIMEDOUT, EHOSTUNREACH},
    [TORC_TEST_SEND] = {ECONNRESET, EPIPE, EINTR, ENOMEM, ENOBUFS, ETIMEDOUT, EIO},
    [TORC_TEST_ACCEPT] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EINTR, EAGAIN, EPERM},
    [TORC_TEST_OPEN] = {EMFILE, ENOENT, EACCES, EINTR, ENOMEM, ENOSPC},
    [TORC_TEST_READ] = {EIO, EINTR, EAGAIN, ENOMEM},
    [TORC_TEST_WRITE] = {ENOSPC, EIO, EINTR},
    [TORC_TEST_STAT] = {EIO, ENOMEM},
    [TORC_TEST_UNLINK] = {EIO},
    [TORC_TEST_THREAD] = {EAGAIN},
};

/* Whether there was such a call. */
static bool fail_calls(torc_test_call call, uint64_t n, uint64_t times, int number) {
    open_server();
    torc_test_fail_calls(reactor, call, n, times, number);
    ask_places(0, PLACES);
    const bool is_hit = torc_test_call_count(reactor, call) >= n;
    torc_test_fail_calls(reactor, call, 0, 0, 0);
    check_quiet();
    check_serves();
    close_server();
    return is_hit;
}

static void every_call_may_fail(void **state) {
    (void)state;
    for (int call = 0; call < TORC_TEST_CALLS; call++)
        for (int i = 0; i < 8 && errnos_of[call][i]; i++) {
            uint64_t n = 1;
            while (n < 80 && fail_calls((torc_test_call)call, n, 1 + n % 3, errnos_of[call][i]))
                n += n < 4 ? 1 : 23;
            assert_true(n > 1);
        }
}

static void transfers_may_be_small(void **state) {
    static char whole_heard[WELL_BEHAVED][40000];
    size_t whole_len[WELL_BEHAVED];

    (void)state;
    open_server();
    ask_places(0, PLACES);
    check_quiet();
    memcpy(whole_heard, heard, sizeof(whole_heard));
    memcpy(whole_len, heard_len, sizeof(whole_len));
    close_server();
    for (size_t max = 1; max <= 7; max += 2) {
        open_server();
        torc_test_limit_calls(reactor, TORC_TEST_RECEIVE, max);
        torc_test_limit_calls(reactor, TORC_TEST_SEND, max * 97);
        torc_test_limit_calls(reactor, TORC_TEST_READ, max);
        torc_test_limit_calls(reactor, TORC_TEST_WRITE, max);
        ask_places(0, PLACES);
        check_quiet();
        for (size_t i = 0; i < WELL_BEHAVED; i++) {
            if (i == 2 || i == 6) continue; /* what they send depends on how much they read */
            assert_int_equal(heard_len[i], whole_len[i]);
            assert_memory_equal(heard[i], whole_heard[i], heard_len[i]);
        }
        close_server();
    }
}

static void every_allocation_may_fail(void **state) {
    bool is_hit = true;

    (void)state;
    for (uint64_t n = 1; is_hit; n += n < 20 ? 1 : 3) {
        open_server();
        torc_test_fail_allocation(reactor, n);
        ask_places(0, PLACES);
        is_hit = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        check_quiet();
        check_serves();
        close_server();
    }
}

typedef enum leaving {
    CLOSES,
    RESETS,
    HALF_CLOSES,
    LEAVINGS
} leaving;

static void leave(int fd, leaving how) {
    if (how == RESETS) {
        reset(fd);
    } else {
        if (how == HALF_CLOSES) shutdown(fd, SHUT_WR);
        if (how == HALF_CLOSES) settle_all();
        close(fd);
    }
}

static void peers_leave_at_every_byte_of_a_request(void **state) {
    (void)state;
    for (size_t i = 0; i < PLACES; i++) {
        open_server();
        for (size_t len = 0; len <= strlen(places[i].request); len += 1 + len % 2)
            for (int how = 0; how < LEAVINGS; how++) {
                const int fd = dial();
                say(fd, places[i].request, len);
                if (len % 2) torc_test_settle(reactor);
                leave(fd, (leaving)how);
                if (len % 3) torc_test_settle(reactor);
            }
        check_quiet();
        check_serves();
        close_server();
    }
}

static void peers_leave_at_every_part_of_a_response(void **state) {
    (void)state;
    for (size_t i = 0; i < PLACES; i++) {
        open_server();
        torc_test_limit_calls(reactor, TORC_TEST_SEND, 50);
        for (int turns = 0; turns < 40; turns++)
            for (int how = 0; how < LEAVINGS; how++) {
                const int fd = dial();
                say(fd, places[i].request, strlen(places[i].request));
                for (int turn = 0; turn < turns; turn++) {
                    (void)!torc_reactor_turn(reactor, 0);
                    if (turn % 8 == 7) torc_test_spend_us(reactor, 5000);
                }
                leave(fd, (leaving)how);
            }
        check_quiet();
        check_serves();
        close_server();
    }
}

/* The reactor is freed with everything in flight, its listener and site in any order. */
static void reactors_are_freed_in_flight(void **state) {
    (void)state;
    for (int order = 0; order < 4; order++)
        for (int turns = 0; turns < 40; turns++) {
            int fds[PLACES];
            open_server();
            for (size_t i = 0; i < PLACES; i++) {
                fds[i] = dial();
                say(fds[i], places[i].request,
                    strlen(places[i].request) - (size_t)(turns % 4 == 3));
            }
            for (int turn = 0; turn < turns; turn++) {
                (void)!torc_reactor_turn(reactor, 0);
                if (turn % 8 == 7) torc_test_spend_us(reactor, 5000);
            }
            if (order == 1) torc_listener_close(listener);
            if (order == 2) torc_listener_drain(listener, 0);
            if (order == 2) (void)!torc_reactor_turn(reactor, 0);
            if (order >= 2) torc_listener_close(listener);
            if (order == 3) torc_site_free(site);
            torc_reactor_free(reactor);
            if (order != 3) torc_site_free(site);
            join_threads();
            check_all_ended();
            for (size_t i = 0; i < PLACES; i++) close(fds[i]);
            assert_int_equal(count_descriptors(), descriptors);
        }
}

/* What is connected when the listener and the site go ends by itself, and asks nobody who is gone.
 */
static void listeners_and_sites_go_before_their_peers(void **state) {
    (void)state;
    char bytes[4000];
    size_t len = 0;
    open_server();
    const int idle = dial(), busy = dial(), part = dial();
    say(idle, places[0].request, strlen(places[0].request));
    say(busy, places[10].request, strlen(places[10].request));
    say(part, places[0].request, 20);
    torc_test_settle(reactor);
    assert_false(hear(idle, bytes, sizeof(bytes), &len));
    torc_listener_close(listener);
    torc_site_free(site);
    torc_test_settle(reactor);
    say(idle, places[0].request, strlen(places[0].request));
    say(part, places[0].request + 20, strlen(places[0].request) - 20);
    torc_test_settle(reactor);
    torc_test_advance(reactor, 100);
    say(busy, places[0].request, strlen(places[0].request));
    torc_test_advance(reactor, 1000);
    torc_reactor_free(reactor);
    check_all_ended();
    close(idle), close(busy), close(part);
    assert_int_equal(count_descriptors(), descriptors);
}

/* ---- everything at once, by chance ---- */

static uint64_t chance;

static uint64_t pick(uint64_t below) {
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (chance >> 33) % below;
}

enum {
    PEERS = 6,
    SCRIPT_MAX = 2000
};

typedef struct peer {
    int fd; /* -1: none */
    char script[SCRIPT_MAX];
    size_t len, said;
} peer;

static void begin_peer(peer *self) {
    self->fd = dial();
    self->len = self->said = 0;
    for (uint64_t left = 1 + pick(5); left > 0; left--) {
        const char *request = places[pick(PLACES)].request;
        memcpy(self->script + self->len, request, strlen(request));
        self->len += strlen(request);
    }
}

static void act_as_peer(peer *self) {
    static char bytes[30000];
    size_t len = 0;

    switch (pick(12)) {
    case 0:
        shutdown(self->fd, SHUT_WR);
        break;
    case 1:
        leave(self->fd, (leaving)pick(2));
        self->fd = -1;
        break;
    case 2:
    case 3:
    case 4:
        hear(self->fd, bytes, 1 + pick(sizeof(bytes)), &len);
        break;
    default:
        len = pick(2) ? self->len - self->said : pick(40);
        if (len > self->len - self->said) len = self->len - self->said;
        say(self->fd, self->script + self->said, len);
        self->said += len;
    }
}

/* What fails is set while no thread looks at it; a wait that fails ends this early. */
static void end_jobs(void) {
    for (int i = 0; i < 10; i++) torc_test_finish_jobs(reactor);
}

static void act_as_kernel(void) {
    const torc_test_call call = (torc_test_call)pick(TORC_TEST_CALLS);
    const uint64_t n = 1 + pick(6), times = 1 + pick(3);
    size_t count = 0;

    while (count < 8 && errnos_of[call][count]) count++;
    end_jobs();
    switch (pick(4)) {
    case 0:
        torc_test_fail_allocation(reactor, 1 + pick(30));
        break;
    case 1:
        torc_test_limit_calls(reactor, call, pick(3) ? 0 : 1 + pick(50));
        break;
    default:
        if (count) torc_test_fail_calls(reactor, call, n, times, errnos_of[call][pick(count)]);
    }
}

static void act_as_server(void) {
    static const uint64_t times_us[] = {0, 1000, 5000, 20000, 1000000, 6000000, 40000000};

    switch (pick(20)) {
    case 0:
        torc_listener_pause(listener);
        break;
    case 1:
    case 2:
        torc_listener_resume(listener);
        break;
    case 3:
    case 4:
        torc_test_spend_us(reactor, times_us[pick(TORC_COUNT_OF(times_us))]);
        break;
    case 5:
        torc_test_settle(reactor);
        break;
    default:
        (void)!torc_reactor_turn(reactor, 0);
    }
}

static void stop_failing(void) {
    end_jobs();
    for (int call = 0; call < TORC_TEST_CALLS; call++) {
        torc_test_fail_calls(reactor, (torc_test_call)call, 0, 0, 0);
        torc_test_limit_calls(reactor, (torc_test_call)call, 0);
    }
    torc_test_fail_allocation(reactor, 0);
}

static void act(peer *peers) {
    const uint64_t what = pick(10);
    peer *self = &peers[pick(PEERS)];

    if (what < 4)
        act_as_server();
    else if (what == 9)
        act_as_kernel();
    else if (self->fd < 0)
        begin_peer(self);
    else
        act_as_peer(self);
}

static void close_server_before(const peer *peers, bool are_there) {
    torc_listener_close(listener);
    torc_reactor_free(reactor);
    torc_site_free(site);
    join_threads();
    check_all_ended();
    for (int i = 0; i < PEERS && are_there; i++)
        if (peers[i].fd >= 0) close(peers[i].fd);
    assert_int_equal(count_descriptors(), descriptors);
}

static void run_by_chance(uint64_t seed) {
    peer peers[PEERS];

    chance = seed;
    memory_max = pick(3) ? 0 : 300000 + pick(1500000);
    open_server();
    memory_max = 0;
    for (int i = 0; i < PEERS; i++) peers[i].fd = -1;
    const uint64_t count = 20 + pick(200);
    for (uint64_t i = 0; i < count; i++) act(peers);
    const uint64_t end = pick(4);
    if (end > 0) {
        stop_failing();
        torc_listener_resume(listener);
        for (int i = 0; i < PEERS; i++)
            if (peers[i].fd >= 0) leave(peers[i].fd, (leaving)pick(2));
        check_quiet();
        check_serves();
    } else {
        if (pick(2)) torc_listener_drain(listener, 0);
        if (pick(2)) torc_site_free(site), site = NULL;
        for (uint64_t i = 0; i < 30; i++) {
            peer *self = &peers[pick(PEERS)];
            if (self->fd >= 0) act_as_peer(self);
            (void)!torc_reactor_turn(reactor, 0);
        }
    }
    close_server_before(peers, end == 0);
}

static void everything_at_once(void **state) {
    size_t total = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        run_by_chance(seed);
        total += (size_t)seen_count;
    }
    assert_true(total > 500);
}

/* ---- applications that let go of what serves them ---- */

static torc_render let_go(torc_request *request) {
    see(request);
    torc_listener_close(listener);
    torc_site_free(site);
    site = NULL;
    return torc_reply_text(request, 200, "gone");
}

static torc_render let_go_and_wait(torc_request *request) {
    see(request);
    torc_listener_drain(listener, 0);
    torc_listener_close(listener);
    torc_site_free(site);
    site = NULL;
    (void)!torc_sleep(torc_request_reactor(request), 10);
    return torc_reply_text(request, 200, "gone");
}

static void ended_and_lets_go(torc_request_watch *watch, torc_request *request, torc_err reason) {
    torc_listener_close(listener);
    torc_site_free(site);
    site = NULL;
    ended(watch, request, reason);
}

static torc_render let_go_in_the_end(torc_request *request) {
    see_with(request, ended_and_lets_go);
    return torc_reply_text(request, 200, "gone");
}

static torc_render let_go_when_lost(torc_request *request) {
    see_with(request, ended_and_lets_go);
    torc_request_write(request, TORC_STR("gone"));
    torc_request_abort(request);
    return TORC_RENDER_DONE;
}

static void applications_let_go_of_their_server(void **state) {
    static torc_render_fn *const renders[] = {let_go, let_go_and_wait, let_go_in_the_end,
                                              let_go_when_lost};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(renders); i++)
        for (int on_fiber = 0; on_fiber < 2; on_fiber++) {
            char bytes[1000];
            size_t len = 0;
            if (renders[i] == let_go_and_wait && !on_fiber) continue;
            open_server();
            if (on_fiber)
                torc_resource_route(torc_site_root(site), "GET /let_go", renders[i]);
            else
                torc_resource_put_child(torc_site_root(site), "let_go",
                                        torc_render_new(renders[i], 0, true));
            if (!on_fiber)
                torc_resource_child(torc_site_root(site), TORC_STR("let_go"))->on_fiber = false;
            const int other = dial(), fd = dial();
            say(other, places[8].request, strlen(places[8].request));
            torc_test_settle(reactor);
            say(fd, GET("/let_go") GET("/plain"), strlen(GET("/let_go") GET("/plain")));
            torc_test_settle(reactor);
            torc_test_advance(reactor, 50);
            hear(fd, bytes, sizeof(bytes), &len);
            if (renders[i] != let_go_when_lost)
                assert_true(torc_str_find(torc_str_make(bytes, len), TORC_STR("gone")) > 0);
            torc_test_advance(reactor, 100000);
            assert_null(site);
            torc_reactor_free(reactor);
            check_all_ended();
            assert_int_equal(seen_count, 2);
            close(fd), close(other);
            assert_int_equal(count_descriptors(), descriptors);
        }
}

#define BOTH(name)                                                                                 \
    {"epoll: " #name, name, set_up_epoll, NULL, NULL}, {                                           \
        "late: " #name, name, set_up_late, NULL, NULL                                              \
    }

static char path[64];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/file", folder);
    FILE *made = fopen(path, "w");
    if (!made) return -1;
    fwrite(piece, 1, sizeof(piece), made);
    return fclose(made);
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(nothing_fails),
        BOTH(every_call_may_fail),
        BOTH(transfers_may_be_small),
        BOTH(every_allocation_may_fail),
        BOTH(peers_leave_at_every_byte_of_a_request),
        BOTH(peers_leave_at_every_part_of_a_response),
        BOTH(reactors_are_freed_in_flight),
        BOTH(listeners_and_sites_go_before_their_peers),
        BOTH(applications_let_go_of_their_server),
        BOTH(everything_at_once),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
