/* SPDX-License-Identifier: MIT */
/*
 * The site: who answers each request, and what is answered when nobody does.
 *
 *  - A site is freed when its owner has let go of it, the last request in it has ended, and the
 *    last server that could hand it one has gone. Let go of, it takes no new ones.
 *  - A resource that answered a method by declining is treated as one that does not answer it.
 */
#include <stdio.h>

#include <torc/site.h>
#include <torc/version.h>

#include "base/alloc.h"
#include "base/options.h"
#include "web/error_page.h"
#include "web/passage.h"
#include "web/route_inputs.h"
#include "web/site.h"

enum {
    RATE_KEYS = 16384 /* of a store of its own: 256 KiB */
};

struct torc_site {
    torc_handler handler;
    torc_resource *root;
    torc_cidr *proxies; /* that are trusted */
    torc_limits limits;
    size_t requests; /* in progress */
    bool allow_trace;
    torc_fields fields;         /* of all responses */
    torc_rate_store *rates;     /* NULL: its own */
    torc_rate_store *own_rates; /* NULL until it is needed */
    char server[64];
    char default_content_type[128];
};

static torc_site *site_of(torc_handler *handler) {
    return torc_container_of(handler, torc_site, handler);
}

torc_site *torc_request_site(const torc_request *request) {
    return site_of(torc_request_handler(request));
}

static void free_when_unused(torc_site *site) {
    if (!site->handler.is_closed || site->requests > 0 || site->handler.acceptor.users > 0) return;
    torc_resource_dispose(site->root);
    torc_site_fields_dispose(&site->fields);
    torc_rate_store_free(site->own_rates);
    torc_dealloc(NULL, site->proxies);
    torc_dealloc(NULL, site);
}

static uint32_t with_implied(uint32_t methods) {
    if (methods & torc_method_bit(TORC_METHOD_GET)) methods |= torc_method_bit(TORC_METHOD_HEAD);
    return methods | torc_method_bit(TORC_METHOD_OPTIONS);
}

/* Name in Allow what the places on the path would have answered. */
static void set_allow(torc_request *request, const torc_walk_end *end) {
    char text[TORC_METHODS_TEXT_MAX], bytes[2 * TORC_METHODS_TEXT_MAX];
    torc_buf value;

    torc_buf_init_fixed(&value, bytes, sizeof(bytes));
    torc_buf_add(&value, torc_methods_text(with_implied(end->allow), text));
    for (uint32_t i = 0; i < end->other_count; i++) {
        const torc_str name = end->others[i];
        if (torc_list_has_member(torc_buf_str(&value), name) ||
            value.len + 2 + name.len > sizeof(bytes))
            continue;
        torc_buf_add(&value, TORC_STR(", "));
        torc_buf_add(&value, name);
    }
    torc_response_set(request, "Allow", torc_buf_str(&value));
}

static void reply_not_allowed(torc_request *request, const torc_walk_end *end) {
    set_allow(request, end);
    torc_reply_status(request, 405, NULL);
}

/* Nobody takes the method at a place that exists. */
static void refuse_method(torc_request *request, const torc_walk_end *end) {
    if (torc_request_method(request) == TORC_METHOD_OTHER)
        torc_reply_status(request, 501, NULL);
    else
        reply_not_allowed(request, end);
}

static void reply_options(torc_request *request, const torc_walk_end *end) {
    set_allow(request, end);
    torc_response_set_status(request, 204, NULL);
    (void)!torc_request_finish(request);
}

