/* SPDX-License-Identifier: MIT */
/*
 * A reactor for one function.
 *
 *  - What is here is on the stack of torc_react() until the reactor is freed, which ends the fiber
 *    if it has not ended.
 */
#include <torc/fiber.h>
#include <torc/phase.h>

typedef struct reacting {
    torc_reactor *reactor;
    torc_react_fn *run;
    void *context;
    torc_err result;
} reacting;

static torc_err run_on_fiber(void *context) {
    reacting *self = context;

    self->result = self->run(self->reactor, self->context);
    torc_reactor_stop(self->reactor);
    return TORC_OK;
}

torc_err torc_react(const torc_reactor_options *options, torc_react_fn *run, void *context) {
    reacting self = {.run = run, .context = context, .result = TORC_OK};
    torc_err err = torc_reactor_new(options, &self.reactor);

    if (err) return err;
    err = torc_fiber_spawn(self.reactor, run_on_fiber, &self, NULL);
    if (!err) err = torc_reactor_run(self.reactor);
    torc_reactor_free(self.reactor);
    return err ? err : self.result;
}
