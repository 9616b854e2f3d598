/* SPDX-License-Identifier: MIT */
/*
 * The process that has workers: its loop.
 *
 *  - It has no reactor and no threads, so that it may fork at any time, and serves nobody: what it
 *    reads comes from its workers and by signals.
 *  - Signals are blocked from before the first fork on, and read from a descriptor. A worker keeps
 *    those blocked that are its parent's business: a terminal sends them to all.
 */
#include "app/parent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/crew.h"
#include "base/alloc.h"
#include "base/monotonic.h"

enum {
    POLL_AGAIN_NS = 50 * 1000 * 1000,
    LOOK_MS =
        1000, /* between two looks at what does not tell: the logs' sizes, workers that hang */
    HANGS_MS = 5000 /* a worker whose reactor has not turned for so long */
};

typedef struct parent {
    torc_app *app;
    torc_crew crew;
    int signals;
    sigset_t mask_before;
    struct pollfd *polled;        /* the signals, and the links of members */
    torc_member **linked;         /* whose these are, from the second on */
    uint64_t look_at_ms;          /* when to look at the files of certificates next */
    torc_last_signal last_signal; /* of those that end it */
} parent;

static uint64_t monotonic_ms(void) {
    return torc_monotonic_us() / 1000;
}

/* ---- signals ---- */

static void end(parent *self, int number) {
    torc_crew *crew = &self->crew;

    if (torc_app_is_repeated(&self->last_signal, number, crew->now_ms) || crew->is_stopping) return;
    TORC_LOG_INFO(self->app->log, "app", crew->is_draining ? "stopping at once" : "stopping",
                  TORC_LOG_TEXT("signal", strsignal(number)));
    if (crew->is_draining) {
        torc_crew_stop(crew);
        return;
    }
    torc_app_tell(self->app, TORC_APP_STOPPING);
    torc_sockets_close(&self->app->sockets); /* workers close theirs: new connections are refused */
    torc_crew_drain(crew);
}

static void reopen(parent *self, int number) {
    (void)number;
    torc_app_reopen_logs(self->app);
    torc_crew_reopen_logs(&self->crew);
}

static void reload(parent *self, int number) {
    reopen(self, number);
    torc_app_tls_reload(self->app);
    torc_crew_reload(&self->crew);
}

static void reap(parent *self, int number) {
    (void)number;
    torc_crew_reap(&self->crew);
}

static void ignore(parent *self, int number) {
    TORC_LOG_INFO(self->app->log, "app", "a signal without a meaning was ignored",
                  TORC_LOG_TEXT("signal", strsignal(number)));
}

static void change_levels(parent *self, int number) {
    torc_logs_set_verbose(self->app, number == TORC_SIGNAL_VERBOSE);
    torc_crew_set_verbose(&self->crew, number == TORC_SIGNAL_VERBOSE);
}

static const struct {
    int number;
    void (*received)(parent *self, int number);
} signals[] = {
    {SIGTERM, end},    {SIGINT, end},     {SIGQUIT, end},  {SIGHUP, reload},
    {SIGUSR1, reopen}, {SIGUSR2, ignore}, {SIGCHLD, reap},
};

static void read_signals(parent *self) {
    struct signalfd_siginfo arrival;

    while (read(self->signals, &arrival, sizeof(arrival)) == (ssize_t)sizeof(arrival)) {
        const int number = (int)arrival.ssi_signo;
        for (size_t i = 0; i < TORC_COUNT_OF(signals); i++)
            if (signals[i].number == number) signals[i].received(self, number);
        if (number == TORC_SIGNAL_VERBOSE || number == TORC_SIGNAL_USUAL)
            change_levels(self, number);
        if (number == SIGRTMIN) torc_crew_dump(&self->crew);
    }
}

/* SIGPIPE is blocked, too: a log may go to a pipe that nobody reads. */
static bool take_signals(parent *self) {
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < TORC_COUNT_OF(signals); i++) sigaddset(&set, signals[i].number);
    sigaddset(&set, TORC_SIGNAL_VERBOSE);
    sigaddset(&set, TORC_SIGNAL_USUAL);
    sigaddset(&set, SIGRTMIN);
    self->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (self->signals < 0)
        return torc_app_fail(self->app, "signals", torc_err_text(torc_err_from_errno(errno)));
    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_BLOCK, &set, &self->mask_before);
    self->crew.inherited_fds[0] = self->signals;
    return true;
}

/* What has come and was not read goes, so that it does not take its default action now. */
static void give_back_signals(parent *self) {
    struct signalfd_siginfo arrival;

    if (self->signals < 0) return;
    while (read(self->signals, &arrival, sizeof(arrival)) > 0) continue;
    close(self->signals);
    sigprocmask(SIG_SETMASK, &self->mask_before, NULL);
}

/* ---- the loop ---- */

/* Whether the service manager's watchdog may be told so: not while a worker hangs, or none serves.
 * While all drain nobody turns for long, and it does not ask. */
