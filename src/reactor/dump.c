/* SPDX-License-Identifier: MIT */
/*
 * What a reactor waits for, told in lines.
 *
 *  - It changes nothing, but that it visits the stacks of fibers.
 *  - What a peer or a program wrote is told with its controls replaced.
 */
#include <torc/dump.h>

#include <arpa/inet.h>
#include <execinfo.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/un.h>
#include <torc/log.h>

#include "base/symbol.h"
#include "reactor/fiber.h"
#include "reactor/reactor.h"

enum {
    MOST = 200, /* of each kind */
    LINE_SIZE = 301
};

typedef struct dump {
    torc_reactor *reactor;
    torc_dump_fn *line;
    void *context;
    unsigned count, left_out; /* of the kind that is being told */
} dump;

__attribute__((format(printf, 2, 3))) static void say(dump *self, const char *format, ...) {
    char text[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    const int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len < 0) return;
    for (char *byte = text; *byte; byte++)
        if ((unsigned char)*byte < ' ' || *byte == 127) *byte = '?';
    self->line(self->context, torc_str_of(text));
}

/* Whether one more is told. */
static bool is_told(dump *self) {
    if (self->count++ < MOST) return true;
    self->left_out++;
    return false;
}

static void end_kind(dump *self) {
    if (self->left_out) say(self, "  and %u more", self->left_out);
    self->count = self->left_out = 0;
}

/* ---- descriptors ---- */

static void address_text(const struct sockaddr_storage *addr, socklen_t len, char *text,
                         size_t size) {
    char host[INET6_ADDRSTRLEN] = "";

    if (addr->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)addr;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(text, size, "%s:%u", host, ntohs(in->sin_port));
    } else if (addr->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)addr;
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        snprintf(text, size, "[%s]:%u", host, ntohs(in6->sin6_port));
    } else if (addr->ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const void *)addr;
        const size_t most = len > offsetof(struct sockaddr_un, sun_path)
                                ? len - offsetof(struct sockaddr_un, sun_path)
                                : 0;
        snprintf(text, size, "unix:%.*s", (int)most, most ? un->sun_path : "");
    }
}

/* How long ago something came and went, as the kernel knows of TCP. */
static void tcp_text(const torc_io *io, char *text, size_t size) {
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (io->family == AF_UNIX || getsockopt(io->fd, IPPROTO_TCP, TCP_INFO, &info, &len)) return;
    snprintf(text, size, ", received %u ms ago, sent %u ms ago", info.tcpi_last_data_recv,
             info.tcpi_last_data_sent);
}

static void tell_stream(dump *self, const torc_io *io) {
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    char peer[128] = "no peer", tcp[80] = "";

    if (getpeername(io->fd, (struct sockaddr *)&addr, &len) == 0)
        address_text(&addr, len, peer, sizeof(peer));
    tcp_text(io, tcp, sizeof(tcp));
    say(self, "  connection: fd %d, peer %s, %u bytes to send%s", io->fd, peer, io->sending_len,
        tcp);
}

static void tell_listener(dump *self, const torc_io *io) {
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    char here[128] = "nowhere";

    if (getsockname(io->fd, (struct sockaddr *)&addr, &len) == 0)
        address_text(&addr, len, here, sizeof(here));
    say(self, "  listener: fd %d, %s", io->fd, here);
}

static void tell_io(void *context, const torc_io *io) {
    dump *self = context;
    char symbol[TORC_SYMBOL_TEXT];

    if (!is_told(self)) return;
    switch ((torc_io_kind)io->kind) {
    case TORC_IO_STREAM:
        tell_stream(self, io);
        break;
    case TORC_IO_LISTENER:
        tell_listener(self, io);
        break;
    default:
        torc_symbol_text((const void *)(uintptr_t)io->ops->ready, symbol);
        say(self, "  watch: fd %d, for %s", io->fd, symbol);
    }
}

static void tell_ios(dump *self) {
    const torc_reactor *reactor = self->reactor;
    const torc_list *ios = &reactor->ios;

    say(self, "descriptors:");
    for (torc_list_node *node = torc_list_first(ios); node; node = torc_list_next(ios, node))
        tell_io(self, torc_container_of(node, torc_io, node));
    if (reactor->poller->ops->each) reactor->poller->ops->each(reactor->poller, tell_io, self);
    end_kind(self);
}

