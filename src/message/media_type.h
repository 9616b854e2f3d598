/* SPDX-License-Identifier: MIT */
#ifndef TORC_MESSAGE_MEDIA_TYPE_H
#define TORC_MESSAGE_MEDIA_TYPE_H

#include <torc/str.h>

enum {
    TORC_EXTENSION_MAX = 32 /* bytes of an extension; longer ones are not known */
};

/* The built-in media type of an extension, in small letters and without the dot; `.bytes` NULL: not
 * known. */
torc_str torc_media_type_of_extension(torc_str extension);

#endif
