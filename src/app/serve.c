/* SPDX-License-Identifier: MIT */
/*
 * A process that serves: its reactor, site and listeners, its signals, its end. It is a worker,
 * told by its parent what to do, or stands alone and is told by signals.
 *
 * States: set up → running → draining (nothing new is accepted, what is in progress ends) → stopped
 * (all ended, the deadline passed, or it was told to stop at once).
 *
 *  - A listener that was told to accept no more stays until its connections have ended, so that
 *    they are counted, and drained with the others.
 */
#include "app/serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <torc/dump.h>
#include <torc/listen.h>

#include "app/listen.h"
#include "app/proxy.h"
#include "app/worker.h"
#include "base/alloc.h"
#include "reactor/subprocess.h"
#include "transport/listener.h"
#include "web/tree.h"

enum {
    LOOK_MS = 1000,
    SERVICES_START_MS = 30000,
    STALL_MS = 100,
    YIELD_IDLE_MS = 5000 /* longer than a request takes to come; shorter than anybody is idle for */
};

/* A socket of a slot that is accepted from, or was. */
typedef struct listening {
    torc_list_node node;
    torc_listener *listener;
    size_t slot;
    bool is_shared; /* with all slots */
    bool is_over;   /* nothing more is accepted */
} listening;

static listening *at(torc_list_node *node) {
    return torc_container_of(node, listening, node);
}

static torc_limits limits_of(const torc_app *app) {
    const torc_limits wide = torc_limits_default();
    return torc_limits_inherit(&app->settings.limits, &wide);
}

/* ---- setting up ---- */

/* Who sits at a terminal develops. */
static uint32_t stall_ms(const torc_app *app) {
    if (app->settings.stall_ms >= 0) return (uint32_t)app->settings.stall_ms;
    return isatty(STDERR_FILENO) ? STALL_MS : 0;
}

static bool make_reactor(torc_app *app) {
    const torc_limits limits = limits_of(app);
    const torc_reactor_options options = {
        .size = sizeof(options),
        .memory_max = limits.memory_max == TORC_UNLIMITED_BYTES ? 0 : (size_t)limits.memory_max,
        .fibers_max = limits.fibers_max,
        .stall_ms = stall_ms(app),
        .log = app->log,
    };
    const torc_err err = torc_reactor_new(&options, &app->reactor);
    if (!err) app->reactor->files_before = app->files_before;
    return !err || torc_app_fail(app, "reactor", torc_err_text(err));
}

/* In the order in which the program added them. */
static void add_observers(torc_app *app, torc_observer *observer) {
    if (!observer) return;
    add_observers(app, observer->next);
    torc_site_add_observer(app->site, observer);
}

bool torc_app_make_site(torc_app *app) {
    const torc_site_options options = {
        .size = sizeof(options),
        .show_errors = app->settings.show_errors,
        .fields = app->settings.fields,
        .field_count = app->settings.field_count,
        .log = app->log,
    };

    if (app->start) app->start(app);
    if (app->is_refused) return torc_app_fail(app, app->refusal, NULL);
    if (torc_resource_is_bare(app->root)) torc_resource_put_child(app->root, "", torc_demo_new());
    if (torc_resource_err(app->root))
        return torc_app_fail(app, "resources", torc_resource_err_text(app->root));
    app->site = torc_site_new(app->root, &options);
    app->root = NULL; /* taken, whatever happened */
    if (!app->site) return torc_app_fail(app, "site", torc_err_text(TORC_ERR_NO_MEMORY));
    if (app->rates.table) torc_site_set_rate_store(app->site, &app->rates.base);
    torc_site_set_context(app->site, app->context);
    add_observers(app, app->observers);
    const torc_err err = torc_site_trust_proxies(
        app->site, app->settings.proxies, app->settings.proxy_count, app->settings.proxy_field);
    if (app->settings.has_proxy_claims)
        torc_site_set_proxy_claims(app->site, app->settings.proxy_claims);
    return !err || torc_app_fail(app, "site", torc_err_text(err));
}

/* ---- listening ---- */

/* On an accepted socket: what follows from the endpoint, the lowest stage first. */
static torc_err add_stages(const torc_app *app, size_t row, torc_filters *filters) {
    const torc_err err = torc_app_proxy_add_filter(app, row, filters);

    return err ? err : torc_app_tls_add_filter(app, row, filters);
}

