/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_REFERENCE_FORM_H
#define TORC_TESTS_REFERENCE_FORM_H

#include <torc/torc.h>

/* `/form` of the reference site: what came in the query, in a posted form and in cookies. */
torc_render reference_form(torc_request *request);

#endif
