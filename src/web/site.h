/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_SITE_H
#define TORC_WEB_SITE_H

#include <torc/rate.h>
#include <torc/resource.h>

/* The site that a request has come to. */
torc_site *torc_request_site(const torc_request *request);

/* The root of the tree that the request came to; NULL: that is no site. */
torc_resource *torc_site_root_of(const torc_request *request);

/* The function of the program that answers a request of a site, or that it waits in: for people who
 * look for it. NULL: not known. */
const void *torc_site_code_of(const torc_request *request);

/* Whether a site may add a field of that name to all its responses: not what frames or describes a
 * message. */
bool torc_site_may_add(torc_str name);

enum {
    TORC_SITE_FIELD_BYTES_MAX = 32 * 1024 /* names and values: more is no response's head */
};

/* Copy such fields; TORC_ERR_INVALID when one cannot be sent, or they are too many. */
torc_err torc_site_fields_copy(const torc_field *fields, size_t count,
                               torc_fields *copies) TORC_MUST_CHECK;
void torc_site_fields_dispose(torc_fields *copies);

/* Where rates are counted for the site that answers: what it was given, or a store of its own,
 * which is made when it is first asked for. NULL: there was no memory for one. */
torc_rate_store *torc_site_rate_store(torc_request *request);

#endif
