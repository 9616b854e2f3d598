/* SPDX-License-Identifier: MIT */
/*
 * In place of coding_zstd.c where the library is built without zstd.
 *
 *  - There are no coders of this coding, which is how others know.
 */
#include "base/coder.h"

const torc_coder_kind *const torc_zstd_encoder = NULL;
const torc_coder_kind *const torc_zstd_decoder = NULL;
