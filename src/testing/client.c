/* SPDX-License-Identifier: MIT */
/*
 * A client in memory: its life, and that of what it asks.
 *
 *  - What it asks lives as long as the client, in the order in which it was asked.
 *  - Its own memory is the test's, not the reactor's: but for the requests, which are made of both.
 *  - It ends in the order of a program's end: requests lose their client, the app stops, the site
 *    goes; what is then open on the reactor is left over.
 */
#include "testing/client.h"

#include <stdio.h>

#include "app/app.h"
#include "base/alloc.h"
#include "base/symbol.h"
#include "reactor/reactor.h"
#include "testing/expect.h"
#include "testing/request.h"
#include "web/site.h"
#include "web/tree.h"

enum {
    ARENA_MAX = 64 * 1024 * 1024,
    PEER_PORT = 49152
};

/* ---- its beginning ---- */

static torc_err make_reactor(torc_test_client *self, const torc_reactor_options *given) {
    torc_reactor_options options = {.size = sizeof(options)};
    torc_err err = torc_test_log_new(&self->log);

    if (given) options = *given;
    if (!err) options.log = torc_test_log_log(self->log);
    return err ? err : torc_test_reactor_new(&options, &self->reactor);
}

/* What is counted as OUTPUT is kept for later in part, and says nothing. */
static size_t used_by_requests(const torc_reactor *reactor) {
    const size_t *used = reactor->memory.used;

    return used[TORC_MEMORY_CONNECTION] + used[TORC_MEMORY_INPUT] + used[TORC_MEMORY_ARENA];
}

torc_test_client *torc_test_client_make(const char *place, const torc_reactor_options *options,
                                        const torc_limits *limits) {
    torc_test_client *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    torc_test_count_clients(1);
    self->place = place;
    self->end = &self->first;
    self->keeps_cookies = true;
    torc_list_init(&self->cookies);
    self->limits = limits ? *limits : torc_limits_default();
    torc_page_pool_init(&self->pages, NULL, 0);
    torc_arena_init(&self->arena, &self->pages, ARENA_MAX);
    self->descriptors = torc_test_descriptors_look();
    const torc_err err = make_reactor(self, options);
    if (err)
        torc_test_fail_at(place, "no reactor: %s", torc_err_text(err));
    else
        self->memory_before = used_by_requests(self->reactor);
    torc_test_client_set_field(self, "Host", "localhost");
    (void)!torc_test_client_set_peer(self, "127.0.0.1", PEER_PORT);
    return self;
}

torc_test_client *torc_test_client_new_at(const char *place, const torc_reactor_options *options) {
    return torc_test_client_make(place, options, NULL);
}

torc_test_client *torc_test_client_new_resource_at(const char *place, torc_resource *resource) {
    torc_test_client *self = torc_test_client_make(place, NULL, NULL);

    if (!self || !self->reactor) {
        torc_resource_dispose(resource);
        return self;
    }
    char why[200] = "there is no memory";
    if (resource && torc_resource_err(resource))
        snprintf(why, sizeof(why), "%s", torc_resource_err_text(resource));
    const torc_site_options options = {.size = sizeof(options),
                                       .log = torc_test_log_log(self->log)};
    self->site = torc_site_new(resource, &options);
    if (self->site)
        self->acceptor = torc_site_acceptor(self->site);
    else
        torc_test_fail_at(place, "no site: %s", why);
    return self;
}

torc_test_client *torc_test_client_new_route_at(const char *place, torc_render_fn *render) {
    return torc_test_client_new_resource_at(place, torc_render_new(render, 0, true));
}

void torc_test_client_set_acceptor(torc_test_client *self, torc_acceptor *acceptor) {
    self->acceptor = acceptor;
}

/* ---- its end ---- */

static bool is_answered(const torc_test_asked *asked) {
    return torc_test_request_is_over(asked->request);
}

void torc_test_client_add_code(const torc_test_client *self, const torc_test_asked *asked,
                               torc_buf *text) {
    const torc_request *request =
        torc_test_client_site(self) ? torc_test_request_above(asked->request) : NULL;
    const void *code = request ? torc_site_code_of(request) : NULL;
    char symbol[TORC_SYMBOL_TEXT];

    if (!code) return;
    torc_symbol_text(code, symbol);
    torc_buf_addf(text, "; it waits in, or was deferred by, %s", symbol);
}