/* The one connection that there was has ended: so does the program, if it serves nothing else. */
static void served(torc_listener *listener, void *context) {
    torc_serving *self = context;

    (void)listener;
    if (self->app->sockets.row_count == 1) torc_serving_drain(self, false);
}

static torc_err listen_on(torc_serving *self, int fd, size_t row, torc_listener **listener) {
    const torc_app *app = self->app;
    torc_filters filters = {0};
    const torc_http_options options = {
        .size = sizeof(options), .limits = &app->settings.limits, .filters = &filters};
    torc_err err = add_stages(app, row, &filters);

    if (!err && fd < 0)
        err = torc_listen_http_stdio(app->reactor, torc_site_acceptor(app->site), &options, served,
                                     self, listener);
    else if (!err)
        err = torc_listen_http_fd(app->reactor, fd, torc_site_acceptor(app->site), &options,
                                  listener);
    torc_filters_dispose(&filters);
    return err;
}

static torc_err listen_at(torc_serving *self, size_t row, size_t slot) {
    torc_app *app = self->app;
    listening *made = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*made));

    if (!made) return TORC_ERR_NO_MEMORY;
    const bool is_stdio = app->sockets.rows[row]->endpoint.is_stdio;
    const int fd = is_stdio ? -1 : torc_sockets_dup(&app->sockets, row, slot);
    const torc_err err =
        fd < 0 && !is_stdio ? TORC_ERR_FILE_TABLE_FULL : listen_on(self, fd, row, &made->listener);
    if (err) {
        if (fd >= 0) close(fd);
        torc_dealloc(NULL, made);
        return err;
    }
    made->slot = slot;
    made->is_shared = app->sockets.rows[row]->is_one;
    torc_list_push(&self->listenings, &made->node);
    return TORC_OK;
}

torc_err torc_serving_listen(torc_serving *self, size_t slot, bool all, const char **where) {
    const torc_sockets *sockets = &self->app->sockets;

    for (size_t row = 0; row < sockets->row_count; row++) {
        if (sockets->rows[row]->is_one && !all) continue;
        const torc_err err = listen_at(self, row, slot);
        if (err) {
            *where = sockets->rows[row]->text;
            return err;
        }
    }
    return TORC_OK;
}

static void add_counts(const listening *it, uint64_t counts[TORC_SHARED_COUNTS]) {
    counts[TORC_SHARED_CONNECTIONS] += torc_listener_connections(it->listener);
    counts[TORC_SHARED_ACCEPTED] += it->listener->accepted.value;
    counts[TORC_SHARED_REQUESTS] += torc_listener_requests(it->listener);
}

static void close_listening(torc_serving *self, listening *it) {
    add_counts(it, self->gone);
    self->gone[TORC_SHARED_CONNECTIONS] = 0;
    torc_list_remove(&it->node);
    torc_listener_close(it->listener);
    torc_dealloc(NULL, it);
}

/* Those that accept nothing more, and have no connection. */
static void close_unused(torc_serving *self) {
    torc_list_node *node, *next;

    for (node = torc_list_first(&self->listenings); node; node = next) {
        next = torc_list_next(&self->listenings, node);
        if (at(node)->is_over && torc_listener_connections(at(node)->listener) == 0)
            close_listening(self, at(node));
    }
}

void torc_serving_release(torc_serving *self, size_t slot) {
    for (torc_list_node *node = torc_list_first(&self->listenings); node;
         node = torc_list_next(&self->listenings, node)) {
        listening *it = at(node);
        if (it->slot != slot || it->is_shared || it->is_over) continue;
        it->is_over = true;
        torc_listener_stop(it->listener);
    }
    close_unused(self);
}

void torc_serving_count(const torc_serving *self, uint64_t counts[TORC_SHARED_COUNTS]) {
    memcpy(counts, self->gone, sizeof(self->gone));
    for (torc_list_node *node = torc_list_first(&self->listenings); node;
         node = torc_list_next(&self->listenings, node))
        add_counts(at(node), counts);
}

/* ---- the end ---- */

/* While draining: every so often, has all ended? */
static void drained(torc_timer *timer) {
    torc_serving *self = torc_container_of(timer, torc_serving, drained);
    const bool is_late = torc_reactor_now_ms(self->app->reactor) >= self->drain_until_ms;
    uint64_t counts[TORC_SHARED_COUNTS];

    torc_serving_count(self, counts);
    if (counts[TORC_SHARED_CONNECTIONS] == 0 || is_late)
        torc_reactor_stop(self->app->reactor);
    else
        torc_timer_arm(timer, 10);
}

