/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_REQUEST_STATE_H
#define TORC_HTTP_REQUEST_STATE_H

#include "http/request.h"

/*
 * What a request is made of, for the files of this layer. It lives in its exchange's arena and is
 * cleared when it is made, but for the large members at its end; what few requests need (a reader,
 * a feed, arguments) is made when needed.
 */
typedef struct torc_path_param torc_path_param;
struct torc_path_param {
    torc_path_param *next;
    torc_str name, value, raw;
};

/* A query argument, decoded; in their order. */
typedef struct torc_request_args {
    uint32_t count;
    struct torc_request_arg {
        torc_str name, value;
    } items[];
} torc_request_args;

/* Where the request is said to have come to, in place of what its bytes say. */
typedef struct torc_request_origin {
    bool is_secure;
    torc_str authority; /* empty: what its bytes say */
    torc_str prefix;    /* that a proxy took from the front of the path; empty: nothing */
} torc_request_origin;

/* What somebody keeps with the request. */
typedef struct torc_kept_value torc_kept_value;
struct torc_kept_value {
    torc_kept_value *next;
    const void *key;
    void *value;
};

/* What is looked for in place of what was asked. */
typedef struct torc_request_rewritten {
    torc_str path, query;
} torc_request_rewritten;

/* A bound of what the step's fiber waits for, besides that which it began with. */
typedef struct torc_answer_bound torc_answer_bound;

/* Who answers an error. */
enum {
    TORC_ERROR_NONE,   /* there is none */
    TORC_ERROR_ASKING, /* the handlers of the tree are asked */
    TORC_ERROR_PLAIN   /* that has failed: the plain page is written */
};

/* What has its place in the request itself; more of it is allocated. */
enum {
    TORC_REQUEST_FIELDS = 8
};

struct torc_request {
    torc_exchange *exchange;
    torc_handler *handler;
    const torc_head *head;
    torc_arena *arena;
    torc_reactor *reactor;
    uint64_t started_us;
    void *data;

    /* Its life: see request.c. */
    bool is_finished : 1;  /* the application has finished or aborted the response */
    bool is_lost : 1;      /* the exchange was closed before that */
    bool is_reset : 1;     /* the exchange was reset from here */
    bool is_running : 1;   /* a step is on a stack: the request stays until it has returned */
    bool is_in_head : 1;   /* the handler is being told of the head */
    bool is_ended : 1;     /* everybody was told of the end */
    bool is_leaving : 1;   /* observed: not all of the response has left, which will be told */
    bool is_announced : 1; /* the handler was told of it, and will be told of the end */
    /* The response. */
    bool is_head : 1;    /* the answer to HEAD: bodies are counted, not sent */
    bool is_started : 1; /* the final head has gone */
    bool has_length : 1; /* `length` was announced */
    bool has_server : 1; /* the application set this field itself */
    bool has_date : 1;
    bool has_type : 1;
    bool has_json : 1;      /* `json` and `json_chain` are in use */
    bool is_prepared : 1;   /* the hooks were told that it starts */
    uint8_t error_step : 2; /* how far the answering of an error has come: TORC_ERROR_… */
    /* The incoming body. */
    bool has_body_ended : 1; /* all of it was received, or no more of it is wanted */
    bool limits_are_own : 1; /* `limits` is filled */
    uint8_t decoded : 3; /* 1 + the torc_coding that it is decoded from; 0: it is read as it is */

    uint32_t ratio_max; /* of a body that is decoded */
    int16_t reason;     /* why it ended; TORC_OK: finished */
    int16_t failure;    /* the first failure of the response */
    torc_list watches;
    torc_call ending; /* posted once it is over and no step runs */
    torc_retiree retiree;
    torc_holding *holdings;
    struct torc_ticket_slot *slot; /* NULL: no ticket was taken */

    torc_request_step_fn *step;
    void *step_context;
    torc_fiber *fiber;         /* the one that runs the step */
    torc_answer_bound *bounds; /* the innermost */

    torc_path path;
    torc_path_param *params;
    torc_request_args *args;           /* NULL until asked for */
    torc_request_origin *origin;       /* NULL: what its bytes say */
    torc_request_rewritten *rewritten; /* NULL: what was asked */
    torc_kept_value *values;
    torc_response_hook *hooks;      /* the newest first */
    struct torc_staging *staging;   /* NULL: the body goes as it is written */
    const struct torc_whole *whole; /* while the hooks are told, if all of the body is there */
    const torc_trace *trace;        /* while an error is answered, if its stack is told */

    torc_head sent;     /* its status and reason; the rest is filled when it is sent */
    torc_field *fields; /* of the response; the first RESERVED ones are the library's */
    uint32_t field_count, field_capacity;
    torc_fields *trailers; /* of the response */
    uint64_t length;
    uint64_t body_sent;
    uint64_t left_behind;   /* bytes of it that never left */
    struct torc_feed *feed; /* the producer */
    torc_list output_waits; /* those who wait for the output to drain */

