/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_ANSWER_TIME_H
#define TORC_HTTP_ANSWER_TIME_H

#include "http/request_state.h"

/* How long the answer may take from the request's head on; TORC_UNLIMITED. */
uint32_t torc_answer_ms(const torc_request *request);
/* How much of it is left; meaningless without a bound. */
uint64_t torc_answer_left_ms(const torc_request *request);
/* A step has returned NOT_DONE_YET, and there is a bound: hold to it. */
void torc_answer_time_watch(torc_request *request);
/* On the fiber of a step that has returned: end what torc_request_bound_answer() has begun. */
void torc_answer_bounds_end(torc_request *request);

#endif
