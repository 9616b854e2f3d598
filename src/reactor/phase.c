/* SPDX-License-Identifier: MIT */
/*
 * The phases of a reactor's start and stop.
 *
 * States: idle → starting (torc_reactor_start()) → running → stopping (torc_reactor_stop()) → idle,
 * when what runs the reactor has seen that it is to stop.
 *
 *  - Phases are entered from the reactor's queue, by `step`, so nothing is called from inside the
 *    call that asked.
 *  - A trigger leaves its list before it runs. While its deferred is waited for it is in `holding`;
 *    when that is empty, the next phase is entered.
 *  - Without triggers nothing is posted: a start is over at once, and a stop is a mark.
 */
#include "reactor/phase.h"

#include <torc/log.h>

#include "reactor/reactor.h"

static torc_trigger *trigger_of(torc_list_node *node) {
    return torc_container_of(node, torc_trigger, node);
}

static torc_phase_lists *phases_of(torc_reactor *reactor) {
    return &reactor->phases;
}

/* ---- holding ---- */

static void go_on(torc_reactor *reactor) {
    torc_phase_lists *self = phases_of(reactor);

    if (torc_list_is_empty(&self->holding)) torc_reactor_post(reactor, &self->step);
}

static void let_go(torc_trigger *trigger) {
    trigger->holds = false;
    torc_list_remove(&trigger->node);
    go_on(trigger->reactor);
}

static void fired(torc_callback *callback, torc_err err, void *value) {
    torc_trigger *trigger = torc_container_of(callback, torc_trigger, callback);

    (void)value;
    if (err)
        TORC_LOG_ERROR(torc_reactor_log(trigger->reactor), "reactor",
                       "what was to be done before the start or the stop has failed",
                       TORC_LOG_ERR("error", err));
    let_go(trigger);
}

static void hold(torc_trigger *trigger, torc_deferred *deferred) {
    trigger->holds = true;
    torc_list_push(&phases_of(trigger->reactor)->holding, &trigger->node);
    torc_deferred_then(deferred, &trigger->callback, fired);
}

static bool may_hold(torc_phase phase) {
    return phase == TORC_PHASE_BEFORE_START || phase == TORC_PHASE_BEFORE_STOP;
}

/* ---- stepping ---- */

static void run_triggers(torc_reactor *reactor, torc_phase phase) {
    torc_list *list = &phases_of(reactor)->triggers[phase];
    torc_list_node *node;

    while ((node = torc_list_pop(list)) != NULL) {
        torc_trigger *trigger = trigger_of(node);
        torc_deferred *deferred = trigger->run(trigger); /* may free it, if it answers NULL */
        if (deferred && may_hold(phase))
            hold(trigger, deferred);
        else if (deferred)
            torc_deferred_drop(deferred);
    }
}

static void has_started(torc_reactor *reactor) {
    torc_phase_lists *self = phases_of(reactor);

    self->state = TORC_PHASES_RUNNING;
    torc_list_take(&reactor->calls, &self->when_running);
}

static void has_stopped(torc_reactor *reactor) {
    torc_timer_cancel(&phases_of(reactor)->deadline);
    reactor->stopping = true;
}

static void run_step(torc_call *call) {
    torc_reactor *reactor = torc_container_of(call, torc_reactor, phases.step);
    torc_phase_lists *self = phases_of(reactor);
    const torc_phase phase = self->next;

    if (self->state == TORC_PHASES_STARTING && phase > TORC_PHASE_AFTER_START) {
        has_started(reactor);
        return;
    }
    if (phase == TORC_PHASES) {
        has_stopped(reactor);
        return;
    }
    self->next++;
    run_triggers(reactor, phase);
    go_on(reactor);
}

/* It has been held long enough. */
static void deadline_passed(torc_timer *timer) {
    torc_reactor *reactor = timer->reactor;
    torc_list_node *node;

    TORC_LOG_WARN(torc_reactor_log(reactor), "reactor",
                  "what is done before the stop takes too long, and is cancelled");
    while ((node = torc_list_first(&phases_of(reactor)->holding)) != NULL)
        torc_trigger_remove(trigger_of(node));
}

