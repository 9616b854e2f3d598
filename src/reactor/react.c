/* SPDX-License-Identifier: MIT */
/*
 * A program that is one function on a fiber.
 *
 *  - The fiber stops the reactor when the function has returned; so does the second signal.
 *  - The fiber is held until then, so that it can be cancelled at any time.
 *  - `self` is on the stack of torc_react() until the reactor is freed, and so every fiber has
 *    ended.
 */
#include <torc/react.h>

#include <signal.h>
#include <torc/fiber.h>
#include <torc/log.h>
#include <torc/signal.h>

#include "reactor/reactor.h"

enum {
    EXIT_OF_SIGNAL = 128
};

typedef struct program {
    torc_reactor *reactor;
    torc_react_fn *run;
    void *context;
    torc_fiber *fiber;
    torc_signal *interrupt, *terminate;
    torc_err err;
    int signal; /* the first that came */
} program;

static torc_err run_program(void *context) {
    program *self = context;

    self->err = self->run(self->reactor, self->context);
    torc_reactor_stop(self->reactor);
    return self->err;
}

static void received(void *context, int number) {
    program *self = context;

    if (self->signal) {
        torc_reactor_stop(self->reactor);
        return;
    }
    self->signal = number;
    self->err = TORC_ERR_CANCELLED; /* unless the program says otherwise */
    torc_fiber_cancel(self->fiber, TORC_ERR_CANCELLED);
}

static torc_err watch(program *self) {
    torc_err err = torc_signal_new(self->reactor, SIGINT, received, self, &self->interrupt);

    if (!err) err = torc_signal_new(self->reactor, SIGTERM, received, self, &self->terminate);
    return err;
}

static torc_err run(program *self) {
    torc_err err = watch(self);

    if (!err) err = torc_fiber_spawn(self->reactor, run_program, self, &self->fiber);
    if (!err) err = torc_reactor_run(self->reactor);
    torc_fiber_detach(self->fiber);
    torc_signal_free(self->interrupt);
    torc_signal_free(self->terminate);
    return err;
}

int torc_react(torc_react_fn *function, void *context, const torc_reactor_options *options) {
    program self = {.run = function, .context = context};
    torc_log *log =
        options && options->size > offsetof(torc_reactor_options, log) ? options->log : NULL;
    torc_err err = torc_reactor_new(options, &self.reactor);

    if (!err) {
        err = run(&self);
        torc_reactor_free(self.reactor); /* ends the fiber, if that has not ended */
        if (!err) err = self.err;
    }
    if (!err) return 0;
    if (self.signal) return EXIT_OF_SIGNAL + self.signal;
    TORC_LOG_ERROR(log, "reactor", "the program has failed", TORC_LOG_ERR("error", err));
    return 1;
}
