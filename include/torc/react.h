/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACT_H
#define TORC_REACT_H

#include <torc/reactor.h>

/**
 * A small program on a reactor: one function on a fiber, and the end with it.
 *
 *     static torc_err copy(torc_reactor *reactor, void *context) { … }
 *     int main(void) { return torc_react(copy, NULL, NULL); }
 *
 * For servers see torc_app_run(), which also reads options, logs and starts workers.
 */

/** The program. It may wait; when it returns, the reactor stops and is freed. */
typedef torc_err torc_react_fn(torc_reactor *reactor, void *context);

TORC_BEGIN_DECLS

/**
 * Make a reactor (`options` may be NULL), run the function on a fiber of it until it returns, and
 * answer what main() does: 0, or 1 if it returned an error or there was no reactor, which the log
 * of the options is told. SIGINT and SIGTERM cancel the fiber with TORC_ERR_CANCELLED; if it
 * returns an error then, the answer is 128 and the signal's number, as the shell has it. After a
 * second signal the reactor is freed, which ends every wait, also what is shielded.
 */
TORC_API int torc_react(torc_react_fn *run, void *context, const torc_reactor_options *options);

TORC_END_DECLS

#endif
