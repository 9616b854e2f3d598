/* SPDX-License-Identifier: MIT */
/*
 * json-c, as json_bench.c measures it.
 */
#include <json.h>
#include <string.h>

#include "json_bench.h"

static struct json_tokener *tokener;

static void *read_document(const char *bytes, size_t len) {
    if (!tokener) tokener = json_tokener_new_ex(64);
    if (!tokener) return NULL;
    json_tokener_reset(tokener);
    return json_tokener_parse_ex(tokener, bytes, (int)len);
}

static size_t write_document(void *document) {
    size_t len = 0;

    return json_object_to_json_string_length(
               document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len)
               ? len
               : 0;
}

static void drop_document(void *document) {
    json_object_put(document);
}

const json_library library = {
    .name = "json-c", .read = read_document, .write = write_document, .drop = drop_document};