    struct torc_body_reader *reader; /* NULL until the body is first read */
    const torc_fields *body_trailers;

    /* From here on not cleared. */
    torc_departure departure;
    torc_limits limits;    /* see torc_request_limits() */
    torc_json json;        /* the document being written */
    torc_chain json_chain; /* what there is of it */
    torc_str first_segments[TORC_REQUEST_SEGMENTS];
    torc_field first_fields[TORC_REQUEST_FIELDS];
};

enum {
    TORC_REQUEST_CLEARED = offsetof(torc_request, departure)
};

/* Whether nothing that is done now reaches anybody. */
static inline bool request_is_over(const torc_request *request) {
    return request->is_finished || request->is_lost || request->is_reset;
}

/* The limits that hold, to be read. */
const torc_limits *torc_request_limits_now(torc_request *request);
/* The application has let go: end the request once no step runs any more. */
void torc_request_settle(torc_request *request);
/* The response is over: the rest of the incoming body is not wanted, and the request ends. */
void torc_request_finished(torc_request *request, torc_err reason);
/* Reset the exchange: the peer sees a broken message. */
void torc_request_reset(torc_request *request, torc_err reason);

/* The request has ended, and what was sent has left: tell observers and handler, and let go. */
void torc_request_depart(torc_request *request);

/* There are observers: tell them of a request that is over, or that never was one. */
void torc_observers_tell(torc_request *request);
void torc_observers_tell_refused(const torc_handler *handler, const torc_refused *refused);
/* The response is complete: if it has not left, wait for that before observers are told. */
void torc_observers_await_departure(torc_request *request);

/* There are trusted proxies: see what the peer tells of where the request came to, if it is one. */
torc_err torc_request_read_origin(torc_request *request) TORC_MUST_CHECK;

/* Split and decode the path. */
torc_err torc_request_split_path(torc_request *request) TORC_MUST_CHECK;

/* Forget status, fields and failure of a response of which nothing was sent. */
void torc_response_clear(torc_request *request);
/* Forget the fields that describe a body, which an error of `status` replaces; of a 416,
 * Content-Range tells the size. */
void torc_response_clear_body_fields(torc_request *request, int status);
/* Have an error answered by the handler: nothing was sent, and the status is set. */
void torc_request_write_error(torc_request *request, const torc_error_reply *error);
/* Reply for a render that has not. */
void torc_reply_nothing(torc_request *request);
/* Send the final head; `body_len` -1: not known. Failures stay. */
void torc_response_send_head(torc_request *request, int64_t body_len);
/* Prepare the response of a new request. */
void torc_response_init(torc_request *request);
/*
 * Send a short whole response in one call of the wire, if nothing speaks against it; the type lives
 * until then, and may have no bytes. False: nothing was done, take the long way.
 */
bool torc_response_send_short(torc_request *request, int status, torc_str type, torc_str body);
/* The same with the status and the fields that were set. */
bool torc_response_send_short_body(torc_request *request, torc_str body);
/*
 * The response starts, and there are hooks that have not been told: tell them. `bytes` or `chain`
 * is the body, if all of it is there.
 */
void torc_response_prepare(torc_request *request, const torc_str *bytes, const torc_chain *chain);
/* The application lets go of a response that is complete or has failed; the first failure. */
torc_err torc_response_conclude(torc_request *request);
/* Send a whole response, head, body and end, and let go: torc_request_finish() of a body in one
 * piece. */
void torc_response_send_whole(torc_request *request, torc_str body, bool is_static);
/* The same with a body in a chain, which is left empty. */
void torc_response_send_chain(torc_request *request, torc_chain *body);
/* Set a content type that lives until the head has gone; an invalid one makes the response fail. */
void torc_response_set_type(torc_request *request, torc_str type);
/* Whether a body may follow the head (RFC 9110 §6.4.1); that of HEAD is a question of its own. */
bool torc_response_allows_body(const torc_request *request);

/* What feeds the body: told that something was written, of `drained`, of the loss, and that it is
 * over. */
void torc_feed_written(torc_request *request);
void torc_feed_drained(torc_request *request);
void torc_feed_lost(torc_request *request);
void torc_feed_dropped(torc_request *request);

/* Who reads the body (there is a reader): told of the exchange's events. */
void torc_body_received(torc_request *request, torc_str bytes);
void torc_body_ended(torc_request *request);
/* Nothing more will come: fibers that read go on, a callback is told. From an event. */
void torc_body_lost(torc_request *request, torc_err reason);
/* The same from inside a call: a callback is told when the request ends. */
void torc_body_dropped(torc_request *request);

/* The request is over: its tickets lead nowhere. */
void torc_ticket_release(torc_request *request);

/* The value of the Date field now. */
torc_str torc_date_now(torc_reactor *reactor);

#endif
