/* SPDX-License-Identifier: MIT */
/*
 * Status codes and their phrases, as registered by IANA.
 *
 *  - A phrase is the part of its line between "HTTP/1.1 200 " and CR LF.
 */
#include <torc/status.h>

enum {
    FIRST = 100,
    BEFORE_PHRASE = 13,
    AROUND_PHRASE = 15
};

#define LINE(status, phrase) [status - FIRST] = TORC_STR_INIT("HTTP/1.1 " #status " " phrase "\r\n")

static const torc_str lines[] = {
    LINE(100, "Continue"),
    LINE(101, "Switching Protocols"),
    LINE(102, "Processing"),
    LINE(103, "Early Hints"),
    LINE(200, "OK"),
    LINE(201, "Created"),
    LINE(202, "Accepted"),
    LINE(203, "Non-Authoritative Information"),
    LINE(204, "No Content"),
    LINE(205, "Reset Content"),
    LINE(206, "Partial Content"),
    LINE(207, "Multi-Status"),
    LINE(208, "Already Reported"),
    LINE(226, "IM Used"),
    LINE(300, "Multiple Choices"),
    LINE(301, "Moved Permanently"),
    LINE(302, "Found"),
    LINE(303, "See Other"),
    LINE(304, "Not Modified"),
    LINE(305, "Use Proxy"),
    LINE(307, "Temporary Redirect"),
    LINE(308, "Permanent Redirect"),
    LINE(400, "Bad Request"),
    LINE(401, "Unauthorized"),
    LINE(402, "Payment Required"),
    LINE(403, "Forbidden"),
    LINE(404, "Not Found"),
    LINE(405, "Method Not Allowed"),
    LINE(406, "Not Acceptable"),
    LINE(407, "Proxy Authentication Required"),
    LINE(408, "Request Timeout"),
    LINE(409, "Conflict"),
    LINE(410, "Gone"),
    LINE(411, "Length Required"),
    LINE(412, "Precondition Failed"),
    LINE(413, "Content Too Large"),
    LINE(414, "URI Too Long"),
    LINE(415, "Unsupported Media Type"),
    LINE(416, "Range Not Satisfiable"),
    LINE(417, "Expectation Failed"),
    LINE(418, "I'm a teapot"),
    LINE(421, "Misdirected Request"),
    LINE(422, "Unprocessable Content"),
    LINE(423, "Locked"),
    LINE(424, "Failed Dependency"),
    LINE(425, "Too Early"),
    LINE(426, "Upgrade Required"),
    LINE(428, "Precondition Required"),
    LINE(429, "Too Many Requests"),
    LINE(431, "Request Header Fields Too Large"),
    LINE(451, "Unavailable For Legal Reasons"),
    LINE(500, "Internal Server Error"),
    LINE(501, "Not Implemented"),
    LINE(502, "Bad Gateway"),
    LINE(503, "Service Unavailable"),
    LINE(504, "Gateway Timeout"),
    LINE(505, "HTTP Version Not Supported"),
    LINE(506, "Variant Also Negotiates"),
    LINE(507, "Insufficient Storage"),
    LINE(508, "Loop Detected"),
    LINE(511, "Network Authentication Required"),
};

torc_str torc_status_line(int status) {
    const size_t place = (size_t)status - FIRST; /* of a smaller one: a huge number */

    return place < TORC_COUNT_OF(lines) ? lines[place] : torc_str_make(NULL, 0);
}

torc_str torc_status_phrase(int status) {
    const torc_str line = torc_status_line(status);

    if (!line.bytes) return torc_str_make("", 0);
    return torc_str_make(line.bytes + BEFORE_PHRASE, line.len - AROUND_PHRASE);
}

bool torc_status_is_bodiless(int status) {
    return (status >= 100 && status < 200) || status == 204 || status == 304;
}

bool torc_status_is_redirect(int status) {
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}