/* Send the request's head back (RFC 9110 §9.3.8), but for what may be secret. */
static void reply_trace(torc_request *request) {
    const torc_fields *fields = torc_request_fields(request);
    torc_buf text;

    torc_buf_init(&text, torc_reactor_memory(torc_request_reactor(request)), TORC_MEMORY_OUTPUT,
                  256 * 1024);
    torc_buf_add(&text, TORC_STR("TRACE "));
    torc_buf_add(&text, torc_request_target(request));
    torc_buf_add(&text, TORC_STR(" HTTP/1.1\r\n"));
    for (uint32_t i = 0; i < fields->count; i++) {
        const torc_field *field = &fields->items[i];
        if (field->id == TORC_FIELD_AUTHORIZATION || field->id == TORC_FIELD_COOKIE ||
            field->id == TORC_FIELD_PROXY_AUTHORIZATION)
            continue;
        torc_buf_add(&text, field->name);
        torc_buf_add(&text, TORC_STR(": "));
        torc_buf_add(&text, field->value);
        torc_buf_add(&text, TORC_STR("\r\n"));
    }
    torc_buf_add(&text, TORC_STR("\r\n"));
    if (torc_buf_err(&text))
        torc_reply_error(request, torc_buf_err(&text));
    else
        torc_reply_bytes(request, 200, "message/http", torc_buf_str(&text));
    torc_buf_dispose(&text);
}

/* `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7). */
static void reply_asterisk(torc_request *request) {
    static const torc_walk_end nowhere;

    if (torc_request_method(request) == TORC_METHOD_OPTIONS)
        torc_reply_bytes(request, 200, NULL, torc_str_make(NULL, 0));
    else
        reply_not_allowed(request, &nowhere); /* but OPTIONS */
}

/* To the same path with one slash less at its end, or one more; the query stays. */
static void redirect_slash(torc_request *request) {
    const torc_str path = torc_request_path(request);
    const bool is_less = torc_str_ends_with(path, TORC_STR("/"));
    char *other = torc_arena_bytes(torc_request_arena(request), path.len + 2);

    if (!other) {
        torc_reply_error(request, TORC_ERR_NO_MEMORY);
        return;
    }
    memcpy(other, path.bytes, path.len);
    memcpy(other + path.len - is_less, is_less ? "" : "/", is_less ? 1 : 2);
    torc_reply_redirect_with_query(request, 308, other);
}

/* What begins with two slashes would be read as the name of a host; to browsers `\` is one. */
static bool names_host(torc_str path) {
    return path.len > 1 && (path.bytes[1] == '/' || path.bytes[1] == '\\');
}

static void reply_not_found(const torc_walk_end *end) {
    if (end->is_by_slash && !names_host(torc_request_path(end->request)))
        redirect_slash(end->request);
    else
        torc_reply_status(end->request, 404, NULL);
}

/* Nobody answered at the end of the walk. */
static void reply_unanswered(const torc_walk_end *end) {
    torc_request *request = end->request;

    if (end->method == TORC_METHOD_TRACE && torc_request_site(request)->allow_trace)
        reply_trace(request);
    else if (torc_method_is_named_only(end->method))
        reply_not_allowed(request, end); /* also where there is nothing: CONNECT has no path */
    else if (!end->is_refused)
        reply_not_found(end);
    else if (end->method == TORC_METHOD_OPTIONS)
        reply_options(request, end);
    else
        refuse_method(request, end);
}

static torc_render render_route(const torc_route *route, torc_request *request) {
    if (route->options.checks_inputs && !torc_route_inputs_hold(route, request))
        return TORC_RENDER_DONE;
    return route->render(request);
}

torc_render torc_walk_answer(const torc_walk_end *end) {
    if (end->err) return torc_reply_error(end->request, end->err);
    if (end->route) return render_route(end->route, end->request);
    if (end->found) return end->found->ops->render(end->found, end->request);
    reply_unanswered(end);
    return TORC_RENDER_DONE;
}

bool torc_walk_needs_fiber(const torc_walk_end *end) {
    return end->route || (end->found && end->found->on_fiber);
}

static torc_render run_route(torc_request *request, void *context) {
    return render_route(context, request);
}

static torc_render run_resource(torc_request *request, void *context) {
    torc_resource *resource = context;
    return resource->ops->render(resource, request);
}

void torc_answerer_of(const torc_request *request, torc_answerer *who) {
    const torc_walk_end *end = torc_passage_end(request);
    void *context;
    torc_request_step_fn *step = torc_request_step(request, &context);
    const torc_walk_end own = {
        .route = step == run_route ? context : NULL,
        .found = step == run_resource ? context : NULL,
    };
    const torc_route *route = end ? end->route : own.route;

    who->pattern = torc_str_of(route ? route->text : NULL);
    who->code = end ? torc_passage_code(request) : torc_walk_code(&own);
}