static size_t add_unanswered(const torc_test_client *self, torc_buf *text) {
    size_t count = 0;

    for (const torc_test_asked *asked = self->first; asked; asked = asked->next) {
        if (is_answered(asked)) continue;
        torc_buf_addf(text, "\n    request: %s, asked at %s, was never answered", asked->line,
                      asked->place);
        torc_test_client_add_code(self, asked, text);
        count++;
    }
    return count;
}

static void free_asked(torc_test_client *self) {
    for (torc_test_asked *asked = self->first; asked; asked = asked->next)
        torc_test_request_free(asked->request);
    self->first = self->looked_at = NULL;
}

static size_t add_memory(const torc_test_client *self, torc_buf *text) {
    torc_reactor_trim(self->reactor);
    const size_t used = used_by_requests(self->reactor);

    if (used <= self->memory_before) return 0;
    torc_buf_addf(text, "\n    memory: %zu bytes of connections and requests",
                  used - self->memory_before);
    return 1;
}

/* All that is left over, in the order in which it shows. */
static size_t end(torc_test_client *self, torc_buf *text) {
    size_t count = 0;

    if (self->reactor) {
        torc_test_settle_all(self->reactor);
        count = add_unanswered(self, text);
        /* What they wait for is open now, and shows where they stand. */
        if (count) torc_test_add_open(text, self->reactor);
        free_asked(self);
        torc_test_settle_all(self->reactor);
    }
    if (self->app) torc_test_client_stop_app(self);
    torc_site_free(self->site);
    if (self->reactor) {
        torc_test_settle_all(self->reactor);
        const size_t open = torc_test_add_open(text, self->reactor);
        count += open ? open : add_memory(self, text);
    }
    const size_t before = text->len;
    if (self->log) torc_test_add_errors(text, self->log);
    count += text->len > before;
    torc_reactor_free(self->reactor);
    return count;
}

bool torc_test_client_free(torc_test_client *self) {
    torc_buf text;

    if (!self) return true;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
    torc_buf_addf(&text, "the client leaves something behind:");
    size_t count = end(self, &text);
    torc_test_log_free(self->log);
    count += torc_test_descriptors_add_new(self->descriptors, &text);
    torc_test_descriptors_free(self->descriptors);
    const char *place = self->place;
    torc_arena_dispose(&self->arena);
    torc_page_pool_dispose(&self->pages);
    torc_dealloc(NULL, self);
    torc_test_count_clients(-1);
    if (count > 0)
        torc_test_fail_buf(place, &text);
    else
        torc_buf_dispose(&text);
    return count == 0;
}

void torc_test_client_ignore_descriptors(torc_test_client *self) {
    torc_test_descriptors_free(self->descriptors);
    self->descriptors = NULL;
}

torc_reactor *torc_test_client_reactor(const torc_test_client *self) {
    return self->reactor;
}

torc_test_log *torc_test_client_log(const torc_test_client *self) {
    return self->log;
}

torc_site *torc_test_client_site(const torc_test_client *self) {
    return self->app ? self->app->site : self->site;
}

/* ---- time ---- */

void torc_test_client_run(torc_test_client *self) {
    if (self->reactor) torc_test_settle_all(self->reactor);
}

void torc_test_client_advance(torc_test_client *self, uint64_t ms) {
    if (!self->reactor) return;
    torc_test_settle_all(self->reactor);
    torc_test_advance(self->reactor, ms);
    torc_test_settle_all(self->reactor);
}

bool torc_test_client_wait(torc_test_client *self, uint64_t ms) {
    torc_test_client_run(self);
    while (self->looked_at && !is_answered(self->looked_at) && ms > 0)
        ms -= torc_test_advance_some(self->reactor, ms);
    return self->looked_at && is_answered(self->looked_at);
}

/* ---- what is looked at ---- */

void torc_test_client_look_at(torc_test_client *self, torc_test_request *request) {
    for (torc_test_asked *asked = self->first; asked; asked = asked->next)
        if (asked->request == request) self->looked_at = asked;
}

torc_test_request *torc_test_client_answer(const torc_test_client *self) {
    return self->looked_at ? self->looked_at->request : NULL;
}

const torc_test_asked *torc_test_client_looked_at(const char *place, torc_test_client *self) {
    if (!self->looked_at) torc_test_fail_at(place, "nothing was asked that could be looked at");
    return self->looked_at;
}

torc_str torc_test_field(const torc_test_client *self, const char *name) {
    return self->looked_at ? torc_test_request_field(self->looked_at->request, name)
                           : torc_str_make(NULL, 0);
}

torc_str torc_test_body(const torc_test_client *self) {
    return self->looked_at ? torc_test_request_body(self->looked_at->request)
                           : torc_str_make(NULL, 0);
}
