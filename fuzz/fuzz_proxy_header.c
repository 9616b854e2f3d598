/* SPDX-License-Identifier: MIT */
/*
 * PROXY headers: what is read is within what came, no beginning of it is refused, and what is
 * written of it is read as the same.
 */
#include <torc/proxy_header.h>

#include "fuzz.h"

static void check_again(const torc_proxy_header *header) {
    torc_proxy_header again;
    torc_str checksum; /* another for other bytes */
    torc_buf bytes;
    size_t len;

    torc_buf_init(&bytes, NULL, TORC_MEMORY_OTHER, 100000);
    FUZZ_CHECK(torc_proxy_header_format(header, &bytes) == TORC_OK);
    FUZZ_CHECK(torc_proxy_header_parse(torc_buf_str(&bytes), &again, &len) == TORC_OK);
    FUZZ_CHECK(len == bytes.len);
    FUZZ_CHECK(again.version == header->version && again.is_local == header->is_local);
    FUZZ_CHECK(torc_addr_equals(&again.source, &header->source));
    FUZZ_CHECK(torc_addr_equals(&again.destination, &header->destination));
    FUZZ_CHECK(again.tlvs.len == header->tlvs.len);
    if (!torc_proxy_header_tlv(header, TORC_PROXY_TLV_CRC32C, &checksum))
        FUZZ_CHECK(torc_str_equals(again.tlvs, header->tlvs));
    torc_buf_dispose(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *const copy = fuzz_copy(torc_str_make((const char *)data, size));
    const torc_str bytes = torc_str_make(copy, size);
    torc_proxy_header header;
    torc_str value;
    size_t len;

    if (!torc_proxy_header_parse(bytes, &header, &len)) {
        FUZZ_CHECK(len > 0 && len <= size);
        for (size_t i = 0; i < len; i += 1 + len / 64) {
            torc_proxy_header part;
            size_t part_len;
            FUZZ_CHECK(torc_proxy_header_parse(torc_str_head(bytes, i), &part, &part_len) ==
                       TORC_ERR_AGAIN);
        }
        if (torc_proxy_header_tlv(&header, TORC_PROXY_TLV_AUTHORITY, &value))
            FUZZ_CHECK(value.bytes >= copy && value.bytes + value.len <= copy + len);
        check_again(&header);
    }
    free(copy);
    return 0;
}
