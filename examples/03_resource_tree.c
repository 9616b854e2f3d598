/* SPDX-License-Identifier: MIT */
/* The resource tree: fixed children, and children found by name when they are asked for. */
#include <torc/torc.h>

typedef struct greeting {
    torc_resource base;
    torc_str name;
} greeting;

static torc_render render_greeting(torc_resource *resource, torc_request *request) {
    const greeting *self = torc_container_of(resource, greeting, base);

    torc_request_write(request, TORC_STR("Hello, "));
    torc_request_write(request, self->name);
    torc_request_write(request, TORC_STR("!\n"));
    return torc_reply_end(request);
}

static const torc_resource_ops greeting_ops = {.render = render_greeting};

/* "/greet/anybody": a resource made for this request, in its arena. */
static torc_resource *find_greeting(torc_resource *resource, torc_request *request, torc_str name) {
    greeting *child = torc_arena_alloc(torc_request_arena(request), sizeof(*child));

    (void)resource;
    if (!child) return NULL;
    torc_resource_init(&child->base, &greeting_ops);
    child->base.methods = torc_method_bit(TORC_METHOD_GET);
    child->name = name;
    return &child->base;
}

static const torc_resource_ops greetings_ops = {.find_child = find_greeting};

int main(int argc, char **argv) {
    static torc_resource greetings;
    torc_app *app = torc_app_new("resource_tree");
    torc_resource *root = torc_app_root(app);

    torc_resource_init(&greetings, &greetings_ops);
    torc_resource_put_child(root, "",
                            torc_data_new(TORC_STR("Greet somebody: /greet/name\n"), "text/plain"));
    torc_resource_put_child(root, "greet", &greetings);
    torc_resource_put_child(root, "home", torc_redirect_new(302, "/"));
    torc_resource_put_child(root, "secret", torc_error_page_new(403, "Forbidden", "Not for you."));
    return torc_app_run(app, argc, argv);
}
