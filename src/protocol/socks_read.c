/* SPDX-License-Identifier: MIT */
/*
 * What a client of a SOCKS server says, read by a machine of states.
 *
 *   4:  04 command port(2) address(4) user NUL [host NUL, where the address is 0.0.0.x]
 *   5:  05 count methods; then, with passwords, 01 len user len password;
 *       05 command 00 kind address port(2)
 *
 *  - What can be answered in the client's version is refused by an answer; what is no SOCKS at all
 *    ends the connection.
 */
#include "protocol/socks_session.h"
#include "transport/transport.h"

static torc_socks_session *of_machine(torc_stateful *machine) {
    return torc_container_of(machine, torc_socks_session, machine);
}

/* ---- reading: version 4 ---- */

static void set_in(torc_socks_session *self, const char *host) {
    self->addr = (torc_addr){.len = sizeof(self->addr.as.in)};
    self->addr.as.in.sin_family = AF_INET;
    self->addr.as.in.sin_port = htons(self->port);
    memcpy(&self->addr.as.in.sin_addr, host, 4);
}

/* Add to a text that a NUL ends; true when it has come. Too long a one is refused. */
static bool add_to_text(torc_socks_session *self, char byte) {
    if (byte == '\0') {
        self->text[self->text_len] = '\0';
        return true;
    }
    if (self->text_len == TORC_SOCKS_TEXT_MAX)
        torc_transport_abort_with(self->machine.base.transport, TORC_ERR_PEER);
    else
        self->text[self->text_len++] = byte;
    return false;
}

static void got_host_4(torc_stateful *machine, torc_str bytes) {
    torc_socks_session *self = of_machine(machine);
    if (add_to_text(self, bytes.bytes[0])) torc_socks_request_received(self);
}

static void got_user_4(torc_stateful *machine, torc_str bytes) {
    torc_socks_session *self = of_machine(machine);

    if (!add_to_text(self, bytes.bytes[0])) return;
    if (self->socks->options.check_password) {
        torc_socks_refuse(self, TORC_SOCKS_NOT_ALLOWED, "version 4 has no passwords");
        return;
    }
    const uint32_t host = ntohl(self->addr.as.in.sin_addr.s_addr);
    if (host > 0 && host < 256) { /* 4a: a name follows */
        self->addr = (torc_addr){0};
        self->text_len = 0;
        torc_stateful_next(machine, got_host_4, 1);
        return;
    }
    self->text[0] = '\0';
    torc_socks_request_received(self);
}

static void got_request_4(torc_stateful *machine, torc_str bytes) {
    torc_socks_session *self = of_machine(machine);

    self->command = (uint8_t)bytes.bytes[0];
    self->port = (uint16_t)((unsigned char)bytes.bytes[1] << 8 | (unsigned char)bytes.bytes[2]);
    if (self->command != TORC_SOCKS_CONNECT && self->command != TORC_SOCKS_BIND) {
        torc_socks_refuse(self, TORC_SOCKS_NO_SUCH_COMMAND, "no such command");
        return;
    }
    set_in(self, bytes.bytes + 3);
    torc_stateful_next(machine, got_user_4, 1);
}

/* ---- reading: version 5 ---- */

static void got_addr_5(torc_stateful *machine, torc_str bytes) {
    torc_socks_session *self = of_machine(machine);
    const char *port = bytes.bytes + bytes.len - 2;

    self->port = (uint16_t)((unsigned char)port[0] << 8 | (unsigned char)port[1]);
    if (self->kind == 1) {
        set_in(self, bytes.bytes);
    } else if (self->kind == 4) {
        self->addr = (torc_addr){.len = sizeof(self->addr.as.in6)};
        self->addr.as.in6.sin6_family = AF_INET6;
        self->addr.as.in6.sin6_port = htons(self->port);
        memcpy(&self->addr.as.in6.sin6_addr, bytes.bytes, 16);
    } else {
        memcpy(self->text, bytes.bytes, bytes.len - 2);
        self->text[bytes.len - 2] = '\0';
        if (strlen(self->text) < bytes.len - 2) {
            torc_socks_refuse(self, TORC_SOCKS_FAILED, "a name with a NUL in it");
            return;
        }
    }
    torc_socks_request_received(self);
}

