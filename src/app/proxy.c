/* SPDX-License-Identifier: MIT */
/*
 * PROXY headers before an endpoint's connections.
 */
#include "app/proxy.h"

#include <torc/cidr.h>
#include <torc/proxy_header.h>

#include "app/app.h"

static torc_err read_ranges(const char *text, torc_cidr ranges[TORC_APP_PROXIES_MAX],
                            size_t *count) {
    torc_str rest = torc_str_of(text), range;

    while (torc_str_split(&rest, ',', &range)) {
        if (*count == TORC_APP_PROXIES_MAX) return TORC_ERR_LIMIT;
        const torc_err err = torc_cidr_parse(torc_str_trim(range), &ranges[*count]);
        if (err) return err;
        ++*count;
    }
    return TORC_OK;
}

torc_err torc_app_proxy_add_filter(const torc_app *app, size_t row, torc_filters *filters) {
    const torc_endpoint *endpoint = &app->sockets.rows[row]->endpoint;
    const char *allow = torc_endpoint_text_of(&endpoint->texts, endpoint->proxy.allow);
    torc_cidr ranges[TORC_APP_PROXIES_MAX];
    torc_proxy_header_options options = {.size = sizeof(options),
                                         .header_ms = endpoint->proxy.timeout_ms};
    torc_filter_factory *factory;

    if (!endpoint->has_proxy) return TORC_OK;
    torc_err err = allow ? read_ranges(allow, ranges, &options.trusted_count) : TORC_OK;
    options.trusted = allow ? ranges : NULL;
    if (!err) err = torc_proxy_header_filter_new(app->reactor, &options, &factory);
    return err ? err : torc_filters_add(filters, factory);
}