/* ---- triggers ---- */

void torc_trigger_add(torc_trigger *trigger, torc_reactor *reactor, torc_phase phase) {
    torc_trigger_remove(trigger);
    trigger->reactor = reactor;
    torc_list_push(&phases_of(reactor)->triggers[phase], &trigger->node);
}

void torc_trigger_remove(torc_trigger *trigger) {
    if (trigger->holds) {
        torc_callback_cancel(&trigger->callback);
        let_go(trigger);
    }
    torc_list_remove(&trigger->node);
}

void torc_reactor_call_when_running(torc_reactor *reactor, torc_call *call) {
    torc_phase_lists *self = phases_of(reactor);

    if (self->state == TORC_PHASES_RUNNING)
        torc_reactor_post(reactor, call);
    else if (!torc_list_has(&call->node))
        torc_list_push(&self->when_running, &call->node);
}

/* ---- starting and stopping ---- */

static bool has_triggers(const torc_phase_lists *self, torc_phase first, torc_phase last) {
    for (int i = (int)first; i <= (int)last; i++)
        if (!torc_list_is_empty(&self->triggers[i])) return true;
    return false;
}

void torc_phases_init(torc_reactor *reactor) {
    torc_phase_lists *self = phases_of(reactor);

    for (int i = 0; i < TORC_PHASES; i++) torc_list_init(&self->triggers[i]);
    torc_list_init(&self->holding);
    torc_list_init(&self->when_running);
    self->step.run = run_step;
    torc_timer_init(&self->deadline, reactor, deadline_passed);
}

void torc_reactor_start(torc_reactor *reactor) {
    torc_phase_lists *self = phases_of(reactor);

    if (self->state != TORC_PHASES_IDLE && reactor->stopping && !reactor->running) {
        torc_phases_end(reactor); /* it had stopped, in the loop of somebody else */
        reactor->stopping = false;
    }
    if (self->state != TORC_PHASES_IDLE) return;
    self->state = TORC_PHASES_STARTING;
    self->next = TORC_PHASE_BEFORE_START;
    if (has_triggers(self, TORC_PHASE_BEFORE_START, TORC_PHASE_AFTER_START))
        torc_reactor_post(reactor, &self->step);
    else
        has_started(reactor);
}

bool torc_reactor_is_running(const torc_reactor *reactor) {
    return reactor->phases.state != TORC_PHASES_IDLE && !reactor->stopping;
}

bool torc_phases_stop(torc_reactor *reactor) {
    torc_phase_lists *self = phases_of(reactor);

    if (self->state == TORC_PHASES_IDLE || self->state == TORC_PHASES_STOPPING) return false;
    if (!has_triggers(self, TORC_PHASE_BEFORE_STOP, TORC_PHASE_AFTER_STOP)) return false;
    /* What holds a start that is not over holds nothing any more. */
    self->state = TORC_PHASES_STOPPING;
    while (!torc_list_is_empty(&self->holding))
        torc_trigger_remove(trigger_of(torc_list_first(&self->holding)));
    self->next = TORC_PHASE_BEFORE_STOP;
    torc_reactor_post(reactor, &self->step);
    torc_timer_arm(&self->deadline, reactor->options.stop_ms);
    return true;
}

void torc_phases_end(torc_reactor *reactor) {
    torc_phase_lists *self = phases_of(reactor);
    torc_list_node *node;

    torc_timer_cancel(&self->deadline);
    while ((node = torc_list_first(&self->holding)) != NULL) torc_trigger_remove(trigger_of(node));
    torc_call_cancel(&self->step);
    self->state = TORC_PHASES_IDLE;
}

/* ---- in the loop of somebody else ---- */

int torc_reactor_fd(const torc_reactor *reactor) {
    const torc_poller *poller = reactor->poller;
    return poller->ops->fd ? poller->ops->fd(poller) : -1;
}