/* ---- timers ---- */

static void tell_timer(dump *self, const torc_timer *timer) {
    char symbol[TORC_SYMBOL_TEXT];
    const uint64_t now_ms = self->reactor->now_ms;

    torc_symbol_text((const void *)(uintptr_t)timer->expired, symbol);
    if (timer->due_ms == UINT64_MAX)
        say(self, "  timer: never, %s", symbol);
    else
        say(self, "  timer: in %lld ms, %s", (long long)(timer->due_ms - now_ms), symbol);
}

static void tell_timers(dump *self) {
    say(self, "timers:");
    for (torc_heap_node *node = torc_heap_top(&self->reactor->timers); node;
         node = torc_heap_next(node))
        if (is_told(self)) tell_timer(self, torc_container_of(node, torc_timer, node));
    end_kind(self);
}

/* ---- fibers ---- */

static void tell_fiber(void *context, const torc_fiber_view *view) {
    dump *self = context;
    const torc_reactor *reactor = self->reactor;
    char symbol[TORC_SYMBOL_TEXT], text[200] = "";

    if (!is_told(self)) return;
    torc_symbol_text(view->code, symbol);
    if (view->code == reactor->described_code && view->argument)
        reactor->describe(view->argument, text, sizeof(text));
    say(self, "  fiber: %s%s%s%s", view->state, view->is_cancelled ? ", cancelled" : "",
        text[0] ? ", " : ", runs ", text[0] ? text : symbol);
    for (int i = 0; i < view->frame_count; i++) {
        /* Return addresses are behind the call. */
        torc_symbol_text((const char *)view->frames[i] - 1, symbol);
        say(self, "    %s", symbol);
    }
}

static void tell_fibers(dump *self) {
    say(self, "fibers:");
    torc_fibers_view(self->reactor, tell_fiber, self);
    end_kind(self);
}

/* ---- the rest ---- */

static void tell_deferreds(dump *self) {
    const torc_list *list = &self->reactor->deferreds;

    say(self, "deferreds that have not fired:");
    for (torc_list_node *node = torc_list_first(list); node; node = torc_list_next(list, node)) {
        const torc_deferred *deferred = torc_container_of(node, torc_deferred, node);
        if (!is_told(self)) continue;
        say(self, "  deferred: made at %s%s",
            deferred->made_at ? deferred->made_at : "a place of the library",
            deferred->callback ? "" : ", nobody waits yet");
    }
    end_kind(self);
}

static void tell_jobs(dump *self) {
    static const char *const names[TORC_THREAD_CLASSES] = {"file", "name", "cpu", "user"};
    const torc_counts *counts = &self->reactor->counts;

    say(self, "jobs of threads:");
    for (int i = 0; i < TORC_THREAD_CLASSES; i++) {
        const uint64_t open = counts->threads[i].jobs - counts->threads[i].ended;
        if (open) say(self, "  jobs: %llu of class %s", (unsigned long long)open, names[i]);
    }
}

/* The unwinder is loaded when it is first used, which a fiber's stack is too small for. */
static void load_unwinder(void) {
    void *frame;
    (void)backtrace(&frame, 1);
}

void torc_reactor_dump(torc_reactor *reactor, torc_dump_fn *line, void *context) {
    dump self = {.reactor = reactor, .line = line, .context = context};

    load_unwinder();
    say(&self, "reactor: turn %llu, %llu bytes of memory", (unsigned long long)reactor->turns,
        (unsigned long long)reactor->memory.used_total);
    tell_ios(&self);
    tell_timers(&self);
    tell_fibers(&self);
    tell_deferreds(&self);
    tell_jobs(&self);
}

static void log_line(void *context, torc_str line) {
    const torc_reactor *reactor = context;

    TORC_LOG_INFO(reactor->log, "dump", "waits for", TORC_LOG_STR("what", line));
}

void torc_reactor_dump_to_log(torc_reactor *reactor) {
    torc_reactor_dump(reactor, log_line, reactor);
}
