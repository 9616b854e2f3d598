/* SPDX-License-Identifier: MIT */
/*
 * A monitor of processes.
 *
 * States of a child: idle → running → (its timer is armed, if it is to wait) → running …; and
 * idle again from a stop on.
 *
 *  - What a child is started with is in its arena, and so is the child itself but for its process.
 *  - A child that is removed goes when its process has ended.
 */
#include <torc/process_monitor.h>

#include <torc/arena.h>

#include "base/alloc.h"
#include "base/options.h"
#include "reactor/reactor.h"
#include "transport/line_log.h"

enum {
    THRESHOLD_MS = 1000,
    DELAY_MIN_MS = 1000,
    DELAY_MAX_MS = 60 * 60 * 1000,
    COPIED_MAX = 1024 * 1024
};

typedef struct child {
    torc_process_protocol base;
    torc_list_node node;
    torc_process_monitor *monitor;
    torc_arena arena;
    const char *name;
    torc_spawn_options spawn;
    torc_timer again;
    uint64_t started_ms, delay_ms;
    torc_line_log lines[2]; /* of 1 and 2 */
    bool is_removed;
} child;

struct torc_process_monitor {
    torc_reactor *reactor;
    torc_process_monitor_options options;
    torc_list children;
    torc_deferred *stopped; /* NULL: nobody waits */
    torc_call tell_stopped;
    uint64_t restarts;
    bool is_started;
};

static child *of_protocol(torc_process_protocol *protocol) {
    return torc_container_of(protocol, child, base);
}

static child *at(torc_list_node *node) {
    return torc_container_of(node, child, node);
}

static child *find(const torc_process_monitor *self, const char *name) {
    for (torc_list_node *node = torc_list_first(&self->children); node;
         node = torc_list_next(&self->children, node))
        if (strcmp(at(node)->name, name) == 0 && !at(node)->is_removed) return at(node);
    return NULL;
}

static torc_log *log_of(const child *it) {
    return it->monitor->reactor->log;
}

/* ---- copying what it is started with ---- */

static const char *copy_text(torc_arena *arena, const char *text, bool *fails) {
    const char *copy = text ? torc_arena_cstr(arena, torc_str_of(text)) : NULL;

    if (text && !copy) *fails = true;
    return copy;
}

static const char *const *copy_texts(torc_arena *arena, const char *const *texts, bool *fails) {
    size_t count = 0;

    if (!texts) return NULL;
    while (texts[count]) count++;
    const char **copy = torc_arena_alloc_zero(arena, count + 1, sizeof(char *));
    if (!copy) *fails = true;
    for (size_t i = 0; copy && i < count; i++) copy[i] = copy_text(arena, texts[i], fails);
    return copy;
}

static const void *copy_block(torc_arena *arena, const void *block, size_t count, size_t size,
                              bool *fails) {
    void *copy = block && count ? torc_arena_alloc_zero(arena, count, size) : NULL;

    if (copy)
        memcpy(copy, block, count * size);
    else if (block && count)
        *fails = true;
    return copy;
}

static const torc_spawn_user *copy_user(torc_arena *arena, const torc_spawn_user *user,
                                        bool *fails) {
    torc_spawn_user *copy = user ? torc_arena_alloc_zero(arena, 1, sizeof(*copy)) : NULL;

    if (user && !copy) *fails = true;
    if (!copy) return NULL;
    *copy = *user;
    copy->groups = copy_block(arena, user->groups, user->group_count, sizeof(*user->groups), fails);
    return copy;
}

static size_t text_size(const char *text) {
    return text ? strlen(text) + 1 : 0;
}

static size_t texts_size(const char *const *texts) {
    size_t size = 0;

    for (; texts && *texts; texts++) size += sizeof(*texts) + text_size(*texts);
    return size;
}

/* About; what is left of the maximum is for the pages' ends. */
static bool is_too_large(const torc_spawn_options *options) {
    return text_size(options->program) + text_size(options->name) + text_size(options->folder) +
               texts_size(options->arguments) + texts_size(options->environment) >
           COPIED_MAX / 2;
}

/* Input from nowhere, and what it writes to the log. */
static const torc_spawn_fd logged[] = {{.fd = 0, .kind = TORC_SPAWN_NULL},
                                       {.fd = 1, .kind = TORC_SPAWN_OUTPUT},
                                       {.fd = 2, .kind = TORC_SPAWN_OUTPUT}};

