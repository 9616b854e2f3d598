/* SPDX-License-Identifier: MIT */
/*
 * The page of a program that has nothing else to say yet. It needs nothing from elsewhere.
 */
#include <torc/reply.h>
#include <torc/resource.h>
#include <torc/version.h>

#include "base/alloc.h"

static const char page[] =
    "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Torc runs</title>\n"
    "<style>\n"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;font:17px/1.6 "
    "system-ui,sans-serif;color:#1b1f24;background:#f4f1ea}\n"
    "main{max-width:40em;padding:2em}\n"
    "h1{margin:0;font-size:3em;letter-spacing:-.03em}h1 span{color:#b5651d}\n"
    "pre{padding:1em 1.2em;overflow-x:auto;border-left:4px solid #b5651d;background:#fff;"
    "font:14px/1.5 ui-monospace,monospace}\n"
    "small{color:#6b6459}\n"
    "@media(prefers-color-scheme:dark){body{color:#ece7de;background:#171512}"
    "pre{background:#23201b}small{color:#a89f90}}\n"
    "</style></head>\n<body><main>\n"
    "<h1><span>&#9711;</span> It runs.</h1>\n"
    "<p>This program answers by Torc, and has no resources of its own yet. Give it one:</p>\n"
    "<pre>static torc_render hello(torc_request *request) {\n"
    "    return torc_reply_text(request, 200, \"Hello, world!\\n\");\n}\n\n"
    "torc_app_route(app, \"GET /\", hello);</pre>\n"
    "<p>Or serve a folder: <code>torc web --path site/</code>. What any program can do is told by "
    "<code>--help</code>, what it answers by <code>--routes</code>; the tutorial begins with "
    "<code>docs/tutorial/1-hello.md</code>.</p>\n"
    "<p><small>Torc " TORC_VERSION "</small></p>\n</main></body>\n</html>\n";

static torc_render render(torc_resource *resource, torc_request *request) {
    (void)resource;
    return torc_reply_static(request, 200, "text/html; charset=utf-8",
                             torc_str_make(page, sizeof(page) - 1));
}

static void dispose(torc_resource *resource) {
    torc_dealloc(NULL, resource);
}

static const torc_resource_ops ops = {.render = render, .dispose = dispose};

torc_resource *torc_demo_new(void) {
    torc_resource *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    torc_resource_init(self, &ops);
    self->methods = torc_method_bit(TORC_METHOD_GET);
    return self;
}
