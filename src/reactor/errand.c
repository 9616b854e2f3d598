/* SPDX-License-Identifier: MIT */
/*
 * Running something once, by a callback or on a fiber, and telling when it is over.
 *
 *  - An errand is busy from torc_errand_begin() until just before `over`; in that time it is not
 *    freed.
 *  - What is cancelled from inside its own callback is so when the callback has returned.
 */
#include "reactor/errand.h"

#include <assert.h>

static void end(torc_errand *self, torc_err err) {
    self->is_busy = false;
    self->ops->over(self, err);
}

static void fired(torc_callback *callback, torc_err err, void *value) {
    torc_errand *self = torc_container_of(callback, torc_errand, owner.callback);

    if (!err) torc_deferred_dispose_of(value, self->owner.dispose);
    end(self, err);
}

static void run(torc_errand *self) {
    torc_deferred *deferred = self->ops->run(self);

    if (!deferred) {
        end(self, TORC_OK);
        return;
    }
    torc_deferred_own(deferred, &self->owner, fired);
    if (self->is_cancelled) torc_deferred_cancel(deferred);
}

static torc_err run_on_fiber(void *context) {
    torc_errand *self = context;
    torc_fiber *fiber = self->fiber;
    const torc_err err = self->ops->run_on_fiber(self);

    self->fiber = NULL;
    torc_fiber_detach(fiber);
    end(self, err);
    return TORC_OK;
}

void torc_errand_init(torc_errand *errand, torc_reactor *reactor, const torc_errand_ops *ops,
                      bool on_fiber) {
    *errand = (torc_errand){.ops = ops, .reactor = reactor, .on_fiber = on_fiber};
}

torc_err torc_errand_begin(torc_errand *errand) {
    torc_err err = TORC_OK;

    assert(!errand->is_busy);
    errand->is_busy = true;
    errand->is_cancelled = false;
    if (!errand->on_fiber) {
        run(errand);
        return TORC_OK;
    }
    err = torc_fiber_spawn(errand->reactor, run_on_fiber, errand, &errand->fiber);
    if (err) errand->is_busy = false;
    return err;
}

void torc_errand_cancel(torc_errand *errand) {
    if (!errand->is_busy || errand->is_cancelled) return;
    errand->is_cancelled = true;
    if (errand->fiber)
        torc_fiber_cancel(errand->fiber, TORC_ERR_CANCELLED);
    else if (errand->owner.callback.deferred)
        torc_deferred_cancel(errand->owner.callback.deferred);
}
