/* SPDX-License-Identifier: MIT */
#ifndef TORC_LINK_H
#define TORC_LINK_H

#include <torc/buf.h>
#include <torc/request.h>

/**
 * Links: URLs of the site as its client sees it, and references from one page to another.
 *
 * The path that led to the resource that renders (prepath) is the first torc_request_depth()
 * segments; what a leaf is left with (postpath) is the rest. Appending fails stickily, as with all
 * buffers.
 */

TORC_BEGIN_DECLS

/**
 * Append the URL of the first `depth` segments, as they were sent, with scheme and authority and
 * without the query: torc_request_depth() for the resource that renders, 0 for the site itself
 * ("http://host/"). Who named no host (in HTTP/1.0) is taken to have asked the address.
 */
TORC_API void torc_request_add_url(const torc_request *request, size_t depth, torc_buf *url);
/** Append the URL that was asked for, as it was sent, with its query. */
TORC_API void torc_request_add_asked_url(const torc_request *request, torc_buf *url);
/**
 * What a trusted proxy took from the front of the path ("/app"), to be put in front of paths that a
 * page links to: a slash and more, without one at the end; or empty. The URLs here have it.
 */
TORC_API torc_str torc_request_prefix(const torc_request *request);
/**
 * Append a reference to the child `name` (not yet escaped) of the resource that renders, relative
 * to what was asked for: it holds behind front ends that change the beginning of paths.
 */
TORC_API void torc_request_add_child_link(const torc_request *request, torc_str name,
                                          torc_buf *link);
/** The same of what stands beside the resource that renders. */
TORC_API void torc_request_add_sibling_link(const torc_request *request, torc_str name,
                                            torc_buf *link);

/**
 * Remember that an application of several resources has its root at the resource that is asked or
 * renders now; resources beneath link to it by torc_request_root_depth().
 */
TORC_API void torc_request_remember_root(torc_request *request);
/** How many segments led to the root that was remembered last; 0 if none was. */
TORC_API size_t torc_request_root_depth(const torc_request *request);

/**
 * Let the request have come to `authority` ("host", "host:port"; copied), by https or not, instead
 * of where its bytes say: what a front end that is trusted tells. From then on
 * torc_request_authority(), torc_request_hostname(), torc_request_scheme() and
 * torc_request_is_secure() answer that. TORC_ERR_SYNTAX: it is no authority; TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_request_set_origin(torc_request *request, torc_str authority,
                                          bool is_secure) TORC_MUST_CHECK;
/**
 * Let the path be its first `depth` segments, as they are, and behind them those of `rest`
 * ("/a%20b/c", copied), whose query replaces the one that was asked, if it has any. For who stands
 * in for a resource (see <torc/resource.h>): the walk goes on behind these `depth` segments.
 * torc_request_path() and torc_request_query() answer what is new, torc_request_target() what was
 * asked. TORC_ERR_SYNTAX: it is no such path; TORC_ERR_NO_MEMORY; then nothing has changed.
 */
TORC_API torc_err torc_request_set_rest(torc_request *request, size_t depth,
                                        torc_str rest) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
