/* SPDX-License-Identifier: MIT */
/*
 * The fields that a site adds to each of its responses.
 *
 *  - They are copied into one block: the items, and behind them their names and values.
 *  - What the server or the resource says of a message is theirs to say: such names are refused.
 */
#include "base/alloc.h"
#include "web/site.h"

enum {
    FIELDS_MAX = 64,
    BYTES_MAX = TORC_SITE_FIELD_BYTES_MAX
};

bool torc_site_may_add(torc_str name) {
    static const torc_field_id of_messages[] = {
        TORC_FIELD_ACCEPT_RANGES,
        TORC_FIELD_ALLOW,
        TORC_FIELD_CONNECTION,
        TORC_FIELD_CONTENT_ENCODING,
        TORC_FIELD_CONTENT_LENGTH,
        TORC_FIELD_CONTENT_RANGE,
        TORC_FIELD_CONTENT_TYPE,
        TORC_FIELD_DATE,
        TORC_FIELD_ETAG,
        TORC_FIELD_KEEP_ALIVE,
        TORC_FIELD_LAST_MODIFIED,
        TORC_FIELD_LOCATION,
        TORC_FIELD_PROXY_CONNECTION,
        TORC_FIELD_SERVER,
        TORC_FIELD_TE,
        TORC_FIELD_TRAILER,
        TORC_FIELD_TRANSFER_ENCODING,
        TORC_FIELD_UPGRADE,
        TORC_FIELD_WWW_AUTHENTICATE,
    };
    const torc_field_id id = torc_field_find(name);

    for (size_t i = 0; i < TORC_COUNT_OF(of_messages); i++)
        if (id == of_messages[i]) return false;
    return torc_field_name_is_valid(name);
}

/* How many bytes the names and values take, or more than BYTES_MAX when one cannot be sent. */
static size_t measure(const torc_field *fields, size_t count) {
    size_t bytes = 0;

    for (size_t i = 0; i < count && bytes <= BYTES_MAX; i++) {
        if (!torc_site_may_add(fields[i].name) || !torc_field_value_is_valid(fields[i].value))
            return BYTES_MAX + 1;
        bytes += fields[i].name.len + fields[i].value.len;
    }
    return bytes;
}

static torc_str copy(char **at, torc_str text) {
    const torc_str own = torc_str_make(*at, text.len);

    if (text.len) memcpy(*at, text.bytes, text.len);
    *at += text.len;
    return own;
}

torc_err torc_site_fields_copy(const torc_field *fields, size_t count, torc_fields *copies) {
    const size_t bytes = measure(fields, count), items_size = count * sizeof(*fields);

    *copies = (torc_fields){0};
    if (count == 0) return TORC_OK;
    if (count > FIELDS_MAX || bytes > BYTES_MAX) return TORC_ERR_INVALID;

    torc_field *items = torc_alloc(NULL, TORC_MEMORY_OTHER, items_size + bytes);
    if (!items) return TORC_ERR_NO_MEMORY;
    char *at = (char *)items + items_size;
    for (size_t i = 0; i < count; i++)
        items[i] = (torc_field){copy(&at, fields[i].name), copy(&at, fields[i].value),
                                torc_field_find(fields[i].name)};
    *copies = (torc_fields){.items = items, .count = (uint32_t)count};
    return TORC_OK;
}

void torc_site_fields_dispose(torc_fields *copies) {
    torc_dealloc(NULL, copies->items);
}
