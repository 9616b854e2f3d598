/* SPDX-License-Identifier: MIT */
/*
 * What a process writes, line by line.
 *
 *  - `line` never holds a line end; a full one is logged as it is.
 */
#include "transport/line_log.h"

void torc_line_log_end(torc_line_log *self, torc_log *log, torc_log_level level, const char *name) {
    if (self->len > 0 && self->line[self->len - 1] == '\r') self->len--;
    if (self->len == 0) return;
    TORC_LOG_AT(log, level, "process", "a child wrote", TORC_LOG_TEXT("child", name),
                TORC_LOG_STR("line", torc_str_make(self->line, self->len)));
    self->len = 0;
}

void torc_line_log_add(torc_line_log *self, torc_log *log, torc_log_level level, const char *name,
                       torc_str bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.bytes[i] != '\n') self->line[self->len++] = bytes.bytes[i];
        if (bytes.bytes[i] == '\n' || self->len == sizeof(self->line))
            torc_line_log_end(self, log, level, name);
    }
}
