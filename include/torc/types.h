/* SPDX-License-Identifier: MIT */
#ifndef TORC_TYPES_H
#define TORC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * What every other header stands on: the macros of declarations, and the names of the
 * library's objects, so that a header can speak of an object without including its header.
 */

#ifdef __cplusplus
#define TORC_BEGIN_DECLS extern "C" {
#define TORC_END_DECLS }
#else
#define TORC_BEGIN_DECLS
#define TORC_END_DECLS
#endif

/** Marks what the shared library exports; everything else is hidden. */
#define TORC_API __attribute__((visibility("default")))
/** The compiler complains when the result is dropped. */
#define TORC_MUST_CHECK __attribute__((warn_unused_result))
/** Arguments from `first` on are checked against the printf format at `place`. */
#define TORC_PRINTF(place, first) __attribute__((format(printf, place, first)))

/** The object that holds `member` at address `pointer`. */
#define torc_container_of(pointer, type, member)                                                   \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/** Number of elements of an array (not of a pointer). */
#define TORC_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** A place in a doubly linked ring; embedded in what is listed. Zero: in no list. Private. */
typedef struct torc_list_node {
    struct torc_list_node *next, *prev;
} torc_list_node;

/** A place in a heap; embedded in what is ordered. Zero: in no heap. Private. */
typedef struct torc_heap_node {
    struct torc_heap_node *child; /* the first of those below */
    struct torc_heap_node *next;  /* the next of those below the same one */
    struct torc_heap_node *prev;  /* the one before, or above the first; the top's is itself */
} torc_heap_node;

typedef struct torc_addr torc_addr;
typedef struct torc_app torc_app;
typedef struct torc_arena torc_arena;
typedef struct torc_buf torc_buf;
typedef struct torc_chain torc_chain;
typedef struct torc_coder_pool torc_coder_pool;
typedef struct torc_deferred torc_deferred;
typedef struct torc_failure torc_failure;
typedef struct torc_fiber torc_fiber;
typedef struct torc_json torc_json;
typedef struct torc_limits torc_limits;
typedef struct torc_listener torc_listener;
typedef struct torc_log torc_log;
typedef struct torc_memory torc_memory;
typedef struct torc_producer torc_producer;
typedef struct torc_protocol torc_protocol;
typedef struct torc_factory torc_factory;
typedef struct torc_reactor torc_reactor;
typedef struct torc_request torc_request;
typedef struct torc_resource torc_resource;
typedef struct torc_site torc_site;
typedef struct torc_ticket torc_ticket;
typedef struct torc_timer torc_timer;
typedef struct torc_transport torc_transport;

#endif
