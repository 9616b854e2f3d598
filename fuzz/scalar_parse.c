/* SPDX-License-Identifier: MIT */
/*
 * The parser of heads once more, over the scalar twins of the scans: see http1_head.h.
 */
#define torc_scan_value torc_scan_value_scalar
#define torc_scan_target torc_scan_target_scalar
#define torc_scan_token torc_scan_token_scalar
#define torc_http1_parser_init scalar_http1_parser_init
#define torc_http1_parser_init_trailers scalar_http1_parser_init_trailers
#define torc_http1_parse scalar_http1_parse
#define torc_http1_bad scalar_http1_bad

/* NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "protocol/http1/parse.c"
