/* SPDX-License-Identifier: MIT */
/*
 * Jansson, as json_bench.c measures it.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json_bench.h"

static void *read_document(const char *bytes, size_t len) {
    return json_loadb(bytes, len, JSON_DECODE_ANY, NULL);
}

static size_t write_document(void *document) {
    char *const text = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);
    const size_t len = text ? strlen(text) : 0;

    free(text);
    return len;
}

static void drop_document(void *document) {
    json_decref(document);
}

const json_library library = {
    .name = "jansson", .read = read_document, .write = write_document, .drop = drop_document};
