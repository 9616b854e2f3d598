/* SPDX-License-Identifier: MIT */
/*
 * Methods and their names.
 */
#include <torc/method.h>

static const torc_str names[TORC_METHODS] = {[TORC_METHOD_OTHER] = TORC_STR_INIT(""),
#define NAME(name) [TORC_METHOD_##name] = TORC_STR_INIT(#name),
                                             TORC_METHOD_TABLE(NAME)
#undef NAME
};

torc_method torc_method_find(torc_str name) {
    for (int method = TORC_METHOD_GET; method < TORC_METHODS; method++)
        if (torc_str_equals(name, names[method])) return (torc_method)method;
    return TORC_METHOD_OTHER;
}

torc_str torc_method_text(torc_method method) {
    return names[method];
}

torc_str torc_methods_text(uint32_t methods, char text[TORC_METHODS_TEXT_MAX]) {
    size_t len = 0;

    for (int method = TORC_METHOD_GET; method < TORC_METHODS; method++) {
        if (!(methods & torc_method_bit((torc_method)method))) continue;
        if (len) {
            memcpy(text + len, ", ", 2);
            len += 2;
        }
        memcpy(text + len, names[method].bytes, names[method].len);
        len += names[method].len;
    }
    return torc_str_make(text, len);
}
