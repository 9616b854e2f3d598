/* SPDX-License-Identifier: MIT */
/*
 * The PROXY header as bytes: what is one, what may become one, what is none, and what is written.
 */
#include <stdlib.h>
#include <torc/buf.h>
#include <torc/proxy_header.h>

#include "check.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(literal) torc_str_make(literal, sizeof(literal) - 1)

static void check_addr(const torc_addr *addr, const char *expected) {
    char text[TORC_ADDR_TEXT_MAX];
    check_str_of(torc_addr_text(addr, text), expected);
}

/* Every beginning of it may become it; with bytes behind it, it is the same. */
static torc_proxy_header parse(torc_str bytes) {
    torc_proxy_header header = {0}, untouched = {0};
    size_t len = 0;
    torc_buf more;

    for (size_t i = 0; i < bytes.len; i++) {
        check_err(torc_proxy_header_parse(torc_str_head(bytes, i), &header, &len), TORC_ERR_AGAIN);
        assert_memory_equal(&header, &untouched, sizeof(header));
    }
    check_ok(torc_proxy_header_parse(bytes, &header, &len));
    assert_int_equal(len, bytes.len);
    torc_buf_init(&more, NULL, TORC_MEMORY_OTHER, 100000);
    torc_buf_add(&more, bytes);
    torc_buf_add(&more, TORC_STR("GET / HTTP/1.1\r\n\r\n"));
    check_ok(torc_proxy_header_parse(torc_buf_str(&more), &untouched, &len));
    assert_int_equal(len, bytes.len);
    assert_int_equal(untouched.tlvs.len, header.tlvs.len);
    torc_buf_dispose(&more);
    return header;
}

static void refuse(torc_str bytes) {
    torc_proxy_header header;
    size_t len;
    const torc_err err = torc_proxy_header_parse(bytes, &header, &len);

    if (err != TORC_ERR_SYNTAX) fail_msg("taken: %.*s", (int)bytes.len, bytes.bytes);
}

static void version_1_is_read(void **state) {
    (void)state;
    torc_proxy_header header = parse(TORC_STR("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"));
    assert_int_equal(header.version, 1);
    assert_false(header.is_local);
    check_addr(&header.source, "192.0.2.1:56324");
    check_addr(&header.destination, "198.51.100.2:443");
    header = parse(TORC_STR("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"));
    check_addr(&header.source, "[2001:db8::1]:0");
    check_addr(&header.destination, "[::1]:65535");
    header = parse(TORC_STR("PROXY UNKNOWN\r\n"));
    assert_true(header.is_local);
    assert_int_equal(header.source.len, 0);
    header = parse(TORC_STR("PROXY UNKNOWN ffff:: whatever it is\r\n"));
    assert_true(header.is_local);
    /* The longest there can be. */
    header = parse(TORC_STR("PROXY UNKNOWN ffff:f...f:ffff:ffff:ffff:ffff:ffff:ffff "
                            "ffff:f...f:ffff:ffff:ffff:ffff:ffff 65535 6\r\n"));
}

static void version_1_is_strict(void **state) {
    static const char *const bad[] = {
        "GET / HTTP/1.1\r\n",
        "PROXX",
        "PROXY\r\n",
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 1\r\n",
        "PROXY  TCP4 192.0.2.1 198.51.100.2 56324 443\r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 1 443\n",
        "PROXY TCP4 192.0.2.256 198.51.100.2 1 443\r\n",
        "PROXY TCP4 ::1 ::1 1 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 1 443\r\n",
        "PROXY TCP6 ::1 198.51.100.2 1 443\r\n",
        "PROXY TCP6 fe80::1%1 ::1 1 443\r\n",
        "PROXY TCP5 192.0.2.1 198.51.100.2 1 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.2 1 443\r\n",
        "PROXY unknown\r\n",
        "proxy UNKNOWN\r\n",
        "PROXYUNKNOWN\r\n",
        "PROXY UNKNOWN\n",
    };
    char longest[200];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) refuse(torc_str_of(bad[i]));
    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "PROXY UNKNOWN ", 14);
    refuse(torc_str_make(longest, TORC_PROXY_V1_MAX));
    memcpy(longest + TORC_PROXY_V1_MAX - 1, "\r\n", 2); /* one byte too long */
    refuse(torc_str_make(longest, TORC_PROXY_V1_MAX + 1));
}

