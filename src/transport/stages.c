/* SPDX-License-Identifier: MIT */
/*
 * Building what stands on a connection, and the counted factories that it is made by.
 *
 *  - A filter that is a gate ends the building, which goes on from there when it opens. So a
 *    protocol is made when what it may ask (the peer's address, what TLS has agreed) is known.
 *  - A stage that cannot be made aborts the connection by its topmost transport, which takes the
 *    filters below with it.
 */
#include "transport/stages.h"

#include "transport/filter.h"

torc_filter_factory *torc_filter_factory_ref(torc_filter_factory *factory) {
    atomic_fetch_add_explicit(&factory->refs, 1, memory_order_relaxed);
    return factory;
}

void torc_filter_factory_unref(torc_filter_factory *factory) {
    if (!factory || atomic_fetch_sub_explicit(&factory->refs, 1, memory_order_acq_rel) > 1) return;
    if (factory->free) factory->free(factory);
}

torc_err torc_filters_add(torc_filters *filters, torc_filter_factory *factory) {
    if (filters->count == TORC_FILTERS_MAX) {
        torc_filter_factory_unref(factory);
        return TORC_ERR_LIMIT;
    }
    filters->factories[filters->count++] = factory;
    return TORC_OK;
}

void torc_filters_dispose(torc_filters *filters) {
    for (size_t i = 0; i < filters->count; i++) torc_filter_factory_unref(filters->factories[i]);
    *filters = (torc_filters){0};
}

void torc_stages_init(torc_stages *stages, const torc_filters *filters, torc_factory *factory) {
    *stages = (torc_stages){.factory = factory, .output_max = TORC_TRANSPORT_OUTPUT_MAX};
    if (!filters) return;
    stages->filters = *filters;
    for (size_t i = 0; i < filters->count; i++) torc_filter_factory_ref(filters->factories[i]);
}

void torc_stages_dispose(torc_stages *stages) {
    torc_filters_dispose(&stages->filters);
}

static void tell(torc_stages *stages, torc_transport *top, torc_err err) {
    if (stages->built) stages->built(stages, top, err);
    if (err) torc_transport_abort_with(top, err);
}

static void build_protocol(torc_stages *stages, torc_transport *top) {
    torc_protocol *protocol;

    top->output_max = stages->output_max;
    const torc_err err = stages->factory->ops->build_protocol(stages->factory, top, &protocol);
    tell(stages, top, err);
    if (!err) torc_transport_made(top, protocol);
}

void torc_stages_continue(torc_stages *stages, size_t next, torc_transport *below) {
    for (; next < stages->filters.count; next++) {
        torc_filter_factory *factory = stages->filters.factories[next];
        torc_filter *filter;
        const torc_err err = factory->build_filter(factory, below, &filter);
        if (err) {
            tell(stages, below, err);
            return;
        }
        if (filter->ops->is_gate) {
            filter->stages = stages;
            filter->next_stage = (uint8_t)(next + 1);
            (void)torc_filter_stack(filter, below);
            return;
        }
        below = torc_filter_stack(filter, below);
    }
    build_protocol(stages, below);
}

void torc_stages_build(torc_stages *stages, torc_transport *bottom) {
    torc_stages_continue(stages, 0, bottom);
}
