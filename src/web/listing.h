/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_LISTING_H
#define TORC_WEB_LISTING_H

#include "web/directory.h"

/*
 * On a fiber: reply with what is in a folder: a page of HTML, or JSON to who asks for it by Accept
 * or
 * `?format=json`. `?sort=name|size|modified` and `?order=asc|desc` are the order, which the page
 * links to: it needs no scripts. The tag is made of the content, so that a peer that has it already
 * gets a 304. The request's path ends in a slash.
 */
torc_render torc_listing_reply(torc_request *request, const torc_directory *directory);
/* The order that a request asks for. */
void torc_listing_order(torc_request *request, torc_directory_query *query);

#endif
