/* SPDX-License-Identifier: MIT */
#ifndef TORC_DUMP_H
#define TORC_DUMP_H

#include <torc/reactor.h>
#include <torc/str.h>

/**
 * What a reactor waits for, in lines for people: its descriptors with their peers, its timers, its
 * fibers with what they do and the stacks on which they wait, deferreds that have not fired, jobs
 * of threads. Programs made with torc_app write it to their log on SIGRTMIN.
 *
 * The stack of a fiber is walked by the compiler's unwinder, on that stack (x86-64 and aarch64
 * alike; one that has less than 16 KiB left is left out). Static functions have names as long as
 * the program was not stripped. It takes a while and allocates, so it is nothing for every second.
 */

/** Told each line, without its end; not of more than 300 bytes. */
typedef void torc_dump_fn(void *context, torc_str line);

TORC_BEGIN_DECLS

/** Tell all of it, from inside this call. Of each kind of things the first 200 are told. */
TORC_API void torc_reactor_dump(torc_reactor *reactor, torc_dump_fn *line, void *context);
/** The same into the reactor's log, as events of the namespace `dump`. */
TORC_API void torc_reactor_dump_to_log(torc_reactor *reactor);

TORC_END_DECLS

#endif
