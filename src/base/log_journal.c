/* SPDX-License-Identifier: MIT */
/*
 * Events for the journal of systemd, in its native protocol: a datagram of fields.
 *
 *  - A field is `NAME=value` and a line end; a value that has line ends is `NAME`, a line end, its
 *    length as 64 bits (little-endian), the value and a line end.
 *  - Names and numbers are made in `text`, which is bounded; texts are sent from where they are, so
 *    they may have any length. What is no more in the bounds is left out: the last fields.
 *  - What the kernel says no datagram holds is written to a file in memory, which is sealed and
 *    handed over instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <torc/log_sinks.h>
#include <unistd.h>

#include "base/log.h"
#include "base/log_socket.h"
#include "base/log_value.h"
#include "base/options.h"

enum {
    PARTS_MAX = 128,
    TEXT_BYTES = 4096,
    NAME_MAX_BYTES = 64
};

typedef struct journal_sink {
    torc_memory *memory;
    torc_log_socket socket;
    char identifier[64];
} journal_sink;

/* A message that is being made. */
typedef struct journal_message {
    torc_buf text;
    size_t part_count;
    struct iovec parts[PARTS_MAX];
    char bytes[TEXT_BYTES];
} journal_message;

/* ---- fields ---- */

static void add_part(journal_message *to, torc_str bytes) {
    if (bytes.len == 0) return;
    to->parts[to->part_count++] =
        (struct iovec){.iov_base = (void *)(uintptr_t)bytes.bytes, .iov_len = bytes.len};
}

/* What was appended to the text since `start`. */
static void add_text(journal_message *to, size_t start) {
    add_part(to, torc_str_make(to->bytes + start, to->text.len - start));
}

static void put_length(torc_buf *buf, uint64_t len) {
    for (int i = 0; i < 8; i++) torc_buf_add_byte(buf, (char)(len >> (8 * i) & 255));
}

/* A field whose value is lent. Nothing is added of one that does not fit. */
static void add_field(journal_message *to, torc_str name, torc_str value) {
    const size_t start = to->text.len;

    if (to->part_count + 3 > PARTS_MAX || TEXT_BYTES - to->text.len < name.len + 16) return;
    torc_buf_add(&to->text, name);
    if (torc_str_find_byte(value, '\n') < 0) {
        torc_buf_add_byte(&to->text, '=');
    } else {
        torc_buf_add_byte(&to->text, '\n');
        put_length(&to->text, value.len);
    }
    add_text(to, start);
    add_part(to, value);
    add_part(to, TORC_STR("\n"));
}

/* Names that the journal, or what reads it, gives a meaning. */
static bool is_taken(torc_str name) {
    static const char *const taken[] = {"MESSAGE",       "MESSAGE_ID",    "PRIORITY",
                                        "ERRNO",         "DOCUMENTATION", "TID",
                                        "INVOCATION_ID", "UNIT",          "USER_UNIT"};

    for (size_t i = 0; i < TORC_COUNT_OF(taken); i++)
        if (torc_str_equals(name, torc_str_of(taken[i]))) return true;
    return torc_str_starts_with(name, TORC_STR("SYSLOG_")) ||
           torc_str_starts_with(name, TORC_STR("CODE_")) ||
           torc_str_starts_with(name, TORC_STR("OBJECT_")) ||
           torc_str_starts_with(name, TORC_STR("COREDUMP_"));
}

