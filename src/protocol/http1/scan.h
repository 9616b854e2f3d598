/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_HTTP1_SCAN_H
#define TORC_PROTOCOL_HTTP1_SCAN_H

/*
 * Scans: the first byte of a run that ends it. Bytes outside of [at, end) are never read.
 *
 *  - values end at a byte that a field's value cannot have (RFC 9110 §5.5): controls but HTAB, and
 * DEL;
 *  - targets end at a byte that is no visible ASCII: SP, controls, DEL, 0x80 and above;
 *  - tokens end at a byte that a name cannot have (RFC 9110 §5.6.2).
 *
 * Each has a scalar twin, against which the vectorised one is tested and fuzzed. The vectorised
 * ones take 16 bytes at a time (SSE2, NEON), and 32 where the machine has AVX2 and the run is long.
 */
typedef const char *torc_scan_fn(const char *at, const char *end);

const char *torc_scan_value(const char *at, const char *end);
const char *torc_scan_target(const char *at, const char *end);

const char *torc_scan_token(const char *at, const char *end);

const char *torc_scan_value_scalar(const char *at, const char *end);
const char *torc_scan_target_scalar(const char *at, const char *end);
const char *torc_scan_token_scalar(const char *at, const char *end);

#endif
