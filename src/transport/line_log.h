/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_LINE_LOG_H
#define TORC_TRANSPORT_LINE_LOG_H

#include <torc/log.h>

/*
 * What a process writes, as events of a log: one per line, or per 512 bytes of a longer one. A
 * value; zero is empty.
 */
typedef struct torc_line_log {
    size_t len;
    char line[512];
} torc_line_log;

/* Take bytes, and log what they make whole. `name` says whose they are. */
void torc_line_log_add(torc_line_log *self, torc_log *log, torc_log_level level, const char *name,
                       torc_str bytes);
/* Log what was not ended by a line end. */
void torc_line_log_end(torc_line_log *self, torc_log *log, torc_log_level level, const char *name);

#endif
