/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_LISTEN_H
#define TORC_APP_LISTEN_H

#include <torc/listen.h>
#include <torc/site.h>

/* As torc_listen_http() on a socket that listens already, which is the listener's if this succeeds.
 */
torc_err torc_listen_http_fd(torc_reactor *reactor, int fd, torc_acceptor *acceptor,
                             const torc_http_options *options,
                             torc_listener **listener) TORC_MUST_CHECK;

/* As torc_listen_http() over standard input and output: one connection, of whose end `served` is
 * told. */
torc_err torc_listen_http_stdio(torc_reactor *reactor, torc_acceptor *acceptor,
                                const torc_http_options *options,
                                void (*served)(torc_listener *listener, void *context),
                                void *context, torc_listener **listener) TORC_MUST_CHECK;

/* Stop accepting, let the busy connections end with their requests, and close the idle ones: at
 * once, or when they have been idle for so long. */
void torc_listener_drain(torc_listener *listener, uint32_t idle_ms);
/* Requests that came by it. */
uint64_t torc_listener_requests(const torc_listener *listener);

#endif
