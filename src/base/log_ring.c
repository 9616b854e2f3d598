/* SPDX-License-Identifier: MIT */
/*
 * The last events of a log.
 *
 *  - A slot is words that are read and written atomically, and a number: odd while somebody writes,
 *    and another one afterwards. Who reads looks at the number before and after, and takes what did
 *    not change; so nobody waits, and a handler of signals may read whatever it has interrupted.
 *    Each word is released after the number became odd, and acquired before it is looked at again:
 *    so no fence is needed, which the thread sanitizer would not see.
 *  - Events take slots by turns (`next`). One whose slot is being written by a thread that is a
 *    whole ring behind is lost.
 *  - An event is packed: a head, then texts that end with a NUL, each with its length before it.
 */
#include <errno.h>
#include <torc/log_ring.h>
#include <unistd.h>

#include "base/log.h"

enum {
    WORDS = TORC_LOG_RING_SLOT_BYTES / 8 - 1, /* beside the number */
    PACKED_BYTES = WORDS * 8,
    FIELDS_MAX = 24,
    SPACE_MAX = 64,
    TEXT_MAX = 160
};

typedef struct slot {
    atomic_uint_fast64_t number; /* of the event, doubled, and one more while it is written */
    atomic_uint_fast64_t words[WORDS];
} slot;

struct torc_log_ring {
    torc_memory *memory;
    size_t count;
    atomic_uint_fast64_t next;
    slot slots[];
};

torc_err torc_log_ring_new(torc_memory *memory, size_t events, torc_log_ring **ring) {
    torc_log_ring *self;

    if (events == 0 || events > TORC_LOG_RING_EVENTS_MAX) return TORC_ERR_INVALID;
    self = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof(*self) + events * sizeof(slot));
    if (!self) return TORC_ERR_NO_MEMORY;
    self->memory = memory;
    self->count = events;
    *ring = self;
    return TORC_OK;
}

void torc_log_ring_free(torc_log_ring *ring) {
    if (ring) torc_dealloc(ring->memory, ring);
}

/* ---- packing ---- */

typedef struct packed_head {
    int64_t time_us;
    int32_t offset_s;
    uint8_t level, field_count;
} packed_head;

typedef struct packing {
    char bytes[PACKED_BYTES];
    size_t at;
} packing;

static bool put(packing *to, const void *bytes, size_t len) {
    if (len > sizeof(to->bytes) - to->at) return false;
    if (len) memcpy(to->bytes + to->at, bytes, len);
    to->at += len;
    return true;
}

/* A text, or as much of it as there is room for. */
static bool put_text(packing *to, torc_str text, size_t max) {
    const size_t left = sizeof(to->bytes) - to->at, least = sizeof(uint16_t) + 1;

    if (left < least) return false;
    if (max > left - least) max = left - least;
    const uint16_t len = (uint16_t)(text.len < max ? text.len : max);
    return put(to, &len, sizeof(len)) && put(to, text.bytes, len) && put(to, "", 1);
}

static bool put_field(packing *to, const torc_log_field *field) {
    const uint8_t kind = (uint8_t)field->kind;

    if (!put(to, &kind, 1) || !put_text(to, torc_str_of(field->key), 48)) return false;
    if (field->kind == TORC_LOG_KIND_STR || field->kind == TORC_LOG_KIND_BYTES)
        return put_text(to, field->value.str, PACKED_BYTES);
    return put(to, &field->value.uint_, sizeof(field->value.uint_));
}

static void pack(packing *to, const torc_log_record *record) {
    packed_head head = {record->time_us, record->offset_s, (uint8_t)record->level, 0};

    to->at = sizeof(head);
    (void)put_text(to, torc_str_of(record->space), SPACE_MAX);
    (void)put_text(to, torc_str_of(record->text), TEXT_MAX);
    for (size_t i = 0; i < record->field_count && head.field_count < FIELDS_MAX; i++) {
        const size_t before = to->at;
        if (!put_field(to, &record->fields[i])) {
            to->at = before;
            break;
        }
        head.field_count++;
    }
    memcpy(to->bytes, &head, sizeof(head));
}

/* ---- unpacking ---- */

static const char *take(packing *from, size_t len) {
    const char *bytes = from->bytes + from->at;

    from->at += len;
    return bytes;
}

static torc_str take_text(packing *from) {
    uint16_t len;

    memcpy(&len, take(from, sizeof(len)), sizeof(len));
    const char *bytes = take(from, (size_t)len + 1);
    return torc_str_make(bytes, len);
}

