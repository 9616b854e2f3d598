/* SPDX-License-Identifier: MIT */
/*
 * Choosing among variants by Accept.
 *
 *  - What was chosen depends on the field, also where that is lacking: Vary says so in any case.
 */
#include <torc/variant.h>

#include <torc/accept.h>

torc_render torc_reply_variant(torc_request *request, const torc_variant *variants, size_t count,
                               const void *data) {
    const torc_variant *best = NULL;
    int most = 0;

    for (size_t i = 0; i < count; i++) {
        const int weight =
            torc_accept_type_weight(torc_request_fields(request), torc_str_of(variants[i].type));
        if (weight <= most) continue;
        most = weight;
        best = &variants[i];
    }
    torc_response_add_vary(request, "Accept");
    return best ? best->reply(request, data) : torc_reply_status(request, 406, NULL);
}