/* A name of capitals, digits and `_`, which begins with a letter. */
static torc_str name_of(torc_str key, char bytes[NAME_MAX_BYTES]) {
    static const torc_str before = TORC_STR_INIT("TORC_");
    char *const own = bytes + before.len;
    size_t len = 0;

    memcpy(bytes, before.bytes, before.len);
    for (; len < key.len && len < NAME_MAX_BYTES - before.len; len++) {
        const char byte = key.bytes[len];
        const bool is_small = byte >= 'a' && byte <= 'z';
        const bool fits = (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
        own[len] = is_small ? (char)(byte - 32) : fits ? byte : '_';
    }
    const torc_str name = torc_str_make(own, len);
    if (len > 0 && own[0] >= 'A' && own[0] <= 'Z' && !is_taken(name)) return name;
    return torc_str_make(bytes, before.len + len);
}

static void add_own_field(journal_message *to, const torc_log_field *field) {
    char name[NAME_MAX_BYTES];
    const torc_str called = name_of(torc_str_of(field->key), name);

    if (field->kind == TORC_LOG_KIND_STR) {
        add_field(to, called, field->value.str);
        return;
    }
    if (TEXT_BYTES - to->text.len < 640) return;
    const torc_str value = torc_log_plain_value(&to->text, field, 512);
    add_field(to, called, value);
}

/* The text and its fields, as people read them: nothing else of an event is shown by default. */
static void add_message(journal_message *to, const torc_log_record *record) {
    static const size_t value_max[] = {512, 64, 8};
    const size_t start = to->text.len, room = TEXT_BYTES / 2;
    torc_buf shown;

    for (size_t i = 0; i < TORC_COUNT_OF(value_max); i++) {
        torc_buf_init_fixed(&shown, to->bytes + start + 8, room);
        torc_log_put_escaped(&shown, torc_log_cut(torc_str_of(record->text), 512), false);
        torc_log_put_fields(&shown, record, value_max[i]);
        if (!torc_buf_err(&shown)) break;
    }
    memcpy(to->bytes + start, "MESSAGE=", 8); /* what did not fit is cut */
    to->text.len += 8 + shown.len;
    torc_buf_add_byte(&to->text, '\n');
    add_text(to, start);
}

static void add_priority(journal_message *to, torc_log_level level) {
    static const char *const severities[] = {"7", "6", "4", "3", "2", "2"};

    add_field(to, TORC_STR("PRIORITY"), torc_str_of(severities[level]));
}

static void make_message(const journal_sink *self, journal_message *to,
                         const torc_log_record *record) {
    torc_buf_init_fixed(&to->text, to->bytes, sizeof(to->bytes));
    to->part_count = 0;
    add_message(to, record);
    add_priority(to, record->level);
    add_field(to, TORC_STR("SYSLOG_IDENTIFIER"), torc_str_of(self->identifier));
    add_field(to, TORC_STR("TORC_NAMESPACE"), torc_str_of(record->space));
    for (size_t i = 0; i < record->field_count; i++) add_own_field(to, &record->fields[i]);
}

/* ---- sending ---- */

static bool write_all(int fd, const journal_message *message) {
    for (size_t i = 0; i < message->part_count; i++) {
        const char *bytes = message->parts[i].iov_base;
        size_t left = message->parts[i].iov_len;
        while (left > 0) {
            const ssize_t count = write(fd, bytes, left);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return false;
            bytes += count;
            left -= (size_t)count;
        }
    }
    return true;
}

static torc_err send_fd(journal_sink *self, int fd) {
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    const struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof(int));
    return torc_log_socket_send(&self->socket, &message);
}

/* The journal takes nothing that could change under it. */
static torc_err send_as_file(journal_sink *self, const journal_message *message) {
    const int fd = memfd_create("torc-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    torc_err err = TORC_ERR_SYSTEM;

    if (fd < 0) return torc_err_from_errno(errno);
    if (write_all(fd, message) &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
        err = send_fd(self, fd);
    close(fd);
    return err;
}

static torc_err write_to_journal(void *context, const torc_log_record *record) {
    journal_sink *self = context;
    journal_message message;

    make_message(self, &message, record);
    const struct msghdr whole = {.msg_iov = message.parts, .msg_iovlen = message.part_count};
    const torc_err err = torc_log_socket_send(&self->socket, &whole);
    return err == TORC_ERR_TOO_LARGE ? send_as_file(self, &message) : err;
}

/* ---- life ---- */

static void dispose(void *context) {
    journal_sink *self = context;

    torc_log_socket_close(&self->socket);
    torc_dealloc(self->memory, self);
}

static torc_err open_sink(journal_sink *self, const torc_log_journal_options *given) {
    torc_log_journal_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    snprintf(self->identifier, sizeof(self->identifier), "%s",
             options.identifier ? options.identifier : "torc");
    return torc_log_socket_open(&self->socket,
                                options.path ? options.path : "/run/systemd/journal/socket", NULL);
}

torc_err torc_log_add_journal(torc_log *log, const torc_log_journal_options *journal,
                              const torc_log_sink_options *options, torc_log_sink **sink) {
    torc_memory *memory = torc_container_of(log, torc_log_inside, base)->memory;
    const torc_log_sink_options as = torc_log_sink_named(options, "journald");
    journal_sink *self = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->memory = memory;
    self->socket.fd = -1;
    const torc_err err = open_sink(self, journal);
    if (err) {
        dispose(self);
        return err;
    }
    return torc_log_add_sink(log, write_to_journal, dispose, self, &as, sink);
}