const void *torc_site_code_of(const torc_request *request) {
    torc_answerer who;

    torc_answerer_of(request, &who);
    return who.code;
}

/* Without middleware on the way: the walk's end is looked at here and now. */
static void answer_now(torc_request *request, const torc_walk_end *end) {
    if (end->err)
        torc_reply_error(request, end->err);
    else if (end->route)
        torc_request_run(request, run_route, (void *)(uintptr_t)end->route, true);
    else if (end->found)
        torc_request_run(request, run_resource, end->found, end->found->on_fiber);
    else
        reply_unanswered(end);
}

/* Targets that name no place of the tree, or not one that may be asked for like this. */
static bool answer_oddity(torc_request *request) {
    if (torc_request_head(request)->target.form == TORC_TARGET_ASTERISK)
        reply_asterisk(request);
    else if (torc_request_is_misdirected(request))
        torc_reply_status(request, 421, "This is no https connection.");
    else
        return false;
    return true;
}

static void answer(torc_site *site, torc_request *request) {
    torc_walk walk;

    if (torc_request_head(request)->target.form != TORC_TARGET_ORIGIN && answer_oddity(request))
        return;
    (void)torc_walk_from(&walk, request, site->root);
    if (walk.scope_count > 0) {
        torc_errors_note(&walk);
        torc_passage_begin(&walk);
    } else {
        answer_now(request, &walk.end);
    }
}

static void request_received(torc_handler *handler, torc_request *request) {
    torc_site *site = site_of(handler);

    site->requests++;
    answer(site, request);
}

/* Name the methods of the whole path in Allow, as its places declare them. Rules that have changed
 * the path do so again. */
static void set_allow_by_walk(torc_site *site, torc_request *request) {
    torc_walk walk;

    if (torc_request_restart_path(request)) return;
    (void)torc_walk_from(&walk, request, site->root);
    set_allow(request, &walk.end);
}

/* A render declined, and may have said in Allow what it does answer. */
static void request_declined(torc_handler *handler, torc_request *request) {
    const torc_method method = torc_request_method(request);

    if (method == TORC_METHOD_OTHER) {
        torc_response_remove(request, "Allow");
        torc_reply_status(request, 501, NULL);
        return;
    }
    if (!torc_response_field(request, "Allow").bytes) set_allow_by_walk(site_of(handler), request);
    if (method != TORC_METHOD_OPTIONS) {
        torc_reply_status(request, 405, NULL);
        return;
    }
    torc_response_set_status(request, 204, NULL);
    (void)!torc_request_finish(request);
}

/* Developers are told what went wrong here, not what the peer did. */
static void write_error_page(torc_handler *handler, torc_request *request,
                             const torc_error_reply *error, bool is_plain) {
    if (!is_plain && torc_errors_answer(site_of(handler)->root, request, error)) return;
    if (!is_plain && handler->show_errors && error->status >= 500)
        torc_error_page_reply_open(request, error);
    else
        torc_error_page_reply_plain(request, error);
}

static void request_ended(torc_handler *handler, torc_request *request, torc_err reason) {
    torc_site *site = site_of(handler);

    (void)request;
    (void)reason;
    site->requests--;
    free_when_unused(site);
}

static void unused(torc_handler *handler) {
    free_when_unused(site_of(handler));
}

static const torc_handler_ops handler_ops = {
    .request_received = request_received,
    .request_declined = request_declined,
    .write_error_page = write_error_page,
    .request_ended = request_ended,
    .unused = unused,
};

torc_resource *torc_site_root_of(const torc_request *request) {
    torc_handler *handler = torc_request_handler(request);

    return handler->ops == &handler_ops ? site_of(handler)->root : NULL;
}

/* The options that were given, the rest as defaults; longer than the caller's struct is never read.
 */
