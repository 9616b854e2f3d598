/* SPDX-License-Identifier: MIT */
/*
 * Running a process to its end, and collecting what it writes.
 *
 *  - A run is freed when the process has ended; until then its deferred has not fired.
 *  - The first reason to end it early stands, and is what the deferred fails with.
 */
#include <torc/buf.h>
#include <torc/process.h>

#include "base/alloc.h"
#include "base/options.h"
#include "reactor/reactor.h"

enum {
    OUTPUT_MAX = 1024 * 1024
};

/* What the result's slices point into is behind it. */
typedef struct collected {
    torc_process_result result;
    torc_memory *memory;
    torc_buf output, errors;
} collected;

typedef struct run {
    torc_process_protocol base;
    torc_reactor *reactor;
    torc_deferred *deferred;
    torc_timer timer;
    collected *collected;
    size_t output_max;
    bool truncates;
    torc_err reason;
} run;

static run *of_protocol(torc_process_protocol *protocol) {
    return torc_container_of(protocol, run, base);
}

void torc_process_result_free(torc_process_result *result) {
    collected *self = torc_container_of(result, collected, result);

    if (!result) return;
    torc_buf_dispose(&self->output);
    torc_buf_dispose(&self->errors);
    torc_dealloc(self->memory, self);
}

static void dispose_result(void *value) {
    torc_process_result_free(value);
}

static collected *new_collected(torc_memory *memory, size_t max) {
    collected *self = torc_alloc_zero(memory, TORC_MEMORY_INPUT, 1, sizeof(*self));

    if (!self) return NULL;
    self->memory = memory;
    torc_buf_init(&self->output, memory, TORC_MEMORY_INPUT, max);
    torc_buf_init(&self->errors, memory, TORC_MEMORY_INPUT, max);
    return self;
}

static void end_early(run *self, torc_err reason) {
    if (self->reason) return;
    self->reason = reason;
    torc_timer_cancel(&self->timer);
    torc_process_cancel(self->base.process);
}

static size_t data_received(torc_process_protocol *protocol, int fd, torc_str bytes) {
    run *self = of_protocol(protocol);
    torc_buf *into = fd == 2 ? &self->collected->errors : &self->collected->output;
    const torc_str kept = torc_str_head(bytes, self->output_max - into->len);

    if (fd > 2) return bytes.len;
    torc_buf_add(into, kept);
    if (torc_buf_err(into)) end_early(self, torc_buf_err(into));
    if (kept.len == bytes.len) return bytes.len;
    self->collected->result.is_truncated = true;
    if (!self->truncates) end_early(self, TORC_ERR_TOO_LARGE);
    return bytes.len;
}

static void ended(torc_process_protocol *protocol, const torc_exit_status *status) {
    run *self = of_protocol(protocol);
    collected *it = self->collected;
    torc_deferred *deferred = self->deferred;
    const torc_err reason = self->reason;

    it->result.status = *status;
    it->result.output = torc_buf_str(&it->output);
    it->result.errors = torc_buf_str(&it->errors);
    torc_timer_cancel(&self->timer);
    torc_dealloc(&self->reactor->memory, self);
    if (reason) {
        torc_process_result_free(&it->result);
        (void)torc_deferred_fail(deferred, reason);
    } else {
        (void)torc_deferred_fire(deferred, &it->result, dispose_result);
    }
}

static const torc_process_protocol_ops run_ops = {.data_received = data_received, .ended = ended};

static void expired(torc_timer *timer) {
    end_early(torc_container_of(timer, run, timer), TORC_ERR_TIMEOUT);
}

static void cancel(torc_deferred *deferred, void *context) {
    (void)deferred;
    end_early(context, TORC_ERR_CANCELLED);
}

static torc_process_run_options read_options(const torc_process_run_options *given) {
    torc_process_run_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (options.output_max == 0) options.output_max = OUTPUT_MAX;
    return options;
}

static torc_err begin(run *self, const torc_spawn_options *spawn,
                      const torc_process_run_options *options) {
    self->collected = new_collected(&self->reactor->memory, options->output_max);
    if (!self->collected) return TORC_ERR_NO_MEMORY;
    const torc_err err = torc_process_spawn(self->reactor, spawn, &self->base, options->error);
    if (err) {
        torc_process_result_free(&self->collected->result);
        return err;
    }
    torc_process_write(self->base.process, options->input);
    torc_process_close_input(self->base.process);
    if (options->timeout_ms) torc_timer_arm(&self->timer, options->timeout_ms);
    return TORC_OK;
}

torc_deferred *torc_process_run(torc_reactor *reactor, const torc_spawn_options *spawn,
                                const torc_process_run_options *given) {
    const torc_process_run_options options = read_options(given);
    torc_deferred *deferred = torc_deferred_new(reactor);
    run *self;
    torc_err err = TORC_ERR_NO_MEMORY;

    if (torc_deferred_is_out_of_memory(deferred)) return deferred;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    if (self) {
        self->base.ops = &run_ops;
        self->reactor = reactor;
        self->deferred = deferred;
        self->output_max = options.output_max;
        self->truncates = options.truncates;
        torc_timer_init(&self->timer, reactor, expired);
        err = begin(self, spawn, &options);
    }
    if (err) {
        torc_dealloc(&reactor->memory, self);
        (void)torc_deferred_fail(deferred, err);
    } else {
        torc_deferred_set_canceller(deferred, cancel, self);
    }
    return deferred;
}

torc_err torc_process_run_await(torc_reactor *reactor, const torc_spawn_options *spawn,
                                const torc_process_run_options *options,
                                torc_process_result **result) {
    void *value;
    const torc_err err = torc_await(torc_process_run(reactor, spawn, options), &value);

    if (!err) *result = value;
    return err;
}
