/* SPDX-License-Identifier: MIT */
/* A reactor in the loop of somebody else: here one over poll(), with a descriptor of its own. */
#include <poll.h>
#include <stdio.h>
#include <torc/torc.h>
#include <unistd.h>

typedef struct program {
    torc_looping_call *ticking;
    torc_trigger farewell;
    int pipe[2], ticks, bytes;
} program;

/* The reactor's side: ten ticks, each of which the other side sees by a byte. */
static torc_deferred *tick(void *context, uint64_t count) {
    program *self = context;

    (void)count;
    self->ticks++;
    if (write(self->pipe[1], "x", 1) != 1) self->ticks--;
    return NULL;
}

static torc_deferred *before_stop(torc_trigger *trigger) {
    program *self = torc_container_of(trigger, program, farewell);

    torc_looping_call_free(self->ticking);
    return NULL;
}

/* The other side: its loop, its descriptor, and how it drives the reactor. */
static int loop(program *self, torc_reactor *reactor) {
    struct pollfd polled[] = {
        {.fd = torc_reactor_fd(reactor), .events = POLLIN},
        {.fd = self->pipe[0], .events = POLLIN},
    };
    char byte;

    torc_reactor_start(reactor);
    while (torc_reactor_is_running(reactor)) {
        if (poll(polled, 2, (int)torc_reactor_wait_ms(reactor)) < 0) return 1;
        if (polled[1].revents && read(self->pipe[0], &byte, 1) == 1 && ++self->bytes == 10)
            torc_reactor_stop(reactor); /* its phases are gone through while it turns */
        if (torc_reactor_turn(reactor, 0)) return 1;
    }
    return 0;
}

int main(void) {
    program self = {.farewell = {.run = before_stop}};
    torc_reactor *reactor;

    if (pipe(self.pipe) || torc_reactor_new(NULL, &reactor)) return 1;
    if (torc_looping_call_new(reactor, tick, &self, &self.ticking)) return 1;
    torc_looping_call_start(self.ticking, 10, true);
    torc_trigger_add(&self.farewell, reactor, TORC_PHASE_BEFORE_STOP);
    const int failed = loop(&self, reactor);
    printf("%d ticks, %d bytes\n", self.ticks, self.bytes);
    torc_reactor_free(reactor);
    return failed;
}