static torc_site_options read_options(const torc_site_options *given) {
    torc_site_options options = {.size = sizeof(options)};

    TORC_OPTIONS_READ(&options, given);
    if (!options.server) options.server = "Torc/" TORC_VERSION;
    if (!options.default_content_type) options.default_content_type = "text/html";
    return options;
}

static bool copy_text(char *to, size_t size, const char *from) {
    return (size_t)snprintf(to, size, "%s", from) < size &&
           torc_field_value_is_valid(torc_str_of(from));
}

torc_site *torc_site_new(torc_resource *root, const torc_site_options *given) {
    const torc_site_options options = read_options(given);
    torc_site *site = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*site));

    if (!site || !root || torc_resource_err(root) ||
        !copy_text(site->server, sizeof(site->server), options.server) ||
        !copy_text(site->default_content_type, sizeof(site->default_content_type),
                   options.default_content_type) ||
        torc_site_fields_copy(options.fields, options.field_count, &site->fields)) {
        torc_resource_dispose(root);
        torc_dealloc(NULL, site);
        return NULL;
    }
    torc_handler_init(&site->handler, &handler_ops);
    site->root = root;
    site->allow_trace = options.allow_trace;
    site->handler.log = options.log;
    site->handler.show_errors = options.show_errors;
    site->handler.server = torc_str_of(site->server);
    site->handler.default_content_type = torc_str_of(site->default_content_type);
    if (site->fields.count) site->handler.fields = &site->fields;
    if (options.limits) {
        site->limits = *options.limits;
        site->handler.limits = &site->limits;
    }
    return site;
}

void torc_site_free(torc_site *site) {
    if (!site) return;
    site->handler.is_closed = true;
    free_when_unused(site);
}

torc_resource *torc_site_root(torc_site *site) {
    return site->root;
}

torc_resource *torc_site_resolve(torc_site *site, torc_request *request) {
    torc_walk walk;

    torc_request_path_of(request)->depth = 0;
    return torc_walk_from(&walk, request, site->root) && !walk.end.err ? walk.end.found : NULL;
}

void torc_site_set_context(torc_site *site, void *context) {
    site->handler.context = context;
}

torc_err torc_site_trust_proxies(torc_site *site, const torc_cidr *proxies, size_t count,
                                 torc_proxy_field field) {
    torc_cidr *copy = count ? torc_alloc_zero(NULL, TORC_MEMORY_OTHER, count, sizeof(*copy)) : NULL;

    if (count && !copy) return TORC_ERR_NO_MEMORY;
    if (count) memcpy(copy, proxies, count * sizeof(*copy));
    torc_dealloc(NULL, site->proxies);
    site->proxies = copy;
    site->handler.trusted = copy;
    site->handler.trusted_count = count;
    site->handler.trusts_forwarded = field == TORC_PROXY_FIELD_FORWARDED;
    site->handler.believes_scheme = true;
    site->handler.believes_host = site->handler.trusts_forwarded;
    return TORC_OK;
}

void torc_site_set_rate_store(torc_site *site, torc_rate_store *store) {
    site->rates = store;
}

torc_rate_store *torc_site_rate_store(torc_request *request) {
    torc_site *site = site_of(torc_request_handler(request));

    if (site->rates) return site->rates;
    if (!site->own_rates) site->own_rates = torc_rate_store_new(RATE_KEYS);
    return site->own_rates;
}

void torc_site_set_proxy_claims(torc_site *site, unsigned claims) {
    site->handler.believes_scheme = (claims & TORC_PROXY_SCHEME) != 0;
    site->handler.believes_host = (claims & TORC_PROXY_HOST) != 0;
    site->handler.believes_port = (claims & TORC_PROXY_PORT) != 0;
    site->handler.believes_prefix = (claims & TORC_PROXY_PREFIX) != 0;
}

void torc_site_add_observer(torc_site *site, torc_observer *observer) {
    torc_observer **last = &site->handler.observers;

    while (*last) last = &(*last)->next;
    observer->next = NULL;
    *last = observer;
}

torc_acceptor *torc_site_acceptor(torc_site *site) {
    return &site->handler.acceptor;
}