static void take_field(packing *from, torc_log_field *field) {
    memset(field, 0, sizeof(*field));
    field->kind = (torc_log_kind)*take(from, 1);
    field->key = take_text(from).bytes;
    if (field->kind == TORC_LOG_KIND_STR || field->kind == TORC_LOG_KIND_BYTES)
        field->value.str = take_text(from);
    else
        memcpy(&field->value.uint_, take(from, sizeof(uint64_t)), sizeof(uint64_t));
}

static void unpack(packing *from, torc_log_record *record, torc_log_field fields[FIELDS_MAX]) {
    packed_head head;

    from->at = 0;
    memcpy(&head, take(from, sizeof(head)), sizeof(head));
    *record = (torc_log_record){
        .time_us = head.time_us,
        .offset_s = head.offset_s,
        .level = (torc_log_level)head.level,
        .fields = fields,
        .field_count = head.field_count,
    };
    record->space = take_text(from).bytes;
    record->text = take_text(from).bytes;
    for (size_t i = 0; i < head.field_count; i++) take_field(from, &fields[i]);
}

/* ---- slots ---- */

static torc_err write_to_ring(void *context, const torc_log_record *record) {
    torc_log_ring *self = context;
    const uint_fast64_t turn = atomic_fetch_add(&self->next, 1);
    slot *at = &self->slots[turn % self->count];
    uint_fast64_t before = atomic_load(&at->number);
    packing packed;
    uint64_t word;

    pack(&packed, record);
    if ((before & 1) || !atomic_compare_exchange_strong(&at->number, &before, (turn + 1) * 2 + 1))
        return TORC_ERR_AGAIN;
    for (size_t i = 0; i * 8 < packed.at; i++) {
        memcpy(&word, packed.bytes + i * 8, sizeof(word));
        atomic_store_explicit(&at->words[i], word, memory_order_release);
    }
    atomic_store_explicit(&at->number, (turn + 1) * 2, memory_order_release);
    return TORC_OK;
}

/* A copy of the event that took this turn; false: there is none, or no more. */
static bool read_turn(const torc_log_ring *self, uint_fast64_t turn, packing *packed) {
    const slot *at = &self->slots[turn % self->count];

    if (atomic_load_explicit(&at->number, memory_order_acquire) != (turn + 1) * 2) return false;
    for (size_t i = 0; i < WORDS; i++) {
        const uint64_t word = atomic_load_explicit(&at->words[i], memory_order_acquire);
        memcpy(packed->bytes + i * 8, &word, sizeof(word));
    }
    return atomic_load_explicit(&at->number, memory_order_relaxed) == (turn + 1) * 2;
}

typedef enum which {
    CRITICAL,
    OTHERS,
    ALL
} which;

static void show_each(const torc_log_ring *self, which wanted, torc_log_ring_fn *show,
                      void *context) {
    const uint_fast64_t end = atomic_load(&self->next);
    torc_log_field fields[FIELDS_MAX];
    torc_log_record record;
    packing packed;

    for (uint_fast64_t turn = end > self->count ? end - self->count : 0; turn < end; turn++) {
        if (!read_turn(self, turn, &packed)) continue;
        unpack(&packed, &record, fields);
        if (wanted != ALL && (wanted == CRITICAL) != (record.level == TORC_LOG_LEVEL_CRITICAL))
            continue;
        show(context, &record);
    }
}

void torc_log_ring_each(const torc_log_ring *ring, torc_log_ring_fn *show, void *context) {
    show_each(ring, CRITICAL, show, context);
    show_each(ring, OTHERS, show, context);
}

static void dump_one(void *context, const torc_log_record *record) {
    const int *fd = context;
    char bytes[2 * TORC_LOG_RING_SLOT_BYTES];
    torc_buf line;

    torc_buf_init_fixed(&line, bytes, sizeof(bytes));
    if (torc_log_make_line(&line, record, TORC_LOG_FORMAT_TEXT)) return;
    while (write(*fd, line.bytes, line.len) < 0 && errno == EINTR) continue;
}

void torc_log_ring_dump(const torc_log_ring *ring, int fd) {
    show_each(ring, ALL, dump_one, &fd);
}

torc_err torc_log_add_ring(torc_log *log, torc_log_ring *ring, const torc_log_sink_options *options,
                           torc_log_sink **sink) {
    const torc_log_sink_options as = torc_log_sink_named(options, "ring");

    return torc_log_add_sink(log, write_to_ring, NULL, ring, &as, sink);
}
