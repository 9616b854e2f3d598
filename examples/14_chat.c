/* A chat: whoever connects says a name, and then lines that all others see. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <torc/torc.h>

/* ---- the protocol ---- */

typedef struct chatter {
    torc_line_protocol line;
    char name[32];
    struct chatter *next;
} chatter;

static chatter *everybody;

/* Tell all that have a name, but for whom it comes from. */
static void tell(const chatter *from, const char *what, torc_str text) {
    char line[600];

    snprintf(line, sizeof(line), "%s%s%.*s", from->name, what, TORC_STR_ARGS(text));
    for (chatter *each = everybody; each; each = each->next)
        if (each != from && each->name[0]) torc_line_send(&each->line, torc_str_of(line));
}

static void chatter_made(torc_line_protocol *line) {
    torc_line_send(line, TORC_STR("Who are you?"));
}

static void line_received(torc_line_protocol *line, torc_str text) {
    chatter *self = torc_container_of(line, chatter, line);

    if (self->name[0]) {
        tell(self, ": ", text);
    } else if (text.len > 0) {
        snprintf(self->name, sizeof(self->name), "%.*s", TORC_STR_ARGS(text));
        tell(self, " is here", TORC_STR(""));
    }
}

static void chatter_lost(torc_line_protocol *line, torc_err reason) {
    chatter *self = torc_container_of(line, chatter, line), **place = &everybody;

    (void)reason;
    while (*place != self) place = &(*place)->next;
    *place = self->next;
    if (self->name[0]) tell(self, " has gone", TORC_STR(""));
    free(self);
}

static const torc_line_ops chatter_ops = {.connection_made = chatter_made,
                                          .line_received = line_received,
                                          .connection_lost = chatter_lost};

/* ---- its factory ---- */

static torc_err build_chatter(torc_factory *factory, torc_transport *transport,
                              torc_protocol **protocol) {
    chatter *self = calloc(1, sizeof(*self));

    (void)factory;
    (void)transport;
    if (!self) return TORC_ERR_NO_MEMORY;
    torc_line_init(&self->line, &chatter_ops);
    self->line.delimiter = "\n"; /* with or without a \r before it */
    self->line.line_max = 500;
    self->next = everybody;
    everybody = self;
    *protocol = &self->line.base;
    return TORC_OK;
}

static const torc_factory_ops factory_ops = {.build_protocol = build_chatter};
static torc_factory factory = {.ops = &factory_ops};

/* ---- the program ---- */

static void terminated(void *context, int number) {
    (void)number;
    torc_reactor_stop(context);
}

static int serve(torc_reactor *reactor, const char *string) {
    torc_endpoint_error error = {0};
    torc_endpoint endpoint;
    torc_listener *listener;
    torc_signal *signal = NULL;
    char text[TORC_ADDR_TEXT_MAX];

    torc_err err = torc_endpoint_parse(torc_str_of(string), &endpoint, &error);
    if (!err) err = torc_endpoint_listen(reactor, &endpoint, &factory, NULL, &listener);
    if (err) {
        fprintf(stderr, "%s: %s\n", string, error.text[0] ? error.text : torc_err_text(err));
        return 1;
    }
    const torc_addr addr = torc_listener_addr(listener);
    printf("listening at %s\n", torc_addr_text(&addr, text).bytes);
    fflush(stdout);
    err = torc_signal_new(reactor, SIGTERM, terminated, reactor, &signal);
    if (!err) err = torc_reactor_run(reactor);
    torc_signal_free(signal);
    torc_listener_close(listener);
    return err ? 1 : 0;
}

int main(int argc, char **argv) {
    torc_reactor *reactor;

    if (torc_reactor_new(NULL, &reactor)) return 1;
    const int code = serve(reactor, argc > 1 ? argv[1] : "tcp:8007:interface=127.0.0.1");
    torc_reactor_free(reactor);
    return code;
}
