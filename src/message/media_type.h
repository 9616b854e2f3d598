/* SPDX-License-Identifier: MIT */
#ifndef TORC_MESSAGE_MEDIA_TYPE_H
#define TORC_MESSAGE_MEDIA_TYPE_H

#include <torc/str.h>

/* The media type of files with the extension that `name` has, whatever its case; `.bytes` NULL: not
 * known. */
torc_str torc_media_type_of_name(torc_str name);

#endif