static bool is_well(const parent *self) {
    const uint64_t watchdog_ms = self->app->process.notify.watchdog_ms;

    return self->crew.is_draining ||
           torc_crew_is_fresh(&self->crew, watchdog_ms > HANGS_MS ? watchdog_ms : HANGS_MS);
}

/* When the service manager is to be told something; or whether all is well again, to be looked at.
 */
static uint64_t process_due_ms(const parent *self, uint64_t now_ms) {
    const uint64_t due_ms = torc_app_process_due_ms(self->app);
    return due_ms == UINT64_MAX || is_well(self) ? due_ms : now_ms + LOOK_MS;
}

static bool looks_at_files(const parent *self) {
    return torc_logs_rotate_at_all(self->app) || torc_app_tls_is_watched(self->app);
}

static int time_to_wait(const parent *self) {
    const uint64_t crew_ms = torc_crew_due_ms(&self->crew), now_ms = monotonic_ms();
    const uint64_t process_ms = process_due_ms(self, now_ms);
    const uint64_t due_ms = crew_ms < process_ms ? crew_ms : process_ms;
    const uint64_t most_ms = looks_at_files(self) ? LOOK_MS : INT32_MAX;

    if (due_ms == UINT64_MAX && most_ms == INT32_MAX) return -1;
    if (due_ms <= now_ms) return 0;
    return (int)(due_ms - now_ms < most_ms ? due_ms - now_ms : most_ms);
}

/* Only what is open: the kernel refuses more than there may be descriptors. */
static size_t list_polled(parent *self) {
    const torc_crew *crew = &self->crew;
    size_t count = 1;

    self->polled[0] = (struct pollfd){.fd = self->signals, .events = POLLIN};
    for (size_t i = 0; i < crew->member_count; i++) {
        if (crew->members[i].control < 0) continue;
        self->linked[count] = &crew->members[i];
        self->polled[count++] = (struct pollfd){.fd = crew->members[i].control, .events = POLLIN};
    }
    return count;
}

static size_t wait_for_events(parent *self) {
    const size_t count = list_polled(self);

    if (poll(self->polled, count, time_to_wait(self)) >= 0) return count;
    /* Interrupted; or memory or descriptors are short, and looking now and then must do. */
    const struct timespec moment = {.tv_nsec = errno == EINTR ? 0 : POLL_AGAIN_NS};
    nanosleep(&moment, NULL);
    for (size_t i = 0; i < count; i++) self->polled[i].revents = POLLIN;
    return count;
}

/* Not at each of the many turns that a busy start has. */
static void look_at_certificates(parent *self) {
    const uint64_t now_ms = self->crew.now_ms;

    if (now_ms < self->look_at_ms) return;
    self->look_at_ms = now_ms + LOOK_MS;
    if (torc_app_tls_has_changed(self->app) && torc_app_tls_reload(self->app))
        torc_crew_renew_certificates(&self->crew);
}

/* One turn: signals first, so that workers that were ended together with this process are not
 * replaced. */
static void turn(parent *self) {
    torc_crew *crew = &self->crew;

    const size_t count = wait_for_events(self);
    crew->now_ms = monotonic_ms();
    if (self->polled[0].revents) read_signals(self);
    for (size_t i = 1; i < count; i++)
        if (self->polled[i].revents) torc_crew_hear(crew, self->linked[i]);
    if (torc_logs_rotate(self->app)) torc_crew_reopen_logs(crew);
    look_at_certificates(self);
    torc_crew_tick(crew, crew->now_ms);
    if (is_well(self)) torc_app_process_tick(self->app, crew->now_ms);
}

static bool make_room(parent *self) {
    const size_t count = 1 + self->crew.member_count;

    self->polled = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, count, sizeof(*self->polled));
    self->linked = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, count, sizeof(self->linked[0]));
    return (self->polled && self->linked) ||
           torc_app_fail(self->app, "workers", torc_err_text(TORC_ERR_NO_MEMORY));
}

static void loop(parent *self) {
    torc_crew_reap(&self->crew); /* those who ended before: nobody tells of them any more */
    torc_crew_start(&self->crew);
    torc_crew_tick(&self->crew, monotonic_ms());
    while (!torc_crew_is_over(&self->crew)) turn(self);
}

static void tell_counts(const parent *self) {
    uint64_t counts[TORC_SHARED_COUNTS];

    for (int i = 0; i < TORC_SHARED_COUNTS; i++)
        counts[i] = torc_shared_sum(&self->crew.shared, (torc_shared_count)i);
    torc_app_tell_counts(self->app, counts);
}

bool torc_parent_run(torc_app *app) {
    parent self = {.app = app, .signals = -1};
    const bool fine = torc_crew_init(&self.crew, app, app->sockets.slot_count) &&
                      make_room(&self) && take_signals(&self);

    if (fine) loop(&self);
    give_back_signals(&self);
    const bool has_served = fine && !self.crew.has_failed;
    if (has_served) tell_counts(&self);
    torc_dealloc(NULL, self.polled);
    torc_dealloc(NULL, self.linked);
    torc_crew_dispose(&self.crew);
    return has_served;
}