void torc_serving_drain(torc_serving *self, bool gently) {
    if (self->is_draining && (gently || !self->is_yielding)) return;
    self->is_yielding = gently;
    self->is_draining = true;
    self->drain_until_ms = torc_reactor_now_ms(self->app->reactor) + limits_of(self->app).drain_ms;
    for (torc_list_node *node = torc_list_first(&self->listenings); node;
         node = torc_list_next(&self->listenings, node)) {
        at(node)->is_over = true;
        torc_listener_drain(at(node)->listener, gently ? YIELD_IDLE_MS : 0);
    }
    torc_sockets_close(&self->app->sockets);
    torc_timer_arm(&self->drained, 0);
}

/* Undo what was done, in whatever state it is. */
static void finish(torc_serving *self) {
    torc_list_node *node;

    torc_timer_cancel(&self->drained);
    torc_timer_cancel(&self->looked);
    torc_app_process_tick_off(self->app);
    while ((node = torc_list_first(&self->listenings)) != NULL) close_listening(self, at(node));
    for (size_t i = 0; i < self->signal_count; i++) torc_signal_free(self->signals[i]);
}

/* ---- standing alone ---- */

bool torc_serving_take_signal(torc_serving *self, int number, torc_signal_fn *received,
                              void *context) {
    const torc_err err = torc_signal_new(self->app->reactor, number, received, context,
                                         &self->signals[self->signal_count]);

    if (err) return torc_app_fail(self->app, "signals", torc_err_text(err));
    self->signal_count++;
    return true;
}

static void told_to_end(void *context, int number) {
    torc_serving *self = context;

    if (torc_app_is_repeated(&self->last_signal, number, torc_reactor_now_ms(self->app->reactor)))
        return;
    TORC_LOG_INFO(self->app->log, "app", self->is_draining ? "stopping at once" : "stopping",
                  TORC_LOG_TEXT("signal", strsignal(number)));
    if (self->is_draining) {
        torc_reactor_stop(self->app->reactor);
        return;
    }
    torc_app_tell(self->app, TORC_APP_STOPPING);
    torc_serving_drain(self, false);
}

static void looked(torc_timer *timer) {
    torc_serving *self = torc_container_of(timer, torc_serving, looked);

    if (torc_app_tls_has_changed(self->app)) torc_app_tls_reload(self->app);
    torc_timer_arm(timer, LOOK_MS);
}

/* A service manager waits for the end of what it takes for a reload. */
static void told_to_reopen(void *context, int number) {
    torc_serving *self = context;

    if (number == SIGHUP) torc_app_tell(self->app, TORC_APP_RELOADING);
    torc_app_reopen_logs(self->app);
    if (number != SIGHUP) return;
    torc_app_tls_reload(self->app);
    TORC_LOG_WARN(self->app->log, "app", "logs were reopened; to reload it needs workers",
                  TORC_LOG_TEXT("fix", "--workers 1"));
    torc_app_tell(self->app, TORC_APP_READY);
}

static void told_nothing(void *context, int number) {
    torc_serving *self = context;

    TORC_LOG_INFO(self->app->log, "app", "a signal without a meaning was ignored",
                  TORC_LOG_TEXT("signal", strsignal(number)));
}

/*
 * Process 1 is given the children of others when these end, and waits for them; who is not leaves
 * the program's own to the program. Those of the reactor are waited for by it, so that their
 * statuses are not lost: each that has ended is looked at before it is taken.
 */
static void child_ended(void *context, int number) {
    const torc_serving *self = context;
    siginfo_t info;

    (void)number;
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == 0) return;
        if (!torc_subprocess_wait_for(self->app->reactor, info.si_pid))
            (void)waitpid(info.si_pid, NULL, WNOHANG);
    }
}

static void told_levels(void *context, int number) {
    const torc_serving *self = context;

    torc_logs_set_verbose(self->app, number == TORC_SIGNAL_VERBOSE);
}

static void told_to_dump(void *context, int number) {
    const torc_serving *self = context;

    (void)number;
    torc_reactor_dump_to_log(self->app->reactor);
}

static bool take_levels(torc_serving *self) {
    return torc_serving_take_signal(self, SIGRTMIN, told_to_dump, self) &&
           torc_serving_take_signal(self, TORC_SIGNAL_VERBOSE, told_levels, self) &&
           torc_serving_take_signal(self, TORC_SIGNAL_USUAL, told_levels, self);
}

