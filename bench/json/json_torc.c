/* SPDX-License-Identifier: MIT */
/*
 * Torc's JSON, as json_bench.c measures it. Numbers are written with the texts that were kept of
 * them, as json-c does, too.
 */
#include <torc/json_value.h>

#include "json_bench.h"

static torc_memory memory;
static torc_arena *arena;
static torc_buf buf;

static void *read_document(const char *bytes, size_t len) {
    const torc_json_limits limits = {.value_count_max = 10000000};
    const torc_json_value *value;

    if (!arena) {
        torc_memory_init(&memory, 0);
        torc_buf_init(&buf, &memory, TORC_MEMORY_OTHER, (size_t)1 << 30);
        arena = torc_arena_new(&memory, (size_t)1 << 30);
    }
    if (!arena || torc_json_parse(arena, torc_str_make(bytes, len), &limits, &value, NULL))
        return NULL;
    return (void *)value;
}

static size_t write_document(void *document) {
    torc_json json;

    torc_buf_clear(&buf);
    torc_json_init_buf(&json, &buf, TORC_JSON_PLAIN);
    torc_json_write_value(&json, document);
    return torc_json_end(&json) ? 0 : buf.len;
}

static void drop_document(void *document) {
    torc_arena_dispose(arena);
}

const json_library library = {
    .name = "torc", .read = read_document, .write = write_document, .drop = drop_document};
