/* SPDX-License-Identifier: MIT */
/*
 * In place of coding_brotli.c where the library is built without brotli.
 *
 *  - There are no coders of this coding, which is how others know.
 */
#include "base/coder.h"

const torc_coder_kind *const torc_brotli_encoder = NULL;
const torc_coder_kind *const torc_brotli_decoder = NULL;
