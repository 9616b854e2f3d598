/* A port forwarder: what comes to one endpoint goes to another. */
#include <signal.h>
#include <stdio.h>
#include <torc/torc.h>

static void terminated(void *context, int number) {
    (void)number;
    torc_reactor_stop(context);
}

static int fail(const char *string, const torc_endpoint_error *error, torc_err err) {
    fprintf(stderr, "%s: %s\n", string, error->text[0] ? error->text : torc_err_text(err));
    return 1;
}

static int serve(torc_reactor *reactor, const char *from, torc_port_forward *forward) {
    const torc_connection_limit_options limits = {.size = sizeof(limits), .connections_max = 1000};
    torc_filters filters = {0};
    const torc_listen_options options = {.size = sizeof(options), .filters = &filters};
    torc_filter_factory *policy;
    torc_endpoint_error error = {0};
    torc_endpoint endpoint;
    torc_listener *listener = NULL;
    torc_signal *signal = NULL;
    char text[TORC_ADDR_TEXT_MAX];

    /* Two policies on the way: so many connections, and so long in silence. */
    torc_err err = torc_connection_limit_new(reactor, &limits, &policy);
    if (!err) err = torc_filters_add(&filters, policy);
    if (!err) err = torc_idle_timeout_new(reactor, 600000, &policy);
    if (!err) err = torc_filters_add(&filters, policy);
    if (!err) err = torc_endpoint_parse(torc_str_of(from), &endpoint, &error);
    if (!err)
        err = torc_endpoint_listen(reactor, &endpoint, torc_port_forward_factory(forward), &options,
                                   &listener);
    torc_filters_dispose(&filters); /* the listener has its own hold on them */
    if (err) return fail(from, &error, err);

    const torc_addr addr = torc_listener_addr(listener);
    printf("listening at %s\n", torc_addr_text(&addr, text).bytes);
    fflush(stdout);
    err = torc_signal_new(reactor, SIGTERM, terminated, reactor, &signal);
    if (!err) err = torc_reactor_run(reactor);
    torc_signal_free(signal);
    torc_listener_close(listener);
    return err ? 1 : 0;
}

static int forward_to(torc_reactor *reactor, const char *from, const char *to) {
    torc_endpoint_error error = {0};
    torc_port_forward *forward;

    const torc_err err = torc_port_forward_new(reactor, to, &error, &forward);
    if (err) return fail(to, &error, err);
    const int code = serve(reactor, from, forward);
    torc_port_forward_free(forward);
    return code;
}

int main(int argc, char **argv) {
    torc_reactor *reactor;

    if (argc != 3) {
        fprintf(stderr, "usage: %s FROM TO, as in: tcp:8080 tcp:localhost:80\n", argv[0]);
        return 2;
    }
    if (torc_reactor_new(NULL, &reactor)) return 1;
    const int code = forward_to(reactor, argv[1], argv[2]);
    torc_reactor_free(reactor);
    return code;
}