/* Without a parent: serve at once, and be told by signals. */
static bool stand_alone(torc_serving *self) {
    static const struct {
        int number;
        torc_signal_fn *received;
    } signals[] = {
        {SIGTERM, told_to_end},   {SIGINT, told_to_end},     {SIGQUIT, told_to_end},
        {SIGHUP, told_to_reopen}, {SIGUSR1, told_to_reopen}, {SIGUSR2, told_nothing},
    };
    const char *where;

    const torc_err err = torc_serving_listen(self, 0, true, &where);
    if (err) return torc_app_fail(self->app, where, torc_err_text(err));
    for (size_t i = 0; i < TORC_COUNT_OF(signals); i++)
        if (!torc_serving_take_signal(self, signals[i].number, signals[i].received, self))
            return false;
    if (!take_levels(self)) return false;
    if (getpid() == 1) {
        if (!torc_serving_take_signal(self, SIGCHLD, child_ended, self)) return false;
        child_ended(self, SIGCHLD); /* those that ended before */
    }
    if (torc_app_tls_is_watched(self->app)) torc_timer_arm(&self->looked, LOOK_MS);
    torc_app_announce(self->app);
    torc_app_process_tick_on(self->app);
    torc_app_tell(self->app, TORC_APP_READY);
    return true;
}

/* ---- serving ---- */

static bool run(torc_serving *self) {
    const torc_err err = torc_reactor_run(self->app->reactor);
    return !err || torc_app_fail(self->app, "reactor", torc_err_text(err));
}

/* ---- services ---- */

typedef struct service_wait {
    torc_callback callback;
    bool is_over;
    torc_err err;
} service_wait;

static void service_fired(torc_callback *callback, torc_err err, void *value) {
    service_wait *self = torc_container_of(callback, service_wait, callback);

    (void)value;
    self->err = err;
    self->is_over = true;
}

/* Turn until it has fired: there is nothing else to do now. */
static torc_err wait_for_services(torc_app *app, torc_deferred *deferred, uint64_t most_ms) {
    service_wait self = {.err = TORC_OK};
    torc_err err = TORC_OK;

    torc_deferred_then(torc_deferred_timeout(deferred, most_ms), &self.callback, service_fired);
    while (!self.is_over && !err) err = torc_reactor_turn(app->reactor, -1);
    torc_callback_cancel(&self.callback);
    return err ? err : self.err;
}

static bool start_services(torc_app *app) {
    const torc_err err =
        wait_for_services(app, torc_service_start(&app->services, app->reactor), SERVICES_START_MS);
    return !err || torc_app_fail(app, "a service could not start", torc_err_text(err));
}

static void stop_services(torc_app *app) {
    const torc_err err = wait_for_services(app, torc_service_stop(&app->services, app->reactor),
                                           limits_of(app).drain_ms);
    if (err)
        TORC_LOG_WARN(app->log, "app", "services did not stop in time", TORC_LOG_ERR("error", err));
}

/* With a reactor: make what serves, and serve until the end. */
static bool serve(torc_app *app) {
    torc_serving self = {.app = app};
    bool fine;

    torc_list_init(&self.listenings);
    torc_timer_init(&self.drained, app->reactor, drained);
    torc_timer_init(&self.looked, app->reactor, looked);
    fine = torc_app_make_site(app) && torc_logs_start(app) &&
           torc_app_process_confine_server(app) && start_services(app) &&
           (app->worker ? torc_worker_attach(app->worker, &self) : stand_alone(&self));
    if (fine) {
        fine = run(&self);
        if (app->stop) app->stop(app);
    }
    if (torc_service_is_started(&app->services)) stop_services(app);
    if (app->worker) torc_worker_detach(app->worker);
    finish(&self);
    if (fine && !app->worker) torc_app_tell_counts(app, self.gone);
    return fine;
}

bool torc_app_open_rates(torc_app *app, torc_shared *own) {
    if (app->rates.table) return true;
    torc_err err = torc_shared_open(own, 0);
    if (!err) err = torc_shared_take_rates(own, &app->rates);
    return !err || torc_app_fail(app, "rates", torc_err_text(err));
}

bool torc_app_serve(torc_app *app) {
    torc_shared own = {0};
    const bool fine = torc_app_open_rates(app, &own) && make_reactor(app) && serve(app);

    torc_reactor_free(app->reactor);
    torc_site_free(app->site);
    torc_logs_stop(app);
    app->reactor = NULL;
    app->site = NULL;
    if (own.memory) app->rates.table = NULL;
    torc_shared_close(&own);
    return fine;
}