static void version_2_is_read(void **state) {
    (void)state;
    torc_proxy_header header =
        parse(BYTES(SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x02\x12\x34\x01\xbb"));
    assert_int_equal(header.version, 2);
    check_addr(&header.source, "192.0.2.1:4660");
    check_addr(&header.destination, "198.51.100.2:443");
    assert_int_equal(header.tlvs.len, 0);
    header = parse(BYTES(SIGNATURE "\x21\x21\0\x24"
                                   "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                                   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                                   "\0\x50\0\x51"));
    check_addr(&header.source, "[2001:db8::1]:80");
    check_addr(&header.destination, "[::1]:81");
    header = parse(BYTES(SIGNATURE "\x20\0\0\0"));
    assert_true(header.is_local);
    header = parse(BYTES(SIGNATURE "\x20\x11\0\x03xyz")); /* LOCAL: what follows is skipped */
    assert_true(header.is_local);
    assert_int_equal(header.tlvs.len, 0);
    header = parse(BYTES(SIGNATURE "\x21\0\0\0"));
    assert_true(header.is_local);
}

static void extensions_are_found(void **state) {
    torc_str value = {0};

    (void)state;
    const torc_proxy_header header =
        parse(BYTES(SIGNATURE "\x21\x11\0\x26\xc0\0\x02\x01\xc6\x33\x64\x02\x12\x34\x01\xbb"
                              "\x01\0\x02h2\x04\0\0\x02\0\x07"
                              "a.b.org"
                              "\x20\0\x05\x01\0\0\0\0"));
    assert_true(torc_proxy_header_tlv(&header, TORC_PROXY_TLV_ALPN, &value));
    check_str(value, "h2");
    assert_true(torc_proxy_header_tlv(&header, TORC_PROXY_TLV_AUTHORITY, &value));
    check_str(value, "a.b.org");
    assert_true(torc_proxy_header_tlv(&header, TORC_PROXY_TLV_NOOP, &value));
    assert_int_equal(value.len, 0);
    assert_false(torc_proxy_header_tlv(&header, TORC_PROXY_TLV_NETNS, &value));
    assert_true(header.is_secure);
}

/* The checksum of RFC 3720's annex B.4, in the way the protocol wants it. */
static void a_checksum_is_checked(void **state) {
    char bytes[] = SIGNATURE "\x21\x11\0\x13\xc0\0\x02\x01\xc6\x33\x64\x02\x12\x34\x01\xbb"
                             "\x03\0\x04\0\0\0\0";
    const torc_str whole = BYTES(bytes);
    uint32_t crc = UINT32_MAX;

    (void)state;
    refuse(whole);
    for (size_t i = 0; i < whole.len; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    crc = ~crc;
    for (size_t i = 0; i < 4; i++) bytes[whole.len - 4 + i] = (char)(crc >> (24 - 8 * i));
    (void)parse(whole);
    bytes[17] ^= 1;
    refuse(whole);
}

static void version_2_is_strict(void **state) {
    (void)state;
    refuse(BYTES("\r\n\r\nx"));
    refuse(BYTES(SIGNATURE "\x11"));         /* no such version */
    refuse(BYTES(SIGNATURE "\x22"));         /* no such command */
    refuse(BYTES(SIGNATURE "\x21\x41\0\0")); /* no such family */
    refuse(BYTES(SIGNATURE "\x21\x13\0\x0c"
                           "123456789012")); /* no such transport */
    refuse(BYTES(SIGNATURE "\x21\x11\0\x0b"
                           "12345678901")); /* too short for its addresses */
    refuse(BYTES(SIGNATURE "\x21\x11\0\x0d"
                           "1234567890123")); /* an extension that is cut short */
    refuse(BYTES(SIGNATURE "\x21\x11\0\x10"
                           "123456789012\x01\0\x02h")); /* so is this */
}

/* What is written is read as it was. */
static void there_and_back(const torc_proxy_header *header, const char *source,
                           const char *destination) {
    torc_buf bytes;

    torc_buf_init(&bytes, NULL, TORC_MEMORY_OTHER, 100000);
    check_ok(torc_proxy_header_format(header, &bytes));
    const torc_proxy_header again = parse(torc_buf_str(&bytes));
    assert_int_equal(again.version, header->version);
    check_addr(&again.source, source);
    check_addr(&again.destination, destination);
    check_str(again.tlvs, ""); /* none were given */
    torc_buf_dispose(&bytes);
}

static void headers_are_written(void **state) {
    torc_proxy_header header = {0};

    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        header = (torc_proxy_header){.version = version};
        check_ok(torc_addr_parse(TORC_STR("192.0.2.1"), 1, &header.source));
        check_ok(torc_addr_parse(TORC_STR("192.0.2.2"), 65535, &header.destination));
        there_and_back(&header, "192.0.2.1:1", "192.0.2.2:65535");
        header.is_local = true;
        there_and_back(&header, "", "");
        header = (torc_proxy_header){.version = version};
        check_ok(
            torc_addr_parse(TORC_STR("2001:db8:1111:2222:3333:4444:5555:6666"), 1, &header.source));
        check_ok(torc_addr_parse(TORC_STR("::1"), 2, &header.destination));
        there_and_back(&header, "[2001:db8:1111:2222:3333:4444:5555:6666]:1", "[::1]:2");
    }
}

static torc_addr unix_addr(torc_str path) {
    torc_addr addr = {.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len)};
    addr.as.un.sun_family = AF_UNIX;
    memcpy(addr.as.un.sun_path, path.bytes, path.len);
    return addr;
}

static void paths_are_written(void **state) {
    (void)state;
    const torc_proxy_header header = {.version = 2,
                                      .source = unix_addr(BYTES("/run/a.sock\0")),
                                      .destination = unix_addr(BYTES("\0abstract"))};
    there_and_back(&header, "/run/a.sock", "@abstract");
    const torc_proxy_header old = {
        .version = 1, .source = header.source, .destination = header.destination};
    there_and_back(&old, "", "");
}

static void what_cannot_be_written_is_refused(void **state) {
    static char tlvs[65536];
    torc_proxy_header header = {.version = 2, .source = unix_addr(BYTES("/a\0"))};
    torc_buf bytes;

    (void)state;
    torc_buf_init(&bytes, NULL, TORC_MEMORY_OTHER, 1000000);
    check_ok(torc_addr_parse(TORC_STR("::1"), 2, &header.destination));
    check_err(torc_proxy_header_format(&header, &bytes), TORC_ERR_INVALID);
    header.source = header.destination;
    header.tlvs = torc_str_make(tlvs, 65536 - 36);
    check_err(torc_proxy_header_format(&header, &bytes), TORC_ERR_INVALID);
    assert_int_equal(bytes.len, 0);
    header.tlvs = torc_str_make(tlvs, 0);
    torc_buf_dispose(&bytes);
    torc_buf_init(&bytes, NULL, TORC_MEMORY_OTHER, 10);
    check_err(torc_proxy_header_format(&header, &bytes), TORC_ERR_LIMIT);
    torc_buf_dispose(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_is_read),
        cmocka_unit_test(version_1_is_strict),
        cmocka_unit_test(version_2_is_read),
        cmocka_unit_test(extensions_are_found),
        cmocka_unit_test(a_checksum_is_checked),
        cmocka_unit_test(version_2_is_strict),
        cmocka_unit_test(headers_are_written),
        cmocka_unit_test(paths_are_written),
        cmocka_unit_test(what_cannot_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
