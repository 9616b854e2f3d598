/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_LOG_VALUE_H
#define TORC_BASE_LOG_VALUE_H

#include <torc/log.h>
#include <torc/zone.h>

/*
 * The parts of a line: times, texts that are quoted and escaped, values. Into a buffer that is
 * fixed all of this is safe in handlers of signals, but for doubles, for which the C library is
 * asked: it allocates nothing for so few digits.
 */

/* A time of RFC 3339 with so many digits behind the seconds (3 or 6), at an offset from UTC. */
void torc_log_put_time(torc_buf *buf, int64_t time_us, int32_t offset_s, int digits);
/* A time of day: "09:05:59". */
void torc_log_put_clock(torc_buf *buf, const torc_civil *time);
/* At least so many decimal digits. */
void torc_log_put_digits(torc_buf *buf, uint64_t number, int digits);
/* At most `max` bytes of a text, cut between characters. */
torc_str torc_log_cut(torc_str text, size_t max);
/* Controls, and what separates lines, turns the direction of writing, or cannot be seen. Of none is
 * the code above 0xffff. */
bool torc_log_is_deceptive(uint32_t code);
/* A text in which nothing ends a line, controls a terminal, or deceives who reads it. */
void torc_log_put_escaped(torc_buf *buf, torc_str text, bool in_quotes);
/* A word as it is, anything else in quotes. */
void torc_log_put_str(torc_buf *buf, torc_str value, size_t max);
/* A number of seconds, "0.0015". */
void torc_log_put_seconds(torc_buf *buf, int64_t us);
/* A value: what is no text stands without quotes. `max`: of texts. */
void torc_log_put_value(torc_buf *buf, const torc_log_field *field, size_t max);
/* The same without any quotes or escapes, for who has their own; texts are lent instead: they are
 * the answer, everything else is what was appended to `buf`. */
torc_str torc_log_plain_value(torc_buf *buf, const torc_log_field *field, size_t max);
/* ` key=value`, for each field. */
void torc_log_put_fields(torc_buf *buf, const torc_log_record *record, size_t max);

#endif
