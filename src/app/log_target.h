/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_LOG_TARGET_H
#define TORC_APP_LOG_TARGET_H

#include <torc/log_sinks.h>

/*
 * What an argument of --log names: a file or a standard stream, a syslog daemon, or the journal,
 * and how its events are written.
 *
 *     FILE   -   stderr   file:FILE,level=error,format=json
 *     syslog:server=unix:/dev/log,facility=local3,tag=shop,form=bsd,level=warn
 *     syslog:server=192.0.2.7:514   journald   journald:tag=shop,level=info;http=debug
 *
 * The words are those of nginx. A value; the texts in it are in `text`.
 */
typedef enum torc_log_target_kind {
    TORC_LOG_TARGET_FILE,
    TORC_LOG_TARGET_SYSLOG,
    TORC_LOG_TARGET_JOURNAL
} torc_log_target_kind;

enum {
    TORC_LOG_TARGET_TEXT_MAX = 1024
};

typedef struct torc_log_target {
    torc_log_target_kind kind;
    torc_log_format format; /* AUTO: as --log-format says */
    torc_log_syslog_form form;
    int facility; /* -1: not said */
    size_t path;  /* each a place in `text`; 0: not said */
    size_t host, tag, hostname, levels;
    uint16_t port;
    char text[TORC_LOG_TARGET_TEXT_MAX];
} torc_log_target;

/* Read one. NULL, or what is wrong with it, which may be in `wrong`. */
const char *torc_log_target_parse(const char *argument, torc_log_target *target, char wrong[160]);
/* A text of it, NULL where it was not said. */
const char *torc_log_target_text(const torc_log_target *target, size_t place);

#endif
