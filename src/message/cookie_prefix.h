/* SPDX-License-Identifier: MIT */
#ifndef TORC_MESSAGE_COOKIE_PREFIX_H
#define TORC_MESSAGE_COOKIE_PREFIX_H

#include <torc/cookie.h>

/* Whether a cookie is what its name promises by a prefix ("__Host-"), whatever the case. `name`:
 * the cookie's, or the value of one that has none, which clients send as if it were a name. */
bool torc_cookie_keeps_prefix(const torc_cookie *cookie, torc_str name);

#endif
