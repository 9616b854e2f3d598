/* SPDX-License-Identifier: MIT */
/*
 * cJSON, as json_bench.c measures it.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "json_bench.h"

static void *read_document(const char *bytes, size_t len) {
    return cJSON_ParseWithLength(bytes, len);
}

static size_t write_document(void *document) {
    char *const text = cJSON_PrintUnformatted(document);
    const size_t len = text ? strlen(text) : 0;

    cJSON_free(text);
    return len;
}

static void drop_document(void *document) {
    cJSON_Delete(document);
}

const json_library library = {
    .name = "cJSON", .read = read_document, .write = write_document, .drop = drop_document};
