/* SPDX-License-Identifier: MIT */
#ifndef TORC_LOG_SINKS_H
#define TORC_LOG_SINKS_H

#include <torc/addr.h>
#include <torc/log.h>

/**
 * Sinks that send events to other programs: syslog and the journal of systemd.
 *
 * An event is a datagram. What the other side has no room for is lost, and counted; nobody waits,
 * and nothing is allocated. A socket that has gone (the other program was started anew) is
 * connected to again, at most once a second. Any thread may log.
 */
typedef enum torc_log_syslog_form {
    TORC_LOG_SYSLOG_RFC5424, /* fields as structured data */
    TORC_LOG_SYSLOG_BSD      /* RFC 3164, fields in the text: what journald reads at /dev/log */
} torc_log_syslog_form;

typedef struct torc_log_syslog_options {
    size_t size;           /* sizeof(torc_log_syslog_options) */
    const char *path;      /* of a UNIX socket; NULL: /dev/log, if there is no `addr` */
    const torc_addr *addr; /* send by UDP to here; NULL: to the socket */
    torc_log_syslog_form form;
    int facility;         /* 0 to 23, as LOG_DAEMON >> 3; -1: user (1) */
    const char *app_name; /* NULL: "torc" */
    const char *hostname; /* NULL: the machine's */
    const char *sd_id;    /* of the structured data; NULL: "torc@32473" */
} torc_log_syslog_options;

typedef struct torc_log_journal_options {
    size_t size;            /* sizeof(torc_log_journal_options) */
    const char *path;       /* of the socket; NULL: /run/systemd/journal/socket */
    const char *identifier; /* SYSLOG_IDENTIFIER; NULL: "torc" */
} torc_log_journal_options;

TORC_BEGIN_DECLS

/**
 * Send events to a syslog daemon (RFC 5424), over a UNIX datagram socket or UDP (RFC 5426): the
 * namespace as MSGID, fields as parameters of structured data. A message has at most 4096 bytes, by
 * UDP 2048: long values are cut. `options` and the rest may be NULL; texts are copied. Who does not
 * listen yet is no error, but events are lost until it does. TORC_ERR_INVALID for a facility, name
 * or path that is none.
 */
TORC_API torc_err torc_log_add_syslog(torc_log *log, const torc_log_syslog_options *syslog,
                                      const torc_log_sink_options *options,
                                      torc_log_sink **sink) TORC_MUST_CHECK;
/**
 * Send events to the journal of systemd in its own protocol: MESSAGE (the text with its fields, for
 * people), PRIORITY, SYSLOG_IDENTIFIER, TORC_NAMESPACE, and each field by its key in capitals
 * (`path` is PATH; one whose name the journal gives a meaning has TORC_ before it). Values are
 * whole however large: what no datagram holds goes as a sealed file in memory.
 */
TORC_API torc_err torc_log_add_journal(torc_log *log, const torc_log_journal_options *journal,
                                       const torc_log_sink_options *options,
                                       torc_log_sink **sink) TORC_MUST_CHECK;

/** "kern", "user", "daemon", "local0" …, to the number of a facility; -1: there is none such. */
TORC_API int torc_log_facility_parse(torc_str name);
/**
 * Append an event as a message of syslog, as torc_log_add_syslog() sends it, with at most
 * `value_max` bytes of each value; for sinks. `syslog` has its hostname and app_name.
 */
TORC_API void torc_log_format_syslog(torc_buf *buf, const torc_log_record *record,
                                     const torc_log_syslog_options *syslog, size_t value_max);

TORC_END_DECLS

#endif