static bool copy_options(child *it, const torc_spawn_options *given) {
    torc_spawn_options *to = &it->spawn;
    torc_arena *arena = &it->arena;
    bool fails = false;

    TORC_OPTIONS_READ(to, given);
    to->program = copy_text(arena, to->program, &fails);
    to->name = copy_text(arena, to->name, &fails);
    to->folder = copy_text(arena, to->folder, &fails);
    to->arguments = copy_texts(arena, to->arguments, &fails);
    to->environment = copy_texts(arena, to->environment, &fails);
    to->user = copy_user(arena, to->user, &fails);
    to->limits = copy_block(arena, to->limits, to->limit_count, sizeof(*to->limits), &fails);
    to->fds = copy_block(arena, to->fds, to->fd_count, sizeof(*to->fds), &fails);
    if (to->fd_count == 0 && !to->has_terminal) {
        to->fds = logged;
        to->fd_count = TORC_COUNT_OF(logged);
    }
    return !fails;
}

static void free_child(child *it) {
    torc_arena arena = it->arena;

    torc_timer_cancel(&it->again);
    torc_list_remove(&it->node);
    torc_arena_dispose(&arena);
}

/* ---- running ---- */

static bool is_running(const child *it) {
    return it->base.process != NULL;
}

static bool is_any_running(const torc_process_monitor *self) {
    for (torc_list_node *node = torc_list_first(&self->children); node;
         node = torc_list_next(&self->children, node))
        if (is_running(at(node))) return true;
    return false;
}

static void run_tell_stopped(torc_call *call) {
    torc_process_monitor *self = torc_container_of(call, torc_process_monitor, tell_stopped);
    torc_deferred *stopped = self->stopped;

    if (!stopped || is_any_running(self)) return;
    self->stopped = NULL;
    (void)torc_deferred_fire(stopped, NULL, NULL);
}

static void start_child(child *it);

/* When it ran too short, it waits. */
static void start_again(child *it) {
    const torc_process_monitor_options *options = &it->monitor->options;
    const uint64_t ran_ms = torc_reactor_now_ms(it->monitor->reactor) - it->started_ms;
    uint64_t delay_ms = 0;

    if (ran_ms < options->threshold_ms) {
        delay_ms = it->delay_ms;
        it->delay_ms = delay_ms < options->delay_max_ms / 2 ? 2 * delay_ms : options->delay_max_ms;
    } else {
        it->delay_ms = options->delay_min_ms;
    }
    torc_timer_arm(&it->again, delay_ms);
}

static void expired(torc_timer *timer) {
    child *it = torc_container_of(timer, child, again);

    it->monitor->restarts++;
    start_child(it);
}

static size_t data_received(torc_process_protocol *protocol, int fd, torc_str bytes) {
    child *it = of_protocol(protocol);

    if (fd == 1 || fd == 2)
        torc_line_log_add(&it->lines[fd - 1], log_of(it), TORC_LOG_LEVEL_INFO, it->name, bytes);
    return bytes.len;
}

static void ended(torc_process_protocol *protocol, const torc_exit_status *status) {
    child *it = of_protocol(protocol);
    torc_process_monitor *self = it->monitor;

    for (int i = 0; i < 2; i++)
        torc_line_log_end(&it->lines[i], log_of(it), TORC_LOG_LEVEL_INFO, it->name);
    TORC_LOG_INFO(log_of(it), "process", "a child has ended", TORC_LOG_TEXT("child", it->name),
                  TORC_LOG_INT("code", status->code), TORC_LOG_INT("signal", status->signal));
    if (it->is_removed)
        free_child(it);
    else if (self->is_started)
        start_again(it);
    if (self->stopped) torc_reactor_post(self->reactor, &self->tell_stopped);
}

static const torc_process_protocol_ops child_ops = {.data_received = data_received, .ended = ended};

static void start_child(child *it) {
    torc_spawn_error error;

    it->started_ms = torc_reactor_now_ms(it->monitor->reactor);
    if (!torc_process_spawn(it->monitor->reactor, &it->spawn, &it->base, &error)) {
        TORC_LOG_INFO(log_of(it), "process", "a child was started",
                      TORC_LOG_TEXT("child", it->name),
                      TORC_LOG_INT("pid", torc_process_pid(it->base.process)));
        return;
    }
    TORC_LOG_ERROR(log_of(it), "process", "a child cannot be started",
                   TORC_LOG_TEXT("child", it->name), TORC_LOG_TEXT("why", error.text));
    start_again(it);
}

/* ---- asking ---- */

