/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_FILTER_H
#define TORC_TRANSPORT_FILTER_H

#include "transport/transport.h"

/*
 * Filters: stages of a byte stream.
 *
 * A filter is the protocol of the stage below and the transport of the stage above: chains go down,
 * consumed bytes go up, demand, end and failure go both ways. TLS, the PROXY header, throttling and
 * traffic logging are filters; they stack in any order on any listener. A filter that changes
 * nothing in one direction leaves that member NULL and the bytes pass through as they are.
 */
typedef struct torc_filter torc_filter;
typedef struct torc_filter_ops {
    /* Bytes from below: give what they become to torc_filter_deliver(); answers how many it consumed. */
    size_t (*received)(torc_filter *filter, torc_str bytes);
    /* Bytes from above: move what they become from `from` to torc_filter_below(); all of them. */
    torc_err (*send)(torc_filter *filter, torc_chain *from);
    void (*made)(torc_filter *filter);                 /* the connection below is there */
    void (*peer_ended)(torc_filter *filter);           /* NULL: passed up */
    void (*shut_down)(torc_filter *filter);            /* NULL: passed down */
    void (*free)(torc_filter *filter);                 /* the last */
    bool sends_files;                                  /* file ranges may pass through it */
} torc_filter_ops;

struct torc_filter {
    torc_transport above; /* what the stage above uses */
    torc_protocol below;  /* what the stage below tells */
    const torc_filter_ops *ops;
};

/* Makes a filter for each connection; belongs to whoever configured the listener. */
typedef struct torc_filter_factory torc_filter_factory;
struct torc_filter_factory {
    torc_err (*build_filter)(torc_filter_factory *factory, torc_reactor *reactor, torc_filter **filter);
    torc_filter_factory *next; /* the stage above */
};

void torc_filter_init(torc_filter *filter, torc_reactor *reactor, const torc_filter_ops *ops);
/* Give bytes to the stage above; what it did not consume is kept by the filter and given again. */
torc_err torc_filter_deliver(torc_filter *filter, torc_str bytes) TORC_MUST_CHECK;
/* The transport below. */
torc_transport *torc_filter_below(torc_filter *filter);
/* Put `filter` between the transport and the protocol that is to stand on it. */
void torc_filter_stack(torc_filter *filter, torc_protocol *protocol);

#endif
