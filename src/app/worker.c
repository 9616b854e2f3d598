/* SPDX-License-Identifier: MIT */
/*
 * A worker's side of what goes between it and its parent.
 *
 * States: set up → ready (told; waits) → serving (by SERVE) → draining (by DRAIN, SIGTERM, or the
 * parent's death) → ended (all has ended, the deadline passed, or by STOP).
 *
 *  - A terminal sends SIGINT and SIGQUIT to the whole group, and a service manager may send SIGTERM
 *    to all: what ends at once is decided by the parent, so any number of these only drains.
 *  - It leaves by _exit(): what the program registered for its exit is the parent's.
 */
#include "app/worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <torc/dump.h>
#include <unistd.h>

enum {
    BEAT_MS = 1000,
    WATCH_AGAIN_MS = 50
};

static void tell(const torc_worker *self, torc_control_kind kind, const char *text) {
    torc_control_message message = {.kind = kind, .slot = (uint32_t)self->slot};

    snprintf(message.text, sizeof(message.text), "%s", text);
    (void)!torc_control_send(self->control,
                             &message); /* a parent that has gone is seen elsewhere */
}

void torc_worker_fail(torc_worker *self, const char *text) {
    if (self->has_failed) return;
    self->has_failed = true;
    tell(self, TORC_CONTROL_FAILED, text);
}

/* ---- orders ---- */

/* Without its own sockets it is of no use. */
static void serve(torc_worker *self) {
    const char *where;

    if (self->serving->is_draining) return;
    const torc_err err = torc_serving_listen(self->serving, self->slot, true, &where);
    if (!err) return;
    (void)torc_app_fail(self->app, where, torc_err_text(err));
    torc_reactor_stop(self->app->reactor);
}

static void adopt(torc_worker *self, size_t slot) {
    const char *where;

    if (self->serving->is_draining || slot >= self->app->sockets.slot_count) return;
    const torc_err err = torc_serving_listen(self->serving, slot, false, &where);
    if (err)
        TORC_LOG_ERROR(self->app->log, "app", "cannot accept for another worker",
                       TORC_LOG_UINT("worker", self->slot), TORC_LOG_UINT("for", slot),
                       TORC_LOG_TEXT("endpoint", where), TORC_LOG_ERR("error", err));
}

static void obey(torc_worker *self, const torc_control_message *message) {
    switch ((torc_control_kind)message->kind) {
    case TORC_CONTROL_SERVE:
        serve(self);
        break;
    case TORC_CONTROL_ADOPT:
        adopt(self, message->slot);
        break;
    case TORC_CONTROL_RELEASE:
        torc_serving_release(self->serving, message->slot);
        break;
    case TORC_CONTROL_YIELD:
        torc_serving_drain(self->serving, true);
        break;
    case TORC_CONTROL_DRAIN:
        torc_serving_drain(self->serving, false);
        break;
    case TORC_CONTROL_STOP:
        torc_reactor_stop(self->app->reactor);
        break;
    case TORC_CONTROL_REOPEN:
        torc_app_reopen_logs(self->app);
        break;
    case TORC_CONTROL_VERBOSE:
    case TORC_CONTROL_USUAL:
        torc_logs_set_verbose(self->app, message->kind == TORC_CONTROL_VERBOSE);
        break;
    case TORC_CONTROL_DUMP:
        torc_reactor_dump_to_log(self->app->reactor);
        break;
    case TORC_CONTROL_RENEW:
        torc_app_tls_reload(self->app);
        break;
    default:
        break;
    }
}

static void parent_lost(torc_worker *self) {
    torc_io_close(&self->orders, false);
    TORC_LOG_WARN(self->app->log, "app", "the parent has gone; stopping",
                  TORC_LOG_UINT("worker", self->slot));
    torc_serving_drain(self->serving, false);
}

static void ready(torc_io *io, uint32_t events) {
    torc_worker *self = torc_container_of(io, torc_worker, orders);
    torc_control_message message;
    torc_err err;

    (void)events;
    while (!(err = torc_control_receive(self->control, &message))) obey(self, &message);
    if (err != TORC_ERR_AGAIN) parent_lost(self);
}

/* The kernel refused to watch, for want of memory: the next beat asks again. */
static void failed(torc_io *io, torc_err err) {
    torc_worker *self = torc_container_of(io, torc_worker, orders);

    (void)err;
    self->is_deaf = true;
    torc_timer_arm(&self->beat, WATCH_AGAIN_MS);
}

static void closed(torc_io *io) {
    (void)io;
}

static const torc_io_ops io_ops = {.ready = ready, .failed = failed, .closed = closed};

/* ---- being alive ---- */

static void count(torc_worker *self) {
    uint64_t counts[TORC_SHARED_COUNTS];

    torc_serving_count(self->serving, counts);
    for (size_t i = 0; i < TORC_SHARED_COUNTS; i++)
        atomic_store(&self->place->counts[i], counts[i]);
}

static void beat(torc_timer *timer) {
    torc_worker *self = torc_container_of(timer, torc_worker, beat);

    atomic_store(&self->place->beat_ms, torc_reactor_now_ms(self->app->reactor));
    count(self);
    torc_timer_arm(timer, BEAT_MS);
    if (self->is_deaf) torc_io_watch(&self->orders, EPOLLIN);
    self->is_deaf = false;
}

static void told_to_end(void *context, int number) {
    torc_worker *self = context;

    (void)number;
    if (self->serving->is_draining) return;
    tell(self, TORC_CONTROL_DRAINING, "");
    torc_serving_drain(self->serving, true);
}

static void told_to_reopen(void *context, int number) {
    torc_worker *self = context;

    (void)number;
    torc_app_reopen_logs(self->app);
}

static void told_to_dump(void *context, int number) {
    const torc_worker *self = context;

    (void)number;
    torc_reactor_dump_to_log(self->app->reactor);
}

bool torc_worker_attach(torc_worker *self, torc_serving *serving) {
    torc_err err;

    self->serving = serving;
    if (!torc_serving_take_signal(serving, SIGTERM, told_to_end, self) ||
        !torc_serving_take_signal(serving, SIGRTMIN, told_to_dump, self) ||
        !torc_serving_take_signal(serving, SIGUSR1, told_to_reopen, self))
        return false;
    err = torc_io_open(&self->orders, self->app->reactor, TORC_IO_WATCH, self->control, 0, &io_ops);
    if (err) return torc_app_fail(self->app, "orders", torc_err_text(err));
    torc_timer_init(&self->beat, self->app->reactor, beat);
    torc_io_watch(&self->orders, EPOLLIN);
    beat(&self->beat);
    tell(self, TORC_CONTROL_READY, "");
    return true;
}

void torc_worker_detach(torc_worker *self) {
    if (!self->serving) return;
    if (torc_timer_is_armed(&self->beat)) count(self);
    torc_timer_cancel(&self->beat);
    self->serving = NULL;
}

/* Its children are its own business; the other signals that the parent blocked stay so. */
static void unblock_ends_of_children(void) {
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

_Noreturn void torc_worker_run(torc_app *app, size_t slot, int control, torc_shared_place *place) {
    torc_worker self = {.app = app, .slot = slot, .control = control, .place = place};

    torc_app_forked(app);
    unblock_ends_of_children();
    atomic_store(&place->pid, getpid());
    app->worker = &self;
    const bool fine = torc_app_serve(app);
    fflush(NULL);
    _exit(fine ? 0 : 1);
}
