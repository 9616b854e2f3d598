/* SPDX-License-Identifier: MIT */
#ifndef TORC_OPENAPI_H
#define TORC_OPENAPI_H

#include <torc/json.h>
#include <torc/route.h>

/**
 * OpenAPI: a document (version 3.1) of all routes of a tree, made from their patterns and options.
 *
 *     static const torc_openapi_info info = {.title = "Notes", .version = "1"};
 *     torc_resource_put_child(root, "openapi.json", torc_openapi_new(&info));
 *
 * Each route is an operation: its name is the operationId, each parameter of its path is told with
 * its kind, what the options tell of inputs, body and responses is told as it is. A route without
 * responses answers "default"; one that checks its inputs answers 400, too. Left out are hidden
 * routes, resources, and methods that OpenAPI does not know; a route for any method is told as GET,
 * POST, PUT, PATCH and DELETE, with their names behind its own. A rest is a parameter whose value
 * has slashes in it.
 *
 * Two patterns that differ in nothing but the names or kinds of parameters are one path there, with
 * the names of the first; of the same method the first is told.
 */
typedef struct torc_openapi_info {
    const char *title;
    const char *version;
    const char *description; /* NULL: none */
    const char *server_url;  /* what stands before the paths, if it is not this server: NULL */
} torc_openapi_info;

TORC_BEGIN_DECLS

/** Write the document, as one value, without what is there for hosts alone. The first failure: the
 * writer's, or TORC_ERR_LIMIT of a tree that is too deep. */
TORC_API torc_err torc_openapi_write(const torc_resource *root, const torc_openapi_info *info,
                                     torc_json *json) TORC_MUST_CHECK;
/**
 * A resource that answers GET with the document of the site that it is in; within a host, of what
 * there is for that. It is made at the first request, and kept. `info` must live as long. NULL when
 * out of memory.
 */
TORC_API torc_resource *torc_openapi_new(const torc_openapi_info *info);
/** Make the document anew at the next request: routes were added or removed. */
TORC_API void torc_openapi_refresh(torc_resource *resource);

/** Schemas for torc_route_content: `of` a torc_json_struct (<torc/json_struct.h>), or a list of
 * these; text, any object; a list of what is as the torc_route_content `of` says. */
TORC_API void torc_schema_struct(torc_json *json, const void *of);
TORC_API void torc_schema_structs(torc_json *json, const void *of);
TORC_API void torc_schema_text(torc_json *json, const void *of);
TORC_API void torc_schema_object(torc_json *json, const void *of);
TORC_API void torc_schema_list(torc_json *json, const void *of);

TORC_END_DECLS

#endif
