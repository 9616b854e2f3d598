/* SPDX-License-Identifier: MIT */
/*
 * Going over to another protocol.
 *
 *  - Nothing is sent before it is certain that the wire can do it.
 */
#include <torc/upgrade.h>

#include "http/request_state.h"

bool torc_request_offers_upgrade(const torc_request *request, const char *name) {
    const torc_fields *fields = torc_request_fields(request);

    return request->head->version == 11 &&
           torc_fields_have_member(fields, TORC_FIELD_CONNECTION, TORC_STR("upgrade")) &&
           torc_fields_have_member(fields, TORC_FIELD_UPGRADE, torc_str_of(name));
}

static torc_err send_switching(torc_request *request, const char *name) {
    const torc_str no_body = TORC_STR("");

    torc_response_set(request, "Upgrade", torc_str_of(name));
    if (request->failure) return (torc_err)request->failure;
    request->sent.status = 101;
    if (request->hooks) torc_response_prepare(request, &no_body, NULL);
    if (request->failure) return (torc_err)request->failure;
    torc_response_send_head(request, 0);
    return (torc_err)request->failure;
}

torc_err torc_request_upgrade(torc_request *request, const char *name, torc_factory *factory) {
    const torc_exchange_wire *wire = request->exchange->wire;

    if (request_is_over(request)) return TORC_ERR_GONE;
    if (request->is_started) return TORC_ERR_STATE;
    if (!wire->hand_over || request->head->body_len != 0 ||
        !torc_request_offers_upgrade(request, name))
        return TORC_ERR_UPGRADE;
    torc_err err = send_switching(request, name);
    if (!err) err = wire->hand_over(request->exchange, factory);
    if (err) {
        torc_response_fail(request, err);
        (void)torc_response_conclude(request);
        return err;
    }
    torc_request_finished(request, TORC_OK);
    return TORC_OK;
}
