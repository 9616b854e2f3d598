/* SPDX-License-Identifier: MIT */
/*
 * Files of media types, and names: what comes out can be sent. The first line of an input is a name
 * to ask for, the rest is the file.
 */
#include <torc/fields.h>
#include <torc/media_types.h>

#include "fuzz.h"

static void check_type(const torc_media_types *types, torc_str name) {
    const torc_str type = torc_media_types_find(types, name);

    if (type.bytes) FUZZ_CHECK(torc_media_type_is_valid(type) && torc_field_value_is_valid(type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *const text = fuzz_copy(torc_str_make((const char *)data, size));
    torc_str rest = torc_str_make(text, size), name;
    torc_media_types *types = torc_media_types_new();
    torc_media_types_error error;

    FUZZ_CHECK(types);
    torc_str_split(&rest, '\n', &name);
    const torc_err err = torc_media_types_parse(types, rest, &error);
    FUZZ_CHECK(err == TORC_OK || err == TORC_ERR_INVALID);
    FUZZ_CHECK((err == TORC_OK) == (error.line == 0) &&
               (err == TORC_OK) == (error.text[0] == '\0'));
    FUZZ_CHECK(strlen(error.text) < sizeof(error.text));
    check_type(types, name);
    check_type(NULL, name);
    torc_media_types_free(types);
    free(text);
    return 0;
}