static void got_name_len_5(torc_stateful *machine, torc_str bytes) {
    torc_stateful_next(machine, got_addr_5, (size_t)(unsigned char)bytes.bytes[0] + 2);
}

static void got_request_5(torc_stateful *machine, torc_str bytes) {
    torc_socks_session *self = of_machine(machine);

    self->command = (uint8_t)bytes.bytes[1];
    self->kind = (uint8_t)bytes.bytes[3];
    if (bytes.bytes[0] != 5 || bytes.bytes[2] != 0)
        torc_transport_abort_with(machine->base.transport, TORC_ERR_PEER);
    else if (self->command != TORC_SOCKS_CONNECT && self->command != TORC_SOCKS_BIND)
        torc_socks_refuse(self, TORC_SOCKS_NO_SUCH_COMMAND, "no such command");
    else if (self->kind == 1)
        torc_stateful_next(machine, got_addr_5, 4 + 2);
    else if (self->kind == 4)
        torc_stateful_next(machine, got_addr_5, 16 + 2);
    else if (self->kind == 3)
        torc_stateful_next(machine, got_name_len_5, 1);
    else
        torc_socks_refuse(self, TORC_SOCKS_NO_SUCH_KIND, "no such kind of address");
}

static void got_password(torc_stateful *machine, torc_str bytes) {
    torc_socks_session *self = of_machine(machine);
    const torc_socks_options *options = &self->socks->options;
    const bool is_right =
        options->check_password(options->context, torc_str_make(self->text, self->text_len), bytes);

    self->text[0] = '\0';
    torc_transport_write(machine->base.transport,
                         is_right ? torc_str_make("\1\0", 2) : torc_str_make("\1\1", 2));
    if (is_right)
        torc_stateful_next(machine, got_request_5, 4);
    else
        torc_transport_close(machine->base.transport);
}

/* The last byte is the length of the password. */
static void got_user(torc_stateful *machine, torc_str bytes) {
    torc_socks_session *self = of_machine(machine);
    const size_t len = (unsigned char)bytes.bytes[bytes.len - 1];

    self->text_len = (uint32_t)bytes.len - 1;
    memcpy(self->text, bytes.bytes, self->text_len);
    self->text[self->text_len] = '\0';
    if (len == 0)
        got_password(machine, TORC_STR(""));
    else
        torc_stateful_next(machine, got_password, len);
}

static void got_user_len(torc_stateful *machine, torc_str bytes) {
    if (bytes.bytes[0] != 1)
        torc_transport_abort_with(machine->base.transport, TORC_ERR_PEER);
    else
        torc_stateful_next(machine, got_user, (size_t)(unsigned char)bytes.bytes[1] + 1);
}

static void got_methods(torc_stateful *machine, torc_str bytes) {
    torc_socks_session *self = of_machine(machine);
    const bool asks = self->socks->options.check_password != NULL;
    torc_transport *transport = machine->base.transport;

    if (torc_str_find_byte(bytes, asks ? 2 : 0) < 0) {
        torc_transport_write(transport, torc_str_make("\5\xff", 2));
        torc_transport_close(transport);
        return;
    }
    torc_transport_write(transport, torc_str_make(asks ? "\5\2" : "\5\0", 2));
    if (asks)
        torc_stateful_next(machine, got_user_len, 2);
    else
        torc_stateful_next(machine, got_request_5, 4);
}

static void got_method_count(torc_stateful *machine, torc_str bytes) {
    const size_t count = (unsigned char)bytes.bytes[0];

    if (count == 0)
        torc_transport_abort_with(machine->base.transport, TORC_ERR_PEER);
    else
        torc_stateful_next(machine, got_methods, count);
}

static void got_version(torc_stateful *machine, torc_str bytes) {
    torc_socks_session *self = of_machine(machine);

    self->version = (uint8_t)bytes.bytes[0];
    if (self->version == 4)
        torc_stateful_next(machine, got_request_4, 7);
    else if (self->version == 5)
        torc_stateful_next(machine, got_method_count, 1);
    else
        torc_transport_abort_with(machine->base.transport, TORC_ERR_PEER);
}

void torc_socks_read(torc_socks_session *session) {
    torc_stateful_next(&session->machine, got_version, 1);
}