torc_err torc_process_monitor_add(torc_process_monitor *monitor, const char *name,
                                  const torc_spawn_options *spawn) {
    torc_arena arena;

    if (find(monitor, name)) return TORC_ERR_EXISTS;
    if (is_too_large(spawn)) return TORC_ERR_LIMIT;
    torc_arena_init(&arena, &monitor->reactor->pages, COPIED_MAX);
    child *it = torc_arena_alloc_zero(&arena, 1, sizeof(*it));
    if (!it) {
        torc_arena_dispose(&arena);
        return TORC_ERR_NO_MEMORY;
    }
    bool fails = false;
    it->arena = arena;
    it->name = copy_text(&it->arena, name, &fails);
    if (fails || !copy_options(it, spawn)) {
        free_child(it);
        return TORC_ERR_NO_MEMORY;
    }
    it->base.ops = &child_ops;
    it->monitor = monitor;
    it->delay_ms = monitor->options.delay_min_ms;
    torc_timer_init(&it->again, monitor->reactor, expired);
    torc_list_push(&monitor->children, &it->node);
    if (monitor->is_started) start_child(it);
    return TORC_OK;
}

torc_err torc_process_monitor_remove(torc_process_monitor *monitor, const char *name) {
    child *it = find(monitor, name);

    if (!it) return TORC_ERR_NOT_FOUND;
    it->is_removed = true;
    if (is_running(it))
        torc_process_cancel(it->base.process);
    else
        free_child(it);
    return TORC_OK;
}

void torc_process_monitor_restart(torc_process_monitor *monitor, const char *name) {
    for (torc_list_node *node = torc_list_first(&monitor->children); node;
         node = torc_list_next(&monitor->children, node)) {
        const child *it = at(node);
        if (is_running(it) && (!name || strcmp(name, it->name) == 0))
            torc_process_cancel(it->base.process);
    }
}

int torc_process_monitor_pid(const torc_process_monitor *monitor, const char *name) {
    const child *it = find(monitor, name);
    return it && is_running(it) ? torc_process_pid(it->base.process) : 0;
}

uint64_t torc_process_monitor_restarts(const torc_process_monitor *monitor) {
    return monitor->restarts;
}

torc_deferred *torc_process_monitor_start(torc_process_monitor *monitor) {
    if (monitor->is_started || monitor->stopped)
        return torc_deferred_failed(monitor->reactor, TORC_ERR_STATE);
    monitor->is_started = true;
    for (torc_list_node *node = torc_list_first(&monitor->children); node;
         node = torc_list_next(&monitor->children, node))
        if (!is_running(at(node))) start_child(at(node));
    return torc_deferred_of(monitor->reactor, NULL, NULL);
}

static void stop_all(torc_process_monitor *monitor) {
    monitor->is_started = false;
    for (torc_list_node *node = torc_list_first(&monitor->children); node;
         node = torc_list_next(&monitor->children, node)) {
        torc_timer_cancel(&at(node)->again);
        if (is_running(at(node))) torc_process_cancel(at(node)->base.process);
    }
}

torc_deferred *torc_process_monitor_stop(torc_process_monitor *monitor) {
    if (!monitor->is_started) return torc_deferred_failed(monitor->reactor, TORC_ERR_STATE);
    stop_all(monitor);
    if (!is_any_running(monitor)) return torc_deferred_of(monitor->reactor, NULL, NULL);
    torc_deferred *stopped = torc_deferred_new(monitor->reactor);
    if (!torc_deferred_is_out_of_memory(stopped)) monitor->stopped = stopped;
    return stopped;
}

/* ---- life ---- */

static torc_process_monitor_options read_options(const torc_process_monitor_options *given) {
    torc_process_monitor_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (!options.threshold_ms) options.threshold_ms = THRESHOLD_MS;
    if (!options.delay_min_ms) options.delay_min_ms = DELAY_MIN_MS;
    if (!options.delay_max_ms) options.delay_max_ms = DELAY_MAX_MS;
    return options;
}

torc_err torc_process_monitor_new(torc_reactor *reactor,
                                  const torc_process_monitor_options *options,
                                  torc_process_monitor **monitor) {
    torc_process_monitor *self =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->reactor = reactor;
    self->options = read_options(options);
    self->tell_stopped.run = run_tell_stopped;
    torc_list_init(&self->children);
    *monitor = self;
    return TORC_OK;
}

void torc_process_monitor_free(torc_process_monitor *monitor) {
    torc_list_node *node;

    if (!monitor) return;
    torc_call_cancel(&monitor->tell_stopped);
    if (monitor->stopped) (void)torc_deferred_fail(monitor->stopped, TORC_ERR_CANCELLED);
    while ((node = torc_list_first(&monitor->children)) != NULL) {
        torc_process_free(at(node)->base.process);
        free_child(at(node));
    }
    torc_dealloc(&monitor->reactor->memory, monitor);
}
